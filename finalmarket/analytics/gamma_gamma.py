"""Gamma-Gamma: what an order of somebody is worth on average, from the orders that were seen.

Fader and Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Fader, Hardie and Lee (2005), "RFM and CLV". Amounts
of one person are gamma distributed around a mean of their own; over people that is gamma distributed, too (p, q, v).
Only people with repeat orders have a say, with the number x of those and their mean m; the model assumes that how much
and how often have nothing to do with each other (`link` measures whether that is so).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from finalmarket.analytics.bg_nbd import Fit, Floats, climb, inverse, total, weighed
from finalmarket.analytics.bg_nbd_expected import Parameters, spread
from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import special
else:
    special = later("scipy.special")

STARTS = ((6.0, 4.0, 3.0), (1.5, 2.5, 1.5), (20.0, 3.0, 0.1))  # p, q, v over the mean amount
MOST_TO_START_ON = 20_000
NO_MEAN = "a few very large orders decide: the average over people has no limit (q is {:.2f}, and not above 1)"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Repeat orders by (x, m): how many and their mean amount, equal ones counted once."""

    x: Floats
    mean: Floats
    number: Floats

    def thinned(self, most: int) -> Amounts:
        """At most so many, every so-manieth."""
        step = -(-len(self.x) // most)
        return self if step <= 1 else Amounts(self.x[::step], self.mean[::step], self.number[::step])


def counted(x: ArrayLike, mean: ArrayLike) -> Amounts:
    """Count equal people once; whoever has no repeat order, or one that cost nothing, has no say. Raises ValueError for
    columns of unequal length and for what is no number."""
    counts, means = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    if counts.shape != means.shape or counts.ndim != 1:
        raise ValueError("x and the mean amounts are columns of one length")
    if not (np.isfinite(counts).all() and np.isfinite(means).all()):
        raise ValueError("x and the mean amounts are numbers")
    has_say = (counts > 0) & (means > 0)
    counts, means = counts[has_say], means[has_say]
    values = np.unique(means)
    codes = counts.astype(np.int64) * len(values) + np.searchsorted(values, means)
    kinds, number = np.unique(codes, return_counts=True)
    at_x, at_mean = np.divmod(kinds, max(1, len(values)))
    return Amounts(at_x.astype(np.float64), values[at_mean], number.astype(np.float64))


class Likelihood:
    """The log-likelihood of Gamma-Gamma, with its gradient by the logarithms of p, q, v."""

    def __init__(self, amounts: Amounts) -> None:
        self._x, self._at_x = np.unique(amounts.x, return_inverse=True)
        self._x_number = weighed(self._at_x, amounts.number)
        self._number, self._every_x = amounts.number, amounts.x
        self._sum = amounts.x * amounts.mean
        log_mean = np.log(amounts.mean)
        self._log_mean = total(amounts.number, log_mean)
        self._x_log_sum = total(amounts.number, amounts.x * np.log(self._sum))
        self._x_log_x = total(amounts.number, amounts.x * np.log(amounts.x))
        self.customers = float(amounts.number.sum())

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        p, q, v = np.exp(logs)
        x, number = self._x, self._x_number
        shape = p * self._every_x + q
        log_sum = np.log(v + self._sum)
        value = total(number, special.gammaln(p * x + q) - special.gammaln(p * x)) - self.customers * special.gammaln(q)
        value += self.customers * q * np.log(v) - total(self._number * shape, log_sum)
        value += p * self._x_log_sum - self._log_mean
        by_p = total(number, x * (special.digamma(p * x + q) - special.digamma(p * x)))
        by_p += self._x_log_sum - total(self._number * self._every_x, log_sum)
        by_q = total(number, special.digamma(p * x + q)) + self.customers * (np.log(v) - special.digamma(q))
        by_q -= total(self._number, log_sum)
        by_v = self.customers * q / v - total(self._number, shape / (v + self._sum))
        return float(value), np.array([by_p * p, by_q * q, by_v * v])


def fit(amounts: Amounts) -> Fit:
    """Fit by maximum likelihood, from several starts; `problem` says in words where there is no top. Raises ValueError
    where nobody has a say."""
    if not len(amounts.x):
        raise ValueError("nobody bought again: there are no amounts to learn from")
    scale = float(np.average(amounts.mean, weights=amounts.number))
    starts = [np.log([p, q, v * scale]) for p, q, v in STARTS]
    units = np.log([1, 1, scale])
    few = amounts.thinned(MOST_TO_START_ON)
    found = climb(Likelihood(few), starts, units)
    if few is not amounts:
        whole = Likelihood(amounts)
        share = whole.customers / float(few.number.sum())
        curved = None if found.problem else inverse(found.covariance) * share
        found = climb(whole, [np.log(found.parameters)], units, curved)
    q = found.parameters[1]
    if not found.problem and q <= 1:
        return Fit(found.parameters, found.log_likelihood, np.empty((0, 0)), NO_MEAN.format(q))
    return found


def expected_amount(parameters: Parameters, x: ArrayLike, mean: ArrayLike) -> Floats:
    """Return what an order of people is expected to be worth: their own mean, drawn towards that of all by how few
    orders it rests on. Without repeat orders it is that of all. Needs q > 1."""
    p, q, v = parameters
    counts = np.asarray(x, dtype=np.float64)
    sums = np.where(counts > 0, counts * np.asarray(mean, dtype=np.float64), 0.0)
    return np.asarray(p * (v + sums) / (p * counts + q - 1), dtype=np.float64)


def error_of_log_amount(parameters: Parameters, covariance: Floats, x: Floats, mean: Floats) -> Floats:
    """Return the standard error of the logarithm of `expected_amount`, by the delta method."""
    p, q, v = parameters
    sums, divisor = np.where(x > 0, x * mean, 0.0), p * x + q - 1
    return spread(np.stack([1 - p * x / divisor, -q / divisor, v / (v + sums)]), covariance)


def link(amounts: Amounts) -> float | None:
    """Return the correlation of how often and how much, None where one of them is the same for all. Far from 0 the
    model expects too much of some and too little of others."""
    if not len(amounts.x):
        return None
    weights = amounts.number / amounts.number.sum()
    often, much = (column - float((weights * column).sum()) for column in (amounts.x, amounts.mean))
    spread_of_both = float((weights * often**2).sum() * (weights * much**2).sum())
    return float((weights * often * much).sum()) / spread_of_both**0.5 if spread_of_both > 0 else None
