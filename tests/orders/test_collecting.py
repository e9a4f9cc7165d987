"""Orders that are collected at a store."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.orders import at_store, collecting, fulfilment
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import LineDraft, OutOfStock, TenderDraft
from finalmarket.orders.models import Fulfilment, Order, Pickup
from tests.orders.market import Market, at, parcels


def _open_stores(market: Market) -> None:
    for place in (market.north, market.south):
        place.can_hand_over = True
        place.save()


def _buy(market: Market, units: int = 2, **given: object) -> Order:
    """Somebody buys tea in the web shop, to collect it at the north store."""
    market.web.add_product(market.product)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, market.variants["TEA"].pk, units)
    carts.hold(cart.token)
    given.setdefault("tenders", (TenderDraft("card", Decimal(units * 10)),))
    return carts.check_out(
        cart.token, name="José Núñez", email="jose@example.com", collect_at=market.north.pk, **given,  # type: ignore[arg-type]
    ).order  # fmt: skip


def test_an_order_to_collect_is_promised_on_the_shelf_of_its_store_and_on_no_other(market: Market) -> None:
    _open_stores(market)
    tea = market.goods("TEA", warehouse=50, north=3)
    order = _buy(market)
    assert at(tea, market.north) == (3, 2)
    assert at(tea, market.warehouse) == (50, 0)
    assert [parcel.location for parcel in parcels(order)] == [market.north]
    assert order.pickup.location == market.north


def test_a_pick_up_whose_parcel_was_rejected_is_not_handed_over_with_nothing_in_it(market: Market) -> None:
    _open_stores(market)
    market.goods("TEA", warehouse=50, north=3)
    pickup = collecting.make_ready(_buy(market).pickup.pk, actor="north")
    fulfilment.reject(parcels(pickup.order)[0].pk, reason="not_found", actor="north")
    with pytest.raises(UserError, match="nothing of it is promised at North store"):
        collecting.hand_over(pickup.pk, pickup.code, actor="north")
    assert Pickup.objects.get().state == "ready"


def test_what_the_store_does_not_have_is_not_sold_there_however_full_the_warehouse_is(market: Market) -> None:
    _open_stores(market)
    market.goods("TEA", warehouse=50, north=1)
    with pytest.raises(OutOfStock):
        _buy(market)
    assert not Order.objects.exists()


def test_the_stores_that_have_it_all_are_told_and_bundles_are_counted_by_their_parts(market: Market) -> None:
    _open_stores(market)
    market.goods("TEA", north=4, south=1)
    cup = market.goods("CUP", north=2, south=2)
    set_of_two = market.bundle("SET", TEA=2, CUP=1)
    found = collecting.offers(market.web, {set_of_two.pk: 1, cup.pk: 1})
    assert [(offer.location.code, offer.has_all) for offer in found] == [("north", True), ("south", False)]


def test_a_store_that_hands_nothing_over_is_no_place_to_collect(market: Market) -> None:
    market.goods("TEA", north=3)
    with pytest.raises(UserError, match="cannot be collected"):
        _buy(market)


def test_goods_are_given_to_whoever_has_the_code_or_the_name_and_leave_the_shelf_then(market: Market) -> None:
    _open_stores(market)
    tea = market.goods("TEA", north=5)
    pickup = _buy(market).pickup
    with pytest.raises(UserError, match="not put together"):
        collecting.hand_over(pickup.pk, pickup.code, actor="nora")
    collecting.make_ready(pickup.pk, actor="nora")
    wrong = "000000" if pickup.code != "000000" else "000001"
    for shown in (wrong, "Jane Doe", ""):
        with pytest.raises(UserError, match="neither the code nor the name"):
            collecting.hand_over(pickup.pk, shown, actor="nora")
    assert at(tea, market.north) == (5, 2)
    collecting.hand_over(pickup.pk, "jose  nunez", actor="nora")
    collecting.hand_over(pickup.pk, "jose  nunez", actor="nora")
    assert at(tea, market.north) == (3, 0)
    order = Order.objects.get()
    assert (order.state, order.pickup.state) == ("fulfilled", "collected")


def test_what_is_not_paid_yet_is_paid_when_it_is_collected(market: Market) -> None:
    _open_stores(market)
    market.goods("TEA", north=5)
    pickup = _buy(market, tenders=(), charges=(LineDraft(kind="fee", unit_price=Decimal("1.50")),)).pickup
    collecting.make_ready(pickup.pk, actor="nora")
    with pytest.raises(UserError, match=r"21\.50 EUR are still due"):
        collecting.hand_over(pickup.pk, pickup.code, actor="nora")
    collecting.hand_over(pickup.pk, pickup.code, actor="nora", tender="cash")
    order = Order.objects.get()
    assert (order.payment_state, order.payments.get().amount) == ("paid", Decimal("21.50"))


def test_what_the_store_marked_as_sent_is_handed_over_and_paid_all_the_same(market: Market) -> None:
    _open_stores(market)
    tea = market.goods("TEA", north=5)
    pickup = _buy(market, tenders=()).pickup
    collecting.make_ready(pickup.pk, actor="nora")
    fulfilment.ship(Fulfilment.objects.get().pk, actor="nora")
    assert [one.pk for one in at_store.pickups_at([market.north])] == [pickup.pk]
    with pytest.raises(UserError, match="has left the store"):
        collecting.give_up(pickup.pk, reason="nobody came", actor="nora")
    collecting.hand_over(pickup.pk, pickup.code, actor="nora", tender="cash")
    order = Order.objects.get()
    assert (order.payment_state, order.pickup.state, at(tea, market.north)) == ("paid", "collected", (3, 0))
    assert not at_store.pickups_at([market.north])


def test_what_nobody_collects_is_free_again_and_paid_back(market: Market) -> None:
    _open_stores(market)
    tea = market.goods("TEA", north=5)
    pickup = _buy(market).pickup
    collecting.make_ready(pickup.pk, actor="nora")
    collecting.give_up(pickup.pk, reason="nobody came", actor="nora")
    assert at(tea, market.north) == (5, 0)
    order = Order.objects.get()
    assert (order.state, order.refunded) == ("cancelled", Decimal(20))
    with pytest.raises(UserError, match="given up already"):
        collecting.hand_over(pickup.pk, pickup.code, actor="nora")
    assert Pickup.objects.get().state == "given_up"
