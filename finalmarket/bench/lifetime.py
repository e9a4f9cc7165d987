"""`finalmarket bench lifetime`: lifetime value of a million customers, beside a plain fit of the same likelihood by
SciPy over the same customers in the same run. Both must reach the same top, or there is no figure.

The customers are made up by the model itself, with the parameters that its authors found at CDNOW: the same seed gives
the same customers. The plain fit is what one writes first: every customer a row, the gradient left to SciPy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from finalmarket.analytics import bg_nbd, gamma_gamma
from finalmarket.analytics.bg_nbd import Fit, Floats
from finalmarket.analytics.bg_nbd_expected import expected_orders
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.kernel.errors import UserError

CUSTOMERS = 1_000_000
SPAN_WEEKS = 52.0
R, ALPHA, A, B = 0.243, 4.414, 0.793, 2.426
P, Q, V = 6.25, 3.74, 15.44
CLOSE_ENOUGH = 0.5  # of the log-likelihood
PLAIN_FIT, PLAIN_FORMULA = "plain SciPy fit, a row a customer", "the papers' formula by SciPy's hyp2f1"


@dataclass(frozen=True, slots=True)
class Customers:
    """Repeat orders x, the last at t_x, now T after the first (weeks), mean amount of the repeat orders."""

    x: Floats
    t_x: Floats
    age: Floats
    mean: Floats


def measure(database: str, pace: Pace, say: Callable[[str], None], customers: int = CUSTOMERS) -> list[Figure]:
    """Run the bench; `database` is not needed. Raises UserError where both sides do not agree."""
    people = made_up(customers, pace.seed)
    times = []
    for turn in range(pace.runs):
        say(f"run {turn + 1} of {pace.runs}")
        times.append(_run(people))
    fits, plain_fits, predictions, formulas = (list(column) for column in zip(*times, strict=True))
    size = f"{customers / 1e6:g}m"
    return [
        figure(f"clv_fit_{size}_s", "s", fits, baseline_name=PLAIN_FIT, baselines=plain_fits),
        figure(f"clv_predict_{size}_s", "s", predictions, baseline_name=PLAIN_FORMULA, baselines=formulas),
    ]


def _run(people: Customers) -> tuple[float, float, float, float]:
    """The seconds of our fit and the plain one, of our expectation and the formula; both sides have to agree."""
    fit_s, found = _timed(lambda: _fit(people))
    plain_s, plain = _timed(lambda: _plain_fit(people))
    _check(found, plain)
    parameters = found[0].parameters
    predict_s, ours = _timed(lambda: expected_orders(parameters, SPAN_WEEKS, people.x, people.t_x, people.age))
    formula_s, theirs = _timed(lambda: _formula(parameters, people))
    if not np.allclose(ours, theirs, rtol=1e-6):
        raise UserError("our expectation and the papers' formula do not agree: there is no figure")
    return fit_s, plain_s, predict_s, formula_s


def made_up(number: int, seed: int, parameters: tuple[float, ...] = (R, ALPHA, A, B)) -> Customers:
    """Make customers up who buy as BG/NBD says (r, alpha, a, b), observed for up to a year on whole days; amounts as
    Gamma-Gamma says."""
    r, alpha, a, b = parameters
    chance = np.random.default_rng(seed)
    rate, leaves = chance.gamma(r, 1 / alpha, number), chance.beta(a, b, number)
    age = chance.integers(1, 365, number) / 7
    x, t_x, at = np.zeros(number), np.zeros(number), np.zeros(number)
    there = np.arange(number)
    while len(there):
        at[there] += chance.exponential(1 / rate[there])
        there = there[at[there] <= age[there]]
        x[there] += 1
        t_x[there] = np.minimum(np.ceil(at[there] * 7) / 7, age[there])
        there = there[chance.random(len(there)) > leaves[there]]
    again = np.maximum(x, 1)
    mean = chance.gamma(P * again, 1 / chance.gamma(Q, 1 / V, number)) / again
    return Customers(x, t_x, age, np.where(x > 0, np.maximum(np.round(mean, 2), 0.01), 0.0))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def _fit(people: Customers) -> tuple[Fit, Fit]:
    orders = bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age))
    return orders, gamma_gamma.fit(gamma_gamma.counted(people.x, people.mean))


def _plain_fit(people: Customers) -> tuple[float, float]:
    """The log-likelihoods that a plain fit of both models reaches, from one start."""
    orders = minimize(lambda logs: -_orders(logs, people), np.zeros(4), method="L-BFGS-B")
    again = people.x > 0
    x, mean = people.x[again], people.mean[again]
    amounts = minimize(lambda logs: -_amounts(logs, x, mean), np.zeros(3), method="L-BFGS-B")
    return -float(orders.fun) * len(people.x), -float(amounts.fun) * len(x)


def _orders(logs: Floats, people: Customers) -> float:
    r, alpha, a, b = np.exp(logs)
    x, again = people.x, people.x > 0
    known = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    stays = -(r + x) * np.log(alpha + people.age)
    leaves = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + people.t_x)
    return float(np.mean(known + np.where(again, np.logaddexp(stays, leaves), stays)))


def _amounts(logs: Floats, x: Floats, mean: Floats) -> float:
    p, q, v = np.exp(logs)
    known = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    return float(np.mean(known + (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(v + mean * x)))


def _formula(parameters: tuple[float, ...], people: Customers) -> Floats:
    r, alpha, a, b = parameters
    x, age = people.x, people.age
    series = hyp2f1(r + x, b + x, a + b + x - 1, SPAN_WEEKS / (alpha + age + SPAN_WEEKS))
    coming = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + SPAN_WEEKS)) ** (r + x) * series)
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + people.t_x)) ** (r + x)
    return np.asarray(coming / (1 + np.where(x > 0, odds, 0)), dtype=np.float64)


def _check(found: tuple[Fit, Fit], plain: tuple[float, float]) -> None:
    for ours, theirs in zip(found, plain, strict=True):
        # A plain fit may stop short of the top; ours may not.
        if not ours.is_settled or ours.log_likelihood < theirs - CLOSE_ENOUGH:
            raise UserError(f"the plain fit found a higher likelihood than ours: there is no figure ({ours.problem})")
