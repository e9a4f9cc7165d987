"""Descriptions derived from examples: where a platform publishes no description, but documented calls and answers.

What no example shows is not allowed: a path, a query parameter, a field of a request or an answer, a kind of value.
What every example of an answer shows has to be there. Numbers may be written as texts in requests, as the examples do.
Objects that say what they are (`"object": "Tracker"`) are of one shape wherever they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.connectors.descriptions.judge import shown

NUMBER = re.compile(r"-?\d+(\.\d+)?")
KINDS: Mapping[type, str] = {
    type(None): "null", bool: "truth", int: "number", float: "number", str: "text", list: "list", dict: "object",
}  # fmt: skip


@dataclass
class Shape:
    """What values of one place look like in all examples."""

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, Shape] = field(default_factory=dict)
    always: set[str] | None = None  # the fields that every object has
    item: Shape | None = None
    named: dict[str, Shape] = field(default_factory=dict, repr=False)  # of objects that say what they are

    def learn(self, value: Any) -> Shape:
        """Take in an example."""
        self.kinds.add(KINDS[type(value)])
        if isinstance(value, dict):
            here = self._of(value)
            here.kinds.add("object")
            for name, part in value.items():
                here.fields.setdefault(name, Shape(named=self.named)).learn(part)
            here.always = set(value) if here.always is None else here.always & set(value)
        if isinstance(value, list):
            self.item = self.item or Shape(named=self.named)
            for part in value:
                self.item.learn(part)
        return self

    def _of(self, value: Mapping[str, Any]) -> Shape:
        """Where the fields of an object are described: here, or where all of its kind are."""
        kind = value.get("object")
        return self.named.setdefault(kind, Shape(named=self.named)) if isinstance(kind, str) else self

    def faults(self, value: Any, *, is_request: bool, where: str = "") -> Iterable[str]:
        """What in the value no example shows."""
        if not self.kinds - {"null"}:
            return  # examples show nothing of it
        if not self._fits(value, is_request):
            yield f"{where or 'the whole'} is {shown(value)}, in the examples {' or '.join(sorted(self.kinds))}"
            return
        if isinstance(value, dict) and (here := self._of(value)).fields:
            for name in sorted(set() if is_request else (here.always or set()) - set(value)):
                yield f"{where}.{name} is missing"
            for name, part in value.items():
                if name not in here.fields:
                    yield f"{where}.{name} is in no example"
                else:
                    yield from here.fields[name].faults(part, is_request=is_request, where=f"{where}.{name}")
        if isinstance(value, list) and self.item is not None:
            for index, part in enumerate(value):
                yield from self.item.faults(part, is_request=is_request, where=f"{where}[{index}]")

    def _fits(self, value: Any, is_request: bool) -> bool:
        kind = KINDS[type(value)]
        if kind in self.kinds or (
            kind == "null" and not is_request and self.kinds & {"text", "number", "truth", "object"}
        ):
            return True
        if not is_request:
            return False
        if kind == "truth":
            return "text" in self.kinds
        return (kind == "number" and "text" in self.kinds) or (
            kind == "text" and "number" in self.kinds and NUMBER.fullmatch(value) is not None
        )


@dataclass(frozen=True)
class Example:
    """One documented call: `path` with `{}` where names stand; bodies and answers as documented, None where there are
    none."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    bodies: tuple[Any, ...] = ()
    answers: tuple[Any, ...] = ()


@dataclass
class Call:
    """All that is known of one method and path."""

    name: str
    method: str
    pattern: re.Pattern[str]
    query: set[str] = field(default_factory=set)
    body: Shape = field(default_factory=Shape)
    answer: Shape = field(default_factory=Shape)


class Examples:
    """A Description derived from examples; `error` is an example of an error."""

    def __init__(self, examples: Iterable[Example], error: Any) -> None:
        self._calls: dict[str, Call] = {}
        self._error = Shape().learn(error)
        named: dict[str, Shape] = {}
        for one in examples:
            name = f"{one.method} {one.path}"
            pattern = re.compile("[^/]+".join(re.escape(part) for part in one.path.split("{}")))
            call = self._calls.setdefault(name, Call(name, one.method, pattern, answer=Shape(named=named)))
            call.query |= set(one.query)
            for body in one.bodies:
                call.body.learn(body)
            for answer in one.answers:
                call.answer.learn(answer)

    def _find(self, method: str, path: str) -> Call | None:
        found = [one for one in self._calls.values() if one.method == method and one.pattern.fullmatch(path)]
        return min(found, key=lambda one: one.name.count("{}"), default=None)

    def operation(self, method: str, path: str, body: bytes = b"") -> str:
        """See Description."""
        call = self._find(method, path)
        return call.name if call else ""

    def request_faults(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        call = self._find(method, path)
        if call is None:
            return [f"{method} {path}: no example shows such a call"]
        faults = [f"the query parameter {name!r} is in no example" for name, _ in query if name not in call.query]
        if body:
            told = json.loads(body)
            if told != {} and not call.body.kinds:
                faults.append("no example shows a body")
            faults += call.body.faults(told, is_request=True)
        elif call.body.kinds:
            faults.append("all examples show a body")
        return [f"{call.name}: {fault}" for fault in faults]

    def answer_faults(
        self, method: str, path: str, request_body: bytes, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        call = self._find(method, path)
        if call is None:
            return []  # the request is the fault
        shape = self._error if status >= 400 else call.answer
        return [f"{call.name}, answer {status}: {fault}" for fault in shape.faults(json.loads(body), is_request=False)]


def example(method: str, url: str, body: Any = None, answer: Any = None) -> Example:
    """A documented call from its full address, in which `shp_...` and the like are names."""
    parts = urlsplit(url)
    path = re.sub(r"/[a-z]+_(\.{3}|[0-9a-f]{8,})", "/{}", parts.path)
    query = tuple(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return Example(
        method, path, query, () if body is None else (body,), () if answer is None else (answer,)
    )  # fmt: skip
