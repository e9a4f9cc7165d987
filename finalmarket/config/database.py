"""The DATABASES setting, computed from the environment; it opens no connection and starts no server.

Without DATABASE_URL the embedded database is meant: the web and the workers come in as `finalmarket_runtime`, which owns
no table and so can switch no trigger off; migrations run as `finalmarket_owner`. With DATABASE_URL any PostgreSQL >= 15:

- DATABASE_URL alone: its user owns the tables, and every connection that does not migrate takes on the role
  `finalmarket_runtime` (SET ROLE), which `finalmarket migrate` makes where the user may create roles.
- DATABASE_URL and DATABASE_MIGRATE_URL: the first is the runtime user, the second the owner.
"""

import os
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from finalmarket.kernel import places
from finalmarket.kernel.errors import UserError

DATABASE_NAME = "finalmarket"
OWNER_ROLE = "finalmarket_owner"
RUNTIME_ROLE = "finalmarket_runtime"


def databases() -> dict[str, dict[str, Any]]:
    """The DATABASES setting."""
    url = os.environ.get("DATABASE_URL")
    settings = from_url(url, "DATABASE_URL") if url else _embedded(RUNTIME_ROLE)
    if url and not os.environ.get("DATABASE_MIGRATE_URL"):
        settings["OPTIONS"]["assume_role"] = RUNTIME_ROLE
    pool = int(os.environ.get("FINALMARKET_POOL", "0"))
    if pool:
        settings["OPTIONS"]["pool"] = {"min_size": 2, "max_size": pool, "timeout": 10}
    return {"default": settings}


def owner_database() -> dict[str, Any]:
    """The connection settings of the owner of the tables: who migrates."""
    url = os.environ.get("DATABASE_MIGRATE_URL") or os.environ.get("DATABASE_URL")
    return from_url(url, "DATABASE_MIGRATE_URL or DATABASE_URL") if url else _embedded(OWNER_ROLE)


def is_embedded() -> bool:
    """Whether the embedded database is in use."""
    return not os.environ.get("DATABASE_URL")


def from_url(url: str, variable: str) -> dict[str, Any]:
    """Connection settings from a libpq address (URL or key=value form). Raises UserError, never echoing the password."""
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
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
    return {"ENGINE": "django.db.backends.postgresql", "PASSWORD": "", "OPTIONS": {}, **given}
