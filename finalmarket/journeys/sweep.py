"""Journeys whose time has passed are given up: they are marked, and told anew as everything else is. So a journey that
something late belongs to opens again by itself, and giving up is decided in one place (journeys/stitch.py)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from finalmarket.journeys.stitching import QUERIES
from finalmarket.kernel import clock, failpoints

MOST_AT_ONCE = 5_000


def mark_passed(now: datetime | None = None) -> int:
    """Mark whose journeys' time has passed at `now`, at most 5,000 journeys at a time; return how many profiles."""
    with failpoints.around("journeys.mark_passed"), connection.cursor() as cursor:
        cursor.execute(QUERIES["mark_passed"], {"now": now or clock.now(), "most": MOST_AT_ONCE})
        return int(cursor.rowcount)


def forget_strangers() -> int:
    """Remove marks of profiles that are gone; return how many."""
    with failpoints.around("journeys.forget_strangers"), connection.cursor() as cursor:
        cursor.execute(QUERIES["forget_strangers"])
        return int(cursor.rowcount)
