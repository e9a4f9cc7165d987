"""JSON Schema as OpenAPI 2, 3.0 and 3.1 speak it, for jsonschema: references within one document, `nullable`,
discriminators, formats; and in requests, no field that the description does not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker, ValidationError, validators

from tests.connectors.descriptions.judge import shown

PART = "x-part-of-a-whole"  # marks a branch of allOf, whose siblings may know more fields
MOST_REMEMBERED, LONGEST_REMEMBERED = 20_000, 5_000
Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError]]


class Document:
    """One description file and the two validators of its schemas: strict for requests, lenient for answers."""

    def __init__(self, contents: dict[str, Any]) -> None:
        self.contents = contents
        self.is_2020 = str(contents.get("openapi", "")).startswith("3.1")
        self.look_up = cache(self._look_up)
        self.strict = self._validator(is_request=True)
        self.lenient = self._validator(is_request=False)

    def _look_up(self, pointer: str) -> Any:
        if not pointer.startswith("#/"):
            raise LookupError(f"the reference {pointer} leads out of the file")
        found: Any = self.contents
        for step in pointer[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found

    def resolved(self, node: Any) -> Any:
        """The node itself, or what it refers to."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self.look_up(node["$ref"])
        return node

    def faults(self, schema: Any, value: Any, *, is_request: bool, where: str) -> list[str]:
        """What in the value the schema does not allow."""
        kind = self.strict if is_request else self.lenient
        found = kind(schema, format_checker=FORMATS).iter_errors(value)
        return [f"{where}{sentence}" for sentence in dict.fromkeys(_sentence(error) for error in found)]

    def _validator(self, *, is_request: bool) -> Any:
        draft = Draft202012Validator if self.is_2020 else Draft4Validator
        keywords: dict[str, Any] = {
            **draft.VALIDATORS,
            "$ref": self._follow(),
            "required": _required("readOnly" if is_request else "writeOnly", self),
            "allOf": self._all_of(is_request),
            "oneOf": self._chosen(draft.VALIDATORS["oneOf"]),
            "anyOf": self._chosen(draft.VALIDATORS["anyOf"]),
            "pattern": _pattern,
        }
        if is_request:
            keywords["properties"] = _closed(draft.VALIDATORS["properties"], self)
        return validators.create(
            meta_schema={}, validators={name: _null_allowed(check) for name, check in keywords.items()},
            type_checker=draft.TYPE_CHECKER, id_of=lambda schema: "",
            applicable_validators=_all_keywords if self.is_2020 else _reference_or_keywords,  # type: ignore[arg-type]
        )  # fmt: skip

    def _follow(self) -> Keyword:
        """`$ref`. A part that was found good is looked at no second time: platforms say the same in many answers."""
        good: set[str] = set()

        def check(validator: Any, pointer: str, instance: Any, schema: Any) -> Errors:
            told = f"{pointer} {PART in schema} {instance!r}"
            if told in good:
                return
            target = self.look_up(pointer)
            faults = list(validator.descend(instance, {**target, PART: True} if PART in schema else target))
            if not faults and len(good) < MOST_REMEMBERED and len(told) < LONGEST_REMEMBERED:
                good.add(told)
            yield from faults

        return check

    def _all_of(self, is_request: bool) -> Keyword:
        def check(validator: Any, branches: Any, instance: Any, schema: Any) -> Errors:
            for branch in branches:
                yield from validator.descend(instance, {**branch, PART: True})
            if is_request and PART not in schema and isinstance(instance, dict):
                known = self._known(schema)
                if known is not None:
                    yield from _unknown(instance, known)

        return check

    def _known(self, schema: Any) -> set[str] | None:
        """The fields that a schema and the parts of it know; None where it does not limit them."""
        schema = self.resolved(schema)
        if "additionalProperties" in schema or "patternProperties" in schema or "oneOf" in schema or "anyOf" in schema:
            return None
        known = set(schema.get("properties", ()))
        for branch in schema.get("allOf", ()):
            more = self._known(branch)
            if more is None:
                return None
            known |= more
        return known or None

    def _chosen(self, among: Keyword) -> Keyword:
        """oneOf and anyOf, where the discriminator chooses the branch if there is one."""

        def check(validator: Any, branches: Any, instance: Any, schema: Any) -> Errors:
            rule = schema.get("discriminator")
            if isinstance(rule, dict) and isinstance(instance, dict) and rule.get("propertyName") in instance:
                pointer = self._branch(rule, str(instance[rule["propertyName"]]), branches)
                if pointer is not None:
                    yield from validator.descend(instance, {"$ref": pointer})
                    return
            yield from among(validator, branches, instance, schema)

        return check

    def _branch(self, rule: Mapping[str, Any], name: str, branches: Any) -> str | None:
        pointer = rule.get("mapping", {}).get(name, name)
        full = pointer if str(pointer).startswith("#/") else f"#/components/schemas/{pointer}"
        return full if any(branch.get("$ref") == full for branch in branches if isinstance(branch, dict)) else None


