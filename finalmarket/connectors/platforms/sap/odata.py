"""OData 2 as SAP speaks it: literals and conditions, moments, keys, and what an answer holds.

Published source: SAP's OData V2 guide (help.sap.com, linked in its API files), and OData's own V2 documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, part_in
from finalmarket.connectors.answers import rows_in as objects_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.keyset import Place
from finalmarket.connectors.records import Raw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
TIME = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def text(value: str) -> str:
    """A text as a literal."""
    return "'" + value.replace("'", "''") + "'"


def key(value: str) -> str:
    """A text as the key of an entity in an address."""
    return quote(text(value), safe="'")


def any_of(name: str, values: Iterable[str]) -> str:
    """The condition that a property is one of these texts."""
    return "(" + " or ".join(f"{name} eq {text(value)}" for value in values) + ")"


def day(moment: datetime) -> str:
    """The day of a moment as a literal."""
    return f"datetime'{moment.astimezone(UTC):%Y-%m-%d}T00:00:00'"


def behind(place: Place, day_name: str, time_name: str, name: str) -> str:
    """The condition for entities whose day, time and name lie behind a place."""
    at = place.at.astimezone(UTC)
    this_day, time = day(at), f"time'PT{at:%H}H{at:%M}M{at:%S}S'"
    same = f"{time_name} gt {time} or ({time_name} eq {time} and {name} gt {text(place.after)})"
    return f"({day_name} gt {this_day} or ({day_name} eq {this_day} and ({same})))"


def read_moment(json_date: str, time: str = "") -> datetime:
    """`/Date(1780272000000)/`, with a time of day such as `PT09H30M00S`. Raises ValueError for another text."""
    found, clock = JSON_DATE.fullmatch(json_date), TIME.fullmatch(time or "PT")
    if found is None or clock is None:
        raise ValueError(f"{json_date[:40]!r} {time[:40]!r} is no moment of SAP's")
    hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    return EPOCH + timedelta(milliseconds=int(found[1]), hours=hours, minutes=minutes, seconds=seconds)


def json_day(at: date) -> str:
    """A day as JSON has it."""
    return f"/Date({(at - EPOCH.date()).days * 86_400_000})/"


def rows_in(answer: Answer) -> tuple[list[Raw], bool]:
    """The entities of a page, and whether the platform has more of them."""
    told = part_in(answer, "d")
    rows = objects_in(told, "results")
    try:
        count = int(told.get("__count") or 0)
    except (TypeError, ValueError):
        raise Unintelligible("the answer does not say how many entities there are", status=answer.status) from None
    return rows, bool(rows) and (count > len(rows) or "__next" in told)


def entity_in(answer: Answer, *names: str) -> Raw:
    """The one entity of an answer."""
    return fields_in(part_in(answer, "d"), *names)


def parts(raw: Raw, name: str) -> list[Mapping[str, Any]]:
    """The expanded entities under a navigation property."""
    return list((raw.get(name) or {}).get("results") or ())


def etag_of(raw: Raw) -> str:
    """The ETag of an entity, "" where it has none."""
    return str((raw.get("__metadata") or {}).get("etag") or "")


def exact(amount: Decimal | int) -> str:
    """A number as text, without an exponent."""
    return format(Decimal(amount), "f")
