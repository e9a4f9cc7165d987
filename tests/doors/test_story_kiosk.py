"""Channel 10, kiosk: paired once, touched by many, through a lost network without a lost or a double order."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.access import shop_devices
from finalmarket.access.shop_models import ShopDevice
from finalmarket.catalog.models import VariantPrice
from finalmarket.orders.models import Order, Pickup
from finalmarket.stock.models import ChannelSource
from tests.doors.browser import LAPTOP, playwright
from tests.doors.shopfront import Shopfront, grave, shopfront, told_all
from tests.doors.stories import assert_one_sale, stand

EVE = "eve@example.com"


@pytest.fixture
def front(committed_database: object, settings: Any) -> Iterator[Shopfront]:
    """The shop with a browser before it; the kiosk stands in the north and sells from there."""
    with shopfront(settings) as opened:
        ChannelSource.objects.create(sales_channel=opened.kiosk, location=opened.market.north)
        yield opened


def _paired(front: Shopfront, **size: int) -> tuple[Any, Any]:
    """A kiosk that was paired by its code."""
    _, code = shop_devices.open_pairing(front.kiosk, "At the door", location_id=front.market.north.pk)
    context = front.context(LAPTOP | size, has_touch=True)
    page = front.page(context)
    page.goto(f"{front.address}/kiosk/kiosk-north/")
    page.fill("#code", code.lower())
    page.get_by_role("button", name="Pair", exact=True).tap()
    page.get_by_role("button", name="Touch to begin").wait_for()
    return context, page


def _to_order(page: Any, total: str = "€9.00") -> None:
    """Two units of tea, up to the question how it is paid."""
    page.get_by_role("button", name="Touch to begin").tap()
    page.get_by_role("button", name="Morning tea").tap()
    page.get_by_role("button", name="Take TEA").tap()
    page.get_by_role("button", name="One Morning tea more").tap()
    playwright.expect(page.locator("#total")).to_contain_text(total)
    assert grave(page) == []
    page.get_by_role("button", name="Order", exact=True).tap()
    page.fill("#name", "Eve")
    page.fill("#email", EVE)


def test_a_kiosk_order(front: Shopfront) -> None:
    before = stand(front.kiosk, "TEA")
    _, page = _paired(front)
    _to_order(page)
    page.get_by_role("button", name="Test payment").tap()
    page.get_by_role("heading", name="Thank you!").wait_for()
    playwright.expect(page.locator("#view")).to_contain_text("It is paid.")
    told_all(page)
    order = assert_one_sale(front.kiosk, "TEA", 2, before=before, customer=EVE)
    assert page.locator("#number").inner_text() == order.number
    assert order.fulfilments.get().location == front.market.north
    page.get_by_role("button", name="Done").tap()
    page.get_by_role("button", name="Touch to begin").wait_for()
    assert front.complaints == []


def test_what_is_agreed_at_a_kiosk_is_exact_in_every_currency(front: Shopfront) -> None:
    front.kiosk.currency = "KWD"  # a dinar has a thousand fils
    front.kiosk.save()
    VariantPrice.objects.create(variant=front.market.variants["TEA"], currency="KWD", amount="1.253")
    _, page = _paired(front)
    _to_order(page, "2.506")
    page.get_by_role("button", name="Test payment").tap()
    page.get_by_role("heading", name="Thank you!").wait_for()
    told_all(page)
    order = Order.objects.get()
    assert (order.total, order.currency) == (Decimal("2.506"), "KWD")


def test_an_order_is_noted_without_a_network_and_sent_once_when_it_is_back(front: Shopfront) -> None:
    before = stand(front.kiosk, "TEA")
    context, page = _paired(front)
    _to_order(page)
    context.set_offline(True)
    page.get_by_role("button", name="Pay at the counter").tap()
    page.get_by_role("heading", name="We have noted it").wait_for()
    slip = page.locator("#slip").inner_text()
    playwright.expect(page.locator("#line")).to_contain_text("1 order waits for the network")
    page.get_by_role("button", name="Done").tap()
    assert not Order.objects.exists() and len(slip) == 4
    context.set_offline(False)
    playwright.expect(page.locator("#line")).to_have_text("")
    told_all(page)
    order = assert_one_sale(front.kiosk, "TEA", 2, before=before, customer=EVE)
    assert order.payment_state == "unpaid"


def test_everybody_who_orders_without_a_network_gets_a_number_and_one_order(front: Shopfront) -> None:
    context, page = _paired(front)
    context.set_offline(True)
    slips = []
    for name in ("Eve", "Adam"):
        _to_order(page)
        page.fill("#name", name)
        page.get_by_role("button", name="Pay at the counter").tap()
        page.get_by_role("heading", name="We have noted it").wait_for()
        slips.append(page.locator("#slip").inner_text())
        page.get_by_role("button", name="Done").tap()
    playwright.expect(page.locator("#line")).to_contain_text("2 orders wait for the network")
    assert len(set(slips)) == 2 and not Order.objects.exists()
    context.set_offline(False)
    playwright.expect(page.locator("#line")).to_have_text("")
    told_all(page)
    assert sorted(Pickup.objects.values_list("name", flat=True)) == ["Adam", "Eve"]
    assert Order.objects.count() == 2


def test_an_order_is_sent_where_the_browser_has_no_room_left_to_keep_it(front: Shopfront) -> None:
    _, page = _paired(front)
    _to_order(page)
    page.get_by_role("button", name="Pay at the counter").tap()
    page.get_by_role("heading", name="Thank you!").wait_for()  # the queue that is kept is an empty one
    page.get_by_role("button", name="Done").tap()
    page.evaluate("""() => {
        Storage.prototype.setItem = () => { throw new DOMException("no room", "QuotaExceededError"); };
    }""")
    before = stand(front.kiosk, "TEA")
    _to_order(page)
    page.get_by_role("button", name="Pay at the counter").tap()
    page.get_by_role("heading", name="Thank you!").wait_for()
    told_all(page)
    order = Order.objects.latest("pk")
    assert page.locator("#number").inner_text() == order.number
    assert Order.objects.exclude(pk__in=before.orders).count() == 1


def test_a_lost_answer_is_asked_for_again_and_doubles_nothing(front: Shopfront) -> None:
    before = stand(front.kiosk, "TEA")
    _, page = _paired(front)
    keys: list[str] = []

    def lose(route: Any) -> None:
        """The server has taken it; the answer never arrives, twice."""
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) <= 2:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/shop/v1/orders", lose)
    _to_order(page)
    page.get_by_role("button", name="Test payment").tap()
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert len(keys) >= 3 and len(set(keys)) == 1
    told_all(page)
    assert_one_sale(front.kiosk, "TEA", 2, before=before, customer=EVE)


def test_a_kiosk_that_was_restarted_sends_what_waits(front: Shopfront) -> None:
    before = stand(front.kiosk, "TEA")
    context, page = _paired(front)
    _to_order(page)
    context.set_offline(True)
    page.get_by_role("button", name="Pay at the counter").tap()
    page.get_by_role("heading", name="We have noted it").wait_for()
    page.close()
    context.set_offline(False)
    page = front.page(context)
    page.goto(f"{front.address}/kiosk/kiosk-north/")
    page.get_by_role("button", name="Touch to begin").wait_for()
    playwright.expect(page.locator("#line")).to_have_text("")
    told_all(page)
    assert_one_sale(front.kiosk, "TEA", 2, before=before, customer=EVE)


def test_whoever_leaves_is_forgotten(front: Shopfront) -> None:
    front.kiosk.configuration["idle_seconds"] = 2
    front.kiosk.save()
    _, page = _paired(front)
    _to_order(page)
    page.get_by_role("button", name="Touch to begin").wait_for()
    page.get_by_role("button", name="Touch to begin").tap()
    assert page.locator("#cart").is_hidden()
    kept = page.evaluate("() => JSON.stringify(localStorage)")
    assert EVE not in kept and "Eve" not in kept


def test_a_kiosk_that_was_ended_sells_nothing_and_what_sold_out_meanwhile_is_said_to_staff(front: Shopfront) -> None:
    context, page = _paired(front)
    _to_order(page)
    context.set_offline(True)
    page.get_by_role("button", name="Pay at the counter").tap()
    page.get_by_role("heading", name="We have noted it").wait_for()
    page.get_by_role("button", name="Done").tap()
    front.kiosk.pause("closed")  # what was noted cannot be taken any more
    context.set_offline(False)
    page.get_by_role("button", name="Touch to begin").wait_for()
    playwright.expect(page.locator("#line")).to_have_text("")
    page.reload()
    playwright.expect(page.locator("#view")).to_contain_text("1 orders could not be taken")
    shop_devices.end(ShopDevice.objects.get().pk)
    page.reload()
    page.get_by_role("heading", name="Pair this kiosk").wait_for()
    assert not Order.objects.exists()
