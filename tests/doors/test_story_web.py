"""Channel 1, web: somebody looks around, puts tea into the cart, and orders it, whatever the network does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from finalmarket.catalog.models import VariantPrice
from finalmarket.customers.models import CustomerIdentity
from finalmarket.journeys.models import ChannelInteraction, JourneyTouchpoint
from finalmarket.orders import cart as carts
from finalmarket.orders.models import Cart, Order
from tests.doors.browser import PHONE, playwright
from tests.doors.shopfront import Shopfront, fill_checkout, grave, ready, shopfront, told_all
from tests.doors.stories import assert_one_sale, stand

ORDER = "Order with obligation to pay"


@pytest.fixture
def front(committed_database: object, settings: Any) -> Iterator[Shopfront]:
    """The shop with a browser before it."""
    with shopfront(settings) as opened:
        yield opened


def _to_checkout(page: Any, front: Shopfront, *, agrees: bool = True) -> None:
    """From the first page to the checkout with two units of tea."""
    page.goto(f"{front.address}/shop/web-shop/")
    page.get_by_role("button", name="Allow" if agrees else "No, thanks").click()
    page.get_by_role("searchbox").fill("tea")
    page.keyboard.press("Enter")
    ready(page, "catalogue")
    page.get_by_role("link", name="Morning tea").click()
    ready(page, "product")
    page.fill("input[name=quantity]", "2")
    page.get_by_role("button", name="Put into the cart").click()
    playwright.expect(page.locator("#said")).to_contain_text("is in your cart")
    page.get_by_role("link", name="Cart 2").click()
    playwright.expect(page.locator("#goods")).to_have_text("€9.00")
    page.get_by_role("link", name="Go to checkout").click()
    ready(page, "checkout")


def test_a_web_order(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    playwright.expect(page.locator("#total")).to_have_text("€13.90")
    page.get_by_role("button", name=ORDER).click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    playwright.expect(page.locator("#order")).to_contain_text("Paid")
    told_all(page)
    order = assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")
    assert page.locator("#number").inner_text() == order.number
    # The journey began with the first look, before anybody said who they are.
    told = set(JourneyTouchpoint.objects.filter(journey__order=order).values_list("action", flat=True))
    assert {"page_view", "search", "product_view", "add_to_cart", "checkout_start", "checkout_complete"} <= told
    assert front.complaints == []


def test_an_order_whose_answer_was_lost_is_sent_again_and_stays_one(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    lost: list[str] = []

    def lose(route: Any) -> None:
        """The server has done it; the answer never arrives, three times."""
        lost.append(route.request.headers["idempotency-key"])
        if len(lost) <= 3:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/checkout", lose)
    page.get_by_role("button", name=ORDER).click()
    playwright.expect(page.locator("#said")).to_contain_text("it stays one order")
    assert Order.objects.count() == 1
    page.get_by_role("button", name=ORDER).click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert len(set(lost)) == 1 and len(lost) >= 4
    assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")


def test_a_page_that_was_closed_before_the_answer_asks_again_when_it_is_opened(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    context = front.context()
    page = front.page(context)
    _to_checkout(page, front, agrees=False)
    fill_checkout(page, "ann@example.com")
    page.route("**/checkout", lambda route: (route.fetch(), route.abort("connectionreset")))
    page.get_by_role("button", name=ORDER).click()
    playwright.expect(page.locator("#said")).to_contain_text("it stays one order")
    page.close()
    page = front.page(context)
    page.goto(f"{front.address}/shop/web-shop/checkout/")
    page.get_by_role("heading", name="Thank you!").wait_for()
    order = assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")
    # Who allowed nothing is not followed: the order is all that is known.
    assert list(ChannelInteraction.objects.values_list("interaction_type", flat=True)) == ["checkout_complete"]
    assert not CustomerIdentity.objects.filter(kind="device").exists()
    assert order.number in page.locator("#order").inner_text()


def _lose_the_order(page: Any) -> None:
    """Order without a network."""
    page.route("**/checkout", lambda route: route.abort("internetdisconnected"))
    page.get_by_role("button", name=ORDER).click()
    playwright.expect(page.locator("#said")).to_contain_text("it stays one order")


def test_a_page_that_is_opened_again_without_a_network_has_a_button_that_sends_the_order(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    _lose_the_order(page)
    page.reload()
    playwright.expect(page.locator("#said")).to_contain_text("press the button again")
    again = page.get_by_role("button", name="Send the order again")
    again.click()  # which helps nobody yet
    playwright.expect(again).to_be_disabled()
    playwright.expect(again).to_be_enabled()
    assert grave(page) == [] and not Order.objects.exists()
    page.unroute("**/checkout")
    again.click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    told_all(page)
    assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")


def test_an_order_that_came_too_fast_is_kept_and_sent_again(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    _lose_the_order(page)
    said = {"type": "urn:finalmarket:problem:too-fast", "title": "Too many calls", "status": 429, "detail": "Wait."}
    page.route("**/checkout", lambda route: route.fulfill(status=429, json=said))
    page.reload()
    playwright.expect(page.locator("#said")).to_contain_text("Wait. Nothing is lost")
    again = page.get_by_role("button", name="Send the order again")
    playwright.expect(again).to_be_enabled()
    page.unroute("**/checkout")
    again.click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")


def test_an_order_that_costs_something_else_by_now_is_shown_anew_with_the_reason(front: Shopfront) -> None:
    before = stand(front.web, "TEA")
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    _lose_the_order(page)
    VariantPrice.objects.filter(variant__sku="TEA").update(amount="5.00")
    page.unroute("**/checkout")
    page.goto(f"{front.address}/shop/web-shop/checkout/")
    playwright.expect(page.locator("#said")).to_contain_text("It costs 14.90 EUR now, not 13.90")
    playwright.expect(page.locator("#total")).to_have_text("€14.90")
    assert page.locator("#waiting").is_hidden() and not Order.objects.exists()
    page.get_by_role("button", name=ORDER).click()  # who buys, and where it goes, is not asked again
    page.get_by_role("heading", name="Thank you!").wait_for()
    told_all(page)
    order = assert_one_sale(front.web, "TEA", 2, before=before, customer="ann@example.com")
    assert (order.total, order.shipping_address["city"]) == (Decimal("14.90"), "Berlin")


def test_an_order_whose_goods_went_meanwhile_leads_back_to_what_can_be_bought(front: Shopfront) -> None:
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    _lose_the_order(page)
    carts.let_go(Cart.objects.get().token)
    another = carts.open_cart(front.web)
    carts.add(another.token, front.market.variants["TEA"].pk, 39)
    carts.check_out(another.token, name="Ben")
    page.unroute("**/checkout")
    page.reload()
    playwright.expect(page.locator("#said")).to_contain_text("Not so many are left of Morning tea")
    page.get_by_role("button", name=ORDER).wait_for()
    assert page.locator("#waiting").is_hidden()
    page.get_by_role("link", name="Cart 2").click()
    playwright.expect(page.locator("#cart")).to_contain_text("only 1 left")
    assert Order.objects.count() == 1


def test_a_declined_payment_and_goods_that_went_meanwhile_are_said(front: Shopfront) -> None:
    page = front.page(front.context())
    _to_checkout(page, front)
    fill_checkout(page, "ann@example.com")
    page.evaluate("""() => {
        const field = document.createElement("input");
        Object.assign(field, {type: "hidden", name: "test_ends", value: "declined"});
        document.getElementById("checkout").append(field);
    }""")
    page.get_by_role("button", name=ORDER).click()
    playwright.expect(page.locator("#said")).to_contain_text("declined")
    assert not Order.objects.exists() and mail.outbox == []
    page.evaluate("document.querySelector('[name=test_ends]').remove()")
    page.get_by_text("Collect it in a store").click()
    playwright.expect(page.locator("#total")).to_have_text("€9.00")
    page.get_by_role("button", name=ORDER).click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    playwright.expect(page.locator("#order")).to_contain_text("Collect it at North store with the code")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_shop_fits_a_phone_and_is_worked_with_the_keyboard_alone(front: Shopfront, scheme: str) -> None:
    page = front.page(front.context(PHONE, color_scheme=scheme))
    page.goto(f"{front.address}/shop/web-shop/")
    page.get_by_role("button", name="Allow").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Morning tea").focus()
    page.keyboard.press("Enter")
    ready(page, "product")
    page.get_by_role("button", name="Put into the cart").focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#said")).to_contain_text("is in your cart")
    for name in ("", "p/things/", "cart/", "checkout/", "account/", "order/"):
        page.goto(f"{front.address}/shop/web-shop/{name}")
        page.wait_for_function("() => document.documentElement.dataset.ready === document.body.dataset.page")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, name
        assert grave(page) == [], name
    assert front.complaints == []


def test_a_channel_without_a_key_has_no_shop(front: Shopfront) -> None:
    page = front.browser.new_page()
    for path in ("/shop/grand-bazaar/", "/shop/shop-app/", "/app/web-shop/", "/kiosk/web-shop/", "/shop/nobody/"):
        assert page.goto(f"{front.address}{path}").status == 404, path
    assert page.goto(f"{front.address}/shop/{front.web.pk}/").status == 200
    page.close()
