"""JSON with amounts as exact numbers: for platforms that take a number where a text would keep the digits as well."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def exact_json(value: Any) -> bytes:
    """The value as JSON in UTF-8; a Decimal becomes a number with just its own digits, never by way of a float.

    Raises TypeError for a float, ValueError for a Decimal that is no number.
    """
    return _written(value).encode()


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that JSON knows")
        return format(value, "f")
    if isinstance(value, float):
        raise TypeError("a float has lost its digits already: give a Decimal")
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)
