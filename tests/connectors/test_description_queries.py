"""The judge of GraphQL, on Shopify's published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.connectors.descriptions import Description, graphql

JSON = {"Content-Type": "application/json"}
GRAPHQL = "/admin/api/2026-07/graphql.json"


def shopify() -> Description:
    return graphql("shopify", "admin_2026-07.graphql")


ORDERS = """
query Orders($first: Int!, $words: String) {
  orders(first: $first, query: $words) {
    nodes { ...Sold }
    pageInfo { hasNextPage endCursor }
  }
}
fragment Sold on Order { id number: name createdAt totalPriceSet { shopMoney { amount currencyCode } } }
"""
SET_STOCK = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { field message } }
}
"""
QUANTITY = {"inventoryItemId": "gid://i/1", "locationId": "gid://l/1", "quantity": 3, "changeFromQuantity": None}
INPUT = {"name": "available", "reason": "correction", "quantities": [QUANTITY]}
ORDER = {
    "id": "gid://shopify/Order/1",
    "number": "#1",
    "createdAt": "2026-01-01T00:00:00Z",
    "totalPriceSet": {"shopMoney": {"amount": "10.00", "currencyCode": "EUR"}},
}


def asked(document: str, **variables: Any) -> bytes:
    return json.dumps({"query": document, "variables": variables}).encode()


def query_faults(body: bytes, *, path: str = GRAPHQL, method: str = "POST") -> str:
    return "; ".join(shopify().request_faults(method, path, [], JSON, body))


def data_faults(answer: Any, *, document: str = ORDERS, status: int = 200, **variables: Any) -> str:
    body = json.dumps(answer).encode()
    return "; ".join(shopify().answer_faults("POST", GRAPHQL, asked(document, **variables), status, JSON, body))


def orders(*nodes: Any) -> dict[str, Any]:
    return {"data": {"orders": {"nodes": list(nodes), "pageInfo": {"hasNextPage": False, "endCursor": None}}}}


def test_documents_that_the_schema_knows_pass() -> None:
    assert query_faults(asked(ORDERS, first=5)) == ""
    assert query_faults(asked(SET_STOCK, key="k-1", input=INPUT)) == ""
    assert shopify().operation("POST", GRAPHQL, asked(SET_STOCK)) == "mutation inventorySetQuantities"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (asked(ORDERS.replace("createdAt", "madeAt"), first=5), "Cannot query field 'madeAt'"),
        (asked(ORDERS, first="5"), "Int cannot represent"),
        (asked(ORDERS), "'$first'"),
        (asked(ORDERS, first=5, colour="red"), "$colour is given, but not declared"),
        (asked(SET_STOCK, key="k-1", input={**INPUT, "colour": 1}), "'colour'"),
        (asked(SET_STOCK, key="k-1", input={"name": "available", "quantities": []}), "'reason'"),
        (asked(SET_STOCK, key="k-1", input={**INPUT, "quantities": [{**QUANTITY, "quantity": 3.5}]}), "3.5"),
        (asked("{ orders(first: 5) { nodes { id } }"), "cannot be read"),
        (b"{}", "no `query`"),
        (json.dumps({"query": ORDERS, "variables": {"first": 5}, "colour": 1}).encode(), "colour"),
    ],
)
def test_documents_that_the_schema_does_not_know_are_named(body: bytes, words: str) -> None:
    assert words in query_faults(body)


def test_documents_are_taken_at_one_address_only() -> None:
    assert "by POST at" in query_faults(asked(ORDERS, first=5), path="/admin/api/2026-07/orders.json")
    assert "by POST at" in query_faults(asked(ORDERS, first=5), method="PUT")


def test_an_exact_amount_must_not_travel_as_a_number() -> None:
    document = "mutation($it: OrderCaptureInput!) { orderCapture(input: $it) { userErrors { message } } }"
    capture = {"id": "gid://o/1", "parentTransactionId": "gid://t/1", "amount": "10.50"}
    assert query_faults(asked(document, it=capture)) == ""
    assert "no decimal number" in query_faults(asked(document, it={**capture, "amount": 10.5}))


