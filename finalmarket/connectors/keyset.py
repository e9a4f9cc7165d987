"""Reading on from a place in a list that is in the order of change: the moment and the name of the last record, never a
count of records, so that what is added or changed meanwhile shifts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.paging import read_cursor, read_each, read_one, write_cursor
from finalmarket.connectors.records import Page, Raw, Record
from finalmarket.kernel import clock

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# A change may be seen later than its moment says (it was under way for a while, or the platform's clock is behind).
LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind all that was changed before `at`, and behind those of that very moment up to the name `after` ("": before
    all of them)."""

    at: datetime
    after: str = ""


def place_of(cursor: str, since: datetime | None) -> Place:
    """The place that a cursor names; for "" the one before all that was changed since `since` (None: before all).

    Raises Unintelligible for a cursor that `cursor_after` did not write.
    """
    parts = read_cursor(cursor)
    if not parts:
        return Place(since.astimezone(UTC) if since else LONG_AGO)
    try:
        return Place(datetime.fromisoformat(parts["at"]).astimezone(UTC), str(parts.get("after", "")))
    except (KeyError, TypeError, ValueError):
        raise Unintelligible(f"the stored cursor {cursor[:60]!r} names no place: pull from a date instead") from None


def page_behind(
    place: Place, rows: Sequence[Raw], *, is_last: bool, read: Callable[[Raw], Record],
    place_in: Callable[[Raw], Place], name: Callable[[Raw], object],
) -> Page[Record]:  # fmt: skip
    """The page of these rows, which lie behind a place in the order of change; `place_in` tells where a row stands.
    Raises Unintelligible where the last one does not say so."""
    records, unreadable = read_each(rows, read, name)
    last = read_one(rows[-1], place_in) if rows else None
    return Page(records, cursor_after(place, last, is_last=is_last), is_last, unreadable)


def cursor_after(place: Place, last: Place | None, *, is_last: bool, late: timedelta = LATE) -> str:
    """The cursor after a page that began at `place` and ended with the record at `last` (None: it held none).

    After the last page for now, what may still turn up late is asked for once more by the next pull.
    """
    here = last or place
    if is_last and here.at > clock.now() - late:
        here = Place(max(min(place.at, here.at), clock.now() - late))
    return write_cursor(at=here.at.isoformat(), after=here.after)
