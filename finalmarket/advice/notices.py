"""What operators are told: who finds it, who may see it, what is unread, what is muted.

Rooms say what is so by a source: `@source("integration", ...)` on a function that yields what is true now. A notice is
open as long as its source says it, told once while it is open, and closes by itself. Higher rooms register sources of
their own (integrations/operators_told.py), so that this room need not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from finalmarket.advice.models import Notice, NoticeReading, NoticeWish
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("notices.sql"))
LOCK = 7_240_520  # one look at a time
URGENT, NORMAL = Notice.Urgency.URGENT.value, Notice.Urgency.NORMAL.value
MOST = 2_000  # open notices of one source; more help nobody

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is so: `key` says what it is about within its kind, `about` which record (variant:12)."""

    key: str
    title: str
    text: str
    urgency: str = NORMAL
    about: str = ""


Look = Callable[[], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Source:
    """Who finds notices of one kind, what the kind is called, and the permission that seeing them needs."""

    kind: str
    title: str
    permission: str
    look: Look


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a look came to: notices that are open, new ones, closed ones, and sources that failed."""

    open: int
    new: int
    closed: int
    failed: tuple[str, ...]


_sources: dict[str, Source] = {}


def source(kind: str, *, title: str, permission: str) -> Callable[[Look], Look]:
    """Register the function as the one that finds notices of `kind`. Raises ValueError for a kind that has one."""

    def register(look: Look) -> Look:
        if kind in _sources:
            raise ValueError(f"two sources find notices of the kind {kind}")
        _sources[kind] = Source(kind, title, permission, look)
        return look

    return register


def sources() -> Mapping[str, Source]:
    """All sources by kind."""
    return MappingProxyType(_sources)


def gather() -> Gathered:
    """Ask every source what is so; open what is new, close what is not so any more.

    A source that fails is logged and its notices stay as they are; the others go on.
    """
    opened = new = closed = 0
    failed = []
    for one in _sources.values():
        try:
            with transaction.atomic():
                kept, fresh, gone = _keep(one)
        except Exception as error:  # one source must not silence the others
            log.error("notices.source_failed", kind=one.kind, error=type(error).__name__, exc_info=True)
            failed.append(one.kind)
            continue
        opened, new, closed = opened + kept, new + fresh, closed + gone
    return Gathered(opened, new, closed, tuple(failed))


def visible_kinds(user: AbstractUser) -> list[str]:
    """The kinds of notices that this user may see."""
    return [one.kind for one in _sources.values() if user.has_perm(one.permission)]


def heard_kinds(user: AbstractUser) -> list[str]:
    """The kinds that this user may see and has not muted."""
    muted = set(NoticeWish.objects.filter(user_id=user.pk, is_muted=True).values_list("kind", flat=True))
    return [kind for kind in visible_kinds(user) if kind not in muted]


def notices_for(user: AbstractUser, *, unread_only: bool = False) -> QuerySet[Any]:
    """The notices of this user's kinds, open and closed, muted ones too; `is_read` says which were read."""
    readings = NoticeReading.objects.filter(user_id=user.pk, notice_id=OuterRef("pk"))
    found = Notice.objects.filter(kind__in=visible_kinds(user)).annotate(is_read=Exists(readings))
    return found.filter(is_read=False) if unread_only else found


def unread_count(user: object, most: int = 100) -> int:
    """How many open notices this user has not read, muted ones not counted; never more than `most`."""
    if not isinstance(user, AbstractUser) or not (kinds := heard_kinds(user)):
        return 0
    readings = NoticeReading.objects.filter(user_id=user.pk, notice_id=OuterRef("pk"))
    return Notice.objects.filter(~Exists(readings), closed_at=None, kind__in=kinds)[:most].count()


def mark_read(user: AbstractUser, notice_ids: list[int] | None = None) -> int:
    """Note that the user has read these open notices (None: all of theirs); return how many were unread."""
    values = {"user": user.pk, "now": clock.now(), "kinds": visible_kinds(user), "chosen": notice_ids}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["read"], values)
        return int(cursor.rowcount)


def wish(user: AbstractUser, kind: str, *, mail: str, is_muted: bool) -> NoticeWish:
    """Note what the user wants to hear of one kind. Raises UserError for a kind or a way that there is not."""
    if kind not in _sources:
        raise UserError(f"there are no notices of the kind {kind}")
    if mail not in NoticeWish.Mail.values:
        raise UserError(f"notices are mailed {', '.join(NoticeWish.Mail.values)}, not {mail}")
    kept, _ = NoticeWish.objects.update_or_create(
        user_id=user.pk, kind=kind, defaults={"mail": mail, "is_muted": is_muted}
    )
    return kept


def _keep(one: Source) -> tuple[int, int, int]:
    """Write what one source says; return how many notices are open, new and closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        found = {item.key: item for item in one.look()}
        items = list(found.values())[:MOST]
        values: dict[str, Any] = {
            "kind": one.kind, "now": clock.now(), "key": [item.key for item in items],
            "urgency": [item.urgency for item in items], "title": [item.title[:200] for item in items],
            "text": [item.text[:1000] for item in items], "about": [item.about for item in items],
        }  # fmt: skip
        cursor.execute(QUERIES["keep"], values)
        new = sum(is_new for (is_new,) in cursor.fetchall())
        cursor.execute(QUERIES["close"], values)
        return len(items), new, int(cursor.rowcount)
