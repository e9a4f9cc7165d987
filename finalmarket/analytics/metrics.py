"""Reading the daily figures: sums over days, and trends. The figures are written by analytics/rollup.py."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Sum
from django.utils import timezone

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel

SUMMED = (
    "orders_count",
    "revenue",
    "refunds",
    "net_revenue",
    "sessions",
    "ordering_sessions",
    "units_sold",
    "units_returned",
    "new_customers",
)


def ratio(part: Any, whole: Any) -> Decimal | None:
    """Return part / whole to six places, or None without a whole."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001")) if whole else None


class AnalyticsManager(models.Manager[Any]):
    """The daily figures of channels."""

    def performance_metrics(
        self, channel: SalesChannel, start_date: date | None = None, end_date: date | None = None
    ) -> dict[str, Any]:
        """Return the figures of `channel` in its own currency from `start_date` (default: 30 days back) to `end_date`
        (default: today), both included. Buyers are counted once over the whole period."""
        from finalmarket.analytics.rollup import buyers

        last = end_date or timezone.now().astimezone(ZoneInfo(channel.time_zone)).date()
        first = start_date or last - timedelta(days=30)
        days = self.model._default_manager.filter(
            sales_channel=channel, date__range=(first, last), currency=channel.currency
        )
        sums = {key: value or 0 for key, value in days.aggregate(**{name: Sum(name) for name in SUMMED}).items()}
        unique, new, to_date = buyers(channel, first, last)
        return sums | {
            "start_date": first,
            "end_date": last,
            "currency": channel.currency,
            "average_order_value": Decimal(sums["revenue"]) / sums["orders_count"] if sums["orders_count"] else None,
            "unique_customers": unique,
            "new_customers": new,
            "returning_customers": unique - new,
            "conversion_rate": ratio(sums["ordering_sessions"], sums["sessions"]),
            "return_rate": ratio(sums["units_returned"], sums["units_sold"]),
            "customer_count": to_date,
        }

    def trend_data(self, channel: SalesChannel, *, days: int = 30) -> list[dict[str, Any]]:
        """Return one row a day for the last `days` days, oldest first; days without figures stand with zeros."""
        if days < 1:
            raise ValueError(f"days must be at least 1, not {days}")
        today = timezone.now().astimezone(ZoneInfo(channel.time_zone)).date()
        names = ("orders_count", "revenue", "net_revenue", "units_sold", "unique_customers", "conversion_rate")
        known = {
            row["date"]: row
            for row in self.model._default_manager.filter(
                sales_channel=channel, currency=channel.currency, date__gt=today - timedelta(days=days)
            ).values("date", *names)
        }
        empty: dict[str, Any] = dict.fromkeys(names, 0) | {"revenue": Decimal(0), "conversion_rate": None}
        every_day = (today - timedelta(days=back) for back in range(days - 1, -1, -1))
        return [known.get(day) or {"date": day, **empty} for day in every_day]
