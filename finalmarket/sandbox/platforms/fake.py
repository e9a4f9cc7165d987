"""The practice platform: a plain JSON marketplace that exists in this sandbox only, and shows all that one can be.

Every change of an order, a customer or a payment gets the next number of one count; a list is read on from a number.
Webhooks are signed: base64 of HMAC-SHA256 over `<unix seconds>.<body>`.
"""

from __future__ import annotations

import hmac
import json
import random
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.abilities import Person
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

TOKEN = "practice-token"  # noqa: S105  opens nothing but the sandbox
PAGE = 50
MAIN = "main"


def refusal(status: int, code: str, words: str) -> Refused:
    """An error as the platform writes it."""
    return Refused(Reply(status, {"code": code, "message": words}))


class Fake(StandIn):
    """One account. `locations` are its stock locations; money is text, moments are ISO 8601."""

    slug = "fake"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (200.0, 400.0), "stock": (50.0, 100.0)}

    def fresh_state(self) -> dict[str, Any]:
        return {
            "count": 0, "locations": [MAIN], "listings": {}, "orders": {}, "customers": {}, "payments": {},
            "answers": {}, "hooks": [],
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {"token": TOKEN}

    def let_in(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise refusal(401, "not_let_in", "the token is not valid")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        headers = {"Retry-After": f"{max(0.1, wait_seconds):.1f}"} if says_when else {}
        return Reply(429, {"code": "too_many", "message": "slow down"}, headers)

    def broken(self) -> Reply:
        return Reply(500, {"code": "broken", "message": "something is wrong here"})

    def token_expired(self) -> Reply:
        return Reply(401, {"code": "token_expired", "message": "the token has ended"})

    def cursor_expired(self) -> Reply:
        return Reply(410, {"code": "cursor_expired", "message": "ask again"})

    def not_found(self, request: Request) -> Reply:
        return Reply(404, {"code": "no_call", "message": f"there is no {request.method} {request.path}"})

    # Reading.

    @route("GET", "/v1/account")
    def account_name(self, request: Request) -> Reply:
        return Reply(200, {"name": f"Practice shop {self.account}", "locations": self.state["locations"]})

    @route("GET", "/v1/orders")
    def list_orders(self, request: Request) -> Reply:
        return self._list(request, "orders")

    @route("GET", "/v1/listings")
    def list_listings(self, request: Request) -> Reply:
        return self._list(request, "listings")

    @route("GET", "/v1/customers")
    def list_customers(self, request: Request) -> Reply:
        return self._list(request, "customers")

    @route("GET", "/v1/payments")
    def list_payments(self, request: Request) -> Reply:
        return self._list(request, "payments")

    def _list(self, request: Request, stream: str) -> Reply:
        """Records in the order of their last change, after the number `after`, changed since the moment `since`."""
        if request.fault is Fault.CURSOR_EXPIRED and request.query.get("after"):
            return self.cursor_expired()
        after, since = int(request.query.get("after") or 0), request.query.get("since", "")
        limit = min(PAGE, int(request.query.get("limit") or PAGE))
        records = self.state[stream].values()
        begun = [record for record in records if record["changed"] > after and record["changed_at"] >= since]
        begun.sort(key=_change)
        page = begun[:limit]
        if request.fault is Fault.MISSING_PAGE and page:
            page = page[:-1]
        following = page[-1]["changed"] if page else after
        is_last = len(page) == len(begun) or not page
        if request.fault is Fault.DUPLICATE_PAGE:
            before = [record for record in records if record["changed"] <= after]
            page = [*([max(before, key=_change)] if before else []), *page]
        return Reply(200, {stream: page, "next": str(following), "is_last": is_last})

    @route("GET", "/v1/stock")
    def read_stock(self, request: Request) -> Reply:
        place = request.query.get("location") or ""
        found = []
        for key in request.query.get("keys", "").split(","):
            listing = self.state["listings"].get(key)
            for location, units in (listing["stock"] if listing else {}).items():
                if place in ("", location):
                    found.append({"key": key, "sku": listing["sku"], "location": location, "quantity": units})
        return Reply(200, {"levels": found})

    @route("GET", "/v1/orders/{number}")
    def read_order(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("orders", number))

    @route("GET", "/v1/customers/{number}")
    def read_customer(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("customers", number))

    @route("GET", "/v1/payments/{number}")
    def read_payment(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("payments", number))

    # What the merchant tells.

    @route("POST", "/v1/stock", bucket="stock")
    def set_stock(self, request: Request) -> Reply:
        return self._each(request, "levels", self._set_level)

    def _set_level(self, told: dict[str, Any]) -> None:
        listing = self._listing(told["key"])
        place = told.get("location") or self.state["locations"][0]
        if place not in self.state["locations"]:
            raise refusal(422, "no_location", f"there is no location {place}")
        if told["quantity"] < 0:
            raise refusal(422, "negative", "a quantity is not below zero")
        shown = listing["stock"].get(place, 0)
        if told.get("expected") is not None and told["expected"] != shown:
            raise refusal(409, "stale", f"{shown} are shown, not {told['expected']}")
        listing["stock"][place] = told["quantity"]
        self.effect("stock", key=told["key"], location=place, quantity=told["quantity"], was=shown)

    @route("POST", "/v1/prices")
    def set_prices(self, request: Request) -> Reply:
        return self._each(request, "prices", self._set_price)

    def _set_price(self, told: dict[str, Any]) -> None:
        listing = self._listing(told["key"])
        listing["price"], listing["currency"] = told["amount"], told["currency"]
        self.effect("price", key=told["key"], amount=told["amount"])

    @route("POST", "/v1/listings")
    def set_listings(self, request: Request) -> Reply:
        """Make or change listings; one without a key gets one, every time it is told."""
        return self._once(
            request, lambda: Reply(200, {"results": [self._told(one) for one in request.json()["listings"]]})
        )

    def _told(self, told: dict[str, Any]) -> dict[str, Any]:
        if not told.get("title"):
            return {"code": "no_title", "message": "a listing needs a title", "sku": told["sku"]}
        if told.get("key") and told["key"] not in self.state["listings"]:
            return {"code": "no_listing", "message": f"there is no listing {told['key']}", "sku": told["sku"]}
        listing = self.state["listings"].get(told.get("key") or "") or self._new_listing(told["sku"])
        listing |= {name: told[name] for name in FIELDS if name in told}
        self._changed("listing", listing)
        self.effect("listing", key=listing["key"], sku=listing["sku"])
        return {"key": listing["key"], "sku": listing["sku"]}

    def _new_listing(self, sku: str) -> dict[str, Any]:
        key = f"L{self._next()}"
        stock = dict.fromkeys(self.state["locations"], 0)
        listing = {
            "key": key, "sku": sku, "title": sku, "description": "", "barcode": "", "brand": "", "price": "0.00",
            "currency": "EUR", "is_available": True, "attributes": {}, "stock": stock,
        }  # fmt: skip
        self.state["listings"][key] = listing
        return listing

    @route("POST", "/v1/orders/{number}/fulfilments")
    def fulfil(self, request: Request, number: str) -> Reply:
        """Note a parcel. Told twice, it is refused: its units have left already."""
        told, order = request.json(), self._one("orders", number)
        left = {line["id"]: line["quantity"] for line in order["lines"]}
        for parcel in order["fulfilments"]:
            for line in parcel["lines"]:
                left[line["id"]] -= line["quantity"]
        if order["is_cancelled"] or any(line["quantity"] > left.get(line["id"], 0) for line in told["lines"]):
            raise refusal(422, "not_open", "these units are not open any more")
        parcel = {**told, "id": f"F{self._next()}"}
        order["fulfilments"].append(parcel)
        self.effect("fulfilment", order=number, id=parcel["id"], tracking_number=told["tracking_number"])
        self._changed("order", order)
        return Reply(201, {"id": parcel["id"]})

    @route("POST", "/v1/orders/{number}/refunds")
    def refund(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._refund(number, request.json()))

    def _refund(self, number: str, told: dict[str, Any]) -> Reply:
        order = self._one("orders", number)
        given_back = sum((Decimal(refund["amount"]) for refund in order["refunds"]), Decimal(0))
        if given_back + Decimal(told["amount"]) > Decimal(order["total"]):
            raise refusal(422, "too_much", "more than was paid")
        refund = {"id": f"R{self._next()}", "amount": told["amount"], "reason": told.get("reason", "")}
        order["refunds"].append(refund)
        self.effect("refund", order=number, id=refund["id"], amount=refund["amount"])
        self._changed("order", order)
        return Reply(201, {"id": refund["id"]})

    @route("POST", "/v1/orders/{number}/cancellation")
    def cancel(self, request: Request, number: str) -> Reply:
        order = self._one("orders", number)
        if order["fulfilments"]:
            raise refusal(422, "has_left", "a parcel has left already")
        if not order["is_cancelled"]:
            order["is_cancelled"] = True
            self.effect("cancellation", order=number)
            self._changed("order", order)
        return Reply(200, {"id": number})

    @route("POST", "/v1/customers")
    def set_customer(self, request: Request) -> Reply:
        return self._once(request, lambda: self._customer(request.json()))

    @route("DELETE", "/v1/customers/{number}")
    def remove_customer(self, request: Request, number: str) -> Reply:
        del self.state["customers"][self._one("customers", number)["id"]]
        self.effect("customer erased", id=number)
        return Reply(204)

    def _customer(self, told: dict[str, Any]) -> Reply:
        number = told.pop("id", "") or f"C{self._next()}"
        known = self.state["customers"].setdefault(number, {"id": number, "name": "", "email": "", "phone": ""})
        known |= told
        self._changed("customer", known)
        self.effect("customer", id=number)
        return Reply(200, {"id": number})

    @route("POST", "/v1/payments/{number}/capture")
    def capture(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._settle(number, "captured", request.json()["amount"]))

    @route("POST", "/v1/payments/{number}/cancellation")
    def let_go(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._settle(number, "voided", "0"))

    def _settle(self, number: str, state: str, amount: str) -> Reply:
        payment = self._one("payments", number)
        if payment["state"] != "authorised" or Decimal(amount) > Decimal(payment["amount"]):
            raise refusal(422, "not_open", f"the payment is {payment['state']}")
        payment["state"], payment["captured"] = state, amount
        self.effect("payment", id=number, state=state, amount=amount)
        self._changed("payment", payment)
        return Reply(200, payment)

    @route("POST", "/v1/webhooks")
    def subscribe(self, request: Request) -> Reply:
        url = request.json()["url"]
        known = next((hook for hook in self.state["hooks"] if hook["url"] == url), None)
        if known is None:
            known = {"url": url, "secret": f"practice-webhook-secret-{self._next()}"}
            self.state["hooks"].append(known)
            self.effect("subscription", url=url)
        return Reply(200, known)

    # The house of the platform.

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    def _one(self, stream: str, number: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state[stream].get(number)
        if found is None:
            raise refusal(404, "not_found", f"there is no {number}")
        return found

    def _listing(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["listings"].get(key)
        if found is None:
            raise refusal(404, "no_listing", f"there is no listing {key}")
        return found

    def _each(self, request: Request, name: str, take: Callable[[dict[str, Any]], None]) -> Reply:
        """Take each record of a batch for itself; those that are refused are answered with their reasons."""
        refused = []
        for told in request.json()[name]:
            try:
                take(told)
            except Refused as error:
                refused.append({"key": told["key"], **error.reply.body})
        return Reply(200, {"refused": refused})

    def _once(self, request: Request, act: Callable[[], Reply]) -> Reply:
        """Act once under an Idempotency-Key, and answer alike when it comes again."""
        key = request.headers.get("idempotency-key", "")
        if key and key in self.state["answers"]:
            status, body = self.state["answers"][key]
            return Reply(status, json.loads(body))
        reply = act()
        if key:
            self.state["answers"][key] = (reply.status, json.dumps(reply.body))
        return reply

    def _changed(self, kind: str, record: dict[str, Any]) -> None:
        record["changed"], record["changed_at"] = self._next(), self.now().isoformat()
        self._call(f"{kind}.changed", record.get("id") or record["key"])

    def _call(self, topic: str, number: str) -> None:
        """Tell those who subscribed, signed with the secret of each."""
        event = {"event": f"E{self._next()}", "topic": topic, "id": number, "at": self.now().isoformat()}
        body, seconds = json.dumps(event).encode(), str(int(self.now().timestamp()))
        for hook in self.state["hooks"]:
            signed = hmac.digest(hook["secret"].encode(), f"{seconds}.".encode() + body, "sha256")
            headers = {
                "Content-Type": "application/json", "Fake-Time": seconds, "Fake-Signature": b64encode(signed).decode(),
            }  # fmt: skip
            self.sender.send(Letter(hook["url"], headers, body, topic))

    # Shoppers, and what a test arranges.

    def listings(self) -> list[str]:
        """The SKUs that are on sale."""
        return [listing["sku"] for listing in self.state["listings"].values()]

    def shown_stock(self) -> dict[str, int]:
        """What is shown, by SKU, over all locations."""
        return {one["sku"]: sum(one["stock"].values()) for one in self.state["listings"].values()}

    def sold(self) -> dict[str, dict[str, Any]]:
        """All orders that were ever placed here, by number."""
        return dict(self.state["orders"])

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Put a listing in as if the merchant had made it there; returns its key."""
        listing = self._new_listing(sku)
        listing |= {"title": title, "price": str(price), "barcode": barcode}
        listing["stock"][self.state["locations"][0]] = quantity
        self._changed("listing", listing)
        return str(listing["key"])

    def show(self, sku: str, quantity: int) -> None:
        """Let another number stand at the first location, whoever did it."""
        for listing in self.state["listings"].values():
            if listing["sku"] == sku:
                listing["stock"][self.state["locations"][0]] = quantity

    def add_payment(self, amount: Decimal, *, state: str = "authorised") -> str:
        """A payment that stands on its own; returns its id."""
        number = f"P{self._next()}"
        payment = {
            "id": number, "amount": str(amount), "currency": "EUR", "state": state, "captured": "0", "order": "",
            "email": "",
        }  # fmt: skip
        self.state["payments"][number] = payment
        self._changed("payment", payment)
        return number

    def order(self, *lines: tuple[str, int], at: datetime | None = None, email: str = "shopper@example.com") -> str:
        """Somebody buys (SKU, units): what is shown goes down at once. Returns the order's id."""
        by_sku = {listing["sku"]: listing for listing in self.state["listings"].values()}
        number = f"O{self._next()}"
        bought = []
        for position, (sku, units) in enumerate(lines, start=1):
            listing = by_sku[sku]
            place = self.state["locations"][0]
            listing["stock"][place] = max(0, listing["stock"].get(place, 0) - units)
            bought.append(
                {"id": f"{number}-{position}", "key": listing["key"], "sku": sku, "title": listing["title"],
                 "quantity": units, "price": listing["price"]}
            )  # fmt: skip
        total = sum((Decimal(line["price"]) * line["quantity"] for line in bought), Decimal(0))
        order = {
            "id": number, "placed_at": (at or self.now()).isoformat(), "currency": "EUR", "lines": bought,
            "total": str(total), "payment": f"{number}-P", "is_cancelled": False, "fulfilments": [], "refunds": [],
            "location": self.state["locations"][0], "email": email, "name": "A. Shopper",
            "address": {"name": "A. Shopper", "street": "1 High Street", "postcode": "10115", "city": "Berlin",
                        "country": "DE"},
        }  # fmt: skip
        self.state["orders"][number] = order
        self.effect("order", id=number, lines=list(lines))
        self._changed("order", order)
        return number

    def cancel_order(self, number: str) -> None:
        """The shopper changes their mind."""
        order = self._one("orders", number)
        if not order["is_cancelled"]:
            order["is_cancelled"] = True
            self._changed("order", order)

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        return str(self._customer({"name": name, "email": email}).body["id"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        self._customer({"id": customer, "name": name})

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {number: Person(one["name"], one["email"]) for number, one in self.state["customers"].items()}

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one or two of something that is there."""
        there = [sku for sku, units in self.shown_stock().items() if units > 0]
        if there:
            self.order((chance.choice(there), chance.randint(1, 2)))


FIELDS = ("sku", "title", "description", "barcode", "brand", "price", "currency", "is_available", "attributes")


def _change(record: Mapping[str, Any]) -> int:
    """Which change of all was a record's last."""
    return int(record["changed"])
