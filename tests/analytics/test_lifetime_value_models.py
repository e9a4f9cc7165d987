"""The models of lifetime value find what the papers found, and say where they know nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from finalmarket.analytics import bg_nbd, gamma_gamma, lifetime_value
from finalmarket.analytics.bg_nbd_expected import (
    beta_points,
    chance_alive,
    expected_from_first,
    expected_orders,
    orders_if_alive,
)
from tests.analytics import buyers
from tests.analytics.buyers import Buyers

PAPER = (0.2426, 4.4136, 0.7929, 2.4259)


@pytest.fixture(scope="module")
def cdnow(test_data: Path) -> Path:
    return test_data / "cdnow"


@pytest.fixture(scope="module")
def reference(cdnow: Path) -> Any:
    return json.loads((cdnow / "expected.json").read_text())


@pytest.fixture(scope="module")
def people(cdnow: Path) -> Buyers:
    return buyers.summed_up(buyers.purchases(cdnow))


@pytest.fixture(scope="module")
def fitted(people: Buyers) -> bg_nbd.Fit:
    return bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age))


def test_bg_nbd_finds_the_parameters_of_the_paper(cdnow: Path, reference: Any) -> None:
    summary = buyers.shipped(cdnow)
    found = bg_nbd.fit(bg_nbd.grouped(summary.x, summary.t_x, summary.age))
    published = reference["published"]["bgnbd"]
    assert found.is_settled
    assert [round(one, 3) for one in found.parameters] == [published[name] for name in ("r", "alpha", "a", "b")]
    assert found.log_likelihood == pytest.approx(published["LL"], abs=0.05)


def test_bg_nbd_finds_them_from_raw_purchases_too(fitted: bg_nbd.Fit, reference: Any) -> None:
    measured = reference["measured"]["bgnbd_from_raw_transactions"]
    assert fitted.parameters == pytest.approx([measured[name] for name in ("r", "alpha", "a", "b")], rel=1e-4)
    assert fitted.log_likelihood == pytest.approx(measured["LL"], abs=1e-4)


def test_gamma_gamma_finds_the_parameters_of_the_paper(cdnow: Path, reference: Any) -> None:
    summary = buyers.shipped(cdnow)
    amounts = gamma_gamma.counted(summary.x, summary.mean)
    found = gamma_gamma.fit(amounts)
    published, measured = reference["published"]["gamma_gamma"], reference["measured"]["gamma_gamma"]
    p, q, v = found.parameters
    assert (round(p, 2), round(q, 2)) == (published["p"], published["q"])
    assert v == pytest.approx(published["v"], abs=0.01)
    assert found.parameters == pytest.approx([measured[name] for name in ("p", "q", "v")], rel=1e-4)
    assert found.log_likelihood == pytest.approx(measured["LL"], abs=1e-4)
    assert int(amounts.number.sum()) == measured["n"]
    worth = gamma_gamma.expected_amount(found.parameters, summary.x, summary.mean)
    assert worth[:5] == pytest.approx(reference["measured"]["conditional_average_value_first5"], rel=1e-4)


def test_what_is_expected_of_one_person_is_what_the_paper_expects(fitted: bg_nbd.Fit, reference: Any) -> None:
    one = reference["measured"]["customer_1"]
    asked = [one["x"]], [one["t_x"]], [one["T"]]
    assert expected_orders(fitted.parameters, 39, *asked)[0] == pytest.approx(one["expected_39wk"], rel=1e-4)
    assert chance_alive(fitted.parameters, *asked)[0] == pytest.approx(one["p_alive"], rel=1e-4)
    assert reference["published"]["customer_1_expected_39wk"] == pytest.approx(one["expected_39wk"], abs=5e-4)


def _later(cdnow: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Orders in the 39 weeks after, and repeat orders of all by week since the first day."""
    bought = buyers.purchases(cdnow)
    first = min(min(days) for days in bought.values())
    came = [sum(day > buyers.END_OF_CALIBRATION for day in days) for days in bought.values()]
    weeks = np.zeros(79)
    for days in bought.values():
        for day in sorted(days)[1:]:
            weeks[(day - first).days // 7 + 1] += 1
    return np.array(came, dtype=float), weeks


def test_the_next_39_weeks_come_as_well_as_the_paper_foresaw(
    cdnow: Path, people: Buyers, fitted: bg_nbd.Fit, reference: Any
) -> None:
    came, _ = _later(cdnow)
    foreseen = expected_orders(fitted.parameters, 39, people.x, people.t_x, people.age)
    wanted, naive = reference["measured"]["holdout_39wk"], people.x / people.age * 39
    assert came.sum() == wanted["actual_total"]
    assert foreseen.sum() == pytest.approx(wanted["predicted_total"], rel=1e-3)
    assert np.corrcoef(foreseen, came)[0, 1] >= wanted["pearson"] - 1e-3
    assert round(np.corrcoef(foreseen, came)[0, 1], 3) == reference["published"]["individual_holdout_correlation"]
    assert np.abs(foreseen - came).mean() <= wanted["mae"] * 1.001 < np.abs(naive - came).mean()
    assert ((foreseen - came) ** 2).mean() ** 0.5 <= wanted["rmse"] * 1.001


def test_by_how_often_people_bought_before_the_expectation_is_nearer_than_their_own_rate(
    cdnow: Path, people: Buyers, fitted: bg_nbd.Fit
) -> None:
    came, _ = _later(cdnow)
    foreseen = expected_orders(fitted.parameters, 39, people.x, people.t_x, people.age)
    naive = people.x / people.age * 39
    groups = [people.x == often for often in range(7)] + [people.x >= 7]
    far = [sum(abs(guess[one].mean() - came[one].mean()) for one in groups) for guess in (foreseen, naive)]
    assert far[0] < far[1] / 3
    for one in groups:
        assert abs(foreseen[one].mean() - came[one].mean()) < 0.1 + 0.25 * came[one].mean()


def test_the_repeat_orders_of_all_are_followed_week_by_week_through_week_78(
    cdnow: Path, people: Buyers, fitted: bg_nbd.Fit
) -> None:
    _, weeks = _later(cdnow)
    begun, number = np.unique(39 - people.age, return_counts=True)
    expected = np.array(
        [number @ expected_from_first(fitted.parameters, np.maximum(week - begun, 0)) for week in (39, 52, 65, 78)]
    )
    actual = np.cumsum(weeks)[[39, 52, 65, 78]]
    assert abs(expected[0] / actual[0] - 1) < 0.02
    assert (np.abs(expected / actual - 1) < 0.05).all()


def test_value_discounted_by_month_is_what_the_reference_computed(cdnow: Path, reference: Any) -> None:
    people = buyers.shipped(cdnow)
    wanted = reference["measured"]["clv_12_months_discount_0.01"]  # that tool took the weeks for days: 30 to a month
    orders = bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age)).parameters
    amounts = gamma_gamma.fit(gamma_gamma.counted(people.x, people.mean)).parameters
    coming = lifetime_value.discounted_orders(orders, 12, 0.01, people.x, people.t_x, people.age, weeks_a_month=30)
    value = coming * gamma_gamma.expected_amount(amounts, people.x, people.mean)
    assert value[:5] == pytest.approx(wanted["first5"], rel=2e-3)
    assert value.sum() == pytest.approx(wanted["sum"], rel=2e-3)


