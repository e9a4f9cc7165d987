"""Each write once: what was asked under an Idempotency-Key is carried out once and answered the same ever after.

The row that remembers is written in one transaction with the effect: there is no effect without it, and it does not
exist while the effect may still fail. A second call under the same key waits while the first is under way, five seconds
at most. A call that was refused leaves nothing: it may be made again under its key when the reason is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, transaction

from finalmarket.access.models import IdempotentCall
from finalmarket.kernel import clock
from finalmarket.kernel.sql import open_connection

KEPT = timedelta(hours=48)
WAITS_MS = 5_000
LOCK = 0x6170_6931  # "api1": a space of advisory locks of its own
LOCK_OUTSIDE = 0x6170_6932
ROWS_AT_ONCE = 10_000
# Nobody waits here: no row comes back when another is at it (its lock) as well as when it was done before (its row).
CLAIM = """
INSERT INTO api_idempotent_calls (family, token, digest, status, headers, answer)
SELECT %(family)s, %(token)s, %(digest)s, 0, '{}', ''
WHERE pg_try_advisory_xact_lock(%(space)s, %(lock)s)
ON CONFLICT DO NOTHING
RETURNING id
"""


class UnderWay(Exception):
    """The first call under this key has not ended; ask again."""


class OtherCall(Exception):
    """The key was used for something else."""


def claim(family: UUID, token: str, digest: str) -> IdempotentCall:
    """Return the row of this call: one with `status` 0 is the caller's to carry out and to `keep`; one that has a
    status was carried out before. Within the caller's transaction.

    Raises UnderWay when the first call has not ended after five seconds, OtherCall for a key that was used for
    something else.
    """
    lock = _lock_of(family, token)
    values: dict[str, Any] = {"family": family, "token": token, "digest": digest, "space": LOCK, "lock": lock}
    number = _claim(values)
    if number is None:
        _wait_for(lock)
        number = _claim(values)
    if number is not None:
        return IdempotentCall(pk=number, family=family, token=token, digest=digest)
    return _checked(IdempotentCall.objects.get(family=family, token=token), digest)


@contextmanager
def alone(family: UUID, token: str, digest: str) -> Iterator[IdempotentCall | None]:
    """For verbs that ask a platform, or commit by themselves, and may be done again: within it nobody else carries out
    a call under this key. Yields the call that was carried out before, None where the caller is to do it. Whoever dies
    within it leaves nothing, and the verb is done once more by who repeats the call.

    Raises UnderWay and OtherCall as `claim` does.
    """
    session = open_connection()  # the lock ends with it, whatever becomes of us
    try:
        session.execute(f"SET lock_timeout = {WAITS_MS}")
        try:
            session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_OUTSIDE, _lock_of(family, token)])
        except psycopg.errors.LockNotAvailable as error:
            raise UnderWay("the first call under this key has not ended") from error
        found = IdempotentCall.objects.filter(family=family, token=token).first()
        yield _checked(found, digest) if found else None
    finally:
        session.close()


def _checked(found: IdempotentCall, digest: str) -> IdempotentCall:
    if found.digest != digest:
        raise OtherCall("this Idempotency-Key was used for another call")
    return found


def _lock_of(family: UUID, token: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{family} {token}".encode()).digest()[:4], "big", signed=True)


def _claim(values: dict[str, Any]) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _wait_for(lock: int) -> None:
    """Wait until whoever is at it has ended."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {WAITS_MS}")
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, lock])
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise UnderWay("the first call under this key has not ended") from error
        raise


def keep(call: IdempotentCall, status: int, answer: str, headers: dict[str, str]) -> None:
    """Write down what is answered, within the transaction of the effect."""
    IdempotentCall.objects.filter(pk=call.pk).update(status=status, answer=answer, headers=headers)


def tidy() -> int:
    """Forget calls of more than two days ago; return how many."""
    forgotten = 0
    while True:
        old = IdempotentCall.objects.filter(created_at__lt=clock.now() - KEPT).values_list("pk", flat=True)
        number, _ = IdempotentCall.objects.filter(pk__in=list(old[:ROWS_AT_ONCE])).delete()
        forgotten += number
        if number < ROWS_AT_ONCE:
            return forgotten
