"""Forecasts of demand: what they make of steady and rare sellers, of empty shelves, weekdays and rising sales."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from finalmarket.advice import demand
from finalmarket.advice.demand_methods import BASELINES, METHODS, croston, fading, moving_average, smoothed
from finalmarket.bench import demand as bench
from finalmarket.kernel.errors import UserError

SUNDAY = date(2026, 11, 22)
DAYS = 7 * 40


def rows(*series: object) -> np.ndarray:
    return np.array([np.asarray(one, dtype=float) for one in series])


def test_a_steady_seller_is_told_what_it_sells() -> None:
    told = demand.forecast(rows(np.full(DAYS, 4.0)), SUNDAY)
    mean, spread = told.over(14)
    assert mean[0] == pytest.approx(56.0)
    assert spread[0] == pytest.approx(np.sqrt(56.0))  # never surer than chance allows
    assert told.method == ["blend"]


def test_days_with_an_empty_shelf_are_not_days_without_demand() -> None:
    sold = np.full(DAYS, 4.0)
    empty = np.arange(DAYS) % 7 < 3
    taken_for_zero, left_out = np.where(empty, 0.0, sold), np.where(empty, np.nan, sold)
    told = demand.forecast(rows(taken_for_zero, left_out), SUNDAY)
    assert told.rate[1] == pytest.approx(4.0)
    assert told.rate[0] < 2.5
    assert list(told.silent_days) == [0, int(empty.sum()) - 3]  # the first three days come before its first sale


def test_a_shop_that_is_closed_on_sundays_is_told_nothing_for_sunday() -> None:
    # The last day is a Sunday, so the first of the series is a Monday.
    week = [3.0, 3.0, 3.0, 3.0, 6.0, 12.0, 0.0]
    told = demand.forecast(rows(week * 40), SUNDAY)
    monday_to_saturday, _ = told.over(6)
    whole_week, _ = told.over(7)
    friday_and_before, _ = told.over(5)
    assert whole_week[0] == pytest.approx(30.0, rel=0.02)
    assert monday_to_saturday[0] == pytest.approx(whole_week[0])
    assert whole_week[0] - friday_and_before[0] == pytest.approx(12.0, rel=0.1)  # Saturday


def test_few_days_are_told_their_mean_with_a_wide_interval() -> None:
    young = np.full(DAYS, np.nan)
    young[-10:] = [0, 2, 0, 0, 1, 0, 0, 0, 2, 0]
    told = demand.forecast(rows(young), SUNDAY)
    mean, spread = told.over(7)
    assert told.method == ["mean"]
    assert mean[0] == pytest.approx(3.5)
    assert spread[0] > np.sqrt(mean[0])


def test_what_never_sold_is_expected_not_to_sell() -> None:
    told = demand.forecast(rows(np.zeros(DAYS), np.full(DAYS, np.nan)), SUNDAY)
    mean, spread = told.over(30)
    assert list(demand.quantile(mean, spread, 0.99)) == [0.0, 0.0]


def test_croston_divides_the_size_of_a_sale_by_the_days_between_two() -> None:
    every_fifth = np.where(np.arange(200) % 5 == 0, 10.0, 0.0)
    assert croston(rows(every_fifth), 0.1).rate[0, -1] == pytest.approx(2.0, rel=0.02)
    # Syntetos and Boylan take half of alpha away.
    assert croston(rows(every_fifth), 0.1, corrected=True).rate[0, -1] == pytest.approx(1.9, rel=0.02)


def test_croston_never_forgets_and_its_successor_does() -> None:
    sold_once = np.where(np.arange(300) % 5 == 0, 10.0, 0.0)
    sold_once[100:] = 0.0
    assert croston(rows(sold_once), 0.1).rate[0, -1] == pytest.approx(2.0, rel=0.05)
    assert fading(rows(sold_once), 0.1, 0.05).rate[0, -1] < 0.01


def test_a_day_that_says_nothing_changes_nothing() -> None:
    known = np.tile([1.0, 5.0, 2.0, 0.0], 20)
    with_gaps = np.insert(known, np.arange(4, 80, 4), np.nan)
    assert smoothed(rows(known), 0.1).rate[0, -1] == pytest.approx(smoothed(rows(with_gaps), 0.1).rate[0, -1], rel=0.1)
    assert moving_average(rows(with_gaps), 8).rate[0, -1] == pytest.approx(2.0)


def test_a_method_sees_no_day_after_its_origin() -> None:
    random = np.random.default_rng(7)
    past = random.poisson(2.0, (20, DAYS)).astype(float)
    other_future = past.copy()
    other_future[:, 200:] = 50.0
    for method in (*METHODS.values(), *BASELINES.values()):
        assert np.array_equal(method.tell(past).rate[:, :200], method.tell(other_future).rate[:, :200]), method.name


def test_another_method_takes_over_when_it_proves_better_and_not_by_luck() -> None:
    random = np.random.default_rng(11)
    rising = random.poisson(np.linspace(0.5, 60, DAYS), (30, DAYS)).astype(float)
    flat = random.poisson(5.0, (30, DAYS)).astype(float)
    told = demand.forecast(np.concatenate([rising, flat]), SUNDAY)
    assert told.method[:30].count("blend") < 10
    assert told.method[30:].count("blend") >= 27


def test_intervals_hold_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    units = random.negative_binomial(2, 0.4, (600, DAYS + 28)).astype(float)
    told = demand.forecast(units[:, :DAYS], SUNDAY)
    mean, spread = told.over(28)
    came = units[:, DAYS:].sum(axis=1)
    for level in (0.8, 0.95):
        assert (came <= demand.quantile(mean, spread, level)).mean() == pytest.approx(level, abs=0.05)


def test_more_units_are_ever_less_likely_to_be_asked_for() -> None:
    chances = demand.more_than(10.0, 5.0, np.arange(40.0))
    assert (np.diff(chances) < 0).all()
    assert chances[10] == pytest.approx(0.46, abs=0.01)
    assert not demand.more_than(0.0, 1.0, np.arange(3.0)).any()


@pytest.mark.slow
def test_on_a_real_year_the_choice_beats_the_naive_forecast_and_the_moving_average(test_data: Path) -> None:
    series = bench.read(test_data / "online-retail-ii-2009-2010/online_retail_2009_2010.parquet")
    figures = {one.name: one for one in bench.measure(series)}
    assert figures["series"].value > 3_000
    for name in ("mase_median_over_last_week", "mase_median_over_moving_average"):
        ratio = figures[name].ratio
        assert ratio is not None
        assert ratio < 1


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="there is no file nowhere"):
        bench.read(Path("nowhere.parquet"))
