"""The sandbox's own door beside the platforms': look into accounts, put listings in, let shoppers come, make faults.

    GET  /_sandbox                                  accounts with their addresses and credentials
    GET  /_sandbox/<slug>/<account>/stock           what the platform shows, by SKU
    GET  /_sandbox/<slug>/<account>/journal         what really happened (?what=effect)
    POST /_sandbox/<slug>/<account>/listings        [{"sku", "title", "price", "quantity", "barcode"?}]: adds new ones
    POST /_sandbox/<slug>/<account>/shop            {"shoppers": 3}
    POST /_sandbox/<slug>/<account>/faults          {"share": 0.1, "seed": 1, "kinds": ["TOO_MANY"]}

It listens where the sandbox listens, on the loopback address only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Protocol

from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.stand_in import Reply, Request, StandIn

PREFIX = "/_sandbox"
MOST_SHOPPERS = 1_000


class Accounts(Protocol):
    """Where stand-ins are found: the wire."""

    def find(self, slug: str, account: str) -> StandIn | None: ...

    def all(self) -> list[tuple[str, StandIn]]: ...


def answer(accounts: Accounts, request: Request) -> Reply:
    """Answer a request under PREFIX."""
    parts = [part for part in request.path.removeprefix(PREFIX).split("/") if part]
    if not parts and request.method == "GET":
        return Reply(200, [_about(address, stand_in) for address, stand_in in accounts.all()])
    if len(parts) != 3:
        return Reply(404, {"error": "see finalmarket/sandbox/control.py for the calls"})
    stand_in = accounts.find(parts[0], parts[1])
    call = CALLS.get((request.method, parts[2]))
    if stand_in is None or call is None:
        return Reply(404, {"error": f"no account {parts[0]}/{parts[1]}, or no call {request.method} {parts[2]}"})
    try:
        return Reply(200, call(stand_in, request))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Reply(400, {"error": f"{type(error).__name__}: {error}"})


def _about(address: str, stand_in: StandIn) -> dict[str, Any]:
    """One account: where it is and what lets one in."""
    return {
        "platform": stand_in.slug,
        "account": stand_in.account,
        "address": address,
        "credentials": stand_in.credentials(),
    }


def _stock(stand_in: Any, request: Request) -> dict[str, int]:
    with stand_in.lock:
        return dict(stand_in.shown_stock())


def _journal(stand_in: StandIn, request: Request) -> list[dict[str, Any]]:
    entries = stand_in.world.journal.entries(platform=stand_in.slug, what=request.query.get("what", ""))
    return [{"number": e.number, "at": e.at.isoformat(), "what": e.what, "name": e.name, **e.facts} for e in entries]


def _listings(stand_in: Any, request: Request) -> dict[str, int]:
    added = 0
    with stand_in.lock:
        known = set(stand_in.listings())
        for wanted in request.json():
            if wanted["sku"] in known:
                continue
            known.add(wanted["sku"])
            stand_in.add_listing(
                wanted["sku"], wanted["title"], Decimal(str(wanted["price"])), int(wanted["quantity"]),
                barcode=wanted.get("barcode", ""),
            )  # fmt: skip
            added += 1
    return {"added": added}


def _shop(stand_in: Any, request: Request) -> dict[str, int]:
    wanted = min(MOST_SHOPPERS, int((request.json() or {}).get("shoppers", 1)))
    for _ in range(wanted):
        with stand_in.lock:
            stand_in.shop(stand_in.world.chance)
    return {"shoppers": wanted}


def _faults(stand_in: StandIn, request: Request) -> dict[str, float]:
    told = request.json()
    kinds = tuple(Fault[name] for name in told.get("kinds", ())) or tuple(Fault)
    stand_in.faults = Faults(seed=int(told.get("seed", 0)), share=float(told["share"]), kinds=kinds)
    return {"share": stand_in.faults.share}


CALLS = {
    ("GET", "stock"): _stock,
    ("GET", "journal"): _journal,
    ("POST", "listings"): _listings,
    ("POST", "shop"): _shop,
    ("POST", "faults"): _faults,
}
