"""The practice office of the sandbox: books, mail, talk, parcels and a payment page in one plain JSON platform, to try
the house with before a real account is there.

It exists nowhere else, so its stand-in (finalmarket/sandbox/platforms/practice_office/) is its description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.books import MovementNotice, OrderContent, OrderNames, PushesMovements, PushesOrders
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PullsListings,
    PullsPayments,
    PullsStock,
    PushesCustomers,
    PushesFulfilments,
    PushesRefunds,
    ReceivesWebhooks,
    Setting,
    StartsPayments,
    TakesPayments,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import ConnectorError, Rejected, RetryLater
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.practice_office import outgoing, words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    CustomerContent,
    CustomerRecord,
    Delivery,
    Event,
    FulfilmentNotice,
    ListingRecord,
    ListingRef,
    Page,
    PaymentRecord,
    PaymentRequest,
    PaymentStart,
    Raw,
    RefundNotice,
    StockRecord,
)
from finalmarket.connectors.shipping import Label, Shipment, ShippingRate, Ships, TrackingRecord
from finalmarket.connectors.signing import require_sent_recently, require_signature
from finalmarket.connectors.talk import (
    AnalyticsEvent,
    ConversationRecord,
    FigureRecord,
    InteractionRecord,
    MessageContent,
    OpensTickets,
    PullsConversations,
    PullsFigures,
    PullsInteractions,
    SendsEvents,
    SendsMessages,
    TicketContent,
)

Read = TypeVar("Read")
TOPICS = {
    "conversation.changed": "conversations", "interaction.seen": "interactions", "parcel.moved": "tracking",
    "payment.changed": "payments", "customer.changed": "customers", "item.counted": "stock",
}  # fmt: skip
# What some events bring along, so that nobody has to ask.
BROUGHT: Mapping[str, Callable[[Raw], InteractionRecord | TrackingRecord]] = {
    "interaction.seen": words.interaction_record,
    "parcel.moved": words.tracking_record,
}


class PracticeOffice(
    Connector, PullsListings, PullsStock, PullsCustomers, PullsPayments, PullsConversations, PullsInteractions,
    PullsFigures, PushesFulfilments, PushesRefunds, PushesCustomers, ErasesCustomers, PushesOrders, PushesMovements,
    SendsEvents, SendsMessages, OpensTickets, Ships, StartsPayments, TakesPayments, ReceivesWebhooks,
):  # fmt: skip
    """An office that keeps books and customers, writes and answers letters, sends parcels and takes payments."""

    slug = "practice_office"
    is_practice = True
    name = "Practice Office"
    kind = "erp"
    docs = "https://example.com/"
    api_version = "v1"
    base_url = "https://practice-office.invalid"
    rate = Rate(calls=200, burst=400)
    rates: ClassVar[Mapping[str, Rate]] = {"events": Rate(calls=50, burst=100)}
    secrets = ("token",)
    optional_secrets = ("webhook_secret",)
    settings = (Setting("location", "Location", "Of the stock; empty: all of them", is_required=False),)
    described_in: ClassVar[tuple[str, ...]] = ()
    checked_against = Checked("its stand-in, which is its description", on="2026-11-25")
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {"cursor_expired": RetryLater}
    stock_read_limit = 100
    movement_batch_limit = 20
    event_batch_limit = 25
    most_event_age = timedelta(days=3)
    webhook_topics = tuple(TOPICS)
    webhook_secrets = ("webhook_secret",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        return bearer(self.account.secrets["token"])

    def check(self) -> str:
        return str(fields_in(self.http.call("GET", "/v1/account"), "name")["name"])

    # What comes in.

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        return walk(lambda place: self._page("items", place, None, words.listing_record), cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        if not refs:
            return []
        params = {"items": ",".join(ref.key for ref in refs), "location": location}
        levels = fields_in(self.http.call("GET", "/v1/stock", params=params), "levels")["levels"]
        return read_one(levels, words.stock_records if location else words.stock_of_all_locations)

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        return walk(lambda place: self._page("customers", place, since, words.customer_record), cursor)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        return self._one(f"/v1/customers/{external_id}", words.customer_record)

    def pull_payments(self, cursor: str, since: datetime | None) -> Iterator[Page[PaymentRecord]]:
        return walk(lambda place: self._page("payments", place, since, words.payment_record), cursor)

    def pull_payment(self, external_id: str) -> PaymentRecord | None:
        return self._one(f"/v1/payments/{external_id}", words.payment_record)

    def pull_conversations(self, cursor: str, since: datetime | None) -> Iterator[Page[ConversationRecord]]:
        return walk(lambda place: self._page("conversations", place, since, words.conversation_record), cursor)

    def pull_conversation(self, external_id: str) -> ConversationRecord | None:
        return self._one(f"/v1/conversations/{external_id}", words.conversation_record)

    def pull_interactions(self, cursor: str, since: datetime | None) -> Iterator[Page[InteractionRecord]]:
        return walk(lambda place: self._page("interactions", place, since, words.interaction_record), cursor)

    def pull_figures(self, first: date, last: date) -> Sequence[FigureRecord]:
        params = {"first": first.isoformat(), "last": last.isoformat()}
        rows = fields_in(self.http.call("GET", "/v1/figures", params=params), "figures")["figures"]
        return read_one(rows, lambda found: [words.figure_record(row) for row in found])

    def _page(self, stream: str, cursor: str, since: datetime | None, read: Callable[[Raw], Read]) -> Page[Read]:
        """One page of records in the order of their last change, after the number that the cursor names."""
        place = read_cursor(cursor)
        moment = place.get("since") or (since.astimezone(UTC).isoformat() if since else "")
        params = {"after": place.get("after", ""), "since": moment}
        answer = fields_in(self.http.call("GET", f"/v1/{stream}", params=params), "next", "is_last")
        records, unreadable = read_each(rows_in(answer, stream), read, lambda raw: raw["id"])
        following = write_cursor(after=str(answer["next"]), since=moment)
        return Page(records, following, bool(answer["is_last"]), unreadable)

    def _one(self, path: str, read: Callable[[Raw], Read]) -> Read | None:
        found = self._fields_of(path)
        return None if found is None else read_one(found, read)

    def _fields_of(self, path: str, **params: str) -> Raw | None:
        """The fields of one thing; None where there is none."""
        return if_there(lambda: fields_in(self.http.call("GET", path, params=params)))

    # The books.

    def push_order(self, content: OrderContent) -> OrderNames:
        return read_one(self._told("/v1/orders", outgoing.order(content)), words.order_names)

    def find_order(self, number: str) -> OrderNames | None:
        found = self._fields_of("/v1/order", number=number)
        return None if found is None else read_one(found, words.order_names)

    def push_movements(self, notices: Sequence[MovementNotice]) -> Sequence[Rejected]:
        if not notices:
            return []
        body = {"movements": [outgoing.movement(notice) for notice in notices]}
        return _refused(self.http.call("POST", "/v1/movements", json=body, repeatable=True))

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        told = self._told(f"/v1/orders/{notice.order_id}/parcels", outgoing.fulfilment(notice), notice.key)
        return str(told["id"])

    def push_customer(self, content: CustomerContent) -> str:
        return str(self._told("/v1/customers", outgoing.customer(content), content.key)["id"])

    def erase_customer(self, external_id: str) -> None:
        if_there(lambda: self.http.call("DELETE", f"/v1/customers/{quote(external_id, safe='')}", repeatable=True))

    # Talk.

    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        if not events:
            return []
        body = {"events": [outgoing.event(event) for event in events]}
        return _refused(self.http.call("POST", "/v1/events", json=body, bucket="events", repeatable=True))

    def send_message(self, content: MessageContent) -> str:
        return str(self._told("/v1/messages", outgoing.message(content))["id"])

    def find_message(self, key: str) -> str | None:
        found = self._fields_of("/v1/message", reference=key)
        return None if found is None else str(fields_in(found, "id")["id"])

    def open_ticket(self, content: TicketContent) -> str:
        return str(self._told("/v1/tickets", outgoing.ticket(content))["id"])

    def find_ticket(self, key: str) -> str | None:
        found = self._fields_of("/v1/ticket", reference=key)
        return None if found is None else str(fields_in(found, "id")["id"])

    def note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        self._told(f"/v1/conversations/{ticket_id}/notes", {"text": note}, key)

    # Parcels.

    def get_rates(self, shipment: Shipment) -> Sequence[ShippingRate]:
        asked = self.http.call("POST", "/v1/rates", json=outgoing.shipment(shipment), repeatable=True)
        found = read_one(fields_in(asked, "rates")["rates"], lambda rates: [words.rate(raw) for raw in rates])
        return sorted(found, key=lambda rate: rate.amount)

    def buy_label(self, shipment: Shipment, rate: ShippingRate) -> Label:
        body = {**outgoing.shipment(shipment), "service": rate.rate_id, "reference": shipment.key}
        return read_one(self._told("/v1/labels", body), words.label)

    def find_label(self, key: str) -> Label | None:
        found = self._fields_of("/v1/label", reference=key)
        return None if found is None else read_one(found, words.label)

    def void_label(self, label_id: str) -> Label:
        answer = self.http.call("POST", f"/v1/labels/{label_id}/void", json={}, repeatable=True)
        return read_one(fields_in(answer), words.label)

    def track(self, label_id: str, tracking_number: str, carrier: str) -> TrackingRecord | None:
        found = self._fields_of("/v1/parcel", label=label_id, number=tracking_number)
        return None if found is None else read_one(found, words.tracking_record)

    # Payments.

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        told = self._told("/v1/payments", outgoing.payment(request), request.key)
        return read_one(told, lambda raw: PaymentStart(external_id=raw["id"], approve_url=raw["approve_url"]))

    def finish_payment(self, payment_id: str, key: str) -> PaymentRecord:
        return read_one(self._told(f"/v1/payments/{payment_id}/finish", {}, key), words.payment_record)

    def capture_payment(self, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord:
        body = {"amount": str(amount), "currency": currency}
        return read_one(self._told(f"/v1/payments/{payment_id}/capture", body, key), words.payment_record)

    def cancel_payment(self, payment_id: str, key: str) -> PaymentRecord:
        return read_one(self._told(f"/v1/payments/{payment_id}/release", {}, key), words.payment_record)

    def push_refund(self, notice: RefundNotice) -> str:
        body = {"amount": str(notice.amount), "currency": notice.currency, "reason": notice.reason}
        return str(self._told(f"/v1/payments/{notice.payment_id}/refunds", body, notice.key)["id"])

    def _told(self, path: str, body: Mapping[str, Any], key: str = "") -> Raw:
        """A write. Under an idempotency key it may be repeated without harm; without one, lost news of it leaves the
        outcome unknown."""
        headers = {"Idempotency-Key": key} if key else {}
        return fields_in(self.http.call("POST", path, json=dict(body), headers=headers, repeatable=bool(key)), "id")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        answer = self.http.call("POST", "/v1/webhooks", json={"url": url}, repeatable=True)
        return {"webhook_secret": str(fields_in(answer, "secret")["secret"])}

    def verify_webhook(self, delivery: Delivery) -> None:
        seconds = delivery.header("Office-Time")
        message = f"{seconds}.".encode() + delivery.body
        require_signature([delivery.header("Office-Signature")], self.webhook_secret(), message)
        require_sent_recently(seconds, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        return [read_delivery(delivery, _event)]

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        if answer.is_success or not isinstance(answer.data, dict):
            return "", ""
        return str(answer.data.get("code", "")), str(answer.data.get("message", ""))


def _event(told: Raw) -> Event:
    """What a webhook says happened, with its record where it brings one along."""
    topic = str(told.get("topic", ""))
    read = BROUGHT.get(topic)
    return Event(
        event_id=str(told["event"]), topic=topic, kind=TOPICS.get(topic, "unknown"),
        external_id=str(told.get("id", "")), occurred_at=words.moment(told.get("at")),
        record=read(told["record"]) if read else None,
    )  # fmt: skip


def _refused(answer: Answer) -> list[Rejected]:
    """The records of a batch that were not taken."""
    return read_one(
        fields_in(answer, "refused")["refused"],
        lambda raws: [Rejected(str(raw["message"]), key=str(raw["key"]), code=str(raw["code"])) for raw in raws],
    )
