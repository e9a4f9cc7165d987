"""Orders over the REST API are carried to their end by calls alone."""

from __future__ import annotations

from finalmarket.orders.models import OrderEvent
from tests.api.calling import problem, told
from tests.api.orders.conftest import Shop
from tests.stock.shelves import put


def test_no_location_has_it_all_and_so_the_order_is_split_shipped_and_delivered(shop: Shop) -> None:
    order = shop.placed(12)
    path = f"/orders/{order['id']}"
    parcels = told(shop.program.get(f"{path}/parcels"))["items"]
    assert sorted(one["location"] for one in parcels) == [shop.north.pk, shop.south.pk]
    for parcel in parcels:
        step = f"{path}/parcels/{parcel['id']}"
        told(shop.program.post(f"{step}/label", {"carrier": "DHL", "tracking_number": "00340"}))
        told(shop.program.post(f"{step}/ship", {}))
        ended = told(shop.program.post(f"{step}/deliver", {}))
    assert ended["state"] == "fulfilled"
    assert {one["state"] for one in ended["parcels"]} == {"delivered"}
    assert shop.tea.stock_pool.on_hand == 2


def test_a_part_of_a_parcel_leaves_and_the_rest_waits_in_another(shop: Shop) -> None:
    order = shop.placed(6)
    (parcel,) = order["parcels"]
    part = {"carrier": "DHL", "lines": [{"line": parcel["lines"][0]["id"], "quantity": 4}]}
    shipped = told(shop.program.post(f"/orders/{order['id']}/parcels/{parcel['id']}/ship", part))
    assert shipped["state"] == "partly_fulfilled"
    assert [(one["state"], one["lines"][0]["quantity"]) for one in shipped["parcels"]] == [
        ("shipped", 4),
        ("pending", 2),
    ]


def test_what_a_location_does_not_find_is_routed_to_another(shop: Shop) -> None:
    order = shop.placed(3)
    (parcel,) = order["parcels"]
    rejected = told(shop.program.post(f"/orders/{order['id']}/parcels/{parcel['id']}/reject", {"reason": "not_found"}))
    assert [(one["location"], one["state"]) for one in rejected["parcels"]] == [
        (shop.north.pk, "rejected"), (shop.south.pk, "pending"),
    ]  # fmt: skip
    assert shop.tea.stock_pool.on_hand == 11


def test_units_are_cancelled_once_and_their_money_is_given_back(shop: Shop) -> None:
    order = shop.placed(4)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    body = {"lines": [{"line": line, "quantity": 1}], "reason": "one is enough"}
    for _ in range(2):
        cancelled = told(shop.program.post(f"{path}/cancel", body, token="off"))
    assert (cancelled["lines"][0]["cancelled_quantity"], cancelled["refunded"]) == (1, "5.0000")
    whole = told(shop.program.post(f"{path}/cancel", {"reason": "changed my mind"}))
    assert (whole["state"], whole["refunded"]) == ("cancelled", "20.0000")
    assert shop.tea.stock_pool.allocated == 0


def test_goods_come_back_announced_and_received_as_they_came(shop: Shop) -> None:
    order = shop.placed(4)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}))
    announced = told(
        shop.program.post(f"{path}/returns", {"lines": [{"line": line, "quantity": 2}], "reason": "bitter"}), 201
    )
    (record,) = announced["returns"]
    arrived = {"lines": [{"line": record["lines"][0]["id"], "quantity": 1, "disposition": "damaged"}]}
    received = told(shop.program.post(f"{path}/returns/{record['id']}/receive", arrived))
    assert (received["returns"][0]["state"], received["refunded"]) == ("received", "5.0000")
    assert shop.tea.stock_pool.on_hand == 10
    problem(shop.program.post(f"{path}/returns/{record['id']}/cancel"), "refused", 422)
    counter = {"lines": [{"line": line, "quantity": 1}], "reason": "bitter", "received": True}
    told(shop.program.post(f"{path}/returns", counter), 201)
    assert type(shop.tea.stock_pool).objects.get(pk=shop.tea.pk).on_hand == 11


