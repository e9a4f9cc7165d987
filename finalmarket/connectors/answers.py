"""What an answer holds: its object with the fields that are needed, its rows, a part of it; and what is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.records import Raw

Found = TypeVar("Found")


def fields_in(told: Any, *names: str) -> Raw:
    """The object that an answer, or something in one, is. Raises Unintelligible where it is none, or where one of these
    fields is missing or empty (None, "")."""
    data, status = _opened(told)
    if not isinstance(data, dict):
        raise Unintelligible("the answer is not a JSON object", status=status)
    missing = [name for name in names if data.get(name) in (None, "")]
    if missing:
        raise Unintelligible(f"the answer does not hold {', '.join(missing)}", status=status)
    return data


def part_in(told: Any, name: str) -> Raw:
    """The object of that name within. Raises Unintelligible where there is none."""
    data, status = _opened(told)
    part = data.get(name) if isinstance(data, dict) else None
    if not isinstance(part, dict):
        raise Unintelligible(f"the answer holds no {name}", status=status)
    return part


def rows_in(told: Any, name: str = "", *, is_left_out: bool = False) -> list[Raw]:
    """The objects of the list of that name ("": of the list that it is itself). `is_left_out` says that the platform
    leaves an empty list out. Raises Unintelligible where there is no such list."""
    data, status = _opened(told)
    rows = data
    if name:
        rows = data.get(name) if isinstance(data, dict) else ""
    if rows is None and is_left_out:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unintelligible(f"the answer holds no list of {name or 'objects'}", status=status)
    return rows


def if_there(ask: Callable[[], Found], *codes: str) -> Found | None:
    """What `ask` brings; None where the platform says that there is no such thing: by the status 404, or by one of
    these codes."""
    try:
        return ask()
    except Rejected as error:
        if error.status == 404 or (error.code and error.code in codes):
            return None
        raise


def _opened(told: Any) -> tuple[Any, int | None]:
    return (told.data, told.status) if isinstance(told, Answer) else (told, None)
