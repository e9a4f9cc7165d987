"""The figures: all channels at a glance, or one of them day by day, beside others and beside what was before."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from finalmarket.analytics.compare import compare_channels, compare_periods
from finalmarket.analytics.health import health_of_all
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.statistics import JourneyStatistics, channel_statistics, journey_statistics, together
from finalmarket.bulk.landing import safe
from finalmarket.channels.models import SalesChannel
from finalmarket.console import trend
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.integrations.health import health_of_all as accounts_health
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock

DAYS = 30
MOST_DAYS = 3_660
EARLIEST, LATEST = date(1991, 1, 1), date(2099, 12, 31)
LINES_DRAWN = 8
BEFORE = "before"
SEEN = "analytics.view_channelanalytics"
WORDS = {
    "revenue": "Revenue", "refunds": "Refunds", "net_revenue": "Net revenue", "average_order_value": "Order value",
    "orders_count": "Orders", "units_sold": "Units sold", "units_returned": "Units returned",
    "unique_customers": "Customers", "new_customers": "New customers", "returning_customers": "Returning customers",
    "sessions": "Sessions", "conversion_rate": "Conversion", "return_rate": "Return rate",
}  # fmt: skip
RATES = {"conversion_rate": "Conversion", "return_rate": "Return rate", "new_customers": "New among the customers"}
CSV_COLUMNS = (
    "date", "channel", "currency", "orders_count", "revenue", "refunds", "net_revenue", "average_order_value",
    "unique_customers", "new_customers", "returning_customers", "sessions", "ordering_sessions", "conversion_rate",
    "units_sold", "units_returned", "return_rate", "customer_count", "merchant_currency", "merchant_rate",
    "merchant_revenue", "merchant_refunds", "merchant_net_revenue",
)  # fmt: skip


class FigureFilters(asked.Filters):
    """Which figures are shown. Without days, the last DAYS, today among them."""

    channel = asked.ChannelField()
    since = asked.day("From")
    until = asked.day("To")
    beside = forms.ChoiceField(label="Beside", required=False)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        channels = list(self.fields["channel"].choices)  # type: ignore[attr-defined]  # read once, shown twice
        self.fields["channel"].choices = channels  # type: ignore[attr-defined]
        self.fields["beside"].choices = [("", "Nothing"), (BEFORE, "The period before"), *channels[1:]]  # type: ignore[attr-defined]
        self.full_clean()

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day; one that ends before it begins is the day on which it begins."""
        given = self.given
        last: date = min(max(given.get("until") or clock.now().date(), EARLIEST), LATEST)
        first: date = given.get("since") or last - timedelta(days=DAYS - 1)
        last = min(max(first, last), LATEST)
        return min(max(first, last - timedelta(days=MOST_DAYS)), last), last


@page(SEEN)
def analytics(request: HttpRequest) -> HttpResponse:
    """The figures of a period: of all channels, or of one."""
    filters = FigureFilters(request)
    first, last = filters.period
    if filters.given.get("since") and filters.given.get("until") and filters.given["since"] > filters.given["until"]:
        messages.error(request, f"The period ends on {filters.given['until']}, before it begins on {first}.")
    context = {"filters": filters, "first": first, "last": last, "csv": _address("figures_csv", filters.kept)}
    if channel := filters.given.get("channel"):
        one = SalesChannel.objects.get(pk=int(channel))
        return show(request, "analytics_channel.html", f"Figures of {one.name}", context | _one(one, filters))
    return show(request, "analytics.html", "Figures", context | _all(first, last))


@page(SEEN)
def figures_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The daily figures as they are stored, as CSV: a row for each channel, day and currency. No cell is a formula."""
    filters = FigureFilters(request)
    first, last = filters.period
    rows = ChannelAnalytics.objects.filter(date__range=(first, last)).order_by("date", "sales_channel", "currency")
    if channel := filters.given.get("channel"):
        rows = rows.filter(sales_channel=int(channel))
    named = {"channel": "sales_channel__name"}
    values = rows.values_list(*(named.get(name, name) for name in CSV_COLUMNS))
    name = f"figures-{first}-{last}.csv"
    return StreamingHttpResponse(
        _csv(values.iterator(chunk_size=2_000)), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )  # fmt: skip


class _Echo:
    """Gives what is written to it back."""

    def write(self, text: str) -> str:
        """Return it."""
        return text


def _csv(rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\n")
    yield "\ufeff" + writer.writerow(CSV_COLUMNS)
    for row in rows:
        yield writer.writerow(["" if cell is None else safe(str(cell)) for cell in row])


def _all(first: date, last: date) -> dict[str, Any]:
    """All channels: sums in the merchant's currency, a row each, their revenue by day, journeys, accounts."""
    statistics = channel_statistics(first, last)
    healths = health_of_all([one.channel for one in statistics])
    sums = together([one.figures for one in statistics])
    ranked = sorted(statistics, key=lambda one: (-(one.share or 0), one.channel.name))
    rows = [
        {
            "one": one, "health": healths[one.channel.pk], "orders": _orders(one.channel, first, last),
            "page": _address("analytics", urlencode({"channel": one.channel.pk, "since": first, "until": last})),
        }
        for one in ranked
    ]  # fmt: skip
    accounts = list(ChannelIntegration.objects.exclude(status="disconnected"))
    judged = accounts_health(accounts)
    return {
        "rows": rows,
        "together": sums,
        "orders": _address("orders", urlencode({"state": "standing", "since": first, "until": last})),
        "has_figures": bool(sums["orders_count"] or sums["sessions"]),
        "chart": _by_channel(first, last, [one.channel for one in ranked], sums["merchant_currency"]),
        "journeys": _journeys(journey_statistics(first, last), first, last),
        "accounts": [{"account": one, "health": judged[one.pk]} for one in accounts],
    }


