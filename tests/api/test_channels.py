"""Channels and the catalogue over the REST API: opened, changed by who saw them, paused; goods looked up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import DueChange, SalesChannel
from finalmarket.stock import atp
from tests.api.calling import Program, problem, told
from tests.api.conftest import House
from tests.stock.shelves import new_bundle, new_place, new_variant, put


@pytest.fixture
def program(house: House) -> Program:
    return Program("channels:read", "channels:write")


def due(channel: SalesChannel) -> set[str]:
    """What the platform of a channel has yet to be told."""
    return set(DueChange.objects.filter(listing__sales_channel=channel).values_list("what", flat=True))


def test_a_channel_is_opened_and_found(house: House, program: Program) -> None:
    body = {"name": "Kiosk 7", "channel_type": "kiosk", "configuration": {"idle_seconds": 60}, "country": "DE"}
    answer = program.post("/channels", body)
    made = told(answer, 201)
    assert (made["slug"], made["status"], made["currency"], made["sources"]) == ("kiosk-7", "active", "EUR", [])
    assert told(program.get(answer.headers["Location"])) == made
    assert [one["id"] for one in told(program.get("/channels", channel_type="kiosk"))["items"]] == [made["id"]]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "Web shop"}, "Name: Sales channel with this Name already exists"),
        ({"configuration": {"colour": "red"}}, "no setting 'colour'"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_with_what_is_wrong(
    house: House, program: Program, change: dict[str, Any], word: str
) -> None:
    answer = program.post("/channels", {"name": "New", "channel_type": "web", **change})
    assert word in problem(answer, "refused", 422)["detail"]


@pytest.mark.parametrize(
    ("kind", "word"), [("marketplace", {"fulfilled_by_platform": True}), ("kiosk", {"device_ids": ["kiosk-1"]})]
)
def test_what_never_changed_anything_is_no_setting_and_stays_where_it_is_stored(
    house: House, program: Program, kind: str, word: dict[str, Any]
) -> None:
    refused = program.post("/channels", {"name": "New", "channel_type": kind, "configuration": word})
    assert f"no setting '{next(iter(word))}'" in problem(refused, "refused", 422)["detail"]
    old = SalesChannel.objects.create(name="Old", channel_type=kind, configuration=word)
    path, change = f"/channels/{old.pk}", {"configuration": {**word, "hold_minutes": 20}}
    told(program.write("PATCH", path, change, If_Match=program.get(path).headers["ETag"]))
    assert SalesChannel.objects.get(pk=old.pk).configuration == {**word, "hold_minutes": 20}


def test_a_channel_is_changed_only_by_who_saw_it_as_it_is(house: House, program: Program) -> None:
    path = f"/channels/{house.web.pk}"
    seen = program.get(path).headers["ETag"]
    changed = told(program.write("PATCH", path, {"name": "Web", "configuration": {"hold_minutes": 20}}, If_Match=seen))
    assert (changed["name"], changed["configuration"]) == ("Web", {"hold_minutes": 20})
    problem(program.write("PATCH", path, {"name": "Shop"}, If_Match=seen), "changed", 412)
    assert SalesChannel.objects.get(pk=house.web.pk).name == "Web"


def test_what_a_platform_shows_of_a_channel_that_is_switched_off_is_told_anew(house: House, program: Program) -> None:
    house.web.add_product(new_variant("TEA").product)
    DueChange.objects.all().delete()
    told(program.write("PATCH", f"/channels/{house.web.pk}", {"country": "AT"}))
    assert due(house.web) == set()
    told(program.write("PATCH", f"/channels/{house.web.pk}", {"status": "inactive"}))
    assert due(house.web) == {"content", "price", "stock"}


def test_a_paused_channel_holds_nothing_until_it_is_resumed(house: House, program: Program) -> None:
    tea = new_variant("TEA")
    put(tea, new_place(), 5)
    path = f"/channels/{house.web.pk}"
    assert told(program.post(f"{path}/pause", {"reason": "stock take"}))["pause_reason"] == "stock take"
    assert atp.level(tea.pk, house.web.pk).available == 0
    assert told(program.get(f"{path}/health"))["word"] == "paused"
    assert told(program.post(f"{path}/resume"))["is_paused"] is False
    assert atp.level(tea.pk, house.web.pk).available == 5


def test_a_channel_sells_from_the_locations_that_it_names_alone(house: House, program: Program) -> None:
    tea, north, south = new_variant("TEA"), new_place("north"), new_place("south")
    put(tea, north, 5)
    put(tea, south, 7)
    path = f"/channels/{house.web.pk}/sources"
    named = told(program.write("PUT", path, {"sources": [{"location": south.pk, "rank": 1}]}))
    assert named["sources"] == [{"location": south.pk, "rank": 1}]
    assert atp.level(tea.pk, house.web.pk).available == 7
    twice = {"sources": [{"location": south.pk}, {"location": south.pk}]}
    assert "twice" in problem(program.write("PUT", path, twice), "refused", 422)["detail"]
    told(program.write("PUT", path, {"sources": []}))
    assert atp.level(tea.pk, house.web.pk).available == 12


def test_a_key_of_one_channel_sees_and_changes_that_one(house: House) -> None:
    till = Program("channels:read", "channels:write", channels=[house.till.pk])
    assert [one["id"] for one in told(till.get("/channels"))["items"]] == [house.till.pk]
    for path in ("", "/health"):
        problem(till.get(f"/channels/{house.web.pk}{path}"), "not-found", 404)
    problem(till.write("PATCH", f"/channels/{house.web.pk}", {"name": "Mine"}), "not-found", 404)
    problem(till.post("/channels", {"name": "Mine", "channel_type": "web"}), "not-allowed", 403)
    told(till.write("PATCH", f"/channels/{house.till.pk}", {"name": "Till 1"}))
    body = {"sources": [{"location": new_place().pk}]}
    problem(till.write("PUT", f"/channels/{house.till.pk}/sources", body), "not-allowed", 403)


# The catalogue.


def test_goods_are_looked_up_by_sku_barcode_and_a_part_of_the_title(house: House, program: Program) -> None:
    product = Product.objects.create(title="Green Tea 100%", slug="green-tea")
    tea = Variant.objects.create(product=product, sku="TEA-100", barcode="4006381333931", title="100 g")
    VariantPrice.objects.create(variant=tea, currency="EUR", amount=Decimal("5.00"))
    new_variant("CUP")
    for asked in ({"sku": "tea-100"}, {"barcode": "4006381333931"}, {"product": product.pk}):
        (found,) = told(program.get("/variants", **asked))["items"]
        assert (found["id"], found["label"]) == (tea.pk, "Green Tea 100% (100 g)")
        assert found["prices"] == [{"currency": "EUR", "amount": "5.0000", "compare_at": None}]
    (one,) = told(program.get("/products", title="tea 100%"))["items"]
    assert [each["sku"] for each in one["variants"]] == ["TEA-100"]
    assert told(program.get("/products", title="tea_100"))["items"] == []
    assert told(program.get(f"/products/{product.pk}")) == one
    assert told(program.get(f"/variants/{tea.pk}")) == found
    problem(program.get("/variants/999999"), "not-found", 404)


def test_a_bundle_says_what_it_consists_of(house: House, program: Program) -> None:
    tea = new_variant("TEA")
    box = new_bundle({tea: 3}, "BOX")
    assert told(program.get(f"/variants/{box.pk}"))["components"] == [{"variant": tea.pk, "quantity": 3}]


def test_what_goods_cost_the_merchant_is_told_to_no_program(house: House, program: Program) -> None:
    tea = new_variant("TEA")
    Variant.objects.filter(pk=tea.pk).update(cost=Decimal("1.2345"), cost_currency="EUR")
    assert "1.2345" not in program.get(f"/products/{tea.product_id}").content.decode()


def test_a_key_of_one_channel_looks_up_what_is_listed_there(house: House) -> None:
    tea, cup = new_variant("TEA"), new_variant("CUP")
    house.till.add_product(tea.product)
    house.web.add_product(cup.product)
    till = Program("channels:read", channels=[house.till.pk])
    assert [one["sku"] for one in told(till.get("/variants"))["items"]] == ["TEA"]
    assert [one["id"] for one in told(till.get("/products"))["items"]] == [tea.product_id]
    problem(till.get(f"/variants/{cup.pk}"), "not-found", 404)
    problem(till.get(f"/products/{cup.product_id}"), "not-found", 404)


def test_a_sku_and_a_part_of_a_title_are_found_by_their_indexes(house: House, program: Program) -> None:
    new_variant("TEA")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")  # so that of the ways by index the one for the word is left
        for path, asked, index in (
            ("/variants", {"sku": "TEA"}, "variants_sku_folded"),
            ("/products", {"title": "green tea"}, "products_title_trgm"),
        ):
            with CaptureQueriesContext(connection) as queries:
                told(program.get(path, **asked))
            (page,) = [one["sql"] for one in queries if "LIMIT 51" in one["sql"]]
            cursor.execute(f"EXPLAIN {page}")
            assert index in "\n".join(row[0] for row in cursor.fetchall())
