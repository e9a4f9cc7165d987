"""How many units a day will be asked for, how sure that is, and which method says so.

Thousands of series are forecast at once by numpy. Each gets the blend of two exponential smoothings, unless another
method does better on the weeks just past by more than chance explains (`choose`): whoever takes the method that was
best on a few weeks takes luck for skill. `finalmarket bench demand` shows what that is worth on real orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from finalmarket.advice.demand_methods import DAMPING, METHODS, WEEK, Array, Told, known_mean
from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = later("scipy.stats")

ORIGINS = 16
HORIZON_WEEKS = 4
FEWEST_DAYS = 28  # a series that says less is told its own mean, with a wide interval
LEAST_GAIN, LEAST_ERRORS = 0.10, 3.0
SEASON_WEEKS, SEASON_UNITS, CLOSED_UNITS = 8, 56.0, 10.0
RARE_SHARE = 0.3  # sells on fewer of its days than this: a rare seller
KNOWN_SHARE = 0.5  # of the days of a week that must say something for it to count in a backtest
WIDER_THAN_CHANCE = 1.05
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What each method said at each origin, against what came: arrays of methods x origins x series.

    `week_error` is mean absolute over the weeks after an origin, `next_error` that of the next week and `sum_error`
    that of all weeks together (both signed: what came less what was told). NaN where nothing can be compared.
    """

    names: tuple[str, ...]
    week_error: Array
    next_error: Array
    sum_error: Array
    sum_told: Array
    sum_came: Array


