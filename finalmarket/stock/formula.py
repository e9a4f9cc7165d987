"""The one formula: what a channel may sell of a variant. Pure, and as `stock_reserve` (sql/4_reserve.sql) decides; the
tests hold one against the other. Quantities are whole units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides what one channel may sell of one variant (never a bundle), at one moment.

    Holds past their end are already given back in these numbers. `fenced` counts all ring fences, the own one
    included; `lendable` what others lend to this channel, 0 when it does not borrow. `at_sources` is what lies free,
    beyond safety stock, where the channel sells from. `beyond` is how much may still be promised beyond stock.
    """

    on_hand: int
    reserved: int = 0
    allocated: int = 0
    safety: int = 0
    buffer: int = 0
    fenced: int = 0
    own_fence: int = 0
    lendable: int = 0
    uses_pool: bool = True
    at_sources: int = 0
    cap: int | None = None
    percent: int | None = None
    used: int = 0
    beyond: int = 0

    @property
    def foreign_fences(self) -> int:
        """Units in fences that this channel may not touch."""
        return self.fenced - self.own_fence - self.lendable


def available(facts: Facts) -> int:
    """Return the units that the channel can promise now; never below zero. The same facts, the same number."""
    total = from_stock(facts) + facts.beyond
    limit = room(facts)
    return max(0, total if limit is None else min(total, limit))


def available_now(facts: Facts) -> int:
    """Return the part of `available` that is on the shelf now."""
    reach = from_stock(facts)
    limit = room(facts)
    return max(0, reach if limit is None else min(reach, limit))


def from_stock(facts: Facts) -> int:
    """Return the units on the shelf that the channel may reach, before its cap and percentage."""
    free = facts.on_hand - facts.reserved - facts.allocated
    reach = free - facts.safety - facts.buffer - facts.foreign_fences
    if not facts.uses_pool:
        reach = min(reach, facts.own_fence + facts.lendable)
    return max(0, min(reach, facts.at_sources))


def room(facts: Facts) -> int | None:
    """Return how many more open units the channel may have by its cap and percentage; None: no limit."""
    limits = []
    if facts.cap is not None:
        limits.append(facts.cap - facts.used)
    if facts.percent is not None:
        limits.append(facts.percent * facts.on_hand // 100 - facts.used)
    return min(limits, default=None)
