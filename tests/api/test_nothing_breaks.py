"""Whatever is said to the API, it answers in its own words: no error of ours, nothing that is not described."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from finalmarket.access import rates
from finalmarket.analytics import segments
from finalmarket.api.rest import api
from finalmarket.catalog.models import Product, Variant
from tests.api.calling import Program, told
from tests.api.conftest import House

DESCRIBED: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
CALLS = [
    (method.upper(), path, operation)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]
TEXTS = some.text(max_size=30) | some.sampled_from(
    ["", " ", "\x00", "'; DROP TABLE api_keys; --", "%", "\\", "\u202e", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59Z",
     "2026-05-04T12:00:00+14:00", "ann@example.com", "+4930123456", "a:b", "x" * 400]
)  # fmt: skip
NUMBERS = some.integers(-2, 3) | some.sampled_from([2**31, 2**63 - 1, 2**63, 2**70, -(2**70)])
VALUES: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | NUMBERS | some.floats(allow_nan=False) | TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@some.composite
def spoiled(draw: some.DrawFn, example: Any) -> Any:
    """A body that is nearly the example: fields are left out, added or hold something else."""
    if not isinstance(example, dict) or draw(some.integers(0, 9)) == 0:
        return draw(VALUES)
    body = dict(example)
    for name in draw(some.lists(some.sampled_from([*body, *body, "extra"]), max_size=3)):
        if draw(some.booleans()):
            body[name] = draw(VALUES)
        else:
            body.pop(name, None)
    return body


@some.composite
def calls(draw: some.DrawFn) -> tuple[str, str, dict[str, Any], dict[str, str], Any]:
    method, path, operation = draw(some.sampled_from(CALLS))
    words = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    asked = {name: draw(VALUES.map(str)) for name in words if draw(some.integers(0, 3)) == 0}
    parts = {name: str(draw(some.sampled_from(["real"] * 6 + ["x y", "."]) | NUMBERS))
             for name in re.findall(r"\{(\w+)\}", path)}  # fmt: skip
    headers = draw(some.dictionaries(some.sampled_from(["If-Match", "If-None-Match"]),
                                     some.sampled_from(["*", '"x"', 'W/"x", *', ""]), max_size=2))  # fmt: skip
    body = operation.get("requestBody")
    said = draw(spoiled(body["content"]["application/json"]["example"])) if body else None
    return method, path, {**asked, "/": parts}, headers, said


@dataclass
class Tried:
    """A house, a program with every scope, and which calls it got through."""

    house: House
    program: Program
    journey: int
    cart: str
    tea: int
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def real(self, body: Any) -> Any:
        """The numbers of the examples become those of this house."""
        if not isinstance(body, dict):
            return body
        channels = {1: self.house.web.pk, 2: self.house.till.pk}
        known = {"channel": channels, "customer": {4: self.house.ann.pk}, "variant": {7: self.tea}}
        swapped = {name: known[name].get(body[name], body[name]) for name in known.keys() & body.keys()
                   if type(body[name]) is int}  # fmt: skip
        return {**body, **swapped}

    def call(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str], body: Any) -> Any:
        """Make a call; what stands as "real" in its address names something of this house."""
        asked = dict(asked)
        parts = asked.pop("/")
        real = {"journey": self.journey, "customer": self.house.ann.pk, "name": "size", "token": self.cart,
                "variant": self.tea, "key": "vip"}  # fmt: skip
        address = re.sub(
            r"\{(\w+)\}",
            lambda found: quote(str(real[found[1]] if parts[found[1]] == "real" else parts[found[1]])),
            path,
        )
        if method == "GET":
            return self.program.get(address, **asked, headers=headers)
        return self.program.write(method, address, json.dumps(self.real(body)).encode(), **headers)


@pytest.mark.parametrize("examples", [int(os.environ.get("FINALMARKET_API_CALLS", "700"))])
def test_it_never_breaks_and_answers_as_described(house: House, examples: int) -> None:
    program = Program()
    start = {"customer": house.ann.pk, "channel": house.web.pk, "intent": "browse"}
    product = Product.objects.create(slug="tea", title="Tea")
    tea = Variant.objects.create(product=product, sku="TEA-100")
    house.web.add_product(product, price_override=Decimal("5.00"))
    cart = told(program.post("/carts", {"channel": house.web.pk}), 201)["token"]
    segments.restate()
    tried = Tried(house, program, told(program.post("/journeys", start), 201)["id"], cart, tea.pk)

    @settings(max_examples=examples, deadline=None, derandomize=examples == 700, database=None)
    @given(call=calls())
    def try_it(call: tuple[str, str, dict[str, Any], dict[str, str], Any]) -> None:
        rates.forget()
        method, path, *rest = call
        answer = tried.call(method, path, *rest)
        assert answer.status_code < 500, answer.content
        described = DESCRIBED["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in described, (method, path, answer.status_code)
        if answer.content:
            json.loads(answer.content)
        tried.answered[f"{method} {path}"].add(answer.status_code // 100)

    try_it()
    assert len(tried.answered) == len(CALLS)
    assert sum(2 in statuses for statuses in tried.answered.values()) >= len(CALLS) // 2, tried.answered
