"""The facts behind what channels may sell, read by one statement and put together here, pair by pair.

Holds past their end count as given back, released or not: to the shelf, to the fences, to the channel's room.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

from finalmarket.kernel.sql import Queries
from finalmarket.stock.formula import Facts

QUERIES = Queries(Path(__file__).with_name("facts.sql"))


@dataclass(frozen=True, slots=True)
class PartFacts:
    """The facts of one component (or of the variant itself) for one channel; a bundle needs `each` of them.

    `expired` counts units of holds past their end. `closed` says that the channel takes no holds; `reason` why the
    listing cannot be bought, empty when it can.
    """

    variant_id: int
    part_id: int
    each: int
    channel_id: int
    facts: Facts
    expired: int
    threshold: int | None
    closed: bool
    reason: str


def facts_by_pair(variant_ids: Sequence[int], channel_ids: Sequence[int]) -> dict[tuple[int, int], list[PartFacts]]:
    """Return the facts behind every pair: one entry for a plain variant, one per component for a bundle."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["facts"], {"variants": list(variant_ids), "channels": list(channel_ids)})
        row = cursor.fetchone()
    found = _Found(*(json.loads(rows) if isinstance(rows, str) else rows or [] for rows in row))
    return {
        (variant_id, channel_id): found.parts(variant_id, channel_id)
        for variant_id in sorted(found.variants)
        for channel_id in sorted(found.channels)
    }


class _Policy(NamedTuple):
    uses_pool: bool = True
    fence_left: int = 0
    cap: int | None = None
    percent: int | None = None
    buffer: int = 0
    lends: bool = False
    borrows: bool = False
    used: int = 0
    allows_backorder: bool = False
    horizon_days: int = 0
    threshold: int | None = None


class _Pool(NamedTuple):
    on_hand: int
    reserved: int
    allocated: int
    safety: int
    backordered: int
    backorder_limit: int


class _Item(NamedTuple):
    location_id: int
    free: int
    threshold: int | None


class _Variant(NamedTuple):
    sku: str
    is_active: bool
    status: str


class _Channel(NamedTuple):
    name: str
    status: str
    is_paused: bool
    pause_reason: str
    currency: str