@dataclass(frozen=True, slots=True)
class Forecast:
    """The demand of each series from the day after the last one on.

    `rate` is units a day, `slope` its change from day to day, `profile` the weekdays' factors (Monday first, mean 1).
    `week_sd` and `growth` say how far off sums are: sd of w weeks = week_sd * w ** growth. `mase` is the mean absolute
    error of the weeks of the backtest over that of the naive forecast before it; NaN where there was too little.
    """

    last_day: date
    rate: Array
    slope: Array
    profile: Array
    week_sd: Array
    growth: Array
    method: list[str]
    mase: Array
    known_days: Whole
    silent_days: Whole

    def over(self, days: int) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of the demand of the next `days` days, in units."""
        ahead = np.arange(1, days + 1)
        weekdays = (self.last_day.weekday() + ahead) % WEEK
        daily = np.maximum(self.rate[:, None] + self.slope[:, None] * np.cumsum(DAMPING**ahead), 0.0)
        mean = (daily * self.profile[:, weekdays]).sum(axis=1)
        spread = self.week_sd * (days / WEEK) ** self.growth
        return mean, np.maximum(spread, np.sqrt(mean))


def quantile(mean: Array, spread: Array, level: float | Array) -> Array:
    """Return the whole units that the demand does not pass with probability `level`; 0 where nothing is expected.

    Poisson where the spread is what chance alone makes it, else normal: what wide spreads are made of are single large
    orders, for which a negative binomial promises too much (it puts its weight on zero).
    """
    wide = spread**2 > mean * WIDER_THAN_CHANCE
    normal = np.ceil(np.maximum(mean + stats.norm.ppf(level) * spread, 0.0))
    found = np.where(wide, normal, stats.poisson.ppf(level, np.where(mean > 0, mean, 1.0)))
    return np.where(mean > 0, found, 0.0)


def more_than(mean: float, spread: float, units: Array) -> Array:
    """Return the probability that more than each number of `units` is asked for, by the same distributions."""
    if mean <= 0:
        return np.zeros(len(units))
    if spread**2 > mean * WIDER_THAN_CHANCE:
        return cast("Array", stats.norm.sf(units + 0.5, mean, spread))
    return cast("Array", stats.poisson.sf(units, mean))


def forecast(units: Array, last_day: date) -> Forecast:
    """Forecast each row of `units` (series x days, the last column is `last_day`, NaN: the day says nothing).

    Never raises for a series that says little: it gets its own mean.
    """
    known = ~np.isnan(units)
    first_weekday = (last_day.weekday() - units.shape[1] + 1) % WEEK
    profile = week_profile(units, first_weekday)
    told = {name: method.tell(units) for name, method in METHODS.items()}
    tested = backtest(units, told, profile, first_weekday)
    best = choose(tested, rare(units))
    has_enough = known.sum(axis=1) >= FEWEST_DAYS
    rate, slope = _pick(told, best)
    rate = np.where(has_enough, rate, known_mean(units))
    week_sd, growth = _spread(tested, best, rate)
    scale = naive_scale(units, ORIGINS + HORIZON_WEEKS)
    error = _of_best(_over_origins(tested.week_error), best)
    mase = np.divide(error, scale, out=np.full(len(units), np.nan), where=(scale > 0) & has_enough)
    names = [list(METHODS)[one] if enough else "mean" for one, enough in zip(best, has_enough, strict=True)]
    began = np.where(known.any(axis=1), known.argmax(axis=1), units.shape[1])
    return Forecast(
        last_day, rate, np.where(has_enough, slope, 0.0), profile, week_sd, growth, names, mase,
        known.sum(axis=1).astype(np.int64), (units.shape[1] - began - known.sum(axis=1)).astype(np.int64),
    )  # fmt: skip


def rare(units: Array) -> Flags:
    """Whether each series sells on so few of its days that methods for rare sellers are tried on it."""
    days = (~np.isnan(units)).sum(axis=1)
    return cast("Flags", (units > 0).sum(axis=1) < RARE_SHARE * days)


def week_profile(units: Array, first_weekday: int) -> Array:
    """Return the factors of the weekdays, Monday first, with mean 1; all 1 where there is too little to tell.

    A weekday on which nothing was ever sold, although so much was to be expected, is closed: factor 0.
    """
    known = ~np.isnan(units)
    rate = known_mean(units)
    sums, counts = np.empty((len(units), WEEK)), np.empty((len(units), WEEK))
    for weekday in range(WEEK):
        days = slice((weekday - first_weekday) % WEEK, None, WEEK)
        sums[:, weekday] = np.nansum(units[:, days], axis=1)
        counts[:, weekday] = known[:, days].sum(axis=1)
    expected = rate[:, None] * counts
    enough = (counts.min(axis=1) >= SEASON_WEEKS) & (sums.sum(axis=1) >= SEASON_UNITS)
    factors = np.divide(sums + 4 * rate[:, None], expected + 4 * rate[:, None], out=np.ones_like(sums),
                        where=expected > 0)  # fmt: skip
    factors[(sums == 0) & (expected >= CLOSED_UNITS)] = 0.0
    factors *= WEEK / np.maximum(factors.sum(axis=1, keepdims=True), 1e-9)
    factors[~enough] = 1.0
    return factors


def backtest(
    units: Array, told: dict[str, Told], profile: Array, first_weekday: int, *, origins: int = ORIGINS, skipped: int = 0
) -> Backtest:
    """Ask each method at the end of `origins` weeks what comes in the HORIZON_WEEKS after, and compare.

    A method sees the days up to its origin and none after. `skipped` leaves out that many weeks at the end. Days that
    say nothing are left out on both sides.
    """
    length, days = units.shape[1], WEEK * HORIZON_WEEKS
    ends = [length - days - WEEK * (skipped + back) - 1 for back in range(origins - 1, -1, -1)]
    shape = (len(told), origins, len(units))
    week, following, sums, sum_told, sum_came = (np.full(shape, np.nan) for _ in range(5))
    for place, end in enumerate(ends):
        if end < 0:
            continue
        came = units[:, end + 1 : end + 1 + days]
        factors = profile[:, (first_weekday + end + 1 + np.arange(days)) % WEEK]
        is_known = ~np.isnan(came)
        has_begun = np.any(~np.isnan(units[:, : end + 1]), axis=1, keepdims=True)
        for number, answer in enumerate(told.values()):
            expected = np.where(is_known, _ahead(answer, end, days) * factors, 0.0)
            off = (np.nan_to_num(came) - expected).reshape(len(units), HORIZON_WEEKS, WEEK).sum(axis=2)
            counts = is_known.reshape(len(units), HORIZON_WEEKS, WEEK).mean(axis=2) >= KNOWN_SHARE
            off[~(counts & has_begun)] = np.nan
            week[number, place] = known_mean(np.abs(off), empty=np.nan)
            following[number, place] = off[:, 0]
            sums[number, place] = off.sum(axis=1)
            sum_told[number, place] = expected.sum(axis=1)
            sum_came[number, place] = np.nan_to_num(came).sum(axis=1)
    return Backtest(tuple(told), week, following, sums, sum_told, sum_came)


def choose(tested: Backtest, is_rare: Flags) -> Whole:
    """Return the number of each series' method: the first one, unless another is better by LEAST_GAIN of its error and
    by LEAST_ERRORS standard errors of the difference over the origins. Methods for rare sellers are for these alone."""
    first = tested.week_error[0]
    gain = first[None] - tested.week_error
    count = (~np.isnan(gain)).sum(axis=1)
    mean = _over_origins(gain)
    squares = np.where(np.isnan(gain), 0.0, (gain - np.nan_to_num(mean)[:, None]) ** 2).sum(axis=1)
    error = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
    proves = (count >= 4) & (mean > LEAST_ERRORS * error) & (mean > LEAST_GAIN * _over_origins(first[None]))
    for_rare = np.array([METHODS[name].is_for_rare if name in METHODS else False for name in tested.names])
    proves &= ~for_rare[:, None] | is_rare[None]
    proves[0] = True
    return cast("Whole", np.where(proves, np.where(np.isnan(mean), 0.0, mean), -np.inf).argmax(axis=0))


def naive_scale(units: Array, weeks_left_out: int) -> Array:
    """Return the mean absolute change from week to week before the backtest, in units a week: what MASE divides by."""
    length = units.shape[1] - WEEK * weeks_left_out
    length -= length % WEEK
    if length < 2 * WEEK:
        return np.zeros(len(units))
    begin = units.shape[1] - WEEK * weeks_left_out - length
    weeks = units[:, begin : begin + length].reshape(len(units), length // WEEK, WEEK)
    known = ~np.isnan(weeks)
    sums = np.where(known.mean(axis=2) >= KNOWN_SHARE, known_mean(weeks) * WEEK, np.nan)
    return known_mean(np.abs(np.diff(sums, axis=1)))


def _over_origins(values: Array) -> Array:
    """The mean over the origins; NaN where nothing could be compared."""
    return known_mean(values, 1, empty=np.nan)


def _ahead(told: Told, end: int, days: int) -> Array:
    """Units a day of the `days` days after day `end`, before the weekdays' factors."""
    rate = told.rate[:, end, None]
    if told.slope is None:
        return np.broadcast_to(np.maximum(rate, 0.0), (len(rate), days))
    return np.maximum(rate + told.slope[:, end, None] * np.cumsum(DAMPING ** np.arange(1, days + 1)), 0.0)


