"""Channel 6, phone: a customer calls, a clerk finds out who they are, holds what they want while they talk, and has
them pay by a link."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.access import roles
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.platforms.paypal import PayPal as Connector
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.models import ChannelIntegration, PaymentPage
from finalmarket.journeys.models import ChannelInteraction, JourneyTouchpoint
from finalmarket.orders import cart as carts
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.paypal import PayPal
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock.atp import level
from tests.doors.browser import PHONE, playwright
from tests.doors.counter import House, opened_house
from tests.doors.shopfront import grave
from tests.doors.stories import assert_one_sale, stand


@pytest.fixture
def house(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The call centre with a browser before it."""
    with opened_house(monkeypatch) as opened:
        yield opened


@pytest.fixture
def till(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[PayPal]:
    """An account on PayPal, connected through its real connector; buyers come back to the house."""
    monkeypatch.setenv(PUBLIC_URL, house.address)
    there = PayPal(World(seed=1))
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(platform_name=Connector.name, integration_type=Connector.kind)
        integration.connect({**there.credentials(), "base_url": address})
        yield there


def _take_call(page: Any, house: House, number: str) -> None:
    page.goto(f"{house.address}/phone/")
    page.fill("#call-number", number)
    page.get_by_role("button", name="Begin").click()


def test_an_order_by_phone_that_is_paid_by_a_link(house: House, till: PayPal) -> None:
    expect = playwright.expect
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com", phone="+49 40 123456"))
    assert ann is not None
    web = carts.open_cart(house.market.web, customer_id=ann.pk)
    carts.add(web.token, house.market.variants["TEA"].pk, 1)
    before = stand(house.phone, "TEA")
    page = house.clerk(roles.SUPPORT)
    _take_call(page, house, "040 123456")
    page.get_by_role("button", name="It is them Ann Lee").click()
    expect(page.get_by_role("heading", name="In their cart")).to_be_visible()
    page.get_by_role("searchbox", name="SKU, title or barcode").fill("morning")
    page.keyboard.press("Enter")
    expect(page.locator(".fm-find")).to_contain_text("40 there")
    page.get_by_role("spinbutton", name="Units of TEA").fill("2")
    page.get_by_role("button", name="Take TEA").click()
    expect(page.get_by_text("held until")).to_be_visible()
    assert level(house.market.variants["TEA"].pk, house.market.web.pk).available == 38  # held from everybody else
    for name, words in {"street": "Lindenweg 4", "postcode": "20095", "city": "Hamburg"}.items():
        page.fill(f"#to-{name}", words)
    page.fill("#shipping", "3.90")
    page.fill("#discount", "1.00")
    page.fill("#why", "waited long")
    assert grave(page) == []
    page.get_by_role("button", name="Place the order").dblclick()
    expect(page.locator(".fm-total")).to_have_text("€11.90")
    link = page.get_by_label("To pay at PayPal").input_value()
    assert link.startswith("http")

    opened = PaymentPage.objects.get()
    till.approve(opened.external_id)
    buyer = house.browser.new_page()  # whose plain page has no picture of its own
    buyer.goto(f"{house.address}/pay/{opened.token}/return")
    expect(buyer.locator("body")).to_contain_text("Thank you")

    page.fill("#note", "asked for the strong one")
    page.get_by_role("button", name="End the call").click()
    expect(page.get_by_text("The call has ended")).to_be_visible()
    order = assert_one_sale(house.phone, "TEA", 2, before=before, customer="ann@example.com")
    assert (order.customer, order.total, order.payment_state) == (ann, Decimal("11.90"), "authorised")
    call = ChannelInteraction.objects.get(interaction_type="phone_call")
    assert (call.customer, call.context["note"], call.context["order"]) == (
        ann, "asked for the strong one", order.number,
    )  # fmt: skip
    assert JourneyTouchpoint.objects.filter(journey__order=order, interaction=call).exists()
    assert house.complaints == []


def test_somebody_new_who_collects_it_and_a_call_on_a_small_screen(house: House) -> None:
    before = stand(house.phone, "TEA")
    page = house.clerk(roles.SUPPORT, PHONE)
    _take_call(page, house, "+49 40 765432")
    playwright.expect(page.get_by_text("Nobody is known by that.")).to_be_visible()
    page.fill("#new-name", "Ben")
    page.fill("#new-email", "ben@example.com")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("searchbox", name="SKU, title or barcode").fill("TEA")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take TEA").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert grave(page) == []
    page.select_option("#delivery", label="Collected at North store")
    page.select_option("#payment", label="When it is collected")
    page.get_by_role("button", name="Place the order").click()
    playwright.expect(page.get_by_text("is placed")).to_be_visible()
    page.get_by_role("button", name="End the call").click()
    playwright.expect(page.get_by_text("The call has ended")).to_be_visible()
    order = assert_one_sale(house.phone, "TEA", 1, before=before, customer="ben@example.com")
    assert order.pickup.location == house.market.north
    assert house.complaints == []


def test_two_clerks_cannot_promise_the_last_units_to_two_callers(house: House) -> None:
    SalesChannel.objects.filter(pk=house.phone.pk).update(configuration={"hold_minutes": 5})
    callers = [house.clerk(roles.SUPPORT), house.clerk(roles.SUPPORT)]
    for page in callers:
        _take_call(page, house, "")
        page.get_by_role("searchbox", name="SKU, title or barcode").fill("TEA")
        page.keyboard.press("Enter")
        page.get_by_role("spinbutton", name="Units of TEA").fill("40")
    callers[0].get_by_role("button", name="Take TEA").click()
    playwright.expect(callers[0].get_by_text("held until")).to_be_visible()
    callers[1].get_by_role("button", name="Take TEA").click()
    playwright.expect(callers[1].get_by_text("the cart cannot be held")).to_be_visible()
    assert not Order.objects.exists()
