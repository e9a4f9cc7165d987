"""Telling journeys anew, for whoever is marked: many persons at a time, each from the last moment before its earliest
news at which nothing of it was under way. Rows that come out the same are not touched.

A mark is settled in the transaction that wrote the journeys; one that was set again meanwhile stays. So a worker that
is killed leaves the marks, and nothing that is recorded in between is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction

from finalmarket.customers import erased
from finalmarket.journeys import nameless, stitch_rows
from finalmarket.journeys.facts import Facts
from finalmarket.journeys.spans import Spans, spans
from finalmarket.journeys.stitch import stitch
from finalmarket.journeys.stitch_rows import BEGINNING
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("stitching.sql"))
MOST_CHANGES = 5_000
MOST_MARKS = 200
"""Marks taken together: a transaction of a few tenths of a second."""
MOST_ROUNDS_BACK = 8
"""Looks for an earlier journey that was under way, before a person is told from the beginning instead."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is being told: by their profiles, from a moment on."""

    id: int
    profiles: Sequence[int]
    since: datetime


@dataclass(slots=True)
class Done:
    """What a run did. `failed` are profiles whose mark could not be worked on."""

    persons: int = 0
    journeys: int = 0
    failed: list[int] = field(default_factory=list)


def run(*, now: datetime | None = None, seconds: float = 50.0) -> Done:
    """Tell the journeys of everybody who is marked, as they stand at `now`; return what was done. Ends when no mark is
    left that it can work on, or after so many seconds. Any number of workers may do this at once."""
    done, begun, after = Done(), clock.ticks(), 0
    gather()
    while clock.ticks() - begun < seconds:
        customers = [customer for (customer,) in rows("marks_after", after=after, most=MOST_MARKS)]
        if not customers:
            break
        _tell_marks(customers, now or clock.now(), done)
        after = customers[-1]
    return done


def tell_person(customer_id: int) -> None:
    """Tell the journeys of one person now, if they are marked and nobody else is at it."""
    gather()
    _tell_marks([customer_id], clock.now(), Done())


def gather() -> None:
    """Make marks of what triggers noted."""
    while True:
        with failpoints.around("journeys.gather"), connection.cursor() as cursor:
            cursor.execute(QUERIES["gather"], {"most": MOST_CHANGES})
            if cursor.rowcount == 0:
                return


def mark_everybody() -> None:
    """Have everybody told from the beginning, by the next run."""
    with failpoints.around("journeys.mark_all"):
        execute("mark_all", beginning=BEGINNING)


def hold(profiles: Sequence[int]) -> None:
    """Within a transaction: have nobody tell the journeys of these profiles until its end. For whoever erases a person:
    what was being told is committed before, and whoever tells after finds the person gone."""
    execute("hold", profiles=list(profiles))


def is_marked() -> bool:
    """Whether anybody is to be told anew."""
    return bool(rows("is_marked")[0][0])


def _tell_marks(customers: Sequence[int], now: datetime, done: Done) -> None:
    """Tell those behind these marks together; where that fails, its halves, until the one that fails stands alone."""
    try:
        with failpoints.around("journeys.tell"), transaction.atomic():
            persons, journeys = _tell(customers, now)
            failpoints.hit("journeys.before_commit")
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        if len(customers) == 1:
            _note_failure(customers[0], error, done)
            return
        middle = len(customers) // 2
        _tell_marks(customers[:middle], now, done)
        _tell_marks(customers[middle:], now, done)
        return
    done.persons += persons
    done.journeys += journeys


def _note_failure(customer: int, error: Exception, done: Done) -> None:
    """Its mark stays, and the next run tries again."""
    done.failed.append(customer)
    log = structlog.get_logger(__name__)
    log.warning("journeys of a customer cannot be told", customer=customer, reason=type(error).__name__)


def _tell(customers: Sequence[int], now: datetime) -> tuple[int, int]:
    """Tell these within the caller's transaction; return how many persons, and how many journeys changed.

    Profiles of erased people are left out of the telling: their journeys go on as they are.
    """
    held = dict(rows("claim", customers=list(customers)))
    marks = rows("marks_of", members=[profile for profiles in held.values() for profile in profiles])
    since = {customer: moment for customer, moment, _ in marks}
    told = {person: profiles for person, profiles in held.items() if not since.keys().isdisjoint(profiles)}
    if not told:
        return 0, 0
    gone = erased.among({profile for profiles in told.values() for profile in profiles})
    persons = []
    for person, profiles in told.items():
        living = [profile for profile in profiles if profile not in gone]
        if moments := [since[profile] for profile in living if profile in since]:
            persons.append(Person(person, living, min(moments)))
    changed = tell(_from_a_quiet_moment(persons), spans(), now) if persons else 0
    changed += nameless.go_on(gone & since.keys(), now)
    execute("settle", customers=[one[0] for one in marks], versions=[one[2] for one in marks])
    return len(told), changed


def tell(persons: Sequence[Person], given: Spans, now: datetime) -> int:
    """Tell these persons' journeys from their moments on; return how many journeys changed."""
    facts = stitch_rows.read_facts(persons)
    told = [stitch(facts.get(person.id, Facts()), given, now) for person in persons]
    return stitch_rows.write(persons, told)


def _from_a_quiet_moment(persons: Sequence[Person]) -> list[Person]:
    """Go back, for each, to the last moment before its news at which nothing was under way."""
    found = {person.id: person for person in persons}
    back = list(persons)
    for _ in range(MOST_ROUNDS_BACK):
        earlier = dict(rows("under_way", **stitch_rows.members(back)))
        if not earlier:
            return list(found.values())
        back = [Person(one.id, one.profiles, earlier[one.id]) for one in back if one.id in earlier]
        found |= {one.id: one for one in back}
    found |= {one.id: Person(one.id, one.profiles, BEGINNING) for one in back}
    return list(found.values())


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run a query of stitching.sql; return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
        return list(cursor.fetchall())


def execute(query: str, **values: Any) -> None:
    """Run a statement of stitching.sql."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
