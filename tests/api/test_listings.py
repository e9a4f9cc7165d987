"""Listings over the REST API: put on a channel, priced, changed by who saw them, taken off again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.catalog.models import VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange, SalesChannel
from finalmarket.integrations.models import ChannelIntegration, ListingLink
from finalmarket.stock.models import ChannelInventory
from tests.api.calling import Program, problem, told
from tests.api.conftest import House
from tests.stock.shelves import new_variant


@pytest.fixture
def program(house: House) -> Program:
    return Program("listings:read", "listings:write")


def said(house: House, **more: Any) -> dict[str, Any]:
    """Tea on the web."""
    return {"channel": house.web.pk, "sku": "TEA", **more}


def due(number: int) -> set[str]:
    """What the platform has yet to be told of a listing."""
    return set(DueChange.objects.filter(listing=number).values_list("what", flat=True))


def test_a_variant_is_listed_with_its_price_and_its_platform_is_to_be_told_all_of_it(
    house: House, program: Program
) -> None:
    tea = new_variant("TEA")
    answer = program.post("/listings", said(house, price="5.50", prices={"CHF": "6.00"}, title="Fine tea"))
    made = told(answer, 201)
    assert (made["variant"], made["price"], made["currency"], made["reason"]) == (tea.pk, "5.5000", "EUR", "")
    assert made["prices"] == {"CHF": "6.0000", "EUR": "5.5000"}
    assert told(program.get(answer.headers["Location"])) == made
    assert due(made["id"]) == {"content", "price", "stock"}
    assert ChannelInventory.objects.filter(variant=tea, sales_channel=house.web).exists()


def test_listed_again_it_is_the_same_listing_changed(house: House, program: Program) -> None:
    new_variant("TEA")
    first = told(program.post("/listings", said(house, price="5.50", title="Fine tea")), 201)
    again = told(program.post("/listings", said(house, price="6.00")), 200)
    assert (again["id"], again["price"], again["title"]) == (first["id"], "6.0000", "Fine tea")


def test_a_listing_is_changed_only_by_who_saw_it_and_only_what_changed_is_told(house: House, program: Program) -> None:
    tea = new_variant("TEA")
    VariantPrice.objects.create(variant=tea, currency="EUR", amount=Decimal("4.00"))
    path = f"/listings/{told(program.post('/listings', said(house, price='5.50')), 201)['id']}"
    number = int(path.rpartition("/")[2])
    DueChange.objects.all().delete()
    seen = program.get(path).headers["ETag"]
    assert told(program.write("PATCH", path, {"title": "Tea"}, If_Match=seen))["title"] == "Tea"
    assert due(number) == {"content"}
    problem(program.write("PATCH", path, {"title": "Coffee"}, If_Match=seen), "changed", 412)
    DueChange.objects.all().delete()
    assert told(program.write("PATCH", path, {"price": None}))["price"] == "4.0000"
    assert due(number) == {"price", "stock"}
    DueChange.objects.all().delete()
    off = told(program.write("PATCH", path, {"is_available": False}))
    assert off["reason"] == "the listing is switched off"
    assert due(number) == {"content", "stock"}


def test_what_does_not_fit_is_refused_with_what_is_wrong(house: House, program: Program) -> None:
    new_variant("TEA")
    answer = program.post("/listings", said(house, sku="NONE"))
    assert problem(answer, "invalid", 422)["errors"][0]["where"] == "body.sku"
    problem(program.post("/listings", said(house, price="-1")), "invalid", 422)
    window = {"publish_from": "2026-06-02T00:00:00Z", "publish_until": "2026-06-01T00:00:00Z"}
    problem(program.post("/listings", said(house, **window)), "refused", 422)
    assert ChannelProduct.objects.count() == 0


def test_of_many_listings_what_is_refused_spoils_nothing_else(house: House, program: Program) -> None:
    for number in range(3):
        new_variant(f"CUP-{number}")
    items = [said(house, sku=f"CUP-{number}", price=f"{number}.50") for number in range(4)]
    answer = told(program.post("/listings/bulk", {"items": [*items, items[0]]}))["items"]
    assert [one["outcome"] for one in answer] == ["listed", "listed", "listed", "refused", "changed"]
    assert answer[3]["problem"]["errors"][0]["where"] == "body.items.3.sku"
    assert answer[4]["listing"] == answer[0]["listing"]


def test_listings_are_found_by_channel_sku_product_and_state_in_pages(house: House, program: Program) -> None:
    for number in range(3):
        for channel in (house.web, house.till):
            told(program.post("/listings", said(house, sku=new_or(f"CUP-{number}"), channel=channel.pk)), 201)
    whole = [one for page in program.pages("/listings", limit=2) for one in page]
    assert len({one["id"] for one in whole}) == 6
    mine = [one for page in program.pages("/listings", limit=2, channel=house.web.pk) for one in page]
    assert [one["sku"] for one in mine] == ["CUP-0", "CUP-1", "CUP-2"]
    assert {one["channel"] for one in told(program.get("/listings", sku="CUP-1"))["items"]} == {
        house.web.pk, house.till.pk,
    }  # fmt: skip
    assert told(program.get("/listings", is_available="false"))["items"] == []
    assert len(told(program.get("/listings", sync_state="local"))["items"]) == 6


def new_or(sku: str) -> str:
    """The SKU of a variant that is there from now on."""
    from finalmarket.catalog.models import Variant

    if not Variant.objects.filter(sku=sku).exists():
        new_variant(sku)
    return sku


def test_a_listing_is_taken_off_unless_a_platform_would_go_on_selling_it(house: House, program: Program) -> None:
    new_variant("TEA")
    number = told(program.post("/listings", said(house)), 201)["id"]
    account = ChannelIntegration.objects.create(sales_channel=house.web, platform_name="Shopify")
    link = ListingLink.objects.create(integration=account, listing_id=number, external_key="gid://1")
    refused = problem(program.write("DELETE", f"/listings/{number}"), "refused", 422)
    assert "is_available" in refused["what_to_do"]
    link.delete()
    answer = program.write("DELETE", f"/listings/{number}", token="off")
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.write("DELETE", f"/listings/{number}", token="off").headers["Idempotent-Replayed"] == "true"
    problem(program.get(f"/listings/{number}"), "not-found", 404)


def test_a_key_of_some_channels_sees_and_changes_theirs_alone(house: House, program: Program) -> None:
    third = SalesChannel.objects.create(name="Third", channel_type="web", country="DE")
    ids = {}
    for channel in (house.web, house.till, third):
        ids[channel.pk] = told(program.post("/listings", said(house, sku=new_or("TEA"), channel=channel.pk)), 201)["id"]
    mine = Program("listings:read", "listings:write", channels=[house.till.pk, third.pk])
    seen = [one["id"] for page in mine.pages("/listings", limit=1) for one in page]
    assert seen == [ids[house.till.pk], ids[third.pk]]
    problem(mine.get("/listings", channel=house.web.pk), "not-allowed", 403)
    problem(mine.get(f"/listings/{ids[house.web.pk]}"), "not-found", 404)
    problem(mine.write("PATCH", f"/listings/{ids[house.web.pk]}", {"title": "Mine"}), "not-found", 404)
    problem(mine.write("DELETE", f"/listings/{ids[house.web.pk]}"), "not-found", 404)
    problem(mine.post("/listings", said(house)), "not-allowed", 403)
    problem(mine.post("/listings/bulk", {"items": [said(house)]}), "not-allowed", 403)


def test_a_page_of_listings_costs_the_same_number_of_questions_however_long(house: House, program: Program) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            told(program.get("/listings"))
        return len(asked)

    told(program.post("/listings", said(house, sku=new_or("A"))), 201)
    few = questions()
    for sku in "BCDE":
        told(program.post("/listings", said(house, sku=new_or(sku))), 201)
    assert questions() == few
