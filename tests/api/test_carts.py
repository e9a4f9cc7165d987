"""Carts by REST: opened, filled, one with those of other devices, held, taken over, ordered; each write once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from finalmarket.access.models import AuditEntry
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.orders.models import Cart, Order
from tests.api.calling import Program, problem, told
from tests.orders.conftest import market  # noqa: F401  a fixture
from tests.orders.market import Market


@pytest.fixture
def shop(market: Market) -> Market:  # noqa: F811
    market.goods("TEA", warehouse=9)
    market.goods("CUP", warehouse=3)
    for channel in (market.web, market.till):
        channel.add_product(market.product)
    return market


@pytest.fixture
def program(shop: Market) -> Program:
    return Program()


def open_for(program: Program, shop: Market, email: str = "", **more: Any) -> str:
    body = {"channel": shop.web.pk, **({"contact": {"email": email}} if email else {}), **more}
    return str(told(program.post("/carts", body), 201)["token"])


def shown(cart: dict[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in cart["lines"]}


def test_a_cart_is_filled_and_ordered_exactly_once(shop: Market, program: Program) -> None:
    token = open_for(program, shop, "ann@example.com")
    told(program.post(f"/carts/{token}/lines", {"sku": "TEA", "quantity": 2}))
    cup = shop.variants["CUP"].pk
    told(program.post(f"/carts/{token}/lines", {"variant": cup}))
    told(program.write("PUT", f"/carts/{token}/lines/{cup}", {"quantity": 3}))
    cart = told(program.write("DELETE", f"/carts/{token}/lines/{cup}"))
    assert shown(cart) == {"TEA": 2}
    assert (cart["state"], cart["currency"], cart["order"]) == ("open", "EUR", None)
    assert told(program.get(f"/carts/{token}")) == cart
    told(program.post(f"/carts/{token}/hold"))
    buyer = {"name": "Ann", "email": "ann@example.com", "shipping_address": {"city": "Berlin", "country": "DE"}}
    first = told(program.post(f"/carts/{token}/checkout", buyer), 201)
    again = told(program.post(f"/carts/{token}/checkout", buyer), 201)
    assert (first["outcome"], again["outcome"]) == ("created", "unchanged")
    assert first["order"] == again["order"] == Order.objects.get().pk
    ended = told(program.get(f"/carts/{token}"))
    assert (ended["state"], ended["order"], ended["lines"]) == ("checked_out", first["order"], [])
    problem(program.post(f"/carts/{token}/lines", {"sku": "TEA"}), "refused", 422)


def test_a_write_that_is_repeated_under_its_key_is_done_once_and_noted(shop: Market, program: Program) -> None:
    token = open_for(program, shop, "ann@example.com")
    for _ in range(3):
        cart = told(program.post(f"/carts/{token}/lines", {"sku": "TEA"}, token="the-same"))
    assert shown(cart) == {"TEA": 1}
    assert ChannelInteraction.objects.filter(interaction_type="add_to_cart").count() == 1
    assert list(AuditEntry.objects.filter(operation="add_to_cart").values_list("subject", flat=True)) == [
        f"cart {Cart.objects.get().pk}"
    ]


def test_carts_of_one_person_are_one_and_a_cart_of_nobody_becomes_theirs(shop: Market, program: Program) -> None:
    phone = open_for(program, shop)
    assert told(program.get(f"/carts/{phone}"))["customer"] is None
    told(program.post(f"/carts/{phone}/lines", {"sku": "CUP"}))
    laptop = open_for(program, shop, "ann@example.com")
    told(program.post(f"/carts/{laptop}/lines", {"sku": "TEA"}))
    assert shown(told(program.get(f"/carts/{laptop}"))) == {"TEA": 1}
    claimed = told(program.post(f"/carts/{phone}/claim", {"contact": {"email": "ann@example.com"}}))
    assert shown(claimed) == shown(told(program.get(f"/carts/{laptop}"))) == {"CUP": 1, "TEA": 1}
    problem(program.post(f"/carts/{phone}/claim", {"contact": {"email": "lee@example.com"}}), "refused", 422)


def test_a_cart_opened_by_somebody_who_was_erased_is_not_of_the_number_they_left_behind(
    shop: Market, program: Program
) -> None:
    ann = resolve(Contact(email="ann@example.com"))
    assert ann is not None
    erase.erase(ann.pk, actor="olga", at_once=True)
    open_for(program, shop, "ann@example.com")
    assert Cart.objects.get().customer_id not in (None, ann.pk)


def test_staff_sees_the_cart_on_its_own_channel_and_takes_it_over_once(shop: Market, program: Program) -> None:
    token = open_for(program, shop, "ann@example.com")
    customer = told(program.post(f"/carts/{token}/lines", {"sku": "TEA", "quantity": 2}))["customer"]
    settle()
    seen = told(program.get(f"/customers/{customer}/cart", channel=shop.till.pk))
    assert (seen["channel"], shown(seen)) == (shop.till.pk, {"TEA": 2})
    path = f"/customers/{customer}/cart/take-over"
    dear = {"channel": shop.till.pk, "agreed": "1.00"}
    problem(program.post(path, dear), "refused", 422)
    body = {"channel": shop.till.pk, "agreed": seen["total"]}
    orders = [told(program.post(path, body, token="till-7"), 201)["order"] for _ in range(2)]
    assert orders == [Order.objects.get().pk] * 2
    assert Order.objects.get().sales_channel == shop.till
    assert told(program.get(f"/carts/{token}"))["state"] == "checked_out"


def test_what_does_not_fit_or_is_not_there_is_said(shop: Market, program: Program) -> None:
    token = open_for(program, shop, "ann@example.com")
    told(program.post(f"/carts/{token}/lines", {"sku": "CUP", "quantity": 50}))
    problem(program.post(f"/carts/{token}/hold"), "refused", 422)
    (line,) = told(program.get(f"/carts/{token}"))["lines"]
    assert (line["can_be_sold"], [one["kind"] for one in line["differences"]]) == (False, ["few"])
    for body in ({"sku": "NONE"}, {"sku": "TEA", "quantity": 0}, {"sku": "TEA", "variant": 1}, {}):
        problem(program.post(f"/carts/{token}/lines", body), "invalid", 422)
    problem(program.get(f"/carts/{uuid4()}"), "not-found", 404)
    problem(program.post("/carts", {"channel": shop.web.pk, "customer": 10**9}), "invalid", 422)
    both = {"channel": shop.web.pk, "customer": 1, "contact": {"email": "a@b.de"}}
    problem(program.post("/carts", both), "invalid", 422)


def test_a_key_of_one_channel_sees_no_cart_of_another(shop: Market, program: Program) -> None:
    token = open_for(program, shop, "ann@example.com")
    bound = Program("carts:read", "carts:write", channels=[shop.till.pk], name="till")
    problem(bound.get(f"/carts/{token}"), "not-found", 404)
    problem(bound.post(f"/carts/{token}/lines", {"sku": "TEA"}), "not-found", 404)
    problem(bound.post("/carts", {"channel": shop.web.pk}), "not-allowed", 403)
    assert told(bound.post("/carts", {"channel": shop.till.pk}), 201)["channel"] == shop.till.pk


def till_key(shop: Market) -> Program:
    return Program("carts:read", "carts:write", channels=[shop.till.pk], name="till")


def ways(bound: Program, shop: Market, customer: int) -> dict[str, Any]:
    """The four ways to a cart by the number of its person, each tried with a key of the till."""
    mine = told(bound.post("/carts", {"channel": shop.till.pk}), 201)["token"]
    home = f"/customers/{customer}/cart"
    return {
        "open": bound.post("/carts", {"channel": shop.till.pk, "customer": customer}),
        "claim": bound.post(f"/carts/{mine}/claim", {"customer": customer}),
        "look": bound.get(home, channel=shop.till.pk),
        "take over": bound.post(f"{home}/take-over", {"channel": shop.till.pk}),
    }


@pytest.mark.parametrize("way", ["open", "claim", "look", "take over"])
def test_a_key_of_one_channel_reaches_no_cart_of_whom_that_channel_has_never_met(
    shop: Market, program: Program, way: str
) -> None:
    token = open_for(program, shop, "ann@example.com")
    ann = told(program.post(f"/carts/{token}/lines", {"sku": "TEA", "quantity": 2}))["customer"]
    there, nobody = (ways(till_key(shop), shop, number)[way] for number in (ann, 10**9))
    details = [problem(one, "not-allowed", 403)["detail"] for one in (there, nobody)]
    assert details[0].replace(f" {ann}.", " 1000000000.") == details[1]  # not even whether there is such a number
    assert not Order.objects.exists()
    assert not Cart.objects.filter(sales_channel=shop.till).exclude(customer=None).exists()


@pytest.mark.parametrize(("way", "status"), [("open", 201), ("claim", 200), ("look", 200), ("take over", 201)])
def test_a_key_of_one_channel_reaches_the_cart_of_whom_that_channel_has_met(
    shop: Market, program: Program, way: str, status: int
) -> None:
    token = open_for(program, shop, "ann@example.com")
    told(program.post(f"/carts/{token}/lines", {"sku": "TEA", "quantity": 2}))
    bound = till_key(shop)
    met = told(bound.post("/carts", {"channel": shop.till.pk, "contact": {"email": "ann@example.com"}}), 201)
    assert shown(met) == {"TEA": 2}
    told(ways(bound, shop, met["customer"])[way], status)


def test_reading_carts_does_not_change_them(shop: Market) -> None:
    reader = Program("carts:read", name="reader")
    problem(reader.post("/carts", {"channel": shop.web.pk}), "not-allowed", 403)
