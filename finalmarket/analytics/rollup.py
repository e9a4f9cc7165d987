"""Writing the daily figures from the order book, set-based and repeatable."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

if TYPE_CHECKING:
    from collections.abc import Callable

QUERIES = Queries(Path(__file__).with_name("restate.sql"))


def today(channel: SalesChannel) -> date:
    """Return the present day where the channel is."""
    return clock.day_in(channel.time_zone, clock.now())


@transaction.atomic
def restate(channel: SalesChannel, first: date, last: date) -> int:
    """Compute the figures of `channel` anew for each day from `first` to `last`, both included; return the rows.

    Days are days of the channel's time zone. Running it again gives the same rows. Returns and refunds count on the day
    of the sale. Revenue is goods after discount, without tax and shipping; a refund takes revenue back in the
    proportion that revenue has in the order's total, so that net revenue is revenue less refunds. Raises UserError
    when `first` is after `last`.
    """
    if first > last:
        raise UserError(f"the figures cannot be computed from {first} to {last}: the first day is after the last")
    # Two restatements of one channel at once would write the same days: the second waits here.
    SalesChannel.objects.select_for_update(no_key=True).only("pk").get(pk=channel.pk)
    rows = write_days(channel, first, last)
    _run("recount", channel, first=first)
    convert(channel, first, last)
    return rows


def write_days(channel: SalesChannel, first: date, last: date) -> int:
    """Write the rows of some days anew, without buyers to date and conversions; return how many. The caller holds the
    channel."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM channel_analytics
               WHERE sales_channel_id = %(channel)s AND date BETWEEN %(first)s AND %(last)s""",
            {"channel": channel.pk, "first": first, "last": last},
        )
    return _run("restate", channel, first=first, last=last)


def convert(channel: SalesChannel, first: date, last: date) -> int:
    """Convert the amounts of some days by the rates that are known now; return the rows that changed."""
    return _run("convert", channel, first=first, last=last)


def _run(query: str, channel: SalesChannel, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], {"channel": channel.pk, "zone": channel.time_zone, **values})
        return int(cursor.rowcount)


def restate_all(days: int | None = None, *, told: Callable[[SalesChannel], Any] | None = None) -> int:
    """Compute the figures of every channel anew; return the rows.

    `days` counts back from today, today included; None goes back to the channel's first order or session. Each channel
    is a transaction of its own, and `told` hears of it when it is done. Raises UserError for less than one day.
    """
    if days is not None and days < 1:
        raise UserError(f"the figures can be computed for at least 1 day, not {days}")
    rows = 0
    for channel in SalesChannel.objects.order_by("pk"):
        last = today(channel)
        first: date | None = last - timedelta(days=days - 1) if days is not None else None
        if days is None:
            first, last = span_of(channel)
        if first is not None and first <= last:
            rows += restate(channel, first, last)
        if told is not None:
            told(channel)
    return rows


def span_of(channel: SalesChannel) -> tuple[date | None, date]:
    """Return the day of the channel's first order or session in its time zone, None when it has had neither; and the
    last day that has figures: today, or that of an order that is dated later."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["first_and_last"], {"channel": channel.pk, "zone": channel.time_zone})
        first, last = cursor.fetchone()
    return first, max(filter(None, (last, today(channel))))


def buyers(channel: SalesChannel, first: date, last: date) -> tuple[int, str]:
    """Return the persons who bought on `channel` from `first` to `last`, and the merchant's currency."""
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES["buyers"], {"channel": channel.pk, "zone": channel.time_zone, "first": first, "last": last}
        )
        unique, currency = cursor.fetchone()
    return unique, currency