@settings(max_examples=30)
@given(
    st.tuples(*[st.floats(0.05, 5)] * 2, st.floats(0.05, 0.9), st.floats(0.2, 20)),
    st.integers(0, 60), st.floats(1, 100), st.floats(0.1, 1), st.floats(1, 120),
)  # fmt: skip
def test_the_integral_is_the_hypergeometric_formula_of_the_paper(
    parameters: tuple[float, ...], x: int, age: float, part: float, span: float
) -> None:
    r, alpha, a, b = parameters
    t_x = age * part if x else 0.0
    reach = span / (alpha + age + span)
    series = hyp2f1(r + x, b + x, a + b + x - 1, reach)
    wanted = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + span)) ** (r + x) * series)
    wanted *= chance_alive(parameters, [x], [t_x], [age])[0]
    assert expected_orders(parameters, span, [x], [t_x], [age])[0] == pytest.approx(wanted, rel=1e-5, abs=1e-9)


def test_where_the_formula_of_the_paper_divides_by_nothing_the_expectation_goes_on() -> None:
    around = [orders_if_alive((0.24, 4.4, a, 2.4), 39, [2.0], [38.0])[0] for a in (1 - 1e-6, 1.0, 1 + 1e-6)]
    assert around[0] > around[1] > around[2]
    assert around[0] == pytest.approx(around[2], rel=1e-5)


