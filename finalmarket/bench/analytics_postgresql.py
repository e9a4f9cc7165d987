"""PostgreSQL's part of `finalmarket bench analytics`: the rows of a lake brought in, and the questions asked there."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from django.db import connection, connections

from finalmarket.analytics.lake.layout import Lake
from finalmarket.analytics.lake.tables import DAILY, WHOLE
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import restate_all
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys import paths
from finalmarket.journeys.funnels import FunnelStep, funnel
from finalmarket.journeys.paths_asked import Asked, limits
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("analytics.sql"))
PATIENCE_SECONDS = 900
STEPS = ("product_view", "add_to_cart", "checkout_start", "checkout_complete")
LOADED = ("channels", "customers", "persons", "orders", "order_lines", "journeys", "touchpoints", "interactions")
Rows = list[dict[str, Any]]


def lay_out(lake: Lake) -> None:
    """Bring the rows of a lake into the scratch database that Django works on."""
    with as_owner(), connections["default"].cursor() as cursor:
        months = "SELECT interactions_months(ARRAY(SELECT generate_series(%s::timestamptz, %s, interval '1 month')))"
        days = sorted(lake.days())
        cursor.execute(months, [days[0], days[-1]])
        for table in (*WHOLE, *DAILY):
            columns = ", ".join(f"{field.name} {_kind(field.type)}" for field in table.schema)
            cursor.execute(f"CREATE TEMPORARY TABLE told_{table.name} ({columns})")
            with cursor.copy(f"COPY told_{table.name} FROM STDIN (FORMAT CSV)") as copy:
                for file in lake.files(table.name):
                    buffer = io.BytesIO()
                    pa_csv.write_csv(pq.read_table(file), buffer, pa_csv.WriteOptions(include_header=False))
                    copy.write(buffer.getvalue())
        for name in LOADED:
            cursor.execute(QUERIES[f"load_{name}"])
        cursor.execute("VACUUM ANALYZE")


def _kind(kind: pa.DataType) -> str:
    """PostgreSQL's name for a type of the lake."""
    if pa.types.is_decimal(kind):
        return "numeric"
    named = {"int64": "bigint", "int16": "smallint", "string": "text", "bool": "boolean", "date32[day]": "date"}
    return named.get(str(kind), "timestamp")


def answers() -> Mapping[str, Callable[[], Rows]]:
    """The questions, asked of PostgreSQL as this house asks them there, or by hand where it does not."""
    return {
        "daily": _daily,
        "funnel": _funnel,
        "paths": _paths,
        "retention": lambda: _by_hand("retention"),
        "rfm": lambda: _by_hand("rfm"),
        "activity": lambda: _by_hand("activity"),
    }


def _daily() -> Rows:
    """The figures of all days, computed from the books and read."""
    restate_all()
    last = max(ChannelAnalytics.objects.exclude(orders_count=0, sessions=0).values_list("date", flat=True))
    names = [
        "date", "currency", "orders_count", "revenue", "refunds", "net_revenue", "average_order_value",
        "unique_customers", "new_customers", "returning_customers", "sessions", "ordering_sessions", "units_sold",
        "units_returned", "customer_count", "conversion_rate", "return_rate",
    ]  # fmt: skip
    rows = ChannelAnalytics.objects.filter(date__lte=last, sales_channel__in=SalesChannel.objects.all())
    found = rows.order_by("sales_channel_id", "date", "currency").values("sales_channel_id", *names)
    return [{"channel": row.pop("sales_channel_id"), **row} for row in found]


def _funnel() -> Rows:
    with limits(PATIENCE_SECONDS):
        found = funnel(Asked(), [FunnelStep(word) for word in STEPS], window=timedelta(days=30))
    return [
        {"step": number, "persons": stage.persons,
         "median_seconds": stage.median_time.total_seconds() if stage.median_time is not None else None}
        for number, stage in enumerate(found, start=1)
    ]  # fmt: skip


def _paths() -> Rows:
    with limits(PATIENCE_SECONDS):
        found = paths.top_paths(Asked())
    return [
        {"channels": list(one.channels), "journeys": one.journeys, "persons": one.persons, "ordered": one.ordered,
         "distinct_paths": one.distinct_paths}
        for one in found
    ]  # fmt: skip


def _by_hand(name: str) -> Rows:
    with limits(PATIENCE_SECONDS), connection.cursor() as cursor:
        cursor.execute(QUERIES[f"postgresql_{name}"])
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
