"""Lifetime value as numbers: which models the orders of all people bear out, and what those expect of each person.

How often: BG/NBD (bg_nbd.py); where the likelihood does not settle it, NBD, in which nobody leaves; else nothing. How
much: Gamma-Gamma (gamma_gamma.py); else each person's own mean, and that of all for who has none. Which of them it is
stands beside every number (`Learned.name`), and why in words (`notes`). Nothing here knows of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from finalmarket.analytics import bg_nbd, gamma_gamma
from finalmarket.analytics.bg_nbd import Fit, Floats
from finalmarket.analytics.bg_nbd_expected import (
    chance_alive,
    error_of_log_orders,
    error_without_leaving,
    expected_orders,
    expected_without_leaving,
)
from finalmarket.analytics.gamma_gamma import error_of_log_amount, expected_amount

BG_NBD, NBD, GAMMA_GAMMA, OWN_MEAN, NONE = "bg_nbd", "nbd", "gamma_gamma", "own_mean", "none"
FEWEST_CUSTOMERS, FEWEST_REPEAT_BUYERS = 100, 30
SIGMAS = 1.959964  # 95 of 100
FAR_LINK = 0.3
NAMES = {BG_NBD: "BG/NBD", NBD: "NBD", GAMMA_GAMMA: "Gamma-Gamma", OWN_MEAN: "own mean", NONE: ""}
TOO_FEW = (
    "Too few to learn from: {customers} buyers, {again} of whom bought again. An expectation needs at least "
    "{fewest} buyers and {fewest_again} who came back; until then there is only what people brought so far."
)
NO_LEAVING = (
    "BG/NBD is not used: {problem}. NBD takes its place, in which nobody leaves: it has no chance of being alive, and "
    "expects too much of people who are gone."
)
NO_MODEL = "Neither BG/NBD nor NBD is used: {problem}. There is only what people brought so far."
NO_AMOUNTS = (
    "Gamma-Gamma is not used: {problem}. An order is expected to be worth what this person's repeat orders were worth "
    "on average, or those of all for who has none; the interval knows nothing of how amounts vary."
)
LINKED = (
    "How often and how much people buy go together (correlation {link:+.2f}), while Gamma-Gamma takes them to be "
    "independent: of the most frequent buyers it expects too {word}."
)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the orders of all people taught: the models by name, their fits, and what is to be said about them."""

    orders_model: str
    amounts_model: str
    orders: Fit | None
    amounts: Fit | None
    mean_amount: float
    link: float | None
    customers: int
    repeat_buyers: int
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The models in words, "" where none is used."""
        return " + ".join(NAMES[one] for one in (self.orders_model, self.amounts_model) if NAMES[one])

    def as_json(self) -> dict[str, Any]:
        """What is stored of it."""
        return {
            "orders_model": self.orders_model, "amounts_model": self.amounts_model, "orders": _fit_as_json(self.orders),
            "amounts": _fit_as_json(self.amounts), "mean_amount": self.mean_amount, "link": self.link,
            "customers": self.customers, "repeat_buyers": self.repeat_buyers, "notes": list(self.notes),
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Learned:
        """What was stored."""
        return cls(**{
            **stored, "orders": _fit_of_json(stored["orders"]), "amounts": _fit_of_json(stored["amounts"]),
            "notes": tuple(stored["notes"]),
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of people, one entry a person. `alive` is NaN where no model knows of leaving, and everything is
    where there is no model. `low` and `high` bound `value` in 95 of 100 cases as far as the parameters go."""

    alive: Floats
    orders: Floats
    amount: Floats
    value: Floats
    low: Floats
    high: Floats


