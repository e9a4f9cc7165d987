"""Channel 5, store: sold at the till of a platform, bought anywhere and collected, sent from the store, and brought
back to it from whatever channel."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finalmarket.access import roles
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.platforms.square import Square as Connector
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations import adopt
from finalmarket.integrations.models import ChannelIntegration, PlaceMapping
from finalmarket.orders import cart as carts
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import Address, TenderDraft
from finalmarket.orders.models import Order, Return
from finalmarket.sandbox.platforms.square import Square
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock.check import differences
from tests.doors.browser import PHONE, playwright
from tests.doors.counter import House, furnished, opened_house
from tests.doors.outside import looked_at_tea
from tests.doors.shopfront import grave
from tests.doors.stories import assert_one_sale, stand
from tests.orders.market import Market, at

ANN = "ann@example.com"


@pytest.fixture
def market(committed_database: object) -> Market:
    """Ten tea in the north store, thirty in the warehouse."""
    return furnished()


@pytest.fixture
def nora(market: Market) -> Client:
    """Staff of the north store, and of no other."""
    return _staff(market)


def _staff(market: Market) -> Client:
    roles.write_roles()
    user = User.objects.create_user("nora", password="open sesame 1", is_staff=True)
    roles.assign(user, roles.STORE_STAFF.key, [market.north.pk])
    client = Client()
    client.force_login(user)
    return client


def _buy(market: Market, units: int = 2, **given: Any) -> Order:
    """Ann buys tea in the web shop."""
    ann = resolve(Contact(name="Ann Lee", email=ANN))
    assert ann is not None
    cart = carts.open_cart(market.web, customer_id=ann.pk)
    carts.add(cart.token, market.variants["TEA"].pk, units)
    carts.hold(cart.token)
    tenders = (TenderDraft("card", Decimal("4.50") * units),)
    return carts.check_out(cart.token, name="Ann Lee", email=ANN, tenders=tenders, **given).order


# Sold at the till.


@pytest.fixture
def till(market: Market) -> Iterator[tuple[Square, ChannelIntegration]]:
    """The till of the north store, on Square: what is sold there leaves the shelf there."""
    there = Square(World(seed=1))
    market.till.add_product(market.product)
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=market.till, platform_name=Connector.name, integration_type=Connector.kind
        )
        integration.connect({**there.credentials(), "base_url": address})
        with there.lock:
            there.add_listing("TEA", "Morning tea", Decimal("4.50"), 10)
        adopt.look_through(integration)
        PlaceMapping.objects.update_or_create(
            integration=integration, place=next(iter(there.state.locations)),
            defaults={"stock_location": market.north, "sales_channel": market.till},
        )  # fmt: skip
        integration.start_pushing()
        yield there, integration


def test_a_sale_at_the_till(market: Market, till: tuple[Square, ChannelIntegration]) -> None:
    there, integration = till
    ann = looked_at_tea("shopper@example.com", market.web, "product_view", "add_to_cart")
    integration.sync()
    before = stand(market.till, "TEA")
    with there.lock:
        person = there.new_customer({"given_name": "Ann", "family_name": "Lee", "email_address": "shopper@example.com"})
        number = there.order(("TEA", 2), tender="CASH")
        there.state.orders[number]["customer_id"] = person["id"]
        there.touch_order(there.state.orders[number], "order.updated")
    for _ in range(2):
        integration.sync()
    order = assert_one_sale(
        market.till, "TEA", 2, before=before, customer="shopper@example.com", handed_over=True
    )  # fmt: skip
    assert (order.external_id, order.payment_state) == (number, "paid")
    assert order.customer is not None and order.customer.merged_into == ann  # the till's profile is the same person
    assert at(market.variants["TEA"], market.north) == (8, 0)


# Bought anywhere, and collected.


def test_bought_online_and_picked_up_in_the_store(market: Market, nora: Client) -> None:
    before = stand(market.web, "TEA")
    order = _buy(market, collect_at=market.north.pk)
    page = nora.get("/store/north/").content.decode()
    assert order.number in page
    part = {"part": order.pickup.pk}
    nora.post("/store/north/do/ready", part)
    nora.post("/store/north/do/collect", {**part, "shown": "somebody else"})
    assert at(market.variants["TEA"], market.north) == (10, 2)
    nora.post("/store/north/do/collect", {**part, "shown": order.pickup.code})
    assert at(market.variants["TEA"], market.north) == (8, 0)
    sold = assert_one_sale(market.web, "TEA", 2, before=before, customer=ANN, handed_over=True)
    assert (sold.state, sold.pickup.state) == ("fulfilled", "collected")


# Sent from the store.


def test_an_order_of_the_web_is_sent_from_the_store_that_is_near(market: Market, nora: Client) -> None:
    before = stand(market.web, "TEA")
    home = Address(
        name="Ann Lee", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE", latitude=53.55,
        longitude=10.0,
    )  # fmt: skip
    order = _buy(market, shipping_address=home)
    (parcel,) = order.fulfilments.all()
    assert parcel.location == market.north
    picked = nora.get("/store/north/pick-list/").content.decode()
    assert order.number in picked and "TEA" in picked
    nora.post("/store/north/do/ship", {"part": parcel.pk, "carrier": "DHL", "tracking_number": "JJD1"})
    parcel.refresh_from_db()
    assert (parcel.state, parcel.tracking_number) == ("shipped", "JJD1")
    assert_one_sale(market.web, "TEA", 2, before=before, customer=ANN, handed_over=True)
    assert at(market.variants["TEA"], market.north) == (8, 0)


# Brought back.


def test_what_was_bought_on_the_web_comes_back_to_the_store(market: Market, nora: Client) -> None:
    before = stand(market.web, "TEA")
    order = _buy(market)
    for parcel in order.fulfilments.all():
        fulfilment.ship(parcel.pk, actor="test")
    assert_one_sale(market.web, "TEA", 2, before=before, customer=ANN, handed_over=True)
    assert order.number in nora.get(f"/store/north/?q={ANN}").content.decode()
    page = nora.get(f"/store/north/returns/{order.pk}/")
    form = {
        "order": order.pk, "form_key": page.context["form_key"], "reason": "too strong", "disposition": "restock",
        f"units-{order.lines.get(kind='goods').pk}": 1,
    }  # fmt: skip
    for _ in range(2):
        nora.post("/store/north/do/take-return", form)
    record = Return.objects.get()
    assert (record.order, record.state) == (order, "received")
    order.refresh_from_db()
    assert (order.refunded, order.payment_state) == (Decimal("4.50"), "partly_refunded")
    assert at(market.variants["TEA"], market.north) == (11, 0)  # it left the warehouse, and came back to the store
    assert differences() == []


def test_staff_of_one_store_do_not_work_at_another(market: Market, nora: Client) -> None:
    order = _buy(market, collect_at=market.north.pk)
    assert nora.get("/store/south/").status_code == 403
    assert nora.post("/store/south/do/ready", {"part": order.pickup.pk}).status_code == 403
    order.pickup.refresh_from_db()
    assert order.pickup.state == "waiting"


@pytest.fixture
def house(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The store with a browser before it."""
    with opened_house(monkeypatch) as opened:
        yield opened


