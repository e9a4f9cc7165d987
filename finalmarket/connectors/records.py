"""The words in which platforms and the house talk: frozen records, amounts as Decimal, moments aware of their zone.

What comes in carries the platform's own words along (`raw`), and names what it could not translate (`unknown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from finalmarket.connectors.shipping import TrackingRecord
    from finalmarket.connectors.talk import ConversationRecord, InteractionRecord

Raw = Mapping[str, Any]
Record = TypeVar("Record")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a page that could not be translated: set aside with its reason, the rest of the page stands."""

    external_id: str
    reason: str
    raw: Raw


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """Some records of a stream, and the cursor from which the next page, or a later run, goes on.

    The cursor is opaque to the caller and always names the place *after* this page. `is_last` says that the platform
    has no more for now; a later pull from the same cursor brings what is new since.
    """

    records: tuple[Record, ...]
    cursor: str
    is_last: bool = False
    unreadable: tuple[Unreadable, ...] = ()


# In.


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where goods or invoices go; `country` is ISO 3166-1 alpha-2."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line as ordered. `kind` is goods, shipping, fee, discount or adjustment; `discount` and `tax` are of the
    whole line; `listing_id` is the platform's name of the listing it was bought from."""

    external_id: str
    title: str = ""
    sku: str = ""
    listing_id: str = ""
    quantity: int = 1
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal | None = None
    kind: str = "goods"
    cancelled_quantity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """One payment: `tender` is card, cash, gift_card, invoice, platform, ...; `state` is pending, authorised, captured,
    failed or voided."""

    external_id: str
    tender: str
    amount: Decimal
    state: str = "captured"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRecord:
    """Money that the platform gave back. It is of up to `most` where the platform tells of a part of it alone."""

    external_id: str
    amount: Decimal
    reason: str = ""
    most: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentRecord:
    """A parcel that left without us; `lines` are pairs of line id and units."""

    external_id: str
    lines: tuple[tuple[str, int], ...] = ()
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    location: str = ""
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order as the platform holds it: the whole of it, every time.

    `version` orders the states of one order in time: of two versions the greater text is the newer one (an ISO moment
    in UTC, or a zero-padded count). `place` is the marketplace, shop or till it was sold at, `location` the stock
    location that serves it, both in the platform's words; `handed_over` says that the goods left with the buyer.
    `discount_total` is taken off the order as a whole. Amounts are as ordered: what was given back later stands in
    `refunds`.
    """

    external_id: str
    version: str
    placed_at: datetime
    currency: str
    lines: tuple[OrderLine, ...]
    number: str = ""
    updated_at: datetime | None = None
    is_cancelled: bool = False
    is_test: bool = False
    handed_over: bool = False
    place: str = ""
    location: str = ""
    tenders: tuple[Tender, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    fulfilments: tuple[FulfilmentRecord, ...] = ()
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    customer_id: str = ""
    shipping_address: Address = field(default_factory=Address)
    billing_address: Address = field(default_factory=Address)
    tax_included: bool = True
    tax: Decimal | None = None
    tip: Decimal = ZERO
    total: Decimal | None = None
    unknown: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """A customer as the platform knows them. `accepts_email` is None where nothing was said; `consents` are what else
    was said, by purpose (sms, phone, ads, ...); `merged_ids` are those that were merged into this one there."""

    external_id: str
    version: str
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    address: Address = field(default_factory=Address)
    accepts_email: bool | None = None
    consents: Mapping[str, bool] = field(default_factory=dict)
    merged_ids: tuple[str, ...] = ()
    is_deleted: bool = False
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRef:
    """What the platform calls one of our listings: `key` names it, `ids` are the further names that calls need (the
    inventory item, the product, ...)."""

    key: str
    sku: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRecord:
    """A listing that stands on the platform; `attributes` such as brand, colour, size help to find our variant."""

    ref: ListingRef
    title: str = ""
    description: str = ""
    barcode: str = ""
    price: Decimal | None = None
    currency: str = ""
    is_available: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRecord:
    """What the platform shows of one listing at one of its locations ("" where it knows only one). `counted_at` is the
    moment up to which the number knows what happened there, where the platform says so."""

    key: str
    quantity: int
    location: str = ""
    sku: str = ""
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecord:
    """A payment that stands on its own (a payment provider's); `order_id` is our order's external id, if it tells.

    `state` is pending, authorised, captured, failed, voided, refunded or disputed; amounts are of `currency`.
    `is_held`: something can be taken or let go still, beside what was captured (where payments are taken in parts).
    `failed_refunds` are the ids of those that came to nothing, however late.
    """

    external_id: str
    version: str
    amount: Decimal
    currency: str
    state: str
    captured: Decimal = ZERO
    is_held: bool = False
    refunds: tuple[RefundRecord, ...] = ()
    failed_refunds: tuple[str, ...] = ()
    order_id: str = ""
    customer_id: str = ""
    email: str = ""
    unknown: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict)


# Out. `key` is the same for every try of the same change: where the platform takes idempotency keys, it is one.


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """The number that a listing is to show: absolute, the newest there is. `shown` is what the platform last confirmed
    (None: not known), for platforms that compare before they set."""

    ref: ListingRef
    quantity: int
    key: str
    location: str = ""
    shown: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLevel:
    """The price that a listing is to show."""

    ref: ListingRef
    amount: Decimal
    currency: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingContent:
    """What a listing is to say. A `ref` without ids means that the platform does not have it yet."""

    ref: ListingRef
    key: str
    title: str
    description: str = ""
    barcode: str = ""
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    is_available: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentNotice:
    """A parcel that we sent: `lines` are pairs of the platform's line id and units. `alike` is how many parcels of this
    order with the same lines and tracking number the platform knows already: this one is none of them. Its day is that
    of `time_zone` (IANA)."""

    key: str
    order_id: str
    lines: tuple[tuple[str, int], ...]
    shipped_at: datetime
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    location: str = ""
    alike: int = 0
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundNotice:
    """Money to give back: of which payment, how much, for which lines (pairs of line id and units). `others` are the
    platform's ids of refunds of this order that are certainly not this one, for platforms that take no key."""

    key: str
    order_id: str
    payment_id: str
    amount: Decimal
    currency: str
    reason: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerContent:
    """A customer as the platform is to know them; `external_id` is "" for one it does not have yet. `consents` are by
    purpose (email, sms, ads, ...); `segments` are our names of the groups they belong to; `spent` is of `currency`."""

    key: str
    external_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    address: Address = field(default_factory=Address)
    accepts_email: bool | None = None
    consents: Mapping[str, bool] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    order_count: int = 0
    spent: Decimal = ZERO
    currency: str = ""
    last_order_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """A payment that a buyer is to make on the platform's page: reserved for later where `is_authorise_only`, else
    taken at once. The buyer comes back to `return_url`, or to `cancel_url` when they gave up."""

    key: str
    order_number: str
    amount: Decimal
    currency: str
    return_url: str
    cancel_url: str
    is_authorise_only: bool = True
    description: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCharge:
    """What a token is to pay: reserved, and taken when the goods leave. `order_id` is what our books will call the
    order; the token is a secret that works once."""

    key: str
    token: str = field(repr=False)
    order_id: str
    amount: Decimal
    currency: str
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStart:
    """A payment that waits for the buyer: where to send them."""

    external_id: str
    approve_url: str


# Webhooks.


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came: `url` is the address it was sent to, headers are found whatever their case."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    def header(self, name: str) -> str:
        """The value of a header, "" when it is missing."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a webhook says happened. `kind` is the stream it concerns: orders, stock, listings, customers, payments,
    conversations, interactions, tracking, erase and data_request (a person's wishes), uninstalled, or unknown. It is a
    hint: the record itself is asked for, unless the event brings it along with its version (an interaction always
    comes along)."""

    event_id: str
    topic: str
    kind: str
    external_id: str = ""
    occurred_at: datetime | None = None
    record: (
        OrderRecord | CustomerRecord | PaymentRecord | ConversationRecord | InteractionRecord | TrackingRecord | None
    ) = None
