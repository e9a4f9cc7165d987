"""What goes with what, and what to recommend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.advice.recommending.affinity import Touches, affinities, best_sellers, decayed, recommend
from finalmarket.bench.recommendations import evaluate

TEA, POT, CUP, DRILL, BIT = range(1, 6)
SHOP = Touches.of(
    [(1, TEA, 1.0), (1, POT, 1.0), (2, TEA, 1.0), (2, POT, 1.0), (2, CUP, 1.0), (3, TEA, 1.0), (3, CUP, 1.0),
     (4, DRILL, 1.0), (4, BIT, 1.0), (5, DRILL, 1.0), (5, BIT, 1.0), (6, TEA, 1.0)]
)  # fmt: skip


def pairs(touches: Touches) -> dict[tuple[int, int], tuple[float, int]]:
    found = affinities(touches)
    return {
        (goods, other): (score, together)
        for goods, other, score, together in zip(
            found.goods.tolist(), found.others.tolist(), found.scores.tolist(), found.together.tolist(), strict=True
        )
    }


def test_what_the_same_people_buy_goes_together_and_nothing_else() -> None:
    found = pairs(SHOP)
    assert found[DRILL, BIT][0] == pytest.approx(1.0)
    assert found[TEA, POT][0] == pytest.approx(2 / np.sqrt(4 * 2))
    assert (found[DRILL, BIT][1], found[TEA, POT][1], found[POT, CUP][1]) == (2, 2, 1)
    assert (TEA, DRILL) not in found
    assert (TEA, TEA) not in found
    assert {pair: score for (one, other), score in found.items() for pair in [(other, one)]} == found  # both ways


def test_a_touch_counts_half_after_thirty_days_and_a_look_less_than_a_purchase() -> None:
    np.testing.assert_allclose(decayed(np.array([0.0, 30.0, 60.0, -5.0])), [1, 0.5, 0.25, 1])
    now, once = (
        Touches.of([(1, TEA, 1.0), (1, POT, 1.0), (2, TEA, weight), (2, CUP, weight), (3, POT, 1.0), (3, CUP, 1.0)])
        for weight in (1.0, 0.1)
    )
    assert pairs(once)[TEA, CUP][0] < pairs(now)[TEA, CUP][0]


@given(st.permutations(range(12)))
@settings(max_examples=25)
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    chosen = np.array(order)
    shuffled = Touches(SHOP.persons[chosen], SHOP.goods[chosen], SHOP.weights[chosen])
    assert pairs(shuffled) == pairs(SHOP)
    assert best_sellers(shuffled) == best_sellers(SHOP)


def test_of_several_touches_the_weightiest_counts() -> None:
    twice = Touches.of([(1, TEA, 0.3), (1, TEA, 1.0), (1, POT, 1.0)])
    assert pairs(twice) == pairs(Touches.of([(1, TEA, 1.0), (1, POT, 1.0)]))


def test_what_goes_with_their_things_is_shown_with_what_speaks_for_it() -> None:
    known, popular = affinities(SHOP), best_sellers(SHOP)
    new = Touches.of([(9, TEA, 1.0)])
    found = recommend(new, known, popular, most=4, barred={9: {TEA}})[9]
    assert [one.goods for one in found] == [POT, CUP, DRILL, BIT]
    assert [one.because for one in found] == [TEA, TEA, None, None]


def test_whoever_nothing_is_known_of_is_shown_what_sells_best() -> None:
    known, popular = affinities(SHOP), best_sellers(SHOP)
    found = recommend(Touches.of([]), known, popular, most=2, barred={}, persons=[7])[7]
    assert [(one.goods, one.because) for one in found] == [(TEA, None), (POT, None)]


def test_nothing_barred_and_nothing_that_cannot_be_sold_is_shown() -> None:
    known, popular = affinities(SHOP), best_sellers(SHOP)
    found = recommend(Touches.of([(9, TEA, 1.0)]), known, popular, most=9, barred={9: {TEA, CUP}}, only={POT, CUP})[9]
    assert [one.goods for one in found] == [POT]


def test_nobody_bought_anything_yet() -> None:
    nothing = affinities(Touches.of([]))
    assert nothing.goods.size == 0
    assert recommend(Touches.of([(1, TEA, 1.0)]), nothing, {}, most=5, barred={}) == {1: []}


def test_recommendations_beat_the_best_sellers_on_a_real_shop(test_data: Path) -> None:
    found = evaluate(test_data / "online-retail-ii-2009-2010", people=400)
    assert len(found["recall"]) == 2
    for one in found["recall"]:
        assert one["recall"] > one["popularity"] + one["standard_error"]
