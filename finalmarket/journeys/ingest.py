"""The ingest: events of clients become interactions, each message once, in batches that take few statements.

A request is rendered in its own thread: every event that is an interaction becomes the line that COPY will write.
Concurrent requests are then written together (journeys/gate.py): the profiles of people not met before are resolved,
and in one transaction the table of keys decides which messages are new, COPY stores them, and the people are marked
whose journeys are to be told anew. `take` returns after that transaction is committed. An event that cannot be kept is
set aside with its reason, alone.

See docs/decisions/0008-ingest.md for what was measured, and why it is built so.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson
import psycopg
from django.db import DataError, InterfaceError, OperationalError, connection, transaction
from psycopg import errors
from psycopg.types.string import ByteaBinaryLoader

from finalmarket.journeys import set_aside, whose
from finalmarket.journeys.dialects.heard import Heard, Reading, Refused, Unreadable, Who
from finalmarket.journeys.dialects.names import folded
from finalmarket.journeys.gate import Gate
from finalmarket.journeys.marks import MARK
from finalmarket.journeys.record import MOST_CONTEXT_BYTES
from finalmarket.journeys.storage import make_months
from finalmarket.journeys.whose import Named
from finalmarket.journeys.write_keys import Door
from finalmarket.kernel import failpoints
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("ingest.sql"))
LOCK = 0x696E_6765_7374  # "ingest"
MOST_NAMES_OF_A_CHANNEL = 1_000
MOST_TRIES = 5
FIRST_PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 15.0
NUL = re.compile(rb"(?<!\\)(\\\\)*\\u0000")
SPECIAL = re.compile(r"[\\\t\n\r]")
NULL = r"\N"
NOBODY = Who()
LONG_AGO = datetime.min.replace(tzinfo=UTC)
DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
AWAY = ("08", "57P")
TRANSIENT = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class Unavailable(RuntimeError):
    """The database could not be reached; nothing is known of what became of the events. Tell them again."""


class Item(NamedTuple):
    """An event on its way into the tables. `line` is all of its row but number and profile, as COPY writes it; empty
    for what is no interaction. `name` is set where the name is to be counted, `digest` (of its message id) where a key
    is to be kept."""

    channel_id: int
    digest: bytes
    named: Named
    at: datetime
    line: bytes
    name: str
    heard: Heard
    dialect: str


Numbers: TypeAlias = dict[tuple[int, bytes], int | None]
"""New messages, by channel and digest, with the numbers of their interactions (none, for what is no interaction)."""
Claim: TypeAlias = Callable[["psycopg.Cursor[Any]", Sequence["Item"]], Numbers]
SetAside: TypeAlias = tuple[int, str, Refused]
"""An event that cannot be kept: of which channel, in which dialect, as it came and why."""


class Parcel(NamedTuple):
    """What one request brings."""

    received_at: datetime
    items: list[Item]
    refused: list[SetAside]


def take(door: Door, dialect: str, reading: Reading, received_at: datetime) -> None:
    """Store what a request says; return once it is committed, or, within a transaction, once it is written.

    Raises Crowded (too much waits), Unavailable (no database), or what the database has against the batch as a whole.
    """
    parcel = _render(door, dialect, reading, received_at)
    if not parcel.items and not parcel.refused:
        return
    if connection.in_atomic_block:
        _write([parcel])
    else:
        _gate.pass_through(parcel, len(parcel.items) or 1)


def hold_back() -> None:
    """Within a transaction: have no batch of events be written until its end. For whoever erases a person: events that
    are being written under the profile are committed, and seen, before; those after find the profile gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


# In the request's own thread.


def _render(door: Door, dialect: str, reading: Reading, received_at: datetime) -> Parcel:
    channel = door.place.channel_id
    parcel = Parcel(received_at, [], [(channel, dialect, one) for one in reading.refused])
    received = f"\t{received_at.isoformat()}\t".encode()
    for heard in reading.events:
        try:
            item = _item(door, dialect, heard, received)
        except (ValueError, TypeError) as error:
            reason = str(error) if type(error) is ValueError else "its details cannot be kept as JSON"
            parcel.refused.append((channel, dialect, Refused(_as_told(heard), reason)))
        else:
            if item is not None:
                parcel.items.append(item)
    return parcel


