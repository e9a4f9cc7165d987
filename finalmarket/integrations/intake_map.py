"""From a platform's order to a draft of ours: pure, and tidy about what platforms leave out, double or misplace.

What contradicts itself is not mended here: `orders.drafts.check` refuses it, and the record is set aside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from finalmarket.connectors import records
from finalmarket.orders.drafts import ZERO, Address, LineDraft, OrderDraft, RefundDraft, TenderDraft, plain

MOST_TENDER_CHARACTERS = 30
CLOCKS_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an order belongs: the channel it was sold on, and our location that serves it, if the platform names it."""

    channel_id: int
    location_id: int | None = None


def order_draft(
    record: records.OrderRecord, *, integration_id: int, seat: Seat, variants: Mapping[str, int],
    ours: Collection[str] = (),
) -> OrderDraft:  # fmt: skip
    """The draft of an order that a platform has taken.

    `variants` says which variant a listing of the platform is, by the listing's id there; a line of another listing is
    matched by its SKU. `ours` are the refunds (by the platform's id) that we asked for: they are in the books already.
    """
    return OrderDraft(
        channel_id=seat.channel_id, external_id=record.external_id, currency=record.currency.strip().upper(),
        placed_at=record.placed_at, lines=_lines(record.lines, variants), tenders=_tenders(record.tenders),
        refunds=_refunds(record, ours), source=source_of(integration_id), external_version=record.version,
        name=record.name, email=record.email, phone=record.phone or record.shipping_address.phone,
        language=record.language, account=account_of(integration_id, record.customer_id),
        shipping_address=address(record.shipping_address), billing_address=address(record.billing_address),
        tax_included=record.tax_included, tax=record.tax, tip=record.tip, total=record.total,
        is_cancelled=record.is_cancelled, happened=True, handed_over=record.handed_over, location_id=seat.location_id,
        raw=record.raw,
    )  # fmt: skip


def source_of(integration_id: int) -> str:
    """What an order says of the account that it came through."""
    return f"integration:{integration_id}"


def account_of(integration_id: int, customer_id: str) -> str:
    """The identity of a customer of one account; "" for nobody."""
    return f"integration:{integration_id}:{customer_id}" if customer_id else ""


def address(given: records.Address) -> Address:
    """An address in the words of orders."""
    return Address(**{name: getattr(given, name) for name in given.__slots__})


def is_past(record: records.OrderRecord, connected_at: datetime | None) -> bool:
    """Whether the order was over before the account was connected: its goods were gone when the stock was counted.

    It is over when it was cancelled or handed over, or when every unit has left or was taken off. Platforms cut moments
    to the second and have clocks of their own: what was placed just before counts as placed after.
    """
    if connected_at is None or record.placed_at >= connected_at - CLOCKS_DIFFER:
        return False
    if record.is_cancelled or record.handed_over:
        return True
    goods = [line for line in record.lines if line.kind == "goods"]
    left = units_left(record)
    return bool(goods) and all(
        left.get(line.external_id, 0) + line.cancelled_quantity >= line.quantity for line in goods
    )


def units_left(record: records.OrderRecord) -> dict[str, int]:
    """The units that have left according to the platform, by its id of the line; a parcel without lines holds all."""
    left: dict[str, int] = {}
    for parcel in record.fulfilments:
        for line_id, units in parcel_lines(record, parcel):
            left[line_id] = left.get(line_id, 0) + units
    return left


def parcel_lines(record: records.OrderRecord, parcel: records.FulfilmentRecord) -> Sequence[tuple[str, int]]:
    """What is in a parcel; one that names no lines holds the whole order."""
    return parcel.lines or [
        (line.external_id, line.quantity - line.cancelled_quantity) for line in record.lines if line.kind == "goods"
    ]


def _lines(lines: Iterable[records.OrderLine], variants: Mapping[str, int]) -> tuple[LineDraft, ...]:
    """Lines of no units are left out: the platform keeps them as a memory of what was taken off."""
    drafted, taken = [], set[str]()
    for line in lines:
        if line.quantity == 0:
            continue
        name = _unique(line.external_id, taken) if line.external_id else ""
        drafted.append(_line(line, name, variants))
    return tuple(drafted)


def _line(line: records.OrderLine, name: str, variants: Mapping[str, int]) -> LineDraft:
    discount, unit_price = line.discount, line.unit_price
    if line.kind == "discount" and unit_price:  # what is taken off stands in `discount`, whatever its sign there
        discount, unit_price = discount + abs(unit_price * line.quantity), ZERO
    is_goods = line.kind == "goods"
    return LineDraft(
        sku=_sku(line) if is_goods else plain(line.sku, 100), quantity=line.quantity, unit_price=unit_price,
        discount=discount, tax=line.tax, kind=line.kind, title=plain(line.title, 500), external_id=name,
        variant_id=variants.get(line.listing_id) if is_goods and line.listing_id else None,
        cancelled_quantity=line.cancelled_quantity,
    )  # fmt: skip


def _sku(line: records.OrderLine) -> str:
    """What the goods are called; a line without a SKU goes by the platform's own name, so that a person can find it."""
    names = (line.sku, line.listing_id, line.external_id, line.title)
    return next((plain(name, 100) for name in names if plain(name, 100)), "?")


def _tenders(tenders: Iterable[records.Tender]) -> tuple[TenderDraft, ...]:
    drafted: list[TenderDraft] = []
    taken: dict[str, set[str]] = {}
    for number, tender in enumerate(tenders, start=1):
        kind = plain(tender.tender, MOST_TENDER_CHARACTERS) or "platform"
        name = _unique(plain(tender.external_id, 190) or str(number), taken.setdefault(kind, set()))
        drafted.append(TenderDraft(tender=kind, amount=tender.amount, external_id=name, state=tender.state))
    return tuple(drafted)


def _refunds(record: records.OrderRecord, ours: Collection[str]) -> tuple[RefundDraft, ...]:
    drafted = []
    for number, refund in enumerate(record.refunds, start=1):
        name = plain(refund.external_id, 190) or f"{record.external_id[:150]}-refund-{number}"
        if refund.amount and refund.external_id not in ours:
            drafted.append(RefundDraft(external_id=name, amount=refund.amount, reason=plain(refund.reason, 300)))
    return tuple(drafted)


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with a number where it was given before."""
    chosen, count = plain(name, 190), 1
    while chosen in taken:
        count += 1
        chosen = f"{plain(name, 190)}#{count}"
    taken.add(chosen)
    return chosen


def with_customer(draft: OrderDraft, customer_id: int | None) -> OrderDraft:
    """The draft of a customer who is known already."""
    return draft if customer_id is None else replace(draft, customer_id=customer_id)
