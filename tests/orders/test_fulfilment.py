"""Parcels: routed, shipped in part or whole, rejected and routed again."""

import pytest
from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment, intake
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, PostcodePoint
from finalmarket.stock.models import ChannelSource, StockLocation
from tests.orders.market import Market, at, draft, goods_line, line, parcels, promised, somebody_else, together
from tests.patience import PATIENCE_SECONDS

MUNICH = Address(city="München", postcode="80331", country="DE")


def _routes(order: Order) -> dict[str, int]:
    return {parcel.location.code: sum(part.quantity for part in parcel.lines.all()) for parcel in parcels(order)}


def test_the_promise_moves_to_the_store_next_to_the_customer(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5, south=5)
    PostcodePoint.objects.create(country="DE", prefix="8", latitude=48.0, longitude=11.0)
    PostcodePoint.objects.create(country="DE", prefix="", latitude=51.0, longitude=10.0)
    order = take(draft(market.web, "1", line("TEA", 2), shipping_address=MUNICH)).order
    assert _routes(order) == {"south": 2}
    assert (at(tea, market.south), at(tea, market.warehouse)) == ((5, 2), (5, 0))
    assert "South store has it all" in parcels(order)[0].reason


def test_the_coordinates_of_the_address_go_before_the_postcode_table(market: Market) -> None:
    market.goods("TEA", north=5, south=5)
    PostcodePoint.objects.create(country="DE", prefix="8", latitude=48.0, longitude=11.0)
    to = Address(postcode="80331", country="DE", latitude=53.5, longitude=10.0)
    assert _routes(take(draft(market.web, "1", line("TEA"), shipping_address=to)).order) == {"north": 1}


def test_one_line_is_split_over_two_locations(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3, north=2)
    order = take(draft(market.web, "1", line("TEA", 5))).order
    assert _routes(order) == {"warehouse": 3, "north": 2}
    for parcel in parcels(order):
        fulfilment.ship(parcel.pk, actor="ann")
    order.refresh_from_db()
    assert (order.state, promised(tea), goods_line(order).fulfilled_quantity) == ("fulfilled", 0, 5)


def test_a_channel_ships_only_from_its_own_sources(market: Market) -> None:
    market.goods("TEA", warehouse=5, south=5)
    ChannelSource.objects.create(sales_channel=market.web, location=market.south)
    assert _routes(take(draft(market.web, "1", line("TEA"))).order) == {"south": 1}


def test_a_store_takes_no_more_orders_a_day_than_it_can(market: Market) -> None:
    market.goods("TEA", warehouse=50, south=50)
    StockLocation.objects.filter(pk=market.south.pk).update(orders_per_day=2)
    near = Address(latitude=48.1, longitude=11.6)
    routes = [_routes(take(draft(market.web, str(n), line("TEA"), shipping_address=near)).order) for n in range(3)]
    assert routes == [{"south": 1}, {"south": 1}, {"warehouse": 1}]


@pytest.mark.committed_database
def test_two_orders_at_once_never_share_the_last_order_of_a_stores_day(busy_market: Market) -> None:
    for sku in ("TEA", "POT"):
        busy_market.goods(sku, warehouse=50, south=50)
    StockLocation.objects.filter(pk=busy_market.south.pk).update(orders_per_day=1)
    near = Address(latitude=48.1, longitude=11.6)
    with somebody_else() as begin:
        with transaction.atomic():
            first = take(draft(busy_market.web, "1", line("TEA"), shipping_address=near)).order
            other = begin(lambda: take(draft(busy_market.web, "2", line("POT"), shipping_address=near)).order)
        assert _routes(other.result(PATIENCE_SECONDS)) == {"warehouse": 1}
    assert _routes(first) == {"south": 1}


