"""Reading the daily figures: sums over days, and trends. The figures are written by analytics/rollup.py."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Max, Sum

from finalmarket.analytics.rollup import buyers, today
from finalmarket.kernel.errors import UserError

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel

AMOUNTS = ("revenue", "refunds", "net_revenue")
COUNTS = ("orders_count", "sessions", "ordering_sessions", "units_sold", "units_returned")
TREND = (*AMOUNTS, *COUNTS, "unique_customers", "new_customers", "average_order_value", "conversion_rate")
DEFAULT_DAYS_BACK = 30


def ratio(part: int, whole: int) -> Decimal | None:
    """Return part / whole to six places, or None without a whole."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001")) if whole else None


def day_of(moment: date, channel: SalesChannel) -> date:
    """Return the day of `moment` where the channel is. A datetime without a time zone is meant in the channel's own."""
    if not isinstance(moment, datetime):
        return moment
    return moment.astimezone(ZoneInfo(channel.time_zone)).date() if moment.tzinfo else moment.date()


class AnalyticsManager(models.Manager[Any]):
    """The daily figures of channels."""

    def performance_metrics(
        self, channel: SalesChannel, start_date: date | None = None, end_date: date | None = None
    ) -> dict[str, Any]:
        """Return the figures of `channel` from `start_date` (default: 30 days back) to `end_date` (default: today).

        Both days are included; a datetime stands for its day in the channel's time zone. Amounts are Decimals in the
        channel's currency; rates are None without a base. Persons are counted once over the whole period. Two queries,
        however long it is. Raises UserError when the period ends before it begins.
        """
        last = day_of(end_date, channel) if end_date else today(channel)
        first = day_of(start_date, channel) if start_date else last - timedelta(days=DEFAULT_DAYS_BACK)
        if first > last:
            raise UserError(f"the period ends on {last}, before it begins on {first}; give an earlier start_date")
        figures = self._sums(channel, first, last)
        unique, new = buyers(channel, first, last)
        return (
            {"start_date": first, "end_date": last, "currency": channel.currency}
            | figures
            | {
                "unique_customers": unique,
                "new_customers": new,
                "returning_customers": unique - new,
            }
        )

    def _sums(self, channel: SalesChannel, first: date, last: date) -> dict[str, Any]:
        """Return the sums of the days, and the rates that follow from them."""
        days = self.model._default_manager.filter(
            sales_channel=channel, date__range=(first, last), currency=channel.currency
        )
        found = days.aggregate(
            **{name: Sum(name) for name in (*AMOUNTS, *COUNTS)}, customer_count=Max("customer_count")
        )
        sums = {name: found[name] or Decimal(0) for name in AMOUNTS} | {name: found[name] or 0 for name in COUNTS}
        orders = sums["orders_count"]
        average = (sums["revenue"] / orders).quantize(Decimal("0.0001")) if orders else None
        return sums | {
            "average_order_value": average,
            "conversion_rate": ratio(sums["ordering_sessions"], sums["sessions"]),
            "return_rate": ratio(sums["units_returned"], sums["units_sold"]),
            "customer_count": found["customer_count"] or 0,  # grows from day to day: the highest is the last
        }

    def trend_data(self, channel: SalesChannel, *, days: int = 30) -> list[dict[str, Any]]:
        """Return one row a day for the last `days` days, today included, oldest first, in the channel's currency.

        Days without figures stand with zeros, and with None for what has no base. One query. Raises UserError for less
        than one day.
        """
        if days < 1:
            raise UserError(f"a trend needs at least 1 day, not {days}")
        last = today(channel)
        known = {
            row["date"]: row
            for row in self.model._default_manager.filter(
                sales_channel=channel, currency=channel.currency, date__gt=last - timedelta(days=days)
            ).values("date", *TREND)
        }
        empty: dict[str, Any] = dict.fromkeys(TREND, 0) | dict.fromkeys(AMOUNTS, Decimal(0))
        empty |= {"average_order_value": None, "conversion_rate": None}
        every_day = (last - timedelta(days=back) for back in range(days - 1, -1, -1))
        return [known.get(day) or {"date": day, **empty} for day in every_day]
