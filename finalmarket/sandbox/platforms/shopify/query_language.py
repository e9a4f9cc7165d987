"""As much of GraphQL as a stand-in needs: it reads a document, works its arguments out, and answers with the fields
that were selected and no others. No schema: what an object has is what may be asked of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKENS = re.compile(
    r"(?P<skip>[\s,]+|#[^\n]*)|(?P<dots>\.\.\.)|(?P<sign>[!$()\[\]{}:=@|])|(?P<name>[A-Za-z_]\w*)"
    r'|(?P<number>-?\d+(\.\d+)?([eE][+-]?\d+)?)|(?P<text>"(?:[^"\\\n]|\\.)*")'
)


class QueryFault(Exception):
    """The document or its variables are wrong; `code` is the word for it in the answer's `errors`."""

    def __init__(self, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name` within an argument."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is asked for; also a fragment: then `on` is its type (or "") and `name` is ""."""

    name: str
    alias: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    directives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    selections: tuple[Field, ...] = ()
    on: str = ""
    spread: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable of an operation: whether it must be given, and what it is otherwise."""

    is_required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A query or mutation."""

    kind: str
    name: str
    variables: Mapping[str, Declared]
    selections: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What was sent."""

    operations: Mapping[str, Operation]
    fragments: Mapping[str, Field]

    def operation(self, name: str | None) -> Operation:
        """The operation of that name, or the only one. Raises QueryFault."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None or name not in self.operations:
            raise QueryFault(f"No operation named {json.dumps(name)}")
        return self.operations[name]


def read_document(text: str) -> Document:
    """Read a document. Raises QueryFault where it is none."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0

    def document(self) -> Document:
        operations: dict[str, Operation] = {}
        fragments: dict[str, Field] = {}
        while self._peek()[0] != "end":
            word = "query" if self._peek()[1] == "{" else self._name()
            if word == "fragment":
                name = self._name()
                self._expect("on")
                fragments[name] = Field("", on=self._name(), selections=self._selections())
            elif word in ("query", "mutation"):
                operation = self._operation(word)
                operations[operation.name] = operation
            else:
                raise QueryFault(f"syntax error, unexpected {word}")
        return Document(operations, fragments)

    def _operation(self, kind: str) -> Operation:
        name = self._name() if self._peek()[0] == "name" else ""
        variables = {}
        if self._take("("):
            while not self._take(")"):
                self._expect("$")
                variable = self._name()
                self._expect(":")
                is_required = self._type()
                default = self._value() if self._take("=") else None
                variables[variable] = Declared(is_required and default is None, default)
        return Operation(kind, name, variables, self._selections())

    def _type(self) -> bool:
        """Pass over a type; whether null is no value of it."""
        if self._take("["):
            self._type()
            self._expect("]")
        else:
            self._name()
        return self._take("!")

    def _selections(self) -> tuple[Field, ...]:
        self._expect("{")
        found = []
        while not self._take("}"):
            found.append(self._selection())
        return tuple(found)

    def _selection(self) -> Field:
        if self._take("..."):
            if self._peek()[1] == "on":
                self._name()
                return Field("", on=self._name(), selections=self._selections())
            if self._peek()[0] == "name":
                return Field("", spread=self._name())
            return Field("", selections=self._selections())
        name = alias = self._name()
        if self._take(":"):
            name = self._name()
        arguments = self._arguments()
        directives = {}
        while self._take("@"):
            directive = self._name()
            directives[directive] = self._arguments()
        selections = self._selections() if self._peek()[1] == "{" else ()
        return Field(name, alias, arguments, directives, selections)

    def _arguments(self) -> dict[str, Any]:
        found = {}
        if self._take("("):
            while not self._take(")"):
                name = self._name()
                self._expect(":")
                found[name] = self._value()
        return found

    def _value(self) -> Any:
        kind, text = self._next()
        if text == "$":
            return Variable(self._name())
        if text == "[":
            items = []
            while not self._take("]"):
                items.append(self._value())
            return items
        if text == "{":
            members = {}
            while not self._take("}"):
                name = self._name()
                self._expect(":")
                members[name] = self._value()
            return members
        if kind == "number":
            return float(text) if re.search(r"[.eE]", text) else int(text)
        if kind == "text":
            return json.loads(text)
        if kind == "name":
            return {"true": True, "false": False, "null": None}.get(text, text)
        raise QueryFault(f"syntax error, unexpected {text or 'end of file'}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ("end", "")

    def _take(self, text: str) -> bool:
        kind, found = self._peek()
        if found == text and kind != "text":
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise QueryFault(f"syntax error, unexpected {self._peek()[1] or 'end of file'}, expecting {text}")

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise QueryFault(f"syntax error, unexpected {text or 'end of file'}, expecting a name")
        return text


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise QueryFault(f"syntax error, unexpected {text[at]!r}")
        at = match.end()
        if match.lastgroup != "skip":
            kind = next(name for name in ("dots", "sign", "name", "number", "text") if match[name] is not None)
            yield kind, match[0]


def settle_variables(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an operation's variables. Raises QueryFault for one that is missing or not declared."""
    for name in given:
        if name not in operation.variables:
            raise QueryFault(f"Variable ${name} is not declared by {operation.name}", "INVALID_VARIABLE")
    values = {}
    for name, declared in operation.variables.items():
        value = given.get(name, declared.default)
        if value is None and declared.is_required:
            raise QueryFault(f"Variable ${name} was provided invalid value", "INVALID_VARIABLE")
        values[name] = value
    return values


def settle(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value of an argument with its variables put in."""
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, list):
        return [settle(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: settle(item, variables) for name, item in value.items()}
    return value


@dataclass
class Projector:
    """Picks out of objects what was selected. Members that can be called are given the field's arguments; `visited`
    hears the name of every field that leads to an object."""

    document: Document
    variables: Mapping[str, Any]
    visited: Callable[[str], None] = lambda name: None

    def fields(self, selections: tuple[Field, ...], typename: str | None) -> Iterator[Field]:
        """The fields of these selections for an object of that type, fragments opened up (None: of any type)."""
        for one in selections:
            inner = self.document.fragments.get(one.spread) if one.spread else one
            if inner is None:
                raise QueryFault(f"Fragment {one.spread} was used, but not defined", "undefinedFragment")
            if inner.name:
                yield inner
            elif typename is None or inner.on in ("", typename):
                yield from self.fields(inner.selections, typename)

    def arguments(self, asked: Field) -> dict[str, Any]:
        """The arguments of a field, worked out."""
        return {name: settle(value, self.variables) for name, value in asked.arguments.items()}

    def pick(self, value: Any, selections: tuple[Field, ...]) -> Any:
        """What was selected of a value. Raises QueryFault for a field that it does not have."""
        if isinstance(value, list):
            return [self.pick(item, selections) for item in value]
        if not isinstance(value, dict):
            return value
        picked: dict[str, Any] = {}
        for asked in self.fields(selections, value.get("__typename", "")):
            picked[asked.alias] = self._member(value, asked)
        return picked

    def _member(self, owner: Mapping[str, Any], asked: Field) -> Any:
        if asked.name not in owner:
            typename = owner.get("__typename", "an object")
            raise QueryFault(f"Field '{asked.name}' doesn't exist on type '{typename}'", "undefinedField")
        member = owner[asked.name]
        if callable(member):
            member = member(self.arguments(asked))
        return self.answer(member, asked)

    def answer(self, member: Any, asked: Field) -> Any:
        """What a field answers with: what was selected of it. Raises QueryFault for an object of which nothing is."""
        if not asked.selections:
            if isinstance(member, dict) and "__typename" in member:
                raise QueryFault(f"Field must have selections (field '{asked.name}' returns {member['__typename']})")
            return member
        if member is not None:
            for _ in member if isinstance(member, list) else [member]:
                self.visited(asked.name)
        return self.pick(member, asked.selections)
