"""Figures: of channels over a period and day by day, side by side, and how channels are doing.

A key that is bound to channels sees those alone. Amounts are decimal numbers as text; null where a rate is missing, and
`missing_rates` says which. Rates (conversion, returns) lie between 0 and 1; null without a base.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AfterValidator, BaseModel, Field

from finalmarket.analytics.compare import Comparison, Side, compare
from finalmarket.analytics.health import health_of_all
from finalmarket.analytics.metrics import period
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import today
from finalmarket.analytics.statistics import channel_statistics, journey_statistics
from finalmarket.api.door import caller_of, channel_of, read
from finalmarket.api.paging import page
from finalmarket.api.problems import fault
from finalmarket.api.v1.shapes import Filters, Number, Paged
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.record import YEARS
from finalmarket.kernel import clock

router = Router(tags=["figures"])
SCOPE = "analytics:read"
DAYS, MOST_DAYS = 30, 3_660
ORDER = ("date", "sales_channel_id", "currency")


def _plausible(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"the year lies between {YEARS.start} and {YEARS.stop - 1}")
    return day


Day = Annotated[date, AfterValidator(_plausible)]


class Period(Filters):
    """From one day to another, both included, each channel by its own clock."""

    since: Day | None = Field(None, description=f"By default {DAYS} days before the last")
    until: Day | None = Field(None, description="By default today")


class OfChannel(Period):
    """A period of one channel."""

    channel: Number


class DailyFilters(Paged):
    """By what daily figures are narrowed."""

    channel: Number | None = None
    since: Day | None = None
    until: Day | None = None


class CompareFilters(OfChannel):
    """A channel and its period, and what is beside it."""

    other: Number | None = Field(None, description="Another channel over the same days; or say `before`")
    before: Day | None = Field(None, description="Where an earlier period begins; by default just before this one")


class Figures(BaseModel):
    """What a channel did in some days."""

    channel: int
    since: date
    until: date
    currency: str
    orders_count: int
    revenue: Decimal | None = Field(description="Goods after discount, without tax and shipping")
    refunds: Decimal | None
    net_revenue: Decimal | None
    average_order_value: Decimal | None
    new_customers: int
    customer_count: int = Field(description="Buyers to date")
    sessions: int
    ordering_sessions: int
    conversion_rate: Decimal | None
    units_sold: int
    units_returned: int
    return_rate: Decimal | None
    merchant_currency: str
    merchant_revenue: Decimal | None
    merchant_refunds: Decimal | None
    merchant_net_revenue: Decimal | None
    merchant_average_order_value: Decimal | None
    missing_rates: list[str] = Field(description='Such as "CHF to EUR"')


class Metrics(Figures):
    """The same with the persons of the whole period, each counted once."""

    unique_customers: int
    returning_customers: int


class AllFigures(BaseModel):
    """The figures of channels over the same days."""

    items: list[Figures]


class DailyRow(BaseModel):
    """One channel's figures of one day in one currency."""

    channel: int
    date: date
    currency: str
    orders_count: int
    revenue: Decimal
    refunds: Decimal
    net_revenue: Decimal
    average_order_value: Decimal | None
    unique_customers: int
    new_customers: int
    returning_customers: int
    sessions: int
    ordering_sessions: int
    conversion_rate: Decimal | None
    units_sold: int
    units_returned: int
    return_rate: Decimal | None
    customer_count: int
    merchant_currency: str
    merchant_rate: Decimal | None
    merchant_revenue: Decimal | None
    merchant_refunds: Decimal | None
    merchant_net_revenue: Decimal | None


class DailyRows(BaseModel):
    """A page of daily figures, the oldest day first."""

    items: list[DailyRow]
    next: str | None


class Compared(BaseModel):
    """One figure of both sides."""

    name: str
    here: Decimal | None
    there: Decimal | None
    change: Decimal | None = Field(description="By which part of the other side this one is more")
    currency: str = Field(description="Empty for what is no money")


class ComparedRate(BaseModel):
    """One rate of both sides, and whether they differ at all."""

    name: str
    here: Decimal | None
    there: Decimal | None
    p_value: float | None = Field(description="Corrected for all rates compared here; null where nothing was tested")
    differs: bool
    words: str


class SideBySide(BaseModel):
    """Two sides with their figures."""

    here: Metrics
    there: Metrics
    differences: list[Compared]
    rates: list[ComparedRate]
    notes: list[str]


