"""`finalmarket bench figures`: how soon the figures of today hold an order, and what keeping them costs who takes it.

One worker process as `finalmarket serve` starts it. An order is taken by the verb of all doors; it is in the figures
when the row of today, read as the pages read it, counts it. The cost is that of taking orders with the triggers that
note what changed, beside taking them without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from django.db import connection
from psycopg import sql

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.bench.market import Market, lay_out
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.bench.workers import at_work
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import open_connection
from finalmarket.orders.drafts import LineDraft, OrderDraft
from finalmarket.orders.intake import take

SKUS = 200
ORDERS_A_RUN = 20
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.01
TABLES = ("orders", "order_lines")


def measure(database: str, pace: Pace, say: Callable[[str], None], *, work: Callable[[], None]) -> list[Figure]:
    """Run the bench in the scratch database `database`. `work` is a worker, called in a process of its own."""
    market = lay_out(SKUS)
    skus = list(Variant.objects.order_by("pk").values_list("sku", flat=True))
    shop = _Shop(market, skus)
    rates, bare = list[float](), list[float]()
    for number in range(1, pace.runs + 1):
        say(f"taking orders, run {number} of {pace.runs}")
        rates.append(shop.orders_a_second(pace.seconds))
        with _unnoted():
            bare.append(shop.orders_a_second(pace.seconds))
    waits = list[float]()
    with at_work(database, work):
        shop.wait_until_counted()  # all that was taken so far
        for number in range(1, pace.runs + 1):
            say(f"freshness, run {number} of {pace.runs}")
            waits.append(_p95([shop.sell_and_wait() for _ in range(ORDERS_A_RUN)]))
    return [
        figure("figures_freshness_p95_s", "s, from the commit of an order to the figures of today", waits),
        figure("order_intake", "orders/s taken, one after the other", rates,
               baseline_name="without the triggers of the figures", baselines=bare),
    ]  # fmt: skip


class _Shop:
    """One of the channels of the market, and the orders that it has taken."""

    def __init__(self, market: Market, skus: list[str]) -> None:
        self._channel = SalesChannel.objects.get(pk=market.channels[0])
        self._skus = skus
        self._taken = 0

    def sell(self) -> None:
        """Take an order of two lines, of one of a thousand customers."""
        self._taken += 1
        first, second = (self._skus[(self._taken * step) % len(self._skus)] for step in (1, 7))
        lines = tuple(
            LineDraft(sku=sku, quantity=1, unit_price=Decimal("19.90")) for sku in dict.fromkeys((first, second))
        )
        email = f"c{self._taken % 1_000}@example.com"
        take(
            OrderDraft(
                self._channel.pk, f"bench-{self._taken}", self._channel.currency, clock.now(), lines, email=email
            ),
            actor="bench",
        )

    def orders_a_second(self, seconds: float) -> float:
        """Sell for so long."""
        began, before = time.perf_counter(), self._taken
        while time.perf_counter() - began < seconds:
            self.sell()
        return (self._taken - before) / (time.perf_counter() - began)

    def sell_and_wait(self) -> float:
        """Seconds from an order's commit until today's figures hold it."""
        self.sell()
        return self.wait_until_counted()

    def wait_until_counted(self) -> float:
        """Seconds until the figures hold all that was taken. Raises RuntimeError when they never do."""
        began = time.perf_counter()
        while self._counted() != self._taken:
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise RuntimeError(f"the figures count {self._counted()} of {self._taken} orders; does the worker run?")
            time.sleep(LOOK_SECONDS)
        return time.perf_counter() - began

    def _counted(self) -> int:
        days = ChannelAnalytics.objects.filter(sales_channel=self._channel)
        return sum(days.values_list("orders_count", flat=True))


@contextmanager
def _unnoted() -> Iterator[None]:
    """Within it nobody notes for the figures what changes; what was sold meanwhile is noted at the end, at once."""
    try:
        _as_owner("DISABLE")
        yield
    finally:
        _as_owner("ENABLE")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO analytics_changes (kind, sales_channel_id)"
                " SELECT 'everything', id FROM sales_channels WHERE id IN (SELECT sales_channel_id FROM orders)"
            )


def _as_owner(how: str) -> None:
    """DISABLE or ENABLE the triggers."""
    named = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s ORDER BY tgname"
    with open_connection({**owner_database(), "NAME": connection.settings_dict["NAME"]}) as owner:
        for table in TABLES:
            for (name,) in owner.execute(named, [table, f"{table}\\_analytics\\_%"]).fetchall():
                command = f"ALTER TABLE {{}} {how} TRIGGER {{}}"
                owner.execute(sql.SQL(command).format(sql.Identifier(table), sql.Identifier(name)))


def _p95(waits: list[float]) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * 0.95))]
