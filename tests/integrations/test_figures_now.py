"""Today's figures include an order at once: the watcher sees what was noted, and what it wakes tells the day anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection

from finalmarket.integrations import watch
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import declared
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import NOON, Market, draft, line, open_market


def waiting() -> list[str]:
    """The jobs that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [str(name) for (name,) in cursor.fetchall()]


def today_of(market: Market) -> tuple[int, Decimal, int]:
    """Orders and revenue of today, and the buyers to date."""
    row = market.web.analytics.trend_data(market.web, days=1)[0]
    return row["orders_count"], row["revenue"], row["customer_count"]


@pytest.fixture
def market(db: None) -> Iterator[Market]:
    with clock.steered(NOON):
        opened = open_market()
        opened.goods("TEA", warehouse=9)
        declared()[watch.RESTATE].run()
        yield opened


def test_an_order_is_in_the_figures_as_soon_as_the_woken_job_has_run(market: Market) -> None:
    before = today_of(market)
    take(draft(market.web, "now-1", line("TEA", 2, "5.00"), email="ann@example.com"))
    assert watch.wake_restater()
    assert not watch.wake_restater()  # one waits already
    assert watch.RESTATE in waiting()
    declared()[watch.RESTATE].run()
    orders, revenue, buyers = today_of(market)
    assert (orders - before[0], revenue - before[1], buyers - before[2]) == (1, Decimal("10.00"), 1)
    assert not watch.wake_restater()


def test_a_cancelled_order_leaves_the_figures_in_the_same_way(market: Market) -> None:
    taken = take(draft(market.web, "now-1", line("TEA", 2, "5.00"), email="ann@example.com"))
    declared()[watch.RESTATE].run()
    with_it = today_of(market)
    Order.objects.filter(pk=taken.order.pk).update(state="cancelled")
    assert watch.wake_restater()
    declared()[watch.RESTATE].run()
    assert today_of(market) == (with_it[0] - 1, with_it[1] - 10, with_it[2] - 1)


@pytest.mark.committed_database
def test_the_watcher_wakes_the_job_at_its_first_look() -> None:
    market = open_market()
    market.goods("TEA", warehouse=9)
    take(draft(market.web, "now-1", line("TEA", 1, "5.00")))
    looked = threading.Event()

    def pause(seconds: float) -> None:
        looked.set()
        watcher._stop.wait(seconds)

    watcher = watch.Watcher(pause)
    watcher.start()
    try:
        assert looked.wait(60)
    finally:
        watcher.stop()
    assert watch.RESTATE in waiting()
