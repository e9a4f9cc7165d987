"""The tables are changed while the house is open: nobody who reads waits longer than a migration waits for its lock."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connections

from finalmarket.cli import migrate
from finalmarket.kernel.database import as_owner, owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from tests.conftest import TestDatabase
from tests.patience import PATIENCE_SECONDS, until

LONGEST_SECONDS = 5.0
CHANGE = "ALTER TABLE products ADD COLUMN of_a_later_version int"


def a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later version would do to a table."""

    def call(*given: object, **words: object) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute(CHANGE)

    monkeypatch.setattr(migrate, "call_command", call)


def test_readers_never_wait_long_behind_a_migration_that_waits_for_a_long_transaction(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    a_change(monkeypatch)
    settings, stop, waits = {**owner_database(), "NAME": committed_database.name}, threading.Event(), [0.0]

    def read() -> None:
        with open_connection(settings) as reader:
            while not stop.is_set():
                began = time.monotonic()
                reader.execute("SELECT count(*) FROM products")
                waits.append(time.monotonic() - began)

    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.3)
    pauses: list[float] = []
    with open_connection(settings, autocommit=False) as report:
        report.execute("SELECT count(*) FROM products")  # a long report, in a transaction

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                report.commit()

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            with as_owner():
                migrate._migrate_patiently(0, pause)
        finally:
            stop.set()
            for reader in readers:
                reader.join()

    assert len(pauses) >= 2, "it gave way to the report"
    assert max(waits) < LONGEST_SECONDS
    with open_connection(settings) as owner:
        assert owner.execute("SELECT of_a_later_version FROM products").fetchall() == []
    record_property("longest wait of a reader, ms", round(max(waits) * 1000))


def test_a_table_that_is_never_free_is_told_in_a_sentence(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_change(monkeypatch)
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.02)
    with open_connection({**owner_database(), "NAME": committed_database.name}, autocommit=False) as report:
        report.execute("SELECT count(*) FROM products")
        with as_owner(), pytest.raises(UserError, match="was in use at each of 20 tries"):
            migrate._migrate_patiently(0, lambda seconds: None)


BUILDING = """SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
              AND query LIKE 'CREATE INDEX CONCURRENTLY%'"""
LIKE_A_WRITER = "LOCK TABLE stock_movement IN ROW EXCLUSIVE MODE"


def test_an_index_of_the_ledger_is_built_beside_who_writes_and_waits_for_them_as_long_as_it_takes(
    committed_database: TestDatabase,
) -> None:
    migration = importlib.import_module("finalmarket.stock.migrations.0007_promises_met")
    settings, written = {**owner_database(), "NAME": committed_database.name}, []

    with open_connection(settings, autocommit=False) as writer, open_connection(settings) as eyes:
        eyes.execute("DROP INDEX stock_movement_met")
        writer.execute(LIKE_A_WRITER)

        def write_meanwhile() -> None:
            try:
                until(lambda: eyes.execute(BUILDING).fetchall(), "the index waits for the writer")
                with eyes.transaction():
                    eyes.execute(f"{LIKE_A_WRITER} NOWAIT")
                written.append("beside it")
            finally:
                writer.commit()

        beside = threading.Thread(target=write_meanwhile)
        beside.start()
        with as_owner(), connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '1ms'")
            migration.build(None, SimpleNamespace(connection=connections["default"]))
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("1ms",)
        beside.join(PATIENCE_SECONDS)
        valid = eyes.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'stock_movement_met'::regclass")
        assert (written, valid.fetchall()) == (["beside it"], [(True,)])
