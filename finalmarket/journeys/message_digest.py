"""By what the table of keys knows a message: sixteen bytes made of its id alone.

Ids of many clients tell when they were made: those of Segment's clients for browsers and Node hold the milliseconds
(`node-next-1795370505774-676f...`), UUIDs of version 7 begin with them. The digest of such an id begins with that time,
so that keys of one hour lie side by side in their index; those of other ids lie anywhere in it, and each touches
another page. What follows is SHA-256 of the whole id: 96 bits of it, or 128 where no time stands before them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from django.db import connection

TIMED = re.compile(rb"[a-z-]{1,40}-([12][0-9]{12})-|(01[0-9a-f]{6})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab]")
SINCE = "SELECT since FROM message_digests_timed"


def digest(message_id: bytes) -> bytes:
    """The digest of a message by its id; the same for ever."""
    plain = sha256(message_id).digest()
    found = TIMED.match(message_id)
    if found is None:
        return plain[:16]
    told, first, second = found.groups()
    milliseconds = int(told) if told else int(first + second, 16)
    if milliseconds < timed_since():
        return plain[:16]
    return (milliseconds >> 10).to_bytes(4, "big") + plain[:12]


@cache
def timed_since() -> int:
    """From when on ids lead with their time, in milliseconds since 1970; 0 where they always did. A house that had keys
    before there was this form goes on with the plain one for all ids of before."""
    with connection.cursor() as cursor:
        cursor.execute(SINCE)
        row: tuple[datetime] | None = cursor.fetchone()
    return 0 if row is None else int((row[0] - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)
