# ruff: noqa: S608 (names of tables and columns in the SQL here are ours, never input)
"""A plan: what an import would change, told before anything is changed, and then done as a whole or not at all.

    with prices.plan("prices.csv") as plan:
        print(plan.counts, plan.changes(20))
        plan.apply()

The console's bulk edit uses the same plan on rows of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from finalmarket.bulk.columns import Column, fit, read_cells
from finalmarket.bulk.report import Report, report_path
from finalmarket.bulk.row import Batch, Problem
from finalmarket.bulk.source import FileSource, GivenRows, source_of
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.tables import Table
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural

Given = str | Path | Table | Iterable[Mapping[str, Any]]
Progress = Callable[[int], None]
IMPORT_LOCK = 7_301_001  # advisory: imports of one database go one after the other


class Importer(ABC):
    """What an import is about: its columns, what is stored now, what is wrong with rows, and how they are stored.

    `key` names the columns that say which thing a row is about, `called` (default: the key) those that a person knows
    it by; `own` are the columns that the stage gets besides (ids, marks) with their types in SQL; `on` joins rows
    (`new`) with what `current` says is stored (`old`).
    """

    name: ClassVar[str]
    columns: Sequence[Column]
    key: ClassVar[tuple[str, ...]]
    called: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[Mapping[str, str]] = {}
    on: ClassVar[str]

    @abstractmethod
    def current(self) -> str:
        """A query of what is stored now: a column for each of `columns`, and `found` (never null)."""

    @abstractmethod
    def check(self, stage: Stage) -> None:
        """Resolve what rows name and refuse those that cannot be stored."""

    @abstractmethod
    def write(self, stage: Stage) -> None:
        """Store the rows to create and to change, in the transaction that is open."""

    def same(self, column: Column) -> str:
        """A condition over `new` and `old`: this column of a row says what is stored already."""
        return f"new.{column.name} IS NOT DISTINCT FROM old.{column.name}"

    def marks(self, stage: Stage) -> Mapping[str, str]:
        """Columns of `own` to be filled when rows are compared, with expressions over `new` and `old`."""
        return {}

    def refine(self, values: Mapping[str, list[Any]]) -> dict[int, Problem]:
        """Put the values of a batch into their final form, in place; returns what is wrong by position."""
        return {}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of an import would create, change or repeat something, change nothing, or are refused."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What one row would do: `fields` holds (column, value stored now, new value), both as text.

    For a row that creates something the stored values are empty and only filled fields are told.
    """

    line: int
    key: tuple[str, ...]
    is_new: bool
    fields: tuple[tuple[str, str, str], ...]


