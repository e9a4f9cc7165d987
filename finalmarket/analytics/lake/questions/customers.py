"""What customers do over time: cohorts that come back, the groups of RFM, and what is done where."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from finalmarket.analytics.lake.history import History, only

if TYPE_CHECKING:
    import ibis.expr.types as ir

RETENTION_SCHEMA = pa.schema(
    [("cohort", pa.date32()), ("months_after", pa.int64()), ("persons", pa.int64()), ("orders", pa.int64()),
     ("of", pa.int64()), ("share", pa.decimal128(12, 6))]
)  # fmt: skip
RFM_SCHEMA = pa.schema(
    [("recency", pa.int64()), ("frequency", pa.int64()), ("monetary", pa.int64()), ("persons", pa.int64()),
     ("orders", pa.int64()), ("net_revenue", pa.decimal128(38, 4)), ("currency", pa.string())]
)  # fmt: skip
ACTIVITY_SCHEMA = pa.schema(
    [("channel", pa.int64()), ("date", pa.date32()), ("interaction_type", pa.string()), ("interactions", pa.int64()),
     ("persons", pa.int64())]
)  # fmt: skip
SCORES = 5


def retention(history: History) -> ir.Table:
    """Persons by the month of their first order, and how many of them ordered so many months later.

    With a channel, only its orders count. The period says which cohorts are told: those whose first order lies in it.
    """
    orders = history.on_channel(history.valid_orders())
    orders = orders.filter(orders.person.notnull())
    orders = orders.select("person", "local_date", month=orders.local_date.year() * 12 + orders.local_date.month())
    months = orders.group_by(["person", "month"]).agg(orders=orders.count(), first=orders.local_date.min())
    begun = months.group_by("person").agg(begun=months["first"].min())
    months = months.inner_join(begun, "person")
    asked = history.asked
    if asked.since is not None:
        months = months.filter(months.begun >= ibis.literal(asked.since))
    if asked.until is not None:
        months = months.filter(months.begun <= ibis.literal(asked.until))
    after = months.month - months.begun.year() * 12 - months.begun.month()
    months = months.mutate(cohort=months.begun.truncate("M").cast("date"), months_after=after.cast("int64"))
    found = months.group_by(["cohort", "months_after"]).agg(persons=months.count(), orders=months.orders.sum())
    whole = found.persons.max().over(ibis.window(group_by="cohort"))
    return found.mutate(of=whole).order_by("cohort", "months_after")


def with_share(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the share of its cohort, which has all of it in month 0."""
    share = (Decimal(row["persons"]) / row["of"]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return row | {"share": share}


def rfm(history: History) -> ir.Table:
    """Persons by recency, frequency and money, each scored from 1 to 5 by how many persons are worse.

    Equal persons have equal scores, whatever the order of rows. Recency is the day of the last order, frequency the
    number of days with orders, money the net revenue in one currency. The rule is that of analytics/rfm.py.
    """
    orders = history.orders_asked()
    orders = orders.filter(orders.person.notnull())
    net = only(orders.currency == history.asked.currency, orders.revenue - orders.refunds)
    people = orders.group_by("person").agg(
        last=orders.local_date.max(),
        days=orders.local_date.nunique(),
        orders=orders.count(),
        net_revenue=net.sum().fill_null(Decimal(0)),
    )
    everybody = people.count().over(ibis.window())

    def score(name: str) -> Any:
        worse = ibis.rank().over(ibis.window(order_by=name)).cast("int64")
        return (worse * SCORES) // everybody + 1

    people = people.mutate(recency=score("last"), frequency=score("days"), monetary=score("net_revenue"))
    groups = people.group_by(["recency", "frequency", "monetary"])
    return groups.agg(
        persons=people.count(), orders=people.orders.sum(), net_revenue=people.net_revenue.sum()
    ).order_by("recency", "frequency", "monetary")


def activity(history: History) -> ir.Table:
    """Interactions and the persons who did them, by channel, day and kind."""
    told = history.interactions()
    return (
        told.group_by(["channel", "local_date", "interaction_type"])
        .agg(interactions=told.count(), persons=told.person.nunique())
        .rename(date="local_date")
        .order_by("channel", "date", "interaction_type")
    )
