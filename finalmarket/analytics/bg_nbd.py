"""BG/NBD: how often people will buy, and whether they are still there, from x, t_x and T alone.

Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2). While somebody is there
they buy at a rate of their own, gamma distributed (r, alpha); after each repeat purchase they leave with a chance of
their own, beta distributed (a, b). x counts repeat purchases, t_x is the time of the last one and T the present time,
both since the first purchase; any unit of time will do, the same for all.

Equal rows are counted once (`grouped`): a million customers are some ten thousand kinds of customers. The fit works on
logarithms of the parameters, with analytic gradients; every sum of exponentials is taken in logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import optimize, special
else:
    optimize = later("scipy.optimize")
    special = later("scipy.special")

Floats: TypeAlias = NDArray[np.float64]
Objective: TypeAlias = Callable[[Floats], tuple[float, Floats]]

STARTS = ((1.0, 1.0, 1.0, 1.0), (0.3, 0.3, 0.5, 3.0), (2.0, 2.0, 0.1, 10.0))  # r, alpha over the mean of T, a, b
MOST_KINDS_TO_START_ON = 20_000
FARTHEST = 14.0  # a parameter beyond e^14 times its unit, or below e^-14, has run away
STEP = 1e-4
MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Grouped:
    """Customers of a kind counted once: distinct (x, t_x, T) with how many there are; `kind` is that of each row that
    came in. What depends on x or on T alone is summed beforehand."""

    x: Floats
    t_x: Floats
    age: Floats
    number: Floats
    kind: NDArray[np.int64]

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.number.sum())

    @property
    def repeat_buyers(self) -> int:
        """How many of them bought again."""
        return int(self.number[self.x > 0].sum())

    def thinned(self, most: int) -> Grouped:
        """At most so many kinds, every so-manieth of them in the order of their values."""
        step = -(-len(self.x) // most)
        return self if step <= 1 else Grouped(
            self.x[::step], self.t_x[::step], self.age[::step], self.number[::step], np.empty(0, np.int64)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit found: parameters, log-likelihood, the covariance of the logarithms of the parameters (the inverse of
    the observed information; empty where there is none) and, where the data does not settle the parameters, why."""

    parameters: tuple[float, ...]
    log_likelihood: float
    covariance: Floats
    problem: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the likelihood has one top that can be told from its surroundings."""
        return not self.problem


def grouped(x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Grouped:
    """Count equal customers once. Raises ValueError for what cannot be: x that is negative or no whole number,
    t_x beyond T, t_x without a repeat purchase, anything that is no number, columns of unequal length."""
    columns = [np.asarray(column, dtype=np.float64) for column in (x, t_x, age)]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise ValueError("x, t_x and T are columns of one length")
    counts, recency, ages = columns
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("x, t_x and T are numbers")
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise ValueError("x counts repeat purchases: whole numbers from 0 on")
    if (recency < 0).any() or (recency > ages).any() or (recency[counts == 0] != 0).any():
        raise ValueError("t_x lies between 0 and T, and is 0 for whoever did not buy again")
    codes = np.zeros(len(counts), dtype=np.int64)
    known = [np.unique(column) for column in columns]
    for values, column in zip(known, columns, strict=True):
        codes = codes * len(values) + np.searchsorted(values, column)
    kinds = np.unique(codes)
    kind = np.searchsorted(kinds, codes)
    rest, at_age = np.divmod(kinds, max(1, len(known[2])))
    at_x, at_recency = np.divmod(rest, max(1, len(known[1])))
    number = np.bincount(kind, minlength=len(kinds)).astype(np.float64)
    return Grouped(known[0][at_x], known[1][at_recency], known[2][at_age], number, kind)


def total(one: Floats, other: Floats) -> float:
    """Return the sum of the products. Not by BLAS, whose threads wait for each other on a busy machine: its dot product
    made a fit sixty times as slow there."""
    return float(np.einsum("i,i->", one, other))


def weighed(places: NDArray[np.int64], weights: Floats) -> Floats:
    """Return the sum of the weights at each place."""
    return np.asarray(np.bincount(places, weights), dtype=np.float64)


def inverse(matrix: Floats) -> Floats:
    """Return the inverse."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


