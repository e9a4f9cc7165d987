"""$filter, $orderby, $expand and $inlinecount of OData 2 on lists of entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Entity = dict[str, Any]
Test = Callable[[Entity], bool]
TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<literal>(?:datetimeoffset|datetime|time)?'(?:[^']|'')*')|(?P<word>[\w/.:+-]+))"
)
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right, "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right, "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right, "le": lambda left, right: left <= right,
}  # fmt: skip
Tokens = list[tuple[str, str]]
# Numbers that SAP keeps with leading zeros.
NUMBERED = frozenset({"BusinessPartner", "Customer", "SalesOrder"})


def condition(written: str) -> Test:
    """The test that a $filter asks for. Raises ValueError for what is no condition."""
    tokens: Tokens = []
    at = 0
    while at < len(written.rstrip()):
        match = TOKEN.match(written, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"syntax error at position {at} of the filter")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    test, rest = _either(tokens)
    if rest:
        raise ValueError(f"syntax error at {rest[0][1]!r} of the filter")
    return test


def _either(tokens: Tokens) -> tuple[Test, Tokens]:
    test, tokens = _both(tokens)
    while tokens and tokens[0] == ("word", "or"):
        other, tokens = _both(tokens[1:])
        test = _joined(test, other, any)
    return test, tokens


def _both(tokens: Tokens) -> tuple[Test, Tokens]:
    test, tokens = _single(tokens)
    while tokens and tokens[0] == ("word", "and"):
        other, tokens = _single(tokens[1:])
        test = _joined(test, other, all)
    return test, tokens


def _joined(one: Test, other: Test, how: Callable[[Any], bool]) -> Test:
    return lambda entity: how(test(entity) for test in (one, other))


def _single(tokens: Tokens) -> tuple[Test, Tokens]:
    if tokens and tokens[0][0] == "open":
        test, tokens = _either(tokens[1:])
        if not tokens or tokens[0][0] != "close":
            raise ValueError("a bracket of the filter is not closed")
        return test, tokens[1:]
    if len(tokens) < 3 or tokens[0][0] != "word" or tokens[1][1] not in COMPARED:
        raise ValueError("the filter holds no comparison where one is due")
    name, compare, literal = tokens[0][1], COMPARED[tokens[1][1]], _value(tokens[2])
    return lambda entity: _compared(compare, entity, name, literal), tokens[3:]


def _compared(compare: Callable[[Any, Any], bool], entity: Entity, name: str, literal: Any) -> bool:
    if name not in entity:
        raise ValueError(f"Property {name} not found")
    value = entity[name]
    if value is None or literal is None:
        return (compare is COMPARED["eq"] and value is literal) or (compare is COMPARED["ne"] and value is not literal)
    if name in NUMBERED:
        return compare(_padded(value), _padded(literal))
    return compare(value, literal)


def _padded(number: str) -> str:
    return number.zfill(10) if number else ""


def _value(token: tuple[str, str]) -> Any:
    kind, written = token
    if kind == "word":
        return {"null": None, "true": True, "false": False}.get(written, written)
    prefix, _, rest = written.partition("'")
    inner = rest[:-1].replace("''", "'")
    return inner[:19] if prefix == "datetime" else inner


def ordered(entities: list[Entity], orderby: str) -> list[Entity]:
    """The entities in the order of $orderby."""
    for part in reversed([part for part in orderby.split(",") if part]):
        name, _, way = part.strip().partition(" ")
        entities = sorted(entities, key=_sorted_by(name), reverse=way == "desc")
    return entities


def _sorted_by(name: str) -> Callable[[Entity], str]:
    return lambda entity: str(entity[name] or "").zfill(10 if name in NUMBERED else 0)


def shown(entity: Entity, expand: list[str], select: list[str]) -> Entity:
    """An entity as it is answered: moments in JSON's form, navigation properties expanded or put off."""
    found: Entity = {}
    for name, value in entity.items():
        if select and name not in select and name != "__metadata":
            continue
        if isinstance(value, list):
            deeper = [path.partition("/")[2] for path in expand if path.startswith(f"{name}/")]
            rows = [shown(one, deeper, []) for one in value]
            found[name] = {"results": rows} if name in expand or deeper else {"__deferred": {"uri": name}}
        elif isinstance(value, dict) and name != "__metadata":
            found[name] = shown(value, [], []) if name in expand else {"__deferred": {"uri": name}}
        else:
            found[name] = json_moment(value) if name.endswith(("Date", "DateTime")) else value
    return found


def json_moment(value: Any) -> Any:
    """A moment kept as `2026-06-01T00:00:00`, as OData 2 answers it."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\dT", value):
        return value
    return f"/Date({int(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000)})/"
