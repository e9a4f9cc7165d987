"""OData 2 services by their $metadata (EDMX with SAP's annotations), told in the words of OpenAPI, so that one judge
reads both."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.connectors.descriptions.judge import vendor_apis

SAP = "{http://www.sap.com/Protocols/SAPData}"
Schema = dict[str, Any]
KINDS: Mapping[str, Schema] = {
    "Edm.String": {"type": "string"},
    "Edm.DateTime": {"type": "string", "pattern": r"^/Date\(-?\d+\)/$"},
    "Edm.DateTimeOffset": {"type": "string", "pattern": r"^/Date\(-?\d+([+-]\d{4})?\)/$"},
    "Edm.Time": {"type": "string", "pattern": r"^PT(\d+H)?(\d+M)?(\d+S)?$"},
    "Edm.Decimal": {"type": "string", "format": "decimal"},
    "Edm.Guid": {"type": "string"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.Int16": {"type": "integer"}, "Edm.Int32": {"type": "integer"}, "Edm.Byte": {"type": "integer"},
}  # fmt: skip
LITERALS = r"'(?:[^']|'')*'|datetime(?:offset)?'[^']+'|time'[^']+'|null|true|false|-?\d+(?:\.\d+)?[mM]?"
OPERATORS = r"and|or|not|eq|ne|gt|ge|lt|le|\(|\)"
MANY = "*"


@dataclass(frozen=True)
class Kind:
    """One entity type: its key, its properties, and where its navigation properties lead (type, multiplicity)."""

    name: str
    key: tuple[str, ...]
    properties: Mapping[str, ET.Element]
    leads_to: Mapping[str, tuple[str, str]]


@cache
def service(folder: str, file: str) -> Schema:
    """The OpenAPI document of one $metadata file of FINALMARKET_VENDOR_APIS; the file is named like the service."""
    path = vendor_apis() / folder / file
    return _document(path, f"/sap/opu/odata/sap/{Path(file).stem}")


def _document(path: Path, root: str) -> Schema:
    elements = list(ET.parse(path).getroot().iter())
    kinds = {kind.name: kind for kind in _kinds(elements)}
    sets = {one.get("Name", ""): one for one in elements if _tag(one) == "EntitySet"}
    schemas: Schema = {}
    for kind in kinds.values():
        schemas[kind.name] = _schema(kind, "")
        schemas[f"Create.{kind.name}"] = _schema(kind, "creatable")
        schemas[f"Update.{kind.name}"] = _schema(kind, "updatable")
    paths: Schema = {}
    for name, told in sets.items():
        paths |= _paths(name, told, kinds[_last(told.get("EntityType", ""))], kinds)
    return {"openapi": "3.0.0", "servers": [{"url": root}], "paths": paths, "components": {"schemas": schemas}}


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _kinds(elements: list[ET.Element]) -> Iterator[Kind]:
    ends = {
        (one.get("Name", ""), end.get("Role", "")): (_last(end.get("Type", "")), end.get("Multiplicity", ""))
        for one in elements if _tag(one) == "Association" for end in one if _tag(end) == "End"
    }  # fmt: skip
    for one in elements:
        if _tag(one) == "EntityType":
            yield Kind(
                one.get("Name", ""),
                tuple(part.get("Name", "") for part in one.iter() if _tag(part) == "PropertyRef"),
                {part.get("Name", ""): part for part in one if _tag(part) == "Property"},
                {
                    part.get("Name", ""): ends[_last(part.get("Relationship", "")), part.get("ToRole", "")]
                    for part in one if _tag(part) == "NavigationProperty"
                },
            )  # fmt: skip


def _schema(kind: Kind, needed: str) -> Schema:
    """What an entity holds; in a request only what may be written (`needed` is creatable or updatable)."""
    fields = {
        name: _property(told) for name, told in kind.properties.items()
        if not needed or told.get(f"{SAP}{needed}") != "false"
    }  # fmt: skip
    if needed == "updatable":
        return {"type": "object", "properties": {name: one for name, one in fields.items() if name not in kind.key}}
    prefix = "Create." if needed else ""
    for name, (target, many) in kind.leads_to.items():
        inner: Schema = {"$ref": f"#/components/schemas/{prefix}{target}"}
        whole: Schema = {"type": "object", "properties": {"results": {"type": "array", "items": inner}}}
        fields[name] = whole if many == MANY else {"nullable": True, "allOf": [inner]}
    return {"type": "object", "properties": fields}


def _property(told: ET.Element) -> Schema:
    schema: Schema = {"nullable": True, **KINDS.get(told.get("Type", ""), {})}
    return {**schema, "maxLength": int(told.get("MaxLength", ""))} if told.get("MaxLength") else schema


def _paths(name: str, told: ET.Element, kind: Kind, kinds: Mapping[str, Kind]) -> Schema:
    entity: Schema = {"$ref": f"#/components/schemas/{kind.name}"}
    one: Schema = {"type": "object", "required": ["d"], "properties": {"d": entity}}
    many: Schema = {
        "type": "object", "required": ["d"],
        "properties": {"d": {
            "type": "object", "required": ["results"],
            "properties": {"results": {"type": "array", "items": entity},
                           "__count": {"type": "string"}, "__next": {"type": "string"}},
        }},
    }  # fmt: skip
    whole: Schema = {"get": _call(many, _options(kind, kinds, is_list=True))}
    single: Schema = {"get": _call(one, _options(kind, kinds, is_list=False))}
    if told.get(f"{SAP}creatable") != "false":
        body: Schema = {"$ref": f"#/components/schemas/Create.{kind.name}"}
        whole["post"] = {**_call(one, [], status="201"), "requestBody": _body(body)}
    if told.get(f"{SAP}updatable") != "false":
        body = {"type": "object", "properties": {"d": {"$ref": f"#/components/schemas/Update.{kind.name}"}}}
        single["patch"] = {**_call(None, [], status="204"), "requestBody": _body(body)}
    return {f"/{name}": whole, f"/{name}({_key(kind)})": single}


def _key(kind: Kind) -> str:
    def literal(name: str) -> str:
        before = "datetime" if kind.properties[name].get("Type") == "Edm.DateTime" else ""
        return f"{before}'{{{name}}}'"

    if len(kind.key) == 1:
        return literal(kind.key[0])
    return ",".join(f"{name}={literal(name)}" for name in kind.key)


def _call(answer: Schema | None, parameters: list[Schema], *, status: str = "200") -> Schema:
    error: Schema = {
        "type": "object", "required": ["error"],
        "properties": {"error": {"type": "object", "required": ["code", "message"]}},
    }  # fmt: skip
    content: Schema = {"description": "nothing"}
    if answer is not None:
        content = {"description": "entities", "content": {"application/json": {"schema": answer}}}
    return {
        "parameters": parameters,
        "responses": {status: content, "4XX": {"content": {"application/json": {"schema": error}}}},
    }


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _options(kind: Kind, kinds: Mapping[str, Kind], *, is_list: bool) -> list[Schema]:
    """The query options: only names that the entity has, and in $filter only those that may be filtered by."""
    names = list(kind.properties)
    found = [
        _option("$select", _names([*names, *kind.leads_to])),
        _option("$expand", _names(list(_expandable(kind, kinds, depth=2)))),
    ]
    if is_list:
        sortable = [name for name in names if kind.properties[name].get(f"{SAP}sortable") != "false"]
        filterable = [name for name in names if kind.properties[name].get(f"{SAP}filterable") != "false"]
        words = "|".join([*map(re.escape, sorted(filterable, key=len, reverse=True)), OPERATORS, LITERALS])
        found += [
            _option("$orderby", _names([each for name in sortable for each in (name, f"{name} desc", f"{name} asc")])),
            _option("$filter", {"type": "string", "pattern": rf"^(?:(?:{words})\s*)+$"}),
            _option("$top", {"type": "integer", "minimum": 0}), _option("$skip", {"type": "integer", "minimum": 0}),
            _option("$inlinecount", {"type": "string", "enum": ["allpages", "none"]}),
        ]  # fmt: skip
    return found


def _expandable(kind: Kind, kinds: Mapping[str, Kind], *, depth: int) -> Iterator[str]:
    for name, (target, _) in kind.leads_to.items():
        yield name
        if depth > 1:
            yield from (f"{name}/{deeper}" for deeper in _expandable(kinds[target], kinds, depth=depth - 1))


def _names(names: list[str]) -> Schema:
    return {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": names}}


def _option(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "explode": False, "schema": schema}
