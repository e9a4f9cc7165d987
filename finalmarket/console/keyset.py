"""Pages by key: the next one begins where this one ended, so the hundredth costs as much as the first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet


@dataclass(frozen=True)
class Slice:
    """The rows of one page, and the keys of its neighbours ("" where there is none)."""

    rows: Sequence[Any]
    earlier: str = ""
    later: str = ""


def cut(queryset: QuerySet[Any], order: Sequence[str], asked: Mapping[str, str], size: int) -> Slice:
    """Return one page of `queryset` in `order`, whose fields all run in one direction and together are unique.

    `asked` holds `after` or `before` with a key of an earlier page; a key that cannot be read means the first page.
    An index on the fields of `order` serves every page alike.
    """
    backwards = bool(asked.get("before"))
    key = _read(queryset.model, order, asked.get("before") or asked.get("after") or "")
    backwards = backwards and key is not None
    if key is not None:
        queryset = queryset.filter(_beyond(order, key, backwards))
    directed = [_turned(field) for field in order] if backwards else list(order)
    found = list(queryset.order_by(*directed)[: size + 1])
    has_more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Slice(rows)
    has_earlier = has_more if backwards else key is not None
    has_later = True if backwards else has_more
    first, last = _write(rows[0], order), _write(rows[-1], order)
    return Slice(rows, first if has_earlier else "", last if has_later else "")


def _turned(field: str) -> str:
    return field[1:] if field.startswith("-") else f"-{field}"


def _beyond(order: Sequence[str], key: Sequence[Any], backwards: bool) -> Q:
    """Rows beyond `key`. The bound on the first field stands alone, so that the database can start there."""
    comparison = "gt" if order[0].startswith("-") == backwards else "lt"
    names = [field.lstrip("-") for field in order]
    beyond = Q(**{f"{names[-1]}__{comparison}": key[-1]})
    for name, value in list(zip(names, key, strict=True))[-2::-1]:
        beyond = Q(**{f"{name}__{comparison}": value}) | Q(**{name: value}) & beyond
    return Q(**{f"{names[0]}__{comparison}e": key[0]}) & beyond


def _write(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, field.lstrip("-")) for field in order]
    texts = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def _read(model: type[Model], order: Sequence[str], text: str) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(order):
            return None
        fields = [model._meta.get_field(field.lstrip("-")) for field in order]
        read = [field.to_python(value) for field, value in zip(fields, values, strict=True)]  # type: ignore[union-attr]
    except (ValueError, TypeError, binascii.Error, ValidationError):
        return None
    return None if None in read or any("\x00" in str(value) for value in read) else read
