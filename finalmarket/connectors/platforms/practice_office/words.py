"""From the practice office's words to ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.records import (
    Address,
    CustomerRecord,
    ListingRecord,
    ListingRef,
    PaymentRecord,
    Raw,
    RefundRecord,
    StockRecord,
)
from finalmarket.connectors.shipping import Label, ShippingRate, TrackingRecord, TrackingStep
from finalmarket.connectors.talk import ConversationMessage, ConversationRecord, FigureRecord, InteractionRecord
from finalmarket.connectors.vocabulary import look_up

PAYMENTS = {
    "waiting": "pending", "approved": "pending", "reserved": "authorised", "taken": "captured", "failed": "failed",
    "released": "voided", "given_back": "refunded", "disputed": "disputed",
}  # fmt: skip
STATUSES = {"open": "open", "waiting": "pending", "solved": "closed"}
MEDIA = {"live_chat": "chat", "mail": "email", "call": "phone", "social": "social", "form": "web"}
AUTHORS = {"visitor": "customer", "agent": "agent", "robot": "bot", "internal": "note"}
INTERACTIONS = {
    "mail_delivered": "email_delivered", "mail_opened": "email_open", "mail_clicked": "email_click",
    "mail_bounced": "email_bounce", "mail_complaint": "email_complaint", "left_list": "unsubscribe",
    "joined_list": "subscribe", "page_seen": "page_view", "product_seen": "product_view", "searched": "search",
    "put_in_cart": "add_to_cart", "began_checkout": "checkout_start", "bought": "purchase",
    "liked": "social_engagement",
}  # fmt: skip
PARCELS = {
    "printed": "label_made", "moving": "under_way", "in_the_van": "out_for_delivery", "delivered": "delivered",
    "at_the_shop": "waiting_for_pickup", "sent_back": "returned", "lost": "failed",
}  # fmt: skip
LABELS = {"paid": "bought", "given_back": "voided"}


def moment(text: Any) -> datetime | None:
    """A moment; None where none is told."""
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def _version(raw: Raw) -> str:
    return f"{raw['changed']:012d}"


def listing_record(raw: Raw) -> ListingRecord:
    """An item of the books."""
    return ListingRecord(
        ref=ListingRef(key=raw["id"], sku=raw["sku"], ids={"item": raw["id"]}), title=raw["title"],
        barcode=raw["barcode"], price=Decimal(raw["price"]), currency=raw["currency"], raw=raw,
    )  # fmt: skip


def stock_records(levels: Sequence[Raw]) -> list[StockRecord]:
    """What the books show at single locations."""
    return [
        StockRecord(
            key=raw["item"], quantity=int(raw["quantity"]), location=raw["location"], sku=raw["sku"],
            counted_at=moment(raw["known_at"]),
        )
        for raw in levels
    ]  # fmt: skip


def stock_of_all_locations(levels: Sequence[Raw]) -> list[StockRecord]:
    """What the books show in sum; a sum knows only what the oldest of its parts knows."""
    by_item: dict[str, list[StockRecord]] = {}
    for record in stock_records(levels):
        by_item.setdefault(record.key, []).append(record)
    return [
        StockRecord(
            key=key, quantity=sum(part.quantity for part in parts), sku=parts[0].sku,
            counted_at=_oldest(part.counted_at for part in parts),
        )
        for key, parts in by_item.items()
    ]  # fmt: skip


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    known = list(moments)
    return None if None in known else min((one for one in known if one is not None), default=None)


def customer_record(raw: Raw) -> CustomerRecord:
    """A customer."""
    return CustomerRecord(
        external_id=raw["id"], version=_version(raw), name=raw["name"], email=raw["email"], phone=raw["phone"],
        language=raw["language"], address=Address(**raw["address"]), accepts_email=raw["accepts_email"],
        consents=dict(raw["consents"]), merged_ids=tuple(raw["merged"]), is_deleted=bool(raw["is_deleted"]), raw=raw,
    )  # fmt: skip


def payment_record(raw: Raw) -> PaymentRecord:
    """A payment of the payment page."""
    unknown: list[str] = []
    return PaymentRecord(
        external_id=raw["id"], version=_version(raw), amount=Decimal(raw["amount"]), currency=raw["currency"],
        state=look_up(PAYMENTS, raw["state"], unknown, "pending"), captured=Decimal(raw["taken"]),
        refunds=tuple(_refund(refund) for refund in raw["refunds"]), order_id=raw["order"], email=raw["email"],
        unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def _refund(raw: Raw) -> RefundRecord:
    return RefundRecord(external_id=raw["id"], amount=Decimal(raw["amount"]), reason=raw["reason"])


def conversation_record(raw: Raw) -> ConversationRecord:
    """A conversation, or a ticket."""
    unknown: list[str] = []
    return ConversationRecord(
        external_id=raw["id"], version=_version(raw), opened_at=datetime.fromisoformat(raw["opened_at"]),
        state=look_up(STATUSES, raw["status"], unknown),
        medium=look_up(MEDIA, raw["channel"], unknown), subject=raw["subject"],
        customer_id=raw["customer"], name=raw["name"], email=raw["email"], phone=raw["phone"],
        order_number=raw["order"], key=raw["reference"], is_ticket=bool(raw["is_ticket"]),
        messages=tuple(_message(message, unknown) for message in raw["messages"]),
        updated_at=moment(raw["changed_at"]), closed_at=moment(raw["solved_at"]), rating=raw["rating"],
        unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def _message(raw: Raw, unknown: list[str]) -> ConversationMessage:
    """One message; what somebody unknown wrote is for agents' eyes only until a person has looked."""
    author = look_up(AUTHORS, raw["from"], unknown, "note")
    return ConversationMessage(
        external_id=raw["id"], at=datetime.fromisoformat(raw["at"]), author=author, text=raw["text"]
    )  # fmt: skip


