"""What another policy would have brought: estimators on worlds whose truth is known, and on real experiments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.advice.policy.off_policy import (
    ESTIMATORS,
    Log,
    Target,
    bernstein_margin,
    effective_rows,
    estimate,
    gain,
    weights_of,
)
from finalmarket.bench.policies import crossed, evaluate, read_emails

TRUTH = np.array([0.1, 0.3])  # what each of two actions brings


def world(rows: int, seed: int, chance_of_second: float = 0.2) -> tuple[Log, np.ndarray[Any, Any]]:
    """A log of a policy that chooses the second action with that chance, and what was chosen."""
    chance = np.random.default_rng(seed)
    done = (chance.random(rows) < chance_of_second).astype(int)
    rewards = (chance.random(rows) < TRUTH[done]).astype(float)
    return Log(rewards, np.where(done == 1, chance_of_second, 1 - chance_of_second)), done


def always_second(done: np.ndarray[Any, Any], predicted: float = 0.3) -> Target:
    return Target((done == 1).astype(float), np.full(done.size, predicted), np.full(done.size, predicted))


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_a_policy_that_did_not_choose_is_valued_within_its_interval(name: str) -> None:
    held = 0
    for seed in range(40):
        log, done = world(2_000, seed)
        found = estimate(name, log, always_second(done))
        held += found.low <= TRUTH[1] <= found.high
    assert held >= 34  # of 40 intervals that each hold the truth 19 times in 20


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_the_policy_that_chose_is_worth_what_it_brought(name: str) -> None:
    log, _ = world(500, 1)
    same = Target(log.propensities, np.zeros(500), np.zeros(500))
    assert estimate(name, log, same).value == pytest.approx(log.rewards.mean())


@pytest.mark.parametrize("name", list(ESTIMATORS))
@pytest.mark.parametrize("distinct", [1_000, 5_000])
def test_a_resampled_interval_is_as_wide_as_the_normal_one_however_many_rewards_differ(
    name: str, distinct: int
) -> None:
    rewards = np.random.default_rng(8).normal(10.0, 1.0, distinct)
    log = Log(rewards, np.full(distinct, 0.5))
    target = Target(np.full(distinct, 0.5), np.full(distinct, 9.0), np.full(distinct, 9.0))
    normal, resampled = (estimate(name, log, target, seed=seed) for seed in (None, 3))
    ratio = (resampled.high - resampled.low) / (normal.high - normal.low)
    assert 1 / 1.3 < ratio < 1.3
    assert resampled.low < rewards.mean() < resampled.high


def test_a_wrong_model_is_put_right_by_the_propensities() -> None:
    log, done = world(20_000, 3)
    found = estimate("dr", log, always_second(done, predicted=0.9))
    assert abs(found.value - TRUTH[1]) < 3 * found.standard_error


def test_a_right_model_makes_the_interval_narrower() -> None:
    log, done = world(2_000, 4)
    wide, narrow = (estimate(name, log, always_second(done)) for name in ("ips", "dr"))
    assert narrow.standard_error < wide.standard_error


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_a_propensity_of_a_millionth_leaves_every_figure_finite(name: str) -> None:
    log = Log(np.array([1.0, 0.0, 1.0, 0.0]), np.array([1e-6, 0.5, 0.5, 1e-300]))
    target = Target(np.array([1.0, 0.5, 0.5, 1.0]), np.full(4, 0.5), np.full(4, 0.5))
    for seed in (None, 7):
        found = estimate(name, log, target, seed=seed)
        figures = (found.value, found.standard_error, found.low, found.high, found.effective_rows)
        assert np.all(np.isfinite(figures))
    assert found.clipped_rows == 2
    assert weights_of(log, target).max() == 1_000
    assert 2 <= found.effective_rows < 2.1  # two rows carry all of it
    assert found.is_thin


@given(
    weights=st.lists(st.floats(0, 1e200), min_size=1, max_size=50),
)
@settings(max_examples=100)
def test_effective_rows_lie_between_one_and_all_of_them(weights: list[float]) -> None:
    found = effective_rows(np.array(weights))
    assert found == 0 if max(weights) == 0 else 0.999 <= found <= len(weights) + 1e-6


def test_what_could_not_be_chosen_is_no_log() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Log(np.ones(2), np.array([0.0, 0.5]))
    with pytest.raises(ValueError, match="finite"):
        Log(np.array([np.nan]), np.ones(1))
    with pytest.raises(ValueError, match="at least one"):
        Log(np.array([]), np.array([]))


def test_a_gain_within_its_interval_is_not_distinguishable() -> None:
    log, done = world(400, 5)
    second, half = always_second(done), Target(np.full(400, 0.5))
    clear = gain("snips", *world_of(20_000, 6), of="writing", over="silence")
    assert clear.is_distinguishable
    assert clear.text.startswith("writing brings")
    same = gain("snips", log, half, half)
    assert (same.value, same.is_distinguishable) == (0, False)
    slight = Target(second.probabilities * 0.02 + 0.98 * log.propensities)
    found = gain("snips", log, slight, Target(log.propensities), of="the new", over="the old")
    assert not found.is_distinguishable
    assert "the new is not distinguishable from the old" in found.text


def world_of(rows: int, seed: int) -> tuple[Log, Target, Target]:
    log, done = world(rows, seed)
    return log, always_second(done), Target((done == 0).astype(float))


def test_silence_of_a_few_rows_is_no_proof() -> None:
    """Nothing was clicked where the target would have chosen, but that were few rows: nothing is claimed."""
    rewards = np.zeros(1_000)
    rewards[:8] = 1
    log = Log(rewards, np.full(1_000, 1 / 80))
    target = Target(np.repeat([0.0, 1.0], [900, 100]))
    found = gain("ips", log, target, Target(np.full(1_000, 1 / 80)))
    assert found.value < 0
    assert not found.is_distinguishable


def test_bernstein_holds_where_rows_are_few() -> None:
    assert bernstein_margin(np.array([1.0]), 1.0) == float("inf")
    few, many = (bernstein_margin(np.tile([0.0, 1.0], rows), 1.0) for rows in (10, 1_000))
    normal = 1.96 * 0.5 / np.sqrt(2_000)
    assert few > 0.5 > many > normal


def test_the_arms_of_the_email_experiment_are_valued_to_the_digit(test_data: Path) -> None:
    folder = test_data / "hillstrom-email"
    expected = json.loads((folder / "expected.json").read_text())["by_segment"]
    experiment = read_emails(folder / "hillstrom.csv.gz", "visit")
    targets = crossed(experiment, seed=42)
    for policy, arm in (("always_mens", "Mens E-Mail"), ("no_action", "No E-Mail"), ("always_womens", "Womens E-Mail")):
        found = estimate("snips", experiment.log, targets[policy])
        assert found.value == pytest.approx(expected[arm]["visit"]["mean"], abs=1e-12)
        assert found.effective_rows == pytest.approx(expected[arm]["visit"]["count"])


def test_personalising_the_emails_is_not_claimed_to_pay(test_data: Path) -> None:
    """The reference gains one standard error over sending the men's e-mail to all; so may ours, and it is said."""
    experiment = read_emails(test_data / "hillstrom-email" / "hillstrom.csv.gz", "visit")
    targets = crossed(experiment, seed=42)
    over_best = gain("snips", experiment.log, targets["learned"], targets["always_mens"])
    assert not over_best.is_distinguishable
    assert abs(over_best.value) < 0.008
    for beaten in ("no_action", "random", "always_womens"):
        assert gain("snips", experiment.log, targets["learned"], targets[beaten]).low > 0
    learned = estimate("ips", experiment.log, targets["learned"])
    assert 0.18531 - 2 * 0.00404 < learned.value < 0.18531 + 2 * 0.00404  # the reference and its standard error
    assert np.array_equal(targets["trusted"].probabilities, targets["always_mens"].probabilities)


def test_the_open_bandit_log_gives_the_published_figures(test_data: Path) -> None:
    folder = test_data / "open-bandit-small"
    expected = json.loads((folder / "expected.json").read_text())
    found = evaluate(folder)
    uniform, reference = found["policies"]["uniform_from_bts_log"]["uniform"], expected["uniform_policy_from_bts_log"]
    assert round(uniform["ips"]["value"], 5) == reference["all"]["ips"]
    assert round(uniform["ips"]["standard_error"], 5) == reference["all"]["se"]
    assert round(uniform["snips"]["value"], 5) == reference["all"]["snips"]
    assert round(uniform["ips"]["greatest_weight"], 2) == reference["all"]["max_weight"]
    assert found["on_policy"]["random"] == expected["on_policy_ctr"]["random"]["all"]
    published = expected["bts_from_random_log_all_published_in_zr-obp_quickstart_0.5.4"]
    low, high = published["ipw_95ci"]
    assert low < found["policies"]["bts_from_random_log"]["bts"]["ips"]["value"] < high
    assert not any(one["is_distinguishable"] for one in found["gains"])  # forty clicks tell nobody from chance
