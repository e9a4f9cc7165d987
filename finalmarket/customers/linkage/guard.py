"""Keeps pairs from becoming chains: A is like B, B is like C, and A is nothing like C.

Pairs that are right nineteen times in twenty make persons that are wrong one time in three once they are strung
together: one wrong pair between two groups glues all of both. So groups grow pair by pair, the surest first, and a pair
may join two groups only if

- the group stays small (`MOST_PERSONS`, as many as a value may be seen with before it counts as shared),
- it is no bridge: the two sides share other evidence, too. Of all pairs across, a quarter must have been found to be
  alike to some degree (`SHARE_ACROSS`), at least two, and they do not all hang on one person of a side. So no group of
  three and more falls apart when any one likeness is taken away,
- nobody said that two of them are two persons.

A pair that stands alone needs no more than itself. Who shares a household is no pair at all: one surname at one address
or phone with two first names is a family, unless birth date or e-mail say otherwise. The result depends on no order of
arrival.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from finalmarket.customers.linkage.scoring import UNKNOWN, Pair
from finalmarket.customers.linkage.weights import COMPARISONS

THRESHOLD = 0.5
MOST_PERSONS = 20
SHARE_ACROSS = 0.25
FEWEST_ACROSS = 2
NEARLY_THE_SAME = (0, 1, 2)
"""Levels of a surname."""

_PLACES = {one.column: place for place, one in enumerate(COMPARISONS)}
_LAST = {one.column: len(one.levels) - 1 for one in COMPARISONS}


@dataclass(frozen=True, slots=True)
class Guarded:
    """Groups of persons that are safe to be suggested as one, the pairs that make them up (each joins two parts of one
    group, so that there is one pair fewer than persons), the surest first, and the pairs that were held back."""

    groups: list[list[int]]
    joining: list[Pair]
    held_back: list[Pair]


def guard(pairs: Iterable[Pair], *, apart: Collection[tuple[int, int]] = (), threshold: float = THRESHOLD) -> Guarded:
    """Choose which pairs may be suggested. `apart` are pairs of persons, the smaller number first, of whom somebody
    said that they are two, or that it is not enough to hold them for one."""
    known = [pair for pair in pairs if not shares_a_household(pair)]
    parts = _Parts(known, apart)
    joining, held_back = [], []
    for pair in sorted(known, key=lambda pair: (-pair.probability, pair.one, pair.other)):
        if pair.probability < threshold:
            break
        if parts.are_one(pair):
            continue
        if parts.may_join(pair):
            parts.join(pair)
            joining.append(pair)
        else:
            held_back.append(pair)
    left = [pair for pair in held_back if not parts.are_one(pair)]
    return Guarded(parts.groups(), joining, left)


def shares_a_household(pair: Pair) -> bool:
    """Whether two have one surname, one phone, street or postcode, and different first names, and neither birth date
    nor e-mail speak for one person."""
    levels = {column: pair.levels[place] for column, place in _PLACES.items()}
    if levels["first_name"] != _LAST["first_name"] or levels["surname"] not in NEARLY_THE_SAME:
        return False
    lives_there = 0 in (levels["phone"], levels["street"], levels["postcode"])
    speaks_for_one = levels["birth_date"] in (0, 1) or levels["email"] not in (UNKNOWN, _LAST["email"])
    return lives_there and not speaks_for_one


class _Parts:
    """Persons in groups that grow."""

    def __init__(self, pairs: Sequence[Pair], apart: Collection[tuple[int, int]]) -> None:
        self._alike = _by_person((pair.one, pair.other) for pair in pairs)
        self._apart = _by_person(apart)
        self._group_of: dict[int, list[int]] = {}

    def _sides(self, pair: Pair) -> tuple[list[int], list[int]]:
        one, other = (self._group_of.get(person, [person]) for person in (pair.one, pair.other))
        return (one, other) if len(one) <= len(other) else (other, one)

    def are_one(self, pair: Pair) -> bool:
        group = self._group_of.get(pair.one)
        return group is not None and group is self._group_of.get(pair.other)

    def may_join(self, pair: Pair) -> bool:
        small, large = self._sides(pair)
        if len(small) + len(large) > MOST_PERSONS or _links(self._apart, small, large):
            return False
        across = len(small) * len(large)
        if across == 1:
            return True
        links = _links(self._alike, small, large)
        ends = len({one for one, _ in links}), len({other for _, other in links})
        is_spread = ends[0] >= min(2, len(small)) and ends[1] >= min(2, len(large))
        return is_spread and len(links) >= max(FEWEST_ACROSS, SHARE_ACROSS * across)

    def join(self, pair: Pair) -> None:
        small, large = self._sides(pair)
        large.extend(small)
        for person in large:
            self._group_of[person] = large

    def groups(self) -> list[list[int]]:
        return sorted(sorted(group) for group in {id(group): group for group in self._group_of.values()}.values())


def _by_person(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        found[one].add(other)
        found[other].add(one)
    return dict(found)


def _links(known: dict[int, set[int]], small: Sequence[int], large: Sequence[int]) -> list[tuple[int, int]]:
    """The known pairs across."""
    others = set(large)
    return [(person, other) for person in small if person in known for other in known[person] & others]
