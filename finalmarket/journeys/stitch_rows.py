"""Between the facts and rows of the stitcher and the database: everything for many persons in a constant number of
statements, and only what differs is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from django.db import connection

from finalmarket.journeys.facts import (
    RECOGNISED,
    Booked,
    Called,
    CalledNote,
    CalledTouch,
    Facts,
    JourneyRow,
    Placed,
    SwitchNote,
    Told,
    Touch,
    TouchRow,
)
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("stitching.sql"))
BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class SomePerson(Protocol):
    """Somebody who is being told: by their profiles, from a moment on."""

    @property
    def id(self) -> int: ...
    @property
    def profiles(self) -> Sequence[int]: ...
    @property
    def since(self) -> datetime: ...


def members(persons: Iterable[SomePerson]) -> dict[str, list[Any]]:
    """The profiles of these persons as the queries take them."""
    found = [(profile, person.id, person.since) for person in persons for profile in person.profiles]
    profiles, numbers, since = map(list, zip(*found, strict=True)) if found else ([], [], [])
    return {"members": profiles, "persons": numbers, "since": since}


def read_facts(persons: Sequence[SomePerson]) -> dict[int, Facts]:
    """What is known of each person from its moment on."""
    given = members(persons)
    facts: dict[int, Facts] = defaultdict(Facts)
    for person, pk, customer, channel, kind, at, score, message, sku, words in _run(
        "interactions", **given, recognised=RECOGNISED
    ):
        facts[person].touches.append(Touch(pk, customer, channel, kind, at, score, message, sku, words))
    for person, *order in _run("orders", **given):
        facts[person].orders.append(Placed(*order))
    for person, *booked in _run("returns", **given):
        facts[person].returns.append(Booked(*booked))
    called = _run("called", **given)
    added: dict[int, list[CalledTouch]] = defaultdict(list)
    for pk, journey, channel, _, _, _, at, _, _ in _touches([row[1] for row in called], is_recognised=False):
        added[journey].append(CalledTouch(pk, at, channel))
    for person, pk, intent, started_at, ended_at, state, outcome, _, _ in called:
        touches = tuple(added[pk])
        facts[person].called.append(Called(pk, intent, started_at, ended_at, state, outcome, touches))
    return facts


def write(persons: Sequence[SomePerson], told: Sequence[Told]) -> int:
    """Have what was told in the tables; return how many journeys are new, changed or gone."""
    given = members(persons)
    journeys = {row.id: row for one in told for row in one.journeys}
    touches = {row.id: row for one in told for row in one.touches}
    notes = {row.id: row for one in told for row in one.called}
    before = {row[0]: JourneyRow(*row) for row in _run("told_journeys", **given)}
    owners = list({*before, *notes})
    touched_before = {row[0]: TouchRow(*row) for row in _touches(owners, is_recognised=True)}
    gone = sorted(before.keys() - journeys.keys())
    written = _changed(journeys, before)
    _write("write_journeys", written)
    _write("write_touches", _changed(touches, touched_before))
    dropped = sorted(touched_before.keys() - touches.keys())
    if dropped:
        _execute("drop_touches", touches=dropped, journeys=owners)
    if gone:
        _execute("drop_journeys", journeys=gone)
    _note_called(given, notes, [note for one in told for note in one.switches])
    return len(written) + len(gone)


def read_told(profiles: Sequence[int]) -> list[JourneyRow]:
    """The recognised journeys of these profiles as they were told before, from the beginning."""
    since = [BEGINNING] * len(profiles)
    return [JourneyRow(*row) for row in _run("told_journeys", members=profiles, persons=profiles, since=since)]


def read_orders(orders: Sequence[int]) -> dict[int, Placed]:
    """What the order book says of these orders now."""
    return {row[0]: Placed(*row) for row in _run("these_orders", orders=list(orders))}


def last_channels(journeys: Sequence[int]) -> dict[int, int]:
    """The channel of the last step of each of these journeys."""
    steps = [TouchRow(*row) for row in _touches(journeys, is_recognised=True)]
    steps.sort(key=lambda step: (step.occurred_at, step.id))
    return {step.journey_id: step.sales_channel_id for step in steps}


def write_on(journeys: Sequence[JourneyRow], touches: Sequence[TouchRow]) -> None:
    """Have journeys that were told before as they are given here, with steps that came to them."""
    _write("write_journeys", journeys)
    _write("write_touches", touches)


def _note_called(given: Mapping[str, Any], notes: Mapping[int, CalledNote], switches: Sequence[SwitchNote]) -> None:
    before = {row[1]: CalledNote(row[1], row[7], row[8]) for row in _run("called", **given)} if notes else {}
    _write("note_called", _changed(notes, before))
    noted = {row[0]: SwitchNote(row[0], row[7], row[8]) for row in _touches(list(notes), is_recognised=False)}
    _write("note_switches", _changed({note.id: note for note in switches}, noted), recognised=RECOGNISED)


def _touches(journeys: Sequence[int], *, is_recognised: bool) -> list[tuple[Any, ...]]:
    """Touchpoints of these journeys: those that were recognised, or those that calls added."""
    if not journeys:
        return []
    return [row for row in _run("touches", journeys=list(journeys)) if (row[0] >= RECOGNISED) == is_recognised]


def _changed(rows: Mapping[int, Any], before: Mapping[int, Any]) -> list[Any]:
    """What is new or not as it was, by number: two workers never wait for each other in a circle."""
    return [rows[pk] for pk in sorted(rows) if before.get(pk) != rows[pk]]


def _write(query: str, rows: Sequence[Any], **values: Any) -> None:
    """Run a statement that takes rows as one array a column."""
    if rows:
        columns = {name: list(map(itemgetter(place), rows)) for place, name in enumerate(rows[0]._fields)}
        _execute(query, **columns, **values)


def _run(query: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
        return list(cursor.fetchall())


def _execute(query: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
