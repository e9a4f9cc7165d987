"""The bench of lifetime value prints the figures that its name promises, and only where both sides agree."""

from __future__ import annotations

import pytest

from finalmarket.bench import lifetime
from finalmarket.bench.report import Pace
from finalmarket.kernel.errors import UserError


def test_it_prints_fit_and_expectation_beside_plain_scipy() -> None:
    figures = lifetime.measure("", Pace(runs=1, seed=3), lambda step: None, customers=4_000)
    assert [one.name for one in figures] == ["clv_fit_0.004m_s", "clv_predict_0.004m_s"]
    assert all(one.baseline and one.ratio for one in figures)


def test_a_fit_that_falls_short_of_the_plain_one_gives_no_figure() -> None:
    found = lifetime._fit(lifetime.made_up(4_000, seed=3))
    with pytest.raises(UserError, match="higher likelihood"):
        lifetime._check(found, (found[0].log_likelihood + 1, found[1].log_likelihood))
