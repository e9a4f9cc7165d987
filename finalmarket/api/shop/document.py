"""The description of the shopper's API (OpenAPI 3.1): what Ninja reads from the declarations, and what is the same for
every call added once."""

from __future__ import annotations

from typing import Any

from finalmarket.api.document import REF
from finalmarket.api.problems import KINDS, MEDIA_TYPE, ProblemBody
from finalmarket.api.shop.door import DEVICE, VISITOR

ABOUT = f"""\
For pages, apps and kiosks of one sales channel. Every call names a publishable key in `X-Shop-Key`: it is no secret,
and allows what a shopper may do. Who signed in by a mailed code is shown by `Authorization: Bearer st_...`; a kiosk
shows the token of its device in `{DEVICE}`. A cart and an order are known by tokens that cannot be guessed. What goes
wrong is told as problem details (RFC 9457) that say what, where, and what to do.
"""
OF_EVERY_CALL = ("not-let-in", "not-allowed", "invalid", "too-fast", "broken", "away")
OF_WRITES = ("unreadable", "too-large", "media-type", "refused")
OF_WRITES_ONCE = ("no-idempotency-key", "under-way", "other-call")


def enrich(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the description what all calls have in common; changes and returns it."""
    parts = document["components"]
    schema = ProblemBody.model_json_schema(ref_template=REF)
    parts["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
    parts["securitySchemes"] = {
        "ShopKey": {"type": "apiKey", "in": "header", "name": "X-Shop-Key", "description": "A publishable key"},
        "Session": {"type": "http", "scheme": "bearer", "description": "Of a shopper who signed in"},
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _describe(path, operation, operation.pop("x-told"))
    return document


def _describe(path: str, operation: dict[str, Any], told: dict[str, Any]) -> None:
    operation["security"] = [{"ShopKey": []}, {"ShopKey": [], "Session": []}]
    for answer in operation["responses"].values():
        for content in answer.get("content", {}).values():
            content["example"] = told["example"]
    if "requestBody" in operation:
        operation["requestBody"]["content"]["application/json"]["example"] = told["body"]
    operation["parameters"] += [
        _header(DEVICE, "The token of a paired kiosk, where the key is for devices"),
        _header(VISITOR, "The id by which the tracking client of the page knows its visitor"),
    ]
    if told.get("once"):
        about = "A value of your own for this one call, a UUID say; the same again when you repeat it"
        operation["parameters"].append(_header("Idempotency-Key", about, is_required=told["once"] == "must"))
    kinds = [*OF_EVERY_CALL, *(["not-found"] if "{" in path else [])]
    if any(one["name"] == "cursor" for one in operation["parameters"]):
        kinds.append("cursor")
    if told.get("writes"):
        kinds += [*OF_WRITES, *(OF_WRITES_ONCE if told["once"] else ())]
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    for status, names in sorted(by_status.items()):
        content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}
        about = "; ".join(KINDS[name].title for name in names)
        operation["responses"][status] = {"description": about, "content": content}


def _header(name: str, about: str, *, is_required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    return {"in": "header", "name": name, "required": is_required, "description": about, "schema": schema}
