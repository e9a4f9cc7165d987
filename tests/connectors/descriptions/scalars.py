"""What the scalars of a GraphQL schema look like on the wire: exact numbers and moments travel as texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from graphql import GraphQLError

Check = Callable[[Any], Any]


def text_only(value: Any) -> Any:
    """Any text: what is asked of scalars that nothing more is known of."""
    if not isinstance(value, str):
        raise GraphQLError(f"{value!r} is no text")
    return value


def _exact(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise GraphQLError(f"{value!r} is no decimal number written as a text")
    return value


def _whole(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+", value):
        raise GraphQLError(f"{value!r} is no whole number written as a text")
    return value


def _moment(value: Any) -> Any:
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise GraphQLError(f"{value!r} is no moment with its zone")


def _day(value: Any) -> Any:
    try:
        if isinstance(value, str) and len(value) == 10:
            date.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise GraphQLError(f"{value!r} is no date")


def _anything(value: Any) -> Any:
    return value


SCALARS: Mapping[str, Check] = MappingProxyType(
    {
        "Decimal": _exact, "Money": _exact, "UnsignedInt64": _whole, "BigInt": _whole, "DateTime": _moment,
        "Date": _day, "JSON": _anything,
    }
)  # fmt: skip


def _int(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise GraphQLError(f"{value!r} is no Int")
    return value


def _float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GraphQLError(f"{value!r} is no Float")
    return value


def _bool(value: Any) -> Any:
    if not isinstance(value, bool):
        raise GraphQLError(f"{value!r} is no Boolean")
    return value


# In answers the five scalars of the language itself are judged too; ids are always texts there.
ANSWERED: Mapping[str, Check] = MappingProxyType(
    {**SCALARS, "Int": _int, "Float": _float, "Boolean": _bool, "String": text_only, "ID": text_only}
)
