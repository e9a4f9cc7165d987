"""Taking the records of a page: each stands or falls alone, and what falls is set aside with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from finalmarket.connectors.records import Unreadable
from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.failpoints import FailpointHit

# What ends the transaction, not the record: the caller tries the page again, or the run ends.
NOT_THE_RECORDS_FAULT = (OperationalError, InterfaceError, FailpointHit)
CHANGED = ("created", "updated", "cancelled")
FAILED = "failed"
BY_ITSELF = "came in again"
MOST_TRIES = 3


class Named(Protocol):
    """A record that the platform has a name for."""

    @property
    def external_id(self) -> str: ...

    @property
    def raw(self) -> Mapping[str, Any]: ...


Incoming = TypeVar("Incoming", bound=Named)
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a record: created, updated, cancelled, unchanged, or failed (then it was set aside)."""

    external_id: str
    outcome: str
    reason: str = ""


@contextmanager
def intake(integration: ChannelIntegration, stream: str) -> Iterator[None]:
    """A transaction in which nobody else stores records of this stream of this account: poll, webhook and backfill take
    turns, so none waits for the other's half while holding its own."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"intake:{integration.pk}:{stream}"]
            )
        yield


def patiently(store: Callable[[], Done]) -> Done:
    """Do it; where the database found that we and somebody else wait for each other, once or twice more."""
    for _ in range(MOST_TRIES - 1):
        try:
            return store()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected | SerializationFailure):
                raise
    return store()


def each_alone(
    integration: ChannelIntegration,
    stream: str,
    records: Sequence[Incoming],
    take: Callable[[Incoming], str],
    take_all: Callable[[Sequence[Incoming]], list[str]] | None = None,
    *,
    keep: Callable[[Incoming], Mapping[str, Any]] = lambda record: {"raw": record.raw},
) -> list[Stored]:
    """Take each record within a savepoint and say what became of it; one that fails is set aside, the others stand.

    `take_all` takes all of them at once and says what became of each. Where it raises, which one is bad is not known:
    nothing of it stands, and each is taken alone. What was taken settles its open letter. `keep` says what a letter
    keeps of a record, to try it again.
    """
    outcomes = _all_at_once(records, take_all) if take_all else None
    if outcomes is None:
        stored = [_alone(integration, stream, record, take, keep) for record in records]
    else:
        stored = [Stored(record.external_id, out) for record, out in zip(records, outcomes, strict=True)]
    taken = [one.external_id for one in stored if one.outcome != FAILED]
    dead_letters.settle(integration, stream, taken, by=BY_ITSELF)
    return stored


def _all_at_once(records: Sequence[Incoming], take_all: Callable[[Sequence[Incoming]], list[str]]) -> list[str] | None:
    """What became of all of them; None where one of them would not be taken, and then nothing was."""
    try:
        with transaction.atomic():
            return take_all(records)
    except NOT_THE_RECORDS_FAULT:
        raise
    except Exception as error:  # each is looked at alone, and says what is wrong with it
        structlog.get_logger(__name__).info("a page is taken record by record", kind=type(error).__name__)
        return None


def _alone(
    integration: ChannelIntegration, stream: str, record: Incoming, take: Callable[[Incoming], str],
    keep: Callable[[Incoming], Mapping[str, Any]],
) -> Stored:  # fmt: skip
    try:
        with transaction.atomic():
            return Stored(record.external_id, take(record))
    except NOT_THE_RECORDS_FAULT:
        raise
    except Exception as error:  # whatever a record does to us, the next one has done nothing
        reason = dead_letters.set_aside(integration, stream, record.external_id, in_words(error), keep(record))
        return Stored(record.external_id, FAILED, reason)


def set_unreadable_aside(
    integration: ChannelIntegration, stream: str, unreadable: Sequence[Unreadable]
) -> list[Stored]:
    """Set aside what the connector could not translate."""
    stored = []
    for one in unreadable:
        words = f"cannot be read: {one.reason}"
        reason = dead_letters.set_aside(integration, stream, one.external_id, words, {"raw": one.raw})
        stored.append(Stored(one.external_id, FAILED, reason.removeprefix("cannot be read: ")))
    return stored


def in_words(error: Exception) -> str:
    """Why a record failed. The database's own words may quote a person's data, so only what kind they are is told."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, DatabaseError):
        return f"the database does not take it: {type(error).__name__}"
    return f"{type(error).__name__}: {error}"
