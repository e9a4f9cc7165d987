"""The calls that an account has left, counted in the database: whoever calls the platform takes from the same bucket.

Taking is one statement on a connection of its own, so it is atomic among all workers and holds nobody's transaction.
A caller may take what will be there within two seconds and waits for it: so callers get their turn in the order in
which they came, and the budget is used up to the last call. Whoever would wait longer is sent away with RetryLater.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.rates import Rate
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.sql import Queries, open_connection

QUERIES = Queries(Path(__file__).with_name("budget.sql"))
MOST_SECONDS = 2.0
HEADROOM_SECONDS = 0.05
"""A call may take so much less time to the platform than the one before it: so much of the pace is left unspent at the
bottom of the bucket, or the platform would count calls that we sent in time as too many."""


class SharedBudget:
    """A `connectors.rates.Budget` that all workers share. `pause` waits so many seconds, at most `most_seconds`."""

    def __init__(
        self, integration_id: int, *, pause: Callable[[float], None] = time.sleep, most_seconds: float = MOST_SECONDS
    ) -> None:
        self._integration_id = integration_id
        self._pause = pause
        self._most_seconds = most_seconds

    def take(self, bucket: str, rate: Rate, cost: float) -> None:
        """Spend `cost` of the bucket, after a little wait if need be. Raises RetryLater when it would be a long one.

        A cost above what the bucket holds at most is taken as a full bucket: it could never be paid otherwise.
        """
        values = {
            **self._values(bucket), "cost": cost, "capacity": spendable(rate.capacity, rate.per_second),
            "per_second": rate.per_second, "patience": self._most_seconds, "headroom": HEADROOM_SECONDS,
        }  # fmt: skip
        wait = _ask("take", values)
        if wait is None:
            seconds = _ask("seconds_until", values) or 0.0
            raise RetryLater(
                "the budget of calls for this account is used up", retry_after=max(0.1, seconds), code=NOT_ASKED
            )
        if wait > 0:
            self._pause(wait)

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None:
        """Take over what an answer told of the bucket; it goes before what the connector declares."""
        if capacity is not None and per_second is not None:
            capacity = spendable(capacity, per_second)
        given = {"per_second": per_second, "capacity": capacity, "left": left}
        _ask("learn", {**self._values(bucket), **given})

    def _values(self, bucket: str) -> dict[str, Any]:
        return {"integration": self._integration_id, "bucket": bucket[:100], "now": clock.held()}


def spendable(capacity: float, per_second: float) -> float:
    """What may be spent at once of a bucket: all but the headroom; one call always may."""
    return max(min(1.0, capacity), capacity - per_second * HEADROOM_SECONDS)


_mutex = threading.Lock()
_own: dict[tuple[int, str], psycopg.Connection[tuple[Any, ...]]] = {}


def _ask(query: str, values: dict[str, Any]) -> float | None:
    """Run a query on this process's own connection; the first value of its row, None without one. A connection that
    died (the server was restarted) is replaced once: a take that was lost on the way costs a call, no more."""
    with failpoints.around("budget.ask"), _mutex:
        for is_last in (False, True):
            try:
                cursor = _connection().execute(QUERIES[query], values)
                row = cursor.fetchone() if cursor.description else None
                return None if row is None else float(row[0])
            except psycopg.OperationalError:
                _close()
                if is_last:
                    raise
    return None


def _connection() -> psycopg.Connection[tuple[Any, ...]]:
    """This process's connection (a child does not use its parent's) to the database that Django uses now. One is enough
    for all threads: a take is a statement of a millisecond."""
    key = (os.getpid(), str(connections["default"].settings_dict["NAME"]))
    found = _own.get(key)
    if found is None or found.closed:
        _close()
        found = _own[key] = open_connection()
    return found


def _close() -> None:
    """Give our connections back; those of a parent process are only forgotten."""
    for (process, _), found in list(_own.items()):
        if process == os.getpid():
            found.close()
    _own.clear()
