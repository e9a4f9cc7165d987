"""Reads persons as they are compared, a few thousand at a time, and what people have said of pairs of them.

What this room does not know of persons, such as where they have goods sent, the rooms above tell: `add_source`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from django.db import connection

from finalmarket.customers.linkage.records import Record, birth_date_among, can_be_compared, record
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("reading.sql"))
PERSONS_AT_ONCE = 5_000

Source: TypeAlias = Callable[[Sequence[int]], Mapping[int, Mapping[str, Any]]]
"""Takes persons (the profile that stands for each); returns what is known of some: `postcode`, `city`, `street`,
`country`, `name`. A constant number of statements."""

SOURCES: list[Source] = []


def add_source(source: Source) -> None:
    """Register what a room knows of persons that helps to tell who is who; called once, when the room is ready."""
    if source not in SOURCES:
        SOURCES.append(source)


def records() -> Iterator[Record]:
    """Yield all persons of whom there is something to compare, in the order of their numbers."""
    last = 0
    while rows := _rows("persons", [last, PERSONS_AT_ONCE]):
        last = rows[-1][0]
        persons = [row[0] for row in rows]
        known = [source(persons) for source in SOURCES]
        for person, name, email, phone, country, attributes in rows:
            given = {"name": name, "email": email, "phone": phone, "country": country}
            for more in known:
                given |= {key: value for key, value in more.get(person, {}).items() if value and not given.get(key)}
            given["birth_date"] = next(filter(None, map(birth_date_among, map(json.loads, attributes))), None)
            one = record(person, given)
            if can_be_compared(one):
                yield one


def apart() -> set[tuple[int, int]]:
    """The pairs of persons, the smaller number first, that are never to be suggested."""
    return {(one, other) for one, other in _rows("apart", [])}


def _rows(name: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        return list(cursor.fetchall())
