"""From the text of a query or a form to the values that a schema speaks of: brackets, repeated names, comma lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.connectors.descriptions.dialect import Document

Pairs = Sequence[tuple[str, str]]


def nested(pairs: Pairs) -> dict[str, Any]:
    """`a[b][]=1&a[b][]=2&c[0][d]=3` as nested objects and lists. Raises ValueError where names contradict."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        root, steps = _steps(name)
        _put(tree, [root, *steps], value, name)
    return {name: _lists(node) for name, node in tree.items()}


def _steps(name: str) -> tuple[str, list[str]]:
    root, bracket, rest = name.partition("[")
    if not bracket:
        return name, []
    steps = re.findall(r"\[([^\[\]]*)\]", bracket + rest)
    if "".join(f"[{step}]" for step in steps) != bracket + rest:
        raise ValueError(f"the name {name!r} has brackets that do not close")
    return root, steps


def _put(tree: dict[str, Any], steps: list[str], value: str, name: str) -> None:
    here = tree
    for step in steps[:-1]:
        key = _appended(here) if step == "" else step
        here = here.setdefault(key, {})
        if not isinstance(here, dict):
            raise ValueError(f"{name!r} is a value in one place and an object in another")
    last = _appended(here) if steps[-1] == "" else steps[-1]
    if last in here:
        raise ValueError(f"{name!r} is given twice")
    here[last] = value


def _appended(node: dict[str, Any]) -> str:
    return str(len(node))


def _lists(node: Any) -> Any:
    """Objects whose names are 0, 1, 2, ... are lists."""
    if not isinstance(node, dict):
        return node
    if node and list(node) == [str(index) for index in range(len(node))]:
        return [_lists(item) for item in node.values()]
    return {name: _lists(item) for name, item in node.items()}


def coerced(document: Document, schema: Any, value: Any) -> Any:
    """The value with its texts turned into what the schema wants, where they can be; as it is where they cannot."""
    schema = document.resolved(schema)
    for branch in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        turned = coerced(document, branch, value)
        if not document.faults(branch, turned, is_request=True, where=""):
            return turned
    if isinstance(value, dict):
        return _coerced_object(document, schema, value)
    if isinstance(value, list):
        return [coerced(document, schema.get("items", {}), item) for item in value]
    return _scalar(schema.get("type"), value)


def _coerced_object(document: Document, schema: Any, value: dict[str, Any]) -> dict[str, Any]:
    fields = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        fields.update(document.resolved(part).get("properties", {}))
    more = schema.get("additionalProperties")
    rest = more if isinstance(more, dict) else {}
    return {name: coerced(document, fields.get(name, rest), item) for name, item in value.items()}


def _scalar(kind: Any, text: str) -> Any:
    kinds = kind if isinstance(kind, list) else [kind]
    if "integer" in kinds and re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if "number" in kinds and re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        return float(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


def parameter(document: Document, told: Any, pairs: Pairs) -> Any:
    """The value of one parameter from the pairs that carry it. Raises ValueError where it is given wrongly."""
    schema = told.get("schema", told)
    # Some descriptions name a parameter `page[size]`, and mean just that.
    if told.get("style") == "deepObject" or any("[" in name and name != told["name"] for name, _ in pairs):
        return coerced(document, schema, nested(pairs).get(told["name"]))
    values = [value for _, value in pairs]
    if "array" in _kinds(document, schema):
        if _is_split(told) and len(values) == 1:
            values = values[0].split(",") if values[0] else []
        elif _is_split(told):
            raise ValueError(f"{told['name']!r} is repeated, but its values are to be divided by commas")
        return coerced(document, schema, values)
    if len(values) > 1:
        raise ValueError(f"{told['name']!r} is given {len(values)} times")
    return coerced(document, schema, values[0])


def _kinds(document: Document, schema: Any) -> list[Any]:
    schema = document.resolved(schema)
    kinds = [schema.get("type")]
    for branch in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        kinds += _kinds(document, branch)
    return kinds


def _is_split(told: Any) -> bool:
    """Whether a list comes as one text with commas: Swagger's default, and OpenAPI 3's with `explode: false`."""
    if "schema" in told:
        return told.get("explode") is False or (told.get("in") != "query" and "explode" not in told)
    return bool(told.get("collectionFormat", "csv") == "csv")
