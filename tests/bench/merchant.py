"""A big merchant for the console's pages: as many SKUs and orders as wanted, laid out in seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection, connections

from finalmarket.analytics.rollup import restate_all
from finalmarket.journeys.storage import make_months
from finalmarket.kernel import clock
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.sql import Queries

AT_ONCE = 500_000
INTERACTIONS = """
    WITH known AS (
        SELECT ARRAY(SELECT id FROM sales_channels ORDER BY id) AS channels, min(id) AS first, count(*) AS people
        FROM omnichannel_customers
    )
    INSERT INTO channel_interactions (id, customer_id, sales_channel_id, interaction_type, value_score, message_id,
                                      occurred_at, received_at, context)
    SELECT nextval('interaction_ids'), first + n * 7919 %% people, channels[1 + n %% cardinality(channels)],
           (ARRAY['page_view', 'product_view', 'product_view', 'search', 'add_to_cart'])[1 + n %% 5], 2, 'bench-' || n,
           %(now)s::timestamptz - n * (interval '360 days' / %(number)s), %(now)s,
           jsonb_build_object('device', 'mobile', 'sku', 'SKU-' || n %% 997)
    FROM known, generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
STEPS = Queries(Path(__file__).with_name("console_fill.sql"))


def lay_out(
    skus: int, orders: int, interactions: int = 0, *, told: Callable[[str], object] = lambda step: None
) -> None:
    """Fill an empty database with `skus` SKUs on ten channels and `orders` orders of the year up to now, and with what
    their buyers did besides.

    Figures are computed for the last two months, as the worker would; `told` hears of each step.
    """
    now: datetime = clock.now().astimezone(UTC)
    for step, statement in STEPS.items():
        told(step)
        with connection.cursor() as cursor:
            cursor.execute(statement, {"skus": skus, "orders": orders, "now": now})
    _tell_interactions(interactions, now, told)
    told("figures")
    restate_all(60)


def _tell_interactions(number: int, now: datetime, told: Callable[[str], object]) -> None:
    """So many interactions of the last year, by turns of all buyers on all channels."""
    if number:
        make_months(now - timedelta(days=days) for days in range(0, 372, 10))
    for first in range(1, number + 1, AT_ONCE):
        last = min(number, first + AT_ONCE - 1)
        told(f"interactions up to {last:,}")
        with connection.cursor() as cursor:
            cursor.execute(INTERACTIONS, {"first": first, "last": last, "number": number, "now": now})


def tidy_up() -> None:
    """Give the planner its statistics and the tables their visibility, as a market that has run for a while has."""
    with as_owner(), connections["default"].cursor() as cursor:  # the runtime role owns no table and may vacuum none
        cursor.execute("VACUUM ANALYZE")
