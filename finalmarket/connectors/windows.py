"""Walking a list that can be asked for by the moment, but whose order nobody documents.

A page that is named by a number of records to pass over loses some when others change meanwhile. So the list is read in
windows of time, each small enough to be held whole, and put in order here. Moments are whole counts since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.paging import read_cursor, write_cursor
from finalmarket.connectors.records import Raw
from finalmarket.kernel import clock

OVERLAP_SECONDS = 5 * 60  # what reaches the list late is not lost
DAY_SECONDS = 24 * 3600
MOST_PAGES_OF_A_MOMENT = 1_000
# The records of one page whose moment lies from a start to before an end, but for the first so many.
Ask = Callable[[int, int, int], Sequence[Raw]]


@dataclass(frozen=True, slots=True)
class Window:
    """The records of a window, oldest first, and the cursor behind it."""

    records: Sequence[Raw]
    cursor: str
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How a list is read. `whole` gives all records from a start to before an end, None where they are too many and the
    window can be made smaller; a window of `few` of them is followed by a wider one. With `sweeps` everything is read
    anew once a day: for lists that tell when a record was made, but not when it changed."""

    whole: Callable[[int, int], Sequence[Raw] | None]
    moment_of: Callable[[Raw], int]
    few: int
    earliest: int  # nothing on the platform is older
    per_second: int = 1
    sweeps: bool = False

    def pull(self, cursor: str, since: datetime | None) -> Iterator[Window]:
        """Yield what lies behind the cursor, oldest first. Raises Unintelligible for a cursor that is not ours."""
        now = self._count(clock.now()) + self.per_second
        began, swept = self._place(cursor, since, now)
        if self.sweeps and now - swept >= DAY_SECONDS * self.per_second:
            began, swept = self.earliest, now
        start, end, newest = began, max(began, now), 0
        while True:
            found = self.whole(start, end)
            if found is None:
                end = start + (end - start) // 2
                continue
            records = sorted(found, key=self.moment_of)
            newest = max(newest, self.moment_of(records[-1])) if records else newest
            is_last = end >= now
            if records or is_last:
                following = settled(began, newest, now, OVERLAP_SECONDS * self.per_second) if is_last else end
                yield Window(records, write_cursor(at=following, swept=swept if self.sweeps else ""), is_last)
            if is_last:
                return
            width = (end - start) * (2 if len(records) <= self.few else 1)
            start, end = end, min(end + width, now)

    def _count(self, at: datetime) -> int:
        return int(at.timestamp() * self.per_second)

    def _place(self, cursor: str, since: datetime | None, now: int) -> tuple[int, int]:
        """Where to begin, and when everything was read last."""
        parts = read_cursor(cursor)
        if not parts:
            return (self._count(since) if since else self.earliest), now
        try:
            return int(parts["at"]), int(parts.get("swept", now))
        except (KeyError, TypeError, ValueError):
            raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None


def settled(began: int, newest: int, now: int, overlap: int) -> int:
    """Where to begin the next time: behind the newest record, but not so near to the present that one which shows up
    late would be missed."""
    return max(began, min(newest + 1, now - overlap)) if newest else began


def whole_window(ask: Ask, start: int, end: int, *, size: int, name: Callable[[Raw], str]) -> Sequence[Raw] | None:
    """All records of a window out of pages of that size; None where they are more than a page, and the window can be
    made smaller. Raises Unintelligible for a list that never ends."""
    found = ask(start, end, 0)
    if len(found) < size:
        return found
    if end - start > 1:
        return None
    known = {name(one): one for one in found}
    for number in range(1, MOST_PAGES_OF_A_MOMENT):
        more = ask(start, end, number * size)
        before = len(known)
        known.update((name(one), one) for one in more)
        if len(more) < size:
            return list(known.values())
        if len(known) == before:
            break
    raise Unintelligible("the platform's list goes on, but brings nothing new; this would never end")
