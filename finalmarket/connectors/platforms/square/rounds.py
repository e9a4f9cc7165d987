"""Walking a stream by the moment of change, round after round, with a look back over the last minutes.

A search shows what changed since a moment, but not everything at once: new records reach Square's index late, and
customers cannot be sorted by their change. So each round begins again some minutes before the last one began; what it
delivered already is known by its mark and left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from finalmarket.connectors.moments import to_millisecond, utc
from finalmarket.connectors.paging import READING_ERRORS, read_cursor, write_cursor
from finalmarket.connectors.platforms.square.amounts import changed_at
from finalmarket.connectors.records import Raw
from finalmarket.kernel import clock

LOOK_BACK = timedelta(minutes=5)
MOST_MARKS = 500  # beyond it the oldest are forgotten; such records come twice, which does no harm


@dataclass
class Round:
    """Where a walk stands. Moments are stamps; `seen` and `marks` name records by their id and moment of change.

    `since` is where the round began, `start` where the present query did, `page` Square's cursor within it, `part` the
    number of the group of locations, `reached` the newest change of this part, `newest` that of the whole round.
    """

    since: str = ""
    start: str = ""
    page: str = ""
    part: int = 0
    reached: str = ""
    newest: str = ""
    begun: str = field(default_factory=lambda: to_millisecond(clock.now()))
    seen: frozenset[str] = frozenset()
    marks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str) -> Round:
        """The round that a cursor is in, or begins."""
        told = read_cursor(cursor)
        since = str(told.get("since", ""))
        known = cls(since=since, start=str(told.get("start", since)), seen=frozenset(told.get("seen", ())))
        known.page, known.part = str(told.get("page", "")), int(told.get("part", 0))
        known.reached, known.newest = str(told.get("reached", "")), str(told.get("newest", ""))
        known.begun, known.marks = str(told.get("begun", known.begun)), dict(told.get("marks", {}))
        return known

    def write(self) -> str:
        """The cursor that names this place."""
        return write_cursor(
            since=self.since, start=self.start, page=self.page, part=self.part or "", reached=self.reached,
            newest=self.newest, begun=self.begun, seen=sorted(self.seen) or "", marks=self.marks or "",
        )  # fmt: skip

    def sift(self, raws: Iterable[Raw]) -> list[Raw]:
        """Those of a page that were not delivered before; notes them. What cannot be read is never left out."""
        fresh = []
        for raw in raws:
            try:
                at = changed_at(raw)
                name = blake2b(f"{raw['id']} {at}".encode(), digest_size=6).hexdigest()
            except READING_ERRORS:
                fresh.append(raw)
                continue
            if name not in self.seen and name not in self.marks:
                fresh.append(raw)
            self.marks[name] = at
            self.reached, self.newest = max(self.reached, at), max(self.newest, at)
        self._forget()
        return fresh

    def _forget(self) -> None:
        """Keep the marks of what the next round will see again."""
        kept = sorted((at, name) for name, at in self.marks.items() if at >= self._horizon())[-MOST_MARKS:]
        self.marks = {name: at for at, name in kept}

    def _horizon(self) -> str:
        return min(self.newest, to_millisecond(utc(self.begun) - LOOK_BACK))

    def ask_again(self, *, is_sorted: bool) -> None:
        """Square's cursor has ended: ask anew, from the newest change that was reached if they come in that order."""
        self.page = ""
        if is_sorted and self.reached:
            self.start = self.reached

    def follow(self, page: str, parts: int) -> bool:
        """Go on to the next page, part or round; whether this round is over."""
        self.page = page
        if page:
            return False
        self.part, self.start, self.reached = self.part + 1, self.since, ""
        if self.part < parts:
            return False
        self.since = max(self.since, self._horizon()) if self.newest else self.since
        # A round of the same marks under another beginning is no news: the cursor of a quiet stream stays as it is.
        self.seen = frozenset(self.marks) if self.newest else self.seen
        self.start, self.part, self.newest, self.marks, self.begun = self.since, 0, "", {}, ""
        return True


def first(cursor: str, since: datetime | None) -> str:
    """The cursor to begin with: the given one, else one that begins at `since`."""
    return cursor or (write_cursor(since=to_millisecond(since)) if since else "")
