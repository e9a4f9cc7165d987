"""What another way of choosing would have brought, told from the log of the one that chose (off-policy evaluation).

A log holds, for each decision, what was rewarded and the propensity: the probability with which the logging policy
chose what it chose. The target policy gives that same action another probability; the quotient of both is the weight.

- IPS (Horvitz and Thompson 1952): the mean of weight x reward. Unbiased, wide where weights are large.
- SNIPS (Swaminathan and Joachims 2015): divided by the mean weight. Slightly biased, much narrower.
- DR, doubly robust (Dudik, Langford and Li 2011): the mean of a model's prediction under the target, corrected by the
  weighted error of the model on what was logged. Right where either the model or the propensities are.

Weights are clipped at a greatest value (Ionides 2008), so that a propensity of 0.000001 cannot carry a figure alone;
how many were clipped, and how many equally weighted rows the log is worth (the effective sample of Kish 1965), stands
beside each value. An interval that holds zero is said in so many words: not distinguishable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

MOST_WEIGHT = 1_000.0
LEVEL = 0.95
RESAMPLES = 1_000
FEWEST_EFFECTIVE_ROWS = 30.0
_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """Decisions as they were made: what each was rewarded with, and the probability with which it was chosen."""

    rewards: Numbers
    propensities: Numbers

    def __post_init__(self) -> None:
        if self.rewards.shape != self.propensities.shape or self.rewards.ndim != 1 or not self.rewards.size:
            raise ValueError("a log has as many rewards as propensities, and at least one")
        if not np.all(np.isfinite(self.rewards)):
            raise ValueError("a reward is a finite number")
        if not np.all((self.propensities > 0) & (self.propensities <= 1)):
            raise ValueError("a propensity is a probability above zero: what could not be chosen was not")


@dataclass(frozen=True, slots=True)
class Target:
    """A policy to be valued on a log: the probability that it gives each logged action, and, for DR, what a model
    predicts for the logged action (`predicted`) and under the target as a whole (`predicted_under`)."""

    probabilities: Numbers
    predicted: Numbers | None = None
    predicted_under: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a policy is worth per decision, by one estimator, with an interval and what it rests upon."""

    estimator: str
    value: float
    standard_error: float
    low: float
    high: float
    rows: int
    effective_rows: float
    greatest_weight: float
    clipped_rows: int

    @property
    def is_thin(self) -> bool:
        """Whether the log is worth so few rows that the interval itself is not to be relied on."""
        return self.effective_rows < FEWEST_EFFECTIVE_ROWS


@dataclass(frozen=True, slots=True)
class Gain:
    """What one policy brings beyond another, on the same log, row by row."""

    value: float
    standard_error: float
    low: float
    high: float
    is_distinguishable: bool
    text: str


def weights_of(log: Log, target: Target, most: float = MOST_WEIGHT) -> Numbers:
    """Return the clipped weights; finite, however small a propensity is."""
    return np.minimum(target.probabilities / log.propensities, most)


def effective_rows(weights: Numbers) -> float:
    """Return how many equally weighted rows these are worth: (sum w)^2 / sum w^2, nothing where all are nothing."""
    greatest = float(weights.max(initial=0.0))
    if greatest <= 0:
        return 0.0
    scaled = weights / greatest  # so that no square runs over
    return float(scaled.sum() ** 2 / np.square(scaled).sum())


def estimate(
    name: str, log: Log, target: Target, *, most: float = MOST_WEIGHT, level: float = LEVEL, seed: int | None = None
) -> Estimate:
    """Value `target` by the estimator `name` (ips, snips, dr). The interval is the normal one of the rows' influence;
    with a `seed` it is the percentile bootstrap, which keeps the skew of rare rewards. Raises KeyError for another
    name, ValueError where DR lacks its predictions."""
    weights = weights_of(log, target, most)
    influence = ESTIMATORS[name](log, target, weights)
    value, error = _mean_and_error(influence)
    if seed is None:
        low, high = _normal(value, error, level)
    else:
        low, high = _bootstrapped(name, log, target, weights, level, seed)
    raw = target.probabilities / log.propensities
    return Estimate(
        name, value, error, low, high, log.rewards.size, effective_rows(weights), float(raw.max()),
        int(np.count_nonzero(raw > most)),
    )  # fmt: skip


def gain(
    name: str, log: Log, target: Target, other: Target, *, of: str = "the policy", over: str = "the other",
    most: float = MOST_WEIGHT, level: float = LEVEL,
) -> Gain:  # fmt: skip
    """Return what `target` brings beyond `other` by one estimator, with an interval of the difference itself: both are
    valued on the same rows, which is narrower than two intervals side by side. It is never narrower than three times
    the span of rewards over the effective rows: a policy that nothing good or bad happened to in few rows is unknown,
    not certain (the rule of three, Hanley and Lippman-Hand 1983)."""
    weights, others = weights_of(log, target, most), weights_of(log, other, most)
    apart = ESTIMATORS[name](log, target, weights) - ESTIMATORS[name](log, other, others)
    value, error = _mean_and_error(apart)
    low, high = _normal(value, error, level)
    unseen = _unseen(log, min(effective_rows(weights), effective_rows(others))) if apart.any() else 0.0
    low, high = min(low, value - unseen), max(high, value + unseen)
    return Gain(value, error, low, high, low > 0 or high < 0, gain_in_words(value, low, high, of, over, level))


