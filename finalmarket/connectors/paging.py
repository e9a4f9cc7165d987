"""Going from page to page without going round in circles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.records import Page, Raw, Record, Unreadable

Mapped = TypeVar("Mapped")
MOST_PAGES = 100_000
READING_ERRORS = (KeyError, ValueError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError)


def walk(fetch: Callable[[str], Page[Record]], cursor: str) -> Iterator[Page[Record]]:
    """Yield page after page from `cursor` on, until the last one.

    Raises Unintelligible when the platform names a cursor a second time, which would never end.
    """
    seen = {cursor}
    for _ in range(MOST_PAGES):
        page = fetch(cursor)
        yield page
        if page.is_last:
            return
        if page.cursor in seen:
            raise Unintelligible("the platform gave the same cursor a second time; going on would never end")
        seen.add(page.cursor)
        cursor = page.cursor
    raise Unintelligible(f"the platform has more than {MOST_PAGES} pages of one stream")


def all_rows(fetch: Callable[[str], tuple[Sequence[Raw], str]]) -> Iterator[Raw]:
    """All rows of a list that is given page by page; `fetch` gets the page behind a cursor ("" for the first one) with
    the cursor of the next one, "" where none follows.

    Raises Unintelligible when the platform names a cursor a second time, which would never end.
    """
    cursor, seen = "", {""}
    for _ in range(MOST_PAGES):
        rows, cursor = fetch(cursor)
        yield from rows
        if not cursor:
            return
        if cursor in seen:
            break
        seen.add(cursor)
    raise Unintelligible("the platform gave the same cursor a second time; going on would never end")


def in_parts(things: Sequence[Mapped], size: int) -> Iterator[Sequence[Mapped]]:
    """The things, as many at a time as one call takes."""
    for start in range(0, len(things), size):
        yield things[start : start + size]


def read_each(
    raws: Iterable[Raw], read: Callable[[Raw], Mapped], name: Callable[[Raw], object]
) -> tuple[tuple[Mapped, ...], tuple[Unreadable, ...]]:
    """Translate each raw record; one that cannot be read is set aside with its reason and `name`, the others stand."""
    records, unreadable = [], []
    for raw in raws:
        try:
            records.append(read(raw))
        except READING_ERRORS as error:
            try:
                named = str(name(raw))
            except READING_ERRORS:
                named = ""
            unreadable.append(Unreadable(named[:200], f"{type(error).__name__}: {error}"[:500], raw))
    return tuple(records), tuple(unreadable)


def read_text(raw: Raw, name: str) -> str:
    """The text of a field, "" where there is none; a number as it is written.

    Raises TypeError for a list, an object or a truth value: written out, it would pass for somebody's name.
    """
    value = raw.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise TypeError(f"{name!r} is no text, but {str(value)[:80]}")
    return str(value)


def read_one(raw: Any, read: Callable[[Any], Mapped]) -> Mapped:
    """Translate a single record. Raises Unintelligible where it cannot be read."""
    try:
        return read(raw)
    except READING_ERRORS as error:
        raise Unintelligible(f"the record cannot be read: {type(error).__name__}: {error}") from None


def write_cursor(**parts: Any) -> str:
    """A cursor made of parts, such as `since` and the platform's own `page`; "" parts are left out."""
    return json.dumps({key: value for key, value in sorted(parts.items()) if value not in ("", None)})


def read_cursor(cursor: str) -> dict[str, Any]:
    """The parts of a cursor that `write_cursor` made; none for "". Raises Unintelligible for another text."""
    if not cursor:
        return {}
    try:
        parts = json.loads(cursor)
    except ValueError:
        parts = None
    if not isinstance(parts, dict):
        raise Unintelligible(f"the stored cursor {cursor[:60]!r} is not one of ours; pull from a date instead")
    return parts
