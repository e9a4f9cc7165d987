"""A test's database made as it was when it was cloned, without cloning it anew: a tenth of the work.

What was written is deleted, rows of the template that were changed are put back, sequences begin again. Whatever cannot
be undone so (tables or functions that were made or changed, much data) is left to a fresh clone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

Owner = psycopg.Connection[tuple[Any, ...]]
MOST_BYTES = 6_000_000  # of tables, above what a clone has: from here on it is quicker to clone
LOOKS, SECONDS_BETWEEN_LOOKS = 5_000, 0.001  # whoever waits for the end of a session is told of it 100 ms later

OTHERS = """
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> {kept}
        AND backend_type = 'client backend'"""


def _marked(catalog: str, which: str = "true") -> str:
    """A mark of these rows of a catalogue that changes with any of them."""
    return f"""(SELECT (sum(rows), sum(rows * writer::text::bigint))::text FROM (
        SELECT xmin AS writer, count(*) AS rows FROM {catalog} WHERE {which} GROUP BY xmin) AS written)"""


# Everything of the schema that a test could change. The files of a table, and what is known of its size, are not: who
# truncates a table has written its row in pg_class, and is found to have changed nothing by what stands in it.
WRITTEN = ", ".join([
    *(_marked(catalog, f"{number} >= 16384") for catalog, number in (
        ("pg_attribute", "attrelid"), ("pg_constraint", "oid"), ("pg_trigger", "oid"), ("pg_index", "indexrelid"),
        ("pg_proc", "oid"))),
    *map(_marked, ("pg_sequence", "pg_attrdef", "pg_statistic_ext", "pg_default_acl", "pg_largeobject_metadata")),
    _marked("pg_namespace", "nspname !~ '^pg_(toast_)?temp_'"),
    "(SELECT (count(*), sum(hashtextextended(setting::text, 0)))::text FROM pg_db_role_setting AS setting)",
])  # fmt: skip
QUICK = f"SELECT {_marked('pg_class', 'oid >= 16384')}, {WRITTEN}"
SCHEMA = f"""
    SELECT (SELECT sum(hashtextextended((oid, relname, relkind, relowner, relacl, reloptions, relchecks, relhasrules,
                relhastriggers, relrowsecurity, relispartition)::text, 0)) FROM pg_class WHERE oid >= 16384),
           {WRITTEN}"""

TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"""

PARTITIONS = TABLES.replace("relkind = 'r'", "relkind = 'r' AND relispartition")
SEQUENCES = "SELECT seqrelid, seqstart, pg_sequence_last_value(seqrelid) FROM pg_sequence"
BYTES = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
MAY = "SELECT has_parameter_privilege('session_replication_role', 'SET') AND current_setting('is_superuser') = 'on'"


@dataclass
class Clone:
    """What a fresh clone is like: its schema and how that looks at a glance, the rows of tables that hold some (a mark
    of them, and themselves), the tables that hold none, its sequences."""

    schema: tuple[Any, ...]
    looks: tuple[Any, ...]
    rows: dict[str, tuple[Any, ...]]
    kept: Mapping[str, bytes]
    empty: Sequence[str]
    sequences: Mapping[int, int | None]
    size_bytes: int


def look_at(owner: Owner) -> Clone | None:
    """What a clone is like that nobody has written into yet; None where its owner may not empty it."""
    if not _answer(owner, MAY)[0]:
        return None
    tables = [name for (name,) in owner.execute(TABLES)]
    full = with_rows(owner, tables)
    sequences = {number: last for number, _, last in owner.execute(SEQUENCES)}
    return Clone(
        _answer(owner, SCHEMA), _answer(owner, QUICK), {name: _rows_of(owner, name) for name in full},
        {name: _copy_of(owner, name) for name in full},
        [name for name in tables if name not in full], sequences, int(_answer(owner, BYTES)[0]),
    )  # fmt: skip


def empty(owner: Owner, clone: Clone, *, kept: int = 0) -> bool:
    """Make the database what it was; False when that has to be left to a fresh clone. Whoever else is connected to it
    is put out first, but for the session `kept`."""
    if not _is_alone(owner, kept):
        return False
    if not is_alike(owner, clone):
        _drop_months(owner, clone)
        if not is_alike(owner, clone):
            return False
    _put_back(owner, clone, [name for name, known in clone.rows.items() if _rows_of(owner, name) != known])
    changes = [f"DELETE FROM {name}" for name in with_rows(owner, clone.empty)]
    for number, start, last in owner.execute(SEQUENCES, prepare=True).fetchall():
        was = clone.sequences[number]
        if last != was:
            changes.append(f"SELECT setval({number}::regclass, {was or start}, {was is not None})")
    # No trigger has a say in this. All of it goes to the server at once.
    owner.execute(";".join(["BEGIN", "SET LOCAL session_replication_role = replica", *changes, "COMMIT"]))
    return True


def with_rows(owner: Owner, tables: Sequence[str]) -> list[str]:
    """Those of the tables that hold rows."""
    asked = [f"SELECT {number} WHERE EXISTS (SELECT FROM {name})" for number, name in enumerate(tables)]
    return [tables[number] for (number,) in owner.execute(" UNION ALL ".join(asked), prepare=True)]


def _is_alone(owner: Owner, kept: int) -> bool:
    """Put out whoever else is connected; whether they are gone."""
    if not _others(owner, kept):
        return True
    owner.execute(f"SELECT pg_terminate_backend(pid) {OTHERS.format(kept=kept)}")
    for _ in range(LOOKS):
        if not _others(owner, kept):
            return True
        owner.execute("SELECT pg_sleep(%s)", [SECONDS_BETWEEN_LOOKS], prepare=True)
    return False


def _others(owner: Owner, kept: int) -> int:
    row = owner.execute(f"SELECT count(*) {OTHERS.format(kept=kept)}").fetchone()
    assert row is not None
    return int(row[0])


def is_alike(owner: Owner, clone: Clone) -> bool:
    """Whether only such things have changed as can be taken back."""
    looks = _answer(owner, QUICK)
    if looks != clone.looks:
        if _answer(owner, SCHEMA) != clone.schema:
            return False
        clone.looks = looks
    return int(_answer(owner, BYTES)[0]) - clone.size_bytes < MOST_BYTES


def _drop_months(owner: Owner, clone: Clone) -> None:
    """Drop the partitions that the clone had not: each month of interactions has one."""
    known = {*clone.rows, *clone.empty}
    for (name,) in owner.execute(PARTITIONS, prepare=True).fetchall():
        if name not in known:
            owner.execute(f"DROP TABLE {name}")


def _put_back(owner: Owner, clone: Clone, changed: Sequence[str]) -> None:
    """Give these tables the rows that the template has in them."""
    if not changed:
        return
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in changed:
            cursor.execute(f"DELETE FROM {name}")
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(clone.kept[name])
    clone.rows.update({name: _rows_of(owner, name) for name in changed})


def _copy_of(owner: Owner, name: str) -> bytes:
    with owner.cursor() as cursor, cursor.copy(f"COPY {name} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def _rows_of(owner: Owner, name: str) -> tuple[Any, ...]:
    """A mark of the rows of a table that changes with any of them."""
    return _answer(owner, f"SELECT count(*), sum(xmin::text::bigint) FROM {name}")


def _answer(owner: Owner, question: str) -> tuple[Any, ...]:
    row = owner.execute(question, prepare=True).fetchone()
    assert row is not None
    return row
