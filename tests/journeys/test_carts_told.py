# ruff: noqa: F811  (the fixture of another room is named by its arguments)
"""Carts are seen in journeys without any tracking: what is done with them is recorded once, with the deed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact
from finalmarket.journeys import stitching, sweep
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import OutOfStock
from finalmarket.orders.models import Cart
from finalmarket.orders.wishes import wish
from tests.orders.conftest import market  # noqa: F401  a fixture
from tests.orders.market import Market

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(market: Market) -> OmnichannelCustomer:
    market.goods("TEA", warehouse=9)
    market.goods("CUP")
    market.web.add_product(market.product)
    return OmnichannelCustomer.objects.create(name="Ann")


def opened(market: Market, ann: OmnichannelCustomer) -> Cart:
    return carts.open_cart(market.web, customer_id=ann.pk)


def deeds() -> list[tuple[str, str, int]]:
    rows = ChannelInteraction.objects.order_by("pk")
    return [
        (one.interaction_type, one.context.get("sku", ""), one.context.get("quantity") or one.context.get("units", 0))
        for one in rows
    ]


def test_what_is_put_in_changed_and_taken_out_is_told_once_each(market: Market, ann: OmnichannelCustomer) -> None:
    tea, cart = market.variants["TEA"].pk, opened(market, ann)
    carts.add(cart.token, tea, 2)
    carts.add(cart.token, tea)
    carts.change(cart.token, tea, 3)  # as it is: nothing was done
    carts.change(cart.token, tea, 1)
    carts.hold(cart.token)
    carts.hold(cart.token)  # the same check-out goes on
    carts.remove(cart.token, tea)
    carts.remove(cart.token, tea)
    assert deeds() == [
        ("add_to_cart", "TEA", 2), ("add_to_cart", "TEA", 1), ("remove_from_cart", "TEA", 2), ("checkout_start", "", 1),
        ("remove_from_cart", "TEA", 1),
    ]  # fmt: skip
    first = ChannelInteraction.objects.order_by("pk")[0]
    assert (first.customer, first.sales_channel, first.context["currency"]) == (ann, market.web, "EUR")


def test_what_did_not_happen_is_not_told(market: Market, ann: OmnichannelCustomer) -> None:
    cart = opened(market, ann)
    carts.add(cart.token, market.variants["CUP"].pk)
    for fault in (lambda: carts.hold(cart.token), lambda: carts.add(cart.token, market.variants["TEA"].pk, 0)):
        with pytest.raises((OutOfStock, UserError)):
            fault()
    assert deeds() == [("add_to_cart", "CUP", 1)]


def test_a_cart_that_is_left_shows_as_a_journey(market: Market, ann: OmnichannelCustomer) -> None:
    carts.add(opened(market, ann).token, market.variants["TEA"].pk)
    while stitching.run(seconds=5).persons:
        pass
    journey = CrossChannelJourney.objects.get(customer=ann)
    assert journey.touchpoints.count() == 1
    with clock.steered(clock.now() + timedelta(days=60)):
        sweep.mark_passed()
        while stitching.run(seconds=5).persons:
            pass
    journey.refresh_from_db()
    assert (journey.state, journey.outcome) == ("abandoned", "cart_left")


def test_a_cart_of_nobody_is_told_when_it_is_claimed_as_of_when_it_was_filled(
    market: Market, ann: OmnichannelCustomer
) -> None:
    cart = carts.open_cart(market.web)
    line = carts.add(cart.token, market.variants["TEA"].pk, 2)
    assert deeds() == []
    with clock.steered(clock.now() + timedelta(hours=1)):
        for _ in range(2):
            carts.claim(cart.token, ann.pk)
    assert deeds() == [("add_to_cart", "TEA", 2)]
    assert ChannelInteraction.objects.get().occurred_at == line.changed_at


def test_the_device_is_told_until_it_is_somebodys(market: Market, ann: OmnichannelCustomer) -> None:
    cart = carts.open_cart(market.web, contact=Contact(device="phone"))
    carts.add(cart.token, market.variants["TEA"].pk)
    assert ChannelInteraction.objects.get().customer_id == cart.customer_id != ann.pk


def test_a_shop_whose_tracking_tells_of_carts_is_not_told_twice(market: Market, ann: OmnichannelCustomer) -> None:
    market.web.configuration = {**market.web.configuration, "cart_events": False}
    market.web.full_clean()
    market.web.save()
    cart = opened(market, ann)
    carts.add(cart.token, market.variants["TEA"].pk)
    carts.hold(cart.token)
    wish(ann.pk, market.variants["TEA"].pk, channel_id=market.web.pk)
    assert deeds() == []


def test_a_wish_is_told_once(market: Market, ann: OmnichannelCustomer) -> None:
    for _ in range(2):
        wish(ann.pk, market.variants["TEA"].pk, channel_id=market.web.pk)
    wish(ann.pk, market.variants["CUP"].pk)  # nobody knows where
    assert deeds() == [("wishlist_add", "TEA", 0)]
