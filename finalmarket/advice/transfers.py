"""Transfers between places that would have sold, and ring fences that keep goods from those who ask for them.

A transfer pays where a place that others cannot serve for runs dry while another one has more than it needs itself. So
its gain is counted on the part of the demand that comes from channels which sell from that place alone: what a web shop
can also send from elsewhere is not lost when one shelf is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from finalmarket.advice.demand import Whole, more_than, quantile
from finalmarket.advice.demand_methods import Array
from finalmarket.advice.demand_series import LATELY_DAYS, Goods, Shelves
from finalmarket.advice.replenishment import Piece, Position, a_day, behind, over_each, said_there
from finalmarket.kernel.plural import plural

ON_THE_WAY_DAYS = 3
LEAST_GAIN_UNITS = 0.5


@dataclass(frozen=True, slots=True)
class _Offer:
    """Units that a shelf could send, or lacks."""

    row: int
    units: int


def between_places(
    shelves: Shelves, position: Position, goods: Mapping[int, Goods], names: Mapping[int, str]
) -> tuple[list[Piece], Array]:
    """Advise transfers; return them, and by how many units they change what each shelf has."""
    dry_days = position.terms.review_days + ON_THE_WAY_DAYS
    mean, spread = over_each(shelves.forecast, dry_days)
    is_dry = position.have <= quantile(mean, spread, position.terms.level)
    lacks = np.where(is_dry & (shelves.tied > 0), np.maximum(position.point - position.have, 0), 0).astype(np.int64)
    spare = np.maximum(np.minimum(shelves.free, position.have) - position.point, 0).astype(np.int64)
    moved, pieces = np.zeros(len(shelves)), []
    for receivers, senders in _pairs(shelves, lacks, spare):
        left = {one.row: one.units for one in senders}
        for receiver in receivers:
            sender = max(left, key=lambda row: (left[row], -row))
            units = min(receiver.units, left[sender])
            if units < 1:
                break
            piece = _transfer(shelves, position, (sender, receiver.row), units, goods, names)
            if piece is not None:
                pieces.append(piece)
                left[sender] -= units
                moved[sender] -= units
                moved[receiver.row] += units
    return pieces, moved


def _pairs(shelves: Shelves, lacks: Whole, spare: Whole) -> Iterator[tuple[list[_Offer], list[_Offer]]]:
    """Yield, for each variant that lies apart, who lacks it (the most first) and who has too much of it."""
    begins = np.flatnonzero(np.diff(shelves.variant, prepend=-1)).tolist()
    for begin, end in zip(begins, [*begins[1:], len(shelves)], strict=True):
        rows = range(begin, end)
        receivers = [_Offer(row, int(lacks[row])) for row in rows if lacks[row] > 0]
        senders = [_Offer(row, int(spare[row])) for row in rows if spare[row] > 0 and not lacks[row]]
        if receivers and senders:
            yield sorted(receivers, key=lambda one: (-one.units, one.row)), senders


def _transfer(
    shelves: Shelves, position: Position, way: tuple[int, int], units: int, goods: Mapping[int, Goods],
    names: Mapping[int, str],
) -> Piece | None:  # fmt: skip
    """Advise one transfer, or none where hardly a unit more would be sold by it."""
    sender, receiver = way
    have = max(int(position.have[receiver]), 0)
    chances = more_than(
        float(position.mean[receiver]), float(position.spread[receiver]), have + np.arange(units, dtype=float)
    )
    gain = float(chances.sum() * shelves.tied[receiver])
    if gain < LEAST_GAIN_UNITS:
        return None
    known = goods[int(shelves.variant[receiver])]
    worth = None if known.price is None else round(known.price * Decimal(f"{gain:.3f}"), 2)
    cover, silent = int(position.terms.cover_days[receiver]), int(shelves.lately_silent[receiver])
    reason = (
        f"{said_there(shelves, position, receiver, names)} In {cover} days {position.mean[receiver]:,.0f} units are "
        f"asked for there. {names[int(shelves.location[sender])]} has {int(shelves.free[sender]):,} free and needs "
        f"{position.point[sender]:,.0f} of them itself. Of {units:,} units sent, {gain:,.1f} would be sold that "
        f"otherwise would not: {shelves.tied[receiver]:.0%} of the demand comes from channels that sell from no other "
        f"place."
    )
    if silent:
        missed = silent * float(shelves.forecast.rate[receiver]) * float(shelves.tied[receiver])
        reason += (
            f" In the last {LATELY_DAYS} days the shelf was empty on {silent}, on which about {missed:,.1f} would "
            f"have been sold."
        )
    numbers = behind(shelves, position, receiver) | {
        "gain_units": round(gain, 2), "tied": round(float(shelves.tied[receiver]), 3),
        "source_free": int(shelves.free[sender]), "source_keeps": int(position.point[sender]),
    }  # fmt: skip
    return Piece(
        "transfer", int(shelves.variant[receiver]), units, reason[:1000], location_id=int(shelves.location[receiver]),
        source_id=int(shelves.location[sender]), worth=worth, currency=known.currency if worth is not None else "",
        rank=float(worth or 0), numbers=numbers,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fence:
    """A ring fence: what is left of it, and what its channel sold of the variant lately."""

    variant: int
    channel: int
    name: str
    allotment: int
    left: int
    uses_pool: bool
    sold: float


def fences(
    shelves: Shelves, position: Position, found: list[Fence], unfenced: Mapping[int, int], goods: Mapping[int, Goods]
) -> list[Piece]:
    """Advise which ring fences to open for the others, and which to fill from what nobody else needs."""
    rows: dict[int, list[int]] = {}
    for row, variant in enumerate(shelves.variant.tolist()):
        rows.setdefault(variant, []).append(row)
    by_variant: dict[int, list[Fence]] = {}
    for fence in found:
        by_variant.setdefault(fence.variant, []).append(fence)
    pieces: list[Piece] = []
    for variant, own in by_variant.items():
        if variant in rows:
            pieces += _of_variant(shelves, position, rows[variant], own, unfenced.get(variant, 0), goods[variant])
    return pieces


def _of_variant(
    shelves: Shelves, position: Position, rows: list[int], own: list[Fence], unfenced: int, goods: Goods
) -> Iterator[Piece]:
    mean, spread = float(position.mean[rows].sum()), float(np.sqrt((position.spread[rows] ** 2).sum()))
    rate = float(shelves.forecast.rate[rows].sum())
    level, days = float(position.terms.level[rows[0]]), int(position.terms.cover_days[rows].max())
    sold = rate * 90  # what the forecast makes of a quarter; the shares of the channels are of their last quarter
    whole = max(sold, sum(fence.sold for fence in own), 1e-9)
    shares = {fence.channel: fence.sold / whole for fence in own}
    rest = max(1 - sum(shares.values()), 0.0)
    others_need = _need(mean * rest, spread * np.sqrt(rest), level)
    coming = float(position.coming[rows].sum())
    lacking, spare = others_need - max(unfenced, 0) - coming, unfenced - others_need
    for fence in sorted(own, key=lambda one: (-one.left, one.channel)):
        share = shares[fence.channel]
        need = _need(mean * share, spread * np.sqrt(share), level)
        idle = fence.left - need
        if lacking >= 1 and idle >= 1:
            units = int(min(lacking, idle))
            lacking -= units
            yield _fence_piece("release_fence", fence, units, need, (others_need, unfenced, rate, days), goods)
        elif spare >= 1 and not fence.uses_pool and fence.left < need:
            units = int(min(spare, need - fence.left))
            spare -= units
            yield _fence_piece("raise_fence", fence, units, need, (others_need, unfenced, rate, days), goods)


def _need(mean: float, spread: float, level: float) -> int:
    return int(quantile(np.array([mean]), np.array([max(spread, np.sqrt(mean))]), level)[0])


def _fence_piece(
    kind: str, fence: Fence, units: int, need: int, facts: tuple[int, int, float, int], goods: Goods
) -> Piece:
    others_need, unfenced, rate, days = facts
    own = f"{fence.name} sold {fence.sold:,.0f} of it in 90 days; in {days} days it needs no more than {need:,}"
    if kind == "release_fence":
        reason = (
            f"{plural(fence.left, 'unit is', 'units are')} fenced for {fence.name}. {own}. The other channels can "
            f"reach {max(unfenced, 0):,} and need up to {others_need:,} in that time ({a_day(rate)} on all channels): "
            f"{plural(units, 'unit')} of the fence would sell elsewhere."
        )
    else:
        reason = (
            f"{fence.name} sells from its ring fence alone, and {plural(fence.left, 'is', 'are')} left in it. {own}. "
            f"The other channels need up to {others_need:,} of the "
            f"{plural(unfenced, 'unit that is', 'units that are')} not fenced: {units:,} can go into the fence."
        )
    worth = None if goods.price is None else round(goods.price * units, 2)
    numbers = {
        "left": fence.left, "allotment": fence.allotment, "sold": fence.sold, "need": need, "unfenced": unfenced,
        "others_need": others_need, "rate": round(rate, 4), "cover_days": days,
    }  # fmt: skip
    return Piece(
        kind, fence.variant, units, reason[:1000], sales_channel_id=fence.channel, worth=worth,
        currency=goods.currency if worth is not None else "", rank=float(worth or 0), numbers=numbers,
    )  # fmt: skip
