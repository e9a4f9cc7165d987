"""Whatever is said to the API, it answers in its own words: no error of ours, nothing that is not described."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable
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
from tests.stock.shelves import new_place, put

DESCRIBED: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
CALLS = [
    (method.upper(), path, operation)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]
Call = tuple[str, str, dict[str, Any]]
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

UNASKED = some.sampled_from([b"", b"", b"{}", b"null"])
"""What is said where nothing is asked for."""


@some.composite
def spoiled(draw: some.DrawFn, example: Any) -> Any:
    """A body that is the example, or nearly: fields are left out, added or hold something else."""
    kind = draw(some.integers(0, 9))
    if not isinstance(example, dict) or kind == 0:
        return draw(VALUES)
    body = dict(example)
    if kind < 4:
        return body
    for name in draw(some.lists(some.sampled_from([*body, *body, "extra"]), max_size=3)):
        if draw(some.booleans()):
            body[name] = draw(VALUES)
        else:
            body.pop(name, None)
    return body


@some.composite
def calls(draw: some.DrawFn, call: Call) -> tuple[dict[str, Any], dict[str, str], dict[str, str], Any]:
    """One way to make a call: what is asked, what stands in its address, headers, the body."""
    _, path, operation = call
    words = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    asked = {name: draw(VALUES.map(str)) for name in sorted(words) if draw(some.integers(0, 3)) == 0}
    parts = {name: str(draw(some.sampled_from(["real"] * 6 + ["x y", "."]) | NUMBERS))
             for name in re.findall(r"\{(\w+)\}", path)}  # fmt: skip
    headers = draw(some.dictionaries(some.sampled_from(["If-Match", "If-None-Match"]),
                                     some.sampled_from(["*", '"x"', 'W/"x", *', ""]), max_size=2))  # fmt: skip
    body = operation.get("requestBody")
    said = draw(spoiled(body["content"]["application/json"]["example"])) if body else draw(UNASKED)
    return asked, parts, headers, said


@dataclass
class Tried:
    """A house, a program with every scope, what of the house has which number, and which calls it got through."""

    house: House
    program: Program
    parts: dict[str, Any]
    numbers: dict[str, dict[int, int]]
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    calls: int = 0

    def real(self, body: Any) -> Any:
        """The numbers of the examples become those of this house."""
        if isinstance(body, list):
            return [self.real(one) for one in body]
        if not isinstance(body, dict):
            return body
        return {
            name: self.numbers[name].get(value, value) if name in self.numbers and type(value) is int
            else self.real(value)
            for name, value in body.items()
        }  # fmt: skip

    def call(self, method: str, path: str, way: tuple[dict[str, Any], dict[str, str], dict[str, str], Any]) -> Any:
        """Make a call; what stands as "real" in its address names something of this house."""
        asked, parts, headers, body = way
        address = re.sub(
            r"\{(\w+)\}",
            lambda found: quote(str(self.parts.get(found[1], 1) if parts[found[1]] == "real" else parts[found[1]])),
            path,
        )
        if method == "GET":
            return self.program.get(address, **asked, headers=headers)
        said = body if isinstance(body, bytes) else json.dumps(self.real(body)).encode()
        return self.program.write(method, address, said, **headers)


def furnished(house: House) -> Tried:
    """A house with something behind every kind of address."""
    program = Program()
    product = Product.objects.create(slug="tea", title="Tea")
    tea, rest = (Variant.objects.create(product=product, sku=sku) for sku in ("TEA-100", "TEA-200"))
    house.web.add_product(product, price_override=Decimal("5.00"))
    north, south = new_place("north"), new_place("south")
    for variant in (tea, rest):
        put(variant, north, 10**6)
    segments.restate()

    def made(path: str, body: dict[str, Any]) -> Any:
        return told(program.post(path, body), 201)

    line = {"sku": "TEA-100", "quantity": 2}
    order = made("/orders", {"channel": house.web.pk, "lines": [line]})
    start = {"customer": house.ann.pk, "channel": house.web.pk, "intent": "browse"}
    send = {"source": north.pk, "destination": south.pk, "lines": [line]}
    coming = {"sku": "TEA-100", "location": north.pk, "quantity": 5, "expected_at": "2099-06-01T08:00:00Z"}
    parts = {
        "journey": made("/journeys", start)["id"], "customer": house.ann.pk, "name": "size", "key": "vip",
        "token": made("/carts", {"channel": house.web.pk})["token"], "variant": tea.pk, "product": product.pk,
        "channel": house.web.pk, "listing": house.web.listings.get(variant=tea).pk, "location": south.pk,
        "order": order["id"], "parcel": order["parcels"][0]["id"], "transfer": made("/stock/transfers", send)["id"],
        "count": made("/stock/counts", {"location": north.pk})["id"], "delivery": made("/stock/expected", coming)["id"],
        "reservation": made("/stock/reservations", {"channel": house.web.pk, "lines": [line]})["id"],
    }  # fmt: skip
    places = {1: north.pk, 2: south.pk}
    numbers = {
        "channel": {1: house.web.pk, 2: house.till.pk}, "customer": {4: house.ann.pk}, "variant": {7: tea.pk},
        "location": places, "source": places, "destination": places, "line": {31: order["lines"][0]["id"]},
    }  # fmt: skip
    return Tried(house, program, parts, numbers)


def try_ways(tried: Tried, call: Call, examples: int) -> None:
    """Make one call in so many ways."""
    method, path, operation = call
    described = {str(status) for status in operation["responses"]}

    @settings(max_examples=examples, derandomize=True, database=None)
    @given(way=calls(call))
    def try_it(way: Any) -> None:
        rates.forget()
        answer = tried.call(method, path, way)
        assert answer.status_code < 500, (method, path, way, answer.content)
        assert str(answer.status_code) in described, (method, path, answer.status_code)
        if answer.content:
            json.loads(answer.content)
        tried.answered[f"{method} {path}"].add(answer.status_code // 100)
        tried.calls += 1

    try_it()


@pytest.mark.parametrize("examples", [max(5, int(os.environ.get("FINALMARKET_API_CALLS", "0")) // len(CALLS))])
def test_it_never_breaks_and_answers_as_described(
    house: House, examples: int, record_property: Callable[[str, object], None]
) -> None:
    tried = furnished(house)
    for call in CALLS:
        try_ways(tried, call, examples)
    record_property("calls", tried.calls)
    record_property("operations", len(tried.answered))
    assert len(tried.answered) == len(CALLS)
    few = 3 if examples == 5 else 2  # of five ways all are often spoiled
    assert sum(2 in statuses for statuses in tried.answered.values()) >= len(CALLS) // few, tried.answered
