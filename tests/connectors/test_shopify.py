"""Shopify: what the conformance suite cannot know of it. Real HTTP to the stand-in, judged by the published schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, NotSupported, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.platforms.shopify import Shopify
from finalmarket.connectors.records import (
    Address,
    CustomerContent,
    FulfilmentNotice,
    ListingContent,
    ListingRef,
    PriceLevel,
    RefundNotice,
    StockLevel,
)
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.shopify import (
    MAIN_LOCATION,
    cancellable_order,
    case,
    fulfilment,
    new_listings,
    ref_of,
    refund,
    seed_customers,
    seed_listings,
    seed_orders,
)
from tests.connectors.conformance.stage import Stage, always, on_a_double, staged

OUTLET = "gid://shopify/Location/7000000002"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def level(ref: ListingRef, quantity: int, shown: int | None, **changes: Any) -> StockLevel:
    facts = {"key": f"{ref.sku}-{quantity}", "location": MAIN_LOCATION, **changes}
    return StockLevel(ref=ref, quantity=quantity, shown=shown, **facts)


def shown(stage: Stage) -> dict[str, int]:
    found: dict[str, int] = stage.stand_in.shown_stock()
    return found


def sent(stage: Stage, operation: str) -> list[dict[str, Any]]:
    """The variables of every request for an operation."""
    return [
        json.loads(exchange.request_body)["variables"]
        for exchange in stage.watched.exchanges
        if exchange.operation == operation
    ]


# Stock.


def test_a_number_that_changed_there_meanwhile_is_not_overwritten(stage: Stage) -> None:
    first, second = seed_listings(stage.stand_in, 2)
    stage.stand_in.order((first.sku, 2))
    (stale,) = stage.connector.push_stock([level(first, 9, 5), level(second, 9, 5)])
    assert (stale.key, stale.code) == (first.key, "CHANGE_FROM_QUANTITY_STALE")
    assert shown(stage) == {first.sku: 3, second.sku: 9}


def test_after_asking_anew_the_number_goes_through(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.order((ref.sku, 2))
    stage.connector.push_stock([level(ref, 9, 5)])
    (found,) = stage.connector.pull_stock([ref], MAIN_LOCATION)
    assert stage.connector.push_stock([level(ref, 9, found.quantity)]) == []
    assert shown(stage) == {ref.sku: 9}


def test_where_nothing_is_known_of_what_is_shown_the_number_is_set_all_the_same(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    assert stage.connector.push_stock([level(ref, 9, None)]) == []
    assert shown(stage) == {ref.sku: 9}


def test_an_item_that_a_location_never_had_is_stocked_there(stage: Stage) -> None:
    known, new = seed_listings(stage.stand_in, 2)
    levels = [level(known, 8, 5), level(new, 4, 0, location=OUTLET)]
    assert stage.connector.push_stock(levels) == []
    assert shown(stage) == {known.sku: 8, new.sku: 5 + 4}
    (there,) = stage.connector.pull_stock([new], OUTLET)
    assert there.quantity == 4


def test_of_many_wrong_records_each_comes_back_with_its_own_reason(stage: Stage) -> None:
    good, dear, lost = seed_listings(stage.stand_in, 3)
    gone = replace(lost, ids={**lost.ids, "item": "gid://shopify/InventoryItem/1"})
    unknown = ListingRef(key="gid://shopify/ProductVariant/9", sku="X")
    levels = [
        level(gone, 1, 5), level(good, 7, 5), level(dear, 2_000_000_000, 5), level(unknown, 1, 0),
        level(good, 6, 5, location="gid://shopify/Location/1", key="elsewhere"),
    ]  # fmt: skip
    refused = {(each.key, each.code) for each in stage.connector.push_stock(levels)}
    assert refused == {
        (unknown.key, ""), (gone.key, "INVALID_INVENTORY_ITEM"), (dear.key, "INVALID_QUANTITY_TOO_HIGH"),
        (good.key, "INVALID_LOCATION"),
    }  # fmt: skip
    assert shown(stage)[good.sku] == 7


def test_the_same_try_has_the_same_key_and_another_one_another(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    for quantity, known in ((7, 5), (7, 5), (8, 7)):
        stage.connector.push_stock([level(ref, quantity, known, key=f"change to {quantity}")])
    first, again, other = (variables["key"] for variables in sent(stage, "mutation inventorySetQuantities"))
    assert first == again != other
    assert [entry.facts["quantity"] for entry in stage.world.journal.entries(what="effect", name="stock")] == [7, 8]


def test_a_try_that_failed_is_tried_anew_under_another_key(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.show(ref.sku, 6)
    (stale,) = stage.connector.push_stock([level(ref, 9, 5)])
    stage.stand_in.show(ref.sku, 5)
    assert stale.code == "CHANGE_FROM_QUANTITY_STALE"
    assert stage.connector.push_stock([level(ref, 9, 5)]) == []
    assert shown(stage) == {ref.sku: 9}


def test_errors_that_name_no_record_are_narrowed_down_to_it() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)["variables"]["input"]["quantities"]
        bad = any(one["quantity"] == 13 for one in asked)
        errors = [{"code": None, "field": ["input"], "message": "something is wrong"}] if bad else []
        payload = {"inventoryAdjustmentGroup": None, "userErrors": errors}
        return httpx2.Response(200, json={"data": {"inventorySetQuantities": payload}})

    refs = [ListingRef(key=f"V{n}", sku=f"S{n}", ids={"item": f"I{n}"}) for n in range(8)]
    levels = [level(ref, 13 if ref.key == "V5" else 1, None) for ref in refs]
    assert [each.key for each in on_a_double(case(), answer).push_stock(levels)] == ["V5"]


def test_without_a_location_the_only_one_is_meant_and_of_several_none(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    (refused,) = stage.connector.push_stock([level(ref, 9, 5, location="")])
    assert refused.code == "NO_LOCATION"
    stage.stand_in.state.locations[OUTLET]["is_active"] = False
    account = stage.connector.account
    assert stage.with_account(account).push_stock([level(ref, 9, 5, location="")]) == []
    named = replace(account, settings={**account.settings, "location": MAIN_LOCATION.rpartition("/")[2]})
    assert stage.with_account(named).push_stock([level(ref, 8, 9, location="")]) == []
    assert shown(stage) == {ref.sku: 8}


def test_stock_is_read_from_every_location_that_has_it_where_none_is_named(stage: Stage) -> None:
    one, two = seed_listings(stage.stand_in, 2)
    stage.stand_in.show(two.sku, 3, OUTLET)
    found = {(each.key, each.location): each.quantity for each in stage.connector.pull_stock([one, two])}
    assert found == {(one.key, MAIN_LOCATION): 5, (two.key, MAIN_LOCATION): 5, (two.key, OUTLET): 3}


def test_what_a_named_location_does_not_stock_shows_nothing_there(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    (found,) = stage.connector.pull_stock([ref], OUTLET)
    assert found.quantity == 0


def test_more_than_shopify_takes_at_once_is_refused_before_anything_is_sent(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    with pytest.raises(NotSupported):
        stage.connector.push_stock([level(ref, 1, 5)] * 251)
    assert stage.watched.exchanges == []


# Prices and listings.


def test_prices_go_out_product_by_product(stage: Stage) -> None:
    refs = seed_listings(stage.stand_in, 2)
    product = stage.stand_in.state.products[refs[0].ids["product"]]
    sister = ref_of(stage.stand_in, stage.stand_in.state.add_variant(product, sku="SISTER")["id"])
    prices = [PriceLevel(ref=ref, amount=Decimal("8.50"), currency="EUR", key=ref.sku) for ref in (*refs, sister)]
    assert stage.connector.push_prices(prices) == []
    assert [len(asked["variants"]) for asked in sent(stage, "mutation productVariantsBulkUpdate")] == [2, 1]


def test_a_price_below_zero_or_in_another_currency_is_refused_and_the_others_stand(stage: Stage) -> None:
    first, second, third = seed_listings(stage.stand_in, 3)
    prices = [
        PriceLevel(ref=first, amount=Decimal("-1"), currency="EUR", key="a"),
        PriceLevel(ref=second, amount=Decimal("9"), currency="USD", key="b"),
        PriceLevel(ref=third, amount=Decimal("9"), currency="EUR", key="c"),
    ]
    codes = {each.key: each.code for each in stage.connector.push_prices(prices)}
    assert codes == {first.key: "GREATER_THAN_OR_EQUAL_TO", second.key: "CURRENCY"}
    assert stage.stand_in.state.variants[third.key]["price"] == Decimal("9")


def test_a_new_listing_is_a_product_with_one_variant(stage: Stage) -> None:
    (content,) = new_listings(stage.stand_in, 1)
    (ref,) = stage.connector.push_listings([content])
    (page,) = stage.connector.pull_listings("")
    (record,) = page.records
    assert record.ref == ref
    assert (record.title, record.barcode, record.price) == (content.title, content.barcode, content.price)
    assert (record.is_available, record.attributes["brand"]) == (True, "Potter")
    assert "A mug.<br>For tea." in record.description


def test_a_listing_that_the_shop_has_under_that_sku_is_taken_over(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    content = ListingContent(ref=ListingRef(key="ours", sku=ref.sku), key="k", title="New name", is_available=False)
    (named,) = stage.connector.push_listings([content])
    assert named == ref
    product = stage.stand_in.state.products[ref.ids["product"]]
    assert (product["title"], product["status"]) == ("New name", "DRAFT")


def test_one_variant_of_many_does_not_rename_the_product_of_all(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    product = stage.stand_in.state.products[ref.ids["product"]]
    stage.stand_in.state.add_variant(product, sku="SISTER")
    content = ListingContent(
        ref=ref, key="k", title="Shirt M", is_available=False, price=Decimal("11"), currency="EUR", barcode="4006381"
    )
    stage.connector.push_listings([content])
    assert (product["title"], product["status"]) == ("Shirt 0", "ACTIVE")
    changed = stage.stand_in.state.variants[ref.key]
    assert (changed["price"], changed["barcode"]) == (Decimal("11"), "4006381")


def test_a_sku_that_two_variants_have_is_linked_by_a_person(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    product = stage.stand_in.state.products[ref.ids["product"]]
    stage.stand_in.state.add_variant(product, sku=ref.sku)
    (refused,) = stage.connector.push_listings(
        [ListingContent(ref=ListingRef(key="o", sku=ref.sku), key="k", title="T")]
    )
    assert isinstance(refused, Rejected)
    assert (refused.key, refused.code) == ("o", "SKU_TWICE")


def test_new_products_are_shown_on_the_sales_channels_of_the_settings(stage: Stage) -> None:
    account = stage.connector.account
    named = replace(account, settings={**account.settings, "publications": "online store, Nowhere"})
    (ref,) = stage.with_account(named).push_listings(new_listings(stage.stand_in, 1))
    (channel,) = stage.stand_in.state.products[ref.ids["product"]]["publications"]
    assert stage.stand_in.state.publications[channel]["name"] == "Online Store"


def test_a_product_whose_making_was_cut_off_is_shown_by_the_next_try(stage: Stage) -> None:
    account = stage.connector.account
    named = replace(account, settings={**account.settings, "publications": "Online Store"})
    contents = new_listings(stage.stand_in, 1)
    stage.connector.push_listings(contents)  # without sales channels: as far as a try that was cut off
    (ref,) = stage.with_account(named).push_listings(contents)
    assert len(stage.stand_in.state.products) == 1
    assert len(stage.stand_in.state.products[ref.ids["product"]]["publications"]) == 1


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


# Parcels.


def two_shirts(stage: Stage, **facts: Any) -> tuple[str, str]:
    """An order of two units; its id and its line's."""
    (ref,) = seed_listings(stage.stand_in, 1)
    order = stage.stand_in.state.orders[stage.stand_in.order((ref.sku, 2), **facts)]
    return order["id"], order["lines"][0]["id"]


