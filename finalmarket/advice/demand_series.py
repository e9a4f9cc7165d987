"""What was asked for at each shelf day by day, what lies there, and what is expected: the ground of advice about stock.

A shelf is one variant at one location. A day on which nothing could be bought there (nothing free at its beginning nor
at its end, by the ledger) and nothing was, says nothing of demand and is left out. Before the ledger knew the shelf
nobody knows what lay there: those days count as they are, which docs/advice.md says.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from finalmarket.advice import demand
from finalmarket.advice.demand import Forecast, Whole
from finalmarket.advice.demand_methods import WEEK, Array
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("demand.sql"))
WEEKS = 56
DAYS = WEEK * WEEKS
AT_ONCE = 2_000  # shelves that are forecast together: some 80 MB
LATELY_DAYS = 28
PRICED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Goods:
    """What a variant is called, costs and sells for; prices without a currency are not known."""

    sku: str
    title: str
    cost: Decimal | None
    cost_currency: str
    currency: str
    price: Decimal | None
    supplier: str


@dataclass(frozen=True, slots=True)
class Shelves:
    """All shelves that hold or sold something, each array one entry a shelf, in order of variant and location.

    `free` is what can be promised: without safety stock, may be negative. `lately_silent` counts days without stock
    in the last LATELY_DAYS, `last_sold_days` the days since the last sale (DAYS: none was seen), `on_shelf_days` for
    how many days up to the last one something lay there without a break, by the ledger, `tied` the share of its demand
    that no other place can serve.
    """

    last_day: date
    variant: Whole
    location: Whole
    on_hand: Whole
    free: Whole
    backordered: Array
    tied: Array
    lately_silent: Whole
    last_sold_days: Whole
    on_shelf_days: Whole
    forecast: Forecast

    def __len__(self) -> int:
        return len(self.variant)


def read(now: datetime) -> Shelves:
    """Read the facts up to the last day that is over and forecast each shelf. A handful of questions, however many
    there are."""
    last_day = _last_day(now)
    span = {"first": last_day - timedelta(days=DAYS - 1), "last": last_day, "now": now}
    sold, lying = _ask("sold", span), _ask("shelves", span)
    keys = sorted({(row[0], row[1]) for row in sold} | {(row[0], row[1]) for row in lying})
    place = {key: number for number, key in enumerate(keys)}
    now_there = np.zeros((len(keys), 4))
    now_there[:, 3] = DAYS
    for variant, location, on_hand, free, safety, known_from in lying:
        known = DAYS if known_from is None else known_from
        now_there[place[variant, location]] = on_hand, free, safety, known
    backordered = np.zeros(len(keys))
    for variant, location, units in _ask("backordered", span):
        if (variant, location) in place:
            backordered[place[variant, location]] = units
    sales, tied = _sparse(sold, place), _tied(sold, place)
    changes = _sparse(_ask("stock_changes", span), place)
    parts = [
        _part(range(begin, min(begin + AT_ONCE, len(keys))), sales, changes, now_there, last_day)
        for begin in range(0, len(keys), AT_ONCE)
    ] or [_part(range(0), sales, changes, now_there, last_day)]
    silent, since, lain, forecasts = zip(*parts, strict=True)
    pairs = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return Shelves(
        last_day, pairs[:, 0], pairs[:, 1], now_there[:, 0].astype(np.int64), now_there[:, 1].astype(np.int64),
        backordered, tied, np.concatenate(silent), np.concatenate(since), np.concatenate(lain),
        _joined(list(forecasts)),
    )  # fmt: skip


def _last_day(now: datetime) -> date:
    """The last day that is over on every channel that sells, and by the ledger's clock, UTC: a day of which a part is
    still to come would count as a weak one."""
    selling = SalesChannel.objects.filter(status=SalesChannel.Status.ACTIVE).order_by()
    days = {clock.day_in(zone, now) for zone in selling.values_list("time_zone", flat=True).distinct()}
    return min(days | {now.date()}) - timedelta(days=1)


def goods_of(variants: Whole, now: datetime) -> dict[int, Goods]:
    """What the named variants are called, cost and sell for."""
    values = {"variants": sorted({int(one) for one in variants}), "priced_since": now - timedelta(days=PRICED_DAYS)}
    return {row[0]: Goods(*row[1:]) for row in _ask("goods", values)}


def incoming(shelves: Shelves, now: datetime, within: Whole) -> Array:
    """Units on their way to each shelf that arrive within so many days of it."""
    place = {key: number for number, key in enumerate(zip(shelves.variant, shelves.location, strict=True))}
    found = np.zeros(len(shelves))
    for variant, location, units, days in _ask("incoming", {"now": now}):
        number = place.get((variant, location))
        if number is not None and days <= within[number]:
            found[number] += units
    return found


def _ask(name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        return list(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class _Sparse:
    """Units by shelf and day, in order of the shelf; `begins` says where each shelf's entries begin."""

    shelf: Whole
    day: Whole
    units: Array

    def dense(self, shelves: range) -> Array:
        first, last = np.searchsorted(self.shelf, [shelves.start, shelves.stop])
        found = np.zeros((len(shelves), DAYS))
        inside = slice(first, last)
        days = np.clip(self.day[inside], 0, DAYS - 1)  # today's changes belong to what comes after yesterday
        is_past = self.day[inside] < DAYS
        np.add.at(found, ((self.shelf[inside] - shelves.start)[is_past], days[is_past]), self.units[inside][is_past])
        return found

    def later(self, shelves: range) -> Array:
        """What happened after the last day."""
        first, last = np.searchsorted(self.shelf, [shelves.start, shelves.stop])
        found = np.zeros(len(shelves))
        is_later = self.day[first:last] >= DAYS
        np.add.at(found, self.shelf[first:last][is_later] - shelves.start, self.units[first:last][is_later])
        return found


