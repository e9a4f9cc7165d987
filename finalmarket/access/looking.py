"""Keys as they stand in the database this moment, read on the shortest way: one statement over a connection that is
kept for it, since every call of a program begins with it. Nothing is remembered from one look to the next.

Within a transaction (a test's, say) it is that transaction which is asked. One thread looks at a time (keys.py).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import OperationalError, connection

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection

LOOK = """
SELECT id, name, prefix, digest, family, scopes, channel_ids, calls_per_minute, expires_at, ends_at, last_used_at
FROM api_keys WHERE prefix = ANY (%s)
"""


class Seen(NamedTuple):
    """A key as it stands."""

    pk: int
    name: str
    prefix: str
    digest: str
    family: UUID
    scopes: list[str]
    channel_ids: list[int]
    calls_per_minute: int
    expires_at: datetime | None
    ends_at: datetime | None
    last_used_at: datetime | None


def look(prefixes: Collection[str]) -> dict[str, Seen]:
    """Return the keys of these prefixes as they stand now. Raises OperationalError where the database does not say."""
    wanted = [list(prefixes)]
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(LOOK, wanted)
            rows = cursor.fetchall()
    else:
        rows = _kept.ask(wanted)
    return {row[2]: Seen(*row) for row in rows}


class _Kept:
    """The connection that is kept. It is opened anew when it has died, and where Django works on another database."""

    def __init__(self) -> None:
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None
        self._database = ""

    def ask(self, wanted: list[list[str]]) -> list[tuple[Any, ...]]:
        for is_last in (False, True):
            try:
                return self._open().execute(LOOK, wanted).fetchall()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self.close()
                if is_last:
                    raise OperationalError(str(error)) from error
        raise AssertionError("it was asked twice")

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        database = str(connection.settings_dict["NAME"])
        if self._session is None or self._database != database:
            self.close()
            try:
                self._session = open_connection()
            except UserError as error:
                raise psycopg.OperationalError(str(error)) from error
            self._session.execute("SET application_name = 'finalmarket keys'")
            self._database = database
        return self._session

    def close(self) -> None:
        """Close it; the next look opens another."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def forget(self) -> None:
        """In a process that was forked: the connection is the parent's, and must not be ended from here."""
        _inherited.append(self._session)
        self._session = None


_inherited: list[Any] = []
_kept = _Kept()
os.register_at_fork(after_in_child=_kept.forget)