def test_the_quadrature_knows_the_moments_of_the_beta_distribution() -> None:
    for a, b in ((0.79, 2.43), (0.5, 0.5), (1e-4, 50.0), (3.0, 4000.0)):
        points, weights = beta_points(a, b, 12)
        assert weights.sum() == pytest.approx(1)
        assert weights @ points == pytest.approx(a / (a + b))
        assert weights @ points**2 == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)))


@pytest.mark.parametrize("logs", [(-1.4, 1.5, -0.2, 0.9), (0.5, 0.1, 1.0, -1.0)])
def test_gradients_are_the_slopes_of_the_likelihood(logs: tuple[float, ...]) -> None:
    people = buyers.made_up(300, seed=3)
    grouped = bg_nbd.grouped(people.x, people.t_x, people.age)
    amounts = gamma_gamma.counted(people.x, people.mean)
    for objective, size in (
        (bg_nbd.Likelihood(grouped), 4), (bg_nbd.WithoutLeaving(grouped), 2), (gamma_gamma.Likelihood(amounts), 3),
    ):  # fmt: skip
        at = np.array(logs[:size])
        for place in range(size):
            step = np.eye(size)[place] * 1e-5
            slope = (objective(at + step)[0] - objective(at - step)[0]) / 2e-5
            assert objective(at)[1][place] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_equal_people_are_counted_once_and_change_nothing_in_any_order() -> None:
    people = buyers.made_up(2_000, seed=4)
    order = np.random.default_rng(1).permutation(2_000)
    one = bg_nbd.grouped(people.x, people.t_x, people.age)
    other = bg_nbd.grouped(people.x[order], people.t_x[order], people.age[order])
    assert len(one.x) < 1_200
    assert one.customers == 2_000
    assert (one.x[one.kind] == people.x).all() and (one.t_x[one.kind] == people.t_x).all()
    assert bg_nbd.fit(one).parameters == bg_nbd.fit(other).parameters


def test_the_parameters_that_made_people_up_are_found_within_their_errors() -> None:
    people = buyers.made_up(30_000, seed=5)
    found = bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age))
    far = (np.log(found.parameters) - np.log((0.243, 4.414, 0.793, 2.426))) / np.sqrt(np.diag(found.covariance))
    assert found.is_settled
    assert (np.abs(far) < 4).all()


def test_no_sign_of_anybody_leaving_is_a_ridge_and_said_in_words() -> None:
    people = buyers.made_up(3_000, seed=6, parameters=(0.8, 10.0, 1e-9, 1.0))
    found = bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age))
    assert "nobody does explains them as well" in found.problem
    learned = lifetime_value.learn(people.x, people.t_x, people.age, people.mean)
    assert (learned.orders_model, learned.name) == ("nbd", "NBD + Gamma-Gamma")
    assert "NBD takes its place" in learned.notes[0]
    expected = lifetime_value.expect(learned, 52, people.x, people.t_x, people.age, people.mean)
    assert np.isnan(expected.alive).all()
    assert (expected.low < expected.value).all() and (expected.value < expected.high).all()