def test_goods_are_exchanged_and_what_came_back_pays_for_what_is_sent(shop: Shop) -> None:
    order = shop.placed(2)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}))
    body = {"lines": [{"line": line, "quantity": 1}], "reason": "too small", "received": True,
            "instead": [{"sku": "CUP-1", "quantity": 1}]}  # fmt: skip
    record = told(shop.program.post(f"{path}/exchanges", body), 201)["returns"][0]
    instead = told(shop.program.get(f"/orders/{record['exchange_order']}"))
    assert (instead["payment_state"], instead["lines"][0]["sku"]) == ("paid", "CUP-1")


def test_money_is_authorised_taken_and_given_back_never_more_than_came_in(shop: Shop) -> None:
    order = told(shop.program.post("/orders", shop.said(4)), 201)
    path = f"/orders/{order['id']}"
    paid = told(shop.program.post(f"{path}/payments", {"tender": "card", "amount": "20", "state": "authorised"}), 201)
    problem(shop.program.post(f"{path}/payments", {"tender": "cash", "amount": "1"}), "refused", 422)
    payment = paid["payments"][0]["id"]
    assert told(shop.program.post(f"{path}/payments/{payment}/capture", {}))["payment_state"] == "paid"
    problem(shop.program.post(f"{path}/payments/{payment}/void"), "refused", 422)
    for _ in range(2):
        back = told(shop.program.post(f"{path}/refunds", {"amount": "3", "reason": "late"}, token="late"), 201)
    assert (back["refunded"], back["payment_state"]) == ("3.0000", "partly_refunded")
    problem(shop.program.post(f"{path}/refunds", {"amount": "18", "reason": "late"}), "refused", 422)


def test_goods_that_arrive_late_are_routed_when_it_is_looked_at_again(shop: Shop) -> None:
    taken = told(shop.program.post("/orders", shop.said(15, happened=True)), 201)
    put(shop.tea, shop.south, 1)
    routed = told(shop.program.post(f"/orders/{taken['id']}/route"))
    assert routed["problem"] == ""
    assert sum(line["quantity"] for one in routed["parcels"] for line in one["lines"]) == 15


def test_a_note_stands_in_the_history(shop: Shop) -> None:
    order = shop.placed()
    told(shop.program.post(f"/orders/{order['id']}/notes", {"text": "Leave it with the neighbour"}), 201)
    pages = [one for page in shop.program.pages(f"/orders/{order['id']}/history", limit=2) for one in page]
    assert "taken" in {one["kind"] for one in pages}
    assert (pages[-1]["kind"], pages[-1]["text"]) == ("note", "Leave it with the neighbour")
    assert OrderEvent.objects.filter(kind="note").get().actor == "api:web shop"


def test_a_problem_is_settled_by_who_says_how(shop: Shop) -> None:
    taken = told(shop.program.post("/orders", shop.said(2, total="99.00", happened=True)), 201)
    assert "99" in taken["problem"]
    assert told(shop.program.get("/orders", has_problem="true"))["items"]
    settled = told(shop.program.post(f"/orders/{taken['id']}/settle", {"reason": "called the customer"}))
    assert settled["problem"] == ""


def test_who_acts_on_what_is_gone_is_told_so(shop: Shop) -> None:
    order = shop.placed(2)
    path = f"/orders/{order['id']}"
    seen = shop.program.get(path).headers["ETag"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}, If_Match=seen))
    problem(shop.program.post(f"{path}/cancel", {"reason": "late"}, If_Match=seen), "changed", 412)


def test_parts_of_another_order_are_not_found_under_this_one(shop: Shop) -> None:
    first, second = shop.placed(1), shop.placed(1, payments=[])
    path = f"/orders/{second['id']}"
    for step in (
        f"{path}/parcels/{first['parcels'][0]['id']}/ship", f"{path}/payments/{first['payments'][0]['id']}/void",
        f"{path}/returns/1/cancel",
    ):  # fmt: skip
        problem(shop.program.post(step), "not-found", 404)
