"""What platforms that keep books (ERP, CRM, shop data of mailing platforms) are told: orders, and stock that moved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import ZERO, Address


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContentLine:
    """One line of an order of ours. `line_id` is our name of it; `item_id` the platform's name of the item, "" where
    none is known; `kind` is goods, shipping, fee, discount or adjustment; `discount`, `tax` are of the whole line."""

    line_id: str
    sku: str = ""
    item_id: str = ""
    title: str = ""
    quantity: int = 1
    cancelled_quantity: int = 0
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    kind: str = "goods"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """An order of ours as a platform is to know it: the whole of it, every time.

    `key` is the same for every try of the same state of the order; `number` is unique among our orders and stays the
    same. `external_id` and `line_ids` (ours to theirs) are what the platform calls it, empty for one it does not have
    yet. `state` is open, fulfilled or cancelled; `payment_state` unpaid, authorised, paid, refunded, partly_refunded.
    `accepts_email` is what the buyer agreed to (None: was never asked). The day on which it was placed is that of
    `time_zone` (IANA), its channel's: books and our own figures have it on the same.
    """

    key: str
    number: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    total: Decimal
    lines: tuple[OrderContentLine, ...]
    external_id: str = ""
    line_ids: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    state: str = "open"
    payment_state: str = "unpaid"
    tax: Decimal = ZERO
    refunded: Decimal = ZERO
    customer_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    accepts_email: bool | None = None
    shipping_address: Address = field(default_factory=Address)
    billing_address: Address = field(default_factory=Address)
    tracking_number: str = ""
    tracking_url: str = ""
    carrier: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNames:
    """What the platform calls an order that it was told of, and its lines (our line id to theirs)."""

    external_id: str
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementNotice:
    """Stock that moved here: `kind` is receive, adjust, loss, sale, return or transfer; `quantity` is signed (a sale is
    negative; a transfer leaves `location` for `to_location` and is positive). `item_id` is the platform's name of the
    item, `location` and `to_location` its names of the places. Its day is that of `time_zone` (IANA)."""

    key: str
    kind: str
    sku: str
    quantity: int
    at: datetime
    item_id: str = ""
    location: str = ""
    to_location: str = ""
    reason: str = ""
    order_number: str = ""
    time_zone: str = "UTC"


class PushesOrders(ABC):
    """Orders go out: the platform keeps books of what was sold elsewhere."""

    @abstractmethod
    def push_order(self, content: OrderContent) -> OrderNames:
        """Make or change the order there; return what it is called. Told twice, it stands once. What the platform
        cannot change any more (an invoiced order) is Rejected with its reason."""

    @abstractmethod
    def find_order(self, number: str) -> OrderNames | None:
        """What the platform calls our order of that number; None when it has none. Asked after an unknown outcome."""


class PushesMovements(ABC):
    """Movements of stock go out."""

    movement_batch_limit: ClassVar[int]

    @abstractmethod
    def push_movements(self, notices: Sequence[MovementNotice]) -> Sequence[Rejected]:
        """Post these movements, at most `movement_batch_limit`; return those that were refused, each with its key.
        All that are not returned were posted, or an error is raised; posted twice under one key, each counts once."""