def test_answers_that_hold_what_was_asked_pass() -> None:
    assert data_faults(orders(ORDER), first=5) == ""
    assert data_faults({"data": None, "errors": [{"message": "Throttled", "extensions": {}}]}, first=5) == ""
    assert data_faults({"errors": "Invalid API key"}, status=401, first=5) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": None}, "nodes[0].number is null, and must not be"),
        ({"number": 1}, "nodes[0].number (String)"),
        ({"id": 1}, "nodes[0].id (ID)"),
        ({"colour": "red"}, "nodes[0].colour was not asked for"),
        ({"createdAt": "yesterday"}, "no moment"),
        ({"totalPriceSet": {"shopMoney": {"amount": 10.0, "currencyCode": "EUR"}}}, "no decimal number"),
        ({"totalPriceSet": {"shopMoney": {"amount": "10.00", "currencyCode": "EURO"}}}, "no value of CurrencyCode"),
        ({"totalPriceSet": {"shopMoney": {"amount": "10.00"}}}, "currencyCode was asked for, and is missing"),
        ({"totalPriceSet": []}, "is to be an object of MoneyBag"),
    ],
)
def test_answers_that_hold_anything_else_are_named(change: Mapping[str, Any], words: str) -> None:
    assert words in data_faults(orders({**ORDER, **change}), first=5)


def test_an_answer_is_data_or_errors_and_nothing_beside() -> None:
    assert "neither data nor an error" in data_faults({}, first=5)
    assert "'surprise' is not described" in data_faults({**orders(ORDER), "surprise": 1}, first=5)
    assert "no error: it has no message" in data_faults({"data": None, "errors": [{"code": 1}]}, first=5)


NODE = "query($id: ID!) { node(id: $id) { %s id ... on Order { name } ... on Product { title } } }"


def test_what_stands_in_a_fragment_is_asked_of_its_own_type_only() -> None:
    typed = NODE % "__typename"
    order = {"__typename": "Order", "id": "gid://o/1", "name": "#1"}
    assert data_faults({"data": {"node": order}}, document=typed, id="gid://o/1") == ""
    strange = {**order, "title": "Shirt"}
    assert "node.title was not asked for" in data_faults({"data": {"node": strange}}, document=typed, id="gid://o/1")
    without = {"__typename": "Order", "id": "gid://o/1"}
    assert "node.name was asked for" in data_faults({"data": {"node": without}}, document=typed, id="gid://o/1")
    unreal = {"__typename": "Money", "id": "gid://o/1"}
    assert "'Money' is no Node" in data_faults({"data": {"node": unreal}}, document=typed, id="gid://o/1")


def test_without_a_type_name_the_fields_of_fragments_may_be_there_or_not() -> None:
    untyped = NODE % ""
    assert data_faults({"data": {"node": {"id": "gid://o/1", "name": "#1"}}}, document=untyped, id="gid://o/1") == ""
    assert data_faults({"data": {"node": {"id": "gid://o/1"}}}, document=untyped, id="gid://o/1") == ""
    assert "node.name (String)" in data_faults(
        {"data": {"node": {"id": "gid://o/1", "name": 1}}}, document=untyped, id="gid://o/1"
    )
    assert "node.id was asked for" in data_faults({"data": {"node": {"name": "#1"}}}, document=untyped, id="gid://o/1")


def test_skipped_fields_are_not_asked_for() -> None:
    document = "query($full: Boolean!) { shop { id name @include(if: $full) } }"
    assert data_faults({"data": {"shop": {"id": "gid://s/1"}}}, document=document, full=False) == ""
    assert "name was asked for" in data_faults({"data": {"shop": {"id": "gid://s/1"}}}, document=document, full=True)