def notice(order_id: str, line_id: str, units: int, stage: Stage, **changes: Any) -> FulfilmentNotice:
    facts = {"key": "parcel-1", "tracking_number": "JD014", "carrier": "DHL", **changes}
    return FulfilmentNotice(order_id=order_id, lines=((line_id, units),), shipped_at=stage.world.clock.now(), **facts)


def test_two_parcels_of_one_order_are_two_and_each_counts_once(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    first = notice(order_id, line_id, 1, stage)
    second = replace(first, key="parcel-2", tracking_number="JD015")
    told = [stage.connector.push_fulfilment(each) for each in (first, second, first, second)]
    assert told[0] != told[1]
    assert told[2:] == told[:2]
    assert len(stage.stand_in.state.orders[order_id]["fulfillments"]) == 2


def test_a_parcel_without_a_number_counts_once_too(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    first = notice(order_id, line_id, 1, stage, tracking_number="", carrier="")
    told = [stage.connector.push_fulfilment(first) for _ in range(2)]
    stage.time.advance(timedelta(hours=1))
    second = notice(order_id, line_id, 1, stage, tracking_number="", carrier="", key="parcel-2")
    told += [stage.connector.push_fulfilment(second) for _ in range(2)]
    assert told[0] == told[1] != told[2] == told[3]


def test_more_than_waits_is_refused(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    with pytest.raises(Rejected) as caught:
        stage.connector.push_fulfilment(notice(order_id, line_id, 3, stage))
    assert caught.value.code == "NOTHING_TO_FULFIL"
    assert caught.value.key == "parcel-1"


def test_a_parcel_that_names_no_lines_holds_all_that_waits(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    everything = replace(notice(order_id, line_id, 1, stage), lines=())
    stage.connector.push_fulfilment(everything)
    record = stage.connector.pull_order(order_id)
    assert record.fulfilments[0].lines == ((line_id, 2),)


def test_shopify_writes_to_the_customer_unless_the_settings_say_no(stage: Stage) -> None:
    account = stage.connector.account
    quiet = replace(account, settings={**account.settings, "notify_customers": "no"})
    for connector in (stage.connector, stage.with_account(quiet)):
        connector.push_fulfilment(fulfilment(stage.stand_in))
    said = [asked["fulfillment"]["notifyCustomer"] for asked in sent(stage, "mutation fulfillmentCreate")]
    assert said == [True, False]


def test_a_parcel_whose_news_was_lost_is_of_unknown_outcome_and_then_found() -> None:
    with staged(case()) as stage:
        stage.watched.answers_may_break = True
        told = fulfilment(stage.stand_in)
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_fulfilment(told)
        found = stage.connector.push_fulfilment(told)
        assert [each["id"] for each in stage.stand_in.state.orders[told.order_id]["fulfillments"]] == [found]


# Refunds and cancellations.


def test_a_refund_comes_back_with_the_order_and_restocks_nothing(stage: Stage) -> None:
    told = refund(stage.stand_in)
    before = shown(stage)
    refund_id = stage.connector.push_refund(told)
    record = stage.connector.pull_order(told.order_id)
    assert [(each.external_id, each.amount) for each in record.refunds] == [(refund_id, Decimal("10.00"))]
    assert record.refunds[0].reason.startswith("came back damaged (")
    assert record.lines[0].cancelled_quantity == 1
    assert shown(stage) == before


def test_a_refund_is_found_again_when_shopify_has_forgotten_its_key(stage: Stage) -> None:
    told = refund(stage.stand_in)
    first = stage.connector.push_refund(told)
    stage.time.advance(timedelta(days=3))
    assert stage.connector.push_refund(told) == first
    assert len(stage.stand_in.state.orders[told.order_id]["refunds"]) == 1


def test_a_refund_asked_for_again_on_a_stale_read_happens_once(stage: Stage) -> None:
    told = refund(stage.stand_in)
    stage.stand_in.remember()
    first = stage.connector.push_refund(told)
    stage.stand_in.faults.then(Fault.STALE_READ)
    assert stage.connector.push_refund(told) == first
    assert len(stage.stand_in.state.orders[told.order_id]["refunds"]) == 1


def test_what_was_authorised_first_goes_back_from_its_captures(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, is_paid=False)
    order = stage.stand_in.state.orders[order_id]
    (held,) = order["transactions"]
    captures = [
        stage.stand_in.state.pay(order, "CAPTURE", Decimal(amount), "shopify_payments", parent=held["id"])["id"]
        for amount in ("15.00", "9.90")
    ]
    stage.connector.push_refund(
        RefundNotice(
            key="r", order_id=order_id, payment_id=held["id"], amount=Decimal("20.00"), currency="EUR", reason="late"
        )
    )
    back = [(each["parent"], each["amount"]) for each in order["transactions"] if each["kind"] == "REFUND"]
    assert back == [(captures[0], Decimal("15.00")), (captures[1], Decimal("5.00"))]


def test_money_goes_back_in_the_buyers_currency_at_the_rate_of_the_payment(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, presentment="USD", rate=Decimal("1.25"))
    order = stage.stand_in.state.orders[order_id]
    told = RefundNotice(
        key="r", order_id=order_id, payment_id=order["transactions"][0]["id"], amount=Decimal("10.00"), currency="EUR"
    )
    stage.connector.push_refund(told)
    (asked,) = sent(stage, "mutation refundCreate")
    assert asked["input"]["currency"] == "USD"
    assert [each["amount"] for each in asked["input"]["transactions"]] == ["12.50"]
    assert stage.connector.pull_order(order_id).refunds[0].amount == Decimal("10.00")


def test_a_refund_in_a_currency_that_the_order_is_not_booked_in_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected) as caught:
        stage.connector.push_refund(replace(refund(stage.stand_in), currency="USD"))
    assert caught.value.code == "CURRENCY"


def test_a_cancelled_order_gives_back_no_money_by_itself_and_restocks_nothing(stage: Stage) -> None:
    order_id = cancellable_order(stage.stand_in)
    before = shown(stage)
    stage.connector.push_cancellation(order_id, "out of stock after all", "c-1")
    record = stage.connector.pull_order(order_id)
    assert record.is_cancelled
    assert (record.refunds, record.lines[0].cancelled_quantity) == ((), 1)
    assert shown(stage) == before
    assert stage.stand_in.state.orders[order_id]["cancel_reason"] == "INVENTORY"


def test_cancelling_lets_an_authorised_payment_go(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, is_paid=False)
    stage.connector.push_cancellation(order_id, "customer", "c-1")
    assert [tender.state for tender in stage.connector.pull_order(order_id).tenders] == ["voided"]


# Customers.


def ada(**changes: Any) -> CustomerContent:
    home = Address(name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")
    facts = {"key": "c", "name": "Ada Lovelace", "email": "ada@example.org", "address": home, **changes}
    return CustomerContent(**facts)


def test_a_customer_is_found_by_e_mail_and_changed(stage: Stage) -> None:
    known = stage.stand_in.state.add_customer(stage.world.clock.now(), email="ada@example.org", first="A.")
    assert stage.connector.push_customer(ada()) == known["id"]
    record = stage.connector.pull_customer(known["id"])
    assert (record.name, record.address.city) == ("Ada Lovelace", "Berlin")


def test_the_other_addresses_of_a_customer_are_left_alone(stage: Stage) -> None:
    addresses = [{"id": f"gid://shopify/MailingAddress/{n}", "address1": f"{n} Street"} for n in (1, 2)]
    known = stage.stand_in.state.add_customer(
        stage.world.clock.now(), email="ada@example.org", addresses=[dict(each) for each in addresses]
    )
    stage.connector.push_customer(ada())
    streets = [each["address1"] for each in stage.stand_in.state.customers[known["id"]]["addresses"]]
    assert streets == ["Hauptstr. 1", "2 Street"]


def test_consent_is_told_where_shopify_has_it_otherwise(stage: Stage) -> None:
    customer_id = stage.connector.push_customer(ada(accepts_email=False))
    consents = [stage.connector.pull_customer(customer_id).accepts_email]
    for said in (True, True, None, False):
        stage.connector.push_customer(ada(accepts_email=said))
        consents.append(stage.connector.pull_customer(customer_id).accepts_email)
    assert consents == [None, True, True, True, False]
    assert stage.effects()["consent"] == 2


def test_a_customer_whom_shopify_could_not_find_again_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected) as caught:
        stage.connector.push_customer(ada(email=""))
    assert caught.value.code == "NO_CONTACT"


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
