"""Descriptions in Google's own form, discovery documents, turned into OpenAPI for the judge of paths and methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALARS = ("type", "format", "enum", "pattern", "description", "readOnly", "additionalProperties")


def openapi_of(contents: Mapping[str, Any]) -> dict[str, Any]:
    """The methods and schemas of a discovery document (https://developers.google.com/discovery)."""
    paths: dict[str, dict[str, Any]] = {}
    common = contents.get("parameters", {})
    for method in _methods(contents):
        told = [_parameter(name, one) for name, one in {**common, **method.get("parameters", {})}.items()]
        path = f"/{method.get('flatPath') or method['path']}"
        operation: dict[str, Any] = {
            "operationId": method["id"], "parameters": [one for one in told if one["in"] == "query"],
            "responses": {"200": _body(method.get("response"))},
        }  # fmt: skip
        if "request" in method:
            operation["requestBody"] = {**_body(method["request"]), "required": True}
        paths.setdefault(path, {})[method["httpMethod"].lower()] = operation
    schemas = {name: _schema(schema) for name, schema in contents["schemas"].items()}
    return {
        "openapi": "3.0.3", "servers": [{"url": contents["rootUrl"].rstrip("/") + "/" + contents["servicePath"]}],
        "paths": paths, "components": {"schemas": schemas},
    }  # fmt: skip


def _methods(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = list(node.get("methods", {}).values())
    for resource in node.get("resources", {}).values():
        found += _methods(resource)
    return found


def _parameter(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    schema = {key: told[key] for key in ("type", "format", "enum", "pattern") if key in told}
    return {
        "name": name,
        "in": told.get("location", "query"),
        "required": told.get("required", False),
        "schema": schema,
    }


def _body(told: Mapping[str, Any] | None) -> dict[str, Any]:
    schema = _schema(told or {})
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _schema(told: Mapping[str, Any]) -> dict[str, Any]:
    """A schema: references are names of others, `any` is no kind, 64-bit numbers travel as text."""
    if "$ref" in told:
        return {"$ref": f"#/components/schemas/{told['$ref']}"}
    made = {key: told[key] for key in SCALARS if key in told and told[key] != "any"}
    if isinstance(told.get("additionalProperties"), dict):
        made["additionalProperties"] = _schema(told["additionalProperties"])
    if "properties" in told:
        made["properties"] = {name: _schema(part) for name, part in told["properties"].items()}
    if "items" in told:
        made["items"] = _schema(told["items"])
    return made
