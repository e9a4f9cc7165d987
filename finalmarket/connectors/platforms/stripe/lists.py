"""Stripe's lists are newest first and know no "changed since"; we need oldest change first, from where we stopped.

So a list is read in windows of time, each small enough to be held and turned round; and what changed is learnt from the
events, which Stripe keeps for 30 days. Where that is too long ago, the list is read anew.
(https://docs.stripe.com/api/pagination, https://docs.stripe.com/api/events/list)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.paging import read_cursor, write_cursor
from finalmarket.connectors.records import Page, Raw, Record, Unreadable
from finalmarket.connectors.windows import OVERLAP_SECONDS, settled
from finalmarket.kernel import clock

Item = TypeVar("Item")
Ask = Callable[[Mapping[str, Any]], Any]  # one page of a list, by the parameters that choose it
Read = tuple[tuple[Record, ...], tuple[Unreadable, ...]]

ITEMS_A_PAGE = 100  # the most that Stripe gives
ITEMS_A_WINDOW = 1_000
TRIES = 3
DAY_SECONDS = 24 * 3600
EVENTS_KEPT_SECONDS = 29 * DAY_SECONDS  # a day less than Stripe keeps them
EARLIEST = 1_262_304_000  # 2010: nothing at Stripe is older


@dataclass(frozen=True, slots=True)
class Change:
    """The latest event of a window that concerns `subject`; `count` says how many of its events the same second saw."""

    subject: str
    event: Raw
    count: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: what is older than second `at`, and in it all up to `after`, was told.

    `listed_at` is not 0 while the whole list is read: the moment that began, `then` being where the events go on.
    `asked_at` is when events were last asked for.
    """

    at: int
    after: str = ""
    listed_at: int = 0
    then: int = 0
    asked_at: int = 0

    def write(self) -> str:
        """As a cursor."""
        parts = {"after": self.after, "listed_at": self.listed_at, "then": self.then, "asked_at": self.asked_at}
        return write_cursor(at=self.at, **{name: part for name, part in parts.items() if part})


def find_place(cursor: str, since: datetime | None, now: int) -> Place:
    """The place that a cursor names; without one, the place to begin. Raises Unintelligible for a foreign cursor."""
    parts = read_cursor(cursor)
    if not parts:
        began = int(since.timestamp()) if since else 0
        if now - began < EVENTS_KEPT_SECONDS:
            return Place(at=began, asked_at=now)
        # What was made before `since` and changed later is found in the events, as far back as there are any.
        then = now - EVENTS_KEPT_SECONDS if since else now - OVERLAP_SECONDS
        return Place(at=max(began, EARLIEST), listed_at=now, then=then)
    try:
        numbers = {name: int(parts.get(name, 0)) for name in ("at", "listed_at", "then", "asked_at")}
    except (TypeError, ValueError):
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None
    place = Place(after=str(parts.get("after", "")), **numbers)
    if now - (place.listed_at or place.asked_at) >= EVENTS_KEPT_SECONDS:
        return Place(at=EARLIEST, listed_at=now, then=now - OVERLAP_SECONDS)
    return place


@dataclass(frozen=True, slots=True)
class Stream(Generic[Record]):
    """A list, the events that tell of its changes, and how both are read."""

    ask_list: Ask
    ask_events: Ask
    subject_of: Callable[[Raw], str]
    read_list: Callable[[Sequence[Raw]], Read[Record]]
    read_changes: Callable[[Sequence[Change]], Read[Record]]

    def pull(self, cursor: str, since: datetime | None) -> Iterator[Page[Record]]:
        """Yield what is new since the cursor: the whole list the first time, then what the events tell of."""
        now = int(clock.now().timestamp())
        place = find_place(cursor, since, now)
        yield from self._pull_list(place, now) if place.listed_at else self._pull_changes(place, now)

    def _pull_list(self, place: Place, now: int) -> Iterator[Page[Record]]:
        for window, is_last_window in windows(self.ask_list, place.at, now):
            for part, is_last in _parts(_later(window, place.after), is_last_window):
                records, unreadable = self.read_list(part)
                if is_last:
                    following = Place(at=place.then, asked_at=place.listed_at)
                else:
                    following = Place(part[-1]["created"], _id(part[-1]), place.listed_at, place.then)
                yield Page(records, following.write(), is_last, unreadable)

    def _pull_changes(self, place: Place, now: int) -> Iterator[Page[Record]]:
        newest = 0
        for events, is_last_window in windows(self.ask_events, place.at, now):
            newest = events[-1]["created"] if events else newest
            untold = {_id(event) for event in _later(events, place.after)}
            changes = [change for change in changes_in(events, self.subject_of) if _id(change.event) in untold]
            for part, is_last in _parts(changes, is_last_window):
                records, unreadable = self.read_changes(part)
                if is_last:
                    # Events may show up in another order than that of their moments: the last minutes are read again.
                    following = Place(settled(place.at, newest, now, OVERLAP_SECONDS), asked_at=now)
                else:
                    last = part[-1].event
                    following = Place(last["created"], _id(last), asked_at=place.asked_at)
                yield Page(records, following.write(), is_last, unreadable)


