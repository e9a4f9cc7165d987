"""Descriptions read out of a client library that the platform generated from its own files (OpenAPI Generator, Python):
the API classes say which calls there are, the models parse the bodies.

Every body has to be one that the library's model takes: each required field there, each value of a list of words among
them, each field of the kind that the model names, and no field that it does not know. A model's own checks are asked by
making one of each object.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.connectors.descriptions.judge import header, shown

CALL = re.compile(r'call_api\(\s*"([^"]+)",\s*"([A-Z]+)"')
QUERY = re.compile(r'query_params\.append\(\("([^"]+)"')
FORM = re.compile(r'form_params\.append\(\("([^"]+)"')
BODY = re.compile(r'body_params = local_var_params\["(\w+)"\]')
KEYS = re.compile(r"auth_settings = \[([^\]]*)\]")
ANSWER = re.compile(r'(\d{3}): "([^"]+)"')
PLAIN: Mapping[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "bool": bool, "float": (int, float), "object": object,
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call of the library. `body` names the model of its body ("" for none), `answers` those of its answers."""

    name: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    form: frozenset[str]
    body: str
    answers: Mapping[int, str]
    models: ModuleType
    settings: Any


class ClientLibrary:
    """A Description of all calls in these packages of a library; `keys` names the query parameter that each way of
    being let in puts on a call, where it is no header. An answer from 400 on has to be the model `error`."""

    def __init__(self, packages: Sequence[str], *, keys: Mapping[str, str], error: str = "Error") -> None:
        self._error = error
        found = [call for package in packages for call in _calls(package, keys)]
        # A path that is spelled out wins over one with a name in the same place.
        self._all = sorted(found, key=lambda call: call.pattern.groups)

    def _find(self, method: str, path: str) -> Call | None:
        return next((call for call in self._all if call.method == method and call.pattern.fullmatch(path)), None)

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
            return [f"{method} {path}: the library has no such call"]
        faults = [
            f"the query parameter {name!r} is none of the library's" for name, _ in query if name not in call.query
        ]
        if call.form:
            told = {name for name, _ in parse_qsl(body.decode(), keep_blank_values=True)}
            faults += [f"the form field {name!r} is none of the library's" for name in sorted(told - call.form)]
        elif call.body and not body:
            faults.append("the body is missing")
        elif body and not call.body:
            faults.append("the library sends no body")
        elif body:
            faults += _faults(call, call.body, _read(body), is_request=True)
        return [f"{call.name}: {fault}" for fault in faults]

    def answer_faults(
        self, method: str, path: str, request_body: bytes, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """See Description."""
        call = self._find(method, path)
        if call is None:
            return []  # the request is the fault
        model = self._error if status >= 400 else call.answers.get(status, "")
        if not model:
            return [f"{call.name}, answer {status}: the library expects no body"] if body else []
        kind = header(headers, "content-type") or ""
        faults = [] if "json" in kind else [f"the content type is {kind or 'missing'}, not JSON"]
        faults += _faults(call, model, _read(body), is_request=False)
        return [f"{call.name}, answer {status}: {fault}" for fault in faults]


@cache
def client_library(package: str, *parts: str, **keys: str) -> ClientLibrary:
    """The calls in these parts of an installed library; skips the test, saying why, where it is not installed."""
    pytest.importorskip(package, reason=f"NOT CHECKED against the client library {package}: it is not installed")
    return ClientLibrary([f"{package}.{part}" for part in parts], keys=keys)


def _calls(package: str, keys: Mapping[str, str]) -> Iterator[Call]:
    models = importlib.import_module(f"{package}.models")
    settings = importlib.import_module(f"{package}.configuration").Configuration()
    settings.client_side_validation = True  # the models' own checks, which libraries may turn off
    folder = importlib.import_module(f"{package}.api")
    for module in pkgutil.iter_modules(folder.__path__):
        loaded = importlib.import_module(f"{folder.__name__}.{module.name}")
        for kind in vars(loaded).values():
            if inspect.isclass(kind) and kind.__module__ == loaded.__name__:
                for name, method in inspect.getmembers(kind, inspect.isfunction):
                    if name.endswith("_with_http_info"):
                        yield _call(inspect.getsource(method), models, settings, keys)


def _call(source: str, models: ModuleType, settings: Any, keys: Mapping[str, str]) -> Call:
    """What a method of the library sends, read from its text."""
    sent = CALL.search(source)
    assert sent is not None, source[:80]
    path, method = sent.groups()
    body = BODY.search(source)
    model = re.search(rf":type {body[1]}: ([\w\[\], ]+)", source) if body else None
    ways = KEYS.search(source)
    given = {keys[way] for way in keys if ways and f'"{way}"' in ways[1]}
    answers = {int(status): kind for status, kind in ANSWER.findall(source)}
    pattern = re.compile("([^/]+)".join(map(re.escape, re.split(r"\{\w+\}", path))))
    return Call(
        f"{method} {path}", method, pattern, frozenset(QUERY.findall(source)) | given, frozenset(FORM.findall(source)),
        model[1].strip() if model else "", answers, models, settings,
    )  # fmt: skip


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body  # of no kind that a model has


def _faults(call: Call, kind: str, value: Any, *, is_request: bool, where: str = "") -> Iterator[str]:
    """What in a value the library's models do not take."""
    here = where or "the whole"
    if value is None and not is_request and where:
        return  # what has no value is told as null, or left out
    if kind.startswith("list["):
        if not isinstance(value, list):
            yield f"{here} is {shown(value)}, not a list"
            return
        for index, part in enumerate(value):
            yield from _faults(call, kind[5:-1], part, is_request=is_request, where=f"{where}[{index}]")
    elif kind.startswith("dict["):
        if not isinstance(value, dict):
            yield f"{here} is {shown(value)}, not an object"
            return
        inner = kind[5:-1].partition(", ")[2]
        for name, part in value.items():
            yield from _faults(call, inner, part, is_request=is_request, where=f"{where}.{name}")
    elif kind in ("datetime", "date"):
        if not _is_moment(value, kind):
            yield f"{here} is {shown(value)}, not a {kind}"
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind not in ("bool", "object")):
            yield f"{here} is {shown(value)}, not {kind}"
    else:
        yield from _object_faults(call, kind, value, is_request=is_request, where=where)


def _object_faults(call: Call, kind: str, value: Any, *, is_request: bool, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where or 'the whole'} is {shown(value)}, not a {kind}"
        return
    model = getattr(call.models, kind)
    named = {told: name for name, told in model.attribute_map.items()}
    for told, part in value.items():
        if told not in named:
            yield f"{where}.{told} is no field of {kind}"
        else:
            inner = model.openapi_types[named[told]]
            yield from _faults(call, inner, part, is_request=is_request, where=f"{where}.{told}")
    try:
        told_fields = {named[told]: part for told, part in value.items() if told in named}
        model(**told_fields, local_vars_configuration=call.settings)
    except (ValueError, TypeError) as error:
        yield f"{where or 'the whole'}: {kind} says {error}"


def _is_moment(value: Any, kind: str) -> bool:
    try:
        return bool(date.fromisoformat(value)) if kind == "date" else datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