class _Found:
    """The rows of one answer, by their keys, with what ended holds give back added to them."""

    def __init__(self, *answers: list[Any]) -> None:
        (variants, bundles, channels, sources, places, pools, items, policies, ended, coming, listings, prices) = (
            answers
        )
        self.variants = {row[0]: _Variant(*row[1:]) for row in variants}
        self.channels = {row[0]: _Channel(*row[1:]) for row in channels}
        self.pools = {row[0]: _Pool(*row[1:]) for row in pools}
        self.policies = {(row[0], row[1]): _Policy(*row[2:]) for row in policies}
        self.listings = {(row[0], row[1]): row[2:] for row in listings}
        self.prices = {(variant, currency) for variant, currency in prices}
        self.active = frozenset(places)
        self.sources: dict[int, set[int]] = defaultdict(set)
        self.recipes: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.coming: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for channel, location in sources:
            self.sources[channel].add(location)
        for bundle, component, quantity in bundles:
            self.recipes[bundle].append((component, quantity))
        for variant, units, days in coming:
            self.coming[variant].append((units, days))
        self._take_back(ended)
        self.items: dict[int, list[_Item]] = defaultdict(list)
        for variant, location, free, safety, threshold in items:
            left = max(0, free + self.shelf_back[variant, location] - safety)
            self.items[variant].append(_Item(location, left, threshold))

    def _take_back(self, ended: list[Any]) -> None:
        self.expired: Counter[int] = Counter()
        self.beyond_back: Counter[int] = Counter()
        self.shelf_back: Counter[tuple[int, int]] = Counter()
        self.used_back: Counter[tuple[int, int]] = Counter()
        self.fence_back: Counter[tuple[int, int]] = Counter()
        for variant, location, channel, quantity, from_fence, lender, is_backorder in ended:
            if is_backorder:
                self.beyond_back[variant] += quantity
                continue
            self.expired[variant] += quantity
            self.shelf_back[variant, location] += quantity
            self.used_back[variant, channel] += quantity
            self.fence_back[variant, channel] += from_fence
            if lender is not None:
                self.fence_back[variant, lender] += quantity

    @cached_property
    def fences(self) -> tuple[Counter[int], Counter[int]]:
        """Units in all fences, and in those that lend, by variant."""
        fenced: Counter[int] = Counter()
        lent: Counter[int] = Counter()
        for (variant, channel), policy in self.policies.items():
            units = policy.fence_left + self.fence_back[variant, channel]
            fenced[variant] += units
            lent[variant] += units if policy.lends else 0
        return fenced, lent

    def parts(self, variant_id: int, channel_id: int) -> list[PartFacts]:
        """The facts of one pair."""
        channel = self.channels[channel_id]
        reason = self._reason(variant_id, channel_id, channel)
        closed = channel.status != "active" or channel.is_paused
        own = self.policies.get((variant_id, channel_id), _Policy()).threshold
        found = []
        for part_id, each in self.recipes.get(variant_id, [(variant_id, 1)]):
            here = self._items_at_sources(part_id, channel_id)
            shelf = max((item.threshold for item in here if item.threshold is not None), default=None)
            policy = self.policies.get((part_id, channel_id), _Policy())
            threshold = next((t for t in (own, policy.threshold, shelf) if t is not None), None)
            facts = self._facts(part_id, channel_id, policy, sum(item.free for item in here))
            expired = self.expired[part_id]
            found.append(PartFacts(variant_id, part_id, each, channel_id, facts, expired, threshold, closed, reason))
        return found

    def _facts(self, part_id: int, channel_id: int, policy: _Policy, at_sources: int) -> Facts:
        pool = self.pools[part_id]
        fenced, lent = self.fences
        own_fence = policy.fence_left + self.fence_back[part_id, channel_id]
        lendable = lent[part_id] - (own_fence if policy.lends else 0)
        return Facts(
            on_hand=pool.on_hand,
            reserved=pool.reserved - self.expired[part_id],
            allocated=pool.allocated,
            safety=pool.safety,
            buffer=policy.buffer,
            fenced=fenced[part_id],
            own_fence=own_fence,
            lendable=lendable if policy.borrows else 0,
            uses_pool=policy.uses_pool,
            at_sources=at_sources,
            cap=policy.cap,
            percent=policy.percent,
            used=policy.used - self.used_back[part_id, channel_id],
            beyond=self._room_beyond(part_id, policy, pool),
        )

    def _room_beyond(self, part_id: int, policy: _Policy, pool: _Pool) -> int:
        if not policy.allows_backorder and policy.horizon_days <= 0:
            return 0
        room = pool.backorder_limit if policy.allows_backorder else 0
        if policy.horizon_days > 0:
            room += sum(units for units, days in self.coming[part_id] if days <= policy.horizon_days)
        return max(0, room - pool.backordered + self.beyond_back[part_id])

    def _items_at_sources(self, part_id: int, channel_id: int) -> list[_Item]:
        sources = self.sources.get(channel_id)
        return [
            item
            for item in self.items.get(part_id, ())
            if item.location_id in self.active and (sources is None or item.location_id in sources)
        ]

    def _reason(self, variant_id: int, channel_id: int, channel: _Channel) -> str:
        """Why nobody can buy it, in the order and words of `ListingVerbs.reason_not_sellable`."""
        sku, is_active, status = self.variants[variant_id]
        listing = self.listings.get((variant_id, channel_id))
        if channel.status != "active":
            return f"{channel.name} is {channel.status}"
        if channel.is_paused:
            return f"{channel.name} is paused: {channel.pause_reason}"
        if listing is None:
            return f"{sku} is not listed on {channel.name}"
        is_available, is_early, is_late, currencies = listing
        is_priced = channel.currency in (currencies or ()) or (variant_id, channel.currency) in self.prices
        checks = (
            (not is_available, "the listing is switched off"),
            (not is_active, f"{sku} is switched off"),
            (status != "active", f"the product is {status}"),
            (is_early, "not published yet"),
            (is_late, "no longer published"),
            (not is_priced, f"{sku} has no price in {channel.currency}"),
        )
        return next((said for failed, said in checks if failed), "")
