"""$filter, $orderby, $expand and $inlinecount of OData 2 on lists of entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from finalmarket.sandbox.conditions import Entity, text_of

COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right, "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right, "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right, "le": lambda left, right: left <= right,
}  # fmt: skip
# Numbers that SAP keeps with leading zeros.
NUMBERED = frozenset({"BusinessPartner", "Customer", "SalesOrder"})


def compared(entity: Entity, name: str, operator: str, literal: str) -> bool:
    """Whether a property stands to a literal of OData as the operator says."""
    if name not in entity:
        raise ValueError(f"Property {name} not found")
    if operator not in COMPARED:
        raise ValueError(f"{operator} is no operator")
    compare, value, told = COMPARED[operator], entity[name], _value(literal)
    if value is None or told is None:
        return (operator == "eq" and value is told) or (operator == "ne" and value is not told)
    if name in NUMBERED:
        return compare(_padded(value), _padded(told))
    return compare(value, told)


def _padded(number: str) -> str:
    return number.zfill(10) if number else ""


def _value(literal: str) -> Any:
    if "'" not in literal:
        return {"null": None, "true": True, "false": False}.get(literal, literal)
    inner = text_of(literal)
    return inner[:19] if literal.startswith("datetime") else inner


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