def _item(door: Door, dialect: str, heard: Heard, received: bytes) -> Item | None:
    """Raises ValueError with the reason, or what the encoders raise."""
    who, kind, name, message_id, at, context = heard
    place = door.place
    if kind is None:
        kind = door.names.get(folded(name))
        if kind is None:  # nobody has decided yet
            return Item(place.channel_id, _digest(message_id), (place, who), at, b"", name, heard, dialect)
    if not kind:
        named = (place, who)
        if who == NOBODY or named in whose.known:
            return None  # nothing that is not known already
        return Item(place.channel_id, b"", named, at, b"", "", heard, dialect)
    kept = orjson.dumps(context)
    if len(kept) > MOST_CONTEXT_BYTES:
        raise ValueError(f"its details take more than {MOST_CONTEXT_BYTES} bytes")
    if b"\\" in kept:
        if NUL.search(kept):
            raise ValueError("its details hold a NUL character")
        kept = kept.replace(b"\\", b"\\\\")
    written = message_id if SPECIAL.search(message_id) is None else _escaped(message_id)
    line = b"".join((door.head(kind), f"{written}\t{at.isoformat()}".encode(), received, kept, b"\n"))
    return Item(place.channel_id, _digest(message_id), (place, who), at, line, "", heard, dialect)


def _digest(message_id: str) -> bytes:
    """As `storage.digest`, without making a UUID of it."""
    return sha256(message_id.encode()).digest()[:16]


def _escaped(text: str) -> str:
    """As COPY wants it."""
    plain = text.replace("\\", "\\\\").replace("\t", "\\t")
    return plain.replace("\n", "\\n").replace("\r", "\\r")


def _as_told(heard: Heard) -> dict[str, Any]:
    """An event that was read, as it is set aside."""
    return {"event": heard.name, "messageId": heard.message_id, "context": heard.context}


# In the thread of whoever writes.


def _write(parcels: Sequence[Parcel]) -> None:
    """Write these parcels as a whole; what the database cannot keep is looked for by halves and set aside."""
    items = [item for parcel in parcels for item in parcel.items]
    refused = [row for parcel in parcels for row in parcel.refused]
    _write_items(items, refused, max(parcel.received_at for parcel in parcels))
    failpoints.hit("ingest.before_answer")


def _write_items(items: Sequence[Item], refused: Sequence[SetAside], received_at: datetime) -> None:
    try:
        _try_until_written(items, refused, received_at)
    except (DataError, psycopg.DataError, Unreadable, UnicodeEncodeError) as error:
        if not items:
            raise
        if len(items) > 1:
            middle = len(items) // 2
            _write_items(items[:middle], refused, received_at)
            _write_items(items[middle:], [], received_at)
            return
        (item,) = items
        bad = Refused(_as_told(item.heard), f"the database cannot keep it ({type(error).__name__})")
        _write_items([], [*refused, (item.channel_id, item.dialect, bad)], received_at)


def _try_until_written(items: Sequence[Item], refused: Sequence[SetAside], received_at: datetime) -> None:
    """Write, and again after what passes by itself: rivals, a month that is not there yet, a connection that died.

    Whether a batch was committed before its connection died does not matter: the keys tell. Raises Unavailable.
    """
    began, claim = time.monotonic(), _claim_at_once
    for number in range(MOST_TRIES):
        try:
            _write_once(items, refused, received_at, claim)
            return
        except errors.UniqueViolation:
            if claim is _claim_new_ones:
                raise
            claim = _claim_new_ones  # some of it was told before
        except errors.CheckViolation as error:
            if "no partition" not in str(error):
                raise
            make_months(item.at for item in items)
        except _Stale as stale:
            whose.forget(stale.profiles)
        except DATABASE_AWAY as error:
            if not _may_pass(error) or time.monotonic() - began > PATIENCE_SECONDS:
                raise Unavailable("the database could not take the events") from error
            time.sleep(FIRST_PAUSE_SECONDS * 2**number)
    raise Unavailable("the events could not be written; tell them again")


def _may_pass(error: Exception) -> bool:
    """Whether it is worth another try: after a rival, or after a connection that died, which is closed here."""
    if connection.in_atomic_block:
        return False
    if connection.connection is not None and connection.connection.closed:
        connection.close()
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    state = getattr(cause, "sqlstate", None)  # none: the server had no say in it
    return state is None or state.startswith(AWAY) or isinstance(cause, TRANSIENT)


class _Stale(Exception):
    """Profiles that were remembered are gone."""

    def __init__(self, profiles: set[int]) -> None:
        super().__init__(f"{len(profiles)} profiles are gone")
        self.profiles = profiles


