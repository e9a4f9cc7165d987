"""Who unsubscribed, complained or could not be reached, read from the lists that SendGrid keeps of them.

Their order is not documented, and an offset into a list that changes meanwhile loses some. So the lists are read in
windows of time, each small enough for one answer of every list, and put in order here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_cursor, read_each, write_cursor
from finalmarket.connectors.platforms.sendgrid.words import interaction_id, rows_in
from finalmarket.connectors.records import Page, Raw
from finalmarket.connectors.talk import InteractionRecord
from finalmarket.kernel import clock

Call = Callable[..., Answer]

ENTRIES_A_PAGE = 500
EARLIEST = 1_230_768_000  # 2009: SendGrid is no older
OVERLAP = 5 * 60  # seconds: what reaches a list late is not lost
MOST_PAGES_OF_A_SECOND = 200
# The lists, and what an entry of each means.
LISTS = {
    "/v3/suppression/unsubscribes": "unsubscribe", "/v3/suppression/spam_reports": "email_complaint",
    "/v3/suppression/bounces": "email_bounce",
}  # fmt: skip
GROUPS = "/v3/asm/suppressions"
KIND = "finalmarket_kind"  # what list an entry stood on: it does not say so itself


def pull_suppressions(
    call: Call, group: int | None, cursor: str, since: datetime | None
) -> Iterator[Page[InteractionRecord]]:
    """Yield what was put on the lists since the cursor, oldest first. `group` is the unsubscribe group whose entries
    count, too. Raises Unintelligible for a cursor that is not ours, and for lists that do not end."""
    now = int(clock.now().timestamp()) + 1
    began = start = _place(cursor, since)
    left = _left_group(call, group)
    end, newest = max(now, start), 0
    while True:
        found = _window(call, start, end)
        if found is None:
            end = start + (end - start) // 2
            continue
        found = sorted([*found, *(one for one in left if start <= _second(one) < end)], key=_second)
        newest = max(newest, *(_second(one) for one in found[-1:]), 0)
        is_last = end >= now
        if found or is_last:
            following = _settled(began, newest, now) if is_last else end
            records, unreadable = read_each(found, interaction_record, _name)
            yield Page(records, write_cursor(at=following), is_last, unreadable)
        if is_last:
            return
        width = (end - start) * (2 if len(found) < ENTRIES_A_PAGE else 1)
        start, end = end, min(end + width, now)


def _place(cursor: str, since: datetime | None) -> int:
    parts = read_cursor(cursor)
    if not parts:
        return int(since.timestamp()) if since else EARLIEST
    try:
        return int(parts["at"])
    except (KeyError, TypeError, ValueError):
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None


def _settled(began: int, newest: int, now: int) -> int:
    """Where to begin the next time: behind the newest entry, but not so near to the present that one which shows up
    late would be missed."""
    return max(began, min(newest + 1, now - OVERLAP)) if newest else began


def _window(call: Call, start: int, end: int) -> list[Raw] | None:
    """All entries from `start` to before `end`; None where a list holds more than a page and the window can be made
    smaller."""
    found: list[Raw] = []
    for path, kind in LISTS.items():
        entries = _entries(call, path, start, end)
        if entries is None:
            return None
        found += [{**entry, KIND: kind} for entry in entries]
    return found


def _entries(call: Call, path: str, start: int, end: int) -> Sequence[Raw] | None:
    """The entries of one list in a window, or None as `_window` says."""
    first = _page(call, path, start, end, 0)
    if len(first) < ENTRIES_A_PAGE:
        return first
    if end - start > 1:
        return None
    known = {str(one.get("email")): one for one in first}
    for number in range(1, MOST_PAGES_OF_A_SECOND):
        more = _page(call, path, start, end, number * ENTRIES_A_PAGE)
        before = len(known)
        known.update((str(one.get("email")), one) for one in more)
        if len(more) < ENTRIES_A_PAGE:
            return list(known.values())
        if len(known) == before:
            break
    raise Unintelligible("the list goes on, but brings nothing new; this would never end")


def _page(call: Call, path: str, start: int, end: int, offset: int) -> list[Raw]:
    """One answer. Raises Unintelligible where it holds entries of another time than was asked for."""
    params = {
        "start_time": str(start), "end_time": str(max(start, end - 1)), "limit": str(ENTRIES_A_PAGE),
        "offset": str(offset),
    }  # fmt: skip
    rows = rows_in(call("GET", path, params=params))
    if any(not start <= _second(row, start) <= max(start, end - 1) for row in rows):
        raise Unintelligible("the answer holds entries of another time than was asked for")
    return rows


def _left_group(call: Call, group: int | None) -> list[Raw]:
    """Who left the unsubscribe group. SendGrid gives all who left any group, at once."""
    if group is None:
        return []
    rows = [row for row in rows_in(call("GET", GROUPS)) if row.get("group_id") == group]
    return [{**row, "created": row.get("created_at"), KIND: "unsubscribe"} for row in rows]


def _second(raw: Raw, otherwise: int = 0) -> int:
    """When an entry was made, in whole seconds; `otherwise` where it does not say so."""
    created: Any = raw.get("created")
    try:
        return otherwise if isinstance(created, (bool, str)) else int(created)
    except (TypeError, ValueError, ArithmeticError):
        return otherwise


def _name(raw: Raw) -> str:
    return interaction_id(raw[KIND], raw["email"], _second(raw))


def interaction_record(raw: Raw) -> InteractionRecord:
    """An entry of a list, as something that its owner did, or that happened to their address."""
    seconds, email = raw["created"], raw["email"]
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ValueError(f"{seconds!r} is no whole number of seconds")
    if "@" not in email:
        raise ValueError("the entry names no address")
    return InteractionRecord(
        external_id=interaction_id(raw[KIND], email, seconds), kind=raw[KIND], at=datetime.fromtimestamp(seconds, UTC),
        email=email, raw={name: value for name, value in raw.items() if name != KIND},
    )  # fmt: skip
