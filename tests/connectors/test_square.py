"""Square: what the conformance suite cannot know of it, over HTTP against its stand-in."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.errors import NeedsAttention, Rejected
from finalmarket.connectors.platforms.square import Square
from finalmarket.connectors.records import (
    CustomerContent,
    FulfilmentNotice,
    ListingContent,
    ListingRef,
    OrderRecord,
    Page,
    PriceLevel,
    StockLevel,
)
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms import square as stand_in
from finalmarket.sandbox.platforms.square.doors import APPLICATION_ID
from tests.connectors.cases.square import (
    account,
    case,
    fulfilment,
    online_order,
    price_of,
    refund,
    seed_customers,
    seed_listings,
    seed_orders,
    stock_of,
)
from tests.connectors.conformance.stage import START, Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Square with its stand-in; at the end nothing may have been against the published description."""
    with staged(case()) as made:
        yield made


def orders(pages: Iterator[Page[OrderRecord]]) -> list[OrderRecord]:
    return [record for page in pages for record in page.records]


def told(ref: ListingRef, quantity: int, key: str = "stock-1") -> StockLevel:
    return StockLevel(ref=ref, quantity=quantity, key=key)


# What comes in.


def test_a_sale_at_the_till_comes_in_as_handed_over_and_leaves_less_in_stock(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.order((ref.sku, 2), tender="CASH")
    (record,) = orders(stage.connector.pull_orders("", None))
    assert record.handed_over
    assert (record.place, record.location) == (stand_in.MAIN, stand_in.MAIN)
    assert [(one.listing_id, one.quantity) for one in record.lines] == [(ref.key, 2)]
    assert [(one.tender, one.amount, one.state) for one in record.tenders] == [("cash", Decimal("20.00"), "captured")]
    assert stage.connector.pull_stock([ref])[0].quantity == 3


def test_an_online_order_comes_in_open_with_where_it_goes(stage: Stage) -> None:
    order = online_order(stage.stand_in)
    (record,) = orders(stage.connector.pull_orders("", None))
    assert not record.handed_over
    assert record.email == order["fulfillments"][0]["shipment_details"]["recipient"]["email_address"]
    assert (record.shipping_address.city, record.shipping_address.country) == ("Dublin", "IE")
    assert {one.kind for one in record.lines} == {"goods", "shipping"}
    assert stage.connector.pull_customer(record.customer_id).email == record.email


def test_money_given_back_stands_on_its_sale_whichever_way_it_is_asked_for(stage: Stage) -> None:
    sale = seed_orders(stage.stand_in, 1)[0]
    *_, last = stage.connector.pull_orders("", None)
    stage.time.advance(timedelta(hours=3))
    payment = stage.stand_in.state.payments[stage.stand_in.state.orders[sale]["tenders"][0]["payment_id"]]
    made = stage.stand_in.give_back(payment, 250, "cold")
    (streamed,) = orders(stage.connector.pull_orders(last.cursor, None))
    asked = [stage.connector.pull_order(name) for name in (sale, made["order_id"])]
    for record in (streamed, *asked):
        assert record.external_id == sale
        assert [(one.amount, one.reason) for one in record.refunds] == [(Decimal("2.50"), "cold")]
        assert record.refunds == streamed.refunds
        assert record.version == streamed.version


def test_a_refund_that_we_asked_for_comes_back_under_the_name_that_we_know(stage: Stage) -> None:
    notice = refund(stage.stand_in)
    name = stage.connector.push_refund(notice)
    (record,) = orders(stage.connector.pull_orders("", None))
    assert [(one.external_id, one.amount) for one in record.refunds] == [(name, notice.amount)]


def test_nothing_is_delivered_twice_and_what_the_index_showed_late_is_not_lost(stage: Stage) -> None:
    seed_orders(stage.stand_in, 3)
    *_, last = stage.connector.pull_orders("", None)
    late = stage.stand_in.order(("PLENTY", 1), at=stage.stand_in.now() - timedelta(minutes=2))
    *_, next_page = pages = list(stage.connector.pull_orders(last.cursor, None))
    assert [record.external_id for page in pages for record in page.records] == [late]
    assert orders(stage.connector.pull_orders(next_page.cursor, None)) == []


def test_the_cursor_of_a_quiet_stream_stays_as_it_is(stage: Stage) -> None:
    seed_orders(stage.stand_in, 2)
    *_, last = stage.connector.pull_orders("", None)
    stage.time.advance(timedelta(hours=1))
    *_, quiet = stage.connector.pull_orders(last.cursor, None)
    stage.time.advance(timedelta(hours=1))
    *_, quieter = stage.connector.pull_orders(quiet.cursor, None)
    assert quieter.cursor == quiet.cursor


def test_a_walk_goes_on_where_it_was_when_squares_cursor_has_ended(stage: Stage) -> None:
    sown = seed_orders(stage.stand_in, 150)
    stage.time.advance(timedelta(days=1))
    first = next(stage.connector.pull_orders("", None))
    stage.time.advance(timedelta(hours=2))
    rest = orders(stage.connector.pull_orders(first.cursor, None))
    assert [record.external_id for record in (*first.records, *rest)] == list(sown)


def test_more_locations_than_one_search_takes_are_all_asked(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    found = stage.stand_in.find(ref.sku)
    made = set()
    for number in range(23):
        place = stage.stand_in.add_location(f"Shop {number}")
        stage.time.advance(timedelta(seconds=1))
        made.add(stage.stand_in.ring_up([(found, 1)], place)["id"])
    *_, last = pages = list(stage.connector.pull_orders("", None))
    assert {record.external_id for page in pages for record in page.records} == made
    stage.time.advance(timedelta(minutes=30))
    newest = stage.stand_in.ring_up([(found, 1)], place)["id"]
    assert [record.external_id for record in orders(stage.connector.pull_orders(last.cursor, None))] == [newest]


def test_a_customer_who_changes_comes_again_and_one_who_is_deleted_is_gone(stage: Stage) -> None:
    first, second = seed_customers(stage.stand_in, 2)
    *_, last = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(minutes=1))
    stage.connector.push_customer(
        CustomerContent(key="c-1", external_id=first, name="Ann B. Able", phone="+353871234567")
    )
    (changed,) = [record for page in stage.connector.pull_customers(last.cursor, None) for record in page.records]
    assert (changed.external_id, changed.name, changed.email) == (first, "Ann B. Able", "ann0@example.org")
    stage.connector.http.call("DELETE", f"/v2/customers/{second}")
    assert stage.connector.pull_customer(second) is None


def test_only_what_changed_in_the_catalogue_comes_from_the_last_cursor_on(stage: Stage) -> None:
    refs = seed_listings(stage.stand_in, 3)
    *_, last = stage.connector.pull_listings("")
    stage.time.advance(timedelta(minutes=1))
    stage.connector.push_prices([PriceLevel(ref=refs[1], amount=Decimal("12.00"), currency="EUR", key="p")])
    changed = [record for page in stage.connector.pull_listings(last.cursor) for record in page.records]
    assert [(record.ref, record.price) for record in changed] == [(refs[1], Decimal("12.00"))]


# Stock.


def test_the_same_number_told_again_later_does_not_undo_a_sale_in_between(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    assert stage.connector.push_stock([told(ref, 7)]) == []
    stage.time.advance(timedelta(seconds=30))
    stage.stand_in.order((ref.sku, 2))
    stage.time.advance(timedelta(seconds=30))
    assert stage.connector.push_stock([told(ref, 7)]) == []
    assert stock_of(stage.stand_in, ref) == 5


def test_a_key_that_was_used_up_without_effect_loses_no_number(stage: Stage) -> None:
    first, second = seed_listings(stage.stand_in, 2)
    levels = [told(first, 7, "stock-1"), told(second, 9, "stock-2")]
    stage.connector.push_stock(levels)
    gone = [change for change in stage.stand_in.state.changes if change["catalog_object_id"] == second.key]
    for change in gone:
        stage.stand_in.state.changes.remove(change)
    stage.stand_in.show(second.sku, 1)
    stage.time.advance(timedelta(seconds=30))
    assert stage.connector.push_stock(levels) == []
    assert stock_of(stage.stand_in, second) == 9


def test_a_number_told_after_a_sale_stands_and_a_sale_after_it_is_taken_off(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.order((ref.sku, 2))
    stage.time.advance(timedelta(seconds=1))
    stage.connector.push_stock([told(ref, 5, "again-five")])
    assert stock_of(stage.stand_in, ref) == 5
    stage.time.advance(timedelta(seconds=1))
    stage.stand_in.order((ref.sku, 1))
    assert stock_of(stage.stand_in, ref) == 4


def test_without_a_chosen_location_an_account_with_several_needs_attention(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.add_location("Second Street")
    undecided = stage.with_account(replace(account(stage.address), settings={"application_id": APPLICATION_ID}))
    with pytest.raises(NeedsAttention, match="2 open locations"):
        undecided.push_stock([told(ref, 7)])
    undecided.close()


# The catalogue.


class Meanwhile(httpx2.BaseTransport):
    """Lets something happen on the platform just before requests of one kind get there, so many times."""

    def __init__(self, wire: httpx2.BaseTransport, method: str, path: str, happens: Any, times: int) -> None:
        self._wire, self._method, self._path = wire, method, path
        self._happens, self._left = happens, times

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._left and request.method == self._method and self._path in request.url.path:
            self._left -= 1
            self._happens()
        return self._wire.handle_request(request)


def meanwhile(stage: Stage, method: str, path: str, happens: Any, *, times: int = 1) -> Square:
    """The connector, while somebody else is at work there too."""
    return Square(
        account(stage.address), budget=stage.time, transport=Meanwhile(stage.watched, method, path, happens, times)
    )


def rename(stage: Stage, ref: ListingRef, name: str) -> None:
    """The merchant changes an item in Square's own dashboard."""
    item = stage.stand_in.state.items[ref.ids["item"]]
    item["item_data"]["name"] = name
    stage.stand_in._touch(item)
    stage.stand_in._touch(stage.stand_in.variation(ref.key))


def test_a_price_lands_on_top_of_what_the_merchant_changed_meanwhile(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    connector = meanwhile(stage, "POST", "/batch-upsert", lambda: rename(stage, ref, "Renamed"))
    assert connector.push_prices([PriceLevel(ref=ref, amount=Decimal("8.00"), currency="EUR", key="p")]) == []
    assert price_of(stage.stand_in, ref) == Decimal("8.00")
    assert stage.stand_in.state.items[ref.ids["item"]]["item_data"]["name"] == "Renamed"


def test_a_price_whose_variation_changes_every_time_is_set_aside(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    connector = meanwhile(stage, "POST", "/batch-upsert", lambda: rename(stage, ref, "Renamed"), times=9)
    (refused,) = connector.push_prices([PriceLevel(ref=ref, amount=Decimal("8.00"), currency="EUR", key="p")])
    assert (refused.key, refused.code) == (ref.key, "VERSION_MISMATCH")
    assert price_of(stage.stand_in, ref) == Decimal("10.00")


def test_a_price_leaves_the_rest_of_the_variation_alone(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    data = stage.stand_in.variation(ref.key)["item_variation_data"]
    data["location_overrides"] = [{"location_id": stand_in.MAIN, "track_inventory": True, "sold_out": False}]
    before = {name: value for name, value in data.items() if name not in ("price_money", "location_overrides")}
    stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal("8.00"), currency="EUR", key="p")])
    after = stage.stand_in.variation(ref.key)["item_variation_data"]
    assert {name: after[name] for name in before} == before
    assert after["location_overrides"] == [{"location_id": stand_in.MAIN, "track_inventory": True}]


def test_a_price_that_stands_there_already_is_not_written(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal("10.00"), currency="EUR", key="p")])
    assert stage.effects() == {}


def test_a_price_finer_than_a_cent_is_refused_before_it_is_sent(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    (refused,) = stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal("9.999"), currency="EUR", key="p")])
    assert refused.key == ref.key
    assert stage.watched.operations["POST /v2/catalog/batch-upsert"] == 0