def interaction_record(raw: Raw) -> InteractionRecord:
    """One thing that a person did."""
    unknown: list[str] = []
    return InteractionRecord(
        external_id=raw["id"], kind=look_up(INTERACTIONS, raw["kind"], unknown),
        at=datetime.fromisoformat(raw["at"]), email=raw["email"], customer_id=raw["customer"], device=raw["device"],
        location=raw["location"], url=raw["url"], sku=raw["sku"], message_key=raw["reference"],
        subject=raw["subject"], unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def figure_record(raw: Raw) -> FigureRecord:
    """What was counted on a day for a source."""
    return FigureRecord(
        day=date.fromisoformat(raw["day"]), source=raw["source"], sessions=int(raw["sessions"]),
        users=int(raw["users"]), purchases=int(raw["purchases"]), revenue=Decimal(raw["revenue"]),
        currency=raw["currency"],
    )  # fmt: skip


def order_names(raw: Raw) -> OrderNames:
    """What an order and its lines are called."""
    return OrderNames(external_id=raw["id"], lines={line["reference"]: line["id"] for line in raw["lines"]})


def rate(raw: Raw) -> ShippingRate:
    """What a service would cost."""
    return ShippingRate(
        rate_id=raw["id"], carrier=raw["carrier"], service=raw["service"], amount=Decimal(raw["amount"]),
        currency=raw["currency"], days=raw["days"],
    )  # fmt: skip


def label(raw: Raw) -> Label:
    """A label that was paid for."""
    return Label(
        label_id=raw["id"], carrier=raw["carrier"], service=raw["service"], tracking_number=raw["number"],
        tracking_url=raw["tracking_url"], label_url=raw["label_url"], amount=Decimal(raw["amount"]),
        currency=raw["currency"], state=LABELS.get(raw["state"], "unknown"), raw=raw,
    )  # fmt: skip


def tracking_record(raw: Raw) -> TrackingRecord:
    """Where a parcel is."""
    unknown: list[str] = []
    return TrackingRecord(
        tracking_number=raw["number"], carrier=raw["carrier"], version=_version(raw),
        state=look_up(PARCELS, raw["state"], unknown), label_id=raw["label"],
        shipped_at=moment(raw["shipped_at"]), delivered_at=moment(raw["delivered_at"]),
        expected_at=moment(raw["expected_at"]), steps=tuple(_step(step) for step in raw["steps"]),
        tracking_url=raw["tracking_url"], unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def _step(raw: Raw) -> TrackingStep:
    return TrackingStep(at=datetime.fromisoformat(raw["at"]), words=raw["words"], place=raw["place"])
