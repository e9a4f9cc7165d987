"""A big merchant for the console's pages: as many SKUs and orders as wanted, laid out in seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection, connections

from finalmarket.analytics.rollup import restate_all
from finalmarket.kernel import clock
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.sql import Queries

STEPS = Queries(Path(__file__).with_name("console_fill.sql"))


def lay_out(skus: int, orders: int, *, told: Callable[[str], object] = lambda step: None) -> None:
    """Fill an empty database with `skus` SKUs on ten channels and `orders` orders of the year up to now.

    Figures are computed for the last two months, as the worker would; `told` hears of each step.
    """
    now: datetime = clock.now().astimezone(UTC)
    for step, statement in STEPS.items():
        told(step)
        with connection.cursor() as cursor:
            cursor.execute(statement, {"skus": skus, "orders": orders, "now": now})
    told("figures")
    restate_all(60)


def tidy_up() -> None:
    """Give the planner its statistics and the tables their visibility, as a market that has run for a while has."""
    with as_owner(), connections["default"].cursor() as cursor:  # the runtime role owns no table and may vacuum none
        cursor.execute("VACUUM ANALYZE")
