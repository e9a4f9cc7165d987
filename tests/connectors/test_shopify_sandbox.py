"""The stand-in of Shopify: it counts points, keeps keys and refuses what Shopify refuses; its shoppers add up."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.records import ListingRef, StockLevel
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.shopify import ShopifyStandIn
from finalmarket.sandbox.platforms.shopify.query_language import Projector, QueryFault, read_document, settle_variables
from finalmarket.sandbox.platforms.shopify.server import ACCESS_TOKEN
from finalmarket.sandbox.world import World
from tests.connectors.cases.shopify import MAIN_LOCATION, case, seed_listings
from tests.connectors.conformance.stage import Stage, staged

PATH = "/admin/api/2026-07/graphql.json"
SET_STOCK = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}"""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def post(stage: Stage, query: str, variables: dict[str, Any] | None = None, **changes: Any) -> httpx2.Response:
    """Ask the stand-in over HTTP as anybody might."""
    headers = {"X-Shopify-Access-Token": ACCESS_TOKEN, "Content-Type": "application/json"}
    headers |= changes.get("headers", {})
    path = changes.get("path", PATH)
    body = {"query": query, "variables": variables or {}}
    return httpx2.post(stage.address + path, json=body, headers=headers, trust_env=False)


def errors(answer: httpx2.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


def setting(ref: ListingRef, quantity: int, key: str, **changes: Any) -> dict[str, Any]:
    """The variables of SET_STOCK."""
    one = {
        "inventoryItemId": ref.ids["item"], "locationId": MAIN_LOCATION, "quantity": quantity,
        "changeFromQuantity": None, **changes,
    }  # fmt: skip
    return {"input": {"name": "available", "reason": "correction", "quantities": [one]}, "key": key}


# The door.


def test_without_a_good_token_nobody_is_let_in(stage: Stage) -> None:
    for token in ("", "shpat_wrong"):
        assert post(stage, "{ shop { name } }", headers={"X-Shopify-Access-Token": token}).status_code == 401


def test_another_version_or_kind_of_content_is_refused(stage: Stage) -> None:
    assert post(stage, "{ shop { name } }", path="/admin/api/2019-04/graphql.json").status_code == 404
    assert post(stage, "{ shop { name } }", headers={"Content-Type": "text/plain"}).status_code == 415


def test_what_is_asked_for_is_answered_and_nothing_else(stage: Stage) -> None:
    answer = post(stage, "query A { whose: shop { name } shop { currencyCode } }").json()
    assert answer["data"] == {"whose": {"name": "Practice Shop"}, "shop": {"currencyCode": "EUR"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ shop { nonsense } }", "undefinedField"),
        ("{ nonsense }", "undefinedField"),
        ("mutation { nonsense { id } }", "undefinedField"),
        ("{ shop { ...Gone } }", "undefinedFragment"),
        ("{ shop { name }", "BAD_REQUEST"),
        ("{ shop }", "BAD_REQUEST"),
        ("query A($id: ID!) { order(id: $id) { id } }", "INVALID_VARIABLE"),
        ("{ orders(first: 251, sortKey: UPDATED_AT) { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(sortKey: UPDATED_AT) { nodes { id } } }", "BAD_REQUEST"),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_a_word(stage: Stage, query: str, code: str) -> None:
    assert errors(post(stage, query)) == [code]


def test_a_variable_that_is_not_declared_is_refused(stage: Stage) -> None:
    assert errors(post(stage, "query A { shop { name } }", {"surplus": 1})) == ["INVALID_VARIABLE"]


# Points.


def test_points_are_spent_and_come_back_with_time(stage: Stage) -> None:
    def left() -> int:
        answer = post(stage, "{ shop { name } }").json()
        return int(answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"])

    assert [left(), left()] == [1999, 1998]
    stage.time.advance(timedelta(seconds=1))
    assert left() == 1999


def test_only_what_came_is_paid_in_the_end(stage: Stage) -> None:
    query = "{ orders(first: 100, sortKey: UPDATED_AT) { nodes { id customer { id } } } }"
    cost = post(stage, query).json()["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (202, 1)
    assert cost["throttleStatus"]["currentlyAvailable"] == 1999


def test_who_has_too_few_points_is_throttled_and_told_the_state(stage: Stage) -> None:
    stage.stand_in._buckets[""].left = 150.0
    answer = post(stage, "{ orders(first: 100, sortKey: UPDATED_AT) { nodes { id customer { id } } } }")
    assert (answer.status_code, errors(answer)) == (200, ["THROTTLED"])
    cost = answer.json()["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (202, None)
    assert cost["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": 150, "restoreRate": 100.0}


def test_a_single_query_above_a_thousand_points_is_refused_and_costs_nothing(stage: Stage) -> None:
    query = "{ orders(first: 250, sortKey: UPDATED_AT) { nodes { lineItems(first: 5) { nodes { id } } } } }"
    answer = post(stage, query)
    assert errors(answer) == ["MAX_COST_EXCEEDED"]
    assert stage.stand_in._buckets[""].left == 2000.0


# Keys and limits.


def test_a_key_is_taken_once_and_shows_what_it_made(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    first = post(stage, SET_STOCK, setting(ref, 7, "key-1")).json()["data"]
    stage.stand_in.show(ref.sku, 2)
    again = post(stage, SET_STOCK, setting(ref, 7, "key-1")).json()["data"]
    assert first == again
    assert stage.stand_in.shown_stock() == {ref.sku: 2}


@pytest.mark.parametrize(
    ("earlier", "now", "code"),
    [
        ({"changeFromQuantity": 5}, {"changeFromQuantity": 4}, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),
        ({"changeFromQuantity": 9}, {"changeFromQuantity": 9}, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"),
    ],
    ids=["another body", "it failed"],
)
def test_a_key_that_was_used_is_good_for_nothing_else(
    stage: Stage, earlier: dict[str, int], now: dict[str, int], code: str
) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    post(stage, SET_STOCK, setting(ref, 7, "key-1", **earlier))
    (error,) = post(stage, SET_STOCK, setting(ref, 7, "key-1", **now)).json()["data"]["inventorySetQuantities"][
        "userErrors"
    ]
    assert error["code"] == code


def test_a_key_is_forgotten_after_a_day(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    post(stage, SET_STOCK, setting(ref, 7, "key-1"))
    stage.time.advance(timedelta(hours=25))
    answer = post(stage, SET_STOCK, setting(ref, 8, "key-1")).json()
    assert answer["data"]["inventorySetQuantities"]["userErrors"] == []
    assert stage.stand_in.shown_stock() == {ref.sku: 8}


def test_stock_without_a_key_is_refused(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    bare = SET_STOCK.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    variables = setting(ref, 7, "")
    variables.pop("key")
    assert errors(post(stage, bare, variables)) == ["BAD_REQUEST"]


def test_stock_is_set_in_full_or_not_at_all(stage: Stage) -> None:
    first, second = seed_listings(stage.stand_in, 2)
    variables = setting(first, 7, "key-1")
    variables["input"]["quantities"].append(
        {"inventoryItemId": second.ids["item"], "locationId": MAIN_LOCATION, "quantity": 7, "changeFromQuantity": 1}
    )
    (error,) = post(stage, SET_STOCK, variables).json()["data"]["inventorySetQuantities"]["userErrors"]
    assert (error["code"], error["field"][:3]) == ("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "1"])
    assert set(stage.stand_in.shown_stock().values()) == {5}


def test_a_list_of_more_than_250_is_refused(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    variables = setting(ref, 7, "key-1")
    variables["input"]["quantities"] *= 251
    assert errors(post(stage, SET_STOCK, variables)) == ["MAX_INPUT_SIZE_EXCEEDED"]


def test_an_answer_that_was_never_applied_leaves_no_key_behind() -> None:
    with staged(case()) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        level = StockLevel(ref=ref, quantity=7, key="k", location=MAIN_LOCATION, shown=5)
        stage.stand_in.faults.then(Fault.NOT_APPLIED)
        assert stage.connector.push_stock([level]) == []
        assert stage.stand_in.shown_stock() == {ref.sku: 5}
        assert stage.connector.push_stock([level]) == []
        assert stage.stand_in.shown_stock() == {ref.sku: 7}


# Shoppers.


def busy_shop(seed: int, shoppers: int) -> ShopifyStandIn:
    stand_in = ShopifyStandIn(World(seed))
    stand_in.world.clock.stand_still()
    for number in range(12):
        stand_in.add_listing(f"SKU-{number}", f"Shirt {number}", Decimal("19.90") + number, 15, size="M")
    chance = random.Random(seed)
    for _ in range(shoppers):
        stand_in.world.clock.advance(timedelta(seconds=1))
        stand_in.shop(chance)
    return stand_in


@pytest.mark.parametrize("seed", range(5))
def test_shoppers_take_only_what_is_shown_and_every_unit_is_accounted_for(seed: int) -> None:
    stand_in = busy_shop(seed, 120)
    gone = dict.fromkeys(stand_in.listings(), 0)
    for sale in stand_in.sold().values():
        for sku, units in sale["lines"].items():
            gone[sku] += 0 if sale["is_cancelled"] else units
    assert stand_in.shown_stock() == {sku: 15 - units for sku, units in gone.items()}
    assert min(stand_in.shown_stock().values()) >= 0


def test_shoppers_of_one_seed_buy_the_same() -> None:
    one, same, other = busy_shop(3, 40), busy_shop(3, 40), busy_shop(4, 40)
    assert list(one.sold().values()) == list(same.sold().values()) != list(other.sold().values())


def test_the_journal_tells_of_every_order(stage: Stage) -> None:
    stand_in = busy_shop(1, 60)
    told = stand_in.world.journal.entries(what="effect", name="order")
    assert [entry.facts["id"] for entry in told] == list(stand_in.sold())


def test_what_shoppers_buy_is_read_to_the_cent(stage: Stage) -> None:
    seed_listings(stage.stand_in, 20)
    for _ in range(40):
        stage.time.advance(timedelta(seconds=1))
        stage.stand_in.shop(stage.world.chance)
    records = [record for page in stage.connector.pull_orders("", None) for record in page.records]
    truth = stage.stand_in.sold()
    assert {record.external_id for record in records} == set(truth)
    for record in records:
        lines = sum((line.quantity * line.unit_price - line.discount for line in record.lines), Decimal(0))
        assert lines == record.total == truth[record.external_id]["total"]
        assert sum((tender.amount for tender in record.tenders), Decimal(0)) == record.total
        assert sum((back.amount for back in record.refunds), Decimal(0)) == truth[record.external_id]["refunded"]
        assert record.is_cancelled == truth[record.external_id]["is_cancelled"]
        goods = [line for line in record.lines if line.kind == "goods"]
        assert all(line.cancelled_quantity == (line.quantity if record.is_cancelled else 0) for line in goods)
    assert any(record.handed_over for record in records)
    assert any(not record.handed_over for record in records)


def test_what_a_shop_holds_can_be_kept_and_taken_up_again() -> None:
    stand_in = busy_shop(2, 30)
    kept = pickle.loads(pickle.dumps(stand_in.state))
    assert kept == stand_in.state


def test_listings_carry_their_attributes(stage: Stage) -> None:
    stage.stand_in.add_listing("S", "Shirt", Decimal("9"), 1, "4006381333931", brand="Weaver", size="M", colour="red")
    (page,) = stage.connector.pull_listings("")
    (record,) = page.records
    assert record.attributes == {"brand": "Weaver", "size": "M", "colour": "red"}
    assert (record.title, record.barcode) == ("Shirt - M / red", "4006381333931")


# The language.


def picked(text: str, value: dict[str, Any], **given: Any) -> Any:
    document = read_document(text)
    operation = document.operation(None)
    projector = Projector(document, settle_variables(operation, given))
    return projector.pick({"__typename": "QueryRoot", **value}, operation.selections)


def test_aliases_fragments_and_types_are_followed() -> None:
    animals = [{"__typename": "Cat", "name": "Mia", "lives": 9}, {"__typename": "Dog", "name": "Rex", "tricks": 2}]
    text = """
      query A { all: animals { __typename ...Named ... on Cat { lives } ... on Dog { tricks } } }  # both kinds
      fragment Named on Cat { called: name }
    """
    assert picked(text, {"animals": animals}) == {
        "all": [{"__typename": "Cat", "called": "Mia", "lives": 9}, {"__typename": "Dog", "tricks": 2}]
    }


def test_arguments_are_worked_out_with_variables_and_their_defaults() -> None:
    text = """query A($n: Int = 2, $t: [String!]!) {
      echo(n: $n, list: [$t, "a \\"b\\"", -1, 1.5, true, null, WORD], of: {deep: $n})
    }"""
    echo: dict[str, Any] = {"echo": lambda arguments: [arguments["n"], *arguments["list"], arguments["of"]]}
    assert picked(text, echo, t=["x"]) == {
        "echo": [2, ["x"], 'a "b"', -1, 1.5, True, None, "WORD", {"deep": 2}]
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["{", "query A($x: ) { a }", "{ a(b: ) }", "query { a } }", "{ a(b: \x01) }", "nonsense"]
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(QueryFault):
        read_document(text)