def _pick(told: dict[str, Told], best: Whole) -> tuple[Array, Array]:
    rates = np.array([answer.rate[:, -1] for answer in told.values()])
    slopes = np.array(
        [np.zeros(len(best)) if answer.slope is None else answer.slope[:, -1] for answer in told.values()]
    )
    return np.maximum(_of_best(rates, best), 0.0), _of_best(slopes, best)


def _of_best(values: Array, best: Whole) -> Array:
    return values[best, np.arange(len(best))]


def _spread(tested: Backtest, best: Whole, rate: Array) -> tuple[Array, Array]:
    """The sd of a week's error, and how it grows with the weeks; where nothing was tested, thrice chance's variance."""
    week = _of_best(np.sqrt(_over_origins(tested.next_error**2)), best)
    whole = _of_best(np.sqrt(_over_origins(tested.sum_error**2)), best)
    by_chance = np.sqrt(3 * WEEK * rate)
    week = np.where(np.isnan(week), by_chance, week)
    whole = np.where(np.isnan(whole), week * np.sqrt(HORIZON_WEEKS), whole)
    ratio = np.divide(whole, week, out=np.full_like(week, 2.0), where=week > 0)
    return week, np.clip(np.log(np.maximum(ratio, 1e-9)) / np.log(HORIZON_WEEKS), 0.5, 1.0)