class Likelihood:
    """The log-likelihood of BG/NBD over grouped customers, with its gradient by the logarithms of r, alpha, a, b."""

    def __init__(self, people: Grouped) -> None:
        self._x, place = np.unique(people.x, return_inverse=True)
        self._x_number = weighed(place, people.number)
        self._age, self._at_age = np.unique(people.age, return_inverse=True)
        self._age_number = weighed(self._at_age, people.number)
        self._age_x = weighed(self._at_age, people.number * people.x)
        again = people.x > 0
        self._again_x, self._again_number = people.x[again], people.number[again]
        self._again_age = self._at_age[again]
        self._recency, self._at_recency = np.unique(people.t_x[again], return_inverse=True)
        self.customers = float(people.number.sum())

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        r, alpha, a, b = np.exp(logs)
        x, number = self._x, self._x_number
        value = total(
            number, special.gammaln(r + x) - special.gammaln(r) + special.betaln(a, b + x) - special.betaln(a, b)
        )
        by_r = total(number, special.digamma(r + x) - special.digamma(r))
        ends = special.digamma(a + b) - special.digamma(a + b + x)
        by_a = total(number, ends)
        by_b = total(number, special.digamma(b + x) - special.digamma(b) + ends)
        log_age, log_recency = np.log(alpha + self._age), np.log(alpha + self._recency)
        exponents = r * self._age_number + self._age_x
        value += self.customers * r * np.log(alpha) - total(exponents, log_age)
        by_r += self.customers * np.log(alpha) - total(self._age_number, log_age)
        by_alpha = self.customers * r / alpha - total(exponents, 1 / (alpha + self._age))
        # Whoever bought again may have left right after the last purchase.
        repeats, count = self._again_x, self._again_number
        span = log_age[self._again_age] - log_recency[self._at_recency]
        odds = (r + repeats) * span + np.log(a) - np.log(b + repeats - 1)
        value += total(count, np.logaddexp(0, odds))
        gone = count * special.expit(odds)
        slope = (1 / (alpha + self._age))[self._again_age] - (1 / (alpha + self._recency))[self._at_recency]
        by_r += total(gone, span)
        by_alpha += total(gone * (r + repeats), slope)
        by_a += gone.sum() / a
        by_b -= total(gone, 1 / (b + repeats - 1))
        return float(value), np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])


class WithoutLeaving:
    """The same where nobody ever leaves (a = 0): NBD, by the logarithms of r and alpha. Nested in BG/NBD."""

    def __init__(self, people: Grouped) -> None:
        self._x, place = np.unique(people.x, return_inverse=True)
        self._x_number = weighed(place, people.number)
        self._age, at_age = np.unique(people.age, return_inverse=True)
        self._age_number = weighed(at_age, people.number)
        self._age_x = weighed(at_age, people.number * people.x)
        self.customers = float(people.number.sum())

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        r, alpha = np.exp(logs)
        log_age = np.log(alpha + self._age)
        exponents = r * self._age_number + self._age_x
        value = total(self._x_number, special.gammaln(r + self._x) - special.gammaln(r))
        value += self.customers * r * np.log(alpha) - total(exponents, log_age)
        by_r = total(self._x_number, special.digamma(r + self._x) - special.digamma(r))
        by_r += self.customers * np.log(alpha) - total(self._age_number, log_age)
        by_alpha = self.customers * r / alpha - total(exponents, 1 / (alpha + self._age))
        return float(value), np.array([by_r * r, by_alpha * alpha])


def fit(people: Grouped) -> Fit:
    """Fit BG/NBD by maximum likelihood, from several starts.

    `problem` says in words where the likelihood has no top of its own: a ridge, a parameter that runs away, or nothing
    gained over a model in which nobody leaves (`fit_without_leaving`). Raises ValueError without customers.
    """
    scale = _scale(people)
    starts = [np.log([r, alpha * scale, a, b]) for r, alpha, a, b in STARTS]
    found = _climb_both(Likelihood, people, starts, np.log([1, scale, 1, 1]))
    gain = found.log_likelihood - fit_without_leaving(people).log_likelihood
    if gain < LEAST_GAIN:
        return Fit(found.parameters, found.log_likelihood, np.empty((0, 0)), NOBODY_LEAVES.format(max(gain, 0.0)))
    return found


