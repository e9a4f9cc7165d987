"""Orders keep up with what the stock room gives their promises, and takes from them, by themselves."""

from __future__ import annotations

import pytest
from django.db import connection

from finalmarket.kernel.sql import open_connection
from finalmarket.orders import intake, jobs
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import Market, draft, line, parcels


def test_orders_that_no_place_ships_keep_no_other_waiting_and_each_has_its_turn(market: Market) -> None:
    tea = market.goods("TEA")
    stuck = [take(draft(market.bazaar, number, line("TEA"))).order.pk for number in ("1", "2")]
    market.south.can_ship = False
    market.south.save()
    market.receive(tea, 2, market.south)
    jobs.bring_in_step()
    assert {order.problem for order in Order.objects.all()} == {"unrouted: 1 x TEA"}
    fresh = take(draft(market.bazaar, "3", line("TEA"))).order.pk
    market.receive(tea, 1, market.north)
    assert intake.waiting_orders(limit=1) == [fresh]
    assert intake.waiting_orders() == [fresh, *stuck]
    for order_id in (fresh, stuck[0]):
        intake.retry(order_id, actor="ann")
    assert intake.waiting_orders(limit=1) == [stuck[1]]
    market.south.can_ship = True
    market.south.save()
    jobs.bring_in_step()
    assert intake.waiting_orders() == []


def test_the_orders_that_a_count_or_arrivals_touched_are_found_by_an_index_of_their_movements(market: Market) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + intake.WAITING_SQL, {"days": 7, "limit": 200})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "stock_movement_met" in plan


@pytest.mark.committed_database
def test_an_order_that_somebody_holds_does_not_keep_the_others_from_being_brought_in_step(busy_market: Market) -> None:
    tea = busy_market.goods("TEA")
    orders = [take(draft(busy_market.bazaar, number, line("TEA"))).order for number in ("1", "2")]
    busy_market.receive(tea, 2, busy_market.north)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20ms'")
        try:
            with open_connection(autocommit=False) as other:
                other.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", [orders[0].pk])
                jobs.bring_in_step()
        finally:
            cursor.execute("RESET lock_timeout")
    assert [len(parcels(order)) for order in orders] == [0, 1]
    jobs.bring_in_step()
    assert [len(parcels(order)) for order in orders] == [1, 1]
