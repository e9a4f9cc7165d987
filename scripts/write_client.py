"""Write the typed calls of finalmarket/client from the description of the API: `make client`.

`written(document)` returns the texts of the files by their names; a test holds them against those in the package.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "finalmarket" / "client" / "made"
HEAD = '"""{}, written by `make client` from the description of the API: change that, not this."""'
REF = "#/components/schemas/"
Schema = Mapping[str, Any]


@dataclass
class Types:
    """How schemas are named in Python, and which of them are needed."""

    schemas: Mapping[str, Schema]
    is_said: bool
    prefix: str = ""
    needed: dict[str, None] = field(default_factory=dict)

    def of(self, schema: Schema) -> str:
        """Return the annotation of a schema."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(REF)
            self.needed[name] = None
            return self.prefix + self.name(name)
        if "anyOf" in schema:
            return self._union([self.of(one) for one in schema["anyOf"]])
        if not self.is_said and ("const" in schema or "enum" in schema):
            return self._plain(schema)  # a later version may know more words
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        return self._plain(schema)

    def name(self, name: str) -> str:
        """Return how a shape is called: what is said is told apart from what is answered."""
        return f"{name}Said" if self.is_said and not name.endswith(("In", "Said")) else name

    def _union(self, found: list[str]) -> str:
        parts = list(dict.fromkeys(part for one in found for part in _parts(one)))
        if any(part == "Decimal" for part in parts):
            parts = [part for part in parts if part != "float"]
        return " | ".join([part for part in parts if part != "None"] + (["None"] if "None" in parts else []))

    def _plain(self, schema: Schema) -> str:
        match schema.get("type"):
            case "array":
                kind = "Sequence" if self.is_said else "list"
                return f"{kind}[{self.of(schema.get('items', {}))}]"
            case "object":
                more = schema.get("additionalProperties", True)
                value = self.of(more) if isinstance(more, dict) else "Any"
                return f"{'Mapping' if self.is_said else 'dict'}[str, {value}]"
            case "string":
                return self._text(schema)
            case kind:
                plain = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
                return plain.get(str(kind), "Any")

    def _text(self, schema: Schema) -> str:
        kinds = {"date-time": "dt.datetime", "date": "dt.date", "uuid": "UUID", "decimal": "Decimal"}
        kind = kinds.get(schema.get("format", ""), "str")
        if not self.is_said or kind == "str":
            return kind
        return "Decimal | int | str" if kind == "Decimal" else f"{kind} | str"


def _parts(annotation: str) -> Iterator[str]:
    """Parts of a union, at its outermost level."""
    depth, begun = 0, 0
    for place, sign in enumerate(annotation):
        depth += {"[": 1, "]": -1}.get(sign, 0)
        if sign == "|" and depth == 0:
            yield annotation[begun:place].strip()
            begun = place + 1
    yield annotation[begun:].strip()