LEAST_GAIN = 3.0  # two parameters more, the limit of 5 in 100
NOBODY_LEAVES = (
    "the times of the orders do not show that anybody leaves for good: a model in which nobody does explains them as "
    "well (the log-likelihood gains {:.2f} of the 3 that two more parameters need)"
)


def fit_without_leaving(people: Grouped) -> Fit:
    """Fit NBD, in which nobody leaves, by maximum likelihood. Raises ValueError without customers."""
    scale = _scale(people)
    starts = [np.log([r, alpha * scale]) for r, alpha, _, _ in STARTS]
    return _climb_both(WithoutLeaving, people, starts, np.log([1, scale]))


def _scale(people: Grouped) -> float:
    if not len(people.x):
        raise ValueError("there are no customers to learn from")
    return float(np.average(people.age, weights=people.number)) or 1.0


def _climb_both(
    kind: type[Likelihood] | type[WithoutLeaving], people: Grouped, starts: Sequence[Floats], units: Floats
) -> Fit:
    """Climb from all starts on some of the kinds of customers, and from there on all of them: few steps are left."""
    few = people.thinned(MOST_KINDS_TO_START_ON)
    found = climb(kind(few), starts, units)
    if few is people:
        return found
    near = np.log(found.parameters)
    curved = None if found.problem else inverse(found.covariance) * people.customers / few.customers
    return climb(kind(people), [near], units, curved)


def climb(objective: Objective, starts: Sequence[Floats], units: Floats, curved: Floats | None = None) -> Fit:
    """Maximise a log-likelihood from each start, polish the best by Newton steps, and judge whether it is a top.

    `units` are the logarithms of what the parameters are measured in, to tell which one has run away. `curved` is about
    the observed information at the one start that is near the top already.
    """
    customers = float(getattr(objective, "customers", 1.0))
    if curved is not None:
        logs = _stepped(objective, starts[0], curved)
    else:
        logs = max((_maximised(objective, start, customers) for start in starts), key=lambda one: objective(one)[0])
    information = observed_information(objective, logs)
    logs = _stepped(objective, logs, information)
    value, slope = objective(logs)
    parameters = tuple(float(one) for one in np.exp(logs))
    problem = _problem(logs - units, information, slope, customers)
    covariance = np.empty((0, 0)) if problem else inverse(information)
    return Fit(parameters, value, covariance, problem)


def _stepped(objective: Objective, logs: Floats, information: Floats) -> Floats:
    """Go on by Newton steps with this information, as long as they lead up."""
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return logs
    value, slope = objective(logs)
    for _ in range(MOST_STEPS):
        move = np.linalg.solve(information, slope)
        if not np.isfinite(move).all() or np.abs(move).max() > 1:
            break
        higher, steeper = objective(logs + move)
        if higher < value - 1e-10 * abs(value):
            break
        logs, value, slope = logs + move, higher, steeper
        if np.abs(move).max() < 1e-8:
            break
    return logs


def _maximised(objective: Objective, start: Floats, customers: float) -> Floats:
    def lower(logs: Floats) -> tuple[float, Floats]:
        value, slope = objective(logs)
        return -value / customers, -slope / customers

    bounds = [(one - 2 * FARTHEST, one + 2 * FARTHEST) for one in start]
    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8}
    found = optimize.minimize(lower, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x, dtype=np.float64)


def observed_information(objective: Objective, logs: Floats) -> Floats:
    """Return minus the second derivatives of a log-likelihood, by central differences of its gradient."""
    size = len(logs)
    rows = np.empty((size, size))
    for place in range(size):
        step = np.zeros(size)
        step[place] = STEP
        rows[place] = (objective(logs - step)[1] - objective(logs + step)[1]) / (2 * STEP)
    half: Floats = (rows + rows.T) / 2
    return half


def _problem(logs: Floats, information: Floats, slope: Floats, customers: float) -> str:
    """Say in words why these parameters are no top of the likelihood that data settles; "" where they are."""
    if np.abs(logs).max() > FARTHEST:
        return "a parameter runs away without end: the likelihood is a ridge and has no top"
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] < LEAST_CURVATURE:
        return "the likelihood is flat along a line: many sets of parameters explain the orders equally well"
    if np.abs(slope).max() > 1e-4 * customers:
        return "the search for the most likely parameters did not come to an end"
    return ""


LEAST_CURVATURE = 0.05  # a standard error of more than e^4.5 in one direction: that is no knowledge
