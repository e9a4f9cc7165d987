"""Descriptions in OpenAPI 3 and Swagger 2: paths, methods, parameters, bodies, statuses."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.encodings import Pairs, coerced, nested, parameter
from tests.connectors.descriptions.files import read_description
from tests.connectors.descriptions.judge import header, shown, vendor_apis

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def openapi(
    folder: str,
    *files: str,
    overrides: Mapping[str, Any] | None = None,
    undescribed_errors: Mapping[str, Any] | None = None,
    beside: Sequence[dict[str, Any]] = (),
) -> Resources:
    """The description in these JSON files of `folder` in FINALMARKET_VENDOR_APIS, read once per process.

    `overrides` puts values at JSON pointers of the files (`"#/components/schemas/Order/properties/state/enum"`), for
    places where a description is known to be wrong. `undescribed_errors` is the schema of answers from 400 on with a
    status that an operation does not describe; without it such an answer is a fault. `beside` are documents of our own
    for calls that the files leave out, written after the platform's prose.
    """
    documents = [_document(vendor_apis() / folder / file) for file in files]
    if overrides:
        documents = _overridden(documents, overrides)
    return Resources([*documents, *map(Document, beside)], undescribed_errors)


@cache
def _document(path: Path) -> Document:
    return Document(read_description(path))


def _overridden(documents: Sequence[Document], overrides: Mapping[str, Any]) -> list[Document]:
    changed = [Document(copy.deepcopy(document.contents)) for document in documents]
    for pointer, value in overrides.items():
        place, _, last = pointer.rpartition("/")
        hits = 0
        for document in changed:
            try:
                document.look_up(place)[last.replace("~1", "/").replace("~0", "~")] = value
                hits += 1
            except (LookupError, TypeError):
                continue
        assert hits, f"the override {pointer} is at home in none of the files"
    return changed


@dataclass(frozen=True)
class Operation:
    """One described operation."""

    name: str
    method: str
    pattern: re.Pattern[str]
    told: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]
    document: Document


class Resources:
    """A Description of paths and methods."""

    def __init__(self, documents: Sequence[Document], undescribed_errors: Mapping[str, Any] | None) -> None:
        self._errors = undescribed_errors
        self._documents = documents
        found = [operation for document in documents for operation in _operations(document)]
        # A path that is spelled out wins over one with a variable in the same place.
        self.operations = sorted(found, key=lambda operation: operation.pattern.groups)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request, and the values in its path."""
        for operation in self.operations:
            match = operation.pattern.fullmatch(path) if operation.method == method else None
            if match is not None:
                names = [part["name"] for part in operation.parameters if part["in"] == "path"]
                order = re.findall(r"\{([^{}]+)\}", operation.name)
                return operation, {
                    name: unquote(value) for name, value in zip(order, match.groups(), strict=True) if name in names
                }
        return None

    def operation(self, method: str, path: str, body: bytes = b"") -> str:
        """See Description."""
        found = self.find(method, path)
        return found[0].name if found else ""

    def request_faults(
        self, method: str, path: str, query: Pairs, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        found = self.find(method, path)
        if found is None:
            return [f"{method} {path}: no such operation is described"]
        operation, in_path = found
        sentences = [
            *_path_faults(operation, in_path),
            *_query_faults(operation, query),
            *_header_faults(operation, headers),
            *_body_faults(operation, headers, body),
        ]
        return [f"{operation.name}: {sentence}" for sentence in sentences]

    def answer_faults(
        self, method: str, path: str, request_body: bytes, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        found = self.find(method, path)
        if found is None:
            return []  # the request is the fault
        operation = found[0]
        told = _told_answer(operation, status)
        if told is None and status >= 400 and self._errors is not None:
            told = {"schema": self._errors}
        if told is None:
            return [f"{operation.name}: an answer with status {status} is not described"]
        schema = _answer_schema(told)
        sentences = [] if schema is None else _answer_body_faults(operation, schema, headers, body)
        return [f"{operation.name}, answer {status}: {sentence}" for sentence in sentences]


def _operations(document: Document) -> Iterator[Operation]:
    contents = document.contents
    root = contents.get("basePath") or urlsplit(_address((contents.get("servers") or [{"url": ""}])[0])).path
    for template, item in contents["paths"].items():
        whole = root.rstrip("/") + template
        pattern = re.compile("".join(map(_pattern_of, re.split(r"('?\{[^{}]+\}'?)", whole))))
        for method in METHODS:
            if method in item:
                told = item[method]
                listed = [document.resolved(one) for one in [*item.get("parameters", ()), *told.get("parameters", ())]]
                by_name = {(one["in"], one["name"]): one for one in listed}
                yield Operation(
                    f"{method.upper()} {whole}", method.upper(), pattern, told, tuple(by_name.values()), document
                )


def _address(server: Mapping[str, Any]) -> str:
    """The address of a server, its variables filled with their defaults."""
    address = str(server["url"])
    for name, variable in (server.get("variables") or {}).items():
        address = address.replace(f"{{{name}}}", str(variable["default"]))
    return address


def _pattern_of(piece: str) -> str:
    """A piece of a path as an expression; a variable in quotes (OData's keys) may be empty, others may not."""
    if piece.startswith("'{") and piece.endswith("}'"):
        return "'([^/]*)'"
    variable = re.search(r"\{[^{}]+\}", piece)
    if variable is None:
        return re.escape(piece)
    return f"{re.escape(piece[: variable.start()])}([^/]+){re.escape(piece[variable.end() :])}"


def _value_faults(operation: Operation, told: Mapping[str, Any], pairs: Pairs) -> list[str]:
    where = f"{told['in']} parameter {told['name']!r} "
    try:
        value = parameter(operation.document, told, pairs)
    except ValueError as error:
        return [f"{told['in']} parameter {error}"]
    schema = told.get("schema")
    if schema is None:  # Swagger 2 writes the schema into the parameter itself, beside words that are none
        schema = {key: part for key, part in told.items() if key not in ("name", "in", "required", "description")}
    return operation.document.faults(schema, value, is_request=True, where=where)


def _path_faults(operation: Operation, given: Mapping[str, str]) -> Iterator[str]:
    for told in operation.parameters:
        if told["in"] == "path" and told["name"] in given:
            yield from _value_faults(operation, told, [(told["name"], given[told["name"]])])


def _query_faults(operation: Operation, query: Pairs) -> Iterator[str]:
    told = {one["name"]: one for one in operation.parameters if one["in"] == "query"}
    carried: dict[str, list[tuple[str, str]]] = {}
    for name, value in query:
        root = name if name in told else name.partition("[")[0]
        if root in told:
            carried.setdefault(root, []).append((name, value))
        else:
            yield f"the query parameter {name!r} is not described"
    for name, one in told.items():
        if name in carried:
            yield from _value_faults(operation, one, carried[name])
        elif one.get("required"):
            yield f"the required query parameter {name!r} is missing"


def _header_faults(operation: Operation, headers: Mapping[str, str]) -> Iterator[str]:
    for one in operation.parameters:
        if one["in"] != "header" or one["name"].lower() in ("accept", "content-type", "authorization"):
            continue
        value = header(headers, one["name"])
        if value is not None:
            yield from _value_faults(operation, one, [(one["name"], value)])
        elif one.get("required"):
            yield f"the required header {one['name']!r} is missing"


def _body_faults(operation: Operation, headers: Mapping[str, str], body: bytes) -> list[str]:
    schemas, is_required = _request_schemas(operation)
    if not body:
        return ["the required body is missing"] if is_required else []
    kind = (header(headers, "content-type") or "").partition(";")[0].strip().lower()
    if not schemas:
        return [f"no body is described, but one of {len(body)} bytes is sent"]
    if kind not in schemas:
        return [f"a body of {kind or 'no content type'} is not described, only {', '.join(schemas)}"]
    document, schema = operation.document, schemas[kind]
    try:
        if kind == FORM:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
            value = coerced(document, schema, nested(pairs))
        elif kind == JSON or kind.endswith("+json"):
            value = json.loads(body)
        else:
            return []  # parts and files carry no schema that could judge them
    except ValueError as error:
        return [f"the body cannot be read: {error}"]
    return document.faults(schema, value, is_request=True, where="body, ")


def _request_schemas(operation: Operation) -> tuple[dict[str, Any], bool]:
    """The schemas of a request's body by content type, and whether there has to be one."""
    told = operation.document.resolved(operation.told.get("requestBody"))
    if told is not None:
        return {kind.partition(";")[0].lower(): part.get("schema", {}) for kind, part in told["content"].items()}, bool(
            told.get("required")
        )
    fields = [one for one in operation.parameters if one["in"] == "formData"]
    if fields:
        needed = [one["name"] for one in fields if one.get("required")]
        schema = {
            "type": "object", "properties": {one["name"]: {"type": one["type"]} for one in fields}, "required": needed,
        }  # fmt: skip
        return {FORM: schema}, bool(needed)
    whole = next((one for one in operation.parameters if one["in"] == "body"), None)
    if whole is None:
        return {}, False
    kinds = operation.told.get("consumes") or operation.document.contents.get("consumes") or [JSON]
    return {kind.lower(): whole.get("schema", {}) for kind in kinds}, bool(whole.get("required"))


def _told_answer(operation: Operation, status: int) -> Mapping[str, Any] | None:
    answers = operation.told["responses"]
    found = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
    return None if found is None else dict(operation.document.resolved(found))


def _answer_schema(told: Mapping[str, Any]) -> Any:
    if "schema" in told:
        return told["schema"]
    described = [part for kind, part in told.get("content", {}).items() if "json" in kind or kind == "*/*"]
    return described[0].get("schema") if described else None


def _answer_body_faults(operation: Operation, schema: Any, headers: Mapping[str, str], body: bytes) -> list[str]:
    if operation.method == "HEAD":
        return []
    kind = header(headers, "content-type") or ""
    if "json" not in kind:
        return [f"the content type is {kind or 'missing'}, not JSON"]
    try:
        value = json.loads(body)
    except ValueError:
        return [f"the body is not JSON: {shown(body[:60])}"]
    return operation.document.faults(schema, value, is_request=False, where="")
