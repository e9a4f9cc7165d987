"""The ingest: events of clients become interactions, each message once, in batches that take few statements.

A request is rendered in its own thread: every event that is an interaction becomes the line that COPY will write.
Concurrent requests are then written together (kernel/gate.py): the profiles of people not met before are resolved,
and in one transaction the table of keys decides which messages are new, COPY stores them, and the people are marked
whose journeys are to be told anew. `take` returns after that transaction is committed. An event that cannot be kept is
set aside with its reason, alone.

See docs/decisions/0008-ingest.md for what was measured, and why it is built so.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import psycopg
from django.db import DataError, connection, transaction
from psycopg import errors
from psycopg.types.string import ByteaBinaryLoader

from finalmarket.journeys import set_aside, whose
from finalmarket.journeys.binary import (
    HEAD,
    INTERACTION,
    TAIL,
    channel_and_digest,
    details_size,
    key_of,
    key_rows,
    moment_field,
    moment_of,
    number_field,
    numbers_written,
    text_field,
    told_in,
)
from finalmarket.journeys.dialects.heard import Heard, Reading, Refused, Unreadable, Who
from finalmarket.journeys.dialects.names import folded
from finalmarket.journeys.marks import MARK
from finalmarket.journeys.message_digest import digest
from finalmarket.journeys.parcel import Item, Numbers, Parcel, SetAside, Somebody
from finalmarket.journeys.record import MOST_CONTEXT_BYTES
from finalmarket.journeys.storage import make_months
from finalmarket.journeys.whose import Named
from finalmarket.journeys.write_keys import Door
from finalmarket.kernel import failpoints, measures
from finalmarket.kernel.gate import Gate
from finalmarket.kernel.sql import Queries
from finalmarket.kernel.trouble import trouble_of

QUERIES = Queries(Path(__file__).with_name("ingest.sql"))
MARK_THOSE_THERE = f"WITH marked AS ({MARK}) {whose.GONE}"
LOCK = 0x696E_6765_7374  # "ingest"
LANES = 2 if os.environ.get("FINALMARKET_WEB_PROCESSES", "1") == "1" else 1
"""While one batch is being flushed another is written: by this process, or by one of the others beside it."""
MOST_NAMES_OF_A_CHANNEL = 1_000
MOST_TRIES = 5
FIRST_PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 15.0
NUL = re.compile(rb"(?<!\\)(\\\\)*\\u0000")
NOBODY = Who()
AWAY = ("08", "57P")
Claim: TypeAlias = Callable[["psycopg.Cursor[Any]", Mapping[bytes, Item]], Numbers]
TRANSIENT = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class Unavailable(RuntimeError):
    """The database could not be reached; nothing is known of what became of the events. Tell them again."""


def take(door: Door, dialect: str, reading: Reading, received_at: datetime) -> None:
    """Store what a request says; return once it is committed, or, within a transaction, once it is written.

    The reading is used up: its events are let go once they are rendered. Raises Crowded (too much waits), Unavailable
    (no database), or what the database has against the batch as a whole.
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
    received, people = moment_field(received_at), dict[Who, Somebody]()
    for heard in reading.events:
        try:
            item = _item(door, dialect, heard, received, people)
        except (ValueError, TypeError) as error:
            reason = str(error) if type(error) is ValueError else "its details cannot be kept as JSON"
            parcel.refused.append((channel, dialect, Refused(_as_told(heard), reason)))
        else:
            if item is not None:
                parcel.items.append(item)
    reading.events.clear()
    return parcel


def _item(door: Door, dialect: str, heard: Heard, received: bytes, people: dict[Who, Somebody]) -> Item | None:
    """Raises ValueError with the reason, or what the encoders raise."""
    who, kind, name, message_id, at, context = heard
    channel = door.place.channel_id
    if kind is None:
        kind = door.names.get(folded(name))
        if kind is None:  # nobody has decided yet
            key = key_of(channel, digest(message_id.encode()))
            return Item(channel, key, moment_field(at), _somebody(door, who, at, people), b"", name, dialect)
    if not kind:
        if who == NOBODY or (door.place, who) in whose.known:
            return None  # nothing that is not known already
        return Item(channel, b"", moment_field(at), _somebody(door, who, at, people), b"", "", dialect)
    kept = orjson.dumps(context)
    if len(kept) > MOST_CONTEXT_BYTES:
        raise ValueError(f"its details take more than {MOST_CONTEXT_BYTES} bytes")
    if b"\\" in kept and NUL.search(kept):
        raise ValueError("its details hold a NUL character")
    told, happened = message_id.encode(), moment_field(at)
    row = b"".join((door.head(kind), received, happened, text_field(told), details_size(kept), kept))
    key = key_of(channel, digest(told))
    return Item(channel, key, happened, _somebody(door, who, at, people), row, "", dialect)


def _somebody(door: Door, who: Who, at: datetime, people: dict[Who, Somebody]) -> Somebody:
    found = people.get(who)
    if found is None:
        found = people[who] = Somebody((door.place, who), at)
    elif at > found.latest:
        found.latest = at
    return found


def _as_told(heard: Heard) -> dict[str, Any]:
    """An event that was read, as it is set aside."""
    return {"event": heard.name, "messageId": heard.message_id, "context": heard.context}


