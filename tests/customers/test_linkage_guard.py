"""Pairs never become chains: what may be suggested together."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.customers.linkage.guard import MOST_PERSONS, THRESHOLD, guard
from finalmarket.customers.linkage.scoring import UNKNOWN, Pair
from finalmarket.customers.linkage.weights import COMPARISONS
from finalmarket.customers.linkage.words import evidence, why
from tests.customers.people import strung_together

PARTED = st.sets(st.tuples(st.integers(1, 6), st.integers(7, 12)), max_size=4)
NOTHING = tuple(UNKNOWN for _ in COMPARISONS)


def pair(one: int, other: int, probability: float) -> Pair:
    return Pair(min(one, other), max(one, other), probability, NOTHING)


def clique(members: range, probability: float = 0.9) -> list[Pair]:
    return [pair(one, other, probability) for one, other in itertools.combinations(members, 2)]


@st.composite
def crowds(draw: st.DrawFn) -> list[Pair]:
    """Pairs among a few persons, alike to some degree."""
    ends = st.tuples(st.integers(1, 12), st.integers(1, 12)).filter(lambda ends: ends[0] < ends[1])
    drawn = draw(st.dictionaries(ends, st.sampled_from([0.15, 0.4, 0.6, 0.8, 0.99]), max_size=40))
    return [pair(one, other, probability) for (one, other), probability in drawn.items()]


def test_a_pair_that_stands_alone_needs_no_more_than_itself() -> None:
    guarded = guard([pair(1, 2, 0.6)])
    assert (guarded.groups, guarded.held_back) == ([[1, 2]], [])


def test_one_pair_between_two_groups_is_held_back_although_it_is_sure() -> None:
    bridge = pair(3, 4, 0.99)
    guarded = guard([*clique(range(1, 4), 0.995), *clique(range(4, 7), 0.995), bridge])
    assert guarded.groups == [[1, 2, 3], [4, 5, 6]]
    assert guarded.held_back == [bridge]


def test_a_chain_of_likenesses_stays_pairs() -> None:
    guarded = guard([pair(number, number + 1, 0.9 - number / 1000) for number in range(1, 10)])
    assert max(map(len, guarded.groups)) == 2


def test_two_groups_that_share_other_evidence_are_one_even_if_that_is_weak() -> None:
    weak = [pair(1, 5, 0.2), pair(2, 4, 0.2)]
    guarded = guard([*clique(range(1, 4)), *clique(range(4, 7)), pair(3, 4, 0.8), *weak])
    assert guarded.groups == [[1, 2, 3, 4, 5, 6]]
    assert len(guarded.joining) == 5


def test_no_group_is_larger_than_a_person_can_judge() -> None:
    guarded = guard(clique(range(1, MOST_PERSONS + 11)))
    assert max(map(len, guarded.groups)) <= MOST_PERSONS


def test_what_is_too_weak_joins_nobody() -> None:
    assert guard(clique(range(1, 5), THRESHOLD - 0.01)).groups == []


def test_who_was_parted_is_in_no_group_together_by_way_of_others_either() -> None:
    guarded = guard(clique(range(1, 5)), apart={(1, 4)})
    assert guarded.groups
    assert not any({1, 4} <= set(group) for group in guarded.groups)


@settings(max_examples=300)
@given(crowds(), st.randoms(use_true_random=False), PARTED)
def test_order_does_not_matter_and_pairs_that_join_make_exactly_the_groups(
    crowd: list[Pair], chance: random.Random, apart: set[tuple[int, int]]
) -> None:
    first = guard(crowd, apart=apart)
    shuffled = list(crowd)
    chance.shuffle(shuffled)
    assert guard(shuffled, apart=apart) == first
    assert len(first.joining) == sum(len(group) - 1 for group in first.groups)
    assert {one for joining in first.joining for one in (joining.one, joining.other)} == {
        one for group in first.groups for one in group
    }
    for group in first.groups:
        assert not any(one in group and other in group for one, other in apart)
    alike = {(one.one, one.other) for one in crowd}
    for group in first.groups:
        inside = [ends for ends in itertools.combinations(group, 2) if ends in alike]
        for bridge in inside if len(group) > 2 else []:
            assert len(strung_together(ends for ends in inside if ends != bridge)) == 1, "one likeness held it together"


@pytest.mark.parametrize(
    ("more", "is_family"),
    [
        ({}, True), ({"birth_date": 4, "email": 4}, True), ({"surname": 5}, False), ({"street": 2}, False),
        ({"birth_date": 0}, False), ({"email": 1}, False), ({"first_name": 1}, False),
    ],
)  # fmt: skip
def test_one_surname_at_one_address_with_two_first_names_is_a_family(more: dict[str, int], is_family: bool) -> None:
    levels = {"first_name": 5, "surname": 0, "street": 0} | more
    told = Pair(1, 2, 0.99, tuple(levels.get(one.column, UNKNOWN) for one in COMPARISONS))
    assert guard([told]).groups == ([] if is_family else [[1, 2]])


def test_reasons_name_what_is_the_same_what_nearly_and_what_differs_and_no_value() -> None:
    levels = {"first_name": 0, "surname": 1, "birth_date": 0, "email": 4, "country": 0}
    told = Pair(1, 2, 0.9, tuple(levels.get(one.column, UNKNOWN) for one in COMPARISONS))
    assert why(told) == "same first name, same birth date; surname differs in one letter; different e-mail"
    assert evidence(told, 2) == {"because": why(told)}
    assert evidence(told, 4)["group"] == "one of 4 who may be one person"
