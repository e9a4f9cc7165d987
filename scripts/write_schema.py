"""Write finalmarket/cli/schema.sql, the plan of all tables, from a database migrated step by step: `make schema`.

`written(migrated, empty)` returns the text; a test holds it against the file in the package.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import django
import psycopg
from psycopg import sql

import tests.environment  # noqa: F401  where the tests' database is
from finalmarket.kernel.database import database_ready, owner_database
from finalmarket.kernel.sql import open_connection
from finalmarket.operations import programs

HEAD = """\
-- For PostgreSQL {version} or newer: all tables of an empty database, as the migrations make them.
-- Written by `make schema`; change the migrations, not this.
"""
DUMP = (
    "--schema-only", "--no-owner", "--no-privileges", "--no-comments", "--no-publications", "--no-subscriptions",
    "--no-security-labels", "--no-tablespaces",
)  # fmt: skip
MADE_LATER = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
"""Rows that every call of `finalmarket migrate` writes, whatever was there before."""
SETTINGS = (
    "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
    "client_encoding", "standard_conforming_strings", "check_function_bodies", "xmloption", "client_min_messages",
    "row_security", "default_table_access_method",
)  # fmt: skip
_SET = re.compile(rf"^SET ({'|'.join(SETTINGS)}) = ", re.MULTILINE)
_SEARCH_PATH = "SELECT pg_catalog.set_config('search_path', '', false);"
_OF_THIS_RUN = re.compile(r"^(?:\\(?:un)?restrict .*|-- Dumped .*|-- PostgreSQL database dump.*|--)\n", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")
Connection = psycopg.Connection[tuple[Any, ...]]


def written(migrated: str, empty: str) -> str:
    """The plan of the database `migrated`, by way of the database `empty`.

    What the server writes of a condition reads otherwise once it has read that in turn (fewer brackets, other casts).
    So the plan is dumped from a database that was laid out by a dump: what it lays out then dumps as the plan itself.
    """
    with _open(empty) as connection:
        connection.execute(dumped(migrated))
    return dumped(empty)


def dumped(name: str) -> str:
    """The plan of a database: its tables, its few rows, and which migrations it stands for."""
    with _open(name) as connection:
        version, rows = connection.info.server_version, "\n".join(_rows(connection))
    program = [str(programs.find("pg_dump", version)), *DUMP]
    environment = programs.environment({**owner_database(), "NAME": name})
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    return f"{HEAD.format(version=version // 10_000)}\n{_for_one_transaction(done.stdout)}\n\n{rows}\n"


def _open(name: str) -> Connection:
    return open_connection({**owner_database(), "NAME": name})


def _for_one_transaction(dump: str) -> str:
    """Nothing of this run, nothing that only psql knows, and no setting that would outlast the transaction."""
    kept = _OF_THIS_RUN.sub("", dump).replace(_SEARCH_PATH, _SEARCH_PATH.replace("false", "true"))
    return _EMPTY_LINES.sub("\n\n", _SET.sub(r"SET LOCAL \1 = ", kept)).strip()


def _rows(connection: Connection) -> Iterator[str]:
    """What stands in the tables, by their names; moments are those at which the plan is used."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    for (table,) in tables:
        if table not in MADE_LATER:
            yield from _inserts(connection, table)


def _inserts(connection: Connection, table: str) -> Iterator[str]:
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position", [table],
    ).fetchall()  # fmt: skip
    told = [_now_or_null(name) if kind.startswith("timestamp") else _quoted(name) for name, kind in columns]
    question = sql.SQL("SELECT {} FROM public.{} ORDER BY 1").format(sql.SQL(", ").join(told), sql.Identifier(table))
    names = ", ".join(f'"{name}"' for name, _ in columns)
    rows = connection.execute(question).fetchall()
    for row in sorted(rows, key=_by_number):
        yield f"INSERT INTO public.{table} ({names}) VALUES ({', '.join(row)});"  # noqa: S608  quoted by the server
    if rows and columns[0][0] == "id":
        last = max(map(_by_number, rows))
        yield f"SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('public.{table}', 'id'), {last});"


def _quoted(name: str) -> sql.Composed:
    return sql.SQL("quote_nullable({}::text)").format(sql.Identifier(name))


def _now_or_null(name: str) -> sql.Composed:
    return sql.SQL("CASE WHEN {} IS NULL THEN 'NULL' ELSE 'now()' END").format(sql.Identifier(name))


def _by_number(row: Sequence[str]) -> int:
    return int(row[0].strip("'"))


def main() -> None:
    """Write the file."""
    django.setup()
    from finalmarket.cli.schema import PLAN
    from tests import databases

    database_ready()
    with databases.open_server() as server:
        empty = databases.claim_name(server, "schema")
        databases.make_clone(server, "template0", empty)
        try:
            PLAN.write_text(written(databases.ensure_template(server), empty), encoding="utf-8")
        finally:
            databases.drop(server, empty)


if __name__ == "__main__":
    main()
