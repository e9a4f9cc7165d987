"""SQL that lives in files, rows by COPY, and connections outside Django's."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from finalmarket.kernel.errors import DatabaseAway

_NAME = re.compile(r"--\s*name:\s*(\w+)\s*$")


class Queries(Mapping[str, str]):
    """The named queries of a file: each begins with a line `-- name: reserve` and ends where the next begins.

    >>> queries = Queries(Path(__file__).with_name("queries.sql"))      # doctest: +SKIP
    >>> cursor.execute(queries["reserve"], {"requests": requests})      # doctest: +SKIP
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = _split(path)

    def __getitem__(self, name: str) -> str:
        try:
            return self._queries[name]
        except KeyError:
            raise KeyError(f"{self._path.name} has no query named {name}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def _split(path: Path) -> dict[str, str]:
    blocks: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = _NAME.match(line)
        if match is not None:
            name = match[1]
            if name in blocks:
                raise ValueError(f"{path}:{number}: two queries are named {name}")
            blocks[name] = []
        elif name:
            blocks[name].append(line)
        elif line.strip() and not line.startswith("--"):
            raise ValueError(f"{path}:{number}: SQL before the first `-- name:` line")
    return {name: "\n".join(lines).strip() for name, lines in blocks.items()}


def copy_rows(
    cursor: Any,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    types: Sequence[str] | None = None,
) -> int:
    """Write rows into a table by COPY; returns how many. Ten times as fast as single inserts, and streamed.

    `cursor` is Django's or psycopg's. With `types` (a PostgreSQL type name per column) the binary form is used, which
    is stricter and faster. Database errors come through as psycopg's own.
    """
    form = sql.SQL(" (FORMAT BINARY)") if types else sql.SQL("")
    statement = sql.SQL("COPY {} ({}) FROM STDIN{}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), form
    )
    written = 0
    with cursor.copy(statement) as copy:
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)
            written += 1
    return written


def open_connection(
    settings: dict[str, Any] | None = None, *, autocommit: bool = True
) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of its own, outside Django's: same server, same database (a test's too), same role.

    `settings` is an entry of DATABASES, by default the one in use. The caller closes it. Raises DatabaseAway when
    the server cannot be reached.
    """
    from django.db import connections

    chosen = settings or connections["default"].settings_dict
    try:
        connection = psycopg.connect(**connection_options(chosen), autocommit=True)
    except psycopg.OperationalError as error:
        where = chosen.get("HOST") or "the local socket"
        raise DatabaseAway(
            f"cannot connect to the database at {where}: {str(error).splitlines()[-1].strip()}"
        ) from error
    role = chosen["OPTIONS"].get("assume_role")
    if role:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    connection.autocommit = autocommit
    return connection


def open_impatiently(name: str, most_seconds: int) -> "psycopg.Connection[tuple[Any, ...]]":
    """As `open_connection`, for who would rather know nothing than wait: connecting and each statement take at most so
    many seconds. The server shows the connection under this name."""
    from django.db import connections

    settings = connections["default"].settings_dict
    options = {**settings["OPTIONS"], "connect_timeout": most_seconds, "application_name": name}
    connection = open_connection({**settings, "OPTIONS": options})
    connection.execute(f"SET statement_timeout = '{most_seconds}s'")
    return connection


def connection_options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What psycopg has to be told to connect as an entry of DATABASES says."""
    options = {key: value for key, value in settings["OPTIONS"].items() if key not in ("pool", "assume_role")}
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return options | {theirs: settings[ours] for theirs, ours in names.items() if settings.get(ours)}
