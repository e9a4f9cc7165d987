"""How many of the people who are one are found, and how many of those found are: on three public sets with known truth.

The references are what Splink reached with the settings of its own documentation (expected.json beside the data). Ours
know nothing that a shop would not know: no social security number, no occupation. And ours take one surname at one
address with two first names for a family, who in these sets, where nobody has one, is a person with a wrong name: that
costs a hundredth of recall, which is the tolerance.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from finalmarket.customers.graph import Decisions, Profile, Rules, persons
from finalmarket.customers.known_by import identity
from finalmarket.customers.linkage.guard import MOST_PERSONS, THRESHOLD, guard
from finalmarket.customers.linkage.scoring import Scored, score
from tests.customers.people import FOLDER, People, Quality, people, strung_together

Tell = Callable[[str, object], None]
TOLERANCE, RECALL_TOLERANCE = 0.005, 0.01

pytest.importorskip("splink", reason="scored suggestions are an extra: finalmarket[linkage]")


@cache
def scored(folder: Path, name: str) -> tuple[People, Scored]:
    found = people(folder, name)
    return found, score(found.records)


def reference(folder: Path, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / FOLDER / "expected.json").read_text())[name]
    return told


@pytest.fixture
def tell(record_property: Tell) -> Tell:
    """Print a figure, and keep it with the result of the test."""

    def told(name: str, figure: object) -> None:
        print(f"{name}: {figure}")  # noqa: T201
        record_property(name, str(figure))

    return told


def by_identities(found: People) -> Quality:
    """What our identity graph joins by e-mail addresses."""
    known = {}
    for one in found.records:
        address = identity("email", one.email or "")
        known[one.person] = frozenset([address] if address else [])
    profiles = [Profile(number, None, identities) for number, identities in known.items()]
    groups = defaultdict(list)
    for profile, person in persons(profiles, Decisions(), Rules()).items():
        groups[person].append(profile)
    return found.of_groups(groups.values())


def by_name_and_birth_date(found: People) -> Quality:
    """What the same name with the same birth date joins, or the same e-mail address."""
    groups: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for one in found.records:
        if one.email:
            groups["email", one.email].append(one.person)
        if one.first_name and one.surname and one.birth_date:
            groups[one.first_name, one.surname, one.birth_date].append(one.person)
    return found.of_groups(strung_together((group[0], one) for group in groups.values() for one in group))


@pytest.mark.parametrize("name", ["fake_1000", "febrl3"])
def test_scored_suggestions_find_as_many_as_the_reference_and_are_right(name: str, test_data: Path, tell: Tell) -> None:
    found, result = scored(test_data, name)
    expected = reference(test_data, name)
    assert (len(found.records), found.true_pairs) == (expected["records"], expected["true_pairs"])
    strong = [(pair.one, pair.other) for pair in result.pairs if pair.probability >= THRESHOLD]
    guarded = guard(result.pairs)
    after = found.of_groups(guarded.groups)
    tell(f"{name}, deterministic, e-mail", by_identities(found))
    tell(f"{name}, deterministic, e-mail or name and birth date", by_name_and_birth_date(found))
    tell(f"{name}, scored, by pair", found.of_pairs(strong))
    tell(f"{name}, scored, strung together", found.of_groups(strung_together(strong)))
    tell(f"{name}, scored, guarded", after)
    assert after.precision >= expected["thr_0.5"]["P"] - TOLERANCE
    assert after.recall >= expected["thr_0.5"]["R"] - RECALL_TOLERANCE
    assert after.recall > by_name_and_birth_date(found).recall
    assert found.of_pairs((pair.one, pair.other) for pair in guarded.joining).precision >= 0.99
    assert {"first_name", "surname", "birth_date", "city"} <= set(result.weights.learned)


def test_the_identity_graph_finds_what_the_reference_finds_by_address(test_data: Path) -> None:
    found, _ = scored(test_data, "fake_1000")
    expected = reference(test_data, "fake_1000")["deterministic_email"]
    quality = by_identities(found)
    assert quality.precision >= expected["P"] - TOLERANCE
    assert quality.recall == pytest.approx(expected["R"], abs=TOLERANCE)


def test_the_same_people_are_scored_the_same_again(test_data: Path) -> None:
    found, first = scored(test_data, "fake_1000")
    again = score(found.records)
    assert again.weights.learned == first.weights.learned
    assert [(pair.one, pair.other) for pair in again.pairs] == [(pair.one, pair.other) for pair in first.pairs]
    assert [pair.probability for pair in again.pairs] == pytest.approx([pair.probability for pair in first.pairs])


@pytest.mark.slow
@pytest.mark.skipif("FINALMARKET_PROOF_LINKAGE" not in os.environ, reason="a minute and more: `make proof` runs it")
def test_the_guard_keeps_groups_as_right_as_pairs_among_fifty_thousand(test_data: Path, tell: Tell) -> None:
    found, result = scored(test_data, "historical_50k")
    expected = reference(test_data, "historical_50k")
    strong = [(pair.one, pair.other) for pair in result.pairs if pair.probability >= THRESHOLD]
    by_pair, before = found.of_pairs(strong), found.of_groups(strung_together(strong))
    guarded = guard(result.pairs)
    after = found.of_groups(guarded.groups)
    tell("historical_50k, deterministic, name and birth date", by_name_and_birth_date(found))
    tell("historical_50k, scored, by pair", by_pair)
    tell("historical_50k, scored, strung together", before)
    tell("historical_50k, scored, guarded", after)
    tell("historical_50k, largest group before and after",
         (max(map(len, strung_together(strong))), max(map(len, guarded.groups))))  # fmt: skip
    assert before.precision < 0.9
    assert after.precision >= by_pair.precision - 0.01
    assert after.precision >= 0.97
    assert after.recall >= expected["thr_0.5"]["R"] - RECALL_TOLERANCE
    assert max(map(len, guarded.groups)) <= MOST_PERSONS
