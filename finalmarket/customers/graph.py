"""Who is one person: a pure function of evidence, decisions and rules.

Persons are built like a minimum spanning forest: decisions of people first, then kind by kind (`EVIDENCE_ORDER`) and
value by value in sorted order. A value joins the profiles that carry it unless it is blocked, has too many carriers, or
is seen to be shared: its carriers belong to more persons than its kind may join, or to two of whom somebody said that
they are two, or, for what people lend each other (a phone, a card, a device), to persons whom an account id or a
loyalty number tells apart. A shared value joins nobody. No order of arrival, no repetition and no id of a profile has a
say in the result, only in which profile stands for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from finalmarket.customers.known_by import STRENGTH, Identity, account_space

EVIDENCE_ORDER = ("email", "account", "loyalty", "phone", "payment", "device")
"""What is given out to one person goes before what people share."""

LENT = frozenset({"phone", "payment", "device"})
IDENTIFYING = ("email", "phone", "account", "loyalty")
TELLS_APART: Mapping[str, tuple[str, ...]] = {
    "email": (), "account": ("email",), "loyalty": ("email",), "phone": ("email",), "payment": IDENTIFYING,
    "device": IDENTIFYING,
}  # fmt: skip
"""Which identities make somebody a person of their own when the carriers of a value are counted."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many persons and how many profiles a value may be seen with and still join them."""

    most_persons: int
    most_profiles: int


DEFAULT_LIMITS: Mapping[str, Limit] = {
    "email": Limit(20, 20), "account": Limit(3, 20), "loyalty": Limit(3, 20), "phone": Limit(1, 20),
    "payment": Limit(1, 20), "device": Limit(1, 20),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What arrived under one anchor, and all that it was seen with (the anchor too). A profile that a person made by
    hand may have no anchor."""

    id: int
    anchor: Identity | None
    identities: frozenset[Identity]

    def rank(self) -> tuple[int, str]:
        """The place of the profile in every order: by its anchor, never by its id if it has one."""
        return (len(STRENGTH), f"{self.id:020}") if self.anchor is None else (STRENGTH[self.anchor[0]], self.anchor[1])


Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What people said: pairs of profiles that are one person, and pairs that are not."""

    joined: frozenset[Pair] = frozenset()
    parted: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits by kind, and values that join nobody: those that the operator blocked and those known to be shared."""

    limits: Mapping[str, Limit] = field(default_factory=lambda: DEFAULT_LIMITS)
    ignored: frozenset[Identity] = frozenset()


def persons(profiles: Iterable[Profile], decisions: Decisions, rules: Rules) -> dict[int, int]:
    """Return the person of every profile: the smallest id among the profiles that are one."""
    known = sorted(profiles, key=Profile.rank)
    forest = _Forest(known, decisions.parted, rules.ignored)
    rank = {profile.id: number for number, profile in enumerate(known)}
    pairs = sorted(sorted((rank[one], rank[other])) for one, other in decisions.joined if {one, other} <= rank.keys())
    for first, second in pairs:
        forest.join([known[first].id, known[second].id])
    carriers = _carriers(known, rules)
    for kind in EVIDENCE_ORDER:
        limit = rules.limits[kind]
        for value in sorted(carriers[kind]):
            those = carriers[kind][value]
            if 1 < len(those) <= limit.most_profiles:
                _follow(forest, kind, those, limit.most_persons)
    return forest.persons()


def _carriers(known: Sequence[Profile], rules: Rules) -> dict[str, dict[str, list[int]]]:
    """The profiles that carry each value, by kind; in the order of the profiles."""
    found: dict[str, dict[str, list[int]]] = {kind: defaultdict(list) for kind in EVIDENCE_ORDER}
    for profile in known:
        for kind, value in profile.identities:
            if (kind, value) not in rules.ignored:
                found[kind][value].append(profile.id)
    return found


def _follow(forest: _Forest, kind: str, carriers: Sequence[int], most_persons: int) -> None:
    """Join the carriers of a value, unless they show that it is shared."""
    roots = list(dict.fromkeys(forest.root(profile) for profile in carriers))
    if len(roots) < 2:
        return
    if TELLS_APART[kind] and sum(forest.bears(root, TELLS_APART[kind]) for root in roots) > most_persons:
        return
    if kind in LENT and forest.differ(roots):
        return
    if not forest.are_contested(roots):
        forest.join(roots)


class _Forest:
    """Profiles that are one person so far, with what each person bears."""

    def __init__(
        self, known: Sequence[Profile], parted: Iterable[Pair], ignored: frozenset[Identity]
    ) -> None:  # fmt: skip
        self._upper = {profile.id: profile.id for profile in known}
        self._members = {profile.id: [profile.id] for profile in known}
        self._bears: dict[int, set[Identity]] = {
            profile.id: set(profile.identities - ignored) for profile in known
        }  # fmt: skip
        self._parted: dict[int, set[int]] = defaultdict(set)
        for one, other in parted:
            self._parted[one].add(other)
            self._parted[other].add(one)

    def root(self, profile: int) -> int:
        """The profile that stands for a tree, while it grows."""
        while self._upper[profile] != profile:
            self._upper[profile] = self._upper[self._upper[profile]]
            profile = self._upper[profile]
        return profile

    def bears(self, root: int, kinds: Sequence[str]) -> bool:
        """Whether a person has an identity of one of these kinds."""
        return any(kind in kinds for kind, _ in self._bears[root])

    def differ(self, roots: Sequence[int]) -> bool:
        """Whether two of these persons have different accounts at one place, or different loyalty numbers."""
        seen: dict[str, list[set[str]]] = defaultdict(list)
        for root in roots:
            mine: dict[str, set[str]] = defaultdict(set)
            for kind, value in self._bears[root]:
                space = account_space(value) if kind == "account" else kind if kind == "loyalty" else ""
                if space:
                    mine[space].add(value)
            for space, values in mine.items():
                if any(values.isdisjoint(others) for others in seen[space]):
                    return True
                seen[space].append(values)
        return False

    def are_contested(self, roots: Sequence[int]) -> bool:
        """Whether a person said of two of these that they are not one."""
        return any(self._are_parted(one, other) for one, other in combinations(roots, 2))

    def _are_parted(self, root: int, other: int) -> bool:
        members = set(self._members[other])
        return root != other and any(not self._parted[one].isdisjoint(members) for one in self._parting(root))

    def _parting(self, root: int) -> list[int]:
        return [one for one in self._members[root] if one in self._parted]

    def join(self, profiles: Sequence[int]) -> None:
        """Make one tree of these, in their order; what was parted by a person stays parted."""
        roots = list(dict.fromkeys(self.root(profile) for profile in profiles))
        kept = roots[0] if roots else 0
        for root in roots[1:]:
            if self._are_parted(kept, root):
                continue
            small, large = sorted((kept, root), key=lambda one: len(self._members[one]))
            self._upper[small] = large
            self._members[large] += self._members.pop(small)
            self._bears[large] |= self._bears.pop(small)
            kept = large

    def persons(self) -> dict[int, int]:
        """The smallest id of each tree, by profile."""
        return {profile: least for members in self._members.values() for least in [min(members)] for profile in members}
