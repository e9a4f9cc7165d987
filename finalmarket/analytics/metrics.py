"""Reading the daily figures: sums over days, and trends. The figures are written by analytics/rollup.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Case, Expression, F, Max, Q, Sum, When
from django.db.models.functions import Round

from finalmarket.analytics.rollup import buyers, today
from finalmarket.kernel.clock import day_in
from finalmarket.kernel.errors import UserError

if TYPE_CHECKING:
    from finalmarket.analytics.compare import Comparison
    from finalmarket.analytics.health import ChannelHealth
    from finalmarket.channels.models import SalesChannel

AMOUNTS = ("revenue", "refunds", "net_revenue")
MERCHANT_AMOUNTS = tuple(f"merchant_{name}" for name in AMOUNTS)
COUNTS = ("orders_count", "sessions", "ordering_sessions", "units_sold", "units_returned")
PERSONS = ("unique_customers", "new_customers")
DEFAULT_DAYS_BACK = 30
CENT = Decimal("0.0001")
SOLD = Q(orders_count__gt=0)
OWN = Q(currency=F("sales_channel__currency"))


def ratio(part: int, whole: int) -> Decimal | None:
    """Return part / whole to six places, or None without a whole."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), ROUND_HALF_UP) if whole else None


def average(amount: Decimal | None, orders: int) -> Decimal | None:
    """Return what an order was worth on average to four places, or None without orders or where the amount is not
    known."""
    return (amount / orders).quantize(CENT, ROUND_HALF_UP) if orders and amount is not None else None


def day_of(moment: date, channel: SalesChannel) -> date:
    """Return the day of `moment` where the channel is. A datetime without a time zone is meant in the channel's own."""
    if not isinstance(moment, datetime):
        return moment
    return day_in(channel.time_zone, moment) if moment.tzinfo else moment.date()


def sums() -> dict[str, Any]:
    """Return the aggregates of rows of one channel, whatever their currencies: `as_figures` makes figures of them.
    Amounts are summed in the channel's currency and in the merchant's; persons are those of each day and currency."""
    own = {
        f"all_{name}": Sum(Case(When(OWN, then=F(name)), default=Round(F(name) * F("channel_rate"), precision=4)))
        for name in AMOUNTS
    }
    return {
        **own,
        **{f"all_{name}": Sum(name) for name in (*MERCHANT_AMOUNTS, *COUNTS, *PERSONS)},
        "all_customer_count": Max("customer_count"),  # grows from day to day: the highest is the last
        "all_merchant_currency": Max("merchant_currency"),
        "unknown_here": _currencies(Q(channel_rate=None) & ~OWN),
        "unknown_merchant": _currencies(Q(merchant_rate=None)),
    }


def _currencies(condition: Q) -> Expression:
    found: Expression = ArrayAgg("currency", distinct=True, filter=condition & SOLD, default=models.Value([]))
    return found


