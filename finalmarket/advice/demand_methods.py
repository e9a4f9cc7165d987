"""Ways to say how many units a day will be asked for, for thousands of series at once.

A series is a row of days; a day that says nothing (the shelf was empty, the thing was not on sale yet) is NaN and
changes no state. Every method returns the rate that it would have told at the end of each day, so that one pass serves
the forecast and every origin of a backtest.

Simple smoothing: Brown (1959). Damped trend: Gardner and McKenzie (1985). Rare sellers: Croston (1972), with the
correction of Syntetos and Boylan (2005), and Teunter, Syntetos and Babai (2011), whose rate falls while nothing sells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
WEEK = 7
BEGINNING_DAYS = 28
DAMPING = 0.98
LEAST_TREND_DAYS = 56


@dataclass(frozen=True, slots=True)
class Told:
    """What a method told at the end of each day: units a day (`rate`, series x days), and by how much that changes from
    day to day (`slope`, damped by DAMPING; None: not at all)."""

    rate: Array
    slope: Array | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method with its constants; one that `is_for_rare` is tried on what sells on few days alone."""

    name: str
    tell: Callable[[Array], Told]
    is_for_rare: bool = False


def known_mean(values: Array, axis: int = -1, *, empty: float = 0.0) -> Array:
    """The mean along an axis over what is not NaN; `empty` where all is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=axis)
    sums = np.where(known, values, 0.0).sum(axis=axis)
    return cast("Array", np.divide(sums, counts, out=np.full(counts.shape, empty), where=counts > 0))


def mean_of_first(units: Array, days: int = BEGINNING_DAYS) -> Array:
    """The mean of the first `days` days that say something; 0 where none does."""
    is_early = np.cumsum(~np.isnan(units), axis=1) <= days
    return known_mean(np.where(is_early, units, np.nan))


def last_week(units: Array) -> Told:
    """What was asked for on the last seven days that say something: the naive forecast of a week."""
    return moving_average(units, WEEK)


def moving_average(units: Array, days: int) -> Told:
    """The mean of the last `days` days that say something."""
    known = ~np.isnan(units)
    sums = np.cumsum(np.where(known, units, 0.0), axis=1)
    counts = np.cumsum(known, axis=1)
    if known.all():
        before = np.zeros_like(sums)
        before[:, days:] = sums[:, :-days]
        return Told((sums - before) / np.minimum(counts, days))
    rate = np.zeros_like(sums)
    for row in range(len(units)):
        days_known = np.flatnonzero(known[row])
        if not len(days_known):
            continue
        running = np.concatenate(([0.0], np.cumsum(units[row, days_known])))
        upto = counts[row]
        least = np.maximum(upto - days, 0)
        rate[row] = (running[upto] - running[least]) / np.maximum(upto - least, 1)
    return Told(rate)


def evened(rate: Array) -> Array:
    """The mean of what was told on the last seven days, so that it does not matter which weekday it is today."""
    return moving_average(rate, WEEK).rate


def smoothed(units: Array, alpha: float) -> Told:
    """Simple exponential smoothing: each day moves the level by `alpha` of what it was off."""
    level = mean_of_first(units)
    rate = np.empty_like(units)
    for day in range(units.shape[1]):
        today = units[:, day]
        level = np.where(np.isnan(today), level, level + alpha * (today - level))
        rate[:, day] = level
    return Told(evened(rate))


def trended(units: Array, alpha: float, beta: float) -> Told:
    """Smoothing of a level and of its slope, which is damped: a rise goes on for a while and levels off.

    The slope rests until LEAST_TREND_DAYS days have said something: a trend of a few days is none.
    """
    level, slope = mean_of_first(units), np.zeros(len(units))
    seen = np.zeros(len(units), dtype=np.int64)
    rate, slopes = np.empty_like(units), np.empty_like(units)
    for day in range(units.shape[1]):
        today = units[:, day]
        is_known = ~np.isnan(today)
        seen += is_known
        expected = level + DAMPING * slope
        off = np.where(is_known, today - expected, 0.0)
        level = np.maximum(expected + alpha * off, 0.0)
        slope = np.where(seen >= LEAST_TREND_DAYS, DAMPING * slope + alpha * beta * off, 0.0)
        rate[:, day], slopes[:, day] = level, slope
    return Told(np.maximum(evened(rate) + (WEEK // 2) * slopes, 0.0), slopes)


def croston(units: Array, alpha: float, *, corrected: bool = False) -> Told:
    """The size of a sale over the days between two sales, each smoothed when something sells.

    `corrected` takes away the share by which the quotient is too high (Syntetos and Boylan).
    """
    known = np.nan_to_num(units)
    positive = known > 0
    is_early = np.cumsum(~np.isnan(units), axis=1) <= BEGINNING_DAYS
    size = mean_of_first(np.where(positive, units, np.nan))
    chance = known_mean(np.where(is_early & ~np.isnan(units), positive.astype(float), np.nan))
    gap = np.divide(1.0, chance, out=np.full(len(units), float(BEGINNING_DAYS)), where=chance > 0)
    waited = np.zeros(len(units))
    has_sold = np.zeros(len(units), dtype=bool)
    factor = 1 - alpha / 2 if corrected else 1.0
    rate = np.empty_like(units)
    for day in range(units.shape[1]):
        waited += ~np.isnan(units[:, day])
        sells = positive[:, day]
        size = np.where(sells & has_sold, size + alpha * (known[:, day] - size), size)
        gap = np.where(sells & has_sold, gap + alpha * (waited - gap), gap)
        waited = np.where(sells, 0.0, waited)
        has_sold |= sells
        rate[:, day] = np.where(has_sold, factor * size / gap, 0.0)
    return Told(evened(rate))


def fading(units: Array, alpha: float, beta: float) -> Told:
    """The size of a sale times the chance of one: the chance falls with every day on which nothing sells."""
    sold = np.where(units > 0, 1.0, np.where(np.isnan(units), np.nan, 0.0))
    chance = mean_of_first(sold)
    sizes = np.where(units > 0, units, np.nan)
    size = mean_of_first(sizes, 5)
    rate = np.empty_like(units)
    for day in range(units.shape[1]):
        today = units[:, day]
        chance = np.where(np.isnan(today), chance, chance + beta * (np.nan_to_num(sold[:, day]) - chance))
        size = np.where(today > 0, size + alpha * (np.nan_to_num(today) - size), size)
        rate[:, day] = chance * size
    return Told(evened(rate))


def blended(units: Array) -> Told:
    """The mean of a slow and a quick smoothing: hard to beat, so what a series gets unless another proves better."""
    return Told((smoothed(units, 0.05).rate + smoothed(units, 0.1).rate) / 2)


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("blend", blended),
        Method("smoothing 0.02", lambda units: smoothed(units, 0.02)),
        Method("smoothing 0.05", lambda units: smoothed(units, 0.05)),
        Method("smoothing 0.1", lambda units: smoothed(units, 0.1)),
        Method("trend 0.03", lambda units: trended(units, 0.03, 0.02)),
        Method("Croston 0.1", lambda units: croston(units, 0.1), is_for_rare=True),
        Method("SBA 0.1", lambda units: croston(units, 0.1, corrected=True), is_for_rare=True),
        Method("TSB 0.05", lambda units: fading(units, 0.1, 0.05), is_for_rare=True),
        Method("TSB 0.1", lambda units: fading(units, 0.1, 0.1), is_for_rare=True),
    )
}
"""What a series may be told by; the first is what it gets unless another proves better."""
BASELINES: Mapping[str, Method] = {
    "last week": Method("last week", last_week),
    "moving average": Method("moving average", lambda units: moving_average(units, 28)),
}
