"""What the database has against everybody just now: it is away, full, read-only, or has no connection to spare.

Such an error says nothing about what was asked. Nothing of it was written, or it is not known; it is asked again, under
the same key, once the trouble is over.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from django.db import InterfaceError, InternalError, OperationalError
from psycopg_pool import PoolTimeout, TooManyRequests

from finalmarket.kernel.errors import DatabaseAway

SOON_SECONDS, LATER_SECONDS = 2, 10
"""When to ask again: what passes by itself, and what somebody has to put right."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, in a sentence for whoever called, and after how many seconds it is worth asking again."""

    sentence: str
    retry_seconds: int


AWAY = Trouble("The database did not take the call.", SOON_SECONDS)
TAKEN = Trouble("No connection to the database came free in time: all are taken, or it is away.", SOON_SECONDS)
READ_ONLY = Trouble(
    "The database is read-only at the moment: it answers questions and takes no writes. Nothing was written.",
    LATER_SECONDS,
)
FULL = Trouble("The disk of the database is full: it takes no writes. Nothing was written.", LATER_SECONDS)
BY_STATE = {"25006": READ_ONLY, "53100": FULL, "53300": TAKEN}
_PASSING = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError, DatabaseAway)


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what the trouble is that raised `error`, Django's or psycopg's; None where the error is about what was
    asked, or ours."""
    if not isinstance(error, (*_PASSING, InternalError, psycopg.InternalError)):
        return None
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return TAKEN
    known = BY_STATE.get(getattr(cause, "sqlstate", None) or "")
    if known is not None:
        return known
    return AWAY if isinstance(error, _PASSING) else None
