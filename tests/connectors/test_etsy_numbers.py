"""Numbers at Etsy: of variations, of what is sold out, and of listings of which nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import httpx2
import pytest

from finalmarket.connectors.errors import RetryLater
from finalmarket.connectors.records import ListingRef, PriceLevel, StockLevel
from tests.connectors.cases import etsy
from tests.connectors.conformance.stage import Stage, on_a_double, staged

TEN = Decimal("10.00")
PRICE = {"amount": 1000, "divisor": 100, "currency_code": "EUR"}
OFFERING = {"quantity": 3, "is_enabled": True, "price": PRICE, "readiness_state_id": None}
THREE_LEFT = {"products": [{"sku": "A", "property_values": [], "offerings": [OFFERING]}]}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(etsy.case()) as made:
        yield made


def stock(ref: ListingRef, quantity: int) -> StockLevel:
    """So many are to be shown."""
    return StockLevel(ref=ref, quantity=quantity, key=f"stock-{ref.key}-{quantity}")


def test_a_number_for_one_variation_leaves_the_other_as_it_is(stage: Stage) -> None:
    _, refs = etsy.shirts(stage)
    assert list(stage.connector.push_stock([stock(refs["SHIRT-M"], 9)])) == []
    assert stage.stand_in.shown_stock() == {"SHIRT-S": 4, "SHIRT-M": 9}
    shown = stage.connector.pull_stock(list(refs.values()))
    assert {record.sku: record.quantity for record in shown} == {"SHIRT-S": 4, "SHIRT-M": 9}


def test_two_numbers_for_one_listing_go_out_together(stage: Stage) -> None:
    name, refs = etsy.shirts(stage)
    levels = [stock(ref, 2) for ref in refs.values()]
    assert list(stage.connector.push_stock(levels)) == []
    assert sum(one.method == "PUT" for one in stage.watched.exchanges) == 1
    assert stage.stand_in.listing(name)["quantity"] == 4


def test_a_price_for_one_variation_lets_the_prices_differ(stage: Stage) -> None:
    name, refs = etsy.shirts(stage)
    level = PriceLevel(ref=refs["SHIRT-S"], amount=Decimal("8.95"), currency="EUR", key="k")
    assert list(stage.connector.push_prices([level])) == []
    prices = {one["sku"]: one["offerings"][0]["price"]["amount"] for _, one in stage.stand_in.products()}
    assert prices == {"SHIRT-S": 895, "SHIRT-M": 1000}
    assert stage.stand_in.state["inventories"][int(name)]["price_on_property"] == [100]


def test_a_price_of_another_currency_is_refused(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    (refused,) = stage.connector.push_prices([PriceLevel(ref=ref, amount=TEN, currency="USD", key="k")])
    assert (refused.key, "EUR" in refused.reason) == (ref.key, True)


def test_a_variation_that_is_gone_is_refused_and_the_other_stands(stage: Stage) -> None:
    _, refs = etsy.shirts(stage)
    gone = replace(refs["SHIRT-S"], key=refs["SHIRT-S"].key.partition(":")[0] + ":999")
    levels = [stock(gone, 1), stock(refs["SHIRT-M"], 1)]
    assert [error.key for error in stage.connector.push_stock(levels)] == [gone.key]
    assert stage.stand_in.shown_stock()["SHIRT-M"] == 1


def test_what_is_sold_out_is_renewed_when_there_is_stock_again(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    stage.stand_in.order((ref.sku, 5))
    for quantity in (0, 7):
        assert list(stage.connector.push_stock([stock(ref, quantity)])) == []
        assert stage.stand_in.shown_stock() == {ref.sku: quantity}
    assert stage.effects()["renewal"] == 1


def test_nothing_is_renewed_against_the_merchants_will(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    stage.stand_in.order((ref.sku, 5))
    account = replace(stage.connector.account, settings={**stage.connector.account.settings, "renew": "no"})
    thrifty = stage.with_account(account)
    for quantity in (0, 7):
        assert list(thrifty.push_stock([stock(ref, quantity)])) == []
    assert stage.stand_in.listing(ref.key)["state"] == "sold_out"
    assert stage.effects()["renewal"] == 0


def test_what_nothing_is_left_of_goes_off_sale_and_comes_back_with_its_stock(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    for quantity, state in ((0, "inactive"), (0, "inactive"), (7, "active")):
        assert list(stage.connector.push_stock([stock(ref, quantity)])) == []
        assert stage.stand_in.listing(ref.key)["state"] == state
        assert [record.quantity for record in stage.connector.pull_stock([ref])] == [quantity]
    assert stage.stand_in.shown_stock() == {ref.sku: 7}


def test_new_words_put_nothing_on_sale_of_which_nothing_is_left(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    (content,) = etsy.new_listings(stage.stand_in, 1)
    assert list(stage.connector.push_stock([stock(ref, 0)])) == []
    assert stage.connector.push_listings([replace(content, ref=ref, description="Of silk.")]) == [ref]
    listing = stage.stand_in.listing(ref.key)
    assert (listing["state"], listing["description"]) == ("inactive", "Of silk.")


def test_a_price_is_taken_of_what_nothing_is_left_and_leaves_it_off_sale(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    assert list(stage.connector.push_stock([stock(ref, 0)])) == []
    level = PriceLevel(ref=ref, amount=Decimal("8.95"), currency="EUR", key="k")
    assert list(stage.connector.push_prices([level])) == []
    listing = stage.stand_in.listing(ref.key)
    assert (listing["state"], listing["price"]["amount"]) == ("inactive", 895)


def test_the_last_variation_that_is_gone_takes_the_listing_off_sale_and_none_comes_back_with_another(
    stage: Stage,
) -> None:
    name, refs = etsy.shirts(stage)
    small, medium = refs["SHIRT-S"], refs["SHIRT-M"]
    for ref, state in ((small, "active"), (medium, "inactive")):
        assert list(stage.connector.push_stock([stock(ref, 0)])) == []
        assert stage.stand_in.listing(name)["state"] == state
    assert {record.quantity for record in stage.connector.pull_stock([small, medium])} == {0}
    assert list(stage.connector.push_stock([stock(small, 3)])) == []
    assert stage.stand_in.listing(name)["state"] == "active"
    assert stage.stand_in.shown_stock() == {"SHIRT-S": 3, "SHIRT-M": 0}


def test_what_the_merchant_took_off_with_its_stock_stays_off_when_that_changes(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    stage.stand_in.listing(ref.key)["state"] = "inactive"
    assert list(stage.connector.push_stock([stock(ref, 4)])) == []
    assert stage.stand_in.listing(ref.key)["state"] == "inactive"


def test_what_nothing_is_left_of_goes_off_sale_though_its_inventory_is_refused() -> None:
    sent: list[tuple[str, bytes]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.method, request.content))
        if request.method == "GET":
            return httpx2.Response(200, json=THREE_LEFT)
        if request.method == "PUT":
            return httpx2.Response(400, json={"error": "a processing profile is missing"})
        return httpx2.Response(200, json={"listing_id": 7, "state": "inactive"})

    (refused,) = on_a_double(etsy.case(), answer).push_stock([stock(etsy.ref_of("7", "A"), 0)])
    assert (refused.key, "processing profile" in refused.reason) == ("7", True)
    assert sent[-1] == ("PATCH", b"state=inactive")


def test_a_listing_that_somebody_else_changes_is_told_again_later() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        is_read = request.method == "GET"
        return httpx2.Response(200, json=THREE_LEFT) if is_read else httpx2.Response(409, json={"error": "busy"})

    level = stock(etsy.ref_of("7", "A"), 1)
    with pytest.raises(RetryLater):
        on_a_double(etsy.case(), answer).push_stock([level])


def test_stock_of_listings_is_told_though_one_of_them_is_gone(stage: Stage) -> None:
    refs = list(etsy.seed_listings(stage.stand_in, 2))
    gone = etsy.ref_of("999999", "GONE")
    shown = stage.connector.pull_stock([refs[0], gone, refs[1]])
    assert [record.key for record in shown] == [ref.key for ref in refs]
