"""Lists read by `limit` and `offset`, whose answers hold `items` and say by `hasMore` whether more follow; and errors
told as `o:errorDetails` (both as Oracle's REST services write them)."""

from __future__ import annotations

from collections.abc import Callable

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.answers import rows_in as objects_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.records import Raw

MOST_WORDS = 300


def rows_in(answer: Answer, offset: int) -> tuple[list[Raw], bool]:
    """The rows of a page that was asked for from `offset` on, and whether more follow. Raises Unintelligible where it
    is no such page, or another one."""
    told, rows = fields_in(answer, "hasMore"), objects_in(answer, "items")
    if told.get("offset", offset) != offset:
        raise Unintelligible("the answer holds other rows than were asked for", status=answer.status)
    return rows, bool(told["hasMore"]) and bool(rows)


def all_rows(fetch: Callable[[int], tuple[list[Raw], bool]]) -> list[Raw]:
    """All rows of a list; `fetch` gets a page from an offset on, as `rows_in` reads it."""
    found: list[Raw] = []
    has_more = True
    while has_more:
        rows, has_more = fetch(len(found))
        found += rows
    return found


def told_error(answer: Answer) -> tuple[str, str]:
    """Code and words of the first error told: in the list of details, in the older form without one, or as plain
    text; "" and "" for a success."""
    if answer.is_success:
        return "", ""
    if not isinstance(answer.data, dict):
        is_text = answer.data is None and "text/plain" in answer.headers.get("content-type", "")
        return "", answer.body[:MOST_WORDS].decode(errors="replace") if is_text else ""
    details = answer.data.get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details else answer.data
    told = first if isinstance(first, dict) else {}
    return str(told.get("o:errorCode") or ""), str(told.get("detail") or answer.data.get("title") or "")
