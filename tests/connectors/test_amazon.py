"""Amazon as a seller meets it: its paces in virtual time, its orders, what it fulfils itself, listings and stock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.amazon_stage")

from finalmarket.connectors.errors import (  # noqa: E402
    Rejected,
    RetryLater,
)
from finalmarket.connectors.platforms.amazon import incoming  # noqa: E402
from finalmarket.connectors.records import (  # noqa: E402
    ListingContent,
    ListingRef,
    PriceLevel,
    StockLevel,
)
from finalmarket.sandbox.faults import Fault, Faults  # noqa: E402
from finalmarket.sandbox.platforms.amazon import Amazon as AmazonStandIn  # noqa: E402
from finalmarket.sandbox.platforms.amazon.account import LIMITS  # noqa: E402
from tests.connectors.amazon_stage import amazon, hasty, pulled, sent_to, stock  # noqa: E402
from tests.connectors.cases.amazon import ref_of, seed_listings, seed_orders  # noqa: E402

# Paces.


def test_twenty_searches_follow_each_other_and_then_one_in_three_minutes() -> None:
    with amazon() as stage:
        connector, budget = hasty(stage)
        for _ in range(20):
            list(connector.pull_orders("", None))
        with pytest.raises(RetryLater) as caught:
            list(connector.pull_orders("", None))
        assert caught.value.retry_after == pytest.approx(1 / 0.0056)
        assert ("searchOrders", None, 0.0) in budget.learned
        stage.time.advance(timedelta(seconds=178))
        with pytest.raises(RetryLater):
            list(connector.pull_orders("", None))
        stage.time.advance(timedelta(seconds=1))
        list(connector.pull_orders("", None))
        connector.close()


def test_whoever_asks_within_the_pace_is_never_refused() -> None:
    with amazon() as stage:
        refs = seed_listings(stage.stand_in, 15)
        for _ in range(3):
            stage.connector.push_stock(stock(refs))
            pulled(stage)
        assert {one.status for one in stage.watched.exchanges} == {200}


def test_each_operation_has_a_pace_of_its_own() -> None:
    with amazon() as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        number = stage.stand_in.order((ref.sku, 1))
        connector, _ = hasty(stage)
        with pytest.raises(RetryLater) as caught:
            for _ in range(6):
                connector.push_stock(stock([ref]))
        assert caught.value.retry_after == pytest.approx(0.2)
        assert connector.pull_order(number) is not None
        connector.close()


def test_an_account_that_was_given_more_is_believed() -> None:
    class Favoured(AmazonStandIn):
        limits = {**LIMITS, "searchOrders": (0.5, 1.0)}

    with amazon(Favoured) as stage:
        connector, budget = hasty(stage)
        list(connector.pull_orders("", None))
        assert budget.learned == [("searchOrders", 0.5, None)]
        with pytest.raises(RetryLater) as caught:
            list(connector.pull_orders("", None))
        assert caught.value.retry_after == pytest.approx(2.0)
        connector.close()


# Orders.


def test_an_order_that_amazon_shows_two_minutes_late_is_not_passed_over() -> None:
    class Late(AmazonStandIn):
        order_lag = timedelta(minutes=2)

    with amazon(Late) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        *_, page = stage.connector.pull_orders("", None)
        number = stage.stand_in.order((ref.sku, 1))
        connector, _ = hasty(stage)
        *_, next_page = connector.pull_orders(page.cursor, None)
        assert next_page.records == ()
        stage.time.advance(timedelta(minutes=2, seconds=1))
        assert [record.external_id for record in pulled(stage, next_page.cursor)] == [number]
        connector.close()


def test_an_order_that_shows_up_later_than_it_should_is_met_by_the_next_search() -> None:
    with amazon() as stage:
        (number,) = seed_orders(stage.stand_in, 1)
        straggler = stage.stand_in.state["orders"].pop(number)
        stage.time.advance(timedelta(minutes=2))
        connector, _ = hasty(stage)
        *_, page = connector.pull_orders("", None)
        assert page.records == ()
        stage.stand_in.state["orders"][number] = straggler
        assert [record.external_id for record in pulled(stage, page.cursor)] == [number]
        connector.close()


def test_a_search_whose_page_token_ended_begins_anew_and_loses_nothing() -> None:
    with amazon() as stage:
        numbers = seed_orders(stage.stand_in, 120)
        first = next(stage.connector.pull_orders("", None))
        stage.time.advance(timedelta(hours=25))
        rest = pulled(stage, first.cursor)
        assert {record.external_id for record in (*first.records, *rest)} == set(numbers)


def test_a_search_whose_tokens_always_end_is_given_up() -> None:
    with amazon(faults=Faults(share=1.0, kinds=(Fault.CURSOR_EXPIRED,))) as stage:
        seed_orders(stage.stand_in, 120)
        with pytest.raises(Rejected):
            pulled(stage)
        assert len(stage.watched.exchanges) < 20


def test_an_order_that_changed_while_pages_were_read_comes_with_the_next_pull() -> None:
    with amazon() as stage:
        numbers = seed_orders(stage.stand_in, 120)
        pages = stage.connector.pull_orders("", None)
        next(pages)
        stage.stand_in.cancel_order(numbers[110])
        *_, last = pages
        later = pulled(stage, last.cursor)
        assert [record.external_id for record in later if record.is_cancelled] == [numbers[110]]


def test_a_pending_order_gets_its_amounts_and_its_buyer_once_it_is_paid() -> None:
    with amazon() as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        number = stage.stand_in.order((ref.sku, 2), state="PENDING")
        (pending,) = pulled(stage)
        assert (pending.total, pending.name, pending.currency) == (None, "", "EUR")
        stage.stand_in.pay(number)
        paid = stage.connector.pull_order(number)
        assert paid.version > pending.version
        assert paid.total == Decimal("23.99")
        assert paid.name
        assert paid.email.endswith("@marketplace.amazon.de"), "buyers are known by Amazon's relay addresses"


def test_without_the_restricted_roles_no_buyer_is_asked_for() -> None:
    with amazon(buyer_data="no") as stage:
        seed_orders(stage.stand_in, 1)
        (record,) = pulled(stage)
        assert (record.name, record.email, record.shipping_address.street) == ("", "", "")
        assert record.total == Decimal("13.99")
        assert not any("BUYER" in dict(one.query).get("includedData", "") for one in stage.watched.exchanges)


def test_orders_that_amazon_sends_never_take_the_merchants_stock() -> None:
    with amazon() as stage:
        stage.stand_in.add_listing("FBA-1", "Kettle", Decimal("49.00"), 30, is_fba=True)
        (own,) = seed_listings(stage.stand_in, 1)
        number = stage.stand_in.order(("FBA-1", 2))
        (waiting,) = pulled(stage)
        assert (waiting.location, waiting.handed_over, waiting.fulfilments) == ("AMAZON_EU", False, ())
        stage.stand_in.send_from_amazon(number)
        sent = stage.connector.pull_order(number)
        assert sent.handed_over
        assert [(parcel.location, sum(units for _, units in parcel.lines)) for parcel in sent.fulfilments] == [
            ("AMAZON_EU", 2)
        ]
        (fba,) = stage.connector.pull_stock([ref_of(stage.stand_in, "FBA-1")], "FBA")
        assert (fba.quantity, fba.location) == (28, "FBA")
        assert list(stage.connector.pull_stock([ref_of(stage.stand_in, "FBA-1")])) == []
        assert stage.stand_in.shown_stock() == {own.sku: 5}


def test_more_skus_of_amazons_stock_than_a_page_holds_are_read() -> None:
    with amazon() as stage:
        skus = [f"FBA,{number}" if number % 25 == 0 else f"FBA-{number}" for number in range(52)]
        for sku in skus:
            stage.stand_in.add_listing(sku, "Kettle", Decimal("49.00"), 3, is_fba=True)
        refs = [ref_of(stage.stand_in, sku) for sku in skus]
        shown = [
            record for start in (0, 20, 40) for record in stage.connector.pull_stock(refs[start : start + 20], "FBA")
        ]
        assert {record.key: record.quantity for record in shown} == dict.fromkeys(skus, 3)


# Listings and stock.


def test_skus_of_any_spelling_are_read_and_set() -> None:
    with amazon() as stage:
        skus = ["A/B 1", "commas, too", "Größe 42 & 43?", "100%+", "#1"]
        for sku in skus:
            stage.stand_in.add_listing(sku, "Shirt", Decimal("10.00"), 5)
        refs = [ref_of(stage.stand_in, sku) for sku in skus]
        assert stage.connector.push_stock(stock(refs)) == []
        assert {record.key: record.quantity for record in stage.connector.pull_stock(refs)} == dict.fromkeys(skus, 7)


def test_more_listings_than_one_search_can_page_through_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Narrow(AmazonStandIn):
        most_searched = 60

    monkeypatch.setattr(incoming, "MOST_LISTINGS_PAGED", 60)
    with amazon(Narrow) as stage:
        for _ in range(170):
            stage.world.clock.advance(timedelta(seconds=1))
            seed_listings(stage.stand_in, 1)
        came = [record.ref.sku for page in stage.connector.pull_listings("") for record in page.records]
        assert set(came) == set(stage.stand_in.listings())


def test_setting_a_quantity_merges_it_and_leaves_the_rest_of_the_availability_alone() -> None:
    with amazon() as stage:
        refs = seed_listings(stage.stand_in, 1)
        stage.connector.push_stock(stock(refs))
        (body,) = sent_to(stage, "PATCH", "/listings/")
        assert body["patches"] == [
            {
                "op": "merge",
                "path": "/attributes/fulfillment_availability",
                "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}],
            }
        ]


def test_a_listing_that_amazon_fulfils_is_never_taken_out_of_its_hands() -> None:
    with amazon() as stage:
        stage.stand_in.add_listing("FBA-1", "Kettle", Decimal("49.00"), 30, is_fba=True)
        ref = ref_of(stage.stand_in, "FBA-1")
        (own,) = seed_listings(stage.stand_in, 1)
        levels = [*stock([ref, own]), StockLevel(ref=own, quantity=3, key="k", location="AMAZON_EU")]
        refused = stage.connector.push_stock(levels)
        assert [error.key for error in refused] == [ref.key, own.key]
        assert stage.stand_in.state["listings"]["FBA-1"]["channel"] == "AMAZON_EU"
        assert stage.stand_in.shown_stock() == {own.sku: 7}


def test_a_price_goes_out_as_the_number_it_is() -> None:
    with amazon() as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        level = PriceLevel(ref=ref, amount=Decimal("1234.10"), currency="EUR", key="p-1")
        assert stage.connector.push_prices([level]) == []
        assert stage.stand_in.shown_price(ref.sku) == Decimal("1234.10")
        (body,) = sent_to(stage, "PATCH", "/listings/")
        (offer,) = body["patches"][0]["value"]
        assert offer["our_price"] == [{"schedule": [{"value_with_tax": Decimal("1234.1")}]}]


def test_a_price_in_money_that_no_marketplace_of_the_listing_takes_is_refused_without_a_call() -> None:
    with amazon() as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        (refused,) = stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal(9), currency="GBP", key="p-1")])
        assert (refused.key, "GBP" in refused.reason) == (ref.key, True)
        assert stage.watched.exchanges == []


def test_a_listing_that_joins_a_product_of_the_catalogue_offers_it_only() -> None:
    with amazon() as stage:
        content = ListingContent(
            ref=ListingRef(key="OFFER-1", sku="OFFER-1"),
            key="c-1",
            title="Kettle",
            price=Decimal("24.90"),
            currency="EUR",
            attributes={"asin": "B071VG5N9D", "product_type": "KETTLE"},
        )
        (made,) = stage.connector.push_listings([content])
        assert made.ids["asin"] == "B071VG5N9D"
        (body,) = sent_to(stage, "PUT", "/listings/")
        assert (body["productType"], body["requirements"]) == ("KETTLE", "LISTING_OFFER_ONLY")


def test_a_listing_that_is_taken_off_keeps_its_words_and_loses_its_offer() -> None:
    with amazon() as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        content = ListingContent(ref=ref, key="c-1", title="Shirt, new", is_available=False, currency="EUR")
        assert stage.connector.push_listings([content]) == [replace(ref, ids=dict(ref.ids))]
        listing = stage.stand_in.state["listings"][ref.sku]
        assert (listing["title"], stage.stand_in.shown_price(ref.sku)) == ("Shirt, new", None)
        again = replace(content, is_available=True, price=Decimal("11.50"), key="c-2")
        stage.connector.push_listings([again])
        assert stage.stand_in.shown_price(ref.sku) == Decimal("11.50")


def test_what_amazon_finds_wrong_with_a_listing_is_told_in_its_words() -> None:
    with amazon() as stage:
        content = ListingContent(
            ref=ListingRef(key="NEW", sku="NEW"), key="c-1", title="Kettle", price=Decimal(10), currency="EUR"
        )
        (refused,) = stage.connector.push_listings([content])
        assert (refused.key, refused.code) == ("NEW", "90220")
        assert "externally_assigned_product_identifier" in refused.reason
        assert stage.stand_in.listings() == []


# The account as it is inspected.


def test_shoppers_buy_only_what_is_there() -> None:
    with amazon() as stage:
        refs = seed_listings(stage.stand_in, 3)
        stage.stand_in.add_listing("FBA-1", "Kettle", Decimal("49.00"), 2, is_fba=True)
        for _ in range(60):
            stage.stand_in.shop(stage.world.chance)
        sold = stage.stand_in.sold()
        units = dict.fromkeys(stage.stand_in.listings(), 0)
        for facts in sold.values():
            for sku, count in facts["lines"].items():
                units[sku] += count
        assert units == {**{ref.sku: 5 for ref in refs}, "FBA-1": 2}
        assert set(stage.stand_in.shown_stock().values()) == {0}
        assert {record.external_id for record in pulled(stage)} == set(sold)