def _as_rendered(item: Item) -> dict[str, Any]:
    """An event that was rendered, as it is set aside."""
    if not item.row:
        return {"event": item.name}
    message_id, details = told_in(item.row)
    try:
        context = orjson.loads(details)
    except orjson.JSONDecodeError:  # that may be what the database has against it
        context = {}
    return {"event": context.get("event"), "messageId": message_id, "context": context}


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
        bad = Refused(_as_rendered(item), f"the database cannot keep it ({type(error).__name__})")
        _write_items([], [*refused, (item.channel_id, item.dialect, bad)], received_at)
    else:
        measures.count_events(len(items), len(refused))


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
            make_months(moment_of(item.at) for item in items)
        except _Stale as stale:
            whose.forget(stale.profiles)
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            if not _may_pass(error) or time.monotonic() - began > PATIENCE_SECONDS:
                raise Unavailable(f"The events were not taken. {trouble.sentence}") from error
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
    found = _settle({item.somebody for item in items})
    with failpoints.around("ingest.commit"), transaction.atomic():
        with psycopg.Cursor(connection.connection) as cursor:
            names = _store(cursor, items, claim)
        if names:
            _count(names, received_at)
        if refused:
            set_aside.write(refused, received_at)
    if found and not connection.in_atomic_block:
        whose.remember(found)


def _settle(people: Collection[Somebody]) -> dict[Named, int]:
    """Tell all of these their profile; return those that had to be looked up."""
    unknown: dict[Named, datetime] = {}
    for one in people:
        one.profile = whose.known.get(one.named)
        if one.profile is None and (one.named not in unknown or one.latest > unknown[one.named]):
            unknown[one.named] = one.latest
    if not unknown:
        return {}
    with failpoints.around("ingest.resolve"):
        found = whose.resolve(unknown)
    for one in people:
        if one.profile is None:
            one.profile = found[one.named]
    return found


def _store(
    cursor: psycopg.Cursor[Any], items: Sequence[Item], claim: Claim
) -> Counter[tuple[int, str]]:  # fmt: skip
    """Within the transaction: decide which of the events are new, store those, and mark whose they are. Returns how
    often names came that are to be counted."""
    names: Counter[tuple[int, str]] = Counter()
    keyed: dict[bytes, Item] = {}
    for item in items:
        if item.key:
            keyed.setdefault(item.key, item)
    numbers = claim(cursor, keyed) if keyed else {}
    pieces: list[bytes] = [HEAD]
    since: dict[int, bytes] = {}
    fields: dict[int, bytes] = {}
    for key, item in keyed.items():
        if key not in numbers:
            continue
        number, profile = numbers[key], item.somebody.profile
        if number is None:
            names[item.channel_id, item.name] += 1
        elif profile is not None and profile != whose.ERASED:
            earliest = since.get(profile)
            if earliest is None:
                since[profile], fields[profile] = item.at, number_field(profile)
            elif item.at < earliest:
                since[profile] = item.at
            pieces += (INTERACTION, number, fields[profile], item.row)
    if since:
        pieces.append(TAIL)
        with cursor.copy(QUERIES["store"]) as copy:
            copy.write(b"".join(pieces))
        failpoints.hit("ingest.after_copy")
        _mark(cursor, since)
    return names


def _mark(cursor: psycopg.Cursor[Any], since: Mapping[int, bytes]) -> None:
    """Mark these profiles, each from a moment on. Raises _Stale where some of them are gone."""
    moments = [moment_of(written).isoformat() for written in since.values()]
    cursor.execute(MARK_THOSE_THERE, {"customers": _array(since), "since": _array(moments)})
    gone = {row[0] for row in cursor.fetchall()}
    if gone:
        raise _Stale(gone)


def _claim_at_once(cursor: psycopg.Cursor[Any], keyed: Mapping[bytes, Item]) -> Numbers:
    """Claim the keys of all of these by COPY, which is cheaper than asking for each. Raises UniqueViolation, and the
    transaction is lost, where one of them was told before: that is rare."""
    cursor.execute(QUERIES["numbers"], [LOCK, sum(1 for item in keyed.values() if item.row)], binary=True)
    first, last, scattered = cursor.fetchall()[0]
    fresh = iter(() if first is None else numbers_written(scattered or range(first, last + 1)))
    numbers = {key: next(fresh) if item.row else None for key, item in keyed.items()}
    with cursor.copy(QUERIES["claim_at_once"]) as copy:
        copy.write(key_rows(numbers, {key: item.at for key, item in keyed.items()}))
    return numbers


def _claim_new_ones(cursor: psycopg.Cursor[Any], keyed: Mapping[bytes, Item]) -> Numbers:
    """The new ones among these messages, with the numbers of their interactions."""
    cursor.adapters.register_loader("uuid", ByteaBinaryLoader)  # bytes as they are, not objects
    told = [channel_and_digest(key) for key in keyed]
    counts = ["t" if item.row else "f" for item in keyed.values()]
    moments = [moment_of(item.at).isoformat() for item in keyed.values()]
    channels, digests = [channel for channel, _ in told], [digest.hex() for _, digest in told]
    arrays = [_array(channels), _array(digests), _array(counts), _array(moments)]
    cursor.execute(QUERIES["claim_new_ones"], [LOCK, *arrays], binary=True)
    return {
        key_of(channel, digest): None if number is None else number.to_bytes(8, "big")
        for channel, digest, number in cursor.fetchall()
    }


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL reads it, of what needs no quotes."""
    return f"{{{','.join(map(str, values))}}}"


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


_gate: Gate[Parcel] = Gate(_write, lanes=LANES)
