"""Which database, as whom, and since when it is ready.

Without DATABASE_URL the embedded database is meant: the web and the workers come in as `finalmarket_runtime`, which
owns no table and so can switch no trigger off; migrations run as `finalmarket_owner`. With it any PostgreSQL >= 15:

- DATABASE_URL alone: its user owns the tables, and every connection that does not migrate takes on the role
  `finalmarket_runtime` (SET ROLE), which `finalmarket migrate` makes where the user may create roles.
- DATABASE_URL and DATABASE_MIGRATE_URL: the first is the runtime user, the second the owner.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from finalmarket.kernel import places
from finalmarket.kernel.embedded import DATABASE_NAME, OWNER_ROLE, RUNTIME_ROLE, installed_server
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection

ENGINE = "django.db.backends.postgresql"
OLDEST_SERVER = 15_00_00
WAIT_VARIABLE, WAIT_SECONDS = "FINALMARKET_WAIT_SECONDS", 10
"""How long a request waits for a connection to come free, and how long for a lock."""
RECONNECT_SECONDS = 2.0


def databases() -> dict[str, dict[str, Any]]:
    """The DATABASES setting."""
    url = os.environ.get("DATABASE_URL")
    if os.environ.get("DATABASE_MIGRATE_URL") and not url:
        raise UserError("DATABASE_MIGRATE_URL is set and DATABASE_URL is not; set both or neither")
    settings = from_url(url, "DATABASE_URL") if url else _embedded(RUNTIME_ROLE)
    if url and not os.environ.get("DATABASE_MIGRATE_URL"):
        settings["OPTIONS"]["assume_role"] = RUNTIME_ROLE
    pool = int(os.environ.get("FINALMARKET_POOL", "0"))
    if pool:
        _serve_many(settings["OPTIONS"], pool)
    return {"default": settings}


def _serve_many(options: dict[str, Any], pool: int) -> None:
    """As a web process has it: so many connections at most, and no request waits for one, or for a lock, without end.

    A pool that cannot connect tries ever more seconds apart, up to minutes. This one gives up early and begins anew at
    once, so that a database that was away for long is found a second or two after it is back.
    """
    wait = float(os.environ.get(WAIT_VARIABLE, WAIT_SECONDS))
    options["pool"] = {
        "min_size": min(2, pool), "max_size": pool, "timeout": wait, "reconnect_timeout": RECONNECT_SECONDS,
        "reconnect_failed": _begin_anew,
    }  # fmt: skip
    if "options" not in options:  # the keeper's own words in DATABASE_URL
        options["options"] = f"-c lock_timeout={int(wait * 1000)}ms"


def _begin_anew(pool: Any) -> None:
    """Have a pool that has given up try again: those who wait for a connection would else wait in vain."""
    pool.check()


def owner_database() -> dict[str, Any]:
    """The connection settings of the owner of the tables: who migrates."""
    url = os.environ.get("DATABASE_MIGRATE_URL") or os.environ.get("DATABASE_URL")
    return from_url(url, "DATABASE_MIGRATE_URL or DATABASE_URL") if url else _embedded(OWNER_ROLE)


def runtime_user() -> str:
    """The role that works with the data: the user of DATABASE_URL where the owner has an address of its own."""
    if os.environ.get("DATABASE_MIGRATE_URL"):
        return str(from_url(os.environ["DATABASE_URL"], "DATABASE_URL")["USER"])
    return RUNTIME_ROLE


def is_embedded() -> bool:
    """Whether the embedded database is in use."""
    return not os.environ.get("DATABASE_URL")


def from_url(url: str, variable: str) -> dict[str, Any]:
    """Connection settings from a libpq address, a URL or key=value pairs. Raises UserError, never echoing the
    password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise UserError(
            f"{variable} is not a PostgreSQL address; it should look like postgresql://user:password@host:5432/name"
        ) from error
    if not parts.get("dbname"):
        raise UserError(f"{variable} names no database; put its name after the last slash")
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    settings = _settings(**{ours: str(parts.pop(theirs, "") or "") for theirs, ours in known.items()})
    settings["OPTIONS"].update(parts)
    return settings


def _embedded(role: str) -> dict[str, Any]:
    return _settings(NAME=DATABASE_NAME, USER=role, HOST=str(places.socket_folder()), PORT="5432")


def _settings(**given: str) -> dict[str, Any]:
    return {"ENGINE": ENGINE, "PASSWORD": "", "CONN_HEALTH_CHECKS": True, "OPTIONS": {}, **given}


_ready: set[int] = set()
_mutex = threading.Lock()


def database_ready() -> None:
    """Have a database that answers; to be called once by whoever opens a door (command line, web, worker, tests).

    Starts the embedded database if nobody has, and stays its user until this process ends. With DATABASE_URL it looks
    whether the server is new enough and whether the runtime role exists. Cheap when called again. Raises UserError.
    """
    with _mutex:
        if os.getpid() in _ready:
            return
        if is_embedded():
            installed_server().join()
        else:
            _look_at_server()
        _ready.add(os.getpid())


def _look_at_server() -> None:
    """Refuse a server that is too old."""
    with open_connection(owner_database()) as connection:
        version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise UserError(f"PostgreSQL 15 or newer is needed; the server of DATABASE_URL is {version // 10_000}")
    settle_role()


def settle_role() -> None:
    """Take on the runtime role from the next connection on, if there is one that we may take on.

    There is none before the first migration, nor where an administrator would have to make it: then we come in as the
    owner, and only triggers guard the ledger.
    """
    from django.db import connections

    if is_embedded() or os.environ.get("DATABASE_MIGRATE_URL"):
        return
    with open_connection(owner_database()) as connection:
        may = connection.execute(
            "SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", [RUNTIME_ROLE]
        ).fetchone()
    options = connections.settings["default"]["OPTIONS"]
    if may is not None and may[0]:
        options["assume_role"] = RUNTIME_ROLE
    else:
        options.pop("assume_role", None)


@contextmanager
def as_owner() -> Iterator[None]:
    """Within it, this thread's Django connection is the owner's: for migrations and grants, nothing else."""
    from django.db import connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    runtime = connections["default"]
    runtime.close()
    owner = {**runtime.settings_dict, **owner_database(), "NAME": runtime.settings_dict["NAME"]}
    connections["default"] = DatabaseWrapper(owner, alias="default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = runtime
