"""Rows of the ingest as COPY reads them in its binary form: each field behind its size, numbers as they are.

Most of a row is rendered in the thread of the request that brought it; the writer only joins pieces. Moments are
microseconds since 2000, before which nothing is taken, so that their bytes compare as the moments do.

Published at https://www.postgresql.org/docs/current/sql-copy.html (Binary Format)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct, pack

HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TAIL = b"\xff\xff"
SIZE_8, NULL_SIZE = pack(">i", 8), pack(">i", -1)
JSONB_VERSION = b"\x01"
KEY = b"\0\x04" + SIZE_8
"""A row of the keys begins so: four fields, the first of eight bytes."""
INTERACTION = b"\0\x09" + SIZE_8
DIGEST_SIZE = pack(">i", 16)
PG_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_number_field = Struct(">iq").pack
_size = Struct(">i").pack


def number_field(number: int) -> bytes:
    """A bigint with its size."""
    return _number_field(8, number)


def moment_field(at: datetime) -> bytes:
    """A moment with its size."""
    return _number_field(8, (at - PG_BEGINNING) // MICROSECOND)


def moment_of(written: bytes) -> datetime:
    """The moment in such a field."""
    return PG_BEGINNING + timedelta(microseconds=int.from_bytes(written[4:], "big"))


def text_field(text: bytes) -> bytes:
    """A text in UTF-8 with its size."""
    return _size(len(text)) + text


def kind_fields(channel_id: int, kind: str, value_score: int) -> bytes:
    """The fields of an interaction that follow from its channel and type."""
    return number_field(channel_id) + text_field(kind.encode()) + pack(">ih", 2, value_score)


def details_size(context: bytes) -> bytes:
    """What stands before the JSON of the last field."""
    return _size(len(context) + 1) + JSONB_VERSION


def told_in(row: bytes) -> tuple[str, bytes]:
    """The message id and the JSON of the details in such a row, without number and profile."""
    at = 12  # behind the channel
    for _ in range(4):  # type, score and two moments
        at += 4 + int.from_bytes(row[at : at + 4], "big")
    message_at = at + 4
    ends_at = message_at + int.from_bytes(row[at:message_at], "big")
    return row[message_at:ends_at].decode(), row[ends_at + 5 :]


def key_of(channel_id: int, digest: bytes) -> bytes:
    """Channel and digest of a message as the row of its key begins with them: by this it is known, and sorted."""
    return KEY + channel_id.to_bytes(8, "big") + DIGEST_SIZE + digest


def channel_and_digest(key: bytes) -> tuple[int, bytes]:
    """What such a beginning says."""
    return int.from_bytes(key[6:14], "big"), key[18:]


def numbers_written(numbers: Iterable[int]) -> list[bytes]:
    """These numbers, eight bytes each."""
    every = list(numbers)
    written = pack(f">{len(every)}q", *every)
    return [written[at : at + 8] for at in range(0, len(written), 8)]


def key_rows(numbers: Mapping[bytes, bytes | None], moments: Mapping[bytes, bytes]) -> bytes:
    """Rows of the table of keys, in the order of the keys: by key the number of its interaction, and the moment."""
    pieces = [HEAD]
    for key in sorted(numbers):
        number = numbers[key]
        if number is None:
            pieces += (key, NULL_SIZE, moments[key])
        else:
            pieces += (key, SIZE_8, number, moments[key])
    pieces.append(TAIL)
    return b"".join(pieces)
