"""Stripe's forms and queries with brackets, and its refusals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from finalmarket.sandbox.stand_in import Refused, Reply, Request

Object = dict[str, Any]
DOCS = "https://docs.stripe.com/error-codes"


def refusal(
    status: int, message: str, *, kind: str = "invalid_request_error", code: str = "", param: str = "", **more: Any
) -> Refused:
    """An error as Stripe writes it."""
    error: dict[str, Any] = {"message": message, "type": kind, **more}
    if code:
        error |= {"code": code, "doc_url": f"{DOCS}#{code.replace('_', '-')}"}
    if param:
        error["param"] = param
    return Refused(Reply(status, {"error": error}))


def missing(what: str, name: str, param: str, status: int = 404) -> Refused:
    """Nothing of that id."""
    return refusal(status, f"No such {what}: '{name}'", code="resource_missing", param=param)


def fields_of(request: Request, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
    """The nested fields of a body; refuses those that are not known, and the lack of those that are needed."""
    return _checked(nested(request.form()), known, needed)


def query_of(request: Request, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
    """The nested fields of a query, checked likewise."""
    return _checked(
        nested((name, value) for name, values in request.queries.items() for value in values), known, needed
    )


def _checked(fields: dict[str, Any], known: Collection[str], needed: Collection[str]) -> dict[str, Any]:
    for name in fields:
        if name not in known:
            raise refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    for name in needed:
        if name not in fields:
            raise refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return fields


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b]=1&c[0]=2&c[]=3` as `{"a": {"b": "1"}, "c": ["2", "3"]}`."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        root, *steps = [part.rstrip("]") for part in name.split("[")]
        here, last = tree, root
        for step in steps:
            here = here.setdefault(last, {})
            if not isinstance(here, dict):
                raise refusal(400, f"Invalid object: {name}", param=root)
            last = step or str(len(here))
        here[last] = value
    return {name: _lists(node) for name, node in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    values = {name: _lists(item) for name, item in node.items()}
    return list(values.values()) if values and all(name.isdigit() for name in values) else values


def whole(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number; None where it is not given. Refuses what is none."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        raise refusal(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def metadata_of(before: Mapping[str, str], given: Any) -> dict[str, str]:
    """Metadata after an update: what is given is put in, what is given as "" is taken out, "" alone empties it."""
    if given == "":
        return {}
    merged = {**before, **(given or {})}
    for name, value in merged.items():
        if len(name) > 40 or not isinstance(value, str) or len(value) > 500 or "[" in name:
            raise refusal(400, "Metadata keys have 40 letters at most, values 500.", param=f"metadata[{name}]")
    return {name: value for name, value in merged.items() if value != ""}


def expansions(fields: Mapping[str, Any], known: Collection[str], prefix: str = "") -> set[str]:
    """What is to be expanded, with all that lies on the way there."""
    wanted = fields.get("expand") or []
    found: set[str] = set()
    for path in wanted if isinstance(wanted, list) else [wanted]:
        inner = path.removeprefix(prefix)
        if inner not in known or not path.startswith(prefix):
            raise refusal(400, f"This property cannot be expanded ({path}).", param="expand")
        parts = inner.split(".")
        found |= {".".join(parts[: end + 1]) for end in range(len(parts))}
    return found
