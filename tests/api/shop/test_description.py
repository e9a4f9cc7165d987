"""The description of the shopper's API says what it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.shop.conftest import Shops


@pytest.fixture
def document(shops: Shops) -> Any:
    """The description as it is served; no key is needed to read it."""
    return json.loads(Client().get("/api/shop/v1/openapi.json").content)


def test_the_description_is_valid_and_whole(document: Any) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["components"]["securitySchemes"]) == {"ShopKey", "Session"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"] and operation["security"], where
            assert {"401", "403", "429"} <= operation["responses"].keys(), where
            if "requestBody" in operation:
                assert operation["requestBody"]["content"]["application/json"]["example"], where


def test_examples_fit_what_they_are_examples_of(document: Any) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry: Registry[Any] = Registry().with_resource("urn:doc", DRAFT202012.create_resource(document))
    looked_at = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            contents = [one.get("content", {}) for status, one in operation["responses"].items() if status < "3"]
            contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
            for content in contents:
                for media in content.values():
                    if "$ref" not in media["schema"]:
                        continue
                    schema = {"$ref": f"urn:doc{media['schema']['$ref']}"}
                    Draft202012Validator(schema, registry=registry).validate(media["example"])
                    looked_at += 1
    assert looked_at > 25
