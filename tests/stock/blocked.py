"""Holding a variant's pool, so that a desk's call waits at the database and others queue behind it. Nothing sleeps:
what is waited for is looked up until it is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from finalmarket.catalog.models import Variant
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import open_connection
from finalmarket.stock.clerk import APPLICATION_NAME
from finalmarket.stock.desk import Desk
from finalmarket.stock.models import StockLocation
from finalmarket.stock.reserve import Request, Verdict
from tests.patience import PATIENCE_SECONDS


@contextmanager
def pool_of(variant: Variant) -> Iterator[None]:
    """Within it another transaction holds the variant's pool: whoever reserves it waits."""
    with open_connection(autocommit=False) as other:
        other.execute("SELECT FROM stock_pool WHERE variant_id = %s FOR UPDATE", [variant.pk])
        yield
        other.rollback()


@contextmanager
def item_of(variant: Variant, place: StockLocation) -> Iterator[None]:
    """Within it another transaction holds what lies of the variant at that place: whoever books it waits."""
    with open_connection(autocommit=False) as other:
        other.execute(
            "SELECT FROM stock_item WHERE variant_id = %s AND location_id = %s FOR UPDATE", [variant.pk, place.pk]
        )
        yield
        other.rollback()


class Buyers:
    """Threads that each bring one request to a desk, and what they got."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.verdicts: dict[str, Verdict] = {}
        self.errors: dict[str, BaseException] = {}
        self._threads: list[threading.Thread] = []

    def send(self, *requests: Request, timeout: float = PATIENCE_SECONDS) -> None:
        """Let a thread of its own bring each request."""
        for request in requests:
            thread = threading.Thread(target=self._ask, args=(request, timeout))
            self._threads.append(thread)
            thread.start()

    def _ask(self, request: Request, timeout: float) -> None:
        try:
            self.verdicts[request.key] = self.desk.reserve(request, timeout=timeout)
        except Exception as error:
            self.errors[request.key] = error

    def wait(self) -> None:
        """Until every thread has its verdict or its error."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "a buyer was forgotten"


def onlooker() -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that may see what others wait for: as the owner, where tests work in the role of production."""
    return open_connection({**owner_database(), "NAME": connections["default"].settings_dict["NAME"]})


def desk_backends() -> list[int]:
    """The server processes that serve desks in this database."""
    with onlooker() as eyes:
        rows = eyes.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database() ORDER BY 1",
            [APPLICATION_NAME],
        )
        return [row[0] for row in rows]


def a_desk_waits_for_a_lock() -> bool:
    """Whether a desk's call stands before a locked row."""
    with onlooker() as eyes:
        row = eyes.execute(
            """SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()
               AND wait_event_type = 'Lock'""",
            [APPLICATION_NAME],
        ).fetchone()
        return bool(row and row[0])


def waiting() -> int:
    """How many wait for somebody else's lock."""
    with onlooker() as eyes:
        row = eyes.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return int(row[0]) if row else 0


def somebody_waits_for_a_transaction() -> bool:
    """Whether anyone in this database waits to hear how another transaction ends."""
    with onlooker() as eyes:
        row = eyes.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event = 'transactionid'"""
        ).fetchone()
        return bool(row and row[0])
