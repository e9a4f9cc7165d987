"""Write keys: which channel a client tells of, and what becomes of its words there.

Every web process keeps what it looked up for ten seconds: so long a key that was ended may go on working, and so long a
decision about a name takes to count.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.binary import kind_fields
from finalmarket.journeys.dialects.names import folded
from finalmarket.journeys.message_digest import timed_since
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.journeys.tracking import MOST_KEY_CHARACTERS, EventName, WriteKey
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

KEPT_SECONDS = 10.0
MOST_KEPT = 10_000
ROTATED_KEYS_WORK_FOR = timedelta(days=30)
"""Apps in people's pockets carry the old key until they are updated."""
MOST_SPACE_CHARACTERS = 60


class Place(NamedTuple):
    """Where an event was told: the channel, whose accounts are meant, and where a phone number without +49 is."""

    channel_id: int
    space: str
    country: str


@dataclass(slots=True)
class Door:
    """A channel as a write key opens it."""

    place: Place
    names: Mapping[str, str]
    """What the operator decided that names become, by folded name: one of the sixteen types, or ""."""
    looked_up: float
    heads: dict[str, bytes] = field(default_factory=dict)
    """The columns of a row that follow from channel and type alone, as COPY reads them."""

    def head(self, kind: str) -> bytes:
        """Those columns for a type."""
        found = self.heads.get(kind)
        if found is None:
            found = self.heads[kind] = kind_fields(self.place.channel_id, kind, VALUE_SCORES[kind])
        return found


_doors: dict[str, Door | None] = {}
_looked_up: dict[str, float] = {}
_mutex = threading.Lock()


def door(key: str) -> Door | None:
    """The channel that this key opens; None for a key of nobody, or one that has ended."""
    if not key or len(key) > MOST_KEY_CHARACTERS or "\x00" in key:
        return None
    now = clock.ticks()
    if now - _looked_up.get(key, -KEPT_SECONDS - 1) < KEPT_SECONDS:
        return _doors.get(key)
    found = _look_up(key, now)
    with _mutex:
        if len(_looked_up) >= MOST_KEPT:  # somebody tries keys
            _looked_up.clear()
            _doors.clear()
        _doors[key], _looked_up[key] = found, now
    return found


def forget() -> None:
    """Forget what was looked up: for this process, what was changed counts at once."""
    with _mutex:
        _looked_up.clear()
        _doors.clear()


def _look_up(key: str, now: float) -> Door | None:
    row = WriteKey.objects.select_related("sales_channel").filter(key=key).first()
    if row is None or (row.ends_at is not None and row.ends_at <= clock.now()):
        return None
    decided = EventName.objects.filter(sales_channel=row.sales_channel_id).exclude(becomes="")
    names = {
        folded(name): "" if becomes == EventName.NOTHING else becomes
        for name, becomes in decided.values_list("name", "becomes")
    }
    timed_since()  # the events of this key are digested next, by threads that ask the database nothing
    channel = row.sales_channel
    return Door(Place(channel.pk, row.space or f"channel-{channel.pk}", channel.country), names, now)


# What the operator does.


def open_key(channel: SalesChannel, *, actor: str = "", space: str = "") -> WriteKey:
    """Make a write key for the channel; those it has go on working."""
    return WriteKey.objects.create(
        sales_channel=channel, key=f"wk_{secrets.token_urlsafe(24)}", created_by=actor[:100], space=_word(space)
    )


@transaction.atomic
def rotate(channel: SalesChannel, *, actor: str = "") -> WriteKey:
    """Make a new key; those that work now end in thirty days."""
    working = WriteKey.objects.select_for_update().filter(sales_channel=channel, ends_at=None).order_by("id")
    spaces = [one.space for one in working]
    ends_at: datetime = clock.now() + ROTATED_KEYS_WORK_FOR
    working.update(ends_at=ends_at)
    return open_key(channel, actor=actor, space=spaces[-1] if spaces else "")


def end(channel: SalesChannel, number: int) -> WriteKey:
    """End one of the channel's keys now. Raises UserError where it has no such key."""
    row = WriteKey.objects.filter(sales_channel=channel, pk=number).first()
    if row is None:
        raise UserError(f"{channel} has no write key with number {number}")
    row.ends_at = clock.now()
    row.save(update_fields=["ends_at"])
    forget()
    return row


def share_accounts(channel: SalesChannel, space: str) -> None:
    """Say whose accounts the channel's user ids are: channels with the same word have the same. What was told before
    keeps the accounts that it was told with."""
    WriteKey.objects.filter(sales_channel=channel).update(space=_word(space))
    forget()


def decide(channel: SalesChannel, name: str, becomes: str) -> EventName:
    """Say what events of this name become from now on: one of the sixteen, `EventName.NOTHING`, or "" for undecided.
    What came before stays uncounted. Raises ValidationError for another word, UserError for a name that never came."""
    if becomes not in VALUE_SCORES and becomes not in ("", EventName.NOTHING):
        raise ValidationError(f"{becomes!r} is no interaction; known are {', '.join(VALUE_SCORES)}.")
    row = EventName.objects.filter(sales_channel=channel, name=name).first()
    if row is None:
        raise UserError(f"no event of that name came in on {channel}")
    row.becomes = becomes
    row.save(update_fields=["becomes"])
    forget()
    return row


def _word(space: str) -> str:
    """The word as it is kept: small letters, digits and hyphens, for a colon ends it in an account's id."""
    return slugify(space)[:MOST_SPACE_CHARACTERS]
