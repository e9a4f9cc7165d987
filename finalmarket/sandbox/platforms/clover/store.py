"""A Clover merchant: an inventory, a till that rings up, customers, money that comes and goes; and how all calls are
let in, listed and refused."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route
from finalmarket.sandbox.webhooks import Letter

Object = dict[str, Any]
MERCHANT, TOKEN = "PRACTICE00001", "practice-merchant-token-of-clover"
APP_ID, APP_SECRET, AUTH_CODE = "PRACTICEAPP01", "practice-app-secret-of-clover", "0307e264-practice-auth-code"
CODE = "practice-code-of-clover"
TOKEN_SECONDS = 1800
MOST_A_PAGE, USUAL_A_PAGE = 1000, 100
CASH = {"id": "TENDER0000001", "labelKey": "com.clover.tender.cash", "label": "Cash"}
CARD = {"id": "TENDER0000002", "labelKey": "com.clover.tender.credit_card", "label": "Credit Card"}
FILTER = re.compile(r"(?P<field>[A-Za-z.]+)(?P<compare>>=|<=|!=|=|<|>)(?P<value>.*)")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


def refusal(status: int, message: str) -> Refused:
    """An error of the REST API: words only."""
    return Refused(Reply(status, {"message": message}))


def told(body: Any) -> Reply:
    """An answer that shows objects as they stand now, whatever becomes of them while it is written."""
    return Reply(200, copy.deepcopy(body))


class Store(StandIn):
    """The ground floor of the stand-in."""

    slug = "clover"
    limits: ClassVar = {"": (16.0, 16.0)}

    def fresh_state(self) -> Any:
        """See StandIn: objects by kind and id, in the order in which they were made."""
        return {
            "count": 0, "items": {}, "orders": {}, "customers": {}, "refunds": {}, "online": [], "hooks": [],
            "tokens": {TOKEN: None}, "refresh": [],
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {"access_token": TOKEN, "merchant_id": MERCHANT, "webhook_auth_code": AUTH_CODE, "app_id": APP_ID}

    # Being let in.

    @route("POST", "/oauth/v2/token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        asked = _object(request)
        if (asked.get("client_id"), asked.get("client_secret"), asked.get("code")) != (APP_ID, APP_SECRET, CODE):
            return Reply(400, {"message": "Failed to validate authentication code."})
        return self._given()

    @route("POST", "/oauth/v2/refresh", is_open=True)
    def renew_token(self, request: Request) -> Reply:
        asked = _object(request)
        if asked.get("client_id") != APP_ID or asked.get("refresh_token") not in self.state["refresh"]:
            return Reply(401, {"message": "401 Unauthorized"})
        self.state["refresh"].remove(asked["refresh_token"])  # good once
        return self._given()

    def _given(self) -> Reply:
        number, now = self.next(), self.now()
        token, refresh = f"practice-token-{number:06d}", f"practice-refresh-{number:06d}"
        ends_at = int(now.timestamp()) + TOKEN_SECONDS
        self.state["tokens"][token] = ends_at
        self.state["refresh"].append(refresh)
        return Reply(
            200,
            {"access_token": token, "access_token_expiration": ends_at, "refresh_token": refresh,
             "refresh_token_expiration": ends_at + 10 * TOKEN_SECONDS},
        )  # fmt: skip

    def let_in(self, request: Request) -> None:
        """See StandIn: a token of this merchant, in the header only."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends_at = self.state["tokens"].get(token, 0)
        is_here = f"/v3/merchants/{MERCHANT}" in request.path or request.path.startswith("/v1/")
        if kind != "Bearer" or (ends_at is not None and ends_at <= self.now().timestamp()) or not is_here:
            raise refusal(401, "401 Unauthorized")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn."""
        headers = {"X-RateLimit-tokenLimit": "16"}
        headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return Reply(429, {"message": "429 Too Many Requests"}, headers)

    def broken(self) -> Reply:
        """See StandIn."""
        return Reply(500, {"message": "500 Internal Server Error"})

    def token_expired(self) -> Reply:
        """See StandIn."""
        return refusal(401, "401 Unauthorized").reply

    def cursor_expired(self) -> Reply:
        """See StandIn."""
        return refusal(400, "Invalid offset").reply

    def not_found(self, request: Request) -> Reply:
        """See StandIn: the token of this merchant opens no other's account."""
        is_elsewhere = request.path.startswith("/v3/merchants/") and f"/{MERCHANT}" not in request.path
        return (refusal(401, "401 Unauthorized") if is_elsewhere else refusal(404, "Not Found")).reply

    # Names, lists, webhooks.

    def next(self) -> int:
        """Another number."""
        self.state["count"] += 1
        return int(self.state["count"])

    def new_id(self) -> str:
        """A name of 13 letters and digits."""
        return f"CLV{self.next():010d}"

    def milliseconds(self, at: datetime | None = None) -> int:
        """A moment, the present one by default."""
        return int((at or self.now()).timestamp() * 1000)

    def one(self, kind: str, name: str) -> Object:
        """An object; refuses a name that is none."""
        found: Object | None = self.state[kind].get(name)
        if found is None:
            raise refusal(404, "Not Found")
        return found

    def listed(self, request: Request, objects: Sequence[Object], show: Callable[[Object], Object]) -> Reply:
        """A page of those that fit all filters: newest first, as nobody documents."""
        found = [
            one for one in reversed(objects) if all(_fits(one, text) for text in request.queries.get("filter", ()))
        ]
        limit, start = int(request.query.get("limit", USUAL_A_PAGE)), int(request.query.get("offset", 0))
        if not 1 <= limit <= MOST_A_PAGE or start < 0:
            raise refusal(400, "Invalid limit or offset")
        if start and request.fault is Fault.CURSOR_EXPIRED:
            raise Refused(self.cursor_expired())
        page, _ = part_of(found, start, limit, request.fault)
        return told({"elements": [show(one) for one in page], "href": f"https://api.clover.com{request.path}"})

    def call(self, topic: str, name: str, what: str) -> None:
        """Tell whoever is set up in the dashboard."""
        change = {"objectId": f"{topic}:{name}", "type": what, "ts": self.milliseconds()}
        body = json.dumps({"appId": APP_ID, "merchants": {MERCHANT: [change]}}).encode()
        for url in self.state["hooks"]:
            headers = {"Content-Type": "application/json", "X-Clover-Auth": AUTH_CODE}
            self.sender.send(Letter(url, headers, body, topic))

    # What the merchant does at the counter.

    def set_up_webhooks(self, url: str) -> Letter:
        """The developer enters an address in the dashboard; the letter by which Clover asks for its code."""
        self.state["hooks"].append(url)
        body = json.dumps({"verificationCode": "ce7643c1-83ea-4218-abe6-da876c9c7a0a"}).encode()
        return Letter(url, {"Content-Type": "application/json"}, body, "verification")

    def new_item(self, fields: Object, quantity: int = 0) -> Object:
        """An item comes into the inventory."""
        name, now = self.new_id(), self.milliseconds()
        item = {
            "id": name, "hidden": False, "available": True, "autoManage": False, "priceType": "FIXED",
            "defaultTaxRates": True, "isRevenue": True, "modifiedTime": now, **fields,
        }  # fmt: skip
        item["itemStock"] = {"item": {"id": name}, "quantity": quantity, "stockCount": quantity, "modifiedTime": now}
        self.state["items"][name] = item
        self.effect("item", id=name, sku=item.get("sku", ""))
        self.call("I", name, "CREATE")
        return item

    def set_stock(self, name: str, quantity: float) -> Object:
        """A number is entered, whatever stood there."""
        item = self.one("items", name)
        rounded = max(0, round(quantity))
        item["itemStock"] |= {"quantity": quantity, "stockCount": rounded, "modifiedTime": self.milliseconds()}
        self.effect("stock", id=name, quantity=quantity)
        self.call("I", name, "UPDATE")
        shown: Object = item["itemStock"]
        return shown

    def new_customer(self, fields: Object, at: datetime | None = None) -> Object:
        """Somebody becomes a customer."""
        name = self.new_id()
        customer = {"id": name, "marketingAllowed": False, "customerSince": self.milliseconds(at), **fields}
        self.state["customers"][name] = customer
        self.effect("customer", id=name)
        self.call("C", name, "CREATE")
        return customer

    def order(
        self, *lines: tuple[str, int], online: bool = False, at: datetime | None = None, is_paid: bool = True,
        tax: int = 0, tip: int = 0,
    ) -> str:  # fmt: skip
        """Somebody buys (SKU, units): a till rings up each piece for itself. Returns the order's id."""
        name, moment = self.new_id(), self.milliseconds(at)
        rows = [self._rung_up(sku, moment) for sku, units in lines for _ in range(units)]
        total = sum(row["price"] for row in rows) + tax
        order = {
            "id": name, "currency": "USD", "total": total, "title": f"No. {self.state['count']}", "isVat": False,
            "state": "locked" if is_paid else "open", "testMode": False, "taxRemoved": False,
            "manualTransaction": False, "groupLineItems": True, "createdTime": moment, "modifiedTime": moment,
            "paymentState": "OPEN", "lineItems": rows, "payments": [], "refunds": [], "merchant": {"id": MERCHANT},
        }  # fmt: skip
        self.state["orders"][name] = order
        self.effect("order", id=name, lines=list(lines))
        if online:
            order["onlineOrder"] = {"id": self.new_id(), "orderState": "CONFIRMED"}
        if is_paid:
            self.pay(name, online=online, tax=tax, tip=tip, at=at)
        self.call("O", name, "CREATE")
        return name

    def pay(self, name: str, *, online: bool = False, tax: int = 0, tip: int = 0, at: datetime | None = None) -> str:
        """An order is paid: by card online, in cash at the till. Returns the payment's id."""
        order, payment_id = self.one("orders", name), self.new_id()
        payment = {
            "id": payment_id, "order": {"id": name}, "tender": dict(CARD if online else CASH),
            "amount": order["total"], "tipAmount": tip, "taxAmount": tax, "result": "SUCCESS",
            "createdTime": self.milliseconds(at), "modifiedTime": self.milliseconds(at),
        }  # fmt: skip
        order["payments"].append(payment)
        order |= {"paymentState": "PAID", "state": "locked", "modifiedTime": self.milliseconds(at)}
        if online:
            self.state["online"].append(payment_id)
        return payment_id

    def _rung_up(self, sku: str, moment: int) -> Object:
        item = next(one for one in self.state["items"].values() if one.get("sku") == sku)
        item["itemStock"]["quantity"] -= 1
        item["itemStock"]["stockCount"] = max(0, round(item["itemStock"]["quantity"]))
        return {
            "id": self.new_id(), "item": {"id": item["id"]}, "name": item["name"], "price": item["price"],
            "itemCode": item.get("code", ""), "createdTime": moment, "printed": False, "exchanged": False,
            "refunded": False, "isRevenue": True,
        }  # fmt: skip

    # To play with.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Put an item in as if the merchant had made it there; returns its id."""
        fields = {"name": title, "sku": sku, "price": int(price * 100), "code": barcode}
        return str(self.new_item(fields, quantity)["id"])

    def listings(self) -> list[str]:
        """The SKUs that are on sale."""
        return [one.get("sku", "") for one in self.state["items"].values()]

    def shown_stock(self) -> dict[str, int]:
        """What is shown, by SKU."""
        return {one.get("sku", ""): int(one["itemStock"]["quantity"]) for one in self.state["items"].values()}

    def sold(self) -> dict[str, Object]:
        """All orders that were ever placed here, by id."""
        return dict(self.state["orders"])

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one or two of something that is there."""
        there = {sku: units for sku, units in self.shown_stock().items() if units > 0}
        if there:
            sku = chance.choice(sorted(there))
            self.order((sku, min(there[sku], chance.randint(1, 2))), online=chance.random() < 0.3)


def _fits(one: Object, text: str) -> bool:
    """Whether an object fits `field<comparison>value`."""
    asked = FILTER.fullmatch(text)
    if asked is None:
        raise refusal(400, f"Invalid filter {text}")
    field, value = asked["field"], asked["value"]
    if field in ("emailAddress", "phoneNumber"):
        held = [str(part[field]).lower() for part in _part(one, f"{field}s" if field[0] == "p" else f"{field}es")]
        return value.lower() in held
    shown = one.get(field)
    if shown is None:
        return False
    return COMPARE[asked["compare"]](shown, int(value) if isinstance(shown, int) else value)


def _part(one: Object, field: str) -> list[Object]:
    found: list[Object] = one.get(field) or []
    return found


def _object(request: Request) -> Object:
    try:
        body = request.json()
    except ValueError:
        raise refusal(400, "Invalid JSON") from None
    if not isinstance(body, dict):
        raise refusal(400, "Invalid JSON")
    return body


def object_of(request: Request, known: Sequence[str]) -> Object:
    """The fields of a body; refuses those that are not known."""
    body = _object(request)
    for name in body:
        if name not in known:
            raise refusal(400, f"Unrecognized field {name}")
    return body
