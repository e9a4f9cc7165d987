"""What carriers' platforms are asked for: what sending costs, a label, where a parcel is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from finalmarket.connectors.records import ZERO, Address, Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSize:
    """Weight in grams, lengths in millimetres (0: not known)."""

    weight_g: int
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedItem:
    """What lies in a parcel, as customs ask for it; `unit_value` is in the shipment's currency, `origin` ISO 3166-1."""

    sku: str
    title: str
    quantity: int
    unit_value: Decimal = ZERO
    weight_g: int = 0
    origin: str = ""
    hs_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One parcel that is to be sent. `key` is the same for every try; a label is bought once under it."""

    key: str
    order_number: str
    sender: Address
    receiver: Address
    size: ParcelSize
    items: tuple[ShippedItem, ...] = ()
    currency: str = ""
    receiver_email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingRate:
    """What one service would cost. `rate_id` names it at the platform (it may be good for this shipment only); `days`
    is how long it takes, None where nobody says."""

    rate_id: str
    carrier: str
    service: str
    amount: Decimal
    currency: str
    days: int | None = None
    shipment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label that was paid for. `state` is bought, voiding, voided or unknown."""

    label_id: str
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str = ""
    label_url: str = ""
    amount: Decimal = ZERO
    currency: str = ""
    state: str = "bought"
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingStep:
    """One thing that happened to a parcel, in the carrier's words."""

    at: datetime
    words: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRecord:
    """Where a parcel is. `state` is label_made, under_way, out_for_delivery, delivered, waiting_for_pickup, returned,
    failed or unknown; `version` orders the states in time as in OrderRecord."""

    tracking_number: str
    carrier: str
    version: str
    state: str
    label_id: str = ""
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    expected_at: datetime | None = None
    steps: tuple[TrackingStep, ...] = ()
    tracking_url: str = ""
    unknown: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict)


class Ships(ABC):
    """Labels are bought and parcels are followed."""

    @abstractmethod
    def get_rates(self, shipment: Shipment) -> Sequence[ShippingRate]:
        """What the services that would take this parcel cost, the cheapest first. Buys nothing."""

    @abstractmethod
    def buy_label(self, shipment: Shipment, rate: ShippingRate) -> Label:
        """Buy a label; bought again under the shipment's key, it is the same label and paid once."""

    @abstractmethod
    def find_label(self, key: str) -> Label | None:
        """The label bought under a shipment's key; None when there is none. Asked after an unknown outcome."""

    @abstractmethod
    def void_label(self, label_id: str) -> Label:
        """Give an unused label back; return it as it stands then. One that is voided already stays so. Raises Rejected
        where the carrier does not take it back."""

    @abstractmethod
    def track(self, label_id: str, tracking_number: str, carrier: str) -> TrackingRecord | None:
        """Where a parcel is; None when the platform does not know it. `label_id` is "" for a label bought elsewhere."""
