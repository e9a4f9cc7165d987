"""Shopify: what comes in, whose shop it is, and how often it may be asked: what the conformance suite cannot know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.platforms.shopify import Shopify
from finalmarket.connectors.records import (
    ListingRef,
)
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.shopify import (
    case,
    seed_customers,
    seed_listings,
    seed_orders,
)
from tests.connectors.conformance.stage import Stage, always, on_a_double, staged
from tests.connectors.shopify_stage import level


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# Orders with long lists.


def test_an_order_longer_than_a_page_is_read_whole(stage: Stage) -> None:
    refs = seed_listings(stage.stand_in, 23)
    order_id = stage.stand_in.order(*((ref.sku, 2) for ref in refs))
    order = stage.stand_in.state.orders[order_id]
    stage.stand_in.state.add_shipping(order)
    for _ in range(3):
        stage.stand_in.state.add_shipping(order)
    units = [(line["id"], 1, "CANCEL") for line in order["lines"]]
    stage.stand_in.state.refund(order, stage.world.clock.now(), units, "half of it", [])
    stage.stand_in.state.fulfil(
        order, [(one, {}) for one in order["fulfillment_orders"]], stage.world.clock.now(), None
    )
    (page,) = stage.connector.pull_orders("", None)
    (record,) = page.records
    goods = [line for line in record.lines if line.kind == "goods"]
    assert {line.sku for line in goods} == {ref.sku for ref in refs}
    assert {line.cancelled_quantity for line in goods} == {1}
    assert len([line for line in record.lines if line.kind == "shipping"]) == 5
    assert len(record.fulfilments[0].lines) == 23
    assert replace(stage.connector.pull_order(order_id), raw={}) == replace(record, raw={})


def test_one_order_that_cannot_be_read_does_not_stop_the_others(stage: Stage) -> None:
    first, second, third = seed_orders(stage.stand_in, 3)
    stage.stand_in.state.orders[second]["said"] = {"processedAt": "in the afternoon"}
    stage.watched.answers_may_break = True
    (page,) = stage.connector.pull_orders("", None)
    assert [record.external_id for record in page.records] == [first, third]
    (unreadable,) = page.unreadable
    assert unreadable.external_id == second
    assert "ValueError" in unreadable.reason


def test_a_change_that_became_visible_late_comes_with_the_next_run(stage: Stage) -> None:
    first, second = seed_orders(stage.stand_in, 2)
    late = stage.stand_in.state.orders.pop(first)
    *_, page = stage.connector.pull_orders("", None)
    stage.stand_in.state.orders[first] = late
    found = [record.external_id for page in stage.connector.pull_orders(page.cursor, None) for record in page.records]
    assert found == [first, second]


def test_a_record_that_a_page_left_out_comes_with_the_next_run(stage: Stage) -> None:
    sown = set(seed_orders(stage.stand_in, 12))
    stage.stand_in.faults.then(Fault.MISSING_PAGE)
    pages = list(stage.connector.pull_orders("", None))
    came = {record.external_id for page in pages for record in page.records}
    assert len(sown - came) == 1
    came |= {
        record.external_id for page in stage.connector.pull_orders(pages[-1].cursor, None) for record in page.records
    }
    assert came == sown


def test_a_page_that_ended_is_found_again_by_the_moment_of_the_last_change(stage: Stage) -> None:
    sown = seed_orders(stage.stand_in, 30)
    pages = stage.connector.pull_orders("", None)
    came = [record.external_id for record in next(pages).records]
    stage.stand_in.faults.then(Fault.CURSOR_EXPIRED)
    came += [record.external_id for page in pages for record in page.records]
    assert list(dict.fromkeys(came)) == sown


def test_listings_whose_page_ended_go_on_from_the_last_id(stage: Stage) -> None:
    sown = [ref.key for ref in seed_listings(stage.stand_in, 120)]
    pages = stage.connector.pull_listings("")
    came = [record.ref.key for record in next(pages).records]
    stage.stand_in.faults.then(Fault.CURSOR_EXPIRED)
    came += [record.ref.key for page in pages for record in page.records]
    assert came == sown


def test_a_page_that_is_too_dear_is_asked_for_in_smaller_ones() -> None:
    sizes: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sizes.append(json.loads(request.content)["variables"]["first"])
        if sizes[-1] > 2:
            error = {"message": "Query cost is 1200", "extensions": {"code": "MAX_COST_EXCEEDED"}}
            return httpx2.Response(200, json={"errors": [error]})
        page = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
        return httpx2.Response(200, json={"data": {"orders": page}})

    connector = on_a_double(case(), answer)
    assert [page.records for page in connector.pull_orders("", None)] == [()]
    list(connector.pull_orders("", None))
    assert sizes == [7, 3, 1, 1]


def test_customers_of_a_whole_day_come_again_and_none_is_missed(stage: Stage) -> None:
    first = seed_customers(stage.stand_in, 3)
    *_, last = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(days=2))
    second = seed_customers(stage.stand_in, 2)
    found = [
        record.external_id for page in stage.connector.pull_customers(last.cursor, None) for record in page.records
    ]
    assert [name for name in found if name not in first] == list(second)


# Whose shop, and how often it may be asked.


def test_an_app_without_a_right_that_we_need_is_named(stage: Stage) -> None:
    stage.stand_in.state.scopes = ("write_orders", "write_products", "read_inventory")
    with pytest.raises(NeedsAttention) as caught:
        stage.connector.check()
    assert "write_inventory" in caught.value.reason
    assert "read_orders" not in caught.value.reason


@pytest.mark.parametrize("shop", ["", "evil.example.com", "shop.myshopify.com.evil.example", "a/b", "x@y", "shop_1"])
def test_the_token_goes_to_no_address_that_is_not_shopifys(shop: str) -> None:
    account = replace(case().account(""), settings={"shop": shop})
    transport = httpx2.MockTransport(lambda request: pytest.fail(f"asked {request.url}"))
    with pytest.raises(NeedsAttention):
        Shopify(account, transport=transport).check()


@pytest.mark.parametrize(
    "shop", ["practice-shop", "https://Practice-Shop.myshopify.com/", "practice-shop.myshopify.com"]
)
def test_the_shop_may_be_entered_as_people_write_it(shop: str) -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(f"{request.url.scheme}://{request.url.host}{request.url.path}")
        return httpx2.Response(401, json={"errors": "no"})

    account = Account({"client_id": "i" * 9, "client_secret": "s" * 9, "access_token": "t" * 9}, {"shop": shop})
    with pytest.raises(NeedsAttention):
        Shopify(account, transport=httpx2.MockTransport(answer)).check()
    assert seen == ["https://practice-shop.myshopify.com/admin/api/2026-07/graphql.json"]


class Learning:
    """A budget that only listens."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.learned: list[dict[str, float | None]] = []

    def take(self, bucket: str, rate: Any, cost: float) -> None:
        self.taken.append(cost)

    def learn(self, bucket: str, **told: float | None) -> None:
        self.learned.append(told)


