"""API keys: made and shown once, let in, rotated with days of grace, ended.

A key reads `fm_<12 digits to find it by>_<43 characters of secret>`. Whoever asks with it is answered by what the
database says at that moment: a key that was ended is of no use from the next call on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from finalmarket.access.looking import Seen, look
from finalmarket.access.models import MOST_NAME_CHARACTERS, ApiKey
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.gate import Gate
from finalmarket.kernel.trouble import trouble_of

SCOPES = {
    "stock:read": "See what lies where, what channels may sell and why, holds, transfers, counts",
    "stock:write": "Reserve, adjust, receive, transfer and count stock, and say what channels may sell",
    "orders:read": "See orders with their addresses, payments, parcels and returns",
    "orders:write": "Place, cancel, note, route, ship, return and refund orders, and note their payments",
    "channels:read": "See sales channels, how they are doing, and the catalogue",
    "channels:write": "Open, change, pause and resume sales channels, and say where they sell from",
    "catalogue:write": "Make and change products, variants, their prices, bundles and categories",
    "listings:read": "See what channels sell, at which prices",
    "listings:write": "List variants on channels, change and remove listings",
    "journeys:read": "See journeys and their steps",
    "journeys:write": "Start journeys, add steps, complete and abandon them",
    "interactions:read": "See what customers did",
    "interactions:write": "Tell what customers did",
    "carts:read": "See carts, and the cart of a customer",
    "carts:write": "Open, fill, hold and order carts",
    "analytics:read": "See the figures of channels, and how channels are doing",
    "customers:read": "See who customers are: profiles, preferences, consents",
    "customers:write": "Write preferences and consents",
    "customers:merge": "Merge and unmerge customers",
    "segments:write": "Make, change and take away segments",
    "privacy:read": "See what was asked for: exports and erasures, and what an erasure would take",
    "privacy:export": "Export all that is kept of a customer",
    "privacy:erase": "Erase customers for good",
    "integrations:read": "See accounts on platforms: health, runs, what was set aside, drift",
    "integrations:write": "Connect, test, sync, pause, resume and disconnect accounts; try again what was set aside",
    "webhooks:read": "See webhook endpoints and what they were told",
    "webhooks:write": "Open, change and delete webhook endpoints, rotate their secrets, send again",
    "keys:rotate": "Put another key in its own place",
    "audit:read": "See what programs did",
    "agents:buy": "Buy as a shopping agent (/acp/), bound to one channel",
}
"""What a key may be allowed to do."""
OF_ALL_CHANNELS = frozenset(
    scope
    for scope in SCOPES
    if scope.startswith(("catalogue:", "customers:", "segments:", "privacy:", "webhooks:", "audit:"))
)
"""A person is one over all channels, and so are goods, and what the house tells and did: these make no sense for a key
that is bound to some."""
CALLS_PER_MINUTE, MOST_CALLS_PER_MINUTE = 600, 60_000
GRACE, MOST_GRACE = timedelta(days=7), timedelta(days=90)
USE_NOTED_EVERY = timedelta(minutes=1)
PREFIX_BYTES, SECRET_BYTES = 6, 32
WRITTEN = re.compile(r"fm_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NO_DIGEST = "0" * 64


class NotLetIn(Exception):
    """The key opens nothing; the message says why and what to do, as far as its holder may know."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the key, as far as it matters for what they may do. No `channels`: all of them."""

    key_id: int
    name: str
    family: UUID
    scopes: frozenset[str]
    channels: frozenset[int]
    calls_per_minute: int

    def may_touch(self, channel_id: int) -> bool:
        """Whether the key is for this channel."""
        return not self.channels or channel_id in self.channels


def admit(shown: str) -> Caller:
    """Return who shows this key. Raises NotLetIn for a key that is none of ours, has expired or was ended.

    The secret is compared in constant time, also where there is no key of that prefix. Those who come together are
    looked up together, by one query that begins after each of them has come. Raises Crowded where too many wait.
    """
    return _admitted(shown, _seen({_prefix_of(shown)}).get(_prefix_of(shown)))


def admit_each(shown: Sequence[str]) -> list[Caller | NotLetIn]:
    """As `admit`, for keys that are shown together: who each is, or why it opens nothing; by one query."""
    found = _seen({_prefix_of(one) for one in shown})
    answers: list[Caller | NotLetIn] = []
    for one in shown:
        try:
            answers.append(_admitted(one, found.get(_prefix_of(one))))
        except NotLetIn as error:
            answers.append(error)
    return answers


def _prefix_of(shown: str) -> str:
    """By what a key is looked up; empty for what is none."""
    read = WRITTEN.fullmatch(shown)
    return read[1] if read else ""


def _admitted(shown: str, row: Seen | None) -> Caller:
    is_right = hmac.compare_digest(_digest(shown), row.digest if row else NO_DIGEST)
    if row is None or not is_right:
        raise NotLetIn("The key is none of ours; look whether it was copied whole, or have one made")
    now = clock.now()
    if row.ends_at is not None and row.ends_at <= now:
        raise NotLetIn(
            f"The key was ended on {row.ends_at:%Y-%m-%d}; use the one that took its place, or have one made"
        )
    if row.expires_at is not None and row.expires_at <= now:
        raise NotLetIn(f"The key expired on {row.expires_at:%Y-%m-%d}; have one made")
    _note_use(row, now)
    return Caller(
        row.pk, row.name, row.family, frozenset(row.scopes), frozenset(row.channel_ids), row.calls_per_minute
    )  # fmt: skip


