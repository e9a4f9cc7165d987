"""Keeping the daily figures up: whatever changes an order, a return, a refund, a person or a session is noted by
triggers in its own transaction; here the days that it concerns are told anew, within a second while a worker watches.

What was noted is taken in the transaction that writes the figures: a worker that is killed leaves it to the next. Two
workers never tell one channel at once, and neither waits for the other. A day is always told from the order book as a
whole, so that it does not matter in which order things came, nor how often they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction

from finalmarket.analytics.rollup import convert, span_of, today, write_days
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("incremental.sql"))
LOCK = 0x6461_7973  # "days"
MOST_GAP_DAYS = 7
DAY, RATES, EVERYTHING = "day", "rates", "everything"


def is_marked() -> bool:
    """Whether figures are to be told anew."""
    return bool(_rows("is_marked")[0][0])


def restate_marked(*, seconds: float = 50.0) -> int:
    """Tell the days anew that something changed; return how many channels were told. Ends when nothing is left that it
    can work on, or after so many seconds. Any number of workers may do this at once."""
    begun, told, failed = clock.ticks(), 0, set[int]()
    while clock.ticks() - begun < seconds:
        _expand()
        channels = [number for (number,) in _rows("channels") if number not in failed]
        worked = 0
        for number in channels:
            try:
                worked += _restate(number)
            except DatabaseError as error:
                failed.add(number)
                log = structlog.get_logger(__name__)
                log.warning("figures of a channel cannot be told", channel=number, reason=type(error).__name__)
        told += worked
        if not worked:
            break
    return told


def keep_days() -> None:
    """Have a row for today in every channel that has figures, also where nothing happened; forget channels that are
    gone."""
    for channel in SalesChannel.objects.order_by("pk"):
        with failpoints.around("analytics.keep_days"), transaction.atomic():
            if _hold(channel.pk):
                _complete(channel, [])
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["forget_strangers"])


def _expand() -> None:
    """Turn changes of persons, orders and rates into days; left to whoever is at it already."""
    with failpoints.around("analytics.expand"), transaction.atomic():
        if _rows("hold", lock=LOCK)[0][0]:
            _run("expand")


def _restate(number: int) -> int:
    """Tell what is noted of a channel, unless somebody else is at it; return 1 if it was told."""
    with failpoints.around("analytics.restate"), transaction.atomic():
        channel = _hold(number)
        if channel is None:
            return 0
        taken = _rows("take", channel=number)
        if not taken:
            return 0
        changed = _days(channel, taken)
        for first, last in changed:
            write_days(channel, first, last)
        rates = [day for kind, day in taken if kind == RATES]
        _complete(channel, changed, min(rates, default=None))
        failpoints.hit("analytics.before_commit")
    return 1


def _hold(number: int) -> SalesChannel | None:
    """Return the channel, held until the end of the transaction; None where somebody else holds it."""
    free = SalesChannel.objects.select_for_update(no_key=True, skip_locked=True)
    return free.filter(pk=number).first()


def _days(channel: SalesChannel, taken: Sequence[tuple[str, date]]) -> list[tuple[date, date]]:
    if any(kind == EVERYTHING for kind, _ in taken):
        _run("forget", channel=channel.pk)
        first, last = span_of(channel)
        return [(first, last)] if first is not None else []
    return spans({day for kind, day in taken if kind == DAY})


def _complete(channel: SalesChannel, changed: Sequence[tuple[date, date]], rates_since: date | None = None) -> None:
    """Fill days without rows, count buyers to date, convert what is new or has other rates."""
    filled = {day for (day,) in _rows("fill", channel=channel.pk, today=today(channel))}
    _run("accumulate", channel=channel.pk)
    for first, last in (*changed, *spans(filled)):
        convert(channel, first, last)
    if rates_since is not None:
        convert(channel, rates_since, date.max)


def spans(days: set[date]) -> list[tuple[date, date]]:
    """Return the days as spans: days that are no more than a week apart are told anew in one go."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] <= timedelta(days=MOST_GAP_DAYS):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
        return list(cursor.fetchall())


def _run(query: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