def written(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that the client of this description has, by name."""
    schemas = document["components"]["schemas"]
    answered, said = Types(schemas, is_said=False, prefix="shapes."), Types(schemas, is_said=True, prefix="shapes.")
    operations = _operations(document, answered, said)
    answered.prefix = said.prefix = ""
    return {
        "__init__.py": '"""What `make client` writes."""\n',
        "operations.py": _formatted(operations),
        "shapes.py": _formatted(_shapes(answered, said)),
    }


# Calls.


def _operations(document: Mapping[str, Any], answered: Types, said: Types) -> str:
    by_resource: dict[str, list[str]] = {}
    tables: list[str] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            answer, table = _answers(operation, answered)
            tables.append(f"{name.upper()} = Operation[{answer}]({method.upper()!r}, {path!r}, {table})")
            text = _method(document, operation, answer, said)
            by_resource.setdefault(operation["tags"][0].replace("-", "_"), []).append(text)
    classes = [_resource(name, methods) for name, methods in by_resource.items()]
    return "\n\n".join([HEAD.format("Every call of the API"), OPERATIONS_HEAD, "\n".join(tables), *classes,
                        _resources(list(by_resource))])  # fmt: skip


OPERATIONS_HEAD = """
from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from finalmarket.client.calling import UNSAID, Caller, Operation, Said, new_idempotency_key
from finalmarket.client.made import shapes
"""


def _answers(operation: Mapping[str, Any], types: Types) -> tuple[str, str]:
    """What a call answers, and by which status."""
    found: dict[int, str] = {}
    for status, answer in operation["responses"].items():
        if not 200 <= int(status) < 300:
            continue
        schemas = [content["schema"] for content in answer.get("content", {}).values()]
        whole = schemas[0].get("anyOf", schemas)[0] if schemas else None  # the second is a part of it, by `fields`
        found[int(status)] = types.of(whole) if whole else "None"
    table = "{" + ", ".join(f"{status}: {name}" for status, name in sorted(found.items())) + "}"
    return " | ".join(dict.fromkeys(found.values())), table


def _resource(name: str, methods: list[str]) -> str:
    title = "".join(part.capitalize() for part in name.split("_"))
    head = f'class {title}:\n    """The calls of {name.replace("_", " ")}."""\n\n'
    begin = "    def __init__(self, caller: Caller) -> None:\n        self._caller = caller\n"
    return head + "\n".join([begin, *methods])


def _resources(names: list[str]) -> str:
    lines = ["class Resources:", '    """All resources."""', "", "    def __init__(self, caller: Caller) -> None:"]
    titles = {name: "".join(part.capitalize() for part in name.split("_")) for name in names}
    lines += [f"        self.{name} = {title}(caller)" for name, title in titles.items()]
    return "\n".join(lines)


def _method(document: Mapping[str, Any], operation: Mapping[str, Any], answer: str, said: Types) -> str:
    by_place: dict[str, list[Mapping[str, Any]]] = {"path": [], "query": [], "header": []}
    for one in operation["parameters"]:
        by_place[one["in"]].append(one)
    body = _body(document, operation)
    signature, parts = _signature(by_place, body, said)
    fields = [f"path={{{', '.join(parts['path'])}}}", f"query={{{', '.join(parts['query'])}}}"]
    if body is not None:
        fields.append(f"body={{{', '.join(parts['body'])}}}")
    if parts["header"]:
        fields.append(f"headers={{{', '.join(parts['header'])}}}")
    if any(one["name"] == "Idempotency-Key" for one in by_place["header"]):
        fields.append("idempotency_key=new_idempotency_key(idempotency_key)")
    text = _docstring(operation["description"])
    call = f"return self._caller.call({operation['operationId'].upper()}, Said({', '.join(fields)}))"
    head = f"def {operation['operationId']}({', '.join(signature)}) -> {answer}:"
    return textwrap.indent(f"{head}\n    {text}\n    {call}\n", "    ")


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Schema | None:
    if "requestBody" not in operation:
        return None
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    found: Schema = document["components"]["schemas"][reference.removeprefix(REF)]
    return found


def _signature(
    by_place: Mapping[str, list[Mapping[str, Any]]], body: Schema | None, said: Types
) -> tuple[list[str], dict[str, list[str]]]:
    """The parameters of a method, and how they are handed on."""
    needed: list[str] = []
    optional: list[str] = []
    parts: dict[str, list[str]] = {"path": [], "query": [], "body": [], "header": []}
    signature = ["self"]
    for one in by_place["path"]:
        signature.append(f"{word(one['name'])}: {said.of(one['schema'])}")
        parts["path"].append(f"{one['name']!r}: {word(one['name'])}")
    for name, schema in (body or {}).get("properties", {}).items():
        kind = said.of(schema)
        is_needed = name in body.get("required", ())  # type: ignore[union-attr]
        (needed if is_needed else optional).append(f"{word(name)}: {kind}" + ("" if is_needed else " = UNSAID"))
        parts["body"].append(f"{name!r}: {word(name)}")
    for one in by_place["query"]:
        kind = "Sequence[str]" if one["name"] == "fields" else said.of(one["schema"])
        if one["required"]:
            needed.append(f"{word(one['name'])}: {kind}")
        elif one["name"] == "fields":
            optional.append("fields: Sequence[str] = ()")
        else:
            optional.append(f"{word(one['name'])}: {kind.removesuffix(' | None')} | None = None")
        parts["query"].append(f"{one['name']!r}: {word(one['name'])}")
    for one in by_place["header"]:
        optional.append(f"{word(one['name'])}: str = ''")
        if one["name"] != "Idempotency-Key":
            parts["header"].append(f"{one['name']!r}: {word(one['name'])}")
    named = [*needed, *optional]
    return [*signature, *(["*", *named] if named else [])], parts


def word(name: str) -> str:
    """Return how something is named in Python."""
    plain = re.sub(r"\W", "_", name).lower()
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def _docstring(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    lines = textwrap.wrap(plain, 106)
    return '"""' + "\n    ".join(lines) + '"""'


# Shapes.

SHAPES_HEAD = """
from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Required, TypedDict
from uuid import UUID

from pydantic import Field

from finalmarket.client.calling import SHOWN, Answer
"""


def _shapes(answered: Types, said: Types) -> str:
    texts = [*_all_of(answered, _answer), *_all_of(said, _typed_dict)]
    return "\n\n".join([HEAD.format("What is said and answered"), SHAPES_HEAD, *texts])


def _all_of(types: Types, write: Any) -> list[str]:
    """The shapes that are needed, and those that these need, by their names."""
    texts: dict[str, str] = {}
    while waiting := [name for name in types.needed if name not in texts]:
        for name in waiting:
            texts[name] = write(types, name)
    return [texts[name] for name in sorted(texts)]


def _answer(types: Types, name: str) -> str:
    schema = types.schemas[name]
    lines = [f"class {types.name(name)}(Answer):", f"    {_docstring(schema.get('description') or name)}", ""]
    for field_name, one in schema.get("properties", {}).items():
        python = word(field_name)
        shown = "SHOWN" if python == field_name else f"Field(default=None, alias={field_name!r})"
        lines.append(f"    {python}: {types.of(one)} = {shown}")
    return "\n".join(lines)


def _typed_dict(types: Types, name: str) -> str:
    schema = types.schemas[name]
    needed = set(schema.get("required", ()))
    fields = {
        one: f"Required[{types.of(kind)}]" if one in needed else types.of(kind)
        for one, kind in schema.get("properties", {}).items()
    }
    lines = [f"class {types.name(name)}(TypedDict, total=False):"]
    lines += [f"    {_docstring(schema.get('description') or name)}", ""]
    lines += [f"    {field_name}: {kind}" for field_name, kind in fields.items()]
    return "\n".join(lines)


def _formatted(text: str) -> str:
    """As ruff has it, and without imports that are not needed."""
    ruff = Path(sys.executable).parent / "ruff"
    for words in (["check", "--select", "F401,I", "--fix-only", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *words, "--stdin-filename", str(FOLDER / "x.py"), "-"],
            input=text, capture_output=True, text=True, check=True,
        )  # fmt: skip
        text = done.stdout
    return text


def description() -> Mapping[str, Any]:
    """Return the description of the API as it stands in the checkout."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()
    from finalmarket.api.rest import api

    found: Mapping[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    return found


def main() -> None:
    """Write the files, where they differ."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in written(description()).items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(FOLDER.parents[2])}")  # noqa: T201


if __name__ == "__main__":
    main()
