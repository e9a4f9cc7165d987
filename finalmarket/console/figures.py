"""Figures that several pages show: orders and revenue by channel and day, open alerts, listings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F

from finalmarket.analytics.metrics import ratio
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import today
from finalmarket.channels.models import SalesChannel
from finalmarket.console.counting import COUNTED_AT_MOST
from finalmarket.console.finding import rows
from finalmarket.kernel import clock

DAYS = 30


@dataclass
class ChannelFigures:
    """One channel's orders and revenue: today, over the last DAYS days, and day by day (0 is today)."""

    channel: SalesChannel
    orders_by_day: dict[int, int] = field(default_factory=dict)
    revenue_by_day: dict[int, Decimal] = field(default_factory=dict)
    alerts: int = 0
    listings: int = 0

    @property
    def orders_today(self) -> int:
        """Orders of today, in the channel's time zone."""
        return self.orders_by_day.get(0, 0)

    @property
    def revenue_today(self) -> Decimal:
        """Revenue of today in the channel's currency."""
        return self.revenue_by_day.get(0, Decimal(0))

    @property
    def orders(self) -> int:
        """Orders of the last DAYS days."""
        return sum(self.orders_by_day.values())

    @property
    def revenue(self) -> Decimal:
        """Revenue of the last DAYS days in the channel's currency."""
        return sum(self.revenue_by_day.values(), Decimal(0))

    def revenue_text(self, ago: int) -> str:
        """Revenue of one day to the cent, as a chart takes it."""
        return str(round(self.revenue_by_day.get(ago, Decimal(0)), 2))


def figures(channel: SalesChannel | None = None) -> list[ChannelFigures]:
    """Return the figures of every channel that is not archived, or of `channel` alone; two queries.

    They are the daily figures of the analytics room, which its worker tells anew within a second of a change.
    """
    channels = [channel] if channel else list(SalesChannel.objects.exclude(status="archived").order_by("name"))
    found = {one.pk: ChannelFigures(one) for one in channels}
    days = ChannelAnalytics.objects.filter(
        sales_channel__in=list(found),
        currency=F("sales_channel__currency"),
        date__gt=clock.now().date() - timedelta(days=DAYS + 1),
    )
    for key, day, orders, revenue in days.values_list("sales_channel", "date", "orders_count", "revenue"):
        one = found[key]
        ago = (today(one.channel) - day).days
        if 0 <= ago < DAYS and orders:
            one.orders_by_day[ago], one.revenue_by_day[ago] = orders, revenue
    return list(found.values())


def add_alerts(found: list[ChannelFigures]) -> int:
    """Count the open alerts of each channel that are not put off; return all of them, those of locations too.

    Counts at most COUNTED_AT_MOST together.
    """
    counted = {row["channel"]: row["alerts"] for row in rows("open_alerts", now=clock.now(), most=COUNTED_AT_MOST)}
    for one in found:
        one.alerts = counted.get(one.channel.pk, 0)
    return sum(counted.values())


def rates(channel: SalesChannel) -> dict[str, Any]:
    """Return refunds, new customers, conversion and return rate of the last DAYS days, from the daily figures."""
    days = ChannelAnalytics.objects.trend_data(channel, days=DAYS)
    names = ("refunds", "new_customers", "sessions", "ordering_sessions", "units_sold", "units_returned")
    sums: dict[str, Any] = {name: sum(day[name] for day in days) for name in names}
    return sums | {
        "conversion_rate": ratio(sums["ordering_sessions"], sums["sessions"]),
        "return_rate": ratio(sums["units_returned"], sums["units_sold"]),
    }


def add_listings(found: list[ChannelFigures]) -> None:
    """Count the listings of each channel, up to COUNTED_AT_MOST."""
    counted = {row["channel"]: row["listings"] for row in rows("listings_counted", most=COUNTED_AT_MOST)}
    for one in found:
        one.listings = counted.get(one.channel.pk, 0)


def chart(found: list[ChannelFigures]) -> dict[str, Any]:
    """Return what the chart shows: revenue by day, stacked by channel; orders where currencies differ. Its last day is
    that of the channel where it is latest; where it is not that day yet, nothing stands on it."""
    sellers = sorted((one for one in found if one.orders), key=lambda one: -one.orders)
    currencies = {one.channel.currency for one in sellers}
    newest: date = max((today(one.channel) for one in found), default=clock.now().date())
    back = range(DAYS - 1, -1, -1)
    in_money = len(currencies) == 1
    return {
        "kind": "bar",
        "stacked": True,
        "unit": next(iter(currencies)) if in_money else "",
        "title": f"Revenue by day, {next(iter(currencies))}" if in_money else "Orders by day",
        "labels": [f"{newest - timedelta(days=ago):%d %b}" for ago in back],
        "series": [{"label": one.channel.name, "values": _by_day(one, newest, in_money=in_money)} for one in sellers],
    }


def _by_day(one: ChannelFigures, newest: date, *, in_money: bool) -> list[str | int]:
    """Revenue or orders of a channel on each of the days that end with `newest`, the oldest first."""
    behind = (newest - today(one.channel)).days
    back = range(DAYS - 1 - behind, -1 - behind, -1)
    return [one.revenue_text(ago) if in_money else one.orders_by_day.get(ago, 0) for ago in back]
