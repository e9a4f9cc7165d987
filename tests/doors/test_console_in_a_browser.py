"""The console as a person uses it: in a real browser, which complains of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from finalmarket.analytics.rollup import restate_all
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import OrderDraft
from finalmarket.orders.intake import take
from tests.doors.browser import PATIENCE_MS, opened_browser, playwright, served
from tests.journeys.walks import walk
from tests.orders.market import Market, draft, line, open_market

PASSWORD = "open sesame 1"


@pytest.fixture
def shop(committed_database: object) -> Market:
    """Tea and little sugar on two channels, with three orders and a journey of today."""
    market = open_market()
    market.goods("TEA", price="4.50", warehouse=40, north=10)
    market.goods("SUGAR", price="2.00", warehouse=3)
    for channel in (market.web, market.bazaar):
        channel.add_product(market.product, price_override=Decimal("4.80"))
    for number, channel in enumerate((market.web, market.web, market.bazaar)):
        take(_today(draft(channel, f"order-{number}", line("TEA", 2, "4.80"), email="anna@example.com")))
    restate_all(2)
    visitor = OmnichannelCustomer.objects.create(name="Ben")
    walk(visitor, [(market.web, "product_view", 0), (market.bazaar, "checkout_start", 9)], began=clock.now())
    cart = carts.open_cart(market.web, customer_id=visitor.pk)
    carts.add(cart.token, market.variants["SUGAR"].pk, 5)
    User.objects.create_user("olga", password=PASSWORD, is_staff=True, is_superuser=True)
    return market


def _today(given: OrderDraft) -> OrderDraft:
    return replace(given, placed_at=clock.now())


@pytest.fixture
def address(shop: Market) -> Iterator[str]:
    """Where the console is served, as whoever is not on this machine never sees it."""
    with served() as found:
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def page(address: str, complaints: list[str]) -> Iterator[Any]:
    """A browser's page, logged in."""
    with opened_browser() as browser:
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.set_default_timeout(PATIENCE_MS)
        opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("response", lambda got: complaints.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        opened.goto(f"{address}/")
        opened.fill("#id_username", "olga")
        opened.fill("#id_password", PASSWORD)
        opened.click("button[type=submit]")
        opened.wait_for_selector("text=Orders today")
        yield opened


def test_a_day_at_the_console(page: Any, address: str, complaints: list[str]) -> None:
    expect = playwright.expect
    expect(page.locator(".fm-stat").first).to_contain_text("3")
    expect(page.locator("canvas[data-chart]")).to_be_visible()

    page.get_by_role("link", name="Web shop", exact=True).first.click()
    expect(page.locator(".fm-page h2").first).to_contain_text("Web shop")
    expect(page.locator("text=Best sellers")).to_be_visible()

    page.get_by_role("link", name="Stock", exact=True).click()
    page.get_by_role("button", name="TEA on Web shop: 44, in stock").click()
    panel = page.locator("#fm-panel")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Why is it 44?")
    expect(panel).to_contain_text("Promised to orders")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    page.get_by_role("link", name="Orders", exact=True).first.click()
    page.locator(".fm-table tbody th a").first.click()
    page.fill("[id^=carrier-]", "DHL")
    page.get_by_role("button", name="Ship it").click()
    expect(page.locator("text=has left Warehouse")).to_be_visible()
    expect(page.locator(".fm-head").first).to_contain_text("Fulfilled")
    assert complaints == []


def test_the_matrix_is_worked_with_the_keyboard_alone(page: Any, address: str, complaints: list[str]) -> None:
    page.goto(f"{address}/stock/")
    cell = page.get_by_role("button", name="SUGAR on Web shop: 3, low")
    cell.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#fm-panel")).to_contain_text("Why is it 3?")
    page.keyboard.press("Escape")
    playwright.expect(cell).to_be_focused()
    assert complaints == []


def test_what_is_drawn_of_paths_is_read_with_the_keyboard_alone(page: Any, address: str, complaints: list[str]) -> None:
    page.goto(f"{address}/journeys/paths/")
    playwright.expect(page.get_by_role("img", name="From channel to channel")).to_be_visible()
    page.get_by_text("The same as a table").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name="From channel to channel").get_by_role("table")
    playwright.expect(table).to_contain_text("Grand Bazaar")
    assert complaints == []


def test_a_cart_is_opened_on_another_channel_and_ordered_there(
    page: Any, address: str, complaints: list[str]
) -> None:  # fmt: skip
    expect = playwright.expect
    page.get_by_role("link", name="Customers", exact=True).click()
    page.get_by_role("link", name="Ben", exact=True).click()
    cart = page.get_by_role("region", name="Cart as")
    expect(cart.first).to_contain_text("SUGAR")
    page.select_option("#cart-channel", label="Grand Bazaar")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("#cart")).to_contain_text("only 3 left")
    page.on("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Order it on Grand Bazaar").click()
    expect(page.locator("text=of Grand Bazaar now")).to_be_visible()
    expect(page.locator(".fm-page")).to_contain_text("SUGAR")
    assert complaints == []


def test_a_list_of_records_fits_a_phone(page: Any, address: str, complaints: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/admin/orders/order/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
