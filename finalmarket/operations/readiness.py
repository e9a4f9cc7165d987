"""Two questions of whoever looks after processes: does it live, and can it work?

`/healthz` asks nobody: who answers, lives. `/readyz` looks whether the database answers, whether it has the tables of
this version, and whether the keys at hand open what is stored; it uses a connection of its own, so that a pool of which
all connections are busy is no reason to be taken out. Answers are kept for a second: asking often costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import cache

import orjson
import psycopg
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse

from finalmarket.kernel import secrets
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_impatiently
from finalmarket.operations import draining

KEPT_SECONDS = 1.0
PATIENCE_SECONDS = 2
DRAINING = "this process is about to stop"
NO_DATABASE = "the database does not answer"
NOT_MIGRATED = "the database does not have the tables of this version: finalmarket migrate"
NO_KEYS = "the encryption keys at hand do not open what is stored"

_mutex = threading.Lock()
_found: tuple[float, tuple[str, ...]] | None = None


def lives(request: HttpRequest) -> HttpResponse:
    """200: this process answers."""
    return _told(200, {"status": "ok"})


def is_ready(request: HttpRequest) -> HttpResponse:
    """200, or 503 with what is in the way, in words that tell nothing of the inside."""
    reasons = (DRAINING,) if draining.is_draining() else _reasons()
    if not reasons:
        return _told(200, {"status": "ok"})
    problem = {
        "type": "urn:finalmarket:problem:not-ready", "title": "The house cannot work now", "status": 503,
        "detail": "; ".join(reasons) + ".", "reasons": list(reasons),
    }  # fmt: skip
    return _told(503, problem, "application/problem+json")


def _told(status: int, body: object, kind: str = "application/json") -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type=kind, headers={"Cache-Control": "no-store"})


def _reasons() -> Sequence[str]:
    global _found
    with _mutex:
        if _found is None or time.monotonic() - _found[0] > KEPT_SECONDS:
            reasons = look()
            _found = time.monotonic(), reasons
        return _found[1]


def forget() -> None:
    """Look anew when asked the next time."""
    global _found
    with _mutex:
        _found = None


def look() -> tuple[str, ...]:
    """What is in the way of working, now."""
    try:
        with open_impatiently("finalmarket readiness", PATIENCE_SECONDS) as connection:
            applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
            if not known_migrations() <= applied:
                return (NOT_MIGRATED,)
            stored = connection.execute("SELECT encrypted FROM credentials ORDER BY id DESC LIMIT 1").fetchone()
    except psycopg.errors.UndefinedTable:
        return (NOT_MIGRATED,)
    except (psycopg.Error, UserError):
        return (NO_DATABASE,)
    return () if stored is None or _opens(bytes(stored[0])) else (NO_KEYS,)


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations of this version."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations or ())


def _opens(stored: bytes) -> bool:
    try:
        secrets.decrypt(stored.decode())
    except UserError:
        return False
    return True
