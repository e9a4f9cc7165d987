"""The catalogue over the REST API: goods are made with all that hangs on them, changed by who saw them, and told of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.access import keys
from finalmarket.bulk import products
from finalmarket.catalog.models import Category, Product, Variant
from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import atp, transfers
from finalmarket.stock.models import ExpectedReceipt
from tests.api.calling import Program, problem, told
from tests.api.conftest import House
from tests.stock.shelves import new_bundle, new_place, new_variant, put

ASSAM = {
    "title": "Assam", "brand": "Hill & Leaf", "attributes": {"harvest": "second flush"},
    "images": [{"url": "https://shop.example/assam.jpg", "alt_text": "A tin"}],
    "variants": [
        {"sku": "ASSAM-100", "option_values": {"Size": "100 g"}, "weight_grams": 120, "cost": "2.10",
         "prices": {"EUR": {"amount": "5.50", "compare_at": "6.00"}, "CHF": {"amount": "6.00"}}},
        {"sku": "ASSAM-500", "option_values": {"Size": "500 g"}, "prices": {"EUR": {"amount": "21.00"}}},
    ],
}  # fmt: skip


@pytest.fixture
def program(house: House) -> Program:
    return Program("channels:read", "catalogue:write")


@pytest.fixture
def tea(house: House) -> Variant:
    """A tea that the web sells, whose platform has been told all of it."""
    variant = new_variant("TEA")
    house.web.add_product(variant.product)
    DueChange.objects.all().delete()
    return variant


def due() -> set[str]:
    """What platforms have yet to be told."""
    return set(DueChange.objects.values_list("what", flat=True))


def change(program: Program, path: str, body: Any, **how: str) -> Any:
    """What a change is answered with."""
    return program.write("PATCH", path, body, **how)


def test_a_product_is_made_with_its_variants_prices_and_pictures_and_can_be_listed(
    house: House, program: Program
) -> None:
    answer = program.post("/products", ASSAM)
    made = told(answer, 201)
    assert (made["slug"], made["status"], made["brand"]) == ("assam", "active", "Hill & Leaf")
    assert made["images"] == [{"url": "https://shop.example/assam.jpg", "alt_text": "A tin"}]
    assert made["options"] == [{"name": "Size", "values": ["100 g", "500 g"]}]
    small, large = made["variants"]
    assert [(one["currency"], one["amount"], one["compare_at"]) for one in small["prices"]] == [
        ("CHF", "6.0000", None), ("EUR", "5.5000", "6.0000"),
    ]  # fmt: skip
    assert (large["sku"], large["label"], "cost" in small) == ("ASSAM-500", "Assam", False)
    assert told(program.get(answer.headers["Location"])) == made
    assert Variant.objects.get(sku="ASSAM-100").cost == Decimal("2.10")
    listed = told(Program("listings:write").post("/listings", {"channel": house.web.pk, "sku": "ASSAM-100"}), 201)
    assert (listed["price"], listed["reason"]) == ("5.5000", "")


def test_a_product_of_which_one_variant_cannot_be_is_not_made_at_all(tea: Variant, program: Program) -> None:
    taken = {**ASSAM, "variants": [*ASSAM["variants"], {"sku": "TEA"}]}
    assert "Variant 'TEA', sku: " in problem(program.post("/products", taken), "refused", 422)["detail"]
    assert not Product.objects.filter(slug="assam").exists()
    told(program.post("/products", ASSAM), 201)
    taken = problem(program.post("/products", {"title": "Assam"}), "refused", 422)["detail"]
    assert "say one as `slug`" in taken


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/products", {"title": "!!!"}, "No slug can be made of '!!!'; say one"),
        ("/categories", {"name": "茶"}, "No slug can be made of '茶'; say one"),
        ("/products", {"title": "Bad\tname"}, ", title: Control characters"),
        ("/products", {"title": "Tea", "category": 987654321}, "Product 'Tea', category: "),
        ("/products", {"title": "Tea", "images": [{"url": "https://"}]}, "Product image 'https://', url: "),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_field(program: Program, path: str, body: Any, words: str) -> None:
    assert words in problem(program.post(path, body), "refused", 422)["detail"]
    assert not Product.objects.exists()


def test_a_product_is_changed_only_by_who_saw_it_and_its_platforms_are_told(tea: Variant, program: Program) -> None:
    path = f"/products/{tea.product_id}"
    seen = program.get(path).headers["ETag"]
    changed = told(change(program, path, {"title": "Green tea", "description": None}, If_Match=seen))
    assert (changed["title"], due()) == ("Green tea", {"content"})
    problem(change(program, path, {"title": "Black tea"}, If_Match=seen), "changed", 412)
    assert Product.objects.get(pk=tea.product_id).title == "Green tea"


def test_nobody_is_told_of_what_was_said_but_not_changed(tea: Variant, program: Program) -> None:
    told(change(program, f"/products/{tea.product_id}", {"title": tea.product.title, "images": []}))
    told(change(program, f"/variants/{tea.pk}", {"sku": "TEA", "components": []}))
    assert due() == set()


def test_an_archived_product_is_sold_nowhere_and_its_platforms_are_told_all_of_it(
    house: House, tea: Variant, program: Program
) -> None:
    put(tea, new_place(), 5)
    told(change(program, f"/products/{tea.product_id}", {"status": "archived"}))
    assert due() == {"content", "price", "stock"}
    listing = ChannelProduct.objects.get(variant=tea, sales_channel=house.web)
    assert "archived" in str(listing.reason_not_sellable())


def test_a_variant_is_added_and_the_product_names_by_what_it_is_told_apart(tea: Variant, program: Program) -> None:
    path = f"/products/{tea.product_id}/variants"
    answer = program.post(path, {"sku": "TEA-1KG", "option_values": {"Size": "1 kg"}, "title": "1 kg"})
    made = told(answer, 201)
    assert (made["product"], made["title"], made["is_active"]) == (tea.product_id, "1 kg", True)
    assert told(program.get(answer.headers["Location"])) == made
    assert Product.objects.get(pk=tea.product_id).options == [{"name": "Size", "values": ["1 kg"]}]
    problem(program.post("/products/987654321/variants", {"sku": "NONE"}), "not-found", 404)


def test_a_price_is_set_and_taken_away_in_its_currency_alone(tea: Variant, program: Program) -> None:
    path = f"/variants/{tea.pk}"
    told(change(program, path, {"prices": {"EUR": {"amount": "5.00"}, "CHF": {"amount": "5.50"}}}))
    seen = program.get(path).headers["ETag"]
    changed = told(change(program, path, {"prices": {"CHF": None}}, If_Match=seen))
    assert changed["prices"] == [{"currency": "EUR", "amount": "5.0000", "compare_at": None}]
    assert due() == {"price", "stock"}
    problem(change(program, path, {"prices": {"EUR": None}}, If_Match=seen), "changed", 412)


def test_a_former_price_stays_where_only_the_new_one_is_said(tea: Variant, program: Program) -> None:
    path = f"/variants/{tea.pk}"
    told(change(program, path, {"prices": {"CHF": {"amount": "5.50", "compare_at": "6.00"}}}))
    told(change(program, path, {"prices": {"CHF": {"amount": "5.00"}}}))
    assert tea.prices.get(currency="CHF").compare_at == Decimal("6.00")
    told(change(program, path, {"prices": {"CHF": {"amount": "5.00", "compare_at": None}}}))
    assert tea.prices.get(currency="CHF").compare_at is None


def test_what_json_keeps_apart_is_no_repetition(tea: Variant, program: Program) -> None:
    path = f"/products/{tea.product_id}"
    told(change(program, path, {"attributes": {"organic": 1}}))
    told(change(program, path, {"attributes": {"organic": True}}))
    assert Product.objects.get(pk=tea.product_id).attributes["organic"] is True


@pytest.mark.parametrize("blank", ["TEA ", " TEA", "TEA\n", " "])
def test_no_sku_differs_from_another_by_a_blank_alone(tea: Variant, program: Program, blank: str) -> None:
    body = {"sku": blank, "option_values": {}}
    problem(program.post(f"/products/{tea.product_id}/variants", body), "invalid", 422)
    assert Variant.objects.count() == 1


def nested(levels: int) -> Any:
    """A list in a list, so many times."""
    made: Any = "tea"
    for _ in range(levels):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("attributes", "words"),
    [({"a": nested(30)}, "more than 20 levels"), ({"a": nested(400)}, "more than 20 levels"),
     ({"a": "x" * 40_000}, "longer than 32 KiB")],
    ids=["nested", "nested deeply", "long"],
)  # fmt: skip
def test_attributes_are_as_small_as_what_is_kept_elsewhere(
    tea: Variant, program: Program, attributes: dict[str, Any], words: str
) -> None:
    answer = problem(change(program, f"/products/{tea.product_id}", {"attributes": attributes}), "invalid", 422)
    assert words in answer["detail"] + str(answer.get("errors"))


def test_a_variant_becomes_a_bundle_that_sells_what_its_components_allow(
    house: House, tea: Variant, program: Program
) -> None:
    put(tea, new_place(), 7)
    gift = told(program.post("/products", {"title": "Gift", "variants": [{"sku": "GIFT"}]}), 201)["variants"][0]
    house.web.add_product(Product.objects.get(slug="gift"))
    pair = [{"variant": tea.pk, "quantity": 2}]
    assert told(change(program, f"/variants/{gift['id']}", {"components": pair}))["components"] == pair
    assert atp.level(gift["id"], house.web.pk).available == 3
    assert told(change(program, f"/variants/{gift['id']}", {"components": []}))["components"] == []


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (lambda tea, box: {"components": [{"variant": tea, "quantity": 1}]}, "cannot be a component of itself"),
        (lambda tea, box: {"components": [{"variant": box, "quantity": 1}]}, "is a bundle itself"),
        (lambda tea, box: {"components": [{"variant": 987654321, "quantity": 1}]}, "no variant 987654321"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_bundle_is_refused_and_stays_what_it_was(
    tea: Variant, program: Program, parts: Any, words: str
) -> None:
    cup = new_variant("CUP")
    box = new_bundle({cup: 1}, "BOX")
    answer = change(program, f"/variants/{tea.pk}", parts(tea.pk, box.pk) | {"title": "Bundle"})
    assert words in problem(answer, "refused", 422)["detail"]
    tea.refresh_from_db()
    assert (tea.title, tea.components.count(), due()) == ("", 0, set())


def test_goods_that_lie_on_a_shelf_become_no_bundle(tea: Variant, program: Program) -> None:
    put(tea, new_place(), 1)
    cup = new_variant("CUP")
    answer = change(program, f"/variants/{tea.pk}", {"components": [{"variant": cup.pk, "quantity": 1}]})
    assert "a bundle has no stock of its own" in problem(answer, "refused", 422)["detail"]


def sent(tea: Variant) -> None:
    """All of it is on the road between two places."""
    here, there = new_place(), new_place()
    put(tea, here, 5)
    transfers.ship(transfers.draft(here.pk, there.pk, [(tea.pk, 5)]).pk, actor="test")


def ordered(tea: Variant) -> None:
    """A supplier is to deliver some."""
    ExpectedReceipt.objects.create(
        variant=tea, location=new_place(), quantity=5, expected_at=clock.now() + timedelta(days=3)
    )


@pytest.mark.parametrize("on_its_way", [sent, ordered])
def test_goods_that_are_on_their_way_become_no_bundle(
    tea: Variant, program: Program, on_its_way: Callable[[Variant], None]
) -> None:
    on_its_way(tea)
    cup = new_variant("CUP")
    answer = change(program, f"/variants/{tea.pk}", {"components": [{"variant": cup.pk, "quantity": 1}]})
    assert "is on its way" in problem(answer, "refused", 422)["detail"]
    with products.plan([{"sku": "TEA", "title": "Tea", "components": "CUP"}]) as plan:
        assert ["is on its way" in fault.reason for _, fault in plan.refusals()] == [True]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"prices": {"EUR": {"amount": "-1"}}}, "prices.EUR"),
        ({"prices": {"euro": {"amount": "1"}}}, "prices.euro"),
        ({"colour": "red"}, "colour"),
        ({"weight_grams": -1}, "weight_grams"),
        ({"origin_country": "Germany"}, "origin_country"),
        ({"components": [{"variant": 7, "quantity": 0}]}, "components.0.quantity"),
        ({"components": [{"variant": 7, "quantity": 1}, {"variant": 7, "quantity": 2}]}, "body"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tea: Variant, program: Program, body: dict[str, Any], where: str) -> None:
    said = problem(change(program, f"/variants/{tea.pk}", body), "invalid", 422)
    assert where in said["errors"][0]["where"]


def test_a_picture_is_an_address_and_named_once(program: Program) -> None:
    answer = program.post("/products", {"title": "Tea", "images": [{"url": "javascript:alert(1)"}]})
    assert "begins with https:// or http://" in problem(answer, "invalid", 422)["errors"][0]["what"]
    twice = [{"url": "https://shop.example/a.jpg"}, {"url": "https://shop.example/a.jpg"}]
    answer = program.post("/products", {"title": "Tea", "images": twice})
    assert "named twice" in problem(answer, "refused", 422)["detail"]
    assert not Product.objects.exists()


def test_categories_form_a_tree_in_which_nothing_lies_below_itself(program: Program) -> None:
    drinks = told(program.post("/categories", {"name": "Drinks"}), 201)
    answer = program.post("/categories", {"name": "Fine teas", "parent": drinks["id"]})
    teas = told(answer, 201)
    assert (teas["slug"], teas["parent"]) == ("fine-teas", drinks["id"])
    assert told(program.get(answer.headers["Location"])) == teas
    assert [one["id"] for one in told(program.get("/categories", parent=drinks["id"]))["items"]] == [teas["id"]]
    refused = change(program, f"/categories/{drinks['id']}", {"parent": teas["id"]})
    assert "cannot lie below itself" in problem(refused, "refused", 422)["detail"]
    seen = program.get(f"/categories/{teas['id']}").headers["ETag"]
    assert told(change(program, f"/categories/{teas['id']}", {"parent": None}, If_Match=seen))["parent"] is None
    problem(change(program, f"/categories/{teas['id']}", {"name": "Teas"}, If_Match=seen), "changed", 412)
    assert set(Category.objects.values_list("parent", flat=True)) == {None}


def test_a_key_of_some_channels_cannot_change_what_all_of_them_sell(house: House) -> None:
    with pytest.raises(UserError, match="catalogue:write"):
        keys.create("till", ["catalogue:write"], channels=[house.till.pk])