class JourneyRow(BaseModel):
    """Journeys of one intent that began on one channel, and what became of them."""

    channel: int
    intent: str
    journeys: int
    ordered: int
    completed: int
    abandoned: int
    open: int
    order_rate: Decimal | None
    mean_seconds: int | None = Field(description="Of those that have ended")


class JourneyRows(BaseModel):
    """Journeys of a period."""

    items: list[JourneyRow]


class Found(BaseModel):
    """Something that is not as it should be."""

    word: str
    reason: str


class ChannelWord(BaseModel):
    """How a channel is doing: healthy, quiet, busy, troubled, short, behind, failing, paused or inactive, and why."""

    channel: int
    name: str
    word: str
    reason: str
    findings: list[Found]


class ChannelWords(BaseModel):
    """How channels are doing."""

    items: list[ChannelWord]


FIGURES: dict[str, Any] = {
    "channel": 1, "since": "2026-05-01", "until": "2026-05-31", "currency": "EUR", "orders_count": 2,
    "revenue": "180.0000", "refunds": "20.0000", "net_revenue": "160.0000", "average_order_value": "90.0000",
    "new_customers": 1, "customer_count": 12, "sessions": 40, "ordering_sessions": 2, "conversion_rate": "0.050000",
    "units_sold": 5, "units_returned": 1, "return_rate": "0.200000", "merchant_currency": "EUR",
    "merchant_revenue": "180.0000", "merchant_refunds": "20.0000", "merchant_net_revenue": "160.0000",
    "merchant_average_order_value": "90.0000", "missing_rates": [],
}  # fmt: skip
METRICS = {**FIGURES, "unique_customers": 2, "returning_customers": 1}
DAILY = {name: value for name, value in METRICS.items() if name in DailyRow.model_fields} | {
    "date": "2026-05-01", "merchant_rate": "1.000000000000"
}  # fmt: skip
COMPARED = {
    "here": METRICS, "there": {**METRICS, "since": "2026-03-31", "until": "2026-04-30"},
    "differences": [
        {"name": "revenue", "here": "180.0000", "there": "180.0000", "change": "0.0000", "currency": "EUR"}
    ],
    "rates": [{"name": "conversion_rate", "here": "0.050000", "there": "0.050000", "p_value": 1.0, "differs": False,
               "words": "not distinguishable: chance alone would make such a difference in 100 of 100 times"}],
    "notes": [],
}  # fmt: skip
JOURNEYS = {"items": [{"channel": 1, "intent": "purchase", "journeys": 40, "ordered": 2, "completed": 0,
                       "abandoned": 35, "open": 3, "order_rate": "0.050000", "mean_seconds": 5400}]}  # fmt: skip
WORDS = {"items": [{"channel": 1, "name": "Web shop", "word": "healthy", "findings": [],
                    "reason": "19 orders in the last day, about 20 are usual for this day of the week"}]}  # fmt: skip


@read(
    router, "/analytics/channels", scope=SCOPE, answer=AllFigures, example={"items": [FIGURES]}, filters=Period
)  # fmt: skip
def list_figures(request: HttpRequest, asked: Query[Period]) -> AllFigures:
    """Show the figures of every channel over some days."""
    first, last = _days(asked)
    found = channel_statistics(first, last, _channels(request))
    return AllFigures(
        items=[
            Figures.model_validate({**one.figures, "channel": one.channel.pk, "since": first, "until": last,
                                    "currency": one.channel.currency})
            for one in found
        ]
    )  # fmt: skip


@read(router, "/analytics/metrics", scope=SCOPE, answer=Metrics, example=METRICS, filters=OfChannel)
def get_metrics(request: HttpRequest, asked: Query[OfChannel]) -> Metrics:
    """Show the figures of one channel over some days, each person counted once."""
    channel = channel_of(request, asked.channel, "query.channel")
    first, last = _days(asked, channel)
    return _metrics(channel.pk, ChannelAnalytics.objects.performance_metrics(channel, first, last))


@read(
    router, "/analytics/daily", scope=SCOPE, answer=DailyRows, example={"items": [DAILY], "next": None},
    filters=DailyFilters,
)  # fmt: skip
def list_daily_figures(request: HttpRequest, asked: Query[DailyFilters]) -> DailyRows:
    """List the figures of single days, the oldest first: a row for each channel, day and currency."""
    rows = ChannelAnalytics.objects.all()
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
    elif channels := caller_of(request).channels:
        rows = rows.filter(sales_channel__in=channels)
    if asked.since:
        rows = rows.filter(date__gte=asked.since)
    if asked.until:
        rows = rows.filter(date__lte=asked.until)
    found, following = page(rows, ORDER, request, asked.limit, asked.cursor)
    return DailyRows(items=[_daily(one) for one in found], next=following)


