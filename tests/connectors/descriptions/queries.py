"""Descriptions in GraphQL: one address, and documents that say what they want."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_ast_schema,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution import get_variable_values

from tests.connectors.descriptions.completion import Completion
from tests.connectors.descriptions.judge import header, shown, vendor_apis
from tests.connectors.descriptions.scalars import SCALARS, text_only

ENDPOINT = r"/.*graphql\.json"


def graphql(folder: str, file: str, *, endpoint: str = ENDPOINT) -> Queries:
    """The description in the SDL `file` of `folder` in FINALMARKET_VENDOR_APIS, built once per process. `endpoint` is
    the one path (a regular expression) at which documents are taken."""
    return Queries(_schema(vendor_apis() / folder / file), endpoint)


@cache
def _schema(path: Path) -> GraphQLSchema:
    schema = build_ast_schema(parse(path.read_text(), no_location=True), assume_valid=True, assume_valid_sdl=True)
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLScalarType) and name not in ("Int", "Float", "String", "Boolean", "ID"):
            for reads in ("parse_value", "coerce_input_value"):  # graphql-core 3.2, and from 3.3 on
                setattr(kind, reads, SCALARS.get(name, text_only))
    return schema


@dataclass(frozen=True)
class Asked:
    """A request, read."""

    text: str
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]


class Unreadable(Exception):
    """The request is none; the sentences say why."""


class Queries:
    """A Description of one GraphQL schema."""

    def __init__(self, schema: GraphQLSchema, endpoint: str) -> None:
        self.schema = schema
        self._endpoint = re.compile(endpoint)

    def operation(self, method: str, path: str, body: bytes = b"") -> str:
        """See Description: `query orders`, `mutation refundCreate`: the kind and its first fields."""
        try:
            asked = self._read(body)
        except Unreadable:
            return ""
        fields = [node.name.value for node in asked.operation.selection_set.selections if hasattr(node, "name")]
        return f"{asked.operation.operation.value} {' '.join(fields)}"

    def request_faults(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        if method != "POST" or not self._endpoint.fullmatch(path):
            return [f"{method} {path}: documents are taken by POST at {self._endpoint.pattern} only"]
        faults = [f"the query parameter {name!r} is not described" for name, _ in query]
        kind = (header(headers, "content-type") or "").partition(";")[0].strip()
        if kind != "application/json":
            faults.append(f"the content type is {kind or 'missing'}, not application/json")
        try:
            asked = self._read(body)
        except Unreadable as error:
            return [*faults, *error.args]
        wrong = _wrong(self.schema, asked.text)
        if not wrong:
            given = json.loads(body).get("variables") or {}
            wrong = self._variable_faults(asked, given)
            declared = {one.variable.name.value for one in asked.operation.variable_definitions or ()}
            faults += [f"the variable ${name} is given, but not declared" for name in given if name not in declared]
        return [*faults, *(f"{self.operation(method, path, body)}: {error.message}" for error in wrong)]

    def _variable_faults(self, asked: Asked, given: dict[str, Any]) -> list[GraphQLError]:
        values = get_variable_values(self.schema, asked.operation.variable_definitions or (), given)
        return list(values) if isinstance(values, list) else []

    def answer_faults(
        self, method: str, path: str, request_body: bytes, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        try:
            asked = self._read(request_body)
        except Unreadable:
            return []  # the request is the fault
        name = self.operation(method, path, request_body)
        try:
            answer = json.loads(body)
        except ValueError:
            return [f"{name}, answer {status}: the body is not JSON: {shown(body[:60])}"]
        if status != 200:  # refused before GraphQL: the schema does not speak of these
            return [] if status >= 400 else [f"{name}: an answer with status {status} is not described"]
        return [f"{name}, answer: {sentence}" for sentence in self._whole_faults(asked, answer)]

    def _whole_faults(self, asked: Asked, answer: Any) -> list[str]:
        if not isinstance(answer, dict):
            return ["it is no object"]
        faults = [
            f"the field {key!r} is not described" for key in answer if key not in ("data", "errors", "extensions")
        ]
        errors = answer.get("errors", [])
        if not isinstance(errors, list) or ("errors" in answer and not errors):
            return [*faults, "`errors` is to be a list that holds something, or to be missing"]
        faults += [
            f"{shown(error)} is no error: it has no message"
            for error in errors
            if not isinstance(error, dict) or not isinstance(error.get("message"), str)
        ]
        data = answer.get("data")
        if data is None:
            return faults if errors else [*faults, "there is neither data nor an error"]
        root = self.schema.get_root_type(asked.operation.operation)
        assert root is not None
        completion = Completion(self.schema, asked.document, asked.variables)
        completion.check_object(root, [asked.operation.selection_set], data, "data")
        return faults + completion.faults

    def _read(self, body: bytes) -> Asked:
        try:
            sent = json.loads(body)
        except ValueError:
            raise Unreadable("the body is not JSON") from None
        if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
            raise Unreadable("the body has no `query`")
        surplus = sorted(set(sent) - {"query", "variables", "operationName"})
        if surplus:
            raise Unreadable(f"the body has fields that GraphQL does not know: {', '.join(surplus)}")
        try:
            document = _parsed(sent["query"])
        except GraphQLError as error:
            raise Unreadable(f"the document cannot be read: {error.message}") from None
        operation = get_operation_ast(document, sent.get("operationName"))
        if operation is None:
            raise Unreadable("the document holds no single operation, and none is named")
        return Asked(sent["query"], document, operation, dict(sent.get("variables") or {}))


@cache
def _parsed(text: str) -> DocumentNode:
    return parse(text)


@cache
def _wrong(schema: GraphQLSchema, text: str) -> list[GraphQLError]:
    """What is wrong with a document, whatever its variables: a connector has but few, and asks them often."""
    return validate(schema, _parsed(text))
