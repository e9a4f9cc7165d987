"""Events that could not be taken: kept with their reason, without what they say of people.

Of an event the shape is kept, and of its words those alone that help to find the mistake in the merchant's code: its
type, its name, its library. Everything else is told by its kind and length. So nothing of a person, and no secret, is
ever kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from finalmarket.journeys.dialects.heard import Refused, text
from finalmarket.journeys.tracking import SetAsideEvent
from finalmarket.kernel import clock

KEPT_DAYS = 30
ROWS_AT_ONCE = 10_000
MOST_DEPTH = 4
MOST_MEMBERS = 50
MOST_KEPT_CHARACTERS = 100
TELLING = frozenset({"type", "event", "event_type", "e", "$lib", "$lib_version", "channel"})
"""Words whose values name no person: what kind of event it is, and what it is called."""
LIBRARY = "library"
MESSAGE_IDS = ("messageId", "uuid", "insert_id", "eid")


def scrubbed(raw: Any, depth: int = 0) -> Any:
    """The shape of what was told."""
    if isinstance(raw, Mapping):
        if depth >= MOST_DEPTH:
            return f"object of {len(raw)}"
        members = list(raw.items())[:MOST_MEMBERS]
        return {_word(word): _member(word, value, depth) for word, value in members}
    if isinstance(raw, list):
        return f"list of {len(raw)}" if depth >= MOST_DEPTH else [scrubbed(one, depth + 1) for one in raw[:5]]
    if isinstance(raw, str):
        return f"text of {len(raw)}"
    return raw if raw is None or isinstance(raw, bool) else "number"


def _member(word: Any, value: Any, depth: int) -> Any:
    if word == LIBRARY and isinstance(value, Mapping):
        return {part: text(value.get(part), MOST_KEPT_CHARACTERS) for part in ("name", "version") if part in value}
    if word in TELLING and isinstance(value, str) and "@" not in value:
        return text(value, MOST_KEPT_CHARACTERS)
    return scrubbed(value, depth + 1)


def _word(word: Any) -> str:
    """The name of a member; one that looks like a value is none."""
    plain = text(word, MOST_KEPT_CHARACTERS)
    return "(a name with @)" if "@" in plain else plain


def write(rows: Iterable[tuple[int, str, Refused]], received_at: datetime) -> None:
    """Keep these (channel, dialect, event with its reason), in the caller's transaction."""
    SetAsideEvent.objects.bulk_create(
        SetAsideEvent(
            sales_channel_id=channel, dialect=dialect, reason=refused.reason[:300], payload=_plain(refused.raw),
            message_id=_message_id(refused.raw), received_at=received_at,
        )
        for channel, dialect, refused in rows
    )  # fmt: skip


def _plain(raw: Any) -> Any:
    """What can be stored whatever it holds: halves of characters are left out."""
    return _whole(scrubbed(raw))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {_whole(word): _whole(one) for word, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


def _message_id(raw: Any) -> str:
    """By what the client may find it; one that looks like an address is none."""
    if not isinstance(raw, Mapping):
        return ""
    found = next((text(raw.get(word), 100) for word in MESSAGE_IDS if raw.get(word)), "")
    return "" if "@" in found else str(_whole(found))


def tidy() -> int:
    """Remove what was set aside more than thirty days ago, at most 10,000 a run; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM events_set_aside WHERE id IN (
                   SELECT id FROM events_set_aside WHERE received_at < %s ORDER BY received_at LIMIT %s)""",
            [clock.now() - timedelta(days=KEPT_DAYS), ROWS_AT_ONCE],
        )
        return int(cursor.rowcount)
