"""What journeys are recognised from, and what they come out as. Plain values: nothing here knows the database.

A person's facts are what all their profiles did on all channels, what stands in our books, and journeys that were
started by a call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

RECOGNISED = 1_000_000_000_000
"""The number of a recognised journey is this plus the number of its first interaction, and that of its touchpoint this
plus the number of the interaction: the same facts have the same numbers, whatever was merged and parted in between."""
LEFT = 2 * RECOGNISED
"""A cart that was left is a touchpoint with this plus the number of the journey's first interaction."""


@dataclass(frozen=True, slots=True)
class Touch:
    """An interaction. `words` is what it says of pages, topics and subjects, in small letters."""

    id: int
    customer: int
    channel: int
    kind: str
    at: datetime
    score: int = 0
    message_id: str = ""
    sku: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order in our books; `value` is its goods after discount."""

    id: int
    at: datetime
    number: str
    value: Decimal
    currency: str
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Booked:
    """A return in our books."""

    id: int
    at: datetime
    order: int | None = None


@dataclass(frozen=True, slots=True)
class CalledTouch:
    """A touchpoint that was added by a call."""

    id: int
    at: datetime
    channel: int


@dataclass(frozen=True, slots=True)
class Called:
    """A journey that was started by a call, and what was added to it by calls."""

    id: int
    intent: str
    started_at: datetime
    ended_at: datetime | None = None
    state: str = "open"
    outcome: str = ""
    touches: tuple[CalledTouch, ...] = ()


@dataclass(slots=True)
class Facts:
    """All that is known of one person from some moment on."""

    touches: list[Touch] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)
    returns: list[Booked] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)


class JourneyRow(NamedTuple):
    """A recognised journey, in the order of its columns."""

    id: int
    customer_id: int
    start_channel_id: int
    intent: str
    state: str
    outcome: str
    order_id: int | None
    started_at: datetime
    ended_at: datetime | None
    reason: str
    step: str
    visits: int
    score: int
    value: Decimal | None
    currency: str
    last_touch_at: datetime
    closes_at: datetime


class TouchRow(NamedTuple):
    """A touchpoint that an interaction became, or a cart that was left."""

    id: int
    journey_id: int
    sales_channel_id: int
    interaction_id: int | None
    action: str
    sku: str
    occurred_at: datetime
    switched_from_id: int | None
    visit: int


class CalledNote(NamedTuple):
    """What is noted on a journey that was started by a call: when it was touched last, and until when things join."""

    id: int
    last_touch_at: datetime
    closes_at: datetime


class SwitchNote(NamedTuple):
    """What is noted on a touchpoint that was added by a call."""

    id: int
    switched_from_id: int | None
    visit: int


class Told(NamedTuple):
    """A person's journeys, as they stand at a moment."""

    journeys: list[JourneyRow]
    touches: list[TouchRow]
    called: list[CalledNote]
    switches: list[SwitchNote]