def test_online_retail_is_such_a_ridge(test_data: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    folder = test_data / "online-retail-ii-2009-2010"
    rows = duckdb.sql(
        f"""WITH days AS (
              SELECT DISTINCT "Customer ID" AS person, CAST(InvoiceDate AS timestamp)::date AS day
              FROM '{folder / "online_retail_2009_2010.parquet"}'
              WHERE "Customer ID" IS NOT NULL AND Invoice NOT LIKE 'C%' AND Invoice NOT LIKE 'A%' AND Quantity > 0
                AND Price > 0 AND CAST(InvoiceDate AS timestamp)::date <= DATE '2010-09-30')
            SELECT count(*) - 1, date_diff('day', min(day), max(day)) / 7.0,
                   date_diff('day', min(day), DATE '2010-09-30') / 7.0 FROM days GROUP BY person"""
    ).fetchall()
    known = json.loads((folder / "expected.json").read_text())["bgnbd_calibration_to_2010-09-30"]
    x, t_x, age = np.array(rows, dtype=float).T
    assert (len(x), int(x.sum())) == (known["customers"], known["repeat_days"])
    learned = lifetime_value.learn(x, t_x, age, np.ones(len(x)))
    assert learned.orders_model == "nbd"
    assert learned.orders is not None
    assert learned.orders.log_likelihood == pytest.approx(known["LL"], abs=0.05)
    assert [round(one, 2) for one in learned.orders.parameters] == [0.79, 9.96]


def test_too_few_people_are_said_to_be_too_few() -> None:
    people = buyers.made_up(60, seed=7)
    learned = lifetime_value.learn(people.x, people.t_x, people.age, people.mean)
    assert learned.name == ""
    assert "Too few to learn from: 60 buyers" in learned.notes[0]
    expected = lifetime_value.expect(learned, 52, people.x, people.t_x, people.age, people.mean)
    assert np.isnan(expected.value).all()


def test_amounts_that_have_no_mean_over_people_fall_back_to_each_ones_own() -> None:
    chance = np.random.default_rng(2)
    amounts = gamma_gamma.counted(np.full(3_000, 3.0), chance.pareto(0.6, 3_000) + 1)
    found = gamma_gamma.fit(amounts)
    assert not found.is_settled
    assert found.problem


def test_the_interval_holds_the_true_expectation_about_as_often_as_it_says() -> None:
    truth = (0.243, 4.414, 0.793, 2.426)
    held, asked = 0, 0
    for seed in range(8):
        people = buyers.made_up(1_500, seed=100 + seed)
        found = bg_nbd.fit(bg_nbd.grouped(people.x, people.t_x, people.age))
        if not found.is_settled:
            continue
        learned = lifetime_value.Learned("bg_nbd", "own_mean", found, None, 1.0, None, 3_000, 0, ())
        probe = np.array([0.0, 2.0, 5.0]), np.array([0.0, 20.0, 30.0]), np.array([30.0, 40.0, 35.0])
        expected = lifetime_value.expect(learned, 26, *probe, np.ones(3))
        true = expected_orders(truth, 26, *probe)
        held += int(((expected.low <= true) & (true <= expected.high)).sum())
        asked += 3
    assert asked >= 15
    assert held / asked >= 0.8


@pytest.mark.parametrize(
    ("x", "t_x", "age", "words"),
    [
        ([1.0], [5.0], [4.0], "t_x lies between"), ([0.0], [1.0], [4.0], "t_x lies between"),
        ([0.5], [1.0], [4.0], "whole numbers"), ([-1.0], [0.0], [4.0], "whole numbers"),
        ([np.nan], [0.0], [4.0], "are numbers"), ([1.0, 2.0], [0.0], [4.0], "one length"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(x: list[float], t_x: list[float], age: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bg_nbd.grouped(x, t_x, age)
