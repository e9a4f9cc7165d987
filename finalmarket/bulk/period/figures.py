"""What a report of a period says: the stored daily figures by channel and currency, beside those of the period before,
and what happened on journeys. A constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys import paths
from finalmarket.journeys.funnels import FunnelStep, Stage, funnel
from finalmarket.journeys.paths_asked import Asked, limits
from finalmarket.kernel.errors import UserError

MOST_DAYS = 3_700
MOST_PATHS = 10
STEPS = ("product_view", "add_to_cart", "checkout_start", "checkout_complete")
AMOUNTS = ("revenue", "refunds", "net_revenue")
COUNTS = ("orders_count", "new_customers", "sessions", "ordering_sessions", "units_sold", "units_returned")
_AMOUNT, _RATE = pa.decimal128(18, 4), pa.decimal128(12, 6)
SCHEMA = pa.schema(
    [("channel", pa.string()), ("date", pa.date32()), ("currency", pa.string())]
    + [(name, _AMOUNT) for name in (*AMOUNTS, "average_order_value")]
    + [(name, pa.int64()) for name in (*COUNTS, "unique_customers", "returning_customers", "customer_count")]
    + [(name, _RATE) for name in ("conversion_rate", "return_rate")]
)


@dataclass(slots=True)
class Sums:
    """The sums of one channel in one currency over a period; `by_day` has those of its days."""

    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(AMOUNTS, Decimal(0)))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    by_day: dict[date, tuple[Decimal, int, int, int]] = field(default_factory=dict)

    @property
    def average_order_value(self) -> Decimal | None:
        """Revenue by order; None without orders."""
        return _divided(self.amounts["revenue"], self.counts["orders_count"], "0.01")

    @property
    def conversion_rate(self) -> Decimal | None:
        """Sessions with an order, of all sessions; None without sessions."""
        return _divided(self.counts["ordering_sessions"], self.counts["sessions"], "0.0001")

    @property
    def return_rate(self) -> Decimal | None:
        """Units that came back, of those sold in the period; None without units."""
        return _divided(self.counts["units_returned"], self.counts["units_sold"], "0.0001")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report: a channel and a currency, with its sums and those of the period before."""

    channel: str
    currency: str
    now: Sums
    before: Sums
    number: int = 0
    """Of the channel."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says."""

    first: date
    last: date
    lines: Sequence[Line]
    stages: Sequence[Stage]
    paths: Sequence[tuple[str, paths.WalkedPath]]

    @property
    def days(self) -> list[date]:
        """The days of the period."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def before_first(self) -> date:
        """The first day of the period before, which is as long."""
        return self.first - timedelta(days=len(self.days))


def collect(first: date, last: date) -> Report:
    """Put the report from `first` to `last` together. Raises UserError for a period that cannot be."""
    _check(first, last)
    names = dict(SalesChannel.objects.values_list("pk", "name"))
    length = last - first + timedelta(days=1)
    now, before = _sums(first, last), _sums(first - length, last - length)
    keys = sorted(now.keys() | before.keys(), key=lambda key: (names.get(key[0], ""), key[1]))
    lines = [
        Line(names.get(channel, str(channel)), currency, now.get((channel, currency), Sums()),
             before.get((channel, currency), Sums()), channel)
        for channel, currency in keys
    ]  # fmt: skip
    asked = Asked(since=first, until=last)
    with limits():
        stages = funnel(asked, [FunnelStep(word) for word in STEPS])
        walked = paths.top_paths(asked, MOST_PATHS)
    told = [(" → ".join(names.get(number, "?") for number in one.channels), one) for one in walked]
    return Report(first, last, [line for line in lines if _is_told(line)], stages, told)


def daily_table(first: date, last: date) -> pa.Table:
    """The daily figures from `first` to `last`, a row for each channel, day and currency. Raises UserError for a period
    that cannot be."""
    _check(first, last)
    stored = ChannelAnalytics.objects.filter(date__range=(first, last))
    names = [name for name in SCHEMA.names if name != "channel"]
    rows = stored.order_by("sales_channel__slug", "date", "currency").values("sales_channel__slug", *names)
    return pa.Table.from_pylist([{"channel": row.pop("sales_channel__slug"), **row} for row in rows], schema=SCHEMA)


def _check(first: date, last: date) -> None:
    if first > last:
        raise UserError(f"the period ends on {last}, before it begins on {first}")
    if (last - first).days >= MOST_DAYS:
        raise UserError(f"a report is about {MOST_DAYS} days at most")


def _sums(first: date, last: date) -> dict[tuple[int, str], Sums]:
    stored: Iterable[dict[str, Any]] = ChannelAnalytics.objects.filter(date__range=(first, last)).values(
        "sales_channel_id", "currency", "date", *AMOUNTS, *COUNTS
    )
    found: dict[tuple[int, str], Sums] = {}
    for row in stored:
        mine = found.setdefault((row["sales_channel_id"], row["currency"]), Sums())
        for name in AMOUNTS:
            mine.amounts[name] += row[name]
        for name in COUNTS:
            mine.counts[name] += row[name]
        mine.by_day[row["date"]] = (
            row["net_revenue"], row["orders_count"], row["sessions"], row["ordering_sessions"],
        )  # fmt: skip
    return found


def _is_told(line: Line) -> bool:
    """Whether anything happened."""
    return any(sums.counts["orders_count"] or sums.counts["sessions"] for sums in (line.now, line.before))


def _divided(part: Decimal | int, whole: int, step: str) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal(step), ROUND_HALF_UP) if whole else None
