"""All channels at a glance, and what became of journeys: a constant number of queries for any number of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.analytics.metrics import MERCHANT_AMOUNTS, as_figures, ratio, sums
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("statistics.sql"))


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """One channel's figures of a period. `share` is its part of the merchant's revenue; None where that is not known.
    `figures` are those of `performance_metrics` but for the persons of the whole period, who are not counted here."""

    channel: SalesChannel
    figures: Mapping[str, Any]
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class JourneyStatistics:
    """Journeys of one intent that began on one channel: those that led to an order, and of the others those that are
    completed, abandoned and open. `mean_time` is that of the ended ones."""

    channel: int
    intent: str
    journeys: int
    ordered: int
    completed: int
    abandoned: int
    open: int
    mean_time: timedelta | None

    @property
    def order_rate(self) -> Decimal | None:
        """The part that led to an order."""
        return ratio(self.ordered, self.journeys)


def channel_statistics(
    first: date, last: date, channels: Sequence[SalesChannel] | None = None
) -> list[ChannelStatistics]:
    """Return the figures of these channels (by default all that are not archived) from `first` to `last`, both
    included, each by its own clock; by name. Two queries at most. Raises UserError when `last` is before `first`."""
    _check(first, last)
    known = list(SalesChannel.objects.exclude(status="archived")) if channels is None else list(channels)
    rows = ChannelAnalytics.objects.filter(sales_channel__in=known, date__range=(first, last))
    found = {row["sales_channel"]: row for row in rows.order_by().values("sales_channel").annotate(**sums())}
    nothing = dict.fromkeys(sums())
    figures = [(one, _without_persons(as_figures(found.get(one.pk, nothing), one.currency))) for one in known]
    whole = together([one for _, one in figures])["merchant_revenue"]
    return [ChannelStatistics(one, each, _share(each["merchant_revenue"], whole)) for one, each in figures]


def together(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums of several channels in the merchant's currency; None for an amount that one of them lacks."""
    found: dict[str, Any] = {
        name: None if any(one[name] is None for one in figures) else sum((one[name] for one in figures), Decimal(0))
        for name in MERCHANT_AMOUNTS
    }
    counted = ("orders_count", "units_sold", "units_returned", "new_customers", "sessions", "ordering_sessions")
    found |= {name: sum(one[name] for one in figures) for name in counted}
    return found | {
        "conversion_rate": ratio(found["ordering_sessions"], found["sessions"]),
        "return_rate": ratio(found["units_returned"], found["units_sold"]),
        "missing_rates": sorted({one for each in figures for one in each["missing_rates"]}),
        "merchant_currency": next((one["merchant_currency"] for one in figures if one["merchant_currency"]), ""),
    }


def journey_statistics(first: date, last: date, channel: SalesChannel | None = None) -> list[JourneyStatistics]:
    """Return what became of the journeys that began from `first` to `last`, by channel (or of one) and intent. One
    query. Raises UserError when `last` is before `first`."""
    _check(first, last)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["journeys"], {"first": first, "last": last, "channel": channel.pk if channel else None})
        return [JourneyStatistics(*row) for row in cursor.fetchall()]


def _without_persons(figures: dict[str, Any]) -> dict[str, Any]:
    """Those who bought on several days would count several times."""
    return {name: value for name, value in figures.items() if name not in ("unique_customers", "returning_customers")}


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return (part / whole).quantize(Decimal("0.0001")) if part is not None and whole else None


def _check(first: date, last: date) -> None:
    if first > last:
        raise UserError(f"the period ends on {last}, before it begins on {first}")
