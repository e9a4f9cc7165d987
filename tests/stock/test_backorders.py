"""Promises beyond stock: backorders with a cap, pre-orders within a horizon, and how goods that arrive meet them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from finalmarket.stock import atp, ledger, receipts
from finalmarket.stock.models import ChannelSource, ReservationLine
from finalmarket.stock.policies import set_backorder_limit, set_policy, set_safety
from tests.stock.shelves import (
    OVER,
    ask,
    assert_books_agree,
    hold,
    lines_of,
    new_channel,
    new_place,
    new_variant,
    pool,
    promise,
    put,
    sell,
)

pytestmark = pytest.mark.django_db


def waiting(reservation_id: int) -> int:
    return sum(line.quantity for line in lines_of(reservation_id) if line.is_backorder)


def test_backorders_end_at_their_cap_and_only_where_the_channel_allows_them() -> None:
    good, web, app, place = new_variant(), new_channel(), new_channel(), new_place()
    put(good, place, 2)
    set_backorder_limit(good.pk, 3)
    set_policy(good.pk, web.pk, allows_backorder=True)
    level = atp.level(good.pk, web.pk)
    assert (level.available, level.beyond, level.status) == (5, 3, "low")
    assert atp.level(good.pk, app.pk).available == 2
    assert ask(web, (good, 6)).outcome == "refused"
    order = promise(web, good, 4)
    assert (waiting(order), pool(good).allocated, pool(good).backordered) == (2, 2, 2)
    assert ask(web, (good, 2)).outcome == "refused"
    assert ask(web, (good, 1)).outcome == "granted"
    assert ask(app, (good, 1)).outcome == "refused"
    assert pool(good).on_hand == 2, "what is promised beyond stock is no negative stock"
    assert_books_agree()


def test_goods_that_arrive_meet_the_oldest_backorder_first() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    first, second = promise(web, good, 3), promise(web, good, 3)
    put(good, place, 4)
    assert (waiting(first), waiting(second)) == (0, 2)
    assert (pool(good).allocated, pool(good).backordered) == (4, 2)
    assert atp.level(good.pk, web.pk).beyond == 8
    put(good, place, 4)
    assert (waiting(second), pool(good).backordered, atp.level(good.pk, web.pk).available) == (0, 0, 12)
    assert_books_agree()


def test_units_that_are_given_back_meet_who_waits() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 2)
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    cart = hold(web, good, 2)
    order = promise(web, good, 2)
    ledger.release([cart], actor="test")
    assert waiting(order) == 0
    assert_books_agree()


def test_the_sweep_gives_the_units_of_ended_holds_to_who_waits() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 2)
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    hold(web, good, 2)
    order = promise(web, good, 2)
    ReservationLine.objects.filter(state="held").update(expires_at=timezone.now())
    assert ledger.expire_holds() == 1
    assert waiting(order) == 0
    assert_books_agree()


def test_a_backorder_takes_neither_safety_stock_nor_what_is_fenced_for_others() -> None:
    good, web, app, place = new_variant(), new_channel(), new_channel(), new_place()
    put(good, place, 5)
    set_safety(good.pk, place.pk, 2)
    set_policy(good.pk, app.pk, fence_quantity=3)
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    order = promise(web, good, 4)
    assert waiting(order) == 4
    put(good, place, 1)
    assert waiting(order) == 3
    assert atp.level(good.pk, app.pk).available == 3
    assert_books_agree()


def test_goods_that_arrive_do_not_go_to_a_hold_that_has_ended() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    hold(web, good, 2, seconds=OVER)
    order = promise(web, good, 2)
    put(good, place, 2)
    assert waiting(order) == 0
    assert_books_agree()


def test_a_channel_sells_ahead_what_is_expected_within_its_horizon() -> None:
    good, web, app, place = new_variant(), new_channel(), new_channel(), new_place()
    soon, later = timezone.now() + timedelta(days=3), timezone.now() + timedelta(days=20)
    arriving = receipts.announce(good.pk, place.pk, 5, soon)
    receipts.announce(good.pk, place.pk, 7, later)
    set_policy(good.pk, web.pk, incoming_horizon_days=7)
    assert (atp.level(good.pk, web.pk).available, atp.level(good.pk, app.pk).available) == (5, 0)
    assert ask(web, (good, 6)).outcome == "refused"
    order = promise(web, good, 4)
    assert atp.level(good.pk, web.pk).available == 1
    receipts.receive(arriving.pk, 3, actor="test")
    assert (waiting(order), atp.level(good.pk, web.pk).available) == (1, 1)
    receipts.receive(arriving.pk, 2, actor="test")
    assert (waiting(order), atp.level(good.pk, web.pk).available) == (0, 1)
    set_policy(good.pk, web.pk, incoming_horizon_days=30)
    assert atp.level(good.pk, web.pk).available == 8
    assert_books_agree()


def test_a_delivery_that_is_cancelled_or_put_off_is_sold_no_more() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    set_policy(good.pk, web.pk, incoming_horizon_days=7)
    expected = receipts.announce(good.pk, place.pk, 5, timezone.now() + timedelta(days=3))
    order = promise(web, good, 2)
    receipts.postpone(expected.pk, timezone.now() + timedelta(days=9))
    assert atp.level(good.pk, web.pk).available == 0
    receipts.postpone(expected.pk, timezone.now() + timedelta(days=2))
    assert atp.level(good.pk, web.pk).available == 3
    receipts.cancel(expected.pk)
    assert (atp.level(good.pk, web.pk).available, waiting(order)) == (0, 2)


def test_what_was_sold_already_comes_before_a_younger_backorder() -> None:
    good, web, till, place = new_variant(), new_channel(), new_channel(), new_place()
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    sold = sell(till, good, 2)
    order = promise(web, good, 2)
    put(good, place, 3)
    assert (sum(line.short for line in lines_of(sold)), waiting(order)) == (0, 1)
    assert_books_agree()


def test_a_backorder_cannot_be_shipped_before_it_is_met_and_can_be_taken_back() -> None:
    good, web = new_variant(), new_channel()
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    order = promise(web, good, 2)
    assert ledger.close("fulfil", [(order, 0, 1)], actor="test") == [0]
    assert ledger.close("deallocate", [(order, 0, None)], actor="test") == [2]
    assert pool(good).backordered == 0
    assert_books_agree()


def test_nobody_waits_for_goods_while_an_ended_hold_lies_on_the_shelf() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 3)
    set_backorder_limit(good.pk, 5)
    set_policy(good.pk, web.pk, allows_backorder=True)
    hold(web, good, 3, seconds=OVER)
    order = promise(web, good, 4)
    assert (waiting(order), pool(good).allocated) == (1, 3)
    assert_books_agree()


def short(reservation_id: int) -> int:
    return sum(line.short for line in lines_of(reservation_id))


def test_goods_that_arrive_where_a_channel_does_not_sell_from_meet_none_of_its_promises() -> None:
    good, web, south, warehouse = new_variant(), new_channel(), new_place(), new_place()
    ChannelSource.objects.create(sales_channel=web, location=south)
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    order, sold = promise(web, good, 2), sell(web, good, 1)
    put(good, warehouse, 9)
    assert (waiting(order), short(sold), pool(good).allocated) == (2, 1, 0)
    put(good, south, 3)
    assert (waiting(order), short(sold)) == (0, 0)
    met = [line.location_id for line in (*lines_of(order), *lines_of(sold)) if line.quantity]
    assert met == [south.pk, south.pk]
    assert_books_agree()


def test_a_promise_is_met_at_the_source_that_its_channel_ranks_first() -> None:
    good, web, near, far = new_variant(), new_channel(), new_place(priority=1), new_place(priority=9)
    ChannelSource.objects.create(sales_channel=web, location=near, rank=2)
    ChannelSource.objects.create(sales_channel=web, location=far, rank=1)
    set_backorder_limit(good.pk, 10)
    set_policy(good.pk, web.pk, allows_backorder=True)
    order = promise(web, good, 2)
    ledger.receive([ledger.Receipt(good.pk, place.pk, 5) for place in (near, far)], actor="test")
    assert [line.location_id for line in lines_of(order) if line.quantity] == [far.pk]
    assert_books_agree()


def test_what_a_place_sold_without_having_it_is_met_there_whatever_its_channel_sells_from() -> None:
    good, till, store, warehouse = new_variant(), new_channel(), new_place(), new_place()
    ChannelSource.objects.create(sales_channel=till, location=warehouse)
    sold = sell(till, good, 2, place=store)
    put(good, store, 2)
    assert [(line.location_id, line.quantity) for line in lines_of(sold) if line.quantity] == [(store.pk, 2)]
    assert_books_agree()