@read(router, "/analytics/compare", scope=SCOPE, answer=SideBySide, example=COMPARED, filters=CompareFilters)
def compare_figures(request: HttpRequest, asked: Query[CompareFilters]) -> SideBySide:
    """Show a channel beside another one over the same days, or beside itself in an earlier period, with a verdict on
    each rate: a difference is only called one where chance alone would hardly make it."""
    channel = channel_of(request, asked.channel, "query.channel")
    first, last = _days(asked, channel)
    if asked.other is not None:
        if asked.before is not None:
            raise fault("query.before", "another channel is named, too", "Name one of the two.")
        there = Side(channel_of(request, asked.other, "query.other"), first, last)
    else:
        begins = asked.before or first - (last - first) - timedelta(days=1)
        there = Side(channel, begins, begins + (last - first))
    return _compared(compare(Side(channel, first, last), there))


@read(router, "/analytics/journeys", scope=SCOPE, answer=JourneyRows, example=JOURNEYS, filters=Period)
def list_journey_figures(request: HttpRequest, asked: Query[Period]) -> JourneyRows:
    """Show what became of the journeys that began in some days, by channel and intent."""
    first, last = _days(asked)
    seen = caller_of(request).channels
    return JourneyRows(
        items=[
            JourneyRow(
                channel=one.channel, intent=one.intent, journeys=one.journeys, ordered=one.ordered,
                completed=one.completed, abandoned=one.abandoned, open=one.open, order_rate=one.order_rate,
                mean_seconds=None if one.mean_time is None else round(one.mean_time.total_seconds()),
            )
            for one in journey_statistics(first, last)
            if not seen or one.channel in seen
        ]
    )  # fmt: skip


@read(router, "/analytics/health", scope=SCOPE, answer=ChannelWords, example=WORDS)
def list_health(request: HttpRequest) -> ChannelWords:
    """Show how every channel is doing, held against what is usual for it."""
    channels = _channels(request)
    found = health_of_all(channels)
    return ChannelWords(
        items=[
            ChannelWord(
                channel=one.pk, name=one.name, word=found[one.pk].word, reason=found[one.pk].reason,
                findings=[Found(word=each.word, reason=each.reason) for each in found[one.pk].findings],
            )
            for one in channels
        ]
    )  # fmt: skip


def _channels(request: HttpRequest) -> list[SalesChannel]:
    """The channels that the caller may see, without those that are archived."""
    rows = SalesChannel.objects.exclude(status="archived").order_by("pk")
    seen = caller_of(request).channels
    return list(rows.filter(pk__in=seen) if seen else rows)


def _days(asked: Period, channel: SalesChannel | None = None) -> tuple[date, date]:
    """The period that is asked for. Raises Problem for one that ends before it begins, or is too long."""
    last = asked.until or (today(channel) if channel else clock.now().date())
    first = asked.since or last - timedelta(days=DAYS)
    if first > last:
        raise fault("query.since", f"the period ends on {last}, before it begins", "Give an earlier day.")
    if (last - first).days > MOST_DAYS:
        raise fault("query.since", f"the period is longer than {MOST_DAYS:,} days", "Ask for a shorter one.")
    return period(channel, first, last) if channel else (first, last)


def _metrics(channel: int, figures: dict[str, Any]) -> Metrics:
    words = {"channel": channel, "since": figures["start_date"], "until": figures["end_date"]}
    return Metrics.model_validate({**figures, **words})


def _daily(row: ChannelAnalytics) -> DailyRow:
    names = [name for name in DailyRow.model_fields if name != "channel"]
    return DailyRow.model_validate({"channel": row.sales_channel_id, **{name: getattr(row, name) for name in names}})


def _compared(found: Comparison) -> SideBySide:
    return SideBySide(
        here=_metrics(found.here.channel.pk, dict(found.figures_here)),
        there=_metrics(found.there.channel.pk, dict(found.figures_there)),
        differences=[
            Compared(name=one.name, here=_number(one.here), there=_number(one.there), change=one.change,
                     currency=one.currency)
            for one in found.differences
        ],
        rates=[
            ComparedRate(name=one.name, here=one.here, there=one.there, p_value=one.p_value, differs=one.differs,
                         words=one.words)
            for one in found.rates
        ],
        notes=list(found.notes),
    )  # fmt: skip


def _number(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