class Plan:
    """The rows of a file, read, checked and compared with what is stored; nothing is changed before `apply`."""

    def __init__(
        self,
        importer: Importer,
        source: FileSource | GivenRows,
        *,
        ignore_unknown: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.importer = importer
        self.source = source
        self._fitting = fit(importer.columns, source.header, source.where, ignore_unknown=ignore_unknown)
        self._transaction = _lock() if connection.in_atomic_block else None
        self.stage = Stage(importer.columns, self._fitting.present, importer.own)
        try:
            self._load(progress)
            self._decide()
        except BaseException:
            self._abandon()
            raise

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *failure: object) -> None:
        self._abandon()

    @property
    def _called(self) -> tuple[str, ...]:
        return self.importer.called or self.importer.key

    @property
    def counts(self) -> Counts:
        """How many rows would do what."""
        return self._counts

    def changes(self, limit: int = 20) -> list[Change]:
        """The first rows that would create or change something."""
        columns = self._fitting.present
        names = ", ".join(f"new.{column.name}" for column in columns)
        stored = ", ".join(f"old.{column.name}" for column in columns)
        found = self.stage.rows(
            f"""SELECT new.line, new.action = 'create', {", ".join(f"new.{name}" for name in self._called)},
                       {names}, {stored}
                FROM {{stage}} new LEFT JOIN ({self.importer.current()}) old ON {self.importer.on}
                WHERE new.line = ANY (ARRAY(SELECT line FROM {{stage}} WHERE action IN ('create', 'change')
                                            ORDER BY line LIMIT {int(limit)})) ORDER BY new.line"""
        )
        return [self._change(row) for row in found]

    def refusals(self) -> Iterator[tuple[int, Problem]]:
        """The refused lines with their reasons, in order."""
        return self.stage.refusals()

    def write_report(self) -> Path | None:
        """Write the refused rows beside the file; returns where, or None when there are none (or no file)."""
        if self.source.path is None:
            return None
        refusals = iter(self.stage.refusals())
        pending = next(refusals, None)
        with Report(self.source.path, self.source.header) as report:
            rows = self.source.rows() if pending else iter(())
            for row in rows:
                if pending and row.line == pending[0]:
                    report.refuse(row.line, pending[1], row.cells)
                    pending = next(refusals, None)
        return report_path(self.source.path) if report.count else None

    def apply(self, *, all_or_nothing: bool = False) -> Counts:
        """Store what the accepted rows say, in one transaction; returns the counts.

        Where time has passed since the plan was made, the rows are checked and compared anew first. Raises UserError,
        with nothing stored, when a row is refused and `all_or_nothing` is asked for.
        """
        try:
            with transaction.atomic():
                if self._transaction is None or _lock() != self._transaction:
                    _lock()
                    self.stage.reset()
                    self._decide()
                if all_or_nothing and self.counts.refused:
                    raise UserError(
                        f"{plural(self.counts.refused, 'row is', 'rows are')} refused, so nothing was stored; "
                        "mend that, or leave out --all-or-nothing to store the others"
                    )
                if self.counts.created or self.counts.changed:
                    self.importer.write(self.stage)
                failpoints.hit(f"import.{self.importer.name}.before_commit")
        except (IntegrityError, DataError, OperationalError) as error:
            if isinstance(error, OperationalError) and not isinstance(error.__cause__, DeadlockDetected):
                raise
            why = str(error).splitlines()[0]
            raise UserError(
                f"nothing was stored: the database refused the rows, perhaps because of a change made meanwhile ({why})"
            ) from error
        return self.counts

    def close(self) -> None:
        """Free what the plan holds in the database."""
        self.stage.drop()

    def _abandon(self) -> None:
        with suppress(DatabaseError):  # a transaction that failed takes the tables with it
            self.close()

    def _load(self, progress: Progress | None) -> None:
        done = 0
        for batch in self.source.batches(self._fitting.names):
            rows, problems = self._read(batch)
            self.stage.add(rows, problems)
            done += batch.rows
            if progress:
                progress(done)
        self.stage.loaded()

    def _read(self, batch: Batch) -> tuple[list[tuple[Any, ...]], list[tuple[int, Problem]]]:
        """The rows of a batch with their cells read, and the lines that cannot be."""
        values: dict[str, list[Any]] = {}
        wrong: dict[int, Problem] = {}
        for column, name in zip(self._fitting.present, self._fitting.names, strict=True):
            read, problems = read_cells(column, batch.columns[name], is_text=self.source.is_text)
            values[column.name] = read
            wrong = problems | wrong
        wrong = self.importer.refine(values) | wrong
        rows = list(zip(batch.lines, *values.values(), strict=True))
        if wrong:
            rows = [row for position, row in enumerate(rows) if position not in wrong]
        faults = [(batch.lines[position], problem) for position, problem in wrong.items()]
        faults += [(row.line, row.problem) for row in batch.misfits if row.problem]
        return rows, faults

    def _decide(self) -> None:
        self.importer.check(self.stage)
        compared = [column for column in self._fitting.present if column.name not in self.importer.key]
        same = " AND ".join(f"({self.importer.same(column)})" for column in compared) or "true"
        self.stage.compare(self.importer.current(), self.importer.on, same, self.importer.marks(self.stage))
        found = self.stage.counts()
        self._counts = Counts(
            created=found.get("create", 0),
            changed=found.get("change", 0),
            unchanged=found.get("same", 0),
            repeated=found.get("repeat", 0),
            refused=found["refuse"],
        )

    def _change(self, row: tuple[Any, ...]) -> Change:
        line, is_new, *cells = row
        key = tuple("" if cell is None else str(cell) for cell in cells[: len(self._called)])
        cells = cells[len(self._called) :]
        columns = self._fitting.present
        fields = []
        for position, column in enumerate(columns):
            new, old = column.write(cells[position]), column.write(cells[position + len(columns)])
            if (
                column.name not in self.importer.key
                and column.name not in self._called
                and new != (old if not is_new else "")
            ):
                fields.append((column.name, "" if is_new else old, new))
        return Change(line, key, is_new, tuple(fields))


def make_plan(
    importer: Importer,
    given: Given,
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    ignore_unknown: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Read and check rows for an importer; see `Plan`. Raises UserError for a file that cannot be used."""
    source = source_of(given, encoding=encoding, delimiter=delimiter)
    return Plan(importer, source, ignore_unknown=ignore_unknown, progress=progress)


def _lock() -> int:
    """Wait for imports that run now; returns the number of the open transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), txid_current()", [IMPORT_LOCK])
        return int(cursor.fetchone()[1])
