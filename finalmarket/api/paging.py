"""Lists in pages: the next page begins behind the last row of this one, whatever was added or taken away meanwhile.

A cursor is opaque and signed. It belongs to the question that it came from: the same address, filters and order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from finalmarket.api.problems import Problem

LIMIT, MOST = 50, 200
SALT = "finalmarket.api.cursor"
APART = ("cursor", "limit")
MOST_PARTS = 20


def page(
    rows: QuerySet[Any], order: Sequence[str], request: HttpRequest, limit: int, cursor: str
) -> tuple[list[Any], str | None]:
    """Return one page of `rows` and the cursor of the next one (None: this is the last).

    All fields of `order` run in one direction, never change, and together are unique. Raises Problem for a cursor that
    is none of ours, or of another question.
    """
    return page_of_each(rows, (), order, request, limit, cursor)


def page_of_each(
    rows: QuerySet[Any], parts: Sequence[Q], order: Sequence[str], request: HttpRequest, limit: int, cursor: str
) -> tuple[list[Any], str | None]:  # fmt: skip
    """As `page`, of the rows to which one of a few `parts` applies, and no two to the same row (none: all rows). Each
    part is entered by its own index; one condition for all of them would have its rows read and sorted."""
    question = _question(request, order)
    if cursor:
        rows = rows.filter(_behind(order, _read(cursor, question, rows, order)))
    if len(parts) > MOST_PARTS:
        rows, parts = rows.filter(reduce(or_, parts)), ()
    found = _first(rows, parts, order, limit + 1)
    if len(found) <= limit:
        return found, None
    return found[:limit], _write(found[limit - 1], order, question)


def _first(rows: QuerySet[Any], parts: Sequence[Q], order: Sequence[str], count: int) -> list[Any]:
    if len(parts) <= 1:
        return list((rows.filter(*parts) if parts else rows).order_by(*order)[:count])
    names = [field.lstrip("-") for field in order]
    slices = [rows.filter(part).order_by(*order).values_list("pk", *names)[:count] for part in parts]
    keys = [key for key, *_ in slices[0].union(*slices[1:], all=True).order_by(*order)[:count]]
    return list(rows.filter(pk__in=keys).order_by(*order))


def _question(request: HttpRequest, order: Sequence[str]) -> str:
    """What is asked for. The order is part of it: one list may be in another order for another key."""
    asked = sorted((name, value) for name, value in request.GET.items() if name not in APART)
    return hashlib.sha256(repr((request.path, asked, list(order))).encode()).hexdigest()[:16]


def _behind(order: Sequence[str], key: Sequence[Any]) -> Q:
    """Rows behind `key`. The bound on the first field stands alone, so that an index can be entered there."""
    comparison = "lt" if order[0].startswith("-") else "gt"
    names = [field.lstrip("-") for field in order]
    behind = Q(**{f"{names[-1]}__{comparison}": key[-1]})
    for name, value in list(zip(names, key, strict=True))[-2::-1]:
        behind = Q(**{f"{name}__{comparison}": value}) | Q(**{name: value}) & behind
    return Q(**{f"{names[0]}__{comparison}e": key[0]}) & behind


def _write(row: Any, order: Sequence[str], question: str) -> str:
    values = [getattr(row, field.lstrip("-")) for field in order]
    key = [value.isoformat() if isinstance(value, date) else value for value in values]
    return signing.dumps([question, key], salt=SALT)


def _read(cursor: str, question: str, rows: QuerySet[Any], order: Sequence[str]) -> list[Any]:
    try:
        asked, key = signing.loads(cursor, salt=SALT)
    except signing.BadSignature as error:
        raise Problem("cursor", "The cursor is none of ours, or was cut short.") from error
    if asked != question:
        raise Problem("cursor", "The cursor is of another question: the filters have changed.")
    fields = [rows.model._meta.get_field(field.lstrip("-")) for field in order]
    return [field.to_python(value) for field, value in zip(fields, key, strict=True)]
