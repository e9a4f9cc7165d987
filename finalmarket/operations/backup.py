"""A backup while the house is open: one snapshot of the database, dumped and summed up at the same moment."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from finalmarket import __version__
from finalmarket.kernel import clock
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from finalmarket.operations import archive, programs
from finalmarket.operations.archive import Manifest

Connection = psycopg.Connection[tuple[Any, ...]]

MISSING = (
    "the keys with which secrets are encrypted (FINALMARKET_SECRET_KEYS, or encryption-keys in the data folder)",
    "the key that signs sessions (FINALMARKET_SECRET_KEY, or secret-key in the data folder)",
    "the settings of the environment, and the Parquet files of the lake, which can be written anew",
)
BOOKS = ("stock_pool", "stock_item", "stock_movement", "reservation_line", "orders", "order_lines", "payments")
"""Tables of which every value of every row is summed up, beside the number of their rows."""
TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND NOT relispartition ORDER BY relname"""


def make(target: Path, settings: dict[str, Any] | None = None) -> Manifest:
    """Write a backup of the database (default: ours) to a file that is not there yet; return what it is of.

    Nobody waits for it. Raises UserError.
    """
    if target.exists():
        raise UserError(f"{target} is there already; choose another name")
    if not target.parent.is_dir():
        raise UserError(f"there is no folder {target.parent}")
    chosen = settings or ours()
    with open_connection(chosen, autocommit=False) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = _row(connection, "SELECT pg_export_snapshot()")
        manifest = _manifest(connection)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
            dump = Path(folder) / archive.DUMP
            _dump(dump, snapshot, chosen, connection.info.server_version)
            archive.write(target, manifest, dump)
    return manifest


def ours() -> dict[str, Any]:
    """The database that this house works on, as its owner."""
    return {**owner_database(), "NAME": connections["default"].settings_dict["NAME"]}


def _manifest(connection: Connection) -> Manifest:
    connection.execute("SET LOCAL timezone = 'UTC'")
    try:
        migrations = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise UserError("there is nothing to back up: the database has no tables yet") from error
    tables = [name for (name,) in connection.execute(TABLES)]
    return Manifest(
        archive.FORMAT, __version__, connection.info.server_version, clock.now().isoformat(),
        [list(one) for one in migrations], counted(connection, tables),
        marked(connection, [name for name in BOOKS if name in tables]), list(MISSING),
    )  # fmt: skip


def counted(connection: Connection, tables: list[str]) -> dict[str, int]:
    """How many rows each of these tables has."""
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM public.{}").format(sql.Literal(name), sql.Identifier(name)) for name in tables
    )
    return {name: int(rows) for name, rows in connection.execute(asked)}


def marked(connection: Connection, tables: list[str]) -> dict[str, str]:
    """A sum over every value of every row of these tables, whatever the order of the rows."""
    return {name: str(_row(connection, mark_of(name))[0]) for name in tables}


def mark_of(table: str) -> str:
    """The question for the sum over a table."""
    return f"SELECT coalesce(sum(hashtextextended(told::text, 0)), 0)::text FROM public.{table} told"  # noqa: S608


def _dump(dump: Path, snapshot: str, settings: dict[str, Any], server_version: int) -> None:
    program = [
        str(programs.find("pg_dump", server_version)), "--format=custom", "--no-owner", "--no-privileges",
        "--no-password", f"--snapshot={snapshot}", f"--file={dump}",
    ]  # fmt: skip
    done = subprocess.run(program, env=programs.environment(settings), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        *_, reason = ["no reason was given", *done.stderr.strip().splitlines()]
        raise UserError(f"the database could not be dumped: {reason}")


def _row(connection: Connection, question: str) -> tuple[Any, ...]:
    row = connection.execute(question).fetchone()  # our own words, put together
    return tuple(row or ())
