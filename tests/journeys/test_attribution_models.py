"""What each model gives a channel: by hand, against a reference of ten thousand real paths, and against brute force."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.journeys import attribution_rules as rules
from finalmarket.journeys.attribution import MODELS, side_by_side
from finalmarket.journeys.attribution_cents import split
from finalmarket.journeys.attribution_markov import chain_of, markov
from finalmarket.journeys.attribution_rules import Channel, ChannelPath, Credits, Number

HEURISTICS = {"first": "first_touch", "last": "last_touch", "linear": "linear"}
AS_EXACT_AS_FLOATS = 1e-12

names = st.sampled_from("abcd")
some_path = st.builds(
    ChannelPath,
    st.lists(names, min_size=1, max_size=6).map(tuple),
    st.integers(0, 9),
    st.decimals(0, 500, places=2),
    st.integers(0, 9),
)
some_paths = st.lists(some_path, min_size=1, max_size=12).filter(lambda paths: any(path.conversions for path in paths))


@pytest.fixture(scope="module")
def folder(test_data: Path) -> Path:
    return test_data / "attribution-paths"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return found


@pytest.fixture(scope="module")
def real_paths(folder: Path) -> list[ChannelPath]:
    """Ten thousand paths over twelve channels, up to 89 touches long."""
    with gzip.open(folder / "paths.csv.gz", "rt") as file:
        return [
            ChannelPath(
                tuple(row["path"].split(" > ")), int(row["total_conversions"]),
                Decimal(row["total_conversion_value"]), int(row["total_null"]),
            )
            for row in csv.DictReader(file, delimiter=";")
        ]  # fmt: skip


def conversions(credited: Credits) -> dict[Channel, Number]:
    return {channel: one.conversions for channel, one in credited.items()}


# Against the reference.


@pytest.mark.parametrize("model", HEURISTICS)
def test_a_rule_gives_what_the_reference_gives(
    model: str, real_paths: Sequence[ChannelPath], expected: dict[str, Any]
) -> None:
    found = getattr(rules, model)(real_paths)
    wanted, worth = expected[HEURISTICS[model]], expected[f"{HEURISTICS[model]}_value"]
    assert set(found) == set(wanted)
    for channel, one in found.items():
        assert float(one.conversions) == pytest.approx(wanted[channel], rel=AS_EXACT_AS_FLOATS)
        assert float(one.value) == pytest.approx(worth[channel], rel=AS_EXACT_AS_FLOATS)


@pytest.mark.parametrize("model", ["first", "last"])
def test_whole_conversions_are_whole(model: str, real_paths: Sequence[ChannelPath], expected: dict[str, Any]) -> None:
    assert conversions(getattr(rules, model)(real_paths)) == expected[HEURISTICS[model]]


def test_the_removal_effects_are_those_of_the_exact_solution(
    real_paths: Sequence[ChannelPath], expected: dict[str, Any]
) -> None:
    reference = expected["markov_order1_exact"]
    effects = chain_of(real_paths).removal_effects()
    assert {channel: effect for channel, (effect, _) in effects.items()} == pytest.approx(
        reference["removal_effect"], rel=1e-10
    )
    assert conversions(markov(real_paths)) == pytest.approx(reference["attributed_conversions"], rel=1e-10)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_a_path_converts_as_often_as_observed_at_every_order(
    order: int, real_paths: Sequence[ChannelPath], expected: dict[str, Any]
) -> None:
    chain = chain_of(real_paths, order)
    rate = expected["total_conversions"] / (expected["total_conversions"] + expected["total_null"])
    assert chain.probability_of_conversion() == pytest.approx(rate, rel=1e-11)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_small_channel_is_never_given_nothing_by_chance(order: int, real_paths: Sequence[ChannelPath]) -> None:
    """Two channels of the twelve brought a handful of 19,785 conversions; a simulation gives them zero now and then."""
    given = conversions(markov(real_paths, order))
    assert 0 < given["mi"] < 10
    assert 0 < given["delta"] < 10


def test_a_simulation_of_the_chain_comes_close_to_what_is_computed(
    folder: Path, real_paths: Sequence[ChannelPath]
) -> None:
    with (folder / "channelattribution_2.2.5_sim_conv0.01_seed0.csv").open() as file:
        simulated = {row["channel_name"]: float(row["total_conversions"]) for row in csv.DictReader(file)}
    computed = conversions(markov(real_paths))
    large = [channel for channel, times in simulated.items() if times > 1_000]
    assert len(large) == 6
    assert {channel: computed[channel] for channel in large} == pytest.approx(
        {channel: simulated[channel] for channel in large}, rel=0.02
    )


# By hand.


def test_position_gives_two_fifths_to_either_end() -> None:
    found = rules.position([ChannelPath(("web", "mail", "app", "store"), 10, Decimal(100))])
    assert {channel: one.value for channel, one in found.items()} == {"web": 40, "mail": 10, "app": 10, "store": 40}


@pytest.mark.parametrize(("channels", "shares"), [(("web",), [1]), (("web", "app"), [Fraction(1, 2)] * 2)])
def test_a_path_too_short_for_a_middle_is_shared_evenly(channels: tuple[str, ...], shares: list[Fraction]) -> None:
    found = rules.position([ChannelPath(channels, 1)])
    assert [found[channel].conversions for channel in channels] == shares


def test_a_touch_a_half_life_earlier_gets_half() -> None:
    found = rules.time_decay([ChannelPath(("web", "store"), 3, hours=(7 * 24 + 5, 5))], half_life_days=7)
    assert conversions(found) == pytest.approx({"web": 1, "store": 2})


def test_touches_of_long_ago_do_not_vanish() -> None:
    found = rules.time_decay([ChannelPath(("web", "store"), 2, hours=(1_000_000, 1_000_000))], half_life_days=1)
    assert conversions(found) == pytest.approx({"web": 1, "store": 1})


@pytest.mark.parametrize("days", [0, -1, math.nan])
def test_a_half_life_is_longer_than_nothing(days: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        rules.time_decay([ChannelPath(("web",), 1)], days)


def test_the_removal_effect_by_hand() -> None:
    """Half of the paths go over the store, and one of two of those converts; the web converts one of four alone."""
    paths = [ChannelPath(("web", "store"), 1, Decimal(30), 1), ChannelPath(("web",), 1, Decimal(10), 1)]
    effects = chain_of(paths).removal_effects()
    assert effects["web"] == pytest.approx((1, 1))
    assert effects["store"] == pytest.approx((1 / 2, 3 / 4))


def test_a_longer_memory_tells_who_came_from_where() -> None:
    """Whoever comes to the app from mail buys, whoever comes from the web does not: order 1 cannot see that."""
    paths = [ChannelPath(("mail", "app"), 8, nulls=0), ChannelPath(("web", "app"), 0, nulls=8)]
    assert chain_of(paths, 1).removal_effects()["web"][0] == pytest.approx(1 / 2)
    assert chain_of(paths, 2).removal_effects()["web"][0] == 0
    assert conversions(markov(paths, 2)) == pytest.approx({"app": 4, "mail": 4, "web": 0})


def test_staying_on_a_channel_changes_no_removal_effect() -> None:
    stayed = [ChannelPath(("a", "a", "b"), 3, nulls=2), ChannelPath(("b", "b", "b", "a"), 1, nulls=4)]
    moved = [ChannelPath(("a", "b"), 3, nulls=2), ChannelPath(("b", "a"), 1, nulls=4)]
    ours, theirs = chain_of(stayed).removal_effects(), chain_of(moved).removal_effects()
    assert {key: one[0] for key, one in ours.items()} == pytest.approx({key: one[0] for key, one in theirs.items()})


def test_nobody_converted() -> None:
    found = side_by_side([ChannelPath(("web", "app"), 0, nulls=5)], "EUR", 2)
    assert [found.value, found.conversions, found.nulls] == [0, 0, 5]
    assert {share.value for shares in found.models.values() for share in shares.values()} == {0}


def test_no_paths_at_all() -> None:
    found = side_by_side([], "EUR", 2)
    assert found.channels == []
    assert set(found.models) == set(MODELS)


def test_an_order_below_one_is_none() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        chain_of([ChannelPath(("web",), 1)], 0)


# Laws.


def brute_shapley(paths: Sequence[ChannelPath]) -> dict[Channel, Fraction]:
    """The definition: what a channel adds to those before it, on average over all orders of arrival."""
    channels = rules.channels_of(paths)

    def worth(coalition: Sequence[Channel]) -> int:
        return sum(path.conversions for path in paths if set(path.channels) <= set(coalition))

    sums = dict.fromkeys(channels, Fraction(0))
    orders = list(permutations(channels))
    for order in orders:
        for place, channel in enumerate(order):
            sums[channel] += worth(order[: place + 1]) - worth(order[:place])
    return {channel: total / len(orders) for channel, total in sums.items()}


@given(some_paths)
def test_the_closed_form_is_the_shapley_value_by_its_definition(paths: list[ChannelPath]) -> None:
    assert conversions(rules.shapley(paths)) == brute_shapley(paths)


def brute_markov(paths: Sequence[ChannelPath], without: str | None) -> Fraction:
    """The chance to convert, order 1, in exact fractions: elimination of one state after the other."""
    counts: dict[tuple[str, str], int] = {}
    for path in paths:
        walk = ["start", *map(str, path.channels)]
        for step in pairwise(walk):
            counts[step] = counts.get(step, 0) + path.conversions + path.nulls
        for end, times in (("won", path.conversions), ("lost", path.nulls)):
            counts[walk[-1], end] = counts.get((walk[-1], end), 0) + times
    leaving: dict[str, int] = {}
    for (source, _), times in counts.items():
        leaving[source] = leaving.get(source, 0) + times
    chance = {key: Fraction(times, leaving[key[0]]) for key, times in counts.items() if times}
    if without is not None:
        chance = {key: each for key, each in chance.items() if without not in key}
    for state in sorted({key[0] for key in chance} - {"start"}):
        stay = chance.pop((state, state), Fraction(0))
        ways_in = {key[0]: chance.pop(key) for key in list(chance) if key[1] == state}
        ways_out = {key[1]: chance.pop(key) for key in list(chance) if key[0] == state}
        for source, before in ways_in.items():
            for target, after in ways_out.items():
                chance[source, target] = chance.get((source, target), Fraction(0)) + before * after / (1 - stay)
    return chance.get(("start", "won"), Fraction(0))


@given(some_paths)
def test_the_removal_effect_is_what_elimination_in_fractions_finds(paths: list[ChannelPath]) -> None:
    counted = [path for path in paths if path.conversions + path.nulls]
    whole = brute_markov(counted, None)
    effects = chain_of(counted).removal_effects()
    for channel in rules.channels_of(counted):
        exact = (whole - brute_markov(counted, str(channel))) / whole
        assert effects[channel][0] == pytest.approx(float(exact), rel=1e-9, abs=0)


@given(some_paths, st.integers(1, 4))
def test_every_model_sums_to_the_revenue_to_the_cent(paths: list[ChannelPath], order: int) -> None:
    earned = [path if path.conversions else ChannelPath(path.channels, 0, Decimal(0), path.nulls) for path in paths]
    found = side_by_side(earned, "EUR", 2, order=order)
    assert found.value == sum(path.value for path in earned)
    for shares in found.models.values():
        assert sum(share.value for share in shares.values()) == found.value
        assert sum(share.conversions for share in shares.values()) == found.conversions
        assert min(share.value for share in shares.values()) >= 0


@given(some_paths, st.randoms(use_true_random=False))
def test_the_order_in_which_paths_are_told_changes_nothing(paths: list[ChannelPath], dice: Any) -> None:
    earned = [path if path.conversions else ChannelPath(path.channels, 0, Decimal(0), path.nulls) for path in paths]
    told = side_by_side(earned, "EUR", 2)
    dice.shuffle(earned)
    again = side_by_side(earned, "EUR", 2)
    exact = ("first", "last", "linear", "position", "shapley")
    assert {name: told.models[name] for name in exact} == {name: again.models[name] for name in exact}
    for name in ("time_decay", "markov"):  # floats may differ in the last place, and a cent with them
        for channel, share in told.models[name].items():
            assert abs(share.value - again.models[name][channel].value) <= Decimal("0.01")


@given(st.decimals(-10_000, 10_000, places=4), st.dictionaries(names, st.integers(1, 1000), min_size=1))
def test_parts_sum_to_the_whole_and_none_is_a_cent_off(total: Decimal, weights: dict[str, int]) -> None:
    parts = split(total, weights, 2)
    rounded = sum(parts.values())
    assert abs(rounded - total) <= Decimal("0.005")
    for key, weight in weights.items():
        assert abs(Fraction(parts[key]) - Fraction(rounded) * weight / sum(weights.values())) < Fraction(1, 100)


def test_the_last_cent_goes_to_the_largest_remainder_and_of_equal_ones_to_the_first() -> None:
    assert split(Decimal("1.00"), {"a": 1, "b": 1, "c": 1}, 2) == {
        "a": Decimal("0.34"), "b": Decimal("0.33"), "c": Decimal("0.33"),
    }  # fmt: skip
    assert split(Decimal(10), {"a": 1, "b": 4}, 0) == {"a": 2, "b": 8}


def test_money_without_anybody_who_earned_it_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nobody has a part"):
        split(Decimal(1), {"a": 0}, 2)
