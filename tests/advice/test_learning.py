"""Learning from outcomes, and choosing so that the probability of each choice is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.advice.policy.choosing import Greedy, Softmax, chance_of, draw
from finalmarket.advice.policy.linear import LinearModel, Regression

Rows = np.ndarray[Any, Any]


def outcomes(rows: int, seed: int, size: int = 4) -> tuple[Rows, Rows]:
    chance = np.random.default_rng(seed)
    contexts = np.column_stack([np.ones(rows), chance.normal(size=(rows, size - 1))])
    return contexts, contexts @ np.array([0.3, 0.2, -0.1, 0.0])[:size] + 0.1 * chance.normal(size=rows)


def test_one_by_one_is_as_all_at_once_and_as_solved_from_scratch() -> None:
    contexts, rewards = outcomes(200, 1)
    single, many = Regression.blank(4), Regression.blank(4)
    for context, reward in zip(contexts, rewards, strict=True):
        single.learn(context, float(reward))
    many.learn_many(contexts, rewards)
    scratch = np.linalg.solve(np.eye(4) + contexts.T @ contexts, contexts.T @ rewards)
    np.testing.assert_allclose(single.mean, scratch, rtol=1e-9)
    np.testing.assert_allclose(many.mean, scratch, rtol=1e-9)
    np.testing.assert_allclose(single.inverse, many.inverse, rtol=1e-8)
    assert single.noise == pytest.approx(0.01, rel=0.5)


def test_the_order_of_outcomes_does_not_matter() -> None:
    contexts, rewards = outcomes(60, 2)
    forth, back = Regression.blank(4), Regression.blank(4)
    for number in range(60):
        forth.learn(contexts[number], float(rewards[number]))
        back.learn(contexts[59 - number], float(rewards[59 - number]))
    np.testing.assert_allclose(forth.mean, back.mean, rtol=1e-9)


def test_the_more_is_known_the_less_it_spreads() -> None:
    contexts, rewards = outcomes(500, 3)
    model = LinearModel(4)
    before = model.spreads(contexts[:1], ["a"])[0, 0]
    model.of("a").learn_many(contexts, rewards)
    assert model.spreads(contexts[:1], ["a"])[0, 0] < before / 10


def test_what_was_learned_is_kept_as_json_and_comes_back_the_same() -> None:
    contexts, rewards = outcomes(50, 4)
    model = LinearModel(4)
    model.of("win_back").learn_many(contexts, rewards)
    back = LinearModel.restored(json.loads(json.dumps(model.state())))
    np.testing.assert_array_equal(back.means(contexts, ["win_back"]), model.means(contexts, ["win_back"]))
    assert back.state() == model.state()


@given(st.integers(0, 10_000), st.floats(0.01, 1), st.floats(0.001, 1))
@settings(max_examples=40)
def test_probabilities_are_whole_and_never_below_the_share_that_explores(
    seed: int, explore: float, temperature: float
) -> None:
    chance = np.random.default_rng(seed)
    model = LinearModel(3)
    actions = ["a", "b", "c", "d"]
    for action in actions:
        model.of(action).learn_many(chance.normal(size=(5, 3)), chance.normal(size=5) * 10)
    eligible = chance.random((8, 4)) < 0.6
    eligible[:, 0] = True
    chances = Softmax(model, explore, temperature).probabilities(chance.normal(size=(8, 3)), actions, eligible)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert np.all(chances[~eligible] == 0)
    least = explore / eligible.sum(axis=1, keepdims=True)
    assert np.all((chances >= least * (1 - 1e-9)) | ~eligible)


def test_choices_come_as_often_as_their_probability_says() -> None:
    probabilities = np.tile([0.0, 0.7, 0.25, 0.05, 0.0], (20_000, 1))
    chosen = draw(probabilities, np.random.default_rng(5).random(20_000))
    shares = np.bincount(chosen, minlength=5) / 20_000
    np.testing.assert_allclose(shares, [0, 0.7, 0.25, 0.05, 0], atol=0.012)
    assert set(draw(probabilities[:2], np.array([0.0, 1.0]))) == {1, 3}  # at the edges, too, only what has a chance


def test_the_same_question_gets_the_same_chance_and_others_are_spread_evenly() -> None:
    assert chance_of("seed", 7, "2026-05-01") == chance_of("seed", 7, "2026-05-01")
    spread = np.array([chance_of("seed", number) for number in range(2_000)])
    assert 0 <= spread.min() < 0.01 < 0.99 < spread.max() < 1
    assert abs(spread.mean() - 0.5) < 0.03


def test_it_learns_whom_to_write_and_whom_to_leave_alone() -> None:
    """Those with a cart buy when they are written to; the others leave. After some hundred outcomes it knows."""
    chance = np.random.default_rng(6)
    policy = Softmax(LinearModel(2), explore=0.1, temperature=0.05)
    actions, everything = ["write", "no_action"], np.ones((1, 2), bool)
    for _ in range(600):
        has_cart = float(chance.random() < 0.5)
        context = np.array([[1.0, has_cart]])
        chosen = int(draw(policy.probabilities(context, actions, everything), chance.random(1))[0])
        reward = (0.5 if has_cart else -0.3) * (chosen == 0) + 0.1 * chance.normal()
        policy.model.of(actions[chosen]).learn(context[0], reward)
    wise = Greedy(policy.model).probabilities(np.array([[1.0, 1.0], [1.0, 0.0]]), actions, np.ones((2, 2), bool))
    np.testing.assert_array_equal(wise, [[1, 0], [0, 1]])
