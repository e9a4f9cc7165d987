"""The screen of a store: what waits there is seen and done there, and nothing of another store is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finalmarket.orders import cart as carts
from finalmarket.orders import collecting
from finalmarket.orders.drafts import TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Return
from finalmarket.stock.models import StockItem
from tests.console.reading import read, told, words
from tests.orders.market import Market, at, draft, line, parcels


@pytest.fixture
def stores(market: Market) -> Market:
    """Tea lies at both stores, and both hand it over."""
    for place in (market.north, market.south):
        place.can_hand_over = True
        place.save()
    market.goods("TEA", north=20, south=20)
    market.web.add_product(market.product)
    return market


def _collected_order(market: Market, units: int = 2) -> Order:
    cart = carts.open_cart(market.web)
    carts.add(cart.token, market.variants["TEA"].pk, units)
    tenders = (TenderDraft("card", Decimal(units * 10)),)
    return carts.check_out(cart.token, name="Ann Lee", tenders=tenders, collect_at=market.north.pk).order


def _post(operator: Client, verb: str, store: str = "north", **given: object) -> list[str]:
    return told(operator.post(f"/store/{store}/do/{verb}", given, follow=True))


def test_an_order_is_put_together_and_handed_over_on_the_screen_of_its_store(stores: Market, operator: Client) -> None:
    order = _collected_order(stores)
    assert order.number in read(operator, "/store/north/")
    assert order.number not in read(operator, "/store/south/")
    part = order.pickup.pk
    assert _post(operator, "ready", part=part) == [f"Order {order.number} is ready to be collected."]
    (refusal,) = _post(operator, "collect", part=part, shown="Bob")
    assert "neither the code nor the name" in refusal
    assert _post(operator, "collect", part=part, shown=order.pickup.code) == [f"Order {order.number} is handed over."]
    assert at(stores.variants["TEA"], stores.north) == (18, 0)
    assert "Nobody is expected" in read(operator, "/store/north/")


def test_the_code_is_on_no_page_of_the_store(stores: Market, operator: Client) -> None:
    pickup = _collected_order(stores).pickup
    collecting.make_ready(pickup.pk, actor="test")
    pickup.code = "918273"
    pickup.save()
    assert "918273" not in operator.get("/store/north/").content.decode()


def test_one_store_does_nothing_with_what_lies_at_another(stores: Market, operator: Client) -> None:
    order = _collected_order(stores)
    (refusal,) = _post(operator, "ready", store="south", part=order.pickup.pk)
    assert "no such thing at this store" in refusal
    order.pickup.refresh_from_db()
    assert order.pickup.state == "waiting"


def test_a_store_sends_what_was_routed_to_it_and_its_pick_list_counts_it(stores: Market, operator: Client) -> None:
    _collected_order(stores)
    order = take(draft(stores.web, "1", line("TEA", 3))).order
    (parcel,) = parcels(order)
    assert parcel.location == stores.north
    assert "5 TEA" in read(operator, "/store/north/pick-list/")
    assert _post(operator, "ship", part=parcel.pk, carrier="DHL", tracking_number="1Z") == [
        f"Parcel {parcel.pk} has left North store."
    ]
    order.refresh_from_db()
    assert order.state == "fulfilled"
    assert "2 TEA" in read(operator, "/store/north/pick-list/")


def test_what_a_store_cannot_send_is_routed_to_another(stores: Market, operator: Client) -> None:
    order = take(draft(stores.web, "1", line("TEA", 3))).order
    _post(operator, "reject", part=parcels(order)[0].pk, reason="too_busy")
    assert [parcel.location for parcel in parcels(order)] == [stores.south]


def test_goods_bought_anywhere_come_back_to_the_shelf_of_the_store_once(stores: Market, operator: Client) -> None:
    order = take(draft(stores.bazaar, "B-1", line("TEA", 2), email="ann@example.com", happened=True)).order
    from finalmarket.orders import fulfilment

    fulfilment.ship(parcels(order)[0].pk, actor="test")
    assert order.number in read(operator, "/store/south/?q=ann@example.com")
    page = operator.get(f"/store/south/returns/{order.pk}/")
    form = {
        "order": order.pk, "form_key": page.context["form_key"], "reason": "too strong", "disposition": "restock",
        f"units-{order.lines.get().pk}": 1,
    }  # fmt: skip
    for _ in range(2):
        assert _post(operator, "take-return", store="south", **form) == [
            f"1 unit came back to South store (return {Return.objects.get().pk})."
        ]
    assert at(stores.variants["TEA"], stores.south) == (21, 0)
    order.refresh_from_db()
    assert order.refunded == Decimal(10)
    assert "1 can come back" in words(operator.get(f"/store/south/returns/{order.pk}/"))


def test_the_counter_finds_orders_by_a_phone_number_as_it_is_dialled_there(stores: Market, operator: Client) -> None:
    stores.north.country = "DE"
    stores.north.save()
    order = take(draft(stores.bazaar, "B-1", line("TEA", 2), phone="+493012345678")).order
    for dialled in ("030 12345678", "+49 30 1234 5678"):
        assert order.number in words(operator.get("/store/north/", {"q": dialled}))
    assert "No such order." in words(operator.get("/store/north/", {"q": "030 12345679"}))


def test_shelves_that_run_low_at_the_store_are_shown_with_what_is_free(stores: Market, operator: Client) -> None:
    take(draft(stores.web, "1", line("TEA", 17)))
    assert "3 TEA" in read(operator, "/store/north/")
    assert "No shelf runs low" in read(operator, "/store/south/")
    StockItem.objects.filter(location=stores.south).update(low_stock_threshold=30)
    assert "20 TEA" in read(operator, "/store/south/")


def test_many_orders_take_as_many_queries_as_few(stores: Market, operator: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            read(operator, "/store/north/?q=TEA")
        return len(captured)

    _collected_order(stores)
    take(draft(stores.web, "first", line("TEA", 1)))
    few = count()
    for number in range(4):
        _collected_order(stores, 1)
        take(draft(stores.web, str(number), line("TEA", 1)))
    assert count() == few


def test_whoever_has_no_right_sees_no_store(stores: Market, newcomer: Client) -> None:
    assert newcomer.get("/store/").status_code == 403
    assert newcomer.get("/store/north/").status_code == 403
    assert newcomer.post("/store/north/do/ready", {"part": 1}).status_code == 403


def test_the_page_of_the_order_says_where_it_is_collected_and_the_code_to_clerks_alone(
    stores: Market, operator: Client
) -> None:
    order = _collected_order(stores)
    assert f"Collected at North store To be put together by the code {order.pickup.code}" in read(
        operator, f"/orders/{order.pk}/"
    )
    analyst = User.objects.create_user("nina", password="open sesame 4", is_staff=True)
    analyst.user_permissions.add(Permission.objects.get(codename="view_order"))
    client = Client()
    client.force_login(analyst)
    seen = read(client, f"/orders/{order.pk}/")
    assert "Collected at North store" in seen
    assert order.pickup.code not in seen


@pytest.mark.parametrize("line_name", ["\u00b2", "7" * 30])
def test_a_line_whose_number_is_none_brings_nothing_back(stores: Market, operator: Client, line_name: str) -> None:
    order = take(draft(stores.web, "1", line("TEA", 3))).order
    form = {f"units-{line_name}": "1"}
    assert len(_post(operator, "take-return", order=order.pk, form_key="abc", reason="broken", **form)) == 1
    assert not Return.objects.exists()
