"""Orders over the REST API are placed once, whoever asks how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from finalmarket.access.models import AuditEntry
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from finalmarket.stock.models import StockItem
from tests.api.calling import Program, problem, told
from tests.api.conftest import open_house
from tests.api.orders.conftest import Shop
from tests.orders.market import broken_laws, somebody_else
from tests.patience import PATIENCE_SECONDS


def test_an_order_is_placed_with_stock_payment_and_customer_and_goods_cost_what_the_listing_says(shop: Shop) -> None:
    address = {"name": "Ann Lee", "street": "Main Street 1", "city": "Berlin", "country": "DE", "latitude": 52.5}
    answer = shop.program.post(
        "/orders",
        shop.said(3, shipping_address=address, payments=[{"tender": "card", "amount": "15.00", "external_id": "pi_1"}]),
    )
    order = told(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/orders/{order['id']}"
    assert (order["state"], order["payment_state"], order["total"]) == ("open", "paid", "15.0000")
    assert order["customer"] == shop.ann.pk
    assert order["shipping_address"]["city"] == "Berlin"
    assert [(one["location"], one["lines"][0]["quantity"]) for one in order["parcels"]] == [(shop.north.pk, 3)]
    assert shop.tea.stock_pool.allocated == 3
    assert told(shop.program.get(f"/orders/{order['id']}")) == order


def test_said_again_by_its_name_it_is_the_same_order_brought_up_to_date(shop: Shop) -> None:
    first = shop.placed(2, external_id="cart-81", payments=[])
    again = told(shop.program.post("/orders", shop.said(2, external_id="cart-81", placed_at=first["placed_at"])), 200)
    assert again["id"] == first["id"]
    more = told(shop.program.post("/orders", shop.said(5, external_id="cart-81", external_version="2")), 200)
    assert more["lines"][0]["quantity"] == 5
    older = told(shop.program.post("/orders", shop.said(1, external_id="cart-81", external_version="1")), 200)
    assert older["lines"][0]["quantity"] == 5
    assert Order.objects.count() == 1


def test_an_order_that_is_said_again_without_a_day_stays_on_its_own(shop: Shop) -> None:
    yesterday = clock.now() - timedelta(days=1)
    with clock.steered(yesterday):
        first = shop.placed(2, external_id="cart-81")
    again = told(shop.program.post("/orders", shop.said(3, external_id="cart-81")), 200)
    assert (again["id"], again["placed_at"]) == (first["id"], first["placed_at"])
    earlier = shop.said(3, external_id="cart-81", placed_at=(yesterday - timedelta(days=7)).isoformat())
    assert told(shop.program.post("/orders", earlier), 200)["placed_at"] < first["placed_at"]


def test_a_reservation_of_other_goods_is_no_part_of_an_order(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 1}, {"sku": "CUP-1", "quantity": 1}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    said = problem(shop.program.post("/orders", shop.said(1, reservation=held)), "refused", 422)
    assert "holds other goods" in said["detail"]
    lines = [{"sku": "CUP-1", "quantity": 1}, {"sku": "TEA-100", "quantity": 1}]  # in whatever order
    told(shop.program.post("/orders", {**shop.said(reservation=held), "lines": lines}), 201)
    assert told(keeper.get(f"/stock/reservations/{held}"))["state"] == "confirmed"


def test_without_a_name_the_idempotency_key_is_one(shop: Shop) -> None:
    first, second = (shop.program.post("/orders", shop.said(), token="buy-1") for _ in range(2))
    assert first.content == second.content
    assert Order.objects.count() == 1
    assert AuditEntry.objects.filter(operation="place_order").count() == 1


def test_what_does_not_fit_is_refused_unless_it_has_happened(shop: Shop) -> None:
    problem(shop.program.post("/orders", shop.said(15)), "not-enough", 409)
    assert Order.objects.count() == 0
    taken = told(shop.program.post("/orders", shop.said(15, happened=True)), 201)
    assert taken["problem"].startswith("short: 1 x TEA-100")


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        ({"channel": 10**9}, "invalid", "body.channel"),
        ({"customer": 10**9}, "invalid", "body.customer"),
        ({"reservation": 10**9}, "invalid", "body.reservation"),
        ({"location": 10**9}, "invalid", "body.location"),
        ({"lines": []}, "invalid", "body.lines"),
        ({"lines": [{"quantity": 1}]}, "invalid", "body.lines.0"),
        ({"lines": [{"sku": "NONE", "unit_price": "1"}]}, "refused", None),
        ({"total": "99.00"}, "refused", None),
        ({"currency": "USD"}, "refused", None),
        ({"payments": [{"tender": "card", "amount": "99.00"}]}, "refused", None),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_what_is_wrong(
    shop: Shop, change: dict[str, Any], kind: str, where: str | None
) -> None:
    said = problem(shop.program.post("/orders", {**shop.said(), **change}), kind, 422)
    if where:
        assert said["errors"][0]["where"] == where
    assert Order.objects.count() == 0


def test_an_order_takes_a_reservation_over(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    problem(shop.program.post("/orders", shop.said(1)), "not-enough", 409)
    told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
    assert told(keeper.get(f"/stock/reservations/{held}"))["state"] == "confirmed"


def test_an_order_takes_over_what_was_reserved_and_confirmed_and_another_order_does_not(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    told(keeper.post(f"/stock/reservations/{held}/confirm", {"reference": "cart 81"}))
    told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
    problem(shop.program.post("/orders", shop.said(1, reservation=held)), "not-enough", 409)
    assert broken_laws() == []


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_order_served_by_one_place_takes_nothing_that_is_reserved_elsewhere(shop: Shop, confirmed: bool) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "location": shop.north.pk, "lines": [{"sku": "TEA-100", "quantity": 4}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    if confirmed:
        told(keeper.post(f"/stock/reservations/{held}/confirm"))
    told(shop.program.post("/orders", shop.said(4, reservation=held, location=shop.south.pk, handed_over=True)), 201)
    rows = StockItem.objects.filter(variant=shop.tea).order_by("location__code")
    assert list(rows.values_list("on_hand", "reserved", "allocated")) == [(10, 0, 0), (0, 0, 0)]
    assert broken_laws() == []


@pytest.mark.committed_database
@pytest.mark.parametrize("end", ["release", "fulfil"])
def test_units_that_an_order_takes_over_are_not_let_go_beside_it(end: str) -> None:
    shop, keeper = Shop(open_house()), Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    with somebody_else() as begin:
        with transaction.atomic():
            order = told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
            ending = begin(lambda: keeper.post(f"/stock/reservations/{held}/{end}", {}))
        said = problem(ending.result(PATIENCE_SECONDS), "refused", 422)
    assert f"belongs to order {order['id']}" in said["detail"]
    assert broken_laws() == []


def test_of_many_orders_what_is_refused_spoils_nothing_else(shop: Shop) -> None:
    items = [shop.said(5, external_id="a"), shop.said(50, external_id="b"), shop.said(5, external_id="c"),
             shop.said(5, external_id="a")]  # fmt: skip
    answer = told(shop.program.post("/orders/bulk", {"items": items}))["items"]
    assert [one["outcome"] for one in answer[:3]] == ["created", "refused", "created"]
    assert answer[3]["order"] == answer[0]["order"]
    assert "not taken" in answer[1]["problem"]["detail"]
    assert Order.objects.count() == 2
