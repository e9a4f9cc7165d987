"""Random crowds for the laws of identity: records that name a few of a few values, so that they meet and contradict."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from finalmarket.customers.graph import Decisions, Profile, Rules, persons
from finalmarket.customers.known_by import STRENGTH, Contact, Identity
from finalmarket.customers.models import CustomerIdentity, CustomerMerge, OmnichannelCustomer
from finalmarket.customers.rules import rules_for

Record = frozenset[Identity]
Partition = frozenset[frozenset[Identity]]

VALUES: Mapping[str, Sequence[str]] = {
    "email": ["ann@example.com", "bob@example.com", "cid@example.com", "reception@example.com"],
    "phone": ["+493023125001", "+493023125002", "+493023125003"],
    "account": ["integration:1:a", "integration:1:b", "integration:2:a", "shop:7"],
    "loyalty": ["FM1", "FM2"],
    "payment": ["card-1", "card-2"],
    "device": ["kiosk", "tablet", "laptop"],
}


@st.composite
def records(draw: st.DrawFn, most: int = 12) -> list[Record]:
    """What arrives: each record names one value of one or more kinds."""
    one = st.fixed_dictionaries({}, optional={kind: st.sampled_from(values) for kind, values in VALUES.items()})
    drawn = draw(st.lists(one.filter(bool), min_size=1, max_size=most))
    return [frozenset(record.items()) for record in drawn]


def random_records(chance: random.Random, number: int) -> list[Record]:
    """The same without Hypothesis, for threads."""
    found = []
    for _ in range(number):
        kinds = chance.sample(list(VALUES), chance.randint(1, 3))
        found.append(frozenset((kind, chance.choice(VALUES[kind])) for kind in kinds))
    return found


def contact(record: Record) -> Contact:
    """The record as something that comes in."""
    words: dict[str, Any] = dict(record)
    return Contact(**words)


def strongest(record: Iterable[Identity], blocked: Iterable[Identity] = ()) -> Identity:
    """The anchor of a record, in the words of the decision record: strongest first, what is nobody's own last."""
    ignored = set(blocked)
    return min(record, key=lambda one: (one in ignored, STRENGTH[one[0]]))


def profiles_of(arrived: Iterable[Record], blocked: Iterable[Identity] = ()) -> list[Profile]:
    """The profiles as they stand after these records came in one by one: numbered as they came."""
    numbers: dict[Identity, int] = {}
    seen: dict[Identity, set[Identity]] = {}
    for record in arrived:
        anchor = strongest(record, blocked)
        numbers.setdefault(anchor, len(numbers) + 1)
        seen.setdefault(anchor, set()).update(record)
    return [Profile(number, anchor, frozenset(seen[anchor])) for anchor, number in numbers.items()]


def partition(profiles: Sequence[Profile], decisions: Decisions, rules: Rules) -> Partition:
    """Who is one person, by anchors: without any number of ours."""
    found = persons(profiles, decisions, rules)
    groups: dict[int, set[Identity]] = {}
    for profile in profiles:
        assert profile.anchor is not None
        groups.setdefault(found[profile.id], set()).add(profile.anchor)
    assert all(person == min(one for one, other in found.items() if other == person) for person in found.values())
    return frozenset(frozenset(group) for group in groups.values())


def stored_profiles() -> list[Profile]:
    """All profiles as they are stored."""
    known: dict[int, set[Identity]] = {pk: set() for pk in OmnichannelCustomer.objects.values_list("pk", flat=True)}
    anchors: dict[int, Identity] = {}
    for row in CustomerIdentity.objects.all():
        known[row.customer_id].add((row.kind, row.value))
        if row.is_anchor:
            anchors[row.customer_id] = (row.kind, row.value)
    return [Profile(pk, anchors.get(pk), frozenset(mine)) for pk, mine in known.items()]


def stored_persons() -> dict[int, int]:
    """Which person each profile is of, as all rooms read it."""
    return {pk: upper or pk for pk, upper in OmnichannelCustomer.objects.values_list("pk", "merged_into")}


def stored_partition() -> Partition:
    """Who is one person as it is stored, by anchors."""
    anchors = {row.customer_id: (row.kind, row.value) for row in CustomerIdentity.objects.filter(is_anchor=True)}
    groups: dict[int, set[Identity]] = {}
    for profile, person in stored_persons().items():
        groups.setdefault(person, set()).add(anchors[profile])
    return frozenset(frozenset(group) for group in groups.values())


def from_scratch() -> dict[int, int]:
    """Which person each profile is of, computed from everything that is stored at once."""
    said = CustomerMerge.objects.filter(undone_at=None).values_list("kind", "first", "second")
    pairs = {name: frozenset((one, other) for kind, one, other in said if kind == name) for name in ("join", "part")}
    profiles = stored_profiles()
    values = {value for profile in profiles for value in profile.identities}
    return persons(profiles, Decisions(pairs["join"], pairs["part"]), rules_for(values))


# What is written about decisions, and what is still to be done: all else must be as it was.
LOGS = (
    "customer_merges", "person_changes", "person_marks", "person_followers", "journey_changes", "analytics_changes",
    "lake_changes", "procrastinate_%", "django_migrations",
)  # fmt: skip


def dump() -> dict[str, list[str]]:
    """Every row of every table but the logs, as text."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
               AND NOT relispartition AND NOT relname LIKE ANY (%s) ORDER BY relname""",
            [list(LOGS)],
        )
        tables: list[Any] = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'SELECT row::text FROM "{table}" row ORDER BY 1')
            found[table] = [text for (text,) in cursor.fetchall()]
    return found