def learn(x: ArrayLike, t_x: ArrayLike, age: ArrayLike, mean: ArrayLike) -> Learned:
    """Learn from people: x repeat orders, the last one t_x and now T (`age`) after the first, in weeks, and the mean
    amount of the repeat orders (anything where x is 0). Raises ValueError for what cannot be; see `bg_nbd.grouped`."""
    people = bg_nbd.grouped(x, t_x, age)
    counts, means = np.asarray(x, dtype=np.float64), np.nan_to_num(np.asarray(mean, dtype=np.float64))
    amounts = gamma_gamma.counted(counts, means)
    customers, again = people.customers, people.repeat_buyers
    if customers < FEWEST_CUSTOMERS or again < FEWEST_REPEAT_BUYERS:
        words = TOO_FEW.format(
            customers=f"{customers:,}", again=f"{again:,}", fewest=FEWEST_CUSTOMERS, fewest_again=FEWEST_REPEAT_BUYERS
        )
        return Learned(NONE, NONE, None, None, 0.0, None, customers, again, (words,))
    orders_model, orders, notes = _how_often(people)
    if orders is None:
        return Learned(NONE, NONE, None, None, 0.0, None, customers, again, (notes,))
    amounts_model, fitted, words = _how_much(amounts)
    own = float(np.average(amounts.mean, weights=amounts.number)) if len(amounts.x) else 0.0
    link = gamma_gamma.link(amounts)
    told = [one for one in (notes, words) if one]
    if amounts_model == GAMMA_GAMMA and link is not None and abs(link) > FAR_LINK:
        told.append(LINKED.format(link=link, word="little" if link > 0 else "much"))
    return Learned(orders_model, amounts_model, orders, fitted, own, link, customers, again, tuple(told))


def _how_often(people: bg_nbd.Grouped) -> tuple[str, Fit | None, str]:
    found = bg_nbd.fit(people)
    if found.is_settled:
        return BG_NBD, found, ""
    simple = bg_nbd.fit_without_leaving(people)
    if simple.is_settled:
        return NBD, simple, NO_LEAVING.format(problem=found.problem)
    return NONE, None, NO_MODEL.format(problem=f"{found.problem}; and of NBD: {simple.problem}")


def _how_much(amounts: gamma_gamma.Amounts) -> tuple[str, Fit | None, str]:
    if amounts.number.sum() < FEWEST_REPEAT_BUYERS:
        return OWN_MEAN, None, NO_AMOUNTS.format(problem="too few repeat orders have an amount")
    found = gamma_gamma.fit(amounts)
    if found.is_settled:
        return GAMMA_GAMMA, found, ""
    return OWN_MEAN, None, NO_AMOUNTS.format(problem=found.problem)


def expect(learned: Learned, span: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, mean: ArrayLike) -> Expected:
    """Say what is expected of each person within `span` weeks from now; columns as for `learn`.

    The interval is that of the mean: how well the parameters are known, by the delta method from the observed
    information (orders and amounts being independent). One person's own fate scatters far more widely.
    """
    counts, last, now = (np.asarray(one, dtype=np.float64) for one in (x, t_x, age))
    means = np.nan_to_num(np.asarray(mean, dtype=np.float64))
    nothing = np.full(len(counts), np.nan)
    if learned.orders is None:
        return Expected(*(nothing.copy() for _ in range(6)))
    theta, known = learned.orders.parameters, learned.orders.covariance
    if learned.orders_model == BG_NBD:
        alive, orders = chance_alive(theta, counts, last, now), expected_orders(theta, span, counts, last, now)
        error = error_of_log_orders(theta, known, span, counts, last, now)
    else:
        alive, orders = nothing, expected_without_leaving(theta, span, counts, now)
        error = error_without_leaving(theta, known, counts, now)
    if learned.amounts is not None:
        amount = expected_amount(learned.amounts.parameters, counts, means)
        of_amount = error_of_log_amount(learned.amounts.parameters, learned.amounts.covariance, counts, means)
        error = np.hypot(error, of_amount)
    else:
        amount = np.where((counts > 0) & (means > 0), means, learned.mean_amount)
    value, width = orders * amount, np.exp(SIGMAS * error)
    return Expected(alive, orders, amount, value, value / width, value * width)


def discounted_orders(
    parameters: tuple[float, ...], months: int, a_month: float, x: Floats, t_x: Floats, age: Floats,
    *, weeks_a_month: float = 365.25 / 12 / 7,
) -> Floats:  # fmt: skip
    """Return the orders that BG/NBD expects within so many months, each worth less by `a_month` for every month that it
    lies ahead (0.01: one part in a hundred)."""
    found, before = np.zeros(len(x)), np.zeros(len(x))
    for month in range(1, months + 1):
        by_then = expected_orders(parameters, month * weeks_a_month, x, t_x, age)
        found += (by_then - before) / (1 + a_month) ** month
        before = by_then
    return found


def _fit_as_json(fit: Fit | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    return {
        "parameters": list(fit.parameters), "log_likelihood": fit.log_likelihood, "covariance": fit.covariance.tolist(),
    }  # fmt: skip


def _fit_of_json(stored: Mapping[str, Any] | None) -> Fit | None:
    if stored is None:
        return None
    return Fit(tuple(stored["parameters"]), stored["log_likelihood"], np.array(stored["covariance"]))
