"""Segments in figures: how many persons, what they brought and are expected to bring; who moved lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from finalmarket.analytics.models import Segment
from finalmarket.analytics.segments_words import QUERIES


@dataclass(frozen=True, slots=True)
class Counted:
    """A segment in figures; amounts are in the merchant's currency."""

    persons: int
    value: Decimal
    expected: Decimal
    lifetime: Decimal


def figures() -> dict[str, Counted]:
    """Return the figures of every segment that has somebody in it, by key. Three queries."""
    found = {}
    keys = dict(Segment.objects.values_list("pk", "key"))
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["in_figures"])
        for key, persons, _, value, expected, lifetime in cursor.fetchall():
            found[key] = Counted(persons, value, expected, lifetime)
        cursor.execute(QUERIES["members_in_figures"])
        for number, persons, value, expected, lifetime in cursor.fetchall():
            found[keys[number]] = Counted(persons, value, expected, lifetime)
    return found


def moves(since: datetime) -> list[tuple[str, str, int]]:
    """Return how many persons moved from which built-in segment to which since a moment, the most first. Whoever was
    sorted for the first time did not move."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["moves_counted"], {"since": since})
        return list(cursor.fetchall())
