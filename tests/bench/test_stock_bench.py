"""The stock bench measures real reservations in a database of its own, and leaves nothing behind."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from django.db import connection, connections

from finalmarket.bench import pgbench, scratch
from finalmarket.bench.buyers import trade, trade_in_processes
from finalmarket.bench.market import UNITS, lay_out
from finalmarket.bench.stock import _Wishes
from finalmarket.cli import run
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from finalmarket.stock.check import differences
from finalmarket.stock.models import ReservationLine, StockPool
from tests.conftest import TestDatabase

pytestmark = pytest.mark.committed_database


def scratch_databases() -> list[str]:
    with open_connection() as onlooker:
        rows = onlooker.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [scratch.PREFIX])
        return [row[0] for row in rows]


@pytest.fixture
def forgetful_server_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' server does not wait for the disk, and no figure is taken here."""
    monkeypatch.setattr(scratch, "_refuse_forgetful", lambda server: None)


@pytest.fixture
def database(committed_database: TestDatabase) -> Iterator[str]:
    yield committed_database.name


def test_a_server_that_answers_before_it_has_stored_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_connection() as server:
        server.execute("SET synchronous_commit = off")
        with pytest.raises(UserError, match="is off in this server"):
            scratch._refuse_forgetful(server)


def make_a_table() -> None:
    """What stands for migrations, which take long."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_by_a_test ()")


@pytest.mark.usefixtures("forgetful_server_is_fine")
def test_a_scratch_database_has_its_tables_and_is_gone_at_the_end(database: str) -> None:
    with pytest.raises(ZeroDivisionError), scratch.scratch_database(make_a_table) as name:
        assert connections["default"].settings_dict["NAME"] == name
        assert name in scratch_databases()
        assert connection.introspection.table_names() == ["made_by_a_test"]
        raise ZeroDivisionError
    assert connections["default"].settings_dict["NAME"] == database
    assert name not in scratch_databases()


def test_the_market_is_listed_under_its_policies_and_its_books_agree() -> None:
    market = lay_out(20)
    assert len(market.variants) == 20
    assert {pool.on_hand for pool in StockPool.objects.all()} == {UNITS}
    assert {pool.fenced for pool in StockPool.objects.all()} == {1_500}
    assert differences() == []


def test_buyers_are_served_what_they_ask_for() -> None:
    market = lay_out(150)
    one = _Wishes(market, market.variants[:1], "one")
    assert trade(20, 0.2, one.unit).per_second > 0
    everything = _Wishes(market, market.variants, "all", random.Random(3))
    assert trade(5, 0.2, everything.hundred_lines).percentile_ms(99) > 0
    lines = ReservationLine.objects.filter(reservation__key__startswith="all: ")
    assert lines.count() % 100 == 0
    shares = trade_in_processes(2, 4, 1.0, _Wishes(market, market.variants[1:2], "rivals").unit)
    assert len(shares) == 2
    assert min(shares) > 0


def test_the_baselines_reserve_by_the_same_function(database: str) -> None:
    market = lay_out(150)
    variables = {"first_variant": market.variants[0], "last_variant": market.variants[-1], "variants": 150}
    variables |= {"first_channel": market.channels[0], "last_channel": market.channels[-1]}
    for script in (pgbench.RESERVE_ONE, pgbench.RESERVE_HUNDRED_LINES):
        assert pgbench.per_second(database, script, clients=4, seconds=1, variables=variables) > 0
    assert ReservationLine.objects.exists()
    with pytest.raises(UserError, match="pgbench failed"):
        pgbench.per_second(database, "SELECT * FROM nowhere;", clients=1, seconds=1)


def test_the_bare_statement_takes_a_unit_and_writes_it_down(database: str) -> None:
    pgbench.make_bare_tables(database)
    assert pgbench.per_second(database, pgbench.BARE_STATEMENT, clients=2, seconds=1) > 0
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT (SELECT reserved FROM bench_bare_stock) - (SELECT count(*) FROM bench_bare_ledger)")
        assert cursor.fetchone() == (0,)


def test_an_unknown_bench_is_a_mistake_of_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "nothing"]) == 2
    assert "No such command 'nothing'" in capsys.readouterr().err
