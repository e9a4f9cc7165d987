"""What shoppers are shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.catalog.models import Category, Product, Variant, VariantPrice
from finalmarket.journeys import write_keys
from tests.api.calling import problem, told
from tests.api.shop.conftest import Shops
from tests.api.shop.shopper import kiosk


def _more(shops: Shops, title: str, **fields: Any) -> Product:
    product = Product.objects.create(title=title, slug=title.lower().replace(" ", "-"), **fields)
    variant = Variant.objects.create(product=product, sku=title.upper().replace(" ", "-"))
    VariantPrice.objects.create(variant=variant, currency="EUR", amount="3.00")
    shops.web.channel.add_product(product)
    return product


def test_a_page_knows_its_shop(shops: Shops) -> None:
    key = write_keys.open_key(shops.web.channel)
    shop = told(shops.web.get("/shop"))
    assert (shop["name"], shop["currency"], shop["delivery_fee"]) == ("Web shop", "EUR", "4.90")
    assert shop["ways_to_pay"] == ["test", "store"]
    assert [one["name"] for one in shop["stores"]] == ["North store"]
    assert shop["tracking_key"] == key.key and shop["can_sign_in"]


def test_products_come_with_prices_and_a_word_about_stock_and_no_numbers_of_it(shops: Shops) -> None:
    (card,) = told(shops.web.get("/products"))["items"]
    assert (card["slug"], card["price"], card["has_one_price"]) == ("things", "2.0000", False)
    product = told(shops.web.get("/products/things"))
    words = {one["sku"]: (one["availability"], one["here"]) for one in product["variants"]}
    assert words == {"TEA": ("in_stock", None), "SUGAR": ("few", None), "HONEY": ("out", None)}
    assert "40" not in str(product) and "on_hand" not in str(product)


def test_what_is_switched_off_or_without_a_price_is_not_there(shops: Shops) -> None:
    listings = shops.web.channel.listings
    listings.filter(variant__sku="TEA").update(is_available=False)
    VariantPrice.objects.filter(variant__sku="SUGAR").delete()
    assert [one["sku"] for one in told(shops.web.get("/products/things"))["variants"]] == ["HONEY"]
    listings.update(is_available=False)
    problem(shops.web.get("/products/things"), "not-found", 404)
    assert told(shops.web.get("/products"))["items"] == []
    shops.app.channel.pause("closed for a day")
    assert told(shops.app.get("/products"))["items"] == []


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_a_draft_or_archived_lies_on_no_shelf(shops: Shops, status: str) -> None:
    Product.objects.filter(slug="things").update(status=status)
    assert told(shops.web.get("/products"))["items"] == []
    problem(shops.web.get("/products/things"), "not-found", 404)
    assert told(shops.web.get("/categories"))["items"] == []


def test_all_words_have_to_be_found_in_title_brand_or_sku(shops: Shops) -> None:
    _more(shops, "Green Tea", brand="Leaf")
    found = {
        text: [one["slug"] for one in told(shops.web.get("/products", q=text))["items"]]
        for text in ("green", "leaf tea", "leaf coffee", "honey", "GREEN-TEA", "%", "' OR 1=1 --")
    }
    assert found == {
        "green": ["green-tea"], "leaf tea": ["green-tea"], "leaf coffee": [], "honey": ["things"],
        "GREEN-TEA": ["green-tea"], "%": [], "' OR 1=1 --": [],
    }  # fmt: skip


def test_a_category_holds_what_is_in_those_below_it(shops: Shops) -> None:
    drinks = Category.objects.create(name="Drinks", slug="drinks")
    teas = Category.objects.create(name="Teas", slug="teas", parent=drinks)
    Category.objects.create(name="Empty", slug="empty")
    _more(shops, "Green Tea", category=teas)
    assert [one["name"] for one in told(shops.web.get("/categories"))["items"]] == ["Drinks", "Teas"]
    items = told(shops.web.get("/products", category=drinks.pk))["items"]
    assert [one["slug"] for one in items] == ["green-tea"]


def test_pages_hold_every_product_once(shops: Shops) -> None:
    for number in range(4):
        _more(shops, f"Cup {number}")
    first = told(shops.web.get("/products", limit=3))
    second = told(shops.web.get("/products", limit=3, cursor=first["next"]))
    slugs = [one["slug"] for one in first["items"] + second["items"]]
    assert len(slugs) == len(set(slugs)) == 5 and second["next"] is None
    problem(shops.web.get("/products", limit=3, cursor=first["next"], q="cup"), "cursor", 400)


def test_how_many_products_are_shown_does_not_say_how_much_is_asked(shops: Shops) -> None:
    with CaptureQueriesContext(connection) as few:
        told(shops.web.get("/products"))
    for number in range(6):
        _more(shops, f"Cup {number}")
    with CaptureQueriesContext(connection) as many:
        told(shops.web.get("/products"))
    assert len(many) == len(few)


def test_stores_say_where_goods_lie(shops: Shops) -> None:
    variants = shops.market.variants
    words = {
        sku: [one["availability"] for one in told(shops.web.get(f"/variants/{variants[sku].pk}/stores"))["items"]]
        for sku in ("TEA", "SUGAR", "HONEY")
    }
    assert words == {"TEA": ["in_stock"], "SUGAR": ["few"], "HONEY": ["out"]}
    shops.web.channel.listings.filter(variant__sku="SUGAR").update(is_available=False)
    for number in (999_999, variants["SUGAR"].pk):  # of a product that is sold
        problem(shops.web.get(f"/variants/{number}/stores"), "not-found", 404)


def test_a_kiosk_sees_the_shelf_of_its_own_store(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.south.pk)
    assert told(page.get("/shop"))["device"] == "At the door"
    here = {one["sku"]: one["here"] for one in told(page.get("/products/things"))["variants"]}
    assert here == {"TEA": "out", "SUGAR": "out", "HONEY": "out"}
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    here = {one["sku"]: one["here"] for one in told(page.get("/products/things"))["variants"]}
    assert here == {"TEA": "in_stock", "SUGAR": "few", "HONEY": "out"}
