"""Who unsubscribed, complained or could not be reached, read from the lists that SendGrid keeps of them.

Their order is not documented: they are read in windows of time, each small enough for one answer of every list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from finalmarket.connectors.answers import rows_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import from_seconds
from finalmarket.connectors.paging import read_each
from finalmarket.connectors.platforms.sendgrid.words import interaction_id
from finalmarket.connectors.records import Page, Raw
from finalmarket.connectors.talk import InteractionRecord
from finalmarket.connectors.windows import Windows, whole_window

Call = Callable[..., Answer]

ENTRIES_A_PAGE = 500
EARLIEST = 1_230_768_000  # 2009: SendGrid is no older
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
    left = _left_group(call, group)

    def whole(start: int, end: int) -> list[Raw] | None:
        found = [one for one in left if start <= _second(one) < end]
        for path, kind in LISTS.items():
            ask = partial(_page, call, path)
            entries = whole_window(ask, start, end, size=ENTRIES_A_PAGE, name=lambda raw: str(raw.get("email")))
            if entries is None:
                return None
            found += [{**entry, KIND: kind} for entry in entries]
        return found

    lists = Windows(whole=whole, moment_of=_second, few=ENTRIES_A_PAGE - 1, earliest=EARLIEST)
    for window in lists.pull(cursor, since):
        records, unreadable = read_each(window.records, interaction_record, _name)
        yield Page(records, window.cursor, window.is_last, unreadable)


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
    seconds, email, at = raw["created"], raw["email"], from_seconds(raw["created"])
    if "@" not in email:
        raise ValueError("the entry names no address")
    return InteractionRecord(
        external_id=interaction_id(raw[KIND], email, seconds), kind=raw[KIND], at=at, email=email,
        raw={name: value for name, value in raw.items() if name != KIND},
    )  # fmt: skip
