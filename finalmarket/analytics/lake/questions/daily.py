"""The daily figures of channels: the rows of ChannelAnalytics, computed from the lake.

The definitions are those of analytics/restate.sql. Sums and counts are the engine's; the rates that follow from them
are computed exactly by `with_rates`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from finalmarket.analytics.lake.history import CASES, History

if TYPE_CHECKING:
    import ibis.expr.types as ir

AMOUNT = pa.decimal128(38, 4)
RATE = pa.decimal128(12, 6)
COUNTS = ("orders_count", "units_sold", "units_returned", "unique_customers", "new_customers")
SCHEMA = pa.schema(
    [("channel", pa.int64()), ("date", pa.date32()), ("currency", pa.string()), ("orders_count", pa.int64())]
    + [(name, AMOUNT) for name in ("revenue", "refunds", "net_revenue", "average_order_value")]
    + [(name, pa.int64()) for name in ("unique_customers", "new_customers", "returning_customers", "sessions",
                                       "ordering_sessions", "units_sold", "units_returned", "customer_count")]
    + [("conversion_rate", RATE), ("return_rate", RATE)]
)  # fmt: skip


def daily(history: History) -> ir.Table:
    """A row for each channel and day in the channel's own currency, and one for every other that was used that day."""
    figures, sessions = _figures(history), _sessions(history)
    sheets = _sheets(history, figures)
    figures = figures.rename(f_channel="channel", f_date="local_date", f_currency="currency")
    sessions = sessions.rename(s_channel="channel", s_date="local_date")
    found = sheets.left_join(
        figures,
        [
            sheets.channel == figures.f_channel,
            sheets.date == figures.f_date,
            sheets.currency == figures.f_currency,
        ],
    )
    found = found.left_join(
        sessions, [found.channel == sessions.s_channel, found.date == sessions.s_date, found.is_own]
    )
    # Where nothing joined there is null, and not zero.
    found = found.mutate(
        **{name: found[name].fill_null(0) for name in (*COUNTS, "sessions", "ordering_sessions")},
        **{name: found[name].fill_null(Decimal(0)) for name in ("revenue", "refunds")},
    )
    found = found.mutate(
        net_revenue=found.revenue - found.refunds, returning_customers=found.unique_customers - found.new_customers
    )
    names = [name for name in SCHEMA.names if name not in {"average_order_value", "conversion_rate", "return_rate"}]
    return found.select(*names).order_by("channel", "date", "currency")


def with_rates(row: dict[str, Any]) -> dict[str, Any]:
    """The row with what follows from it; rates without a base are None."""
    return row | {
        "average_order_value": _divided(row["revenue"], row["orders_count"], "0.0001"),
        "conversion_rate": _divided(row["ordering_sessions"], row["sessions"], "0.000001"),
        "return_rate": _divided(row["units_returned"], row["units_sold"], "0.000001"),
    }


def _divided(part: Decimal | int, whole: int, step: str) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal(step), ROUND_HALF_UP) if whole else None


def _figures(history: History) -> ir.Table:
    """What was ordered, by channel, day and currency. New is whose first order on any channel this is."""
    orders = history.valid_orders()
    in_order = ibis.window(group_by="person", order_by=["placed_at", "id"])
    orders = orders.mutate(turn=ibis.row_number().over(in_order))
    orders = orders.mutate(is_new=(orders.turn == 0) & orders.person.notnull())
    orders = history.on_channel(history.since(history.until(orders)))
    return orders.group_by(["channel", "local_date", "currency"]).agg(
        orders_count=orders.count(),
        revenue=orders.revenue.sum(),
        refunds=orders.refunds.sum(),
        units_sold=orders.units_sold.sum(),
        units_returned=orders.units_returned.sum(),
        unique_customers=orders.person.nunique(),
        new_customers=orders.count(where=orders.is_new),
    )


def _sessions(history: History) -> ir.Table:
    """Journeys by the channel and the day of their beginning; a case is about an order and does not lead to it."""
    journeys = history.on_channel(history.since(history.until(history.tables["journeys"])))
    led = journeys.order_id.notnull() & journeys.intent.notin(CASES)
    return journeys.group_by(["channel", "local_date"]).agg(
        sessions=journeys.count(), ordering_sessions=journeys.count(where=led)
    )


def _sheets(history: History, figures: ir.Table) -> ir.Table:
    """Every channel and day from the channel's first order or session on, with the buyers to date."""
    days = _days(history)
    channels = history.tables["channels"].select(channel="id", own="currency")
    by_person = history.until(history.on_channel(history.valid_orders()))
    by_person = by_person.filter(by_person.person.notnull()).group_by(["channel", "person"])
    arrived = by_person.agg(day=ibis._.local_date.min()).group_by(["channel", "day"]).agg(arrived=ibis._.count())
    arrived = arrived.rename(a_channel="channel", a_day="day")
    sheets = days.join(channels, "channel")
    sheets = sheets.left_join(arrived, [sheets.channel == arrived.a_channel, sheets.local_date == arrived.a_day])
    to_date = ibis.window(group_by="channel", order_by="local_date", preceding=None, following=0)
    sheets = sheets.mutate(customer_count=sheets.arrived.fill_null(0).sum().over(to_date))
    sheets = history.since(sheets).select("channel", "local_date", "own", "customer_count")
    others = figures.select(o_channel="channel", o_date="local_date", currency="currency")
    others = sheets.join(
        others, [sheets.channel == others.o_channel, sheets.local_date == others.o_date, sheets.own != others.currency]
    )
    columns = {"channel": "channel", "date": "local_date", "customer_count": "customer_count"}
    return sheets.select(**columns, currency="own", is_own=ibis.literal(True)).union(
        others.select(**columns, currency="currency", is_own=ibis.literal(False))
    )


def _days(history: History) -> ir.Table:
    """Channel and day, from each channel's first order or session to the last of any, or the end of the period."""
    orders, journeys = history.tables["orders"], history.tables["journeys"]
    all_days = orders.select("channel", "local_date").union(journeys.select("channel", "local_date"))
    all_days = history.until(history.on_channel(all_days))
    first = all_days.group_by("channel").agg(first=all_days.local_date.min())
    until = history.asked.until
    last = ibis.literal(until, "date") if until else all_days.local_date.max().as_scalar()
    spans = first.mutate(last=last)
    grown = ibis.range(spans["first"].cast("timestamp"), spans["last"].cast("timestamp") + ibis.interval(days=1),
                       ibis.interval(days=1))  # fmt: skip
    days = spans.select("channel", local_date=grown.unnest())
    return days.mutate(local_date=days.local_date.cast("date"))