def content(ref: ListingRef, **more: Any) -> ListingContent:
    told = {"title": "Scarf", "description": "Wool & silk <warm>", "price": Decimal("30.00"), "currency": "EUR", **more}
    return ListingContent(ref=ref, key=f"listing-{ref.sku}", **told)


def test_a_new_listing_whose_sku_is_there_is_that_one(stage: Stage) -> None:
    (there,) = seed_listings(stage.stand_in, 1)
    (ref,) = stage.connector.push_listings([content(ListingRef(key=there.sku, sku=there.sku))])
    assert ref == there
    assert stage.stand_in.listings() == [there.sku]
    (record,) = [record for page in stage.connector.pull_listings("") for record in page.records]
    assert (record.title, record.description, record.price) == ("Scarf", "Wool & silk <warm>", Decimal("30.00"))


def test_a_sku_that_two_variations_have_is_a_question_for_a_person(stage: Stage) -> None:
    for _ in range(2):
        stage.stand_in.add_listing("TWIN", "Twin", Decimal("1.00"), 1)
    (refused,) = stage.connector.push_listings([content(ListingRef(key="TWIN", sku="TWIN"))])
    assert isinstance(refused, Rejected)
    assert "several variations" in refused.reason


def test_one_variation_is_changed_and_its_sisters_stay(stage: Stage) -> None:
    blue = stage.stand_in.add_listing("BLUE", "Shirt", Decimal("20.00"), 5, variation="Blue")
    item = stage.stand_in.state.owners[blue]
    red = stage.stand_in.add_listing("RED", "Shirt", Decimal("21.00"), 6, variation="Red", item_id=item)
    ref = ListingRef(key=blue, sku="BLUE", ids={"item": item})
    assert stage.connector.push_listings([content(ref, title="Blue shirt", is_available=False)]) == [ref]
    records = {record.ref.key: record for page in stage.connector.pull_listings("") for record in page.records}
    assert (records[blue].title, records[blue].price, records[blue].is_available) == (
        "Shirt - Blue",
        Decimal("30.00"),
        False,
    )
    assert (records[red].title, records[red].price, records[red].is_available) == (
        "Shirt - Red",
        Decimal("21.00"),
        True,
    )