def as_figures(found: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return figures with their rates, out of what `sums` found, for a channel that counts in `currency`.

    An amount that cannot be told because a rate is missing is None, and `missing_rates` says which ("CHF to EUR").
    """
    home = found["all_merchant_currency"] or ""
    here, there = (list(found[name] or []) for name in ("unknown_here", "unknown_merchant"))
    figures: dict[str, Any] = {name: None if here else found[f"all_{name}"] or Decimal(0) for name in AMOUNTS}
    figures |= {name: None if there else found[f"all_{name}"] or Decimal(0) for name in MERCHANT_AMOUNTS}
    figures |= {name: found[f"all_{name}"] or 0 for name in (*COUNTS, *PERSONS)}
    missing = {f"{one} to {currency}" for one in here} | {f"{one} to {home}" for one in there}
    return figures | {
        "average_order_value": average(figures["revenue"], figures["orders_count"]),
        "merchant_average_order_value": average(figures["merchant_revenue"], figures["orders_count"]),
        "conversion_rate": ratio(figures["ordering_sessions"], figures["sessions"]),
        "return_rate": ratio(figures["units_returned"], figures["units_sold"]),
        "returning_customers": figures["unique_customers"] - figures["new_customers"],
        "customer_count": found["all_customer_count"] or 0,
        "merchant_currency": home,
        "missing_rates": sorted(missing),
    }


def period(channel: SalesChannel, start_date: date | None, end_date: date | None) -> tuple[date, date]:
    """Return the first and last day of a period: by default the 30 days before today, and today. Raises UserError when
    the period ends before it begins."""
    last = day_of(end_date, channel) if end_date else today(channel)
    first = day_of(start_date, channel) if start_date else last - timedelta(days=DEFAULT_DAYS_BACK)
    if first > last:
        raise UserError(f"the period ends on {last}, before it begins on {first}; give an earlier start_date")
    return first, last


class AnalyticsManager(models.Manager[Any]):
    """The daily figures of channels."""

    def performance_metrics(
        self, channel: SalesChannel, start_date: date | None = None, end_date: date | None = None
    ) -> dict[str, Any]:
        """Return the figures of `channel` from `start_date` (default: 30 days back) to `end_date` (default: today).

        Both days are included; a datetime stands for its day in the channel's time zone. Amounts are Decimals in the
        channel's currency, those named `merchant_...` in the merchant's; each day's by the rate of that day. One that
        lacks a rate is None, and `missing_rates` says which. Rates are None without a base. Persons are counted once
        over the whole period; a new one made the first of all orders here in it. Two queries, however long it is.
        Raises UserError when the period ends before it begins.
        """
        first, last = period(channel, start_date, end_date)
        rows = self.model._default_manager.filter(sales_channel=channel, date__range=(first, last))
        figures = as_figures(rows.aggregate(**sums()), channel.currency)
        unique, home = buyers(channel, first, last)
        return (
            {"start_date": first, "end_date": last, "currency": channel.currency}
            | figures
            | {
                "merchant_currency": figures["merchant_currency"] or home,
                "unique_customers": unique,
                "returning_customers": unique - figures["new_customers"],
            }
        )

    def health(self, channel: SalesChannel) -> ChannelHealth:
        """Return how `channel` is doing; see analytics/health.py."""
        from finalmarket.analytics.health import health_of

        return health_of(channel)

    def compare_channels(self, channel: SalesChannel, other: SalesChannel, **days: date | None) -> Comparison:
        """Return two channels over the same days side by side; see `compare_channels` in analytics/compare.py."""
        from finalmarket.analytics.compare import compare_channels

        return compare_channels(channel, other, **days)

    def compare_periods(self, channel: SalesChannel, **days: date | None) -> Comparison:
        """Return a period beside an earlier one; see `compare_periods` in analytics/compare.py."""
        from finalmarket.analytics.compare import compare_periods

        return compare_periods(channel, **days)

    def trend_data(self, channel: SalesChannel, *, days: int = 30) -> list[dict[str, Any]]:
        """Return one row a day for the last `days` days, today included, oldest first, in the channel's currency and in
        the merchant's.

        Days without figures stand with zeros, and with None for what has no base. A person who bought in two currencies
        on one day is counted with each. One query. Raises UserError for less than one day.
        """
        if days < 1:
            raise UserError(f"a trend needs at least 1 day, not {days}")
        last = today(channel)
        return self.daily(channel, last - timedelta(days=days - 1), last)

    def daily(self, channel: SalesChannel, first: date, last: date) -> list[dict[str, Any]]:
        """Return one row a day from `first` to `last`, both included; see `trend_data`. One query."""
        rows = self.model._default_manager.filter(sales_channel=channel, date__range=(first, last))
        by_day = rows.order_by("date").values("date").annotate(**sums())
        known = {row["date"]: row for row in by_day}
        return list(_every_day(known, channel.currency, first, last))


def _every_day(known: Mapping[date, Any], currency: str, first: date, last: date) -> Iterable[dict[str, Any]]:
    nothing = dict.fromkeys(sums())
    buyers_so_far = 0
    for back in range((last - first).days + 1):
        day = first + timedelta(days=back)
        figures = as_figures(known.get(day, nothing), currency)
        buyers_so_far = max(buyers_so_far, figures["customer_count"])
        yield {"date": day, **figures, "customer_count": buyers_so_far}
