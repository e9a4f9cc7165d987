"""Whether two rates differ, or only look so: tests of two shares, said in words.

A difference is only called one when chance alone would bring it about in fewer than one of twenty comparisons, counting
all rates that are compared at once (Holm, Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = later("scipy.stats")

LEVEL = 0.05
FEWEST_EXPECTED = 10
"""Below so many expected successes or failures on a side the normal distribution is not trusted: Fisher's exact test
then."""
FEWEST_DAYS = 5


@dataclass(frozen=True, slots=True)
class Share:
    """Of `whole`, `part`. `days` are the same by day, where what happens in it hangs together within a day."""

    part: int
    whole: int
    days: tuple[tuple[int, int], ...] = ()

    @property
    def rate(self) -> Decimal | None:
        """The share to six places; None without a whole."""
        return (Decimal(self.part) / self.whole).quantize(Decimal("0.000001")) if self.whole else None


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """What can be said of two rates. `p_value` is corrected for all rates that are compared with it; None where nothing
    could be tested, and `words` says why."""

    name: str
    here: Decimal | None
    there: Decimal | None
    p_value: float | None
    test: str
    differs: bool
    words: str


def compare_rates(pairs: Sequence[tuple[str, Share, Share]]) -> list[RateVerdict]:
    """Return a verdict on each pair of shares (name, here, there), in the order given."""
    tested = [(name, here, there, *_tested(here, there)) for name, here, there in pairs]
    corrected = _holm([p for *_, p, _ in tested])
    return [
        _said(RateVerdict(name, here.rate, there.rate, p, test, p is not None and p < LEVEL, ""), raw is not None)
        for (name, here, there, raw, test), p in zip(tested, corrected, strict=True)
    ]


def _tested(here: Share, there: Share) -> tuple[float | None, str]:
    """Return the p-value (two-sided) and the name of the test, None where there is nothing to test."""
    if not here.whole or not there.whole:
        return None, "there is nothing to compare: one side has none"
    if here.days or there.days:
        return _by_day(here, there)
    return _two_proportions(here, there)


def _two_proportions(here: Share, there: Share) -> tuple[float, str]:
    """The z-test of two proportions with pooled variance; Fisher's exact test where little is expected."""
    pooled = (here.part + there.part) / (here.whole + there.whole)
    least = min(min(share.whole * pooled, share.whole * (1 - pooled)) for share in (here, there))
    if least < FEWEST_EXPECTED:
        table = [[share.part, share.whole - share.part] for share in (here, there)]
        return float(stats.fisher_exact(table).pvalue), "Fisher's exact test"
    spread = (pooled * (1 - pooled) * (1 / here.whole + 1 / there.whole)) ** 0.5
    z = (here.part / here.whole - there.part / there.whole) / spread
    return float(2 * stats.norm.sf(abs(z))), "z-test of two proportions"


def _by_day(here: Share, there: Share) -> tuple[float | None, str]:
    """The difference of two ratios whose parts hang together within a day (the units of one order come back together):
    the spread is that of the days, not of the single units (Cochran, Sampling Techniques, 1977, section 6.3)."""
    spreads = [_spread_of_ratio(share) for share in (here, there)]
    if any(spread is None for spread in spreads):
        return None, f"fewer than {FEWEST_DAYS} days on a side say nothing about how days differ"
    variance = sum(spread or 0.0 for spread in spreads)
    difference = here.part / here.whole - there.part / there.whole
    if variance == 0:
        return (1.0 if difference == 0 else None), "the days of both sides are all alike"
    freedom = sum(1 for share in (here, there) for _, whole in share.days if whole) - 2
    return float(2 * stats.t.sf(abs(difference) / variance**0.5, freedom)), "t-test of ratios by day"


def _spread_of_ratio(share: Share) -> float | None:
    days = np.array([day for day in share.days if day[1]], dtype=np.float64).reshape(-1, 2)
    if len(days) < FEWEST_DAYS:
        return None
    left = days[:, 0] - share.part / share.whole * days[:, 1]
    return float(len(days) / (len(days) - 1) * np.sum(left**2) / share.whole**2)


def _holm(values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number: the smallest counts for all, the next for all but one, and so on."""
    known = sorted((p, at) for at, p in enumerate(values) if p is not None)
    corrected: list[float | None] = [None] * len(values)
    so_far = 0.0
    for rank, (p, at) in enumerate(known):
        so_far = max(so_far, min(1.0, p * (len(known) - rank)))
        corrected[at] = so_far
    return corrected


def _said(verdict: RateVerdict, is_tested: bool) -> RateVerdict:
    if verdict.here is None or verdict.there is None or not is_tested or verdict.p_value is None:
        return replace(verdict, words=f"not compared: {verdict.test}")
    if not verdict.differs:
        words = f"not distinguishable: chance alone would make such a difference {_how_often(verdict.p_value)}"
    else:
        way = "higher" if verdict.here > verdict.there else "lower"
        words = f"{way}: chance alone would make such a difference only {_how_often(verdict.p_value)}"
    return replace(verdict, words=f"{words} (p = {verdict.p_value:.2g}, {verdict.test})")


def _how_often(p: float) -> str:
    if p < 0.001:
        return "less than once in 1,000 times"
    return f"in {max(1, round(p * 100))} of 100 times" if p >= 0.01 else f"in {max(1, round(p * 1000))} of 1,000 times"
