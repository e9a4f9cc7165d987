"""What is known of orders that already happened: the rows that `past.write` and `past_returns.write_returns` take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

NOTHING = Decimal(0)
NOBODY: Mapping[str, Any] = {}


class Tender(NamedTuple):
    """Money that came in with an order. `amount` None: what the order's other tenders leave of its total."""

    tender: str = "invoice"
    amount: Decimal | None = None
    external_id: str = ""


class PastOrder(NamedTuple):
    """An order that already happened; (source, external_id) is its identity within the channel.

    `number` "": the next one of the channel. `location_id` None: the goods did not lie in our stock; nothing is taken
    off it. `tax` None: the sum of the lines' taxes. Addresses have the keys of `orders.drafts.Address`.
    """

    channel_id: int
    external_id: str
    placed_at: datetime
    currency: str
    source: str = "channel"
    number: str = ""
    customer_id: int | None = None
    email: str = ""
    phone: str = ""
    location_id: int | None = None
    tax: Decimal | None = None
    tax_included: bool = True
    tip: Decimal = NOTHING
    shipping_address: Mapping[str, Any] = NOBODY
    billing_address: Mapping[str, Any] = NOBODY
    raw: Mapping[str, Any] = NOBODY
    tenders: tuple[Tender, ...] = (Tender(),)


class PastLine(NamedTuple):
    """One line; `order` is the index of its order in the batch, `position` its identity within the order."""

    order: int
    position: int
    quantity: int
    unit_price: Decimal
    kind: str = "goods"
    variant_id: int | None = None
    sku: str = ""
    title: str = ""
    external_id: str = ""
    discount: Decimal = NOTHING
    tax: Decimal = NOTHING
    tax_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HistoricOrders:
    """A batch: some thousand lines are a good size. Orders without lines are written too."""

    orders: Sequence[PastOrder]
    lines: Sequence[PastLine]


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch has changed, and the ids of its orders and lines in the order in which they were given."""

    orders: int
    lines: int
    short_units: int
    order_ids: Sequence[int]
    line_ids: Sequence[int]


@dataclass(slots=True)
class Batch:
    """A batch on its way into the tables. `fresh`: the indexes of the lines that were not there before."""

    orders: Sequence[PastOrder]
    lines: Sequence[PastLine]
    order_ids: list[int] = field(default_factory=list)
    is_new: list[bool] = field(default_factory=list)
    line_ids: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)


class PastReturn(NamedTuple):
    """A return that already happened; `key` is its identity within the channel. `order_id` None: an unlinked credit."""

    channel_id: int
    key: str
    at: datetime
    order_id: int | None = None
    customer_id: int | None = None
    reason: str = ""


class PastReturnLine(NamedTuple):
    """What came back; `record` is the index of its return in the batch, `position` its identity within the return.

    `refund` is credited for all of it. `disposition` as in `ReturnLine`; "restock" needs a variant and a location.
    """

    record: int
    position: int
    quantity: int
    refund: Decimal
    order_line_id: int | None = None
    variant_id: int | None = None
    sku: str = ""
    disposition: str = "restock"
    location_id: int | None = None


@dataclass(frozen=True, slots=True)
class HistoricReturns:
    """A batch of returns and their lines."""

    returns: Sequence[PastReturn]
    lines: Sequence[PastReturnLine]


@dataclass(frozen=True, slots=True)
class WrittenReturns:
    """What a batch of returns has changed. `uncovered`: credited beyond the money that came in, and not paid back."""

    returns: int
    lines: int
    restocked_units: int
    refunded: Decimal
    uncovered: Decimal
