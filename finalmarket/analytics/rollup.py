"""Writing the daily figures from the order book, set-based and repeatable."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

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
    return clock.now().astimezone(ZoneInfo(channel.time_zone)).date()


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
    values: dict[str, Any] = {"channel": channel.pk, "zone": channel.time_zone, "first": first, "last": last}
    # Two restatements of one channel at once would write the same days: the second waits here.
    SalesChannel.objects.select_for_update(no_key=True).only("pk").get(pk=channel.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM channel_analytics
               WHERE sales_channel_id = %(channel)s AND date BETWEEN %(first)s AND %(last)s""",
            values,
        )
        cursor.execute(QUERIES["restate"], values)
        return int(cursor.rowcount)


def recount(channel: SalesChannel, first: date) -> int:
    """Count the buyers to date of `channel` anew from `first` on; return the rows that changed. The caller is in a
    transaction that holds the channel, or runs alone."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["recount"], {"channel": channel.pk, "zone": channel.time_zone, "first": first})
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
        first = last - timedelta(days=days - 1) if days is not None else first_day(channel)
        if first is not None and first <= last:
            rows += restate(channel, first, last)
        if told is not None:
            told(channel)
    return rows


def first_day(channel: SalesChannel) -> date | None:
    """Return the day of the channel's first order or session in its time zone, or None when it has had neither."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["first_day"], {"channel": channel.pk, "zone": channel.time_zone})
        found: date | None = cursor.fetchone()[0]
    return found


def buyers(channel: SalesChannel, first: date, last: date) -> tuple[int, int]:
    """Return the persons who bought on `channel` from `first` to `last`, and how many of them made their first order of
    all channels here in that period."""
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES["buyers"], {"channel": channel.pk, "zone": channel.time_zone, "first": first, "last": last}
        )
        unique, new = cursor.fetchone()
    return unique, new
