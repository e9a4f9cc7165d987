"""Channel 2, mobile: the cart of the web is there when its owner signs in on the phone, and is ordered from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from finalmarket.journeys.models import ChannelInteraction, JourneyTouchpoint
from finalmarket.orders.models import Order
from tests.doors.browser import PHONE, playwright
from tests.doors.shopfront import Shopfront, fill_checkout, ready, shopfront, sign_in_at, told_all
from tests.doors.stories import assert_one_sale, stand

ANN = "ann@example.com"
ORDER = "Order with obligation to pay"
WAITING = """() => Object.entries(localStorage).filter(([name]) => name.endsWith(":told"))
    .reduce((sum, [, text]) => sum + JSON.parse(text).length, 0)"""


@pytest.fixture
def front(committed_database: object, settings: Any) -> Iterator[Shopfront]:
    """The shop with a browser before it."""
    with shopfront(settings) as opened:
        yield opened


def _app(front: Shopfront) -> tuple[Any, Any]:
    """The app on a phone, whose worker has kept the shell."""
    context = front.context(PHONE, has_touch=True, is_mobile=True)
    page = front.page(context)
    page.goto(f"{front.address}/app/shop-app/")
    page.get_by_role("button", name="Allow").tap()
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return context, page


def test_the_cart_of_the_web_is_resumed_and_ordered_on_the_phone(front: Shopfront) -> None:
    before = stand(front.app, "TEA")
    web = front.page(front.context())
    web.goto(f"{front.address}/shop/web-shop/p/things/")
    web.get_by_role("button", name="Allow").click()
    web.fill("input[name=quantity]", "2")
    web.get_by_role("button", name="Put into the cart").click()
    playwright.expect(web.locator("#said")).to_contain_text("is in your cart")
    web.get_by_role("link", name="Sign in").click()
    sign_in_at(web, ANN)
    told_all(web)

    _, phone = _app(front)
    phone.get_by_role("link", name="Sign in").tap()
    sign_in_at(phone, ANN)
    phone.get_by_role("link", name="Your cart: 2").tap()
    playwright.expect(phone.locator("#goods")).to_have_text("€9.00")
    phone.get_by_role("link", name="Go to checkout").tap()
    ready(phone, "checkout")
    playwright.expect(phone.locator("#email")).to_have_value(ANN)
    fill_checkout(phone, ANN)
    phone.get_by_role("button", name=ORDER).tap()
    phone.get_by_role("heading", name="Thank you!").wait_for()
    told_all(phone)
    order = assert_one_sale(front.app, "TEA", 2, before=before, customer=ANN)
    steps = JourneyTouchpoint.objects.filter(journey__order=order)
    assert set(steps.values_list("sales_channel__name", flat=True)) == {"Web shop", "Shop app"}

    web.goto(f"{front.address}/shop/web-shop/cart/")  # it was bought: nothing is left of it elsewhere
    playwright.expect(web.locator("#cart")).to_contain_text("Your cart is empty")
    assert front.complaints == []


def test_the_app_opens_without_a_network_and_tells_later_what_was_done(front: Shopfront) -> None:
    context, page = _app(front)
    page.get_by_role("link", name="Morning tea").tap()
    ready(page, "product")
    told_all(page)
    context.set_offline(True)
    page.goto(f"{front.address}/app/shop-app/")
    playwright.expect(page.get_by_role("link", name="Morning tea")).to_be_visible()
    page.goto(f"{front.address}/app/shop-app/p/things/")
    playwright.expect(page.get_by_role("heading", name="Morning tea")).to_be_visible()
    ready(page, "product")
    page.get_by_role("button", name="Put into the cart").tap()
    playwright.expect(page.locator("#said")).to_contain_text("network is away")
    page.goto(f"{front.address}/app/shop-app/?q=never+seen")
    playwright.expect(page.get_by_role("heading", name="No network")).to_be_visible()
    assert page.evaluate(WAITING) > 0
    context.set_offline(False)
    told_all(page)
    kinds = Counter(ChannelInteraction.objects.values_list("interaction_type", flat=True))
    assert kinds == {"page_view": 5, "product_view": 2}  # before and meanwhile, each once
    assert not Order.objects.exists()


def test_the_app_can_be_installed(front: Shopfront) -> None:
    _, page = _app(front)
    told = page.evaluate("async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json()")
    assert told["start_url"] == told["scope"] == "/app/shop-app/" and told["display"] == "standalone"
    for icon in told["icons"]:
        answer = page.request.get(f"{front.address}{icon['src']}")
        assert answer.ok and answer.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            size = int(icon["sizes"].partition("x")[0])
            assert int.from_bytes(answer.body()[16:20], "big") == size
    # Chromium's own judgement of whether it can be installed.
    faults = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in faults if one["errorId"] != "in-incognito"] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
