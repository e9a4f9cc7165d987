"""Carts, checkout exactly once, and what became of an order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.access import idempotency, shop_keys
from finalmarket.catalog.models import VariantPrice
from finalmarket.customers import persons
from finalmarket.customers.models import CustomerIdentity
from finalmarket.journeys import stitching, write_keys
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.orders.models import Cart, Order
from finalmarket.stock.models import StockItem
from tests.api.calling import problem, told
from tests.api.shop.conftest import Shops
from tests.api.shop.shopper import ADDRESS, Page, kiosk


def test_a_cart_is_filled_changed_and_emptied(shops: Shops) -> None:
    web, tea = shops.web, shops.market.variants["TEA"].pk
    cart = web.cart(("TEA", 2), ("SUGAR", 1))
    shown = told(web.get(f"/carts/{cart}"))
    assert (shown["units"], shown["goods"], shown["delivery"], shown["is_mine"]) == (3, "11.0000", "4.90", False)
    shown = told(web.write("PUT", f"/carts/{cart}/lines/{tea}", {"quantity": 12}))
    assert (shown["goods"], shown["delivery"]) == ("56.0000", "0")
    shown = told(web.write("DELETE", f"/carts/{cart}/lines/{tea}"))
    assert [line["sku"] for line in shown["lines"]] == ["SUGAR"]


def test_an_addition_whose_answer_was_lost_is_made_once(shops: Shops) -> None:
    cart = shops.web.cart()
    for _ in range(2):
        shown = told(shops.web.post(f"/carts/{cart}/lines", {"sku": "TEA", "quantity": 2}, token="once"))
    assert shown["units"] == 2


def test_the_price_of_now_counts_and_the_difference_is_said(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2), ("SUGAR", 2))
    VariantPrice.objects.filter(variant__sku="TEA").update(amount="5.00")
    StockItem.objects.filter(variant__sku="SUGAR").update(on_hand=0)
    shops.market.variants["SUGAR"].stock_pool.on_hand = 0
    shops.market.variants["SUGAR"].stock_pool.save()
    lines = {line["sku"]: line for line in told(shops.web.get(f"/carts/{cart}"))["lines"]}
    assert [one["kind"] for one in lines["TEA"]["differences"]] == ["price"]
    assert lines["TEA"]["price"] == "5.0000"
    assert [one["kind"] for one in lines["SUGAR"]["differences"]] == ["sold_out"]
    problem(shops.web.order(cart), "refused", 422)


def test_a_checkout_whose_answer_was_lost_is_one_order(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2))
    first = told(shops.web.order(cart, token="lost"), 201)
    again = shops.web.order(cart, token="lost")
    assert told(again, 201) == first and again.headers["Idempotent-Replayed"] == "true"
    assert told(shops.web.order(cart, token="another"), 201) == first  # the cart itself is ordered once
    order = Order.objects.get()
    assert (order.total, order.shipping, order.payment_state) == (Decimal("13.90"), Decimal("4.90"), "paid")
    assert first["number"] == order.number


def test_an_order_without_an_idempotency_key_is_refused(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 1))
    answer = shops.web.post(f"/carts/{cart}/checkout", {"email": "ann@example.com", "address": ADDRESS})
    problem(answer, "no-idempotency-key", 400)
    assert not Order.objects.exists()


def test_what_was_agreed_is_what_is_paid(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2))
    said = problem(shops.web.order(cart, agreed="9.00"), "refused", 422)
    assert "13.90" in said["detail"]
    assert not Order.objects.exists()
    told(shops.web.order(cart, agreed="13.90"), 201)


def test_a_declined_payment_leaves_nothing(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2))
    said = problem(shops.web.order(cart, test="declined", token="pay"), "refused", 422)
    assert "declined" in said["detail"]
    assert not Order.objects.exists()
    told(shops.web.order(cart, token="pay"), 201)


def test_test_payments_are_for_shops_that_allow_them(shops: Shops) -> None:
    shops.web.channel.configuration.pop("test_payments")
    shops.web.channel.save()
    cart = shops.web.cart(("TEA", 1))
    problem(shops.web.order(cart), "refused", 422)
    order = told(shops.web.order(cart, pay="store"), 201)
    assert order["payment_state"] == "unpaid"


@pytest.mark.parametrize(
    "said", [{"address": None}, {"address": {**ADDRESS, "street": " "}}, {"email": "", "phone": ""}, {"name": ""}]
)
def test_what_is_to_be_sent_needs_to_know_where_and_to_whom(shops: Shops, said: dict[str, Any]) -> None:
    problem(shops.web.order(shops.web.cart(("TEA", 1)), **said), "refused", 422)
    assert not Order.objects.exists()


def test_more_than_there_is_is_refused_and_held_goods_are_sold(shops: Shops) -> None:
    cart = shops.web.cart(("SUGAR", 3))
    assert told(shops.web.post(f"/carts/{cart}/hold"))["units"] == 3
    other = shops.web.cart(("SUGAR", 1))
    problem(shops.web.order(other), "refused", 422)
    told(shops.web.order(cart), 201)
    problem(shops.web.post(f"/carts/{other}/hold"), "refused", 422)
    told(shops.web.post(f"/carts/{other}/release"))


def test_a_shopper_is_told_that_the_last_few_are_left_and_of_more_not_how_many(shops: Shops) -> None:
    tea = shops.web.cart(("TEA", 99))
    (line,) = told(shops.web.get(f"/carts/{tea}"))["lines"]
    assert line["differences"] == [{"kind": "few", "text": "not so many are left", "was": "99", "now": ""}]
    (line,) = told(shops.web.get(f"/carts/{shops.web.cart(('SUGAR', 9))}"))["lines"]
    assert line["differences"] == [{"kind": "few", "text": "only 3 left", "was": "9", "now": "3"}]


@pytest.mark.parametrize("how", ["hold", "checkout", "at once"])
def test_a_refusal_names_the_goods_that_are_not_enough_and_not_how_many_there_are(shops: Shops, how: str) -> None:
    goods = (("SUGAR", 1), ("TEA", 99))
    if how == "hold":
        answer = shops.web.post(f"/carts/{shops.web.cart(*goods)}/hold")
    elif how == "checkout":
        answer = shops.web.order(shops.web.cart(*goods))
    else:
        lines = [{"sku": sku, "quantity": units} for sku, units in goods]
        body = {"lines": lines, "name": "Ann Lee", "email": "ann@example.com", "address": ADDRESS, "pay": "store"}
        answer = shops.web.post("/orders", body, token="at-once")
    assert problem(answer, "refused", 422)["detail"] == "Not so many are left of Things."
    assert "40" not in answer.content.decode()
    assert not Order.objects.exists()


def test_collected_goods_come_from_the_shelf_of_their_store_and_cost_no_delivery(shops: Shops) -> None:
    north = shops.market.north
    order = told(shops.web.order(shops.web.cart(("TEA", 2)), collect_at=north.pk, address=None), 201)
    assert order["total"] == "9.0000" and len(order["collect_code"]) == 6
    status = told(shops.web.get(f"/orders/{order['token']}"))
    assert status["collect"] == {"store": "North store", "state": "waiting", "code": order["collect_code"]}
    assert StockItem.objects.get(variant__sku="TEA", location=north).allocated == 2
    cart = shops.web.cart(("SUGAR", 3))  # two of them lie there
    problem(shops.web.order(cart, collect_at=north.pk, address=None), "refused", 422)
    problem(shops.web.order(cart, collect_at=shops.market.south.pk, address=None), "refused", 422)


def test_the_status_of_an_order_tells_what_its_buyer_may_know(shops: Shops) -> None:
    order = told(shops.web.order(shops.web.cart(("TEA", 2)), pay="store"), 201)
    status = told(shops.web.get(f"/orders/{order['token']}"))
    assert (status["state"], status["due"], status["can_pay"]) == ("open", "13.9000", False)
    assert [(one["sku"], one["quantity"]) for one in status["lines"]] == [("TEA", 2)]
    assert "Hauptstr" not in str(status) and "ann@" not in str(status)
    problem(shops.web.post(f"/orders/{order['token']}/pay", {}), "refused", 422)


def test_a_kiosk_orders_at_once_and_once(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    body = {"lines": [{"sku": "TEA", "quantity": 2}], "collect_at": shops.market.north.pk, "name": "Ann", "pay": "test"}
    first = told(page.post("/orders", body, token="queued"), 201)
    assert told(page.post("/orders", body, token="queued"), 201) == first
    assert Order.objects.count() == 1
    problem(page.post("/orders", {**body, "name": "Ben"}, token="queued"), "other-call", 422)
    problem(page.post("/orders", {**body, "lines": []}, token="empty"), "invalid", 422)
    assert Cart.objects.count() == 1  # what was refused left no cart


def _days_later() -> None:
    """The keys are forgotten."""
    with clock.steered(clock.now() + timedelta(days=3)):
        assert idempotency.tidy()


def test_an_order_that_a_kiosk_repeats_after_a_weekend_stays_one(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    body = {"lines": [{"sku": "TEA", "quantity": 2}], "collect_at": shops.market.north.pk, "name": "Ann", "pay": "test"}
    first = told(page.post("/orders", body, token="queued"), 201)
    _days_later()
    again = page.post("/orders", body, token="queued")
    assert told(again, 201) == first and "Idempotent-Replayed" not in again.headers
    _days_later()
    assert (
        told(page.post("/orders", {**body, "name": "Ben", "lines": [{"sku": "SUGAR"}]}, token="queued"), 201) == first
    )
    assert [(line.sku, line.quantity) for line in Order.objects.get().lines.all()] == [("TEA", 2)]


def test_an_order_in_the_book_is_answered_whatever_the_shop_sells_by_now_and_by_whichever_key(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    body = {"lines": [{"sku": "TEA", "quantity": 2}], "collect_at": shops.market.north.pk, "name": "Ann", "pay": "test"}
    first = told(page.post("/orders", body, token="queued"), 201)
    _days_later()
    shops.kiosk.configuration = {}  # no payments for trying any more
    shops.kiosk.save()
    shops.kiosk.pause("closed")
    shop_keys.end(page.key.pk)
    page.headers["X-Shop-Key"] = shop_keys.create(shops.kiosk).key
    assert told(page.post("/orders", body, token="queued"), 201) == first


def test_a_key_that_two_kiosks_chose_is_an_order_of_each(shops: Shops) -> None:
    body = {"lines": [{"sku": "TEA"}], "collect_at": shops.market.north.pk, "pay": "store"}
    numbers = set()
    for _ in range(2):
        page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
        numbers.add(told(page.post("/orders", body, token="order-1"), 201)["number"])
        _days_later()
    assert len(numbers) == 2


def test_a_key_that_a_stranger_chose_too_shows_them_no_order_however_old(shops: Shops) -> None:
    body = {"lines": [{"sku": "TEA"}], "name": "Ann Lee", "email": "ann@example.com", "address": ADDRESS}
    first = told(shops.web.post("/orders", body, token="order-1"), 201)
    _days_later()
    assert told(shops.web.post("/orders", body, token="order-1"), 201) == first
    _days_later()
    stranger = {**body, "name": "Eve", "email": "eve@example.com"}
    assert told(Page(shops.web.channel).post("/orders", stranger, token="order-1"), 201)["number"] != first["number"]
    own = told(shops.web.post("/orders", stranger, token="order-1"), 201)
    assert own["number"] != first["number"] and Order.objects.count() == 3


def test_a_refused_order_is_placed_by_its_repeat_with_what_that_says(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    body = {"lines": [{"sku": "SUGAR", "quantity": 3}], "collect_at": shops.market.north.pk, "pay": "store"}
    problem(page.post("/orders", body, token="queued"), "refused", 422)
    fewer = {**body, "lines": [{"sku": "SUGAR"}, {"sku": "SUGAR"}]}
    assert not Cart.objects.exists()
    told(page.post("/orders", fewer, token="queued"), 201)
    assert [(line.sku, line.quantity) for line in Order.objects.get().lines.all()] == [("SUGAR", 2)]


def test_the_visitor_of_the_page_is_the_person_of_the_address(shops: Shops) -> None:
    write_keys.open_key(shops.web.channel)
    shops.web.headers["X-Shop-Visitor"] = "visitor-1"
    told(shops.web.order(shops.web.cart(("TEA", 1))), 201)
    order = Order.objects.get()
    device = CustomerIdentity.objects.get(kind="device")
    assert device.value == f"channel-{shops.web.channel.pk}:visitor-1"
    assert device.customer_id == order.customer_id
    persons.settle()
    stitching.run()
    journey = CrossChannelJourney.objects.get()
    assert (journey.intent, journey.state, journey.order_id) == ("purchase", "completed", order.pk)


def test_whoever_says_nothing_of_themselves_is_known_by_their_visit(shops: Shops) -> None:
    page = kiosk(shops.kiosk, location_id=shops.market.north.pk)
    page.headers["X-Shop-Visitor"] = "visit-7"
    body = {"lines": [{"sku": "TEA"}], "collect_at": shops.market.north.pk, "pay": "store"}
    told(page.post("/orders", body, token="t"), 201)
    assert Order.objects.get().customer is not None
    assert not CustomerIdentity.objects.exclude(kind="device").exists()


def test_a_checkout_asks_the_database_some_fifty_questions_as_the_page_of_the_peers_says(shops: Shops) -> None:
    told(shops.web.order(shops.web.cart(("TEA", 1))), 201)
    cart = shops.web.cart(("TEA", 1))
    with CaptureQueriesContext(connection) as asked:
        told(shops.web.order(cart, email="new@example.com"), 201)
    questions = [one for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert 40 <= len(questions) <= 55
