"""Which profiles are one person, kept in `merged_into` for all to read.

Whoever adds evidence marks the profile (`touch`) within its own transaction and waits for nobody. `settle` takes the
marks and computes the persons around them anew by `graph.persons`, under one advisory lock: no two do it at once, so
the result is the same as if all evidence had come in one by one. It runs right after the commit of whoever marked
(`settle_soon`), and every minute for what was left. What changed is written down for the rooms above (`follow`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from finalmarket.customers.graph import Decisions, Profile, persons
from finalmarket.customers.known_by import Identity
from finalmarket.customers.models import PersonChange, PersonFollower, PersonMark
from finalmarket.customers.rules import QUERIES, limits, rules_for
from finalmarket.kernel import failpoints, jobs

LOCK = 0x7065_7273_6F6E  # "person"
MARKS_PER_TURN = 10_000
CHANGES_PER_TURN = 5_000
FOLLOWS = ".follow_persons"


@dataclass(frozen=True, slots=True)
class Change:
    """A profile that belongs to another person than before. `id` grows in the order of the commits."""

    id: int
    customer_id: int
    was: int
    becomes: int
    at: datetime


def touch(profiles: Iterable[int]) -> None:
    """Have the persons around these profiles computed anew when the present transaction is committed."""
    PersonMark.objects.bulk_create([PersonMark(customer_id=profile) for profile in sorted(set(profiles))])
    settle_soon()


def settle_soon() -> None:
    """Settle right after the present transaction is committed, once however often it is asked for; what goes wrong
    there is the worker's to repeat."""
    if not any(_settle_if_free in hook for hook in connection.run_on_commit):
        transaction.on_commit(_settle_if_free, robust=True)


def settle() -> int:
    """Compute anew whatever is marked; return how many profiles belong to another person than before.

    Waits for others who do the same. May be called within a transaction, too (then they wait until its end).
    """
    moved = 0
    while True:
        with failpoints.around("persons.settle"), transaction.atomic():
            hold()
            touched = _take_marks()
            if not touched:
                return moved
            moved += len(recompute(touched))


def _settle_if_free() -> None:
    """Settle, or leave it to a worker where somebody else is at it: whoever took an order need not wait for that."""
    if not PersonMark.objects.exists():
        return
    with failpoints.around("persons.settle"), transaction.atomic():
        if not _try_hold():
            jobs.enqueue("customers.settle", queueing_lock="customers.settle")
            return
        touched = _take_marks()
        if touched:
            recompute(touched)
    if len(touched) == MARKS_PER_TURN:
        settle()


