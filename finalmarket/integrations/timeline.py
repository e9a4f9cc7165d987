"""One timeline of a person over all channels: what they did, bought and were told, and what became of it.

Read on demand from the rows of all rooms, so that there is nothing to be kept in step: a merge, an unmerge and an
erasure show at once. One statement, whose branches are limited each (timeline.sql); pages go on by the key of the last
row. What was done many times in a row is one entry.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from django.db import connection

from finalmarket.customers.persons import members
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("timeline.sql"))
KINDS = (
    "order", "payment", "refund", "parcel", "return", "interaction", "journey", "ticket", "mail", "consent", "wish",
    "merge",
)  # fmt: skip
BRANCHES = {"parcel": ("parcel", "parcel_arrived"), "journey": ("journey", "journey_ended")}
"""Kinds whose records are on the timeline twice: when it began and when it ended."""
MOST_ROWS = 500
MOST_AT_ONE_MOMENT = 500
PAGE_SIZE = 50
Key: TypeAlias = tuple[datetime, str, int]
FIRST: Key = (datetime(9999, 12, 31, tzinfo=UTC), "", 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, or `times` things of a kind in a row: then `at` is the last of them and `since` the
    first. `what` says more of the kind, such as the type of an interaction; `words` may be personal."""

    at: datetime
    kind: str
    id: int
    channel_id: int | None
    what: str
    words: str
    amount: Decimal | None
    currency: str
    order_id: int | None
    times: int = 1
    since: datetime | None = None

    @property
    def group(self) -> str:
        """The kind that it is filtered by."""
        return next((kind for kind, branches in BRANCHES.items() if self.kind in branches), self.kind)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of the timeline, newest first. `later` is the key of the page that goes on, "" at the end."""

    entries: tuple[Entry, ...]
    later: str = ""


def timeline(
    customer_id: int, *, kinds: Collection[str] = (), channel_id: int | None = None, after: str = "",
    size: int = PAGE_SIZE,
) -> Timeline:  # fmt: skip
    """Return a page of the timeline of the person of a profile, newest first; a key that cannot be read means the
    first page. Without `kinds` all of them are on it. Two queries."""
    rows = _rows(members(customer_id), kinds or KINDS, channel_id, _read(after))
    entries: list[Entry] = []
    last: Key | None = None
    for row in rows[:MOST_ROWS]:
        if entries and _goes_on(entries[-1], row):
            entries[-1] = replace(entries[-1], times=entries[-1].times + 1, since=row.at)
        elif len(entries) == size:
            return Timeline(tuple(entries), _write(last))
        else:
            entries.append(row)
        last = (row.at, row.kind, row.id)
    return Timeline(tuple(entries), _write(last) if len(rows) > MOST_ROWS else "")


def _goes_on(entry: Entry, row: Entry) -> bool:
    """Whether a row is one more of the same: the same kind of interaction on the same channel, with nothing between."""
    return (entry.kind, entry.what, entry.channel_id) == ("interaction", row.what, row.channel_id) and (
        row.kind == "interaction"
    )


def _rows(profiles: Sequence[int], kinds: Collection[str], channel_id: int | None, beyond: Key) -> list[Entry]:
    branches = [branch for kind in KINDS if kind in kinds for branch in BRANCHES.get(kind, (kind,))]
    if not branches or not profiles:
        return []
    union = "\nUNION ALL\n".join(f"({QUERIES[branch]})" for branch in branches)
    query = f"{QUERIES['shared']} {QUERIES['page'].format(union=union)}"
    at, kind, number = beyond
    values = {
        "profiles": list(profiles), "channel": channel_id, "at": at, "kind": kind, "id": number,
        "most": MOST_ROWS + 1, "deep": MOST_ROWS + 1 + MOST_AT_ONE_MOMENT,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [Entry(*row) for row in cursor.fetchall()]


def _write(key: Key | None) -> str:
    if key is None:
        return ""
    text = json.dumps([key[0].isoformat(), *key[1:]])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str) -> Key:
    try:
        at, kind, number = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(kind, str) or "\x00" in kind or not -(2**63) < number < 2**63:
            return FIRST
        return moment, kind, int(number)
    except (ValueError, TypeError, binascii.Error):
        return FIRST