# Parcels and cancellations.


def parcel(order: Any, units: int, key: str) -> FulfilmentNotice:
    line_id = order["line_items"][0]["uid"]
    return FulfilmentNotice(
        key=key, order_id=order["id"], lines=((line_id, units),), shipped_at=START, carrier="An Post",
        tracking_number=f"CE-{key}",
    )  # fmt: skip


def test_two_parcels_complete_a_fulfilment_and_each_counts_once(stage: Stage) -> None:
    order = online_order(stage.stand_in)
    name = stage.connector.push_fulfilment(parcel(order, 1, "one"))
    assert order["fulfillments"][0]["state"] == "RESERVED"
    assert stage.connector.push_fulfilment(parcel(order, 1, "one")) == name
    assert order["fulfillments"][0]["state"] == "RESERVED"
    assert stage.connector.push_fulfilment(parcel(order, 1, "two")) == name
    record = stage.connector.pull_order(order["id"])
    assert [(one.external_id, one.tracking_number) for one in record.fulfilments] == [(name, "CE-two")]
    assert record.fulfilments[0].lines == ((order["line_items"][0]["uid"], 2),)
    assert order["state"] == "COMPLETED"


def test_a_parcel_is_told_to_the_order_as_it_stands_now(stage: Stage) -> None:
    order = stage.stand_in.state.orders[online_order(stage.stand_in)["id"]]

    def changes() -> None:
        order["version"] += 1

    connector = meanwhile(stage, "PUT", "/v2/orders/", changes)
    connector.push_fulfilment(parcel(order, 2, "one"))
    assert order["fulfillments"][0]["state"] == "COMPLETED"