def gain_in_words(value: float, low: float, high: float, of: str, over: str, level: float = LEVEL) -> str:
    """Say what came of a comparison, without claiming more than the interval allows."""
    between = f"{level:.0%} between {low:+.5f} and {high:+.5f}"
    if low > 0:
        return f"{of} brings {value:.5f} a decision more than {over} ({between})"
    if high < 0:
        return f"{of} brings {-value:.5f} a decision less than {over} ({between})"
    return f"{of} is not distinguishable from {over}: {value:+.5f} a decision lies within the interval ({between})"


def bernstein_margin(contributions: Numbers, span: float, level: float = LEVEL) -> float:
    """Return the half-width of the empirical Bernstein interval (Maurer and Pontil 2009) of the mean of numbers that
    lie within `span` of each other: wider than the normal one, and valid for however few rows."""
    rows = contributions.size
    if rows < 2:
        return float("inf")
    log_term = float(np.log(4 / (1 - level)))
    variance = float(contributions.var(ddof=1))
    return float(np.sqrt(2 * variance * log_term / rows) + 7 * span * log_term / (3 * (rows - 1)))


def _ips(log: Log, target: Target, weights: Numbers) -> Numbers:
    return weights * log.rewards


def _snips(log: Log, target: Target, weights: Numbers) -> Numbers:
    mean = float(weights.mean())
    if mean <= 0:
        return np.zeros_like(weights)  # the target would have chosen nothing of what was logged: nothing is known
    value = float((weights * log.rewards).mean()) / mean
    return value + weights * (log.rewards - value) / mean


def _doubly_robust(log: Log, target: Target, weights: Numbers) -> Numbers:
    if target.predicted is None or target.predicted_under is None:
        raise ValueError("the doubly robust estimator needs the predictions of a model")
    return target.predicted_under + weights * (log.rewards - target.predicted)


ESTIMATORS: Mapping[str, Callable[[Log, Target, Numbers], Numbers]] = {
    "ips": _ips, "snips": _snips, "dr": _doubly_robust,
}  # fmt: skip
"""Each returns one number a row whose mean is the value, and whose spread is that of the value (its influence)."""


def _unseen(log: Log, rows: float) -> float:
    """What could have escaped so few rows."""
    span = max(0.0, float(log.rewards.max())) - min(0.0, float(log.rewards.min()))
    return 3 * span / rows if rows > 0 else float("inf")


def _mean_and_error(influence: Numbers) -> tuple[float, float]:
    rows = influence.size
    error = float(influence.std(ddof=1) / np.sqrt(rows)) if rows > 1 else float("inf")
    return float(influence.mean()), error


def _normal(value: float, error: float, level: float) -> tuple[float, float]:
    margin = NormalDist().inv_cdf((1 + level) / 2) * error
    return value - margin, value + margin


def _bootstrapped(
    name: str, log: Log, target: Target, weights: Numbers, level: float, seed: int
) -> tuple[float, float]:
    chance = np.random.default_rng(seed)
    if name == "snips":
        values = _ratios(weights * log.rewards, weights, chance)
    else:
        values = _means(ESTIMATORS[name](log, target, weights), chance)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _means(numbers: Numbers, chance: np.random.Generator) -> Numbers:
    """The means of resamples. Rows that are equal are drawn by their number: a log of rare rewards has few kinds. What
    is divided by is how many rows were drawn: by Poisson draws these are not always as many as there are."""
    kinds, counts = np.unique(numbers, return_counts=True)
    drawn = _draw(counts, chance)
    means: Numbers = drawn @ kinds / drawn.sum(axis=1)
    return means


def _ratios(above: Numbers, below: Numbers, chance: np.random.Generator) -> Numbers:
    kinds, counts = np.unique(np.column_stack([above, below]), axis=0, return_counts=True)
    drawn = _draw(counts, chance)
    sums = drawn @ kinds[:, 1]
    return np.divide(drawn @ kinds[:, 0], sums, out=np.zeros_like(sums), where=sums > 0)


def _draw(counts: NDArray[np.int64], chance: np.random.Generator) -> Numbers:
    """How often each kind of row is drawn in each resample of as many rows as there are."""
    rows = int(counts.sum())
    if counts.size * RESAMPLES <= _CHUNK:
        return chance.multinomial(rows, counts / rows, size=RESAMPLES).astype(np.float64)
    # Of very many kinds each is drawn nearly independently of the others (the Poisson bootstrap).
    return chance.poisson(counts, size=(max(100, _CHUNK * 10 // counts.size), counts.size)).astype(np.float64)
