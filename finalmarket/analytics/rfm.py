"""Scores from 1 to 5 for how recently, how often and for how much people bought.

A score says how many fifths of all buyers lie below. It is given by the value alone: from which value on is computed
once for all (`cuts`), and equal customers have equal scores whatever the order in which they are read. Where many are
equal, some scores are given to nobody: who bought once, as most did, has the lowest, and who bought twice one of the
highest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from django.db import connection

from finalmarket.kernel.sql import Queries

Cuts: TypeAlias = Mapping[str, Sequence[str]]

QUERIES = Queries(Path(__file__).with_name("lifetime_value.sql"))
MEASURES = {"recency": "last_day", "frequency": "order_days", "money": "value"}


def cuts() -> dict[str, list[str]]:
    """Return from which value on the scores 2 to 5 are given, for each measure, as text; of everybody who lies in
    `value_figures` at the moment. A list ends where nobody reaches the next score."""
    found = {}
    with connection.cursor() as cursor:
        for name, measure in MEASURES.items():
            cursor.execute(QUERIES["cuts"].replace("{measure}", measure))
            found[name] = [str(value) for _, value in cursor.fetchall() if value is not None]
    return found


def parameters(known: Cuts) -> dict[str, Any]:
    """Return the cuts as the parameters of the query that gives the scores."""
    return {name: list(known.get(name, ())) for name in MEASURES}
