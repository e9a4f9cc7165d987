"""What is said besides what a call takes changes nothing: made from the descriptions, for every write of every API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from finalmarket.access import rates
from finalmarket.api.shop.rest import api as shop_api
from finalmarket.channels.models import SalesChannel
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.api.furnished import Furnished, calls, described
from tests.api.shop.conftest import open_shops
from tests.doors.agent import BUYER, let_in, total_of
from tests.orders.market import open_market

SMUGGLED: dict[str, Any] = {
    "id": 1, "pk": 1, "is_staff": True, "is_superuser": True, "role": "owner", "scopes": ["keys:rotate"], "owner": 1,
    "channel_id": 1, "sales_channel": 1, "customer_id": 1, "created_at": "2020-01-01T00:00:00Z", "unit_price": "0.01",
    "total": "0.00", "price": "0.01", "paid": True, "state": "paid", "is_active": True, "family": "x", "digest": "x",
    "on_hand": 999, "discount": "100", "__proto__": {"x": 1}, "constructor": 1, "password": "x",
}  # fmt: skip


def resolved(schema: Any, whole: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references, and the first that is an object of several."""
    while "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, []):
            found = resolved(part, whole)
            if found.get("type") in ("object", "array"):
                return found
    return dict(schema)


def spoilt(body: Any, schema: Any, whole: dict[str, Any]) -> Iterator[tuple[Any, set[str]]]:
    """The body with fields more, one object of it at a time, and which ones."""
    schema = resolved(schema, whole)
    if isinstance(body, dict) and "properties" in schema:
        known = schema["properties"]
        more = {name: value for name, value in SMUGGLED.items() if name not in known}
        yield {**body, **more}, set(more)
        for name, part in body.items():
            if name in known:
                for inner, extra in spoilt(part, known[name], whole):
                    yield {**body, name: inner}, extra
    elif isinstance(body, list) and body and "items" in schema:
        for inner, extra in spoilt(body[0], schema["items"], whole):
            yield [inner, *body[1:]], extra


@pytest.fixture(autouse=True)
def _full_buckets() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.mark.committed_database
def test_every_write_of_the_rest_api_refuses_what_it_does_not_take(record_property: Callable[[str, Any], None]) -> None:
    there, whole, program = Furnished(open_house()), described(), Program()
    wrong, tried = [], 0
    for call in calls().values():
        if call.example is None:
            continue
        schema = call.operation["requestBody"]["content"]["application/json"]["schema"]
        for body, extra in spoilt(there.real(call.example), schema, whole):
            tried += 1
            with transaction.atomic():
                answer = program.write(call.method, there.address(call), body)
                transaction.set_rollback(True)
            if not _is_refused(answer, extra):
                wrong.append(f"{call.name}: {answer.status_code} {answer.content[:300]!r}")
    assert wrong == []
    assert tried > 80
    record_property("population", f"{tried} bodies of the REST API with {len(SMUGGLED)} fields too many each")


def _is_refused(answer: Any, extra: set[str]) -> bool:
    """Whether the call was refused for the fields; where many are asked for at once, each one by itself."""
    text = answer.content.decode()
    if answer.status_code == 422:
        return any(name in text for name in extra)
    if answer.status_code == 200 and "items" in json.loads(text):
        items = [list(one.values()) for one in json.loads(text)["items"]]
        return any("refused" in values or "invalid" in values for values in items)
    return False


@pytest.mark.django_db
def test_every_write_of_the_shoppers_api_refuses_what_it_does_not_take(
    settings: Any, record_property: Callable[[str, Any], None]
) -> None:
    settings.MAIL_IS_SET = True
    shops, tried, wrong = open_shops(), 0, []
    whole = json.loads(json.dumps(shop_api.get_openapi_schema()))
    cart = shops.web.cart(("TEA", 1))
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            example = (
                content.get("example") or next(iter(content.get("examples", {"": {"value": {}}}).values()))["value"]
            )
            for body, extra in spoilt(example, content["schema"], whole):
                tried += 1
                address = path.replace("{token}", cart).removeprefix("/api/shop/v1")
                answer = shops.web.write(method.upper(), address, body, token=f"smuggled-{tried}")
                if answer.status_code not in (401, 403, 404) and not _is_refused(answer, extra):
                    wrong.append(f"{method} {path}: {answer.status_code} {answer.content[:200]!r}")
    assert wrong == []
    assert tried >= 8
    record_property("population", f"{tried} bodies of the shopper's API")


@pytest.mark.django_db
def test_what_an_agent_says_too_much_is_without_effect() -> None:
    """The agents' protocol wants unknown words passed over: the checkout is the one that it would have been."""
    market = open_market()
    market.goods("SCARF", warehouse=50)
    channel = SalesChannel.objects.create(name="Assistants", channel_type="chat", country="DE")
    channel.add_product(market.product)
    agent, _ = let_in(channel)
    plain = {"line_items": [{"id": "SCARF"}], "currency": "eur", "capabilities": {}, "buyer": BUYER}
    more = {name: value for name, value in SMUGGLED.items() if name != "id"}
    loaded = {
        **plain, **SMUGGLED, "line_items": [{"id": "SCARF", **more}], "buyer": {**BUYER, **more},
        "status": "completed", "totals": [{"type": "total", "amount": 1}],
    }  # fmt: skip
    usual, smuggled = (agent.call("POST", "checkout_sessions", body) for body in (plain, loaded))
    assert (usual.status, smuggled.status) == (201, 201)
    assert total_of(smuggled.body) == total_of(usual.body) > 0
    assert _without_names(smuggled.body) == _without_names(usual.body)


def _without_names(body: Any) -> Any:
    """An answer but for the ids and moments that are new each time."""
    if isinstance(body, dict):
        return {
            name: _without_names(part) for name, part in body.items()
            if name != "id" and not name.endswith(("_at", "url", "_id"))
        }  # fmt: skip
    return [_without_names(part) for part in body] if isinstance(body, list) else body
