"""Whose journeys are to be told anew, and from when: one row a profile, in the transaction that wrote the fact.

Marking is one statement for any number of profiles, in the order of their numbers, so that two writers never wait in
a circle. A mark is a reminder, not the truth: the facts are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

MARK = """
INSERT INTO journey_marks (customer_id, since, version)
SELECT marked.customer_id, min(marked.since), 1
FROM unnest(%(customers)s::bigint[], %(since)s::timestamptz[]) AS marked(customer_id, since)
GROUP BY marked.customer_id
ORDER BY marked.customer_id
ON CONFLICT (customer_id) DO UPDATE
SET since = least(journey_marks.since, excluded.since), version = journey_marks.version + 1
"""


def mark(marked: Iterable[tuple[int, datetime]]) -> None:
    """Mark profiles (customer id, moment of the earliest fact that is new or changed) in the caller's transaction."""
    pairs = list(marked)
    if not pairs:
        return
    customers, since = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(MARK, {"customers": list(customers), "since": list(since)})
