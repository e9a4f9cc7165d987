"""The stand-in of Example: listings, stock, orders, shipments and webhooks of one shop."""

from __future__ import annotations

import base64
import hmac
import json
import random
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route
from finalmarket.sandbox.webhooks import Letter

ACCESS_TOKEN = "example-access-token"  # noqa: S105  a stand-in's
WEBHOOK_SECRET = "example-webhook-secret"  # noqa: S105
VERSION = "2026-01-01"
MOST_LEVELS = 100
MOST_A_PAGE = 50


@dataclass
class Shop:
    """What the account holds."""

    listings: dict[str, dict[str, Any]] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)  # by idempotency key
    webhook: dict[str, Any] | None = None


class ExampleStandIn(StandIn):
    """One shop."""

    slug = "example"
    limits = {"": (10.0, 10.0)}
    state: Shop

    def fresh_state(self) -> Shop:
        """An empty shop."""
        return Shop()

    def credentials(self) -> dict[str, str]:
        """What lets a hub in."""
        return {"access_token": ACCESS_TOKEN}

    def let_in(self, request: Request) -> None:
        """A bearer token, and a version."""
        if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            raise refused(401, "unauthorized", "this access token is not known")
        if request.headers.get("api-version") != VERSION:
            raise refused(400, "version_missing", f"name the version: Api-Version: {VERSION}")

    # What the sandbox's own door asks for.

    def listings(self) -> list[str]:
        """The SKUs on sale."""
        return list(self.state.listings)

    def shown_stock(self) -> dict[str, int]:
        """What is shown, by SKU."""
        return dict(self.state.stock)

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> None:
        """Put a listing up."""
        self.state.listings[sku] = {
            "sku": sku, "title": title, "price": str(price), "currency": "EUR", "barcode": barcode,
        }  # fmt: skip
        self.state.stock[sku] = quantity

    def shop(self, dice: random.Random) -> dict[str, Any] | None:
        """A shopper buys one or two of something that is there; None when nothing is."""
        there = sorted(sku for sku, quantity in self.state.stock.items() if quantity > 0)
        if not there:
            return None
        sku = dice.choice(there)
        quantity = min(dice.randint(1, 2), self.state.stock[sku])
        self.state.stock[sku] -= quantity
        order = self.add_order(sku, quantity)
        self.effect("order_placed", order=order["id"], sku=sku, quantity=quantity)
        self.announce("order.created", order["id"])
        return order

    def add_order(self, sku: str, quantity: int, *, state: str = "open") -> dict[str, Any]:
        """An order of one line, paid."""
        listing = self.state.listings[sku]
        number = f"{len(self.state.orders) + 1:06d}"
        total = str(Decimal(listing["price"]) * quantity)
        moment = self.now().isoformat()
        order = {
            "id": f"ord_{number}", "number": number, "state": state, "created_at": moment, "updated_at": moment,
            "currency": listing["currency"], "email": f"buyer{number}@example.com", "total": total,
            "lines": [
                {
                    "id": f"line_{number}_1", "sku": sku, "title": listing["title"], "quantity": quantity,
                    "unit_price": listing["price"],
                }
            ],
            "payment": {"id": f"pay_{number}", "amount": total, "state": "paid"},
        }  # fmt: skip
        self.state.orders[order["id"]] = order
        return order

    # The calls.

    @route("GET", "/v1/account")
    def account_of(self, request: Request) -> Reply:
        return Reply(200, {"name": "Example shop"})

    @route("GET", "/v1/orders")
    def list_orders(self, request: Request) -> Reply:
        since = request.query.get("updated_since", "")
        orders = [order for order in self.state.orders.values() if not since or moment(order) >= written(since)]
        return self._page(request, "orders", sorted(orders, key=lambda order: (moment(order), order["id"])))

    @route("GET", "/v1/orders/{id}")
    def one_order(self, request: Request, id: str) -> Reply:
        return Reply(200, self._order(id))

    @route("GET", "/v1/listings")
    def list_listings(self, request: Request) -> Reply:
        return self._page(request, "listings", sorted(self.state.listings.values(), key=lambda each: str(each["sku"])))

    @route("GET", "/v1/stock")
    def read_stock(self, request: Request) -> Reply:
        asked = request.query.get("skus", "").split(",")
        known = [sku for sku in asked if sku in self.state.stock]
        return Reply(200, {"levels": [{"sku": sku, "quantity": self.state.stock[sku]} for sku in known]})

    @route("POST", "/v1/stock")
    def set_stock(self, request: Request) -> Reply:
        levels = self._body(request)["levels"]
        if len(levels) > MOST_LEVELS:
            raise refused(400, "too_many_levels", f"at most {MOST_LEVELS} levels in one call")
        return Reply(200, {"results": [self._set_level(level) for level in levels]})

    def _set_level(self, level: dict[str, Any]) -> dict[str, Any]:
        sku, quantity = level["sku"], level["quantity"]
        if sku not in self.state.listings:
            return {"sku": sku, "status": "unknown_sku", "message": f"there is no listing {sku}"}
        if not isinstance(quantity, int) or quantity < 0:
            return {"sku": sku, "status": "bad_quantity", "message": "a quantity is a whole number from 0 on"}
        self.state.stock[sku] = quantity
        self.effect("stock_set", sku=sku, quantity=quantity)
        return {"sku": sku, "status": "ok"}

    @route("POST", "/v1/orders/{id}/shipments")
    def ship(self, request: Request, id: str) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if not key:
            raise refused(400, "key_missing", "send an Idempotency-Key")
        if key in self.state.shipments:
            return Reply(200, self.state.shipments[key])
        order = self._order(id)
        known = {line["id"] for line in order["lines"]}
        body = self._body(request)
        if not body.get("lines") or any(line["line_id"] not in known for line in body["lines"]):
            raise refused(422, "unknown_line", "the order has no such line")
        shipment = {"id": f"shp_{len(self.state.shipments) + 1:06d}", "order_id": id, **body}
        self.state.shipments[key] = shipment
        order["state"], order["updated_at"] = "shipped", self.now().isoformat()
        self.effect("shipped", order=id, shipment=shipment["id"])
        self.announce("order.updated", id)
        return Reply(201, shipment)

    @route("PUT", "/v1/webhooks")
    def subscribe(self, request: Request) -> Reply:
        body = self._body(request)
        if self.state.webhook is None or self.state.webhook["url"] != body["url"]:
            self.state.webhook = {"id": "whk_1", "url": body["url"], "topics": body["topics"]}
            self.effect("subscribed", url=body["url"])
        return Reply(200, {**self.state.webhook, "secret": WEBHOOK_SECRET})

    # Its webhooks.

    def announce(self, topic: str, object_id: str) -> None:
        """Send an event to who subscribed to its topic."""
        hook = self.state.webhook
        if hook is not None and topic in hook["topics"]:
            headers, body = letter(WEBHOOK_SECRET, topic, object_id, self.now())
            self.sender.send(Letter(hook["url"], headers, body, name=topic))

    def _page(self, request: Request, name: str, found: list[Any]) -> Reply:
        limit = min(MOST_A_PAGE, int(request.query.get("limit", MOST_A_PAGE)))
        token = request.query.get("page_token", "0")
        if not token.isdigit() or request.fault is Fault.CURSOR_EXPIRED:
            raise Refused(self.cursor_expired())
        page, following = part_of(found, int(token), limit, request.fault)
        return Reply(200, {name: page, "next_page_token": None if following is None else str(following)})

    def _order(self, id: str) -> dict[str, Any]:
        if id not in self.state.orders:
            raise refused(404, "not_found", f"there is no order {id}")
        return self.state.orders[id]

    def _body(self, request: Request) -> Any:
        try:
            return request.json()
        except ValueError:
            raise refused(400, "bad_json", "the body is not JSON") from None


def refused(status: int, code: str, message: str) -> Refused:
    """An error as Example words it."""
    return Refused(Reply(status, {"error": {"code": code, "message": message}}))


def letter(secret: str, topic: str, object_id: str, sent_at: datetime) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a webhook, signed."""
    content = {
        "id": f"evt_{topic}_{object_id}_{sent_at.timestamp()}", "topic": topic, "object_id": object_id,
        "occurred_at": sent_at.isoformat(),
    }  # fmt: skip
    body = json.dumps(content).encode()
    stamp = str(int(sent_at.timestamp()))
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256")
    headers = {
        "Content-Type": "application/json",
        "Sent-At": stamp,
        "Signature": base64.b64encode(digest).decode(),
    }
    return headers, body


def written(text: str) -> datetime:
    """A moment in a query. Raises Refused."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise refused(400, "bad_moment", f"{text} is no moment") from None


def moment(order: dict[str, Any]) -> datetime:
    """When an order was last changed."""
    return datetime.fromisoformat(order["updated_at"])
