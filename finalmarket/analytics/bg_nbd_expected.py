"""What BG/NBD expects of people: whether they are still there, and how many orders come.

The papers write the expected orders with Gauss's hypergeometric function, which is not defined at a = 1 and loses its
digits near it. Here it is the integral which that stands for: of whoever is there and leaves with chance p after an
order, (1 - (1 + p t / (alpha + T))^-(r + x)) / p orders come within t, and p is beta distributed (a, b + x). Gauss's
quadrature for just that distribution is exact to eleven digits with some ten to a hundred points.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from finalmarket.analytics.bg_nbd import Floats
from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import linalg, special
else:
    linalg = later("scipy.linalg")
    special = later("scipy.special")

Parameters: TypeAlias = tuple[float, ...]

FEWEST_POINTS, MOST_POINTS = 8, 500
DIGITS = 11
STEP = 1e-4


def log_odds_gone(parameters: Parameters, x: Floats, t_x: Floats, age: Floats) -> Floats:
    """Return the logarithm of the odds that people have left; minus infinity for who did not buy again."""
    r, alpha, a, b = parameters
    again = x > 0
    safe = np.where(again, x, 1.0)
    odds = (r + x) * np.log((alpha + age) / (alpha + t_x)) + math.log(a) - np.log(b + safe - 1)
    return np.where(again, odds, -np.inf)


def chance_alive(parameters: Parameters, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
    """Return P(alive): the chance that people have not left for good by T. It is 1 for whoever bought once: by this
    model people leave after a repeat purchase only."""
    columns = [np.asarray(one, dtype=np.float64) for one in (x, t_x, age)]
    return np.asarray(special.expit(-log_odds_gone(parameters, *columns)), dtype=np.float64)


class Kinds:
    """People by (x, T): what is expected of those who are still there depends on nothing else and is computed once for
    each kind."""

    def __init__(self, x: ArrayLike, age: ArrayLike) -> None:
        counts, ages = np.asarray(x, dtype=np.float64), np.asarray(age, dtype=np.float64)
        known_ages = np.unique(ages)
        codes = counts.astype(np.int64) * len(known_ages) + np.searchsorted(known_ages, ages)
        kinds = np.unique(codes)
        at_x, at_age = np.divmod(kinds, max(1, len(known_ages)))
        self._of_each = np.searchsorted(kinds, codes)
        edges = np.flatnonzero(np.diff(at_x, prepend=-1, append=-1))
        self._groups = [(float(at_x[begin]), known_ages[at_age[begin:end]]) for begin, end in pairwise(edges)]

    def spread_out(self, values: Floats) -> Floats:
        """Return the value of each person from those of the kinds."""
        found: Floats = values[self._of_each]
        return found

    def orders(self, parameters: Parameters, span: float) -> Floats:
        """Return the orders that are expected within `span` of whoever is there, for each kind."""
        groups = [_of_one_x(parameters, span, x, ages) for x, ages in self._groups]
        return np.concatenate(groups) if groups else np.empty(0)


def orders_if_alive(parameters: Parameters, span: float, x: ArrayLike, age: ArrayLike) -> Floats:
    """Return the orders that are expected within `span` after T of people who are still there at T.

    With x = 0 and T = 0 it is what is expected of somebody who buys for the first time.
    """
    kinds = Kinds(x, age)
    return kinds.spread_out(kinds.orders(parameters, span))


def expected_orders(parameters: Parameters, span: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
    """Return the orders that are expected within `span` after T (equation 10 of the paper)."""
    return chance_alive(parameters, x, t_x, age) * orders_if_alive(parameters, span, x, age)


def expected_from_first(parameters: Parameters, spans: ArrayLike) -> Floats:
    """Return the repeat orders that are expected within each span after a first purchase (equation 9)."""
    asked = np.atleast_1d(np.asarray(spans, dtype=np.float64))
    nothing = np.zeros(1)
    return np.array([orders_if_alive(parameters, float(span), nothing, nothing)[0] for span in asked])


def expected_without_leaving(parameters: Parameters, span: float, x: ArrayLike, age: ArrayLike) -> Floats:
    """Return the orders that are expected within `span` by NBD (r, alpha), where nobody leaves."""
    r, alpha = parameters
    orders = span * (r + np.asarray(x, dtype=np.float64)) / (alpha + np.asarray(age, dtype=np.float64))
    return np.asarray(orders, dtype=np.float64)


def error_of_log_orders(
    parameters: Parameters, covariance: Floats, span: float, x: Floats, t_x: Floats, age: Floats
) -> Floats:
    """Return the standard error of the logarithm of `expected_orders`, by the delta method from the covariance of the
    logarithms of the parameters. It tells how well the parameters are known, not how people differ from each other."""
    logs = np.log(parameters)
    slopes, kinds = _slopes_of_log_alive(parameters, x, t_x, age), Kinds(x, age)
    for place in range(len(parameters)):
        step = np.zeros(len(parameters))
        step[place] = STEP
        above, below = (tuple(np.exp(logs + sign * step)) for sign in (1, -1))
        higher, lower = (np.log(kinds.orders(one, span)) for one in (above, below))
        slopes[place] += kinds.spread_out((higher - lower) / (2 * STEP))
    return spread(slopes, covariance)


def error_without_leaving(parameters: Parameters, covariance: Floats, x: Floats, age: Floats) -> Floats:
    """Return the standard error of the logarithm of `expected_without_leaving`, by the delta method."""
    r, alpha = parameters
    return spread(np.stack([r / (r + x), -alpha / (alpha + age)]), covariance)


def spread(slopes: Floats, covariance: Floats) -> Floats:
    """Return the standard error of functions with these slopes (one row a parameter) under a covariance."""
    variance = np.einsum("ik,ij,jk->k", slopes, covariance, slopes)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float64)


def _slopes_of_log_alive(parameters: Parameters, x: Floats, t_x: Floats, age: Floats) -> Floats:
    """The slopes of the logarithm of P(alive) by those of r, alpha, a, b; nothing for who did not buy again."""
    r, alpha, _, b = parameters
    gone = special.expit(log_odds_gone(parameters, x, t_x, age))
    safe = np.where(x > 0, x, 1.0)
    by_r = r * np.log((alpha + age) / (alpha + t_x))
    by_alpha = alpha * (r + x) * (1 / (alpha + age) - 1 / (alpha + t_x))
    slopes = -gone * np.stack([by_r, by_alpha, np.ones_like(x), -b / (b + safe - 1)])
    return np.asarray(slopes, dtype=np.float64)


def _of_one_x(parameters: Parameters, span: float, x: float, ages: Floats) -> Floats:
    """The orders of people who are there, with one and the same x."""
    r, alpha, a, b = parameters
    reach = span / (alpha + ages)
    chances, weights = beta_points(a, b + x, points_for(float(reach.max()), r + x))
    grown = np.log1p(np.outer(reach, chances))
    # Next to p = 0 the quotient is its limit.
    safe = np.maximum(chances, 1e-250)
    terms = np.where(chances > 1e-250, -np.expm1(-(r + x) * grown) / safe, (r + x) * reach[:, None])
    return np.asarray(np.einsum("ij,j->i", terms, weights), dtype=np.float64)


def points_for(reach: float, power: float) -> int:
    """Return how many points the quadrature of (1 + p reach)^-power needs: it is smooth but for p = -1 / reach; half of
    the way there it has grown by 2^power, and the further that way is, the faster the quadrature gets there."""
    far = 1 + 1 / max(reach, 1e-9)
    rate = math.log(far + math.sqrt(far * far - 1))
    wanted = (DIGITS * math.log(10) + power * math.log(2)) / (2 * rate)
    return min(MOST_POINTS, max(FEWEST_POINTS, math.ceil(wanted)))


def beta_points(a: float, b: float, points: int) -> tuple[Floats, Floats]:
    """Return the points and weights of Gauss's quadrature for the beta distribution (a, b); the weights sum to 1.

    Golub and Welsch (1969): from the eigenvalues of the matrix of the Jacobi polynomials' recurrence.
    """
    right, left = b - 1, a - 1
    k: NDArray[np.float64] = np.arange(1, points, dtype=np.float64)
    twice = 2 * k + right + left
    middle = np.empty(points)
    middle[0] = (left - right) / (right + left + 2)
    middle[1:] = (left - right) * (left + right) / (twice * (twice + 2))
    side = 4 * k * (k + right) * (k + left) / (twice**2 * (twice + 1))
    # The last factor is 1 for k = 1, where it would be 0 / 0 for a + b = 1.
    side[1:] *= (k[1:] + right + left) / (twice[1:] - 1)
    values, vectors = linalg.eigh_tridiagonal(middle, np.sqrt(side))
    return np.clip((1 + values) / 2, 0.0, 1.0), vectors[0] ** 2
