"""How long what is there will last, when to order, and how much.

The rule is the textbook's (R, s, S): a shelf is looked at every R days; what is ordered now arrives after the lead time
L. So what lies there and what is on its way must last L + R days: s, the reorder point, is what the demand of that time
does not pass with the probability of the service level. Below it, as much is ordered as fills up to S: s and the
demand of as many days as an order is to bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from finalmarket.advice.demand import Forecast, Whole, quantile
from finalmarket.advice.demand_methods import Array
from finalmarket.advice.demand_series import Goods, Shelves
from finalmarket.advice.models import SupplyTerm
from finalmarket.kernel.later import later
from finalmarket.stock.models import StockLocation

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = later("scipy.stats")

LEAST_RATE = 1 / 180  # who sells less than one in half a year is ordered when somebody asks


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of advice, before it is kept; the fields are those of StockAdvice."""

    kind: str
    variant_id: int
    quantity: int
    reason: str
    location_id: int | None = None
    source_id: int | None = None
    sales_channel_id: int | None = None
    worth: Decimal | None = None
    currency: str = ""
    rank: float = 0.0
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms the goods of each shelf come: arrays, one entry a shelf."""

    lead_days: Whole
    review_days: Whole
    order_days: Whole
    level: Array

    @property
    def cover_days(self) -> Whole:
        """What is there must last so many days."""
        return self.lead_days + self.review_days


@dataclass(frozen=True, slots=True)
class Position:
    """How each shelf stands: what is there and on its way less what is promised beyond it, and what will be asked for
    until a delivery that is ordered now has come."""

    terms: Terms
    coming: Array
    have: Array
    mean: Array
    spread: Array
    point: Array

    @property
    def shortfall(self) -> Array:
        """Units that will be asked for in that time and not be there, on average."""
        spread = np.maximum(self.spread, 1e-9)
        off = (self.have - self.mean) / spread
        lost = spread * (stats.norm.pdf(off) - off * stats.norm.sf(off))
        return np.where(self.mean > 0, np.minimum(lost, self.mean + np.maximum(-self.have, 0)), 0.0)


def terms_of(shelves: Shelves, goods: Mapping[int, Goods]) -> Terms:
    """Find the terms of each shelf: the supplier's at this location, else the supplier's, else the location's."""
    kept = {(one.location_id, one.supplier): one for one in SupplyTerm.objects.all()}
    usual = kept.get((None, ""), SupplyTerm())
    found = []
    for variant, location in zip(shelves.variant.tolist(), shelves.location.tolist(), strict=True):
        supplier = goods[variant].supplier
        named = [(location, supplier), (None, supplier)] if supplier else []
        found.append(next((kept[key] for key in [*named, (location, "")] if key in kept), usual))
    return Terms(
        np.array([one.lead_time_days for one in found], dtype=np.int64),
        np.array([one.review_days for one in found], dtype=np.int64),
        np.array([one.order_days for one in found], dtype=np.int64),
        np.array([one.service_level for one in found], dtype=np.float64),
    )


def over_each(forecast: Forecast, days: Whole) -> tuple[Array, Array]:
    """The mean and the spread of each shelf's demand over its own number of days."""
    mean, spread = np.zeros(len(days)), np.zeros(len(days))
    for length in np.unique(days).tolist():
        these = days == length
        every_mean, every_spread = forecast.over(int(length))
        mean[these], spread[these] = every_mean[these], every_spread[these]
    return mean, spread


def stand(shelves: Shelves, terms: Terms, coming: Array) -> Position:
    """Say how each shelf stands."""
    mean, spread = over_each(shelves.forecast, terms.cover_days)
    return Position(
        terms, coming, shelves.free + coming - shelves.backordered, mean, spread, quantile(mean, spread, terms.level)
    )


def hub_of(locations: Sequence[StockLocation]) -> dict[int, int]:
    """From where each location gets its goods: a store from the first warehouse, where there is one, others from their
    suppliers (themselves)."""
    warehouses = [one for one in locations if one.kind == StockLocation.Kind.WAREHOUSE]
    first = warehouses[0].pk if warehouses else None
    return {
        one.pk: first if one.kind == StockLocation.Kind.STORE and first is not None else one.pk for one in locations
    }


def reorder(
    shelves: Shelves, position: Position, moved: Array, goods: Mapping[int, Goods], hubs: Mapping[int, int],
    names: Mapping[int, str],
) -> list[Piece]:  # fmt: skip
    """Advise what to order from suppliers. `moved` are units that advised transfers bring to a shelf or take from it.

    What a store still lacks is ordered by its warehouse, once for all of them; what the warehouse has or awaits beyond
    its own reorder point goes to the stores first.
    """
    longer, _ = over_each(shelves.forecast, position.terms.cover_days + position.terms.order_days)
    up_to = np.ceil(position.point + longer - position.mean)
    have = position.have + moved
    is_needed = (have < position.point) & (shelves.forecast.rate >= LEAST_RATE)
    lacking = np.where(is_needed, np.maximum(up_to - have, 0), 0).astype(np.int64)
    surplus = np.maximum(have - position.point, 0).astype(np.int64)
    orders = _ordered_by_hubs(shelves, lacking, surplus, hubs)
    lost = position.shortfall
    return [
        _order(shelves, position, row, parts, lost, goods[int(shelves.variant[row])], names)
        for row, parts in sorted(orders.items())
    ]


