"""A shopper of our own shop pays on the page of a connected payment platform, and comes back to the shop."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from django.test import Client

from finalmarket.access import rates
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import ChannelIntegration, PaymentPage
from finalmarket.orders.models import Order
from tests.api.calling import problem, told
from tests.api.shop.shopper import Page
from tests.integrations.counter import Counter

BACK = "https://shop.example/thanks"


@pytest.fixture
def page(counter: Counter) -> Iterator[Page]:
    """The page of a shop at https://shop.example that sells tea for 10.00."""
    rates.forget()
    VariantPrice.objects.create(variant=Variant.objects.get(sku="TEA"), currency="EUR", amount=Decimal(10))
    counter.channel.add_product(Product.objects.get(variants__sku="TEA"))
    opened = Page(counter.channel)
    opened.key.origins = ["https://shop.example"]
    opened.key.save()
    yield opened
    rates.forget()


def _ordered(page: Page) -> Any:
    return told(page.order(page.cart(("TEA", 2)), pay="page", agreed="20.00"), 201)


def test_an_order_is_paid_on_the_platforms_page(counter: Counter, page: Page) -> None:
    assert told(page.get("/shop"))["ways_to_pay"] == ["page", "store"]
    order = _ordered(page)
    assert told(page.get(f"/orders/{order['token']}"))["can_pay"]
    first = told(page.post(f"/orders/{order['token']}/pay", {"back_url": BACK}))
    assert told(page.post(f"/orders/{order['token']}/pay", {"back_url": BACK})) == first  # one page, however often
    way_back = httpx2.get(first["address"]).headers["location"]
    opened = PaymentPage.objects.get()
    assert opened.token in way_back
    answer = Client().get(f"/pay/{opened.token}/return")
    assert answer.headers["Location"] == BACK
    status = told(page.get(f"/orders/{order['token']}"))
    assert (status["payment_state"], status["due"], status["can_pay"]) == ("authorised", "0", False)
    assert Order.objects.get().payments.get().amount == Decimal(20)


def test_a_shopper_is_led_back_to_pages_of_the_shop_alone(counter: Counter, page: Page) -> None:
    order = _ordered(page)
    for elsewhere in (
        "https://evil.example/", "https://shop.example.evil.example/", "https://shop.example@evil.example/",
        "javascript:alert(1)", "//evil.example/", "http://shop.example/",
    ):  # fmt: skip
        problem(page.post(f"/orders/{order['token']}/pay", {"back_url": elsewhere}), "invalid", 422)
    assert not PaymentPage.objects.exists()


def test_the_till_of_another_channel_is_not_offered(counter: Counter, page: Page) -> None:
    other = SalesChannel.objects.create(name="Other", channel_type="web")
    ChannelIntegration.objects.filter(pk=counter.integration.pk).update(sales_channel=other)
    assert told(page.get("/shop"))["ways_to_pay"] == ["store"]
    order = _ordered(page)
    problem(page.post(f"/orders/{order['token']}/pay", {}), "refused", 422)


def test_when_the_platform_is_away_the_order_stands_and_can_be_paid_later(counter: Counter, page: Page) -> None:
    order = _ordered(page)
    ChannelIntegration.objects.filter(pk=counter.integration.pk).update(base_url="http://127.0.0.1:9")
    problem(page.post(f"/orders/{order['token']}/pay", {"back_url": BACK}), "refused", 422)
    assert told(page.get(f"/orders/{order['token']}"))["payment_state"] == "unpaid"
