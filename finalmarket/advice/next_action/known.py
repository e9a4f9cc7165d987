"""What is known of a person for what to do next. Plain values: nothing here asks the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.advice.recommending.affinity import Pick
from finalmarket.customers.consents import NEEDS_NO_CONSENT

SELLING_GAP, SELLING_SPAN, MOST_IN_SPAN = timedelta(days=7), timedelta(days=30), 3
"""Fatigue: a person hears from us to sell at most once in seven days, and three times in thirty."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A sales channel: `sells` now, and may be written from (`writes`)."""

    id: int
    name: str
    currency: str
    sells: bool
    writes: bool


@dataclass(frozen=True, slots=True)
class Goods:
    """A variant that a person bought, looked at, wishes for or has in the cart. `times` are orders, looks or units."""

    variant: int
    sku: str
    title: str
    times: int
    first: datetime
    last: datetime
    price: Decimal | None = None
    currency: str = ""
    channel: int | None = None

    @property
    def gap(self) -> timedelta | None:
        """How far apart they bought it, on average; None for what was bought once."""
        return (self.last - self.first) / (self.times - 1) if self.times > 1 else None


@dataclass(slots=True)
class Known:
    """One person, as far as it matters here. `profile` is their unified profile (customers/unified.py)."""

    person: int
    profile: Mapping[str, Any]
    now: datetime
    is_erased: bool = False
    arrived_at: datetime | None = None
    reviewed_at: datetime | None = None
    troubled_order: str | None = None
    words: Sequence[tuple[str, int | None, bool]] = ()
    contacts: list[datetime] = field(default_factory=list)
    dismissed: frozenset[str] = frozenset()
    standing: int | None = None
    goods: dict[str, list[Goods]] = field(default_factory=dict)
    channel: Channel | None = None
    usual_value: Decimal | None = None
    currency: str = ""
    picks: list[Pick] = field(default_factory=list)
    names: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    offered: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def agrees(self, purpose: str) -> bool:
        """Whether they agree to a purpose on the channel: its last word, said there or without a channel. Purposes that
        need no consent are agreed to as long as nobody said no (see customers/consents.py)."""
        here = self.channel.id if self.channel else None
        said = [word for named, channel, word in self.words if named == purpose and channel in (None, here)]
        return said[-1] if said else purpose in NEEDS_NO_CONSENT

    @property
    def is_barred(self) -> bool:
        """Whether no mail may go to them at all: it bounced, or they complained, on whatever channel."""
        said: dict[int | None, bool] = {channel: word for named, channel, word in self.words if named == "mail"}
        return not all(said.values())

    @property
    def can_be_reached(self) -> bool:
        """Whether there is an address or a number, and a channel from which they may be written to."""
        has_address = bool(self.profile.get("email") or self.profile.get("phone"))
        return has_address and self.channel is not None and self.channel.writes and not self.is_barred

    @property
    def is_tired(self) -> bool:
        """Whether they heard from us to sell as often as is good."""
        lately = [at for at in self.contacts if at > self.now - SELLING_SPAN]
        return len(lately) >= MOST_IN_SPAN or any(at > self.now - SELLING_GAP for at in lately)

    def can_sell(self, variant: int) -> int:
        """Return how many units of a variant their channel can sell now."""
        return self.offered.get((variant, self.channel.id), 0) if self.channel else 0

    def sellable(self, kind: str) -> list[Goods]:
        """Return what they touched in this way and the channel can sell now, the newest first."""
        return [one for one in self.goods.get(kind, ()) if self.can_sell(one.variant) > 0]

    def habits(self) -> list[Goods]:
        """Return what they buy again and again and may need now, what is longest due first: bought on two orders at
        least, the last of them as long ago as the orders lie apart, a fifth less or two gaps more."""
        due = []
        for one in self.goods.get("bought", ()):
            gap = one.gap
            if gap is not None and gap >= timedelta(days=3) and gap * 0.8 <= self.now - one.last <= gap * 3:
                due.append(one)
        return sorted(due, key=lambda one: (one.last + (one.gap or timedelta()), one.variant))
