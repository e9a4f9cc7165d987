"""The practice platform of the sandbox: a plain JSON marketplace, to try the house with before a real account is there.

It exists nowhere else, so its stand-in (finalmarket/sandbox/platforms/fake.py) is its description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import if_there
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsPayments,
    PullsStock,
    PushesCancellations,
    PushesCustomers,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
    Setting,
    TakesPayments,
)
from finalmarket.connectors.errors import ConnectorError, Rejected, RetryLater, Unintelligible, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Address,
    CustomerContent,
    CustomerRecord,
    Delivery,
    Event,
    FulfilmentNotice,
    FulfilmentRecord,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderLine,
    OrderRecord,
    Page,
    PaymentRecord,
    PriceLevel,
    Raw,
    RefundNotice,
    RefundRecord,
    StockLevel,
    StockRecord,
    Tender,
)
from finalmarket.connectors.signing import require_recent, require_signature

Read = TypeVar("Read")
TOPICS = {"order.changed": "orders", "listing.changed": "listings", "customer.changed": "customers",
          "payment.changed": "payments"}  # fmt: skip


class Fake(
    Connector, PullsOrders, PullsListings, PullsStock, PullsCustomers, PullsPayments, PushesStock, PushesPrices,
    PushesListings, PushesFulfilments, PushesRefunds, PushesCancellations, PushesCustomers, ErasesCustomers,
    TakesPayments, ReceivesWebhooks,
):  # fmt: skip
    """A marketplace with orders, listings, stock, customers and payments."""

    slug = "fake"
    is_practice = True
    name = "Practice platform"
    kind = "marketplace"
    docs = "https://example.com/"
    api_version = "v1"
    base_url = "https://practice.invalid"
    rate = Rate(calls=200, burst=400)
    rates: ClassVar[Mapping[str, Rate]] = {"stock": Rate(calls=50, burst=100)}
    secrets = ("token",)
    optional_secrets = ("webhook_secret",)
    settings = (Setting("location", "Location", "Of the stock; empty: the first one", is_required=False),)
    described_in: ClassVar[tuple[str, ...]] = ()
    checked_against = Checked("its stand-in, which is its description", on="2026-11-25")
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {"cursor_expired": RetryLater}
    stock_batch_limit = 20
    stale_codes = frozenset({"stale"})
    stock_read_limit = 100
    price_batch_limit = 20
    listing_batch_limit = 10
    webhook_topics = tuple(TOPICS)
    webhook_secrets = ("webhook_secret",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        return bearer(self.account.secrets["token"])

    def check(self) -> str:
        return str(_fields(self.http.call("GET", "/v1/account"), "name")["name"])

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        return walk(lambda place: self._page("orders", place, since, order_record), cursor)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        return self._one(f"/v1/orders/{external_id}", order_record)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        return walk(lambda place: self._page("listings", place, None, listing_record), cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        params = {"keys": ",".join(ref.key for ref in refs), "location": location}
        if not refs:
            return []
        levels = _fields(self.http.call("GET", "/v1/stock", params=params), "levels")["levels"]
        if location:
            return [stock_record(raw) for raw in levels]
        totals: dict[str, StockRecord] = {}
        for raw in levels:
            before = totals.get(raw["key"])
            units = int(raw["quantity"]) + (before.quantity if before else 0)
            totals[raw["key"]] = StockRecord(key=raw["key"], quantity=units, sku=raw["sku"])
        return list(totals.values())

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        return walk(lambda place: self._page("customers", place, since, customer_record), cursor)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        return self._one(f"/v1/customers/{external_id}", customer_record)

    def pull_payments(self, cursor: str, since: datetime | None) -> Iterator[Page[PaymentRecord]]:
        return walk(lambda place: self._page("payments", place, since, payment_record), cursor)

    def pull_payment(self, external_id: str) -> PaymentRecord | None:
        return self._one(f"/v1/payments/{external_id}", payment_record)

    def _page(self, stream: str, cursor: str, since: datetime | None, read: Any) -> Page[Any]:
        place = read_cursor(cursor)
        moment = place.get("since") or (since.astimezone(UTC).isoformat() if since else "")
        params = {"after": place.get("after", ""), "since": moment}
        answer = _fields(self.http.call("GET", f"/v1/{stream}", params=params), stream, "next", "is_last")
        records, unreadable = read_each(answer[stream], read, lambda raw: raw.get("id") or raw["key"])
        following = write_cursor(after=answer["next"], since=moment)
        return Page(records, following, bool(answer["is_last"]), unreadable)

    def _one(self, path: str, read: Callable[[Raw], Read]) -> Read | None:
        try:
            raw = _fields(self.http.call("GET", path))
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        return read_one(raw, read)

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        if not levels:
            return []
        body = [
            {"key": level.ref.key, "quantity": level.quantity, "location": level.location, "expected": level.shown}
            for level in levels
        ]
        return refused(self.http.call("POST", "/v1/stock", json={"levels": body}, bucket="stock"))

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        if not levels:
            return []
        body = [{"key": one.ref.key, "amount": str(one.amount), "currency": one.currency} for one in levels]
        return refused(self.http.call("POST", "/v1/prices", json={"prices": body}, repeatable=True))

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        if not contents:
            return []
        body = {"listings": [listing_fields(content) for content in contents]}
        results = _fields(self.http.call("POST", "/v1/listings", json=body))["results"]
        if len(results) != len(contents):
            raise Unintelligible("the answer does not hold one result for each listing")
        return [listing_result(content, raw) for content, raw in zip(contents, results, strict=True)]

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        body = {
            "lines": _units(notice.lines), "carrier": notice.carrier, "tracking_number": notice.tracking_number,
            "tracking_url": notice.tracking_url, "shipped_at": notice.shipped_at.isoformat(),
        }  # fmt: skip
        return str(_fields(self.http.call("POST", f"/v1/orders/{notice.order_id}/fulfilments", json=body))["id"])

    def push_refund(self, notice: RefundNotice) -> str:
        body = {"amount": str(notice.amount), "currency": notice.currency, "reason": notice.reason}
        return str(self._told(f"/v1/orders/{notice.order_id}/refunds", body, notice.key)["id"])

    def push_cancellation(self, order_id: str, reason: str, key: str) -> None:
        self.http.call("POST", f"/v1/orders/{order_id}/cancellation", json={"reason": reason})

    def push_customer(self, content: CustomerContent) -> str:
        body = {"id": content.external_id, "name": content.name, "email": content.email, "phone": content.phone}
        return str(self._told("/v1/customers", body, content.key)["id"])

    def erase_customer(self, external_id: str) -> None:
        if_there(lambda: self.http.call("DELETE", f"/v1/customers/{quote(external_id, safe='')}", repeatable=True))

    def capture_payment(self, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord:
        return payment_record(self._told(f"/v1/payments/{payment_id}/capture", {"amount": str(amount)}, key))

    def cancel_payment(self, payment_id: str, key: str) -> PaymentRecord:
        return payment_record(self._told(f"/v1/payments/{payment_id}/cancellation", {}, key))

    def _told(self, path: str, body: Mapping[str, Any], key: str) -> Raw:
        """A write under an idempotency key: it may be repeated without harm."""
        answer = self.http.call("POST", path, json=dict(body), headers={"Idempotency-Key": key}, repeatable=True)
        return _fields(answer)

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        answer = self.http.call("POST", "/v1/webhooks", json={"url": url}, repeatable=True)
        return {"webhook_secret": str(_fields(answer)["secret"])}

    def verify_webhook(self, delivery: Delivery) -> None:
        seconds = delivery.header("Fake-Time")
        if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 12:
            raise WebhookRefused("the delivery does not say when it was signed")
        message = f"{seconds}.".encode() + delivery.body
        require_signature([delivery.header("Fake-Signature")], self.webhook_secret(), message)
        require_recent(datetime.fromtimestamp(int(seconds), UTC), delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        told = _json(delivery.body)
        if not isinstance(told, dict) or "event" not in told:
            raise Unintelligible("the delivery holds no event")
        topic = str(told.get("topic", ""))
        return [
            Event(
                event_id=str(told["event"]), topic=topic, kind=TOPICS.get(topic, "unknown"),
                external_id=str(told.get("id", "")), occurred_at=_moment(told.get("at")),
            )
        ]  # fmt: skip

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        if answer.is_success or not isinstance(answer.data, dict):
            return "", ""
        return str(answer.data.get("code", "")), str(answer.data.get("message", ""))


# From its words to ours.


def order_record(raw: Raw) -> OrderRecord:
    """An order. Its payment was taken by the platform."""
    total = Decimal(raw["total"])
    return OrderRecord(
        external_id=raw["id"], version=f"{raw['changed']:012d}", placed_at=datetime.fromisoformat(raw["placed_at"]),
        updated_at=datetime.fromisoformat(raw["changed_at"]), currency=raw["currency"], number=raw["id"],
        lines=tuple(order_line(line) for line in raw["lines"]), is_cancelled=bool(raw["is_cancelled"]),
        tenders=(Tender(external_id=raw["payment"], tender="platform", amount=total),),
        refunds=tuple(refund_record(refund) for refund in raw["refunds"]),
        fulfilments=tuple(fulfilment_record(parcel) for parcel in raw["fulfilments"]), total=total,
        name=raw["name"], email=raw["email"], location=raw["location"], shipping_address=Address(**raw["address"]),
        raw=raw,
    )  # fmt: skip


def order_line(raw: Raw) -> OrderLine:
    """A line of goods."""
    return OrderLine(
        external_id=raw["id"], title=raw["title"], sku=raw["sku"], listing_id=raw["key"], quantity=raw["quantity"],
        unit_price=Decimal(raw["price"]),
    )  # fmt: skip


def refund_record(raw: Raw) -> RefundRecord:
    """Money given back."""
    return RefundRecord(external_id=raw["id"], amount=Decimal(raw["amount"]), reason=raw["reason"])


def fulfilment_record(raw: Raw) -> FulfilmentRecord:
    """A parcel."""
    return FulfilmentRecord(
        external_id=raw["id"], lines=tuple((line["id"], int(line["quantity"])) for line in raw["lines"]),
        carrier=raw["carrier"], tracking_number=raw["tracking_number"], tracking_url=raw["tracking_url"],
        shipped_at=_moment(raw["shipped_at"]),
    )  # fmt: skip


def listing_record(raw: Raw) -> ListingRecord:
    """A listing as it stands there."""
    return ListingRecord(
        ref=ListingRef(key=raw["key"], sku=raw["sku"], ids={"key": raw["key"]}), title=raw["title"],
        description=raw["description"], barcode=raw["barcode"], price=Decimal(raw["price"]), currency=raw["currency"],
        is_available=bool(raw["is_available"]), attributes={"brand": raw["brand"], **raw["attributes"]}, raw=raw,
    )  # fmt: skip


def listing_fields(content: ListingContent) -> dict[str, Any]:
    """A listing as it is told; one that the platform has is named by its key."""
    fields: dict[str, Any] = {
        "sku": content.ref.sku, "title": content.title, "description": content.description, "barcode": content.barcode,
        "brand": content.brand, "is_available": content.is_available, "attributes": dict(content.attributes),
    }  # fmt: skip
    if content.price is not None:
        fields |= {"price": str(content.price), "currency": content.currency}
    return {**fields, "key": content.ref.key} if content.ref.ids else fields


def listing_result(content: ListingContent, raw: Raw) -> ListingRef | Rejected:
    """What a told listing is called, or why it was not taken."""
    if raw.get("code"):
        return Rejected(str(raw["message"]), key=content.ref.key, code=str(raw["code"]))
    return ListingRef(key=raw["key"], sku=raw["sku"], ids={"key": raw["key"]})


def stock_record(raw: Raw) -> StockRecord:
    """What is shown at one location."""
    return StockRecord(key=raw["key"], quantity=int(raw["quantity"]), location=raw["location"], sku=raw["sku"])


def customer_record(raw: Raw) -> CustomerRecord:
    """A customer."""
    return CustomerRecord(
        external_id=raw["id"], version=f"{raw['changed']:012d}", name=raw["name"], email=raw["email"],
        phone=raw["phone"], raw=raw,
    )  # fmt: skip


def payment_record(raw: Raw) -> PaymentRecord:
    """A payment that stands on its own."""
    return PaymentRecord(
        external_id=raw["id"], version=f"{raw['changed']:012d}", amount=Decimal(raw["amount"]),
        currency=raw["currency"], state=raw["state"], captured=Decimal(raw["captured"]), order_id=raw["order"],
        email=raw["email"], raw=raw,
    )  # fmt: skip


def refused(answer: Answer) -> list[Rejected]:
    """The records of a batch that were not taken."""
    return [Rejected(str(raw["message"]), key=raw["key"], code=raw["code"]) for raw in _fields(answer)["refused"]]


def _units(lines: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"id": line_id, "quantity": units} for line_id, units in lines]


def _fields(answer: Answer, *names: str) -> Raw:
    if not isinstance(answer.data, dict):
        raise Unintelligible("the answer is not a JSON object", status=answer.status)
    missing = [name for name in names if name not in answer.data]
    if missing:
        raise Unintelligible(f"the answer does not hold {', '.join(missing)}", status=answer.status)
    return answer.data


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
