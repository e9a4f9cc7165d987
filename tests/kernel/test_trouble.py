"""What the database has against everybody is told from what it has against a call."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DataError, IntegrityError, InternalError, OperationalError
from psycopg import errors
from psycopg_pool import PoolTimeout

from finalmarket.kernel import database
from finalmarket.kernel.errors import DatabaseAway, UserError
from finalmarket.kernel.trouble import AWAY, FULL, READ_ONLY, TAKEN, Trouble, trouble_of


def wrapped(error: Exception, by: type[Exception]) -> Exception:
    """As Django raises what psycopg raised."""
    try:
        raise by("wrapped") from error
    except by as raised:
        return raised


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (wrapped(errors.ReadOnlySqlTransaction(), InternalError), READ_ONLY),
        (errors.ReadOnlySqlTransaction(), READ_ONLY),
        (wrapped(errors.DiskFull(), OperationalError), FULL),
        (errors.DiskFull(), FULL),
        (wrapped(errors.TooManyConnections(), OperationalError), TAKEN),
        (wrapped(PoolTimeout(), OperationalError), TAKEN),
        (wrapped(errors.AdminShutdown(), OperationalError), AWAY),
        (wrapped(errors.LockNotAvailable(), OperationalError), AWAY),
        (psycopg.OperationalError("connection refused"), AWAY),
        (DatabaseAway("cannot connect"), AWAY),
        (wrapped(errors.DataCorrupted(), InternalError), None),
        (IntegrityError("twice"), None),
        (DataError("too long"), None),
        (UserError("a mistake"), None),
        (RuntimeError("ours"), None),
    ],
    ids=lambda one: one.sentence[:40] if isinstance(one, Trouble) else type(getattr(one, "__cause__", one)).__name__,
)
def test_the_trouble_is_known_by_the_servers_own_word(error: Exception, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble


def test_what_somebody_has_to_put_right_is_asked_for_later_than_what_passes_by_itself() -> None:
    assert min(READ_ONLY.retry_seconds, FULL.retry_seconds) > max(AWAY.retry_seconds, TAKEN.retry_seconds)


def test_a_web_process_waits_as_long_for_a_connection_and_for_a_lock_as_its_keeper_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("FINALMARKET_POOL", "8")
    monkeypatch.setenv("FINALMARKET_WAIT_SECONDS", "2.5")
    options = database.databases()["default"]["OPTIONS"]
    assert options["pool"]["timeout"] == 2.5
    assert options["options"] == "-c lock_timeout=2500ms"
    assert options["pool"]["reconnect_timeout"] < 5, "a database that was away for long is found soon"


def test_the_keepers_own_words_to_the_server_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/market?options=-c%20lock_timeout%3D1s")
    monkeypatch.setenv("FINALMARKET_POOL", "8")
    assert database.databases()["default"]["OPTIONS"]["options"] == "-c lock_timeout=1s"
