"""How a worker ends: told to, it is done; by itself, it says so, and whoever looks after it starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg import sql

from tests.conftest import TestDatabase
from tests.databases import Server, open_server
from tests.operations.processes import Running, environment, started
from tests.patience import until

LISTENERS = "datname = %s AND backend_type = 'client backend' AND query ILIKE 'LISTEN%%'"


@pytest.fixture
def server() -> Iterator[Server]:
    """A connection of the owner's to the server."""
    with open_server() as connection:
        yield connection


@contextmanager
def worker(server: Server, database: str) -> Iterator[Running]:
    """Within it a worker waits for jobs."""
    arguments = ["finalmarket", "worker", "--concurrency", "2"]
    with started(arguments, environment(database)) as running:
        listens = f"SELECT 1 FROM pg_stat_activity WHERE {LISTENERS}"
        until(
            lambda: running.process.poll() is not None or server.execute(listens, [database]).fetchone(),
            "the worker listens",
        )
        assert running.process.poll() is None, "".join(running.said)
        yield running


def admit(server: Server, database: str, *, anybody: bool) -> None:
    """Whether the database takes new connections from now on."""
    words = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    server.execute(words.format(sql.Identifier(database), sql.Literal(anybody)))


def test_a_worker_whose_line_to_the_database_broke_and_did_not_come_back_at_once_ends_as_one_that_failed(
    committed_database: TestDatabase, server: Server
) -> None:
    name = committed_database.name
    with worker(server, name) as running:
        admit(server, name, anybody=False)
        try:
            cut = server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENERS}", [name])
            assert cut.fetchall() == [(True,)]
            until(lambda: running.process.poll() is not None, "the worker has ended")
        finally:
            admit(server, name, anybody=True)
    assert running.process.returncode == 2
    assert "the worker has ended by itself" in running.said[-1]


def test_a_worker_that_is_told_to_stop_ends_well(committed_database: TestDatabase, server: Server) -> None:
    with worker(server, committed_database.name) as running:
        assert running.stop() == 0
    assert not any("ended by itself" in line for line in running.said)
