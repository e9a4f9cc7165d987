"""Test databases: one migrated template per state of the migrations, and clones of it.

Several runs of several people may use one server at once. Whoever uses a database holds an advisory lock named after
it; only a database whose lock is free, because its run has ended or was killed, is ever removed by another run.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import procrastinate
import psycopg
from django.db import connections
from psycopg import sql

from finalmarket.cli.migrate import apply_migrations
from finalmarket.cli.schema import PLAN
from finalmarket.kernel.database import is_embedded, owner_database
from finalmarket.kernel.sql import open_connection

PACKAGE = Path(__file__).resolve().parents[1] / "finalmarket"
TEMPLATES_KEPT = 6
Server = psycopg.Connection[tuple[Any, ...]]


def open_server() -> Server:
    """A connection of the owner's to the server, not to a test's database."""
    settings = owner_database()
    return open_connection({**settings, "NAME": "postgres" if is_embedded() else settings["NAME"]})


def open_as_owner(name: str) -> Server:
    """A connection of the owner's to a test's database; it waits for nobody long."""
    connection = open_connection({**owner_database(), "NAME": name})
    connection.execute("SET statement_timeout = '20s'")
    return connection


def template_name() -> str:
    """The name of the template for the migrations, SQL files and grants as they are now."""
    digest = hashlib.sha256(f"{django.__version__} {procrastinate.__version__} {owner_database()['USER']}".encode())
    written_later = {PLAN}
    files = {*PACKAGE.glob("*/migrations/*.py"), *PACKAGE.rglob("*.sql")} - written_later
    others = (PACKAGE / name for name in ("cli/migrate.py", "access/roles.py", "kernel/grants.py"))
    for path in sorted([*files, *others]):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return f"fm_template_{digest.hexdigest()[:12]}"


def ensure_template(server: Server) -> str:
    """The migrated template, made now if nobody has; several runs may ask at once."""
    name = template_name()
    with _lock(server, "fm_template"):
        if not _exists(server, name):
            if is_embedded():  # what survives a killed process needs no fsync; only a power cut does
                server.execute("ALTER SYSTEM SET fsync = off")
                server.execute("ALTER SYSTEM SET full_page_writes = off")
                server.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
                # What was rolled back lies in the files: counted as no rows on many pages, it would mislead the planner
                # of the next test, at a moment of its own choosing.
                server.execute("ALTER SYSTEM SET autovacuum = off")
                server.execute("SELECT pg_reload_conf()")
            _make_template(server, name)
            _remove_old_templates(server, name)
    return name


def _make_template(server: Server, name: str) -> None:
    draft = f"fm_draft_{secrets.token_hex(6)}"
    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(draft)))
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    settings["NAME"] = draft
    try:
        apply_migrations(verbosity=0, by_plan=False)
        with open_connection({**owner_database(), "NAME": draft}) as connection:
            connection.execute("VACUUM ANALYZE")
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
        server.execute(rename)
        stamp = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(f"{time.time():.0f}"))
        server.execute(stamp)
    except BaseException:
        drop(server, draft)
        raise
    finally:
        settings["NAME"] = before


def _remove_old_templates(server: Server, current: str) -> None:
    rows = server.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE 'fm\\_template\\_%%' AND datname <> %s"
        " ORDER BY shobj_description(oid, 'pg_database') DESC NULLS LAST OFFSET %s",
        [current, TEMPLATES_KEPT],
    ).fetchall()
    for (name,) in rows:
        drop(server, name)


def make_clone(server: Server, template: str, name: str) -> None:
    """A fresh database from the template, in the place of one with this name if there is one."""
    drop(server, name)
    # Concurrent clones of one template wait for each other's locks; a copy by pages needs no checkpoint.
    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop(server: Server, name: str) -> None:
    """Remove a database and whoever is connected to it."""
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def claim_name(server: Server, worker: str) -> str:
    """A name for this process's database, claimed until `server` is closed. Databases of dead runs are removed."""
    rows = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'fm\\_run\\_%'").fetchall()
    for (left_over,) in rows:
        if _try_lock(server, left_over):
            drop(server, left_over)
            server.execute("SELECT pg_advisory_unlock(%s)", [_key(left_over)])
    name = f"fm_run_{os.getpid()}_{secrets.token_hex(3)}_{worker}"
    _try_lock(server, name)
    return name


def _try_lock(server: Server, name: str) -> bool:
    row = server.execute("SELECT pg_try_advisory_lock(%s)", [_key(name)]).fetchone()
    return bool(row and row[0])


@contextmanager
def _lock(server: Server, name: str) -> Iterator[None]:
    server.execute("SELECT pg_advisory_lock(%s)", [_key(name)])
    try:
        yield
    finally:
        server.execute("SELECT pg_advisory_unlock(%s)", [_key(name)])


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _exists(server: Server, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
