"""Every column that can hold a word stands in a room's list: with what becomes of it when its person is erased, or as
one that holds nothing of customers."""

from __future__ import annotations

import pytest
from django.db import connection

from finalmarket.integrations.privacy.lists import TABLES
from finalmarket.integrations.privacy.words import kinds_of_columns

pytestmark = pytest.mark.django_db
NOT_WORDS = {"uuid", "bigint", "integer", "smallint", "numeric", "boolean", "date", "timestamp with time zone",
             "double precision", "real", "oid", "procrastinate_job_status", "procrastinate_job_event_type", "bigint[]",
             "timestamp without time zone", "interval"}  # fmt: skip


def listed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in TABLES:
        found.setdefault(table.name, set()).update(table.columns)
    return found


def test_every_column_that_can_hold_a_word_is_listed() -> None:
    known = listed()
    missing = sorted(f"{t}.{c}" for t, c in kinds_of_columns() if c not in known.get(t, set()))
    assert not missing, f"say in the room's personal.py what becomes of them: {missing}"


def test_every_table_is_listed_and_every_listed_column_is_there() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT class.relname, attribute.attname, format_type(attribute.atttypid, NULL)
               FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid
               WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p')
                 AND NOT class.relispartition AND attribute.attnum > 0 AND NOT attribute.attisdropped"""
        )
        rows = cursor.fetchall()
    there: dict[str, set[str]] = {}
    for table, column, _ in rows:
        there.setdefault(table, set()).add(column)
    known = listed()
    assert sorted(there.keys() - known.keys()) == []
    assert sorted(f"{t}.{c}" for t, columns in known.items() for c in columns if c not in there.get(t, set())) == []
    words = {(t, c) for t, c in kinds_of_columns()}
    odd = sorted({f"{t}.{c}: {kind}" for t, c, kind in rows if (t, c) not in words and kind not in NOT_WORDS})
    assert odd == [], "a type of column that nobody has thought of"


def test_what_stays_of_a_person_says_why() -> None:
    silent = [
        table.name
        for table in TABLES
        if table.whose and not table.is_deleted and (table.erased or table.none) and not table.kept
    ]
    assert silent == ["person_changes"]
