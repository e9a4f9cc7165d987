"""The description of the API is valid OpenAPI 3.1, whole, and its examples are what it says."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from finalmarket.api import v1
from tests.api.conftest import House

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def described(house: House) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client().get("/api/v1/openapi.json").content)
    return found


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def bodies(operation: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Schemas with their examples."""
    places = [*operation["responses"].values(), *([operation["requestBody"]] if "requestBody" in operation else [])]
    found = []
    for content in (content for place in places for content in place.get("content", {}).values()):
        examples = [one["value"] for one in content.get("examples", {}).values()]
        found += [
            (content["schema"], example)
            for example in (*examples, *([content["example"]] if "example" in content else []))
        ]
    return found


def test_it_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    errors = [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()]
    assert errors == []


def test_every_call_has_a_name_of_its_own_a_sentence_a_scope_and_a_key(described: dict[str, Any]) -> None:
    found = operations(described)
    assert len({one["operationId"] for one in found.values()}) == len(found)
    assert all(one["summary"] and one["description"] and one["x-scope"] for one in found.values())
    assert all(one["security"] == [{"ApiKey": []}] for one in found.values())
    assert described["components"]["securitySchemes"]["ApiKey"] == {"type": "http", "scheme": "bearer"}


def test_every_call_has_examples_that_fit_its_own_schemas(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        for status, answer in operation["responses"].items():
            if status not in ("204", "304"):
                assert answer["content"], (name, status)
        for schema, example in bodies(operation):
            whole = {**schema, "components": described["components"]}
            errors = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
            assert errors == [], (name, example)
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"], name


def test_every_call_says_how_it_may_go_wrong(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        wanted = {"401", "403", "422", "429", "500", "503"}
        wanted |= {"404"} if "{" in name else set()
        wanted |= set() if name.startswith("GET") else {"400", "409", "413", "415"}
        assert wanted <= operation["responses"].keys(), name
        for status in wanted:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], (name, status)


def test_every_write_asks_for_an_idempotency_key(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        required = {one["name"] for one in operation["parameters"] if one["in"] == "header" and one["required"]}
        assert required == (set() if name.startswith("GET") else {"Idempotency-Key"}), name


def test_what_is_said_to_us_has_no_room_for_unknown_fields(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            schema = described["components"]["schemas"][reference.rpartition("/")[2]]
            assert schema["additionalProperties"] is False, name


def test_the_page_to_read_and_try_it_loads_nothing_from_outside(house: House) -> None:
    page = Client().get("/api/v1/docs").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    assert all(re.match(r"/static/", one) for one in loaded), loaded
    for one in loaded:
        assert Client().get(one).status_code == 200, one


def test_no_two_shapes_share_a_name_for_the_later_would_hide_the_other() -> None:
    named: dict[str, set[str]] = {}
    for found in pkgutil.iter_modules(v1.__path__):
        module = importlib.import_module(f"{v1.__name__}.{found.name}")
        for shape in vars(module).values():
            if isinstance(shape, type) and issubclass(shape, BaseModel) and shape.__module__.startswith("finalmarket."):
                named.setdefault(shape.__name__, set()).add(shape.__module__)
    assert {name: places for name, places in named.items() if len(places) > 1} == {}
