"""Members come in by the moment of their last change.

Mailchimp names changes by the second and leaves open in which order it lists those of one. So a page never ends within
a second: what a full page holds of its last one is left to the next. Only where a page holds nothing else it is read on
by number, with some members twice, since others may change and be gone from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import read_cursor, read_each, write_cursor
from finalmarket.connectors.platforms.mailchimp.words import customer_record, written
from finalmarket.connectors.records import CustomerRecord, Page, Raw
from finalmarket.kernel import clock

Call = Callable[..., Answer]

MEMBERS_A_PAGE = 500
READ_TWICE = 50
LATE = timedelta(minutes=2)  # what shows up late is not lost
EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)  # Mailchimp is no older
SECOND = timedelta(seconds=1)


def member(call: Call, path: str, name: str) -> Raw | None:
    """One member; None where there is none of that name."""
    return if_there(lambda: fields_in(call("GET", f"{path}/members/{quote(name, safe='')}"), "id", "status"))


def page(call: Call, path: str, cursor: str, since: datetime | None) -> Page[CustomerRecord]:
    """One page of members, the oldest change first."""
    start, offset = _place(cursor, since)
    params = {
        "count": str(MEMBERS_A_PAGE), "offset": str(offset), "sort_field": "last_changed", "sort_dir": "ASC",
        "since_last_changed": written(start - SECOND), "exclude_fields": "members._links,_links",
    }  # fmt: skip
    rows = rows_in(call("GET", f"{path}/members", params=params), "members")
    if any(_changed(row, start) < start - SECOND for row in rows):
        raise Unintelligible("the answer holds members of another time than was asked for")
    found = sorted((row for row in rows if _changed(row, start) >= start), key=lambda row: _changed(row, start))
    newest = _changed(found[-1], start) if found else start
    if len(rows) < MEMBERS_A_PAGE:
        return _page(found, max(start, min(newest, _settled())), 0, is_last=True)
    if newest > start:
        return _page([row for row in found if _changed(row, start) < newest], newest, 0)
    return _page(found, start, offset + MEMBERS_A_PAGE - READ_TWICE)


def _settled() -> datetime:
    """Up to when all changes are sure to show."""
    return (clock.now() - LATE).replace(microsecond=0)


def _page(rows: Sequence[Raw], at: datetime, offset: int, *, is_last: bool = False) -> Page[CustomerRecord]:
    records, unreadable = read_each(rows, customer_record, lambda raw: raw["id"])
    following = write_cursor(at=written(at), **({"offset": offset} if offset else {}))
    return Page(records, following, is_last, unreadable)


def _place(cursor: str, since: datetime | None) -> tuple[datetime, int]:
    parts = read_cursor(cursor)
    if not parts:
        return (since.astimezone(UTC).replace(microsecond=0) if since else EARLIEST), 0
    try:
        return utc(parts["at"]), int(parts.get("offset", 0))
    except (KeyError, TypeError, ValueError):
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None


def _changed(row: Raw, otherwise: datetime) -> datetime:
    try:
        return utc(row.get("last_changed"))
    except (TypeError, ValueError):
        return otherwise
