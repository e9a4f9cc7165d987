"""What a query costs, in points: objects 1, single values 0, mutations 10, connections 2 and as many nodes as they may
bring. Shopify publishes these rules, but not the weight of every field; amounts of money count nothing here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from finalmarket.sandbox.platforms.shopify.query_language import Field, Operation, Projector

MUTATION = 10
CONNECTION = 2
MOST_POINTS = 1000  # of a single query


def is_free(name: str) -> bool:
    """Whether a field leads to mere values and counts nothing."""
    return name in ("nodes", "pageInfo", "shopMoney", "presentmentMoney", "price") or name.endswith("Set")


def requested_cost(operation: Operation, projector: Projector) -> int:
    """What the operation may cost at most."""
    if operation.kind == "mutation":
        return MUTATION * len(operation.selections)
    return _cost(operation.selections, projector)


def _cost(selections: tuple[Field, ...], projector: Projector) -> int:
    return sum(_field(asked, projector) for asked in projector.fields(selections, None))


def _field(asked: Field, projector: Projector) -> int:
    if not asked.selections:
        return 0
    inner = _cost(asked.selections, projector)
    arguments: Mapping[str, Any] = projector.arguments(asked)
    if "first" in arguments:
        return CONNECTION + int(arguments["first"] or 0) * (1 + inner)
    if "ids" in arguments:
        return len(arguments["ids"] or ()) * (1 + inner)
    return inner if is_free(asked.name) else 1 + inner


def actual_cost(operation: Operation, visited: Counter[str]) -> int:
    """What it cost, by the objects that came."""
    if operation.kind == "mutation":
        return MUTATION * len(operation.selections)
    return sum(count for name, count in visited.items() if name == "nodes" or not is_free(name))