def _write_once(
    items: Sequence[Item], refused: Sequence[SetAside], received_at: datetime, claim: Claim
) -> None:  # fmt: skip
    unknown: dict[Named, datetime] = {}
    for item in items:
        if item.named not in whose.known and item.at > unknown.get(item.named, LONG_AGO):
            unknown[item.named] = item.at
    found: dict[Named, int] = {}
    if unknown:
        with failpoints.around("ingest.resolve"):
            found = whose.resolve(unknown)
    with failpoints.around("ingest.commit"), transaction.atomic():
        with psycopg.Cursor(connection.connection) as cursor:
            names = _store(cursor, items, found, claim)
        if names:
            _count(names, received_at)
        if refused:
            set_aside.write(refused, received_at)
    if not connection.in_atomic_block:
        whose.remember(found)


def _store(
    cursor: psycopg.Cursor[Any], items: Sequence[Item], found: Mapping[Named, int], claim: Claim
) -> Counter[tuple[int, str]]:  # fmt: skip
    """Within the transaction: decide which of the events are new, store those, and mark whose they are. Returns how
    often names came that are to be counted."""
    names: Counter[tuple[int, str]] = Counter()
    keyed = [item for item in items if item.digest]
    numbers = claim(cursor, keyed) if keyed else {}
    lines: list[bytes] = []
    since: dict[int, datetime] = {}
    for item in keyed:
        key = item.channel_id, item.digest
        if key not in numbers:
            continue
        number = numbers.pop(key)
        if number is None:
            names[item.channel_id, item.name] += 1
            continue
        profile = found.get(item.named, whose.known.get(item.named))
        if profile == whose.ERASED:
            continue
        if profile is None:
            raise _Stale(set())  # another thread has just forgotten it
        lines.append(b"%d\t%d%b" % (number, profile, item.line))
        at = since.get(profile)
        if at is None or item.at < at:
            since[profile] = item.at
    if lines:
        with cursor.copy(QUERIES["store"]) as copy:
            copy.write(b"".join(lines))
        failpoints.hit("ingest.after_copy")
        gone = whose.gone(cursor, since)
        if gone:
            raise _Stale(gone)
        cursor.execute(MARK, {"customers": list(since), "since": list(since.values())})
    return names


def _claim_at_once(cursor: psycopg.Cursor[Any], keyed: Sequence[Item]) -> Numbers:
    """Claim the keys of all of these by COPY, which is cheaper than asking for each. Raises UniqueViolation, and the
    transaction is lost, where one of them was told before: that is rare."""
    first: dict[tuple[int, bytes], Item] = {}
    for item in keyed:
        first.setdefault((item.channel_id, item.digest), item)
    cursor.execute(QUERIES["numbers"], [LOCK, sum(1 for item in first.values() if item.line)], binary=True)
    fresh = iter(cursor.fetchall())
    numbers = {key: next(fresh)[0] if item.line else None for key, item in first.items()}
    rows = [
        f"{key[0]}\t{key[1].hex()}\t{NULL if numbers[key] is None else numbers[key]}\t{first[key].at.isoformat()}\n"
        for key in sorted(first)
    ]
    with cursor.copy(QUERIES["claim_at_once"]) as copy:
        copy.write("".join(rows))
    return numbers


def _claim_new_ones(cursor: psycopg.Cursor[Any], keyed: Sequence[Item]) -> Numbers:
    """The new ones among these messages, with the numbers of their interactions."""
    cursor.adapters.register_loader("uuid", ByteaBinaryLoader)  # bytes as they are, not objects
    channels = ",".join([str(item.channel_id) for item in keyed])
    digests = ",".join([item.digest.hex() for item in keyed])
    counts = ",".join(["t" if item.line else "f" for item in keyed])
    moments = ",".join([f'"{item.at.isoformat()}"' for item in keyed])
    arrays = [f"{{{column}}}" for column in (channels, digests, counts, moments)]
    cursor.execute(QUERIES["claim_new_ones"], [LOCK, *arrays], binary=True)
    return {(channel, digest): number for channel, digest, number in cursor.fetchall()}


def _count(names: Counter[tuple[int, str]], now: datetime) -> None:
    rows = sorted(names.items())
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES["count_names"],
            {
                "channels": [channel for (channel, _), _ in rows],
                "names": [name for (_, name), _ in rows],
                "numbers": [number for _, number in rows],
                "now": now,
                "most": MOST_NAMES_OF_A_CHANNEL,
            },
        )


_gate: Gate[Parcel] = Gate(_write)
