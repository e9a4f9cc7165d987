"""Figures follow persons: when customers turn out to be one, or two, the days on which they bought are told anew.

What a merge changes of a day: who bought that day is counted once, the first order of a person may be another one, and
the buyers to date of every later day are fewer. Money never changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from django.db import connection

from finalmarket.analytics.rollup import QUERIES, recount, restate
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import persons

FOLLOWER = "analytics"
MOST_GAP_DAYS = 7


def follow() -> int:
    """Restate what the changes of persons changed that were not seen yet, at most 5,000; return how many they were."""
    return persons.follow(FOLLOWER, _restate)


def _restate(changes: Sequence[persons.Change]) -> None:
    concerned = {number for change in changes for number in (change.customer_id, change.was, change.becomes)}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["days_of_persons"], {"persons": sorted(concerned)})
        days: dict[int, list[date]] = defaultdict(list)
        for channel_id, day in cursor.fetchall():
            days[channel_id].append(day)
    for channel in SalesChannel.objects.filter(pk__in=days).order_by("pk"):  # in the order in which others lock them
        for first, last in spans(days[channel.pk]):
            restate(channel, first, last)
        recount(channel, min(days[channel.pk]))


def spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the days as spans: days that are no more than a week apart are told anew in one go."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] <= timedelta(days=MOST_GAP_DAYS):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
