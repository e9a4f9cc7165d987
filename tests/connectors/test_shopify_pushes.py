"""Shopify: stock, prices, listings and customers out. Real HTTP, judged by the published schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.errors import NotSupported, Rejected
from finalmarket.connectors.records import (
    Address,
    CustomerContent,
    ListingContent,
    ListingRef,
    PriceLevel,
)
from tests.connectors.cases.shopify import (
    MAIN_LOCATION,
    case,
    new_listings,
    ref_of,
    seed_listings,
)
from tests.connectors.conformance.stage import Stage, on_a_double, staged
from tests.connectors.shopify_stage import level, sent, shown

OUTLET = "gid://shopify/Location/7000000002"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


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
