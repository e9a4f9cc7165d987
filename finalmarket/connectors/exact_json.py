"""JSON with amounts as exact numbers: written for platforms that take a number where a text would keep the digits as
well, and read of platforms, none of which can make us big or slow by what it says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

MOST_VALUES = 2_000_000
"""Of one text. Each takes up to a hundred bytes of memory, however short it is written."""
MOST_DEPTH = 200
MOST_FIGURES = 1_000
MOST_EXPONENT = 400
"""Beyond those of floats; `int(Decimal("1e999999999"))` is a number of a billion figures."""


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


def read_json(body: bytes | str) -> Any:
    """What a text of JSON says; numbers with a point are Decimals. Raises ValueError for what is no JSON (NaN and
    Infinity are none), and for more values, a greater depth or a longer number than anybody means."""
    commas, brackets = (",", "[{") if isinstance(body, str) else (b",", b"[{")
    if body.count(commas) + body.count(brackets[:1]) + body.count(brackets[1:]) > MOST_VALUES:  # type: ignore[arg-type]
        raise ValueError(f"it holds more than {MOST_VALUES:,} values")
    try:
        found = json.loads(body, parse_float=_number, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it goes deeper than anybody means") from error
    _check_depth(found)
    return found


def _number(text: str) -> Decimal:
    if len(text) > MOST_FIGURES:
        raise ValueError("a number has more figures than anybody means")
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MOST_EXPONENT:
        raise ValueError("a number has a greater exponent than anybody means")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check_depth(found: Any) -> None:
    """Level by level, so that no depth is too deep for the look itself."""
    level = [found] if isinstance(found, (dict, list)) else []
    for _ in range(MOST_DEPTH + 1):
        if not level:
            return
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, (dict, list))
        ]
    raise ValueError(f"it is deeper than {MOST_DEPTH} levels")