def hold() -> None:
    """Hold the persons until the end of the transaction: whoever computes or decides does, before any row is locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _try_hold() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _take_marks() -> set[int]:
    return {profile for (profile,) in _rows("take_marks", [MARKS_PER_TURN])}


def recompute(touched: Collection[int], *, cause: str = "evidence") -> list[tuple[int, int, int]]:
    """Compute the persons around these profiles anew; return who moved, as (profile, person before, person now).

    The caller holds the persons (`hold`) and is in a transaction.
    """
    around = _around(set(touched))
    if not around:
        return []
    profiles, before = _load(around)
    decisions = _decisions([profile.id for profile in profiles])
    values = {value for profile in profiles for value in profile.identities}
    after = persons(profiles, decisions, rules_for(values))
    moved = sorted((one, before[one], person) for one, person in after.items() if before[one] != person)
    if moved:
        ids, was, becomes = (list(column) for column in zip(*moved, strict=True))
        _run("move", {"profiles": ids, "persons": becomes})
        _run("note_changes", {"profiles": ids, "was": was, "persons": becomes, "cause": cause[:100]})
        _wake_followers()
    return moved


def _around(touched: set[int]) -> set[int]:
    """The profiles whose persons can have changed because of these: all that hang together with them, by evidence, by
    decision or as they stand. Profiles that nothing hangs on are left out."""
    start = touched | _carriers_of_newly_shared(touched)
    seen, found = set(start), set[int]()
    front = start
    while front:
        pairs = _rows("neighbours", {"profiles": sorted(front)})
        found |= {profile for pair in pairs for profile in pair}
        front = {other for _, other in pairs} - seen
        seen |= front
    return found


def _carriers_of_newly_shared(touched: set[int]) -> set[int]:
    """Note values that have got too many carriers; return the carriers, whom such a value may have joined so far."""
    bounds = limits()
    most = max(limit.most_profiles for limit in bounds.values()) + 1
    crowded = [
        (kind, value)
        for kind, value, number in _rows("crowded", {"profiles": sorted(touched), "most": most})
        if number > bounds[kind].most_profiles
    ]
    if not crowded:
        return set()
    kinds, values = (list(column) for column in zip(*sorted(crowded), strict=True))
    carriers = {profile for (profile,) in _rows("carriers", {"kinds": kinds, "values": values})}
    _run("note_shared", {"kinds": kinds, "values": values})
    return carriers


def _load(ids: Collection[int]) -> tuple[list[Profile], dict[int, int]]:
    """The profiles with what they are known by, and the person of each as it stands."""
    before: dict[int, int] = {}
    known: dict[int, set[Identity]] = {}
    anchors: dict[int, Identity] = {}
    for profile, person, kind, value, is_anchor in _rows("load", {"profiles": sorted(ids)}):
        before[profile] = person
        mine = known.setdefault(profile, set())
        if kind is not None:
            mine.add((kind, value))
            if is_anchor:
                anchors[profile] = (kind, value)
    return [Profile(one, anchors.get(one), frozenset(mine)) for one, mine in known.items()], before


def _decisions(ids: Collection[int]) -> Decisions:
    said = _rows("decisions", {"profiles": sorted(ids)})
    pairs = {name: frozenset((one, other) for kind, one, other in said if kind == name) for name in ("join", "part")}
    return Decisions(pairs["join"], pairs["part"])


def evidence_alone(ids: Collection[int]) -> dict[int, int]:
    """Return the person of each of these profiles as if nobody had joined any. What was parted stays parted, what was
    parted until a join took its place is parted again."""
    profiles, _ = _load(_around(set(ids)) | set(ids))
    decided = _decisions([profile.id for profile in profiles])
    lifted = _rows("lifted", {"profiles": sorted(ids)})
    return _as_if(profiles, ids, Decisions(parted=decided.parted | {(one, other) for one, other in lifted}))


def without(ids: Collection[int], gone: Collection[int]) -> dict[int, int]:
    """Return the person of each of these profiles as if the profiles of `gone` did not exist."""
    profiles, _ = _load((_around(set(ids)) | set(ids)) - set(gone))
    return _as_if(profiles, ids, _decisions([profile.id for profile in profiles]))


def _as_if(profiles: Sequence[Profile], ids: Collection[int], decisions: Decisions) -> dict[int, int]:
    values = {value for profile in profiles for value in profile.identities}
    found = persons(profiles, decisions, rules_for(values))
    return {one: found[one] for one in ids}


def members(customer_id: int) -> list[int]:
    """Return all profiles of the person to whom a profile belongs, the one that stands for it first."""
    return [profile for (profile,) in _rows("members", {"profile": customer_id})]


def before_removal(profiles: Collection[int]) -> None:
    """Call this before profiles or their identities are deleted: whom they joined is then computed anew after the
    commit, without them."""
    _run("before_removal", {"profiles": sorted(profiles)})
    settle_soon()


@transaction.atomic
def follow(name: str, handle: Callable[[Sequence[Change]], Any]) -> int:
    """Hand the changes of persons that the follower `name` has not seen to `handle`; return how many they were.

    At most 5,000 at a time, in the order in which they happened, in one transaction with what `handle` writes. A room
    that wants to be woken declares a job of its own named "<room>.follow_persons" that calls this until it returns 0.
    """
    PersonFollower.objects.bulk_create([PersonFollower(name=name)], ignore_conflicts=True)
    follower = PersonFollower.objects.select_for_update().get(name=name)
    rows = PersonChange.objects.filter(id__gt=follower.last_change).order_by("id")[:CHANGES_PER_TURN]
    changes = [Change(row.pk, row.customer_id, row.was, row.becomes, row.at) for row in rows]
    if changes:
        handle(changes)
        follower.last_change = changes[-1].id
        follower.save(update_fields=["last_change"])
    return len(changes)


def _wake_followers() -> None:
    for name in sorted(jobs.declared()):
        if name.endswith(FOLLOWS):
            jobs.enqueue(name, queueing_lock=name)


def _rows(name: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        return list(cursor.fetchall())


def _run(name: str, values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