def test_the_points_that_an_answer_tells_are_learned(stage: Stage) -> None:
    budget = Learning()
    connector = Shopify(stage.connector.account, budget=budget, transport=stage.watched)
    connector.check()
    connector.check()
    assert budget.learned[0] == {"per_second": 100.0, "capacity": 2000.0, "left": 1997.0}
    assert budget.taken == [10.0, 3.0]  # guessed, then as Shopify counted


def test_a_throttled_call_waits_until_there_are_enough_points_for_it(stage: Stage) -> None:
    budget = Learning()
    connector = Shopify(stage.connector.account, budget=budget, transport=stage.watched)
    stage.stand_in._buckets[""].left = 100.0
    with pytest.raises(RetryLater) as caught:
        list(connector.pull_orders("", None))
    assert caught.value.code == "THROTTLED"
    assert caught.value.retry_after == pytest.approx((919 - 100) / 100)
    assert budget.learned == [{"per_second": 100.0, "capacity": 2000.0, "left": 100.0}]
    stage.time.advance(timedelta(seconds=caught.value.retry_after or 0))
    assert [page.records for page in connector.pull_orders("", None)] == [()]


@pytest.mark.parametrize(
    ("code", "of_a_query", "of_a_mutation"),
    [
        ("THROTTLED", RetryLater, RetryLater),
        ("INTERNAL_SERVER_ERROR", RetryLater, OutcomeUnknown),
        ("ACCESS_DENIED", NeedsAttention, NeedsAttention),
        ("SHOP_INACTIVE", NeedsAttention, NeedsAttention),
        ("undefinedField", Rejected, Rejected),
        (None, Rejected, Rejected),
    ],
)
def test_errors_under_status_200_have_their_consequences(
    code: str | None, of_a_query: type[Exception], of_a_mutation: type[Exception]
) -> None:
    error: dict[str, Any] = {"message": "no", "extensions": {"code": code} if code else {}}
    connector = on_a_double(case(), always(200, json.dumps({"errors": [error]}).encode()))
    with pytest.raises(of_a_query) as asked:
        connector.ask("Check")
    with pytest.raises(of_a_mutation) as changed:
        connector.change("Fulfil", {})
    assert (type(asked.value), type(changed.value)) == (of_a_query, of_a_mutation)


def test_of_several_errors_the_gravest_decides() -> None:
    errors = [{"message": "odd"}, {"message": "denied", "extensions": {"code": "ACCESS_DENIED"}}]
    connector = on_a_double(case(), always(200, json.dumps({"errors": errors}).encode()))
    with pytest.raises(NeedsAttention, match="odd; denied"):
        connector.ask("Check")


def test_a_mutation_whose_answer_says_nothing_may_have_happened() -> None:
    connector = on_a_double(case(), always(200, b'{"data": {"fulfillmentCreate": null}}'))
    with pytest.raises(OutcomeUnknown):
        connector.change("Fulfil", {})


def test_a_key_that_is_still_worked_on_elsewhere_is_waited_for() -> None:
    errors = [{"code": "IDEMPOTENCY_CONCURRENT_REQUEST", "field": None, "message": "busy"}]
    answer = {"data": {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": errors}}}
    connector = on_a_double(case(), always(200, json.dumps(answer).encode()))
    ref = ListingRef(key="V", sku="S", ids={"item": "I"})
    with pytest.raises(RetryLater):
        connector.push_stock([level(ref, 1, 0)])
