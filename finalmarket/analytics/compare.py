"""Two channels, or two periods, side by side: every figure with its difference, and whether rates differ at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from finalmarket.analytics.metrics import day_of, period
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import today
from finalmarket.analytics.significance import RateVerdict, Share, compare_rates
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError

MONEY = ("revenue", "refunds", "net_revenue", "average_order_value")
COUNTED = (
    "orders_count", "units_sold", "units_returned", "unique_customers", "new_customers", "returning_customers",
    "sessions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """A channel from one day to another, both included."""

    channel: SalesChannel
    first: date
    last: date

    @property
    def days(self) -> int:
        """How long it is."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both sides. `change` is by which part of the other side this one is more; None without a base.
    `currency` is that of both, "" for what is no money."""

    name: str
    here: Decimal | int | None
    there: Decimal | int | None
    change: Decimal | None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides with their figures. Money is compared in the channels' currency where it is one, else in the
    merchant's. `notes` say what has to be known to read it."""

    here: Side
    there: Side
    figures_here: Mapping[str, Any]
    figures_there: Mapping[str, Any]
    differences: Sequence[Difference]
    rates: Sequence[RateVerdict]
    notes: Sequence[str]


def compare(here: Side, there: Side) -> Comparison:
    """Return both sides' figures side by side, with a verdict on each rate. Six queries, however long the periods."""
    figures = [
        ChannelAnalytics.objects.performance_metrics(side.channel, side.first, side.last) for side in (here, there)
    ]
    is_one_currency = here.channel.currency == there.channel.currency
    currency = here.channel.currency if is_one_currency else str(figures[0]["merchant_currency"])
    names = [(name, name if is_one_currency else f"merchant_{name}") for name in MONEY]
    money = [_difference(name, figures[0][key], figures[1][key], currency) for name, key in names]
    counted = [_difference(name, figures[0][name], figures[1][name]) for name in COUNTED]
    return Comparison(
        here, there, figures[0], figures[1], [*money, *counted], compare_rates(_rates(here, there, figures)),
        _notes(here, there, figures, currency, is_one_currency=is_one_currency),
    )  # fmt: skip


def compare_channels(
    channel: SalesChannel, other: SalesChannel, *, start_date: date | None = None, end_date: date | None = None
) -> Comparison:
    """Return two channels over the same days, each by its own clock; by default the last 30 days and today."""
    return compare(
        Side(channel, *period(channel, start_date, end_date)), Side(other, *period(other, start_date, end_date))
    )


def compare_periods(
    channel: SalesChannel, *, start_date: date | None = None, end_date: date | None = None,
    before_start: date | None = None,
) -> Comparison:  # fmt: skip
    """Return a period of a channel beside an earlier one of the same length: the one that begins on `before_start`, by
    default the one just before it. Raises UserError for a period that ends before it begins."""
    here = Side(channel, *period(channel, start_date, end_date))
    first = day_of(before_start, channel) if before_start else here.first - timedelta(days=here.days)
    if first == here.first:
        raise UserError("a period cannot be compared with itself; give another day for the other one to begin")
    return compare(here, Side(channel, first, first + timedelta(days=here.days - 1)))


def _difference(name: str, here: Any, there: Any, currency: str = "") -> Difference:
    change = None
    if here is not None and there:
        change = ((Decimal(here) - Decimal(there)) / abs(Decimal(there))).quantize(Decimal("0.0001"))
    return Difference(name, here, there, change, currency)


def _rates(here: Side, there: Side, figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, Share, Share]]:
    sessions = [Share(one["ordering_sessions"], one["sessions"]) for one in figures]
    new = [Share(one["new_customers"], one["unique_customers"]) for one in figures]
    units = [_units(side, one) for side, one in zip((here, there), figures, strict=True)]
    return [
        ("conversion_rate", sessions[0], sessions[1]),
        ("return_rate", units[0], units[1]),
        ("new_customers", new[0], new[1]),
    ]


def _units(side: Side, figures: Mapping[str, Any]) -> Share:
    """Units that came back of those sold, by day: they come back by orders, so that they do not count one by one."""
    rows = ChannelAnalytics.objects.filter(sales_channel=side.channel, date__range=(side.first, side.last))
    days = rows.order_by().values("date").annotate(back=Sum("units_returned"), sold=Sum("units_sold"))
    return Share(
        figures["units_returned"], figures["units_sold"],
        tuple(days.filter(sold__gt=0).order_by("date").values_list("back", "sold")),
    )  # fmt: skip


def _notes(
    here: Side, there: Side, figures: Sequence[Mapping[str, Any]], currency: str, *, is_one_currency: bool
) -> list[str]:
    notes = []
    if not is_one_currency:
        notes.append(f"The channels sell in different currencies; amounts are in the merchant's, {currency}.")
    missing = sorted({one for side in figures for one in side["missing_rates"]})
    if missing:
        notes.append(f"No rate for {', '.join(missing)}: amounts that need it are left out (finalmarket import rates).")
    if here.days != there.days:
        notes.append(f"The periods are of {here.days} and {there.days} days; sums cannot be held against each other.")
    if any(side.last >= today(side.channel) for side in (here, there)):
        notes.append("Today is not over yet.")
    if here.first != there.first:
        notes.append("Of the newer period, fewer returns have come in so far than will.")
    return notes