def _ordered_by_hubs(
    shelves: Shelves, lacking: Whole, surplus: Whole, hubs: Mapping[int, int]
) -> dict[int, list[tuple[int, int]]]:
    """For each shelf that orders, the shelves that it orders for, with their units."""
    place = {key: row for row, key in enumerate(zip(shelves.variant.tolist(), shelves.location.tolist(), strict=True))}
    left = surplus.tolist()
    orders: dict[int, list[tuple[int, int]]] = {}
    for row in np.flatnonzero(lacking > 0).tolist():
        variant, location, units = int(shelves.variant[row]), int(shelves.location[row]), int(lacking[row])
        hub = place.get((variant, hubs.get(location, location)), row)
        spared = min(units, left[hub])  # nothing where a shelf orders for itself: who lacks has no surplus
        left[hub] -= spared
        if units > spared:
            orders.setdefault(hub, []).append((row, units - spared))
    return orders


def _order(
    shelves: Shelves, position: Position, row: int, parts: list[tuple[int, int]], lost: Array, goods: Goods,
    names: Mapping[int, str],
) -> Piece:  # fmt: skip
    quantity = sum(units for _, units in parts)
    shortfall = float(sum(lost[one] for one, _ in parts))
    worth = None if goods.price is None else round(goods.price * Decimal(f"{shortfall:.3f}"), 2)
    main = row if any(one == row for one, _ in parts) else parts[0][0]
    terms, level = position.terms, float(position.terms.level[main])
    cover = int(terms.cover_days[main])
    reason = (
        f"{said_there(shelves, position, main, names)} {said_asked(shelves, position, main, cover)}, "
        f"{says_level(level)} no more than {position.point[main]:,.0f}. An order of now arrives in "
        f"{terms.lead_days[main]} days and is looked at again {terms.review_days[main]} days later"
    )
    others = [(one, units) for one, units in parts if one != main]
    if others:
        listed = ", ".join(f"{units:,} for {names[int(shelves.location[one])]}" for one, units in others)
        reason += f"; besides it takes {listed}"
    reason += f"; {quantity:,} units last {terms.order_days[main]} days more."
    return Piece(
        "reorder", int(shelves.variant[row]), quantity, reason[:1000], location_id=int(shelves.location[row]),
        worth=worth, currency=goods.currency if worth is not None else "", rank=float(worth or 0),
        numbers=behind(shelves, position, main) | {
            "lead_days": int(terms.lead_days[main]), "review_days": int(terms.review_days[main]),
            "order_days": int(terms.order_days[main]), "supplier": goods.supplier,
            "lost_units": round(shortfall, 2), "for_others": sum(units for _, units in others),
        },
    )  # fmt: skip


def behind(shelves: Shelves, position: Position, row: int) -> dict[str, Any]:
    """The numbers behind advice about a shelf."""
    rate = float(shelves.forecast.rate[row])
    return {
        "free": int(shelves.free[row]), "coming": int(position.coming[row]),
        "backordered": int(shelves.backordered[row]), "rate": round(rate, 4),
        "days_of_cover": round(max(float(shelves.free[row]), 0.0) / rate, 1) if rate > 0 else None,
        "cover_days": int(position.terms.cover_days[row]), "demand": round(float(position.mean[row]), 2),
        "spread": round(float(position.spread[row]), 2), "reorder_point": int(position.point[row]),
        "service_level": float(position.terms.level[row]), "method": shelves.forecast.method[row],
        "known_days": int(shelves.forecast.known_days[row]), "silent_days": int(shelves.forecast.silent_days[row]),
        "lately_silent": int(shelves.lately_silent[row]),
    }  # fmt: skip


def said_there(shelves: Shelves, position: Position, row: int, names: Mapping[int, str]) -> str:
    """What is there, on its way and promised, in words, and how long it lasts."""
    rate, free = float(shelves.forecast.rate[row]), int(shelves.free[row])
    words = f"{names[int(shelves.location[row])]} has {free:,} free"
    if position.coming[row]:
        words += f", {position.coming[row]:,.0f} on the way"
    if shelves.backordered[row]:
        words += f", {shelves.backordered[row]:,.0f} promised beyond that"
    if rate > 0:
        words += f"; at {a_day(rate)} that lasts {max(position.have[row], 0) / rate:,.0f} days"
    return f"{words}."


def said_asked(shelves: Shelves, position: Position, row: int, days: int) -> str:
    """What will be asked for, in words; days without stock are named, because they were left out."""
    words = f"In {days} days {position.mean[row]:,.0f} units are asked for on average"
    silent = int(shelves.forecast.silent_days[row])
    return f"{words} ({silent} days without stock left out)" if silent else words


def a_day(rate: float) -> str:
    """A rate as people say it."""
    if rate >= 1:
        return f"{rate:,.1f} a day"
    return f"{rate * 7:.1f} a week" if rate * 7 >= 1 else f"{rate * 30:.1f} a month"


def says_level(level: float) -> str:
    """A service level as people say it: 19 times in 20."""
    out_of = round(1 / (1 - level)) if level < 1 else 1_000
    return f"{out_of - 1} times in {out_of}"
