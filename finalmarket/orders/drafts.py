"""Drafts of orders: what a door hands to intake. Frozen, checked before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import MOST_DIGITS, check_currency

ZERO = Decimal(0)
KINDS = ("goods", "shipping", "fee", "discount", "adjustment")
TENDER_STATES = ("pending", "authorised", "captured", "failed", "voided")
MOST_LINES = 10_000
MOST_UNITS = 1_000_000
MOST_AMOUNT = Decimal(10) ** min(12, MOST_DIGITS)


class InvalidDraft(UserError):
    """The order contradicts itself or names what does not exist; nothing of it was stored."""


class OutOfStock(UserError):
    """Our own door wanted more than the channel may sell; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where goods or invoices go. `country` is ISO 3166-1; coordinates are degrees (WGS 84), where they are known."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""
    latitude: float | None = None
    longitude: float | None = None

    def stored(self) -> dict[str, Any]:
        """Return what the order keeps: the fields that are filled."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: plain(value, 300) if isinstance(value, str) else value
            for name, value in values.items()
            if value not in ("", None)
        }


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line. Goods name a SKU or a variant; a discount line takes `discount` off the order.

    `quantity` is what was ordered, `cancelled_quantity` what the door says was taken off since. `tax` is the tax of the
    whole line; None: computed from `tax_rate` (0.19 is 19 per cent), or none. `external_id` is the platform's name of
    the line; without one, a line's position is its identity.
    """

    sku: str = ""
    quantity: int = 1
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal | None = None
    tax_rate: Decimal | None = None
    kind: str = "goods"
    variant_id: int | None = None
    title: str = ""
    external_id: str = ""
    cancelled_quantity: int = 0


@dataclass(frozen=True, slots=True)
class TenderDraft:
    """One payment: card, cash, gift_card, invoice, platform, ...; `external_id` makes it happen exactly once."""

    tender: str
    amount: Decimal
    external_id: str = "1"
    state: str = "captured"