def test_the_screen_of_the_store_is_worked_on_a_phone(house: House) -> None:
    expect, before = playwright.expect, stand(house.market.web, "TEA")
    Variant.objects.filter(sku="TEA").update(title="a name that is far too long for the screen of a telephone " * 3)
    order = _buy(house.market, collect_at=house.market.north.pk)
    page = house.clerk(roles.STORE_STAFF, PHONE)
    roles.assign(User.objects.get(), roles.STORE_STAFF.key, [house.market.north.pk])
    page.emulate_media(color_scheme="dark")
    page.goto(f"{house.address}/store/")  # leads to the only store of theirs
    expect(page).to_have_url(f"{house.address}/store/north/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Put together: ready").click()
    page.get_by_label("Code, or the name on the ID").wait_for()
    assert grave(page) == []
    page.get_by_label("Code, or the name on the ID").fill("000 000" if order.pickup.code != "000000" else "1")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("neither the code nor the name")).to_be_visible()
    page.get_by_label("Code, or the name on the ID").fill("ann lee")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("is handed over")).to_be_visible()
    assert_one_sale(house.market.web, "TEA", 2, before=before, customer=ANN, handed_over=True)
    assert house.complaints == []


def test_a_pick_up_is_no_parcel_of_a_channel_that_the_store_does_not_serve(market: Market) -> None:
    other = SalesChannel.objects.create(name="Other shop", channel_type="web", country="DE")
    other.sources.create(location=market.warehouse)
    other.add_product(market.product)
    cart = carts.open_cart(other)
    carts.add(cart.token, market.variants["TEA"].pk, 1)
    with pytest.raises(Exception, match="cannot be collected"):
        carts.check_out(cart.token, email=ANN, collect_at=market.north.pk)
