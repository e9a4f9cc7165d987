"""Curves: what was measured at growing amounts of work, and the exponent of the growth."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy import stats

CONFIDENCE = 0.95
FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """What the runs measured at one amount of work."""

    work: float
    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Exponent:
    """The power of the work with which a cost or a rate grows, with its interval: 0 is flat, 1 in proportion."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"

    @property
    def tenfold(self) -> float:
        """By what ten times the work multiplies."""
        return float(10**self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind. A limit is what the machine does at most of the like, measured in the same run."""

    name: str
    points: Sequence[Point]
    is_limit: bool = False

    def exponent(self) -> Exponent | None:
        """Fit a straight line to the logarithms of all runs; None where there are fewer than three amounts of work."""
        if len({point.work for point in self.points}) < FEWEST_POINTS:
            return None
        pairs = [(math.log(one.work), math.log(value)) for one in self.points for value in one.values if value > 0]
        fit = stats.linregress([x for x, _ in pairs], [y for _, y in pairs])
        off = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(pairs) - 2)) * float(fit.stderr)
        return Exponent(float(fit.slope), float(fit.slope) - off, float(fit.slope) + off)


@dataclass(frozen=True, slots=True)
class Plot:
    """Series over the same work in the same unit."""

    name: str
    title: str
    says: str
    work: str
    unit: str
    series: Sequence[Series]

    def as_json(self) -> dict[str, Any]:
        """For the file, with the exponents."""
        told = asdict(self)
        for one, series in zip(told["series"], self.series, strict=True):
            found = series.exponent()
            one["exponent"] = None if found is None else asdict(found)
        return told


def from_json(told: Mapping[str, Any]) -> Plot:
    """Read what `as_json` wrote."""
    series = [
        Series(one["name"], [Point(**point) for point in one["points"]], one["is_limit"]) for one in told["series"]
    ]
    return Plot(**{**told, "series": series})


def number(value: float) -> str:
    """A number with three digits that count."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}"


def short(value: float) -> str:
    """A round number as an axis shows it."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
