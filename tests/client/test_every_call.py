"""The client knows every call of the API, under the same names, and nothing else; it is what `make client` writes."""

from __future__ import annotations

import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from finalmarket.api.problems import KINDS
from finalmarket.api.rest import api
from finalmarket.client import Client
from finalmarket.client.errors import Kinds

ROOT = Path(__file__).resolve().parents[2]
MADE = ROOT / "finalmarket" / "client" / "made"
DESCRIBED: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
CALLS = {
    operation["operationId"]: (path, operation)
    for path, methods in DESCRIBED["paths"].items()
    for operation in methods.values()
}


def writer() -> Any:
    """The script behind `make client`."""
    spec = importlib.util.spec_from_file_location("write_client", ROOT / "scripts" / "write_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_the_client_is_what_the_description_says_now() -> None:
    written = writer().written(DESCRIBED)
    outdated = [name for name, text in written.items() if (MADE / name).read_text(encoding="utf-8") != text]
    assert outdated == [], "the description has changed: run `make client`"


def method_of(name: str) -> Any:
    _, operation = CALLS[name]
    with Client("http://house.example", key="fm_x") as house:
        return getattr(getattr(house, operation["tags"][0]), name, None)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_a_method_that_takes_what_the_call_takes(name: str) -> None:
    path, operation = CALLS[name]
    method = method_of(name)
    assert method is not None, f"the client has no {name} ({path}): run `make client`"
    wanted = {one["name"].replace("-", "_").lower() for one in operation["parameters"]}
    required = {one["name"] for one in operation["parameters"] if one["required"] and one["in"] != "header"}
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        body = DESCRIBED["components"]["schemas"][schema]
        wanted |= body.get("properties", {}).keys()
        required |= set(body.get("required", ()))
    taken = {one.rstrip("_"): parameter for one, parameter in inspect.signature(method).parameters.items()}
    assert taken.keys() == wanted
    assert {one for one, parameter in taken.items() if parameter.default is inspect.Parameter.empty} == required


def test_the_client_has_no_call_that_the_api_has_not() -> None:
    with Client("http://house.example", key="fm_x") as house:
        resources = {name: one for name, one in vars(house).items() if not name.startswith("_")}
    named = {name for one in resources.values() for name in dir(one) if not name.startswith("_")}
    assert named == CALLS.keys()
    assert resources.keys() == {operation["tags"][0] for _, operation in CALLS.values()}


def test_every_kind_of_problem_is_an_exception_of_its_own() -> None:
    assert Kinds.BY_NAME.keys() == KINDS.keys()
    assert len(set(Kinds.BY_NAME.values())) == len(KINDS)


def test_the_client_needs_nothing_of_the_house() -> None:
    program = (
        "import sys, finalmarket.client; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'psycopg', 'ninja') "
        "or m.startswith('finalmarket.') and not m.startswith('finalmarket.client')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