def _by_channel(first: date, last: date, channels: Sequence[SalesChannel], currency: str) -> trend.Trend:
    """Revenue by day in the merchant's currency: a line for each of the channels that come first."""
    shown = {one.pk: one for one in channels[:LINES_DRAWN]}
    rows = ChannelAnalytics.objects.filter(sales_channel__in=list(shown), date__range=(first, last))
    by_day: dict[tuple[int, date], Any] = {}
    for key, day, revenue in rows.order_by().values_list("sales_channel", "date", "merchant_revenue"):
        before = by_day.get((key, day), 0)
        by_day[key, day] = None if revenue is None or before is None else before + revenue
    days = _days(first, last)
    hues = {one.pk: str(at % trend.HUES) for at, one in enumerate(sorted(channels, key=lambda one: one.name))}
    return trend.draw(
        f"Revenue by day, {currency}", days,
        [trend.Row(one.name, [by_day.get((key, day), 0) for day in days], hue=hues[key]) for key, one in shown.items()],
    )  # fmt: skip


def _one(channel: SalesChannel, filters: FigureFilters) -> dict[str, Any]:
    """One channel: its figures, trends, every day, and what it is compared with."""
    first, last = filters.period
    daily = ChannelAnalytics.objects.daily(channel, first, last)
    metrics = ChannelAnalytics.objects.performance_metrics(channel, first, last)
    beside = filters.given.get("beside", "")
    return {
        "channel": channel,
        "metrics": metrics,
        "is_merchants": metrics["merchant_currency"] == channel.currency,
        "health": health_of_all([channel])[channel.pk],
        "orders": _orders(channel, first, last),
        "charts": _charts(channel, daily),
        "days": [{"row": row, "orders": _orders(channel, row["date"], row["date"])} for row in reversed(daily)],
        "comparison": _compared(channel, first, last, beside),
        "journeys": _journeys(journey_statistics(first, last, channel), first, last),
        "rate_words": RATES,
        "words": WORDS,
    }


def _charts(channel: SalesChannel, daily: Sequence[Mapping[str, Any]]) -> list[trend.Trend]:
    days = [row["date"] for row in daily]
    links = {at: _orders(channel, day, day) for at, day in enumerate(days)} if len(days) <= trend.MOST_MARKS else {}

    def row(name: str, hue: str = "0") -> trend.Row:
        return trend.Row(WORDS[name], [one[name] for one in daily], links, hue)

    return [
        trend.draw(f"Revenue by day, {channel.currency}", days, [row("revenue"), row("net_revenue", "1")]),
        trend.draw("Orders and new customers by day", days, [row("orders_count"), row("new_customers", "2")]),
        trend.draw("Rates by day", days, [row("conversion_rate"), row("return_rate", "3")], is_share=True),
    ]


def _compared(channel: SalesChannel, first: date, last: date, beside: str) -> Any:
    if beside == BEFORE:
        return compare_periods(channel, start_date=first, end_date=last)
    if beside and int(beside) != channel.pk:
        other = SalesChannel.objects.get(pk=int(beside))
        return compare_channels(channel, other, start_date=first, end_date=last)
    return None


def _journeys(found: Sequence[JourneyStatistics], first: date, last: date) -> list[dict[str, Any]]:
    words = dict(CrossChannelJourney.Intent.choices)
    names = dict(SalesChannel.objects.values_list("pk", "name")) if found else {}
    return [
        {
            "one": one, "channel": names.get(one.channel, ""), "intent": words.get(one.intent, one.intent),
            "page": _address(
                "journeys", urlencode({"began_on": one.channel, "intent": one.intent, "since": first, "until": last})
            ),
        }
        for one in found
    ]  # fmt: skip


def _orders(channel: SalesChannel, first: date, last: date) -> str:
    """The page with the orders behind a figure."""
    return _address("orders", urlencode({"channel": channel.pk, "state": "standing", "since": first, "until": last}))


def _address(name: str, query: str) -> str:
    return f"{reverse(f'console:{name}')}?{query}"


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=back) for back in range((last - first).days + 1)]