def _reference_or_keywords(schema: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Before OpenAPI 3.1 nothing counts beside a reference."""
    if isinstance(schema.get("$ref"), str):
        return [("$ref", schema["$ref"])]
    return schema.items()


def _all_keywords(schema: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return schema.items()


def _null_allowed(check: Any) -> Any:
    """Nothing is asked of a null where the schema says `nullable` (or `x-nullable`, as Swagger files do)."""

    def wrapped(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        if instance is None and (schema.get("nullable") or schema.get("x-nullable")):
            return
        yield from check(validator, value, instance, schema) or ()

    return wrapped


def _required(excused: str, document: Document) -> Keyword:
    """`required`, but a readOnly field is not asked of requests, and a writeOnly one not of answers."""

    def check(validator: Any, names: Any, instance: Any, schema: Any) -> Errors:
        if not isinstance(instance, dict) or not isinstance(names, list):
            return
        for name in names:
            told = document.resolved(schema.get("properties", {}).get(name, {}))
            if name not in instance and not told.get(excused):
                yield ValidationError(f"the required field {name!r} is missing")

    return check


def _closed(properties: Any, document: Document) -> Keyword:
    """`properties`, none of which the platform alone may write, and no field beside them unless the schema speaks of
    further ones."""

    def check(validator: Any, known: Any, instance: Any, schema: Any) -> Errors:
        yield from properties(validator, known, instance, schema)
        if not isinstance(instance, dict):
            return
        for name in instance:
            if name in known and (known[name].get("readOnly") or document.resolved(known[name]).get("readOnly")):
                yield ValidationError(f"the field {name!r} is for answers only")
        says_more = {"additionalProperties", "patternProperties", "allOf", "oneOf", "anyOf", PART} & set(schema)
        if known and not says_more:
            yield from _unknown(instance, set(known))

    return check


def _unknown(instance: Mapping[str, Any], known: set[str]) -> Errors:
    for name in instance:
        if name not in known:
            yield ValidationError(f"the field {name!r} is not described")


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Errors:
    """`pattern`, where Python can read it: descriptions write their expressions for other engines too."""
    if not isinstance(instance, str):
        return
    try:
        fits = re.search(pattern, instance)
    except re.error:
        return
    if not fits:
        yield ValidationError(f"{shown(instance)} does not fit {pattern!r}")


def _sentence(error: ValidationError) -> str:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    detail = error.message if len(error.message) <= 300 else error.message[:297] + "..."
    if error.context:
        best = min(error.context, key=lambda each: (-len(each.absolute_path), len(each.message)))
        detail = f"{detail[:120]} (nearest: {best.json_path} {best.message[:200]})"
    return f"{where.lstrip('.') or 'as a whole'}: {detail}"


FORMATS = FormatChecker(formats=())


def _format(name: str) -> Callable[[Callable[[Any], bool]], Callable[[Any], bool]]:
    return FORMATS.checks(name)


@_format("date-time")
def _is_moment(value: Any) -> bool:
    """RFC 3339: a date, a time and a zone."""
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None and value[10:11] in "Tt"
    except ValueError:
        return False


@_format("date")
def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


@_format("int32")
def _is_int32(value: Any) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_format("int64")
def _is_int64(value: Any) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


@_format("decimal")
def _is_decimal(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False