def _sparse(rows: list[tuple[Any, ...]], place: dict[tuple[int, int], int]) -> _Sparse:
    known = [(place[row[0], row[1]], row[2], row[3]) for row in rows if (row[0], row[1]) in place]
    known.sort()
    table = np.array(known, dtype=float).reshape(-1, 3)
    return _Sparse(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def _tied(rows: list[tuple[Any, ...]], place: dict[tuple[int, int], int]) -> Array:
    """The share of each shelf's demand that comes from channels which sell from no other place."""
    sums = np.zeros((len(place), 2))
    for variant, location, _, units, tied in rows:
        sums[place[variant, location]] += units, tied
    return np.divide(sums[:, 1], sums[:, 0], out=np.zeros(len(place)), where=sums[:, 0] > 0)


def _part(
    shelves: range, sales: _Sparse, changes: _Sparse, now_there: Array, last_day: date
) -> tuple[Whole, Whole, Whole, Forecast]:
    """Days without stock lately, days since the last sale, days on the shelf without a break, and the forecast, for
    some of the shelves."""
    units = sales.dense(shelves)
    free, known_from = now_there[shelves.start : shelves.stop, 1], now_there[shelves.start : shelves.stop, 3]
    change = changes.dense(shelves)
    closing = (free - changes.later(shelves))[:, None] - (change[:, ::-1].cumsum(axis=1)[:, ::-1] - change)
    opening = closing - change
    day = np.arange(DAYS)
    is_known = day[None] >= known_from[:, None]
    is_silent = is_known & (opening <= 0) & (closing <= 0) & (units == 0)
    first_sale = np.where((units > 0).any(axis=1), (units > 0).argmax(axis=1), DAYS)
    begins = np.minimum(first_sale, known_from)
    since = _days_since(units > 0)
    lain = _days_since(~is_known | is_silent)
    lately = is_silent[:, -LATELY_DAYS:].sum(axis=1)
    units[is_silent | (day[None] < begins[:, None])] = np.nan
    return lately.astype(np.int64), since, lain, demand.forecast(units, last_day)


def _days_since(happened: npt.NDArray[np.bool_]) -> Whole:
    """The days since it last happened at each shelf; all that were looked at where it never did."""
    return np.where(happened.any(axis=1), happened[:, ::-1].argmax(axis=1), DAYS).astype(np.int64)


def _joined(parts: list[Forecast]) -> Forecast:
    """One forecast of several."""
    values: dict[str, Any] = {}
    for field in fields(Forecast):
        found = [getattr(part, field.name) for part in parts]
        if field.name == "last_day":
            values[field.name] = found[0]
        elif field.name == "method":
            values[field.name] = [name for part in found for name in part]
        else:
            values[field.name] = np.concatenate(found)
    return Forecast(**values)
