"""Available to promise: what channels may sell, from the one formula (stock/formula.py)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finalmarket.stock.facts import PartFacts, facts_by_pair
from finalmarket.stock.formula import Facts, available, available_now

if TYPE_CHECKING:
    from finalmarket.catalog.models import Variant
    from finalmarket.channels.models import SalesChannel
    from finalmarket.stock.why import Explanation

__all__ = ["LOW_STOCK_THRESHOLD", "Facts", "Level", "available", "explain", "level", "levels", "status_of"]

LOW_STOCK_THRESHOLD = 5
"""A variant is low when so many units or fewer are left and neither its policy nor its shelf names another number."""


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
    from finalmarket.stock import why  # it asks more questions than most who need a level

    return why.explain(variant, channel)


def _level(parts: Sequence[PartFacts]) -> Level:
    sets = [available(part.facts) // part.each for part in parts]
    shelf = min(
        units if not part.facts.beyond else available_now(part.facts) // part.each
        for units, part in zip(sets, parts, strict=True)
    )
    limiting = parts[sets.index(min(sets))]
    facts = limiting.facts
    total = 0 if limiting.closed else min(sets)
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
