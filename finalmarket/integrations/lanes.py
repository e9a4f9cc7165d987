"""One worker at a time does one kind of work for one account; whoever finds the lane taken goes on to something else.

A lane is an advisory lock of a database session of its own: when the worker is killed, the session ends, and the lane
is free at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from finalmarket.kernel.sql import open_connection


class Lane:
    """A lane that is held."""

    def __init__(self, session: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._session = session

    def is_held(self) -> bool:
        """Whether it is still ours: a database that was restarted forgot it, and somebody else may hold it now."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def lane(integration_id: int, name: str, *, seconds: float = 0.0) -> Iterator[Lane | None]:
    """Within it nobody else is in the lane `name` of this account; yields None when somebody is: at once, or when
    somebody still is after so many seconds."""
    session, lock, is_taken = open_connection(), [number_of(name), integration_id], False
    try:
        is_taken = _wait_for(session, lock, seconds) if seconds else _try(session, lock)
        yield Lane(session) if is_taken else None
    finally:
        if is_taken:
            with suppress(psycopg.OperationalError):  # a database that was restarted knows of no lock
                session.execute("SELECT pg_advisory_unlock(%s, %s)", lock)  # the end of a session shows a moment later
        session.close()


def _try(session: psycopg.Connection[tuple[Any, ...]], lock: list[int]) -> bool:
    row = session.execute("SELECT pg_try_advisory_lock(%s, %s)", lock).fetchone()
    return bool(row and row[0])


def _wait_for(session: psycopg.Connection[tuple[Any, ...]], lock: list[int], seconds: float) -> bool:
    session.execute(f"SET lock_timeout = {int(seconds * 1000)}")
    try:
        session.execute("SELECT pg_advisory_lock(%s, %s)", lock)
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def number_of(name: str) -> int:
    """The first half of a lane's lock, the second is the account: PostgreSQL names locks by two 32-bit numbers."""
    return zlib.crc32(f"finalmarket.integrations.{name}".encode()) & 0x7FFFFFFF
