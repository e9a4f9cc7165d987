# ruff: noqa: S608 (names of tables and columns in the SQL here are ours, never input)
"""Rows of an import in a temporary table, where they are checked and compared as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from finalmarket.bulk.columns import Column
from finalmarket.bulk.row import Problem, shorten
from finalmarket.kernel.sql import copy_rows

_numbers = itertools.count(1)


class Stage:
    """The temporary table of one plan, and the table of what is refused of it.

    A row's `action` is null until it is decided: `refuse`, `repeat` (says again what another line said), `create`,
    `change` or `same`. In conditions and expressions the rows are called `new`.
    """

    def __init__(self, columns: Sequence[Column], present: Sequence[Column], own: Mapping[str, str]) -> None:
        self.table = f"import_rows_{next(_numbers)}"
        self.refused = f"{self.table}_refused"
        self.present = list(present)
        self._names = {column.name for column in present}
        self._own = dict(own)
        kinds = {column.name: column.kind.sql for column in columns} | self._own
        fields = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        with self.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {self.table} (line integer NOT NULL, action text, {fields})")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {self.refused} (line integer PRIMARY KEY, field text, value text, reason text)"
            )

    @staticmethod
    def cursor() -> CursorWrapper:
        """A cursor on Django's connection."""
        return connection.cursor()

    def has(self, column: str) -> bool:
        """Whether the file has this column."""
        return column in self._names

    def add(self, rows: Iterable[Sequence[Any]], problems: Iterable[tuple[int, Problem]]) -> None:
        """Add rows (line, then the present columns in order), and lines that are refused already."""
        with self.cursor() as cursor:
            copy_rows(cursor, self.table, ["line", *(column.name for column in self.present)], rows)
            refused = [(line, fault.column, shorten(fault.value), fault.reason) for line, fault in problems]
            copy_rows(cursor, self.refused, ["line", "field", "value", "reason"], refused)

    def loaded(self) -> None:
        """To be called when all rows are in: gives the table its index and its statistics."""
        with self.cursor() as cursor:
            cursor.execute(f"CREATE UNIQUE INDEX ON {self.table} (line)")
            cursor.execute(f"ANALYZE {self.table}")

    def reset(self) -> None:
        """Forget every decision, so that the rows can be checked anew."""
        cleared = ", ".join(f"{name} = NULL" for name in ("action", *self._own))
        with self.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.refused} gone USING {self.table} new WHERE new.line = gone.line")
            cursor.execute(f"UPDATE {self.table} SET {cleared}")

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement, with `{stage}` standing for the table; returns how many rows it touched."""
        with self.cursor() as cursor:
            cursor.execute(statement.replace("{stage}", self.table), list(parameters) or None)
            return int(cursor.rowcount)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, with `{stage}` standing for the table."""
        with self.cursor() as cursor:
            cursor.execute(query.replace("{stage}", self.table), list(parameters) or None)
            return list(cursor.fetchall())

    def refuse(self, column: str, reason: str, condition: str, tables: str = "", value: str = "") -> int:
        """Refuse the undecided rows for which `condition` holds; returns how many.

        `reason` and `value` (default: the cell of `column`) are SQL expressions over `new` and `tables` (more FROM
        items, each beginning with a comma or JOIN).
        """
        shown = value or f"new.{column}::text"
        self.run(
            f"""INSERT INTO {self.refused} (line, field, value, reason)
                SELECT DISTINCT ON (new.line) new.line, '{column}', left({shown}, 200), {reason}
                FROM {{stage}} new {tables} WHERE new.action IS NULL AND ({condition})
                ORDER BY new.line ON CONFLICT DO NOTHING"""
        )
        return self.run(
            f"""UPDATE {{stage}} new SET action = 'refuse' FROM {self.refused} gone
                WHERE gone.line = new.line AND new.action IS NULL"""
        )

    def refuse_contradictions(
        self, key: Sequence[str], what: str, compared: Sequence[str] | None = None, *, shown: str = ""
    ) -> None:
        """Of undecided rows with one key: refuse all where they disagree, else let all but the first be repeats.

        `compared` (default: all present columns) are the columns that must agree; with it there are no repeats.
        `shown` (default: the first of `key`) is the column that is reported.
        """
        names = ", ".join(f"new.{name}" for name in key)
        columns = compared if compared is not None else [column.name for column in self.present]
        said = ", ".join(f"new.{name}" for name in columns if name not in key) or "1"
        on = " AND ".join(f"twin.{name} = new.{name}" for name in key)
        several = f"""SELECT {names}, min(new.line) AS first_line, max(new.line) AS last_line,
                             count(DISTINCT ROW({said})) AS opinions
                      FROM {{stage}} new
                      JOIN (SELECT {", ".join(key)} FROM {{stage}} WHERE action IS NULL
                            GROUP BY {", ".join(key)} HAVING count(*) > 1) twin ON {on}
                      WHERE new.action IS NULL GROUP BY {names}"""
        other = "CASE WHEN new.line = twin.first_line THEN twin.last_line ELSE twin.first_line END"
        self.refuse(
            shown or key[0],
            f"'line ' || {other} || ' says something else of the same {what}; neither is taken'",
            f"{on} AND twin.opinions > 1",
            f", ({several}) twin",
        )
        if compared is None:
            self.run(
                f"""UPDATE {{stage}} new SET action = 'repeat' FROM ({several}) twin
                    WHERE {on} AND new.line > twin.first_line AND new.action IS NULL"""
            )

    def compare(self, current: str, on: str, same: str, marks: Mapping[str, str]) -> None:
        """Decide every row that is left: `create` where `current` has no row for it, `same` or `change` where it has.

        `current` is a query with a column `found`; `on` and `same` speak of `new` and `old`; `marks` fill columns of
        the stage with what an expression over both gives.
        """
        filled = "".join(f", {name} = decided.{name}" for name in marks)
        computed = "".join(f", {expression} AS {name}" for name, expression in marks.items())
        self.run(
            f"""UPDATE {{stage}} mine SET action = decided.verdict{filled}
                FROM (SELECT new.line, CASE WHEN old.found IS NULL THEN 'create' WHEN {same} THEN 'same'
                                            ELSE 'change' END AS verdict{computed}
                      FROM {{stage}} new LEFT JOIN ({current}) old ON {on} WHERE new.action IS NULL) decided
                WHERE mine.line = decided.line"""
        )

    def beside(self, query: str) -> str:
        """Keep the rows of a query in a table of their own; returns its name. There is one, the newest."""
        name = f"{self.table}_beside"
        with self.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.execute(f"CREATE TEMPORARY TABLE {name} AS {query.replace('{stage}', self.table)}")
            cursor.execute(f"ANALYZE {name}")
        return name

    def counts(self) -> dict[str, int]:
        """How many rows were decided in which way; refused ones include those that could not be read."""
        counted = dict(self.rows("SELECT action, count(*) FROM {stage} WHERE action <> 'refuse' GROUP BY action"))
        return counted | {"refuse": int(self.rows(f"SELECT count(*) FROM {self.refused}")[0][0])}

    def refusals(self) -> Iterator[tuple[int, Problem]]:
        """The refused lines in order."""
        after, size = 0, 5_000
        while True:
            chunk = self.rows(
                f"SELECT line, field, value, reason FROM {self.refused} WHERE line > %s ORDER BY line LIMIT {size}",
                [after],
            )
            for line, field, value, reason in chunk:
                yield line, Problem(field, value or "", reason)
            if len(chunk) < size:
                return
            after = chunk[-1][0]

    def drop(self) -> None:
        """Remove its tables."""
        with self.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self.table}, {self.refused}, {self.table}_beside")
