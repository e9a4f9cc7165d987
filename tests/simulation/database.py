"""A PostgreSQL whose clock stands where the simulation puts it, and that goes back to its opening state in one step.

PostgreSQL looks functions up along the search path. The schema `virtual` stands before `pg_catalog` in it, and its
`now()`, `clock_timestamp()`, `statement_timestamp()` and `transaction_timestamp()` read a setting of the session: so
the very SQL and PL/pgSQL of the house, unchanged, runs in virtual time, expiry of holds included. Defaults of columns
were bound to the real functions when they were made; they are bound anew here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections
from psycopg import sql

from tests import databases, emptying

SETTING = "virtual.now"
CLOCKS = ("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp")
OPENING = "opening"

MAKE_CLOCK = """
CREATE SCHEMA virtual;
GRANT USAGE ON SCHEMA virtual TO PUBLIC;
"""

ONE_CLOCK = """
CREATE FUNCTION virtual.{name}() RETURNS timestamptz LANGUAGE sql STABLE
RETURN pg_catalog.current_setting('virtual.now')::timestamptz
"""

# Defaults that ask the real clock, in all tables.
BIND_ANEW = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT attrelid::regclass AS relation, attname, pg_get_expr(adbin, adrelid) AS expression
        FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE attrelid::regclass::text !~ 'procrastinate' AND attgenerated = ''
          AND pg_get_expr(adbin, adrelid) ~* '(now|clock_timestamp|statement_timestamp|current_timestamp)'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT virtual.clock_timestamp()',
                       found.relation, found.attname);
    END LOOP;
END $$
"""

SEQUENCES = "SELECT seqrelid::regclass::text, seqstart, pg_sequence_last_value(seqrelid) FROM pg_sequence ORDER BY 1"


class Stage:
    """The database of one process of the simulation: opened as it was when `keep` was called, as often as wanted."""

    def __init__(self, owner: emptying.Owner) -> None:
        self._owner = owner
        self._tables = [name for (name,) in owner.execute(emptying.TABLES)]
        self._kept: list[str] = []
        self._sequences: dict[str, tuple[int, int | None]] = {}
        self._openings = 0

    def keep(self) -> None:
        """What stands in the database now is what every run begins with."""
        self._owner.execute(f"CREATE SCHEMA {OPENING}")
        self._kept = emptying.with_rows(self._owner, self._tables)
        for name in self._kept:
            self._owner.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(_copy(name), sql.SQL(name)))
        self._sequences = {name: (start, last) for name, start, last in self._owner.execute(SEQUENCES)}
        self._owner.execute("ANALYZE")

    def open(self) -> None:
        """Make it as it was when it was kept: rows and sequences."""
        written = set(emptying.with_rows(self._owner, self._tables)) | set(self._kept)
        with self._owner.transaction():
            self._owner.execute("SET LOCAL session_replication_role = replica")
            for name in sorted(written):
                self._owner.execute(sql.SQL("DELETE FROM {}").format(sql.SQL(name)))
            for name in self._kept:
                self._owner.execute(sql.SQL("INSERT INTO {} TABLE {}").format(sql.SQL(name), _copy(name)))
            for name, start, last in self._owner.execute(SEQUENCES).fetchall():
                was = self._sequences[name][1]
                if last != was:
                    self._owner.execute("SELECT setval(%s::regclass, %s, %s)", [name, was or start, was is not None])
        self._openings += 1
        if self._openings % VACUUM_EVERY == 0:
            self._owner.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(map(sql.SQL, sorted(written)))))


VACUUM_EVERY = 20


def _copy(name: str) -> sql.Identifier:
    return sql.Identifier(OPENING, name.strip('"'))


@contextmanager
def stage(worker: str) -> Iterator[Stage]:
    """Within it Django works on a database of this process's own, in virtual time; removed at the end."""
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    with databases.open_server() as server:
        template = databases.ensure_template(server)
        name = databases.claim_name(server, f"simulation_{worker}")
        databases.make_clone(server, template, name)
        path = sql.SQL("ALTER DATABASE {} SET search_path = virtual, public, pg_catalog").format(sql.Identifier(name))
        later = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name))
        server.execute(path)
        server.execute(later)
        owner = databases.open_as_owner(name)
        connections.close_all()
        settings["NAME"] = name
        try:
            owner.execute(MAKE_CLOCK)
            for clock in CLOCKS:
                owner.execute(ONE_CLOCK.format(name=clock))
            owner.execute(BIND_ANEW)
            tell(owner, datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
            yield Stage(owner)
        finally:
            connections.close_all()
            settings["NAME"] = before
            owner.close()
            databases.drop(server, name)


def tell(owner: emptying.Owner, at: datetime) -> None:
    """What time it is, for a session of the owner's."""
    owner.execute("SELECT set_config('virtual.now', %s, false)", [at.isoformat()])