def test_a_look_at_an_older_state_sets_nothing_aside(stage: Stage) -> None:
    stage.stand_in.remember()
    (ref,) = seed_listings(stage.stand_in, 1)
    order = online_order(stage.stand_in)
    stage.stand_in.faults.then(Fault.STALE_READ)
    assert stage.connector.push_fulfilment(parcel(order, 2, "one"))
    stage.stand_in.faults.then(Fault.STALE_READ)
    assert stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal("8.00"), currency="EUR", key="p")]) == []
    assert price_of(stage.stand_in, ref) == Decimal("8.00")


def test_an_order_of_the_till_can_be_changed_by_nobody(stage: Stage) -> None:
    order = dict(online_order(stage.stand_in))
    del stage.stand_in.state.orders[order["id"]]["version"]
    with pytest.raises(Rejected, match="made at a till") as caught:
        stage.connector.push_fulfilment(parcel(order, 2, "one"))
    assert caught.value.key == "one"


def test_a_paid_order_is_cancelled_by_its_fulfilments_and_its_goods_are_back(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    order = stage.stand_in.order((ref.sku, 2), online=True)
    stage.connector.push_cancellation(order, "out of stock", "c-1")
    assert stage.connector.pull_order(order).is_cancelled
    assert stock_of(stage.stand_in, ref) == 5
    stage.connector.push_cancellation(order, "out of stock", "c-1")
    assert stage.effects()["cancellation"] == 1


def test_an_unpaid_order_is_cancelled_itself(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    order = stage.stand_in.order((ref.sku, 2), online=True, is_paid=False)
    stage.connector.push_cancellation(order, "", "c-1")
    assert stage.stand_in.state.orders[order]["state"] == "CANCELED"


def test_a_completed_sale_cannot_be_cancelled(stage: Stage) -> None:
    sale = seed_orders(stage.stand_in, 1)[0]
    with pytest.raises(Rejected, match="give the money back"):
        stage.connector.push_cancellation(sale, "", "c-1")


# The stand-in itself.


def test_what_the_account_holds_outlives_a_restart(stage: Stage) -> None:
    sown = seed_orders(stage.stand_in, 3)
    kept = pickle.dumps(stage.stand_in.state)
    stage.stand_in.state = stage.stand_in.fresh_state()
    assert orders(stage.connector.pull_orders("", None)) == []
    stage.stand_in.state = pickle.loads(kept)
    assert [record.external_id for record in orders(stage.connector.pull_orders("", None))] == list(sown)


def test_the_same_key_gets_the_same_answer_and_another_body_is_refused(stage: Stage) -> None:
    notice = refund(stage.stand_in)
    first = stage.connector.push_refund(notice)
    assert stage.connector.push_refund(notice) == first
    with pytest.raises(Rejected) as caught:
        stage.connector.push_refund(replace(notice, amount=Decimal("6.00")))
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert stage.effects()["refund"] == 1


def test_every_call_of_the_connector_is_one_that_square_describes(stage: Stage) -> None:
    stage.connector.check()
    refs = seed_listings(stage.stand_in, 2)
    stage.connector.push_stock([told(refs[0], 7)])
    stage.connector.push_prices([PriceLevel(ref=refs[0], amount=Decimal("8.00"), currency="EUR", key="p")])
    stage.connector.push_listings([content(ListingRef(key="NEW", sku="NEW"))])
    stage.connector.push_fulfilment(fulfilment(stage.stand_in))
    notice = refund(stage.stand_in)
    stage.connector.push_refund(notice)
    stage.connector.pull_order(notice.order_id)
    stage.connector.push_customer(CustomerContent(key="c", name="Ann Able", email="ann@example.org"))
    stage.connector.subscribe("https://hub.example/hooks/1")
    orders(stage.connector.pull_orders("", None))
    list(stage.connector.pull_customers("", None))
    list(stage.connector.pull_listings(""))
    stage.connector.pull_stock(refs)
    assert set(stage.watched.operations) == {
        "GET /v2/merchants/{merchant_id}", "POST /v2/inventory/changes/batch-create", "POST /v2/catalog/batch-retrieve",
        "POST /v2/catalog/batch-upsert", "POST /v2/catalog/search", "GET /v2/orders/{order_id}",
        "PUT /v2/orders/{order_id}", "POST /v2/refunds", "POST /v2/customers", "GET /v2/webhooks/subscriptions",
        "POST /v2/webhooks/subscriptions", "GET /v2/locations", "POST /v2/orders/search",
        "POST /v2/orders/batch-retrieve", "GET /v2/payments/{payment_id}", "GET /v2/refunds/{refund_id}",
        "POST /v2/customers/search", "POST /v2/inventory/counts/batch-retrieve",
    }  # fmt: skip


def test_shoppers_leave_sales_that_the_hub_reads_to_the_cent_and_the_unit(stage: Stage) -> None:
    for number in range(4):
        stage.stand_in.add_listing(f"S-{number}", f"Thing {number}", Decimal("7.95"), 40)
    for _ in range(60):
        stage.time.advance(timedelta(seconds=20))
        stage.stand_in.shop(stage.world.chance)
    came = {record.external_id: record for record in orders(stage.connector.pull_orders("", None))}
    skus = {stage.stand_in.find(sku)["id"]: sku for sku in stage.stand_in.listings()}
    sold = stage.stand_in.sold()
    assert set(came) == set(sold)
    for name, facts in sold.items():
        record = came[name]
        assert record.total == Decimal(facts["total"]) / 100
        assert sum(one.amount for one in record.refunds) == Decimal(facts["refunded"]) / 100
        units = {skus[one.listing_id]: one.quantity for one in record.lines if one.kind == "goods"}
        assert units == facts["lines"]
    assert any(facts["refunded"] for facts in sold.values())
    assert {"OPEN", "COMPLETED"} == {facts["state"] for facts in sold.values()}
