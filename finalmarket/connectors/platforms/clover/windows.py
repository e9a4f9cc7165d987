"""Walking a list of Clover's by the moment of change.

Its order is not documented, and a page that is named by a number of records to pass over loses some when others change
meanwhile. So a list is read in windows of time, each small enough for one page, and put in order here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.paging import read_cursor, write_cursor
from finalmarket.connectors.records import Raw
from finalmarket.kernel import clock

# The records of one page whose moment lies from `start` to before `end`, but for the first `offset`.
Ask = Callable[[int, int, int], Sequence[Raw]]

RECORDS_A_PAGE = 100
EARLIEST = 1_262_304_000_000  # 2010: nothing at Clover is older
OVERLAP = 5 * 60 * 1000  # what reaches the list late is not lost
DAY = 24 * 3600 * 1000
MOST_PAGES_OF_A_MOMENT = 1_000


@dataclass(frozen=True, slots=True)
class Window:
    """The records of a window, oldest first, and the cursor behind it."""

    records: Sequence[Raw]
    cursor: str
    is_last: bool


def milliseconds(at: datetime) -> int:
    """A moment as Clover counts it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def pull(
    ask: Ask, moment_of: Callable[[Raw], int], cursor: str, since: datetime | None, *, sweeps: bool = False
) -> Iterator[Window]:
    """Yield what changed since the cursor, oldest first.

    With `sweeps` everything is read anew once a day: for lists that tell when a record was made, but not when it
    changed. Raises Unintelligible for a cursor that is not one of ours, and for a list that never ends.
    """
    now = milliseconds(clock.now()) + 1000
    at, swept = _place(cursor, since, now)
    if sweeps and now - swept >= DAY:
        at, swept = EARLIEST, now
    start, end, newest = at, now, 0
    while True:
        found = _whole(ask, start, end)
        if found is None:
            end = start + (end - start) // 2
            continue
        records = sorted(found, key=moment_of)
        newest = max(newest, moment_of(records[-1])) if records else newest
        is_last = end >= now
        if records or is_last:
            following = _settled(at, newest, now) if is_last else end
            yield Window(records, _written(following, swept if sweeps else 0), is_last)
        if is_last:
            return
        width = (end - start) * (2 if len(records) <= RECORDS_A_PAGE // 2 else 1)
        start, end = end, min(end + width, now)


def _place(cursor: str, since: datetime | None, now: int) -> tuple[int, int]:
    """Where to begin, and when everything was read last."""
    parts = read_cursor(cursor)
    if not parts:
        return (milliseconds(since) if since else EARLIEST), now
    try:
        return int(parts["at"]), int(parts.get("swept", now))
    except (KeyError, TypeError, ValueError):
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None


def _written(at: int, swept: int) -> str:
    return write_cursor(at=at, **({"swept": swept} if swept else {}))


def _settled(began: int, newest: int, now: int) -> int:
    """Where to begin the next time: behind the newest record, but not so near to the present that one which shows up
    late would be missed."""
    return max(began, min(newest + 1, now - OVERLAP)) if newest else began


def _whole(ask: Ask, start: int, end: int) -> Sequence[Raw] | None:
    """All records of a window; None where it holds more than a page and can be made smaller."""
    found = ask(start, end, 0)
    if len(found) < RECORDS_A_PAGE:
        return found
    if end - start > 1:
        return None
    known = {_name(one): one for one in found}
    for number in range(1, MOST_PAGES_OF_A_MOMENT):
        more = ask(start, end, number * RECORDS_A_PAGE)
        before = len(known)
        known.update((_name(one), one) for one in more)
        if len(more) < RECORDS_A_PAGE:
            return list(known.values())
        if len(known) == before:
            break
    raise Unintelligible("the platform's list goes on, but brings nothing new; this would never end")


def _name(raw: Raw) -> str:
    return str(raw.get("id"))