def windows(ask: Ask, start: int, now: int) -> Iterator[tuple[Sequence[Raw], bool]]:
    """Yield the list from second `start` on, oldest first, in windows of about ITEMS_A_WINDOW at most, each with
    whether it is the last. A window that holds too much is halved, one that holds little is followed by a wider one.
    """
    end: int | None = None
    while True:
        is_divisible = end is None or end - start > 1
        items = read_list(ask, start, end, most=ITEMS_A_WINDOW if is_divisible else None)
        if items is None:
            end = start + max(1, ((end or now + 1) - start) // 2)
            continue
        yield items, end is None
        if end is None:
            return
        width = (end - start) * (2 if len(items) <= ITEMS_A_WINDOW // 2 else 1)
        start, end = end, end + width if end + width <= now else None


def read_list(ask: Ask, start: int = 0, end: int | None = None, most: int | None = None) -> Sequence[Raw] | None:
    """All of a list whose moment of creation lies from second `start` to before `end`, oldest first; None where there
    are more than `most`. Raises RetryLater where the list loses our place again and again."""
    for _ in range(TRIES):
        try:
            return _read_pages(ask, {"gte": start or None, "lt": end}, most)
        except _PlaceLost:
            continue
    raise RetryLater("the platform's list lost our place in it several times")


def _read_pages(ask: Ask, created: Mapping[str, int | None], most: int | None) -> Sequence[Raw] | None:
    found: dict[str, Raw] = {}
    after = ""
    while True:
        try:
            page = ask({"created": created, "limit": ITEMS_A_PAGE, "starting_after": after or None})
        except Rejected as error:
            if after and error.code == "resource_missing":  # what we stopped at is no longer there
                raise _PlaceLost from None
            raise
        items = items_of(page)
        known = len(found)
        found.update((_id(item), item) for item in items)
        if not page.get("has_more"):
            return list(reversed(found.values()))
        if len(found) == known:
            raise Unintelligible("the platform's list goes on, but brings nothing new; this would never end")
        if most is not None and len(found) > most:
            return None
        after = _id(items[-1])


class _PlaceLost(Exception):
    pass


def items_of(page: Any) -> Sequence[Raw]:
    """The objects on a page, each with an id and a moment of creation. Raises Unintelligible for what is no page."""
    items = page.get("data") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise Unintelligible("the platform's list has no data")
    for item in items:
        if not isinstance(item, dict) or not item.get("id") or not isinstance(item.get("created"), int):
            raise Unintelligible("the platform's list holds something without an id or a moment")
    return items


def changes_in(events: Sequence[Raw], subject_of: Callable[[Raw], str]) -> Sequence[Change]:
    """The latest event of each subject, in their order; events of nobody are left out."""
    latest: dict[str, Change] = {}
    for event in events:
        subject = subject_of(event)
        if subject:
            before = latest.pop(subject, None)
            is_same_second = before is not None and before.event["created"] == event["created"]
            latest[subject] = Change(subject, event, before.count + 1 if before and is_same_second else 1)
    return list(latest.values())


def _later(items: Sequence[Raw], after: str) -> Sequence[Raw]:
    """The items behind the one called `after`; all of them, where it is not among them."""
    index = next((index for index, item in enumerate(items) if _id(item) == after), -1) if after else -1
    return items[index + 1 :]


def _parts(items: Sequence[Item], is_last_window: bool) -> Iterator[tuple[Sequence[Item], bool]]:
    """The items of a window page by page, each with whether it is the last of all."""
    starts = range(0, len(items), ITEMS_A_PAGE) if items else range(1 if is_last_window else 0)
    for start in starts:
        yield items[start : start + ITEMS_A_PAGE], is_last_window and start + ITEMS_A_PAGE >= len(items)


def _id(item: Raw) -> str:
    return str(item["id"])
