"""The description of the API (OpenAPI 3.1): what Ninja reads from the declarations, and what is the same for every call
added once: the key, the errors, the headers, the examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ninja.openapi import schema as ninja_schema
from ninja.schema import NinjaGenerateJsonSchema
from pydantic_core import core_schema

from finalmarket.api.problems import KINDS, MEDIA_TYPE, URN, ProblemBody

DECIMAL = r"^[+-]?\d{1,20}(\.\d{1,12})?$"
REF = "#/components/schemas/{model}"
OF_EVERY_CALL = ("not-let-in", "not-allowed", "invalid", "too-fast", "broken", "away")
OF_WRITES = ("no-idempotency-key", "unreadable", "under-way", "too-large", "media-type", "refused", "other-call")
ABOUT = """\
Every call names an API key: `Authorization: Bearer fm_...`. Every write has an `Idempotency-Key` of yours: repeated
under it, a write is carried out once and answered the same for 48 hours. Lists come in pages: `next` of one is `cursor`
of the next. What goes wrong is told as problem details (RFC 9457) that say what, where, and what to do.
"""
FIELDS = {
    "in": "query", "name": "fields", "required": False, "schema": {"type": "string", "maxLength": 1000},
    "description": "Fields to be shown, with commas between: fields=id,name. Of a list, those of its items; else all",
}  # fmt: skip
RATE_HEADERS = {
    "RateLimit": "What the key has left: r calls, all of them again in t seconds",
    "RateLimit-Policy": "What the key may do: q calls in w seconds",
}


class WithAmounts(NinjaGenerateJsonSchema):
    """Pydantic's words for a shape, where what is a decimal number and no mere text says so."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        """A text of format `decimal`; what is said to us may be a number as well."""
        found: dict[str, Any] = super().decimal_schema(schema)
        texts = [one for one in found.get("anyOf", [found]) if one.get("type") == "string"]
        for text in texts:
            text |= {"format": "decimal"} | ({"pattern": DECIMAL} if self.mode == "validation" else {})
        return found


ninja_schema.NinjaGenerateJsonSchema = WithAmounts  # type: ignore[attr-defined]  # Ninja has no other place to say so


def enrich(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the description what all calls have in common; changes and returns it."""
    schema = ProblemBody.model_json_schema(ref_template=REF)
    document["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
    _describe_items(document["components"]["schemas"])
    for path, operation in _operations(document):
        told = operation.pop("x-told")
        _describe_answers(operation, told)
        if not told.get("writes"):
            _describe_parts(operation, document["components"]["schemas"])
        _describe_errors(path, operation, told)
        if told.get("writes"):
            _describe_write(operation, told)
    _describe_links(document)
    return document


def _describe_links(document: dict[str, Any]) -> None:
    """What is made can be named in the calls below the address where it was made."""
    for path, operation in _operations(document):
        made = operation["responses"].get(201)
        if made is None or "content" not in made:
            continue
        shown = document["components"]["schemas"][_model_of(made)]["properties"]
        links = {}
        for address, other in _operations(document):
            word, _, rest = address.removeprefix(f"{path}/{{").partition("}")
            if not address.startswith(f"{path}/{{") or "{" in rest:
                continue
            field = word if word in shown else "id"
            if field in shown:
                named = {word: f"$response.body#/{field}"}
                links[other["operationId"]] = {"operationId": other["operationId"], "parameters": named}
        if links:
            made["links"] = links


def _model_of(answer: dict[str, Any]) -> str:
    (content,) = answer["content"].values()
    return str(content["schema"]["$ref"].rpartition("/")[2])


def _describe_items(schemas: dict[str, Any]) -> None:
    """Lists whose rows are looked at one by one, after the call was understood, say what a row is by `x-items`."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if name := field.pop("x-items", None):
                field["items"] = {"$ref": REF.format(model=name)}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _describe_answers(operation: dict[str, Any], told: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        answer["headers"] = {name: _header(text) for name, text in RATE_HEADERS.items()}
        for content in answer.get("content", {}).values():
            content["example"] = told["example"]
            answer["headers"]["ETag"] = _header("What is shown, in a word")
        if int(status) == 201 and told.get("writes"):
            answer["headers"]["Location"] = _header("Where what was made is, if it has an address of its own")
    if not told.get("writes"):
        operation["parameters"].append(FIELDS)
        operation["responses"][304] = {"description": "What If-None-Match names is what stands still"}
        operation["parameters"].append(_parameter("If-None-Match", "The ETag of what you have", is_required=False))


def _describe_parts(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """With `fields`, an answer has some of its fields: what is said of them stands, and none has to be there."""
    for content in operation["responses"][200]["content"].values():
        whole = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        item = whole["properties"].get("items", {}).get("items", {}).get("$ref")
        if item is None:
            part = _part_of(whole)
        else:
            items = {"type": "array", "items": _part_of(schemas[item.rpartition("/")[2]])}
            part = {**whole, "properties": {**whole["properties"], "items": items}}
        part.pop("title", None)
        content["schema"] = {"anyOf": [content["schema"], {**part, "description": "With `fields`: those alone"}]}


def _part_of(whole: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name not in ("required", "title")}


def _describe_errors(path: str, operation: dict[str, Any], told: dict[str, Any]) -> None:
    kinds = list(OF_EVERY_CALL)
    has_pages = any(one["name"] == "cursor" for one in operation["parameters"])
    kinds += ["cursor"] if has_pages else []
    kinds += ["not-found"] if "{" in path else []
    kinds += OF_WRITES if told.get("writes") else []
    kinds += ["changed"] if told.get("matches") else []
    kinds += told.get("may_be", [])
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    for status, names in sorted(by_status.items()):
        operation["responses"][status] = _error(names)


def _error(names: list[str]) -> dict[str, Any]:
    examples = {name: {"value": _problem(name)} for name in names}
    content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}, "examples": examples}}
    answer = {"description": "; ".join(KINDS[name].title for name in names), "content": content}
    if {"too-fast", "under-way", "away"} & set(names):
        answer["headers"] = {"Retry-After": _header("Seconds to wait", "integer")}
    return answer


def _problem(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    errors = []
    if name == "invalid":
        errors = [{"where": "body.colour", "what": "there is no such field", "what_to_do": "Leave it out."}]
    return {
        "type": f"{URN}{name}", "title": kind.title, "status": kind.status, "detail": f"{kind.title}.",
        "what_to_do": kind.what_to_do, "errors": errors,
    }  # fmt: skip


def _describe_write(operation: dict[str, Any], told: dict[str, Any]) -> None:
    about = "A value of your own for this one call, a UUID say; the same again when you repeat it"
    operation["parameters"].append(_parameter("Idempotency-Key", about, is_required=True))
    if told.get("matches"):
        about = "The ETag of what you have seen: nothing is done where it has changed meanwhile"
        operation["parameters"].append(_parameter("If-Match", about, is_required=False))
    if "requestBody" in operation:
        operation["requestBody"]["content"]["application/json"]["example"] = told["body"]


def _header(text: str, kind: str = "string") -> dict[str, Any]:
    return {"description": text, "schema": {"type": kind}}


def _parameter(name: str, about: str, *, is_required: bool) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255} if is_required else {"type": "string"}
    return {"in": "header", "name": name, "required": is_required, "description": about, "schema": schema}
