"""Stock over the REST API: what lies where, changed by who saw what they change, and why it is what it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.access import keys
from finalmarket.catalog.models import Variant
from finalmarket.kernel import clock
from finalmarket.stock import atp
from finalmarket.stock.check import differences
from finalmarket.stock.models import ChannelSource, StockItem, StockLocation
from tests.api.calling import Program, problem, told
from tests.api.conftest import House
from tests.api.tea import Shop
from tests.stock.shelves import new_bundle, new_variant


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


# Compare and set.


def test_an_adjustment_is_made_only_on_what_its_caller_saw(shop: Shop) -> None:
    body = {"sku": "TEA-100", "location": shop.warehouse.pk, "quantity": 45, "expected": 50, "reason": "broken"}
    assert told(shop.program.post("/stock/adjustments", body)) == {
        "variant": shop.tea.pk, "location": shop.warehouse.pk, "on_hand": 45, "delta": -5,
    }  # fmt: skip
    said = problem(shop.program.post("/stock/adjustments", body), "not-as-expected", 409)
    assert said["stands"] == {"variant": shop.tea.pk, "location": shop.warehouse.pk, "on_hand": 45}
    assert shop.on_hand(shop.warehouse) == 45


def test_of_many_adjustments_what_is_refused_spoils_nothing_else(shop: Shop) -> None:
    one = {"sku": "TEA-100", "location": shop.warehouse.pk, "reason": "counted by hand"}
    items = [{**one, "delta": -1}, {**one, "delta": -1, "expected": 50}, {**one, "delta": -10**6},
             {**one, "sku": "NONE", "delta": 1}, {**one, "quantity": 40, "expected": 49}]  # fmt: skip
    answer = told(shop.program.post("/stock/adjustments/bulk", {"items": items}))["items"]
    assert [each["state"] for each in answer] == ["done", "refused", "refused", "refused", "done"]
    assert [each["problem"]["status"] for each in answer if each["problem"]] == [409, 422, 422]
    assert shop.on_hand(shop.warehouse) == 40


def test_many_adjustments_reach_into_promises_and_meet_backorders_as_single_ones_do(shop: Shop) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(58)), 201)
    cup = new_variant("CUP")
    one = {"reason": "counted by hand"}
    items = [
        {**one, "sku": "TEA-100", "location": shop.warehouse.pk, "delta": -5},
        {**one, "sku": "TEA-100", "location": shop.warehouse.pk, "delta": 4, "expected": 45},
        {**one, "sku": "CUP", "location": shop.store.pk, "quantity": 3},
        {**one, "sku": "CUP", "location": shop.store.pk, "quantity": 3, "expected": 3},
    ]
    answer = told(shop.program.post("/stock/adjustments/bulk", {"items": items}))["items"]
    assert [each["done"]["on_hand"] for each in answer] == [45, 49, 3, 3]
    assert [each["done"]["delta"] for each in answer] == [-5, 4, 3, 0]
    assert shop.on_hand(shop.warehouse) == 49
    level = told(shop.program.get(f"/stock/levels/{shop.tea.pk}"))
    assert (level["on_hand"], level["reserved"]) == (59, 58)
    assert StockItem.objects.get(variant=cup).on_hand == 3
    assert differences() == []


def test_many_adjustments_cost_as_many_questions_as_two(shop: Shop) -> None:
    def questions(skus: list[str]) -> int:
        items = [{"sku": sku, "location": shop.store.pk, "delta": 7, "reason": "found"} for sku in skus]
        with CaptureQueriesContext(connection) as asked:
            answer = told(shop.program.post("/stock/adjustments/bulk", {"items": items}))["items"]
        assert {each["state"] for each in answer} == {"done"}
        return len(asked)

    skus = [new_variant(f"CUP-{number}").sku for number in range(12)]
    told(shop.program.get("/stock/locations"))  # that the key is used is noted once a minute
    assert questions(skus[:2]) == questions(skus[2:])


def test_goods_arrive_all_or_none(shop: Shop) -> None:
    good = {"sku": "TEA-100", "location": shop.store.pk, "quantity": 5, "reference": "po:81"}
    bad = {"sku": "NONE", "location": shop.store.pk, "quantity": 5}
    said = problem(shop.program.post("/stock/receipts", {"items": [good, bad]}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.items.1.sku"
    assert shop.on_hand(shop.store) == 10
    assert told(shop.program.post("/stock/receipts", {"items": [good, good]})) == {"lines": 2, "units": 10}
    assert shop.on_hand(shop.store) == 20


def test_a_bundle_has_no_stock_that_could_be_adjusted(shop: Shop) -> None:
    bundle = new_bundle({shop.tea: 2}, "BOX")
    body = {"variant": bundle.pk, "location": shop.store.pk, "delta": 1, "reason": "found"}
    assert "bundle" in problem(shop.program.post("/stock/adjustments", body), "refused", 422)["detail"]


# What there is, why, and what happened.


def test_levels_tell_places_and_channels_and_come_in_pages(shop: Shop) -> None:
    for number in range(4):
        new_variant(f"CUP-{number}")
    pages = list(shop.program.pages("/stock/levels", limit=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    first = pages[0][0]
    assert {at["location"]: at["free"] for at in first["locations"]} == {shop.warehouse.pk: 50, shop.store.pk: 10}
    for query in ({"sku": "TEA-100"}, {"location": shop.store.pk}, {"variants": f"{shop.tea.pk}"}):
        assert [one["sku"] for one in told(shop.program.get("/stock/levels", **query))["items"]] == ["TEA-100"]
    (only,) = told(shop.program.get("/stock/levels", channel=shop.till.pk))["items"]
    assert [one["channel"] for one in only["channels"]] == [shop.till.pk]


def test_why_it_is_47_adds_up(shop: Shop) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(13)), 201)
    said = told(shop.program.get(f"/stock/levels/{shop.tea.pk}/explain", channel=shop.web.pk))
    assert said["total"] == 47 == sum(part["quantity"] for part in said["parts"])
    assert [part["kind"] for part in said["parts"]] == ["ledger_receive", "reserved"]
    assert said["parts"][1]["details"]


def test_the_history_of_a_variant_is_told_newest_first(shop: Shop) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(1)), 201)
    path = f"/stock/levels/{shop.tea.pk}/movements"
    kinds = [one["kind"] for page in shop.program.pages(path, limit=1) for one in page]
    assert kinds == ["reserve", "receive", "receive"]
    (one,) = told(shop.program.get(path, kind="receive", location=shop.store.pk))["items"]
    assert one["on_hand"] == 10


def test_what_a_channel_may_sell_is_decided_by_who_saw_what_stood(shop: Shop) -> None:
    path = f"/stock/levels/{shop.tea.pk}/policies/{shop.web.pk}"
    seen = shop.program.get(path).headers["ETag"]
    changed = told(shop.program.write("PATCH", path, {"buffer": 50, "cap": 8}, If_Match=seen))
    assert (changed["buffer"], changed["cap"]) == (50, 8)
    problem(shop.program.write("PATCH", path, {"buffer": 0}, If_Match=seen), "changed", 412)
    assert atp.level(shop.tea.pk, shop.web.pk).available == 8
    told(shop.program.write("PATCH", path, {"cap": None}))
    assert atp.level(shop.tea.pk, shop.web.pk).available == 10


def test_safety_stock_is_kept_out_of_every_promise(shop: Shop) -> None:
    body = {"location": shop.warehouse.pk, "safety": 20, "low_stock_threshold": 5}
    level = told(shop.program.write("PUT", f"/stock/levels/{shop.tea.pk}/keeping", body))
    assert level["safety"] == 20
    assert {one["available"] for one in level["channels"]} == {40}


# Papers.


def test_a_transfer_goes_its_way_and_what_was_lost_is_written_off(shop: Shop) -> None:
    body = {"source": shop.warehouse.pk, "destination": shop.store.pk, "lines": [{"sku": "TEA-100", "quantity": 10}]}
    answer = shop.program.post("/stock/transfers", body)
    path = f"/stock/transfers/{told(answer, 201)['id']}"
    draft = shop.program.get(path).headers["ETag"]
    assert told(shop.program.post(f"{path}/ship", If_Match=draft))["state"] == "in_transit"
    problem(shop.program.post(f"{path}/cancel", If_Match=draft), "changed", 412)
    told(shop.program.post(f"{path}/receive", {"lines": [{"sku": "TEA-100", "quantity": 9}]}))
    ended = told(shop.program.post(f"{path}/close", {"reason": "a box was lost"}))
    assert ended["lines"] == [{"variant": shop.tea.pk, "quantity": 10, "received_quantity": 9, "discrepancy": -1}]
    assert (shop.on_hand(shop.warehouse), shop.on_hand(shop.store)) == (40, 19)


def test_all_that_is_outstanding_arrives_where_nothing_else_is_said(shop: Shop) -> None:
    body = {"source": shop.warehouse.pk, "destination": shop.store.pk, "lines": [{"sku": "TEA-100", "quantity": 10}]}
    path = f"/stock/transfers/{told(shop.program.post('/stock/transfers', body), 201)['id']}"
    told(shop.program.post(f"{path}/ship"))
    assert told(shop.program.post(f"{path}/receive"))["state"] == "received"
    problem(shop.program.post(f"{path}/receive"), "refused", 422)


def test_a_stock_take_finds_what_is_missing_while_selling_goes_on(shop: Shop) -> None:
    number = told(shop.program.post("/stock/counts", {"location": shop.store.pk}), 201)["id"]
    path = f"/stock/counts/{number}"
    lines = told(shop.program.post(f"{path}/lines", {"items": [{"sku": "TEA-100", "counted": 8}]}))["items"]
    assert [(one["booked"], one["difference"]) for one in lines] == [(10, -2)]
    assert told(shop.program.post(f"{path}/apply", {"reason": "yearly"}))["state"] == "applied"
    assert shop.on_hand(shop.store) == 8
    problem(shop.program.post(f"{path}/apply"), "refused", 422)


def test_a_delivery_is_announced_postponed_and_comes_in_parts(shop: Shop) -> None:
    at = (clock.now() + timedelta(days=3)).isoformat()
    body = {"sku": "TEA-100", "location": shop.store.pk, "quantity": 100, "expected_at": at, "supplier": "Tea Co"}
    path = f"/stock/expected/{told(shop.program.post('/stock/expected', body), 201)['id']}"
    seen = shop.program.get(path).headers["ETag"]
    told(shop.program.post(f"{path}/receive", {"quantity": 60}, If_Match=seen))
    problem(shop.program.post(f"{path}/receive", {"quantity": 60}, If_Match=seen), "changed", 412)
    told(shop.program.post(f"{path}/receive", {"quantity": 40}))
    assert told(shop.program.get(path))["state"] == "received"
    assert shop.on_hand(shop.store) == 110


def test_a_location_is_opened_and_switched_off_and_nobody_sells_from_it(shop: Shop) -> None:
    opened = told(shop.program.post("/stock/locations", {"code": "south", "name": "South"}), 201)
    problem(shop.program.post("/stock/locations", {"code": "south", "name": "Again"}), "refused", 422)
    path = f"/stock/locations/{shop.warehouse.pk}"
    seen = shop.program.get(path).headers["ETag"]
    told(shop.program.write("PATCH", path, {"is_active": False}, If_Match=seen))
    problem(shop.program.write("PATCH", path, {"name": "Old"}, If_Match=seen), "changed", 412)
    assert atp.level(shop.tea.pk, shop.web.pk).available == 10
    assert told(shop.program.get(f"/stock/locations/{opened['id']}"))["is_active"] is True


# A key that is bound to channels.


def test_a_key_of_the_till_sees_and_touches_what_is_the_tills_alone(shop: Shop) -> None:
    ChannelSource.objects.create(sales_channel=shop.till, location=shop.store)
    cup = new_variant("CUP")
    theirs = told(shop.program.post("/stock/reservations", shop.wish(1)), 201)["id"]
    till = Program("stock:read", "stock:write", channels=[shop.till.pk])
    (level,) = told(till.get("/stock/levels"))["items"]
    assert [one["location"] for one in level["locations"]] == [shop.store.pk]
    assert [one["channel"] for one in level["channels"]] == [shop.till.pk]
    for path in (
        f"/stock/levels/{cup.pk}", f"/stock/locations/{shop.warehouse.pk}", f"/stock/reservations/{theirs}",
        f"/stock/levels/{shop.tea.pk}/policies/{shop.web.pk}",
    ):  # fmt: skip
        problem(till.get(path), "not-found", 404)
    problem(till.get(f"/stock/levels/{shop.tea.pk}/explain", channel=shop.web.pk), "not-allowed", 403)
    assert told(till.get(f"/stock/levels/{shop.tea.pk}/movements"))["items"] == []
    problem(till.post("/stock/reservations", shop.wish(1)), "not-allowed", 403)
    told(till.post("/stock/reservations", shop.wish(1, shop.till)), 201)
    problem(till.post(f"/stock/reservations/{theirs}/release"), "not-found", 404)
    body = {"sku": "TEA-100", "delta": 1, "reason": "found"}
    told(till.post("/stock/adjustments", {**body, "location": shop.store.pk}))
    problem(till.post("/stock/adjustments", {**body, "location": shop.warehouse.pk}), "not-allowed", 403)


def test_a_key_of_the_till_reserves_where_the_till_sells_from_and_hears_of_no_other_place(shop: Shop) -> None:
    ChannelSource.objects.create(sales_channel=shop.till, location=shop.store)
    till = Program("stock:write", channels=[shop.till.pk])
    theirs, elsewhere = (shop.wish(1, shop.till, location=place.pk) for place in (shop.store, shop.warehouse))
    told(till.post("/stock/reservations", theirs), 201)
    for units in (1, 10**6):  # whether or not so many lie there
        wish = shop.wish(units, shop.till, location=shop.warehouse.pk)
        said = problem(till.post("/stock/reservations", wish), "not-allowed", 403)
        assert said["stands"] == {} and "body.location" in said["detail"]
    problem(till.post("/stock/reservations", {**elsewhere, "location": 10**9}), "not-allowed", 403)
    items = told(till.post("/stock/reservations/bulk", {"items": [theirs, elsewhere]}))["items"]
    assert [one["state"] for one in items] == ["held", "refused"]
    assert "body.items.1.location" in items[1]["problem"]["detail"]
    told(shop.program.post("/stock/reservations", elsewhere), 201)  # whoever is bound to none decides by themselves


def test_nothing_is_reserved_at_a_location_that_is_switched_off(shop: Shop) -> None:
    StockLocation.objects.filter(pk=shop.store.pk).update(is_active=False)
    said = problem(shop.program.post("/stock/reservations", shop.wish(1, location=shop.store.pk)), "not-enough", 409)
    assert said["stands"] == {"available": 0}


def test_what_explains_a_number_names_no_other_channel_to_a_bound_key(shop: Shop) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(1)), 201)
    till = Program("stock:read", channels=[shop.till.pk])
    answer = till.get(f"/stock/levels/{shop.tea.pk}/explain", channel=shop.till.pk)
    assert told(answer)["total"] == 59
    assert shop.web.name not in answer.content.decode()


def test_a_reservation_of_an_order_is_changed_by_the_order_alone(shop: Shop) -> None:
    from finalmarket.orders.intake import take
    from finalmarket.orders.models import OrderPromise
    from tests.orders.market import draft, line

    order = take(draft(shop.web, "W-1", line("TEA-100", 2))).order
    number = OrderPromise.objects.get(order_line__order=order).reservation_id
    said = problem(shop.program.post(f"/stock/reservations/{number}/release"), "refused", 422)
    assert f"order {order.pk}" in said["detail"]


# Some fields alone.


def test_a_read_shows_the_fields_that_were_asked_for_and_its_etag_is_that_of_the_whole(shop: Shop) -> None:
    path = f"/stock/levels/{shop.tea.pk}"
    whole, part = shop.program.get(path), shop.program.get(path, fields="sku,on_hand")
    assert told(part) == {"sku": "TEA-100", "on_hand": 60}
    listed = told(shop.program.get("/stock/levels", fields="sku"))
    assert listed == {"items": [{"sku": "TEA-100"}], "next": None}
    assert {name for name in told(whole) if name} >= {"locations", "channels"}
    said = problem(shop.program.get(path, fields="sku,colour"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.fields"
    place = f"/stock/locations/{shop.store.pk}"
    seen = shop.program.get(place, fields="name").headers["ETag"]
    told(shop.program.write("PATCH", place, {"name": "Shop"}, If_Match=seen))


def test_scopes_of_stock_are_apart(shop: Shop) -> None:
    assert {"stock:read", "stock:write"} <= keys.SCOPES.keys()
    reader = Program("stock:read")
    problem(reader.post("/stock/reservations", shop.wish(1)), "not-allowed", 403)
    assert Variant.objects.get().sku == "TEA-100"
