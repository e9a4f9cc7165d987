"""The link that a chat gives leads to a cart in which the goods lie, in a browser; it is ordered there as any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.orders import cart as carts
from finalmarket.orders.models import Cart
from tests.doors.browser import playwright
from tests.doors.shopfront import Shopfront, fill_checkout, ready, shopfront
from tests.doors.stories import assert_one_sale, stand


@pytest.fixture
def front(committed_database: object, settings: Any) -> Iterator[Shopfront]:
    """The shop with a browser before it."""
    with shopfront(settings) as opened:
        yield opened


def test_a_cart_that_was_put_together_in_a_chat_is_ordered_by_its_link(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    cart = carts.open_cart(front.web, own_only=True)
    carts.add(cart.token, Variant.objects.get(sku="TEA").pk, 2)
    page = front.page(front.context())
    page.goto(f"{front.address}/shop/web-shop/cart/?cart={cart.token}")
    page.get_by_role("button", name="Allow").click()
    playwright.expect(page.locator("#goods")).to_have_text("€9.00")
    assert "cart=" not in page.url  # whoever is shown the address later does not get the cart with it
    page.get_by_role("link", name="Go to checkout").click()
    ready(page, "checkout")
    fill_checkout(page, "ann@example.com")
    page.get_by_role("button", name="Order with obligation to pay").click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    order = assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")
    assert Cart.objects.get(token=cart.token).order == order
    assert front.complaints == []