@dataclass(frozen=True, slots=True)
class RefundDraft:
    """Money that the platform gave back; `external_id` makes it happen exactly once."""

    external_id: str
    amount: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as a door gives it: the whole of it, every time.

    `source` is "channel" for our own doors, else the account it came through. `happened` says that the sale is a fact
    (till, marketplace) and cannot be refused; None: true for other sources, marketplaces and stores. `location_id` says
    who serves it (None: routing decides), `handed_over` that the goods have left there already. `placed_at` None: now,
    and of a known order what it has. `total` is what the door charged: own doors may leave it out. `account`,
    `loyalty`, `payment_fingerprint` (never a card's number) and `device` are what the buyer is known by besides address
    and phone.
    Amounts are as ordered: what was given back later stands in `refunds`, units taken off in `cancelled_quantity`.
    """

    channel_id: int
    external_id: str
    currency: str
    placed_at: datetime | None
    lines: tuple[LineDraft, ...]
    tenders: tuple[TenderDraft, ...] = ()
    refunds: tuple[RefundDraft, ...] = ()
    source: str = "channel"
    external_version: str = ""
    number: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    account: str = ""
    loyalty: str = ""
    payment_fingerprint: str = ""
    device: str = ""
    customer_id: int | None = None
    shipping_address: Address = field(default_factory=Address)
    billing_address: Address = field(default_factory=Address)
    tax_included: bool = True
    tax: Decimal | None = None
    tip: Decimal = ZERO
    total: Decimal | None = None
    is_cancelled: bool = False
    happened: bool | None = None
    handed_over: bool = False
    location_id: int | None = None
    reservation_id: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"order {self.external_id[:60]!r}"


def plain(text: str, most_characters: int) -> str:
    """Return text that a column can hold: without NUL, cut to length."""
    return text.replace("\x00", "").strip()[:most_characters]


def plain_data(value: Any) -> Any:
    """Return JSON data that the database accepts: NUL taken out of texts, NaN and infinities written as text."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {str(key).replace("\x00", ""): plain_data(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value)


def check(draft: OrderDraft) -> None:
    """Refuse a draft that contradicts itself. Raises InvalidDraft that names the order, the line and the field.

    What only the database knows (SKUs, the channel, stock) is looked at by intake.
    """
    try:
        check_currency(draft.currency)
    except UserError as error:
        raise InvalidDraft(f"{draft}: {error}") from error
    _check_names(draft)
    if not draft.lines and not draft.is_cancelled:
        raise InvalidDraft(f"{draft} has no lines; give at least one")
    if len(draft.lines) > MOST_LINES:
        raise InvalidDraft(f"{draft} has {len(draft.lines)} lines; the most is {MOST_LINES}")
    for position, line in enumerate(draft.lines, start=1):
        _check_line(draft, position, line)
    _check_money(draft)


def _check_names(draft: OrderDraft) -> None:
    for name, value, most in (
        ("external_id", draft.external_id, 200),
        ("source", draft.source, 60),
    ):
        if not value.strip() or len(value) > most or "\x00" in value:
            raise InvalidDraft(f"{draft}: {name} must have 1 to {most} characters")
    if len(draft.external_version) > 60 or "\x00" in draft.external_version:
        raise InvalidDraft(f"{draft}: external_version must have at most 60 characters")
    if draft.placed_at is not None and draft.placed_at.tzinfo is None:
        raise InvalidDraft(f"{draft}: placed_at {draft.placed_at.isoformat()} has no time zone")
    named = [line.external_id for line in draft.lines if line.external_id]
    if len(named) != len(set(named)):
        raise InvalidDraft(f"{draft}: two lines have the same external_id")
    tenders = [(tender.tender, tender.external_id) for tender in draft.tenders]
    if len(tenders) != len(set(tenders)):
        raise InvalidDraft(f"{draft}: two tenders have the same kind and external_id")


def _check_line(draft: OrderDraft, position: int, line: LineDraft) -> None:
    where = f"{draft}, line {position}"
    if line.kind not in KINDS:
        raise InvalidDraft(f"{where}: kind {line.kind!r} is not one of {', '.join(KINDS)}")
    if type(line.quantity) is not int or not 1 <= line.quantity <= MOST_UNITS:
        raise InvalidDraft(f"{where}: quantity {line.quantity!r} is not a whole number from 1 to {MOST_UNITS}")
    if not 0 <= line.cancelled_quantity <= line.quantity:
        raise InvalidDraft(f"{where}: {line.cancelled_quantity} of {line.quantity} units cannot be cancelled")
    if line.kind == "goods" and not line.sku.strip() and line.variant_id is None:
        raise InvalidDraft(f"{where}: goods need a SKU or a variant")
    if len(line.sku) > 100 or "\x00" in line.sku or len(line.external_id) > 200 or "\x00" in line.external_id:
        raise InvalidDraft(f"{where}: a SKU has at most 100 characters, an external_id at most 200")
    may_be_negative = line.kind == "adjustment"
    _check_amount(where, "unit_price", line.unit_price, negative=may_be_negative)
    _check_amount(where, "discount", line.discount)
    _check_amount(where, "tax", line.tax, negative=may_be_negative)
    _check_amount(where, "tax_rate", line.tax_rate)
    if line.kind == "discount" and line.unit_price != 0:
        raise InvalidDraft(f"{where}: a discount line has unit_price 0; what it takes off stands in discount")
    if line.kind != "discount" and not may_be_negative and line.discount > line.quantity * line.unit_price:
        raise InvalidDraft(f"{where}: a discount of {line.discount} is more than the line costs")


def _check_money(draft: OrderDraft) -> None:
    _check_amount(str(draft), "tip", draft.tip)
    _check_amount(str(draft), "tax", draft.tax)
    _check_amount(str(draft), "total", draft.total)
    for tender in draft.tenders:
        where = f"{draft}, payment {tender.external_id[:40]!r} by {tender.tender[:30]!r}"
        _check_amount(where, "amount", tender.amount)
        if tender.state not in TENDER_STATES:
            raise InvalidDraft(f"{where}: state {tender.state!r} is not one of {', '.join(TENDER_STATES)}")
        if not 1 <= len(tender.tender) <= 30 or not 1 <= len(tender.external_id) <= 200:
            raise InvalidDraft(f"{where}: a tender has 1 to 30 characters, its external_id 1 to 200")
    for refund in draft.refunds:
        _check_amount(f"{draft}, refund {refund.external_id[:40]!r}", "amount", refund.amount)


def _check_amount(where: str, name: str, amount: Decimal | None, *, negative: bool = False) -> None:
    if amount is None:
        return
    if not isinstance(amount, Decimal):
        raise InvalidDraft(f"{where}: {name} must be a Decimal, not {type(amount).__name__}")
    if not amount.is_finite():
        raise InvalidDraft(f"{where}: {name} {amount} is not an amount of money")
    if amount < 0 and not negative:
        raise InvalidDraft(f"{where}: {name} {amount} is below zero")
    if abs(amount) >= MOST_AMOUNT:
        raise InvalidDraft(f"{where}: {name} {amount} is beyond any amount")