def test_a_part_of_a_parcel_ships_and_the_rest_waits_there(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    parcel = parcels(order)[0]
    part = parcel.lines.get()
    fulfilment.ship(parcel.pk, actor="ann", carrier="DHL", tracking_number="JD1", quantities={part.pk: 1})
    order.refresh_from_db()
    assert (order.state, at(tea, market.warehouse), _routes(order)) == ("partly_fulfilled", (4, 2), {"warehouse": 2})
    fulfilment.ship(parcels(order)[0].pk, actor="ann")
    order.refresh_from_db()
    assert (order.state, at(tea, market.warehouse)) == ("fulfilled", (2, 0))


def test_shipping_twice_takes_the_goods_once(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    parcel = parcels(order)[0]
    for _ in range(2):
        fulfilment.ship(parcel.pk, actor="ann")
    fulfilment.deliver(parcel.pk, actor="carrier")
    assert fulfilment.deliver(parcel.pk, actor="carrier").state == "delivered"
    assert at(tea, market.warehouse) == (2, 0)


def test_a_bundle_is_fulfilled_when_all_its_parts_have_left(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", north=9)
    market.bundle("SET", TEA=2, POT=1)
    order = take(draft(market.web, "1", line("SET", 3))).order
    assert _routes(order) == {"warehouse": 6, "north": 3}
    fulfilment.ship(parcels(order)[0].pk, actor="ann")
    assert goods_line(order).fulfilled_quantity == 0
    with pytest.raises(UserError, match="0 can"):
        aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="changed", actor="ann")
    fulfilment.ship(parcels(order)[0].pk, actor="ann")
    assert goods_line(order).fulfilled_quantity == 3
    assert (at(tea, market.warehouse), at(pot, market.north)) == ((3, 0), (6, 0))


def test_what_a_store_cannot_find_is_taken_off_its_books_and_shipped_by_another(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5, north=2)
    ChannelSource.objects.create(sales_channel=market.web, location=market.north, rank=1)
    ChannelSource.objects.create(sales_channel=market.web, location=market.warehouse, rank=2)
    order = take(draft(market.web, "1", line("TEA", 2))).order
    assert _routes(order) == {"north": 2}
    rejected = fulfilment.reject(parcels(order)[0].pk, reason="not_found", actor="north")
    order.refresh_from_db()
    assert (_routes(order), order.problem) == ({"warehouse": 2}, "")
    assert (at(tea, market.north), at(tea, market.warehouse)) == ((0, 0), (5, 2))
    assert fulfilment.reject(rejected.pk, reason="not_found", actor="north").state == "rejected"
    assert at(tea, market.warehouse) == (5, 2)


def test_a_store_that_is_closed_keeps_its_stock_and_another_ships(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5, north=2)
    order = take(draft(market.web, "1", line("TEA", 2))).order
    fulfilment.reject(parcels(order)[0].pk, reason="closed", actor="warehouse")
    assert (_routes(order), at(tea, market.warehouse)) == ({"north": 2}, (5, 0))


def test_what_is_lost_and_nowhere_else_is_short_until_goods_arrive(market: Market) -> None:
    tea = market.goods("TEA", north=2)
    order = take(draft(market.web, "1", line("TEA", 2))).order
    fulfilment.reject(parcels(order)[0].pk, reason="not_found", actor="north")
    order.refresh_from_db()
    assert (order.problem, _routes(order), at(tea, market.north)) == ("short: 2 x TEA", {}, (0, 0))
    market.receive(tea, 4, market.south)
    assert intake.retry(order.pk, actor="ann").problem == ""
    assert _routes(order) == {"south": 2}


def test_only_what_is_missing_is_corrected(market: Market) -> None:
    tea = market.goods("TEA", north=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    fulfilment.reject(parcels(order)[0].pk, reason="not_found", missing={tea.pk: 1}, actor="north")
    order.refresh_from_db()
    assert at(tea, market.north) == (4, 3)
    assert order.problem == "unrouted: 3 x TEA"
    assert intake.retry(order.pk, actor="ann").problem == ""
    assert _routes(order) == {"north": 3}


def test_wrong_words_about_a_parcel_are_refused_in_words(market: Market) -> None:
    tea = market.goods("TEA", north=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    parcel = parcels(order)[0]
    with pytest.raises(UserError, match="no reason to reject"):
        fulfilment.reject(parcel.pk, reason="bored", actor="north")
    with pytest.raises(UserError, match="9 units cannot be missing: 5 are on hand"):
        fulfilment.reject(parcel.pk, reason="not_found", missing={tea.pk: 9}, actor="north")
    with pytest.raises(UserError, match="ship it first"):
        fulfilment.deliver(parcel.pk, actor="carrier")
    with pytest.raises(UserError, match="holds 3 units of TEA, not 4"):
        fulfilment.ship(parcel.pk, actor="ann", quantities={parcel.lines.get().pk: 4})
    with pytest.raises(UserError, match="no parcel with id 0"):
        fulfilment.ship(0, actor="ann")
    aftersales.cancel(order.pk, reason="changed my mind", actor="ann")
    with pytest.raises(UserError, match="is cancelled and cannot be shipped"):
        fulfilment.ship(parcel.pk, actor="ann")


@pytest.mark.committed_database
def test_a_parcel_that_ships_while_the_order_is_cancelled_does_one_or_the_other(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=100)
    channel: SalesChannel = busy_market.web
    orders = [take(draft(channel, str(n), line("TEA", 2))).order for n in range(8)]
    waiting = [parcels(order)[0].pk for order in orders]

    def ship_or_cancel(n: int) -> str:
        try:
            if n % 2:
                aftersales.cancel(orders[n // 2].pk, reason="changed", actor="ann")
            else:
                fulfilment.ship(waiting[n // 2], actor="bob")
        except UserError as refusal:
            return str(refusal)
        return ""

    answers = together(ship_or_cancel, 16)
    assert all(isinstance(one, str) and (one == "" or "cannot be shipped" in one) for one in answers)
    shipped = Order.objects.filter(state="fulfilled").count()
    assert Order.objects.filter(state="cancelled").count() == 8 - shipped
    assert at(tea, busy_market.warehouse) == (100 - 2 * shipped, 0)
