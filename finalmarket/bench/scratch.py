"""A scratch database in the running server: made from the migrations, gone at the end."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from finalmarket.kernel.database import is_embedded, owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection

PREFIX = "finalmarket_bench_"
Server = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def scratch_database(migrate: Callable[[], object]) -> Iterator[str]:
    """Within it, Django works on a new database that `migrate` has filled with tables; yields its name.

    What killed runs left behind is removed first. Raises UserError when the user may not create databases, or when
    the server answers before it has stored (fsync or synchronous_commit is off): such figures would mean nothing.
    """
    owner = owner_database()
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    with open_connection({**owner, "NAME": "postgres" if is_embedded() else owner["NAME"]}) as server:
        _refuse_forgetful(server)
        _remove_left_overs(server)
        name = f"{PREFIX}{os.getpid()}_{secrets.token_hex(3)}"
        server.execute("SELECT pg_advisory_lock(%s)", [_key(name)])
        try:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserError(
                "the bench needs a database user that may create databases (ALTER ROLE ... CREATEDB)"
            ) from error
        try:
            work_on(name)
            migrate()
            yield name
        finally:
            work_on(before)
            _drop(server, name)


def work_on(name: str) -> None:
    """Let Django's connections of this process go to the database `name`, as a child of a bench does."""
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name


def _refuse_forgetful(server: Server) -> None:
    for setting in ("fsync", "synchronous_commit"):
        row = server.execute("SELECT current_setting(%s)", [setting]).fetchone()
        if row is None or row[0] == "off":
            raise UserError(f"{setting} is off in this server; figures count only where answers are kept: turn it on")


def _remove_left_overs(server: Server) -> None:
    """Drop scratch databases whose lock is free: whoever made them has ended."""
    rows = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX]).fetchall()
    for (name,) in rows:
        row = server.execute("SELECT pg_try_advisory_lock(%s)", [_key(name)]).fetchone()
        if row and row[0]:
            _drop(server, name)
            server.execute("SELECT pg_advisory_unlock(%s)", [_key(name)])


def _drop(server: Server, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