@dataclass(slots=True)
class _Looked:
    """Prefixes, and the keys that have them."""

    prefixes: set[str]
    seen: dict[str, Seen]


def _look_up(wanted: Sequence[_Looked]) -> None:
    found = look(set().union(*(one.prefixes for one in wanted)))
    for one in wanted:
        one.seen = found


_look_ups: Gate[_Looked] = Gate(_look_up, lanes=1)


def _seen(prefixes: set[str]) -> dict[str, Seen]:
    wanted = _Looked(prefixes - {""}, {})
    if wanted.prefixes:
        _look_ups.pass_through(wanted, 1)
    return wanted.seen


def _note_use(row: Seen, now: datetime) -> None:
    """Note when it was used, once a minute at most: no write for each call."""
    before = now - USE_NOTED_EVERY
    if row.last_used_at is None or row.last_used_at < before:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=before)
        try:
            with failpoints.around("keys.note_use"):
                ApiKey.objects.filter(unnoted, pk=row.pk).update(last_used_at=now)
        except DatabaseError as error:
            if trouble_of(error) is None:
                raise
            # A database that takes no writes may answer questions all the same.


def create(
    name: str, scopes: Collection[str], *, channels: Collection[int] = (), actor: str = "",
    expires_at: datetime | None = None, calls_per_minute: int = CALLS_PER_MINUTE,
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a key; return it and what its holder shows, which cannot be told again.

    Raises UserError for a name that is none, unknown scopes or channels, scopes that a bound key cannot have, an end in
    the past, and a limit that is none.
    """
    if not name.strip() or len(name) > MOST_NAME_CHARACTERS or "\x00" in name:
        raise UserError(f"give the key a name of at most {MOST_NAME_CHARACTERS} characters that says who uses it")
    _check_scopes(scopes, channels)
    if expires_at is not None and expires_at <= clock.now():
        raise UserError("choose an end that is still to come")
    if not 1 <= calls_per_minute <= MOST_CALLS_PER_MINUTE:
        raise UserError(f"a key makes between 1 and {MOST_CALLS_PER_MINUTE:,} calls a minute")
    return _write(
        ApiKey(
            name=name.strip(), scopes=sorted(set(scopes)), channel_ids=sorted(set(channels)), created_by=actor[:100],
            expires_at=expires_at, calls_per_minute=calls_per_minute,
        )
    )  # fmt: skip


def _check_scopes(scopes: Collection[str], channels: Collection[int]) -> None:
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown or not scopes:
        raise UserError(f"choose scopes among {', '.join(SCOPES)}" + (f", not {unknown[0]!r}" if unknown else ""))
    missing = set(channels) - set(SalesChannel.objects.filter(pk__in=channels).values_list("pk", flat=True))
    if missing:
        raise UserError(f"there is no sales channel {min(missing)}")
    too_wide = sorted(OF_ALL_CHANNELS & set(scopes))
    if channels and too_wide:
        raise UserError(f"{too_wide[0]} is about all channels: leave it out, or do not bind the key to channels")


def _write(row: ApiKey) -> tuple[ApiKey, str]:
    row.prefix = secrets.token_hex(PREFIX_BYTES)
    shown = f"fm_{row.prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    row.digest = _digest(shown)
    row.save(force_insert=True)
    return row, shown


@transaction.atomic
def rotate(number: int, *, actor: str = "", grace: timedelta = GRACE) -> tuple[ApiKey, str]:
    """Make a key that may do the same, in the place of another, which works for `grace` longer; return the new one and
    what its holder shows. Raises UserError for a key that has ended or was replaced before, and for another grace than
    0 to 90 days."""
    if not timedelta() <= grace <= MOST_GRACE:
        raise UserError(f"the old key may work for 0 to {MOST_GRACE.days} more days")
    old = _locked(number)
    if _is_over(old) or old.replaced_by_id is not None:
        raise UserError(f"{old} has ended or was replaced already; rotate the one that took its place, or make one")
    new, shown = _write(
        ApiKey(
            name=old.name, family=old.family, scopes=old.scopes, channel_ids=old.channel_ids, created_by=actor[:100],
            expires_at=old.expires_at, calls_per_minute=old.calls_per_minute,
        )
    )  # fmt: skip
    old.replaced_by, old.ends_at = new, clock.now() + grace
    old.save(update_fields=["replaced_by", "ends_at"])
    return new, shown


@transaction.atomic
def revoke(number: int) -> ApiKey:
    """End a key now; one that has ended stays as it is. Raises UserError where there is none."""
    row = _locked(number)
    if not _is_over(row):
        row.ends_at = clock.now()
        row.save(update_fields=["ends_at"])
    return row


def state_of(row: ApiKey) -> str:
    """Say in a word how it stands: works, replaced (and works still), expired, ended."""
    now = clock.now()
    if row.ends_at is not None and row.ends_at <= now:
        return "ended"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "replaced" if row.ends_at is not None else "works"


def _is_over(row: ApiKey) -> bool:
    return state_of(row) in ("ended", "expired")


def _locked(number: int) -> ApiKey:
    row = ApiKey.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise UserError(f"there is no API key {number}")
    return row


def _digest(shown: str) -> str:
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()
