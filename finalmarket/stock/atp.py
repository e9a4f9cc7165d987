"""Available to promise: the one formula, and the numbers that come from it.

`available` decides as `stock_reserve` (sql/4_reserve.sql) decides; the tests hold one against the other. Quantities are
whole units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from finalmarket.kernel.sql import Queries

if TYPE_CHECKING:
    from finalmarket.catalog.models import Variant
    from finalmarket.channels.models import SalesChannel
    from finalmarket.stock.why import Explanation

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
LOW_STOCK_THRESHOLD = 5
"""A variant is low when so many units or fewer are left and neither its policy nor its shelf names another number."""


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


def available(facts: Facts) -> int:
    """Return the units that the channel can promise now; never below zero. Pure: the same facts, the same number."""
    total = from_stock(facts) + facts.beyond
    limit = room(facts)
    return max(0, total if limit is None else min(total, limit))


@dataclass(frozen=True, slots=True)
class Level:
    """What one channel may sell of one variant, and where it stands.

    `available` is what a reservation would get; `beyond` the part of it that is not on the shelf (backorder,
    pre-order). `reason` says why the listing cannot be bought, empty when it can. For a bundle `available` counts whole
    bundles, and the counters are those of the component that limits it.
    """

    available: int
    on_hand: int
    reserved: int
    allocated: int
    safety: int
    status: str
    reason: str
    beyond: int = 0
    threshold: int = LOW_STOCK_THRESHOLD

    @property
    def offered(self) -> int:
        """What to show to buyers: nothing while the listing cannot be bought."""
        return 0 if self.reason else self.available


@dataclass(frozen=True, slots=True)
class PartFacts:
    """The facts of one component (or of the variant itself) for one channel, as the database gives them."""

    variant_id: int
    part_id: int
    each: int
    channel_id: int
    facts: Facts
    expired: int
    threshold: int | None
    closed: bool
    reason: str


def levels(variant_ids: Iterable[int], channel_ids: Iterable[int]) -> dict[tuple[int, int], Level]:
    """Return the level of every pair of these variants and channels, by one query; unknown ids are left out."""
    return {
        pair: _level(parts) for pair, parts in facts_by_pair(sorted(set(variant_ids)), sorted(set(channel_ids))).items()
    }


def level(variant_id: int, channel_id: int) -> Level:
    """Return the level of one variant on one channel. Raises KeyError when one of them does not exist."""
    return levels([variant_id], [channel_id])[variant_id, channel_id]


def status_of(units: int, threshold: int) -> str:
    """Return "out", "low" (`threshold` units or fewer) or "in_stock"."""
    if units <= 0:
        return "out"
    return "low" if units <= threshold else "in_stock"


def explain(variant: Variant, channel: SalesChannel) -> Explanation:
    """Return why the channel may sell as many of the variant as it may: every part, and in words (`str`)."""
    from finalmarket.stock import why  # it stands on this module

    return why.explain(variant, channel)


def facts_by_pair(variant_ids: Sequence[int], channel_ids: Sequence[int]) -> dict[tuple[int, int], list[PartFacts]]:
    """Return the facts behind every pair: one entry for a plain variant, one per component for a bundle."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["facts"], {"variants": list(variant_ids), "channels": list(channel_ids)})
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    pairs: dict[tuple[int, int], list[PartFacts]] = {}
    for row in rows:
        pairs.setdefault((row["variant_id"], row["channel_id"]), []).append(_part(row))
    return pairs


def _part(row: Mapping[str, Any]) -> PartFacts:
    return PartFacts(
        **{name: row[name] for name in ("variant_id", "part_id", "each", "channel_id", "expired", "threshold")},
        **{name: row[name] for name in ("closed", "reason")},
        facts=Facts(**{field.name: row[field.name] for field in fields(Facts)}),
    )


def _level(parts: Sequence[PartFacts]) -> Level:
    limiting = min(parts, key=lambda part: available(part.facts) // part.each)
    facts = limiting.facts
    total = 0 if limiting.closed else available(facts) // limiting.each
    shelf = min(available_now(part.facts) // part.each for part in parts)
    threshold = LOW_STOCK_THRESHOLD if limiting.threshold is None else limiting.threshold
    return Level(
        available=total,
        on_hand=facts.on_hand,
        reserved=facts.reserved,
        allocated=facts.allocated,
        safety=facts.safety,
        status=status_of(shelf, threshold),
        reason=limiting.reason,
        beyond=max(0, total - shelf),
        threshold=threshold,
    )


def available_now(facts: Facts) -> int:
    """Return the part of `available` that is on the shelf now."""
    limit = room(facts)
    reach = from_stock(facts)
    return max(0, reach if limit is None else min(reach, limit))
