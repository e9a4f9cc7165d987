"""Laws of who is one person: a pure function of evidence and decisions, whatever came first."""

from __future__ import annotations

import os
import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finalmarket.customers.graph import DEFAULT_LIMITS, LENT, Decisions, Limit, Profile, Rules, persons
from finalmarket.customers.known_by import Identity
from tests.customers.crowds import Record, partition, profiles_of, records

GRAPHS = int(os.environ.get("FINALMARKET_PROOF_GRAPHS", "200"))
ORDERS = 20
BLOCKED = frozenset({("email", "reception@example.com")})
slowly = settings(max_examples=GRAPHS, suppress_health_check=list(HealthCheck))


def one(number: int, *identities: tuple[str, str]) -> Profile:
    """A profile anchored at the first of its identities."""
    return Profile(number, identities[0], frozenset(identities))


@slowly
@given(records(), st.randoms(use_true_random=False), st.booleans())
def test_twenty_orders_of_arrival_and_any_repetition_give_one_result(
    tried: Counter[str], arrived: list[Record], chance: random.Random, with_decisions: bool
) -> None:
    tried["graphs"] += 1
    tried["orders of arrival"] += ORDERS
    rules = Rules(ignored=BLOCKED)
    anchors = sorted(profile.anchor for profile in profiles_of(arrived, BLOCKED) if profile.anchor)
    said = [(chance.choice(anchors), chance.choice(anchors), chance.random() < 0.5) for _ in range(3)]
    results = set()
    for _ in range(ORDERS):
        chance.shuffle(arrived)
        again = [*arrived, *chance.sample(arrived, len(arrived) // 3)]
        profiles = profiles_of(again, BLOCKED)
        decisions = _decisions(profiles, said) if with_decisions else Decisions()
        chance.shuffle(profiles)
        results.add(partition(profiles, decisions, rules))
    assert len(results) == 1


def _decisions(profiles: list[Profile], said: list[tuple[Identity, Identity, bool]]) -> Decisions:
    """What people said of anchors, for the numbers that these have this time."""
    numbers = {profile.anchor: profile.id for profile in profiles}
    pairs = {True: set[tuple[int, int]](), False: set[tuple[int, int]]()}
    for first, second, are_one in said:
        low, high = sorted((numbers[first], numbers[second]))
        if low != high:
            pairs[are_one].add((low, high))
    return Decisions(frozenset(pairs[True] - pairs[False]), frozenset(pairs[False]))


@slowly
@given(records(), st.randoms(use_true_random=False))
def test_nobody_is_joined_whom_a_person_parted(
    tried: Counter[str], arrived: list[Record], chance: random.Random
) -> None:
    tried["graphs"] += 1
    profiles = profiles_of(arrived, BLOCKED)
    numbers = [profile.id for profile in profiles]
    pairs = [tuple(sorted(chance.sample(numbers, 2))) for _ in range(3) if len(numbers) > 1]
    parted = frozenset((first, second) for first, second in pairs)
    found = persons(profiles, Decisions(parted=parted), Rules(ignored=BLOCKED))
    assert all(found[first] != found[second] for first, second in parted)


@slowly
@given(records())
def test_what_people_lend_each_other_never_joins_two_addresses_accounts_or_cards(
    tried: Counter[str], arrived: list[Record]
) -> None:
    """Two persons hang together through phones, cards and devices alone only if at most one of them is identified."""
    tried["graphs"] += 1
    profiles = profiles_of(arrived, BLOCKED)
    rules = Rules(ignored=BLOCKED)
    owned = [
        Profile(one.id, one.anchor, frozenset(value for value in one.identities if value[0] not in LENT) or frozenset())
        for one in profiles
    ]
    by_what_is_owned = persons(owned, Decisions(), rules)
    found = persons(profiles, Decisions(), rules)
    for person in set(found.values()):
        cores = {by_what_is_owned[profile.id] for profile in profiles if found[profile.id] == person}
        addresses = {
            core: {value for other in profiles if by_what_is_owned[other.id] == core for value in other.identities}
            for core in cores
        }
        with_address = [
            core for core, values in addresses.items() if any(kind == "email" for kind, _ in values - BLOCKED)
        ]
        assert len(with_address) <= 1


def test_a_number_that_one_address_uses_joins_what_came_with_the_number_alone() -> None:
    ann, call = one(1, ("email", "ann"), ("phone", "1")), one(2, ("phone", "1"))
    assert persons([ann, call], Decisions(), Rules()) == {1: 1, 2: 1}


def test_a_family_phone_joins_nobody_also_not_whom_it_joined_before() -> None:
    ann, call = one(1, ("email", "ann"), ("phone", "1")), one(2, ("phone", "1"))
    bob = one(3, ("email", "bob"), ("phone", "1"))
    assert persons([ann, call, bob], Decisions(), Rules()) == {1: 1, 2: 2, 3: 3}


def test_two_addresses_of_one_account_are_one_person_and_then_the_phone_is_theirs() -> None:
    ann = one(1, ("email", "ann"), ("account", "shop:7"), ("phone", "1"))
    later, call = one(2, ("email", "ann.lee"), ("account", "shop:7"), ("phone", "1")), one(3, ("phone", "1"))
    assert set(persons([ann, later, call], Decisions(), Rules()).values()) == {1}


def test_a_phone_never_joins_two_accounts_of_one_shop_or_two_loyalty_numbers() -> None:
    for kind, first, second in (("account", "shop:1", "shop:2"), ("loyalty", "A", "B")):
        carriers = [one(1, (kind, first), ("phone", "1")), one(2, (kind, second), ("phone", "1"))]
        assert persons(carriers, Decisions(), Rules()) == {1: 1, 2: 2}
    elsewhere = [one(1, ("account", "shop:1"), ("phone", "1")), one(2, ("account", "bazaar:2"), ("phone", "1"))]
    assert persons(elsewhere, Decisions(), Rules()) == {1: 1, 2: 1}


def test_no_chain_of_phones_and_accounts_joins_two_addresses_through_a_phone() -> None:
    mother, child = one(1, ("email", "mother"), ("phone", "1")), one(2, ("account", "shop:7"), ("phone", "1"))
    grown = one(3, ("email", "child"), ("account", "shop:7"))
    assert persons([mother, child], Decisions(), Rules()) == {1: 1, 2: 1}
    assert persons([mother, child, grown], Decisions(), Rules()) == {1: 1, 2: 2, 3: 2}


def test_a_kiosk_joins_nobody_but_a_device_of_ones_own_brings_its_visits_along() -> None:
    visits = one(1, ("device", "d"))
    ann, bob = one(2, ("email", "ann"), ("device", "d")), one(3, ("account", "shop:7"), ("device", "d"))
    assert persons([visits, ann], Decisions(), Rules()) == {1: 1, 2: 1}
    assert persons([visits, ann, bob], Decisions(), Rules()) == {1: 1, 2: 2, 3: 3}


def test_a_value_with_too_many_carriers_joins_nobody_whatever_they_are() -> None:
    most = DEFAULT_LIMITS["phone"].most_profiles
    carriers = [one(number, ("account", f"s{number}:1"), ("phone", "0")) for number in range(1, most + 1)]
    assert set(persons(carriers, Decisions(), Rules()).values()) == {1}
    carriers.append(one(most + 1, ("account", f"s{most + 1}:1"), ("phone", "0")))
    assert len(set(persons(carriers, Decisions(), Rules()).values())) == most + 1


def test_a_blocked_value_joins_nobody_and_says_nothing_of_anybody() -> None:
    desk = ("email", "reception")
    carriers = [one(1, ("phone", "1"), desk), one(2, ("account", "shop:7"), desk)]
    assert persons(carriers, Decisions(), Rules(ignored=frozenset({desk}))) == {1: 1, 2: 2}


def test_the_operator_may_let_a_phone_join_two_addresses() -> None:
    couple = [one(1, ("email", "ann"), ("phone", "1")), one(2, ("email", "bob"), ("phone", "1"))]
    limits = {**DEFAULT_LIMITS, "phone": Limit(2, 20)}
    assert persons(couple, Decisions(), Rules(limits)) == {1: 1, 2: 1}


def test_a_value_of_two_who_were_parted_joins_nobody_any_more() -> None:
    a, b, c = (one(n, ("email", name), ("account", "shop:7")) for n, name in enumerate("abc", start=1))
    assert persons([a, b, c], Decisions(), Rules()) == {1: 1, 2: 1, 3: 1}
    assert persons([a, b, c], Decisions(parted=frozenset({(1, 3)})), Rules()) == {1: 1, 2: 2, 3: 3}
    kept = Decisions(joined=frozenset({(1, 2)}), parted=frozenset({(1, 3), (2, 3)}))
    assert persons([a, b, c], kept, Rules()) == {1: 1, 2: 1, 3: 3}


def test_whose_a_newcomer_is_cannot_be_told_where_two_were_parted() -> None:
    a, c = one(1, ("email", "a"), ("account", "shop:7")), one(2, ("email", "c"), ("account", "shop:7"))
    late = one(3, ("account", "shop:7"))
    assert persons([a, c, late], Decisions(parted=frozenset({(1, 2)})), Rules()) == {1: 1, 2: 2, 3: 3}


def test_what_a_person_joined_is_one_whatever_speaks_against_it() -> None:
    ann, bob = one(1, ("email", "ann"), ("loyalty", "A")), one(2, ("email", "bob"), ("loyalty", "B"))
    assert persons([ann, bob], Decisions(joined=frozenset({(1, 2)})), Rules()) == {1: 1, 2: 1}
