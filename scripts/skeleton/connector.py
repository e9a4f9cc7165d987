"""Example: orders, listings and stock over its REST API.

Published source: https://developer.example.com/reference (version 2026-01-01).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesFulfilments,
    PushesStock,
    ReceivesWebhooks,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Delivery,
    Event,
    FulfilmentNotice,
    ListingRecord,
    ListingRef,
    OrderLine,
    OrderRecord,
    Page,
    Raw,
    StockLevel,
    StockRecord,
    Tender,
)
from finalmarket.connectors.signing import require_sent_recently, require_signature
from finalmarket.connectors.vocabulary import filled

PAGE_SIZE = 50


class Example(Connector, PullsOrders, PullsListings, PullsStock, PushesStock, PushesFulfilments, ReceivesWebhooks):
    """One account on Example."""

    # Who we are.

    slug = "example"
    name = "Example"
    kind = "marketplace"
    docs = "https://developer.example.com/reference"
    api_version = "2026-01-01"
    base_url = "https://api.example.com"
    rate = Rate(calls=10, per_seconds=1)
    secrets = ("access_token",)
    optional_secrets = ("webhook_secret",)
    described_in = ()
    checked_against = Checked("the sandbox", on="2026-01-01")

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """A bearer token that the merchant makes."""
        return bearer(self.account.secrets["access_token"])

    def headers(self) -> Mapping[str, str]:
        """The version that every call names."""
        return {"Api-Version": self.api_version}

    def check(self) -> str:
        """The name of the shop."""
        return str(fields_in(self.http.call("GET", "/v1/account"), "name")["name"])

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """Orders by their last change, oldest first."""
        first = write_cursor(since=since.astimezone(UTC).isoformat()) if since and not cursor else cursor
        return walk(self._page_of_orders, first)

    def _page_of_orders(self, cursor: str) -> Page[OrderRecord]:
        place = read_cursor(cursor)
        params = {"limit": PAGE_SIZE, "updated_since": place.get("since"), "page_token": place.get("page")}
        data = fields_in(self.http.call("GET", "/v1/orders", params=filled(params)))
        raws = rows_in(data, "orders")
        records, unreadable = read_each(raws, order_record, lambda raw: raw["id"])
        token = str(data.get("next_page_token") or "")
        # At the end of the list the cursor names the last change: what changes later is asked for from there.
        newest = max([str(raw.get("updated_at", "")) for raw in raws] + [str(place.get("since", ""))])
        following = write_cursor(page=token, since=place.get("since")) if token else write_cursor(since=newest)
        return Page(records, following, is_last=not token, unreadable=unreadable)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """One order."""
        answer = if_there(lambda: self.http.call("GET", f"/v1/orders/{quote(external_id, safe='')}"))
        return None if answer is None else read_one(answer.data, order_record)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """All listings by their SKU."""
        return walk(self._page_of_listings, cursor)

    def _page_of_listings(self, cursor: str) -> Page[ListingRecord]:
        place = read_cursor(cursor)
        params = filled({"limit": PAGE_SIZE, "page_token": place.get("page")})
        data = fields_in(self.http.call("GET", "/v1/listings", params=params))
        records, unreadable = read_each(rows_in(data, "listings"), listing_record, lambda raw: raw["sku"])
        token = str(data.get("next_page_token") or "")
        return Page(records, write_cursor(page=token) if token else cursor, is_last=not token, unreadable=unreadable)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """The quantities of these listings; Example knows no locations."""
        if not refs:
            return ()
        answer = self.http.call("GET", "/v1/stock", params={"skus": ",".join(ref.key for ref in refs)})
        records, _ = read_each(rows_in(answer, "levels"), stock_record, lambda raw: raw["sku"])
        return records

    # What goes out.

    stock_batch_limit = 100

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """Set quantities. An absolute number set twice does no harm, so the call may be repeated."""
        if not levels:
            return ()
        body = {"levels": [{"sku": level.ref.key, "quantity": level.quantity} for level in levels]}
        answer = self.http.call("POST", "/v1/stock", json=body, repeatable=True)
        verdicts = {str(each.get("sku")): each for each in rows_in(answer, "results")}
        refused = []
        for level in levels:
            verdict = verdicts.get(level.ref.key)
            if verdict is None:
                raise Unintelligible(f"the answer says nothing of {level.ref.key}")
            if verdict.get("status") != "ok":
                reason = self.http.scrub(str(verdict.get("message") or "refused without a reason"))
                refused.append(Rejected(reason, key=level.ref.key, code=str(verdict.get("status"))))
        return refused

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """Tell of a parcel; the key makes it count once."""
        body = filled(
            {
                "lines": [{"line_id": line, "quantity": units} for line, units in notice.lines],
                "shipped_at": notice.shipped_at.astimezone(UTC).isoformat(),
                "carrier": notice.carrier,
                "tracking_number": notice.tracking_number,
            }
        )
        path = f"/v1/orders/{quote(notice.order_id, safe='')}/shipments"
        key = {"Idempotency-Key": notice.key}
        return str(fields_in(self.http.call("POST", path, json=body, headers=key, repeatable=True), "id")["id"])

    # Webhooks.

    webhook_topics = ("order.created", "order.updated", "stock.updated")
    webhook_secrets = ("webhook_secret",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """Have the topics sent to `url`. Asked for again, Example gives the subscription that is there."""
        body = {"url": url, "topics": list(self.webhook_topics)}
        made = fields_in(self.http.call("PUT", "/v1/webhooks", json=body, repeatable=True), "secret")
        return {"webhook_secret": str(made["secret"])}

    def verify_webhook(self, delivery: Delivery) -> None:
        """`Signature` is the base64 HMAC-SHA256 of `<Sent-At>.<body>`."""
        sent_at = delivery.header("Sent-At")
        message = sent_at.encode() + b"." + delivery.body
        require_signature([delivery.header("Signature")], self.webhook_secret(), message)
        require_sent_recently(sent_at, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """One event a delivery."""
        return (read_delivery(delivery, event),)

    # What its errors mean.

    consequences = {"shop_suspended": NeedsAttention, "locked": RetryLater}

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """`{"error": {"code": ..., "message": ...}}`."""
        told = answer.data.get("error") if isinstance(answer.data, dict) else None
        if not isinstance(told, dict):
            return "", ""
        return str(told.get("code", "")), str(told.get("message", ""))


# From its words to ours.

KINDS = {"order.created": "orders", "order.updated": "orders", "stock.updated": "stock"}
STATES = {"open": False, "shipped": False, "closed": False, "cancelled": True}
TENDER_STATES = {"authorized": "authorised", "paid": "captured", "failed": "failed", "voided": "voided"}


def order_record(raw: Raw) -> OrderRecord:
    """An order; amounts are decimal texts."""
    state = str(raw["state"])
    payment = raw.get("payment")
    strange = [] if state in STATES else [f"state {state}"]
    tenders: tuple[Tender, ...] = ()
    if payment:
        told = str(payment["state"])
        strange += [] if told in TENDER_STATES else [f"payment state {told}"]
        amount = Decimal(payment["amount"])
        tenders = (
            Tender(external_id=payment["id"], tender="card", amount=amount, state=TENDER_STATES.get(told, told)),
        )
    return OrderRecord(
        external_id=str(raw["id"]),
        version=zoned(raw["updated_at"]).isoformat(),
        placed_at=zoned(raw["created_at"]),
        updated_at=zoned(raw["updated_at"]),
        currency=str(raw["currency"]),
        lines=tuple(order_line(line) for line in raw["lines"]),
        number=str(raw.get("number", "")),
        is_cancelled=STATES.get(state, False),
        tenders=tenders,
        email=str(raw.get("email") or ""),
        total=Decimal(raw["total"]),
        unknown=tuple(strange),
        raw=raw,
    )


def order_line(raw: Raw) -> OrderLine:
    """One line of an order."""
    return OrderLine(
        external_id=str(raw["id"]),
        title=str(raw.get("title", "")),
        sku=str(raw["sku"]),
        listing_id=str(raw["sku"]),
        quantity=int(raw["quantity"]),
        unit_price=Decimal(raw["unit_price"]),
    )


def listing_record(raw: Raw) -> ListingRecord:
    """A listing."""
    return ListingRecord(
        ref=ListingRef(key=str(raw["sku"]), sku=str(raw["sku"]), ids={"sku": str(raw["sku"])}),
        title=str(raw.get("title", "")),
        barcode=str(raw.get("barcode") or ""),
        price=Decimal(raw["price"]),
        currency=str(raw["currency"]),
        raw=raw,
    )


def stock_record(raw: Raw) -> StockRecord:
    """What is shown of one listing."""
    return StockRecord(key=str(raw["sku"]), sku=str(raw["sku"]), quantity=int(raw["quantity"]))


def event(raw: Raw) -> Event:
    """A webhook's event."""
    topic = str(raw["topic"])
    return Event(
        event_id=str(raw["id"]),
        topic=topic,
        kind=KINDS.get(topic, "unknown"),
        external_id=str(raw.get("object_id", "")),
        occurred_at=zoned(raw["occurred_at"]),
    )
