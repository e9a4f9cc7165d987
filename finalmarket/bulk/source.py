"""Where the rows of an import come from: a file, or rows that a form or a program gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from finalmarket.bulk.row import Batch, Row
from finalmarket.bulk.tables import BATCH_ROWS, Table, open_table


class Source(Protocol):
    """Rows with a header, which can be read more than once."""

    path: Path | None
    header: Sequence[str]
    is_text: bool
    where: str

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]: ...

    def rows(self) -> Iterator[Row]: ...


class FileSource:
    """The rows of a CSV or Parquet file."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.path: Path | None = table.path
        self.header: Sequence[str] = table.header
        self.is_text = table.unit == "line"
        self.where = f"{table.path}, line 1" if self.is_text else str(table.path)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """The rows in batches of 10,000."""
        return self._table.batches(columns, BATCH_ROWS)

    def rows(self) -> Iterator[Row]:
        """The rows singly, all columns."""
        return self._table.rows()


class GivenRows:
    """Rows given as mappings; the first has number 1. A key that a row lacks is an empty cell."""

    path: Path | None = None
    is_text = False
    where = "the rows given"

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows = list(rows)
        self.header: Sequence[str] = list(dict.fromkeys(name for row in self._rows for name in row))
        self._columns = {name: position for position, name in enumerate(self.header)}

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """The rows in batches of 10,000."""
        numbered = enumerate(self._rows, start=1)
        while chunk := list(islice(numbered, BATCH_ROWS)):
            cells = {name: [row.get(name) for _, row in chunk] for name in columns}
            yield Batch([number for number, _ in chunk], cells, ())

    def rows(self) -> Iterator[Row]:
        """The rows singly, all columns."""
        for number, row in enumerate(self._rows, start=1):
            yield Row(number, [row.get(name) for name in self.header], self._columns)


def source_of(
    given: str | Path | Table | Iterable[Mapping[str, Any]], *, encoding: str = "utf-8", delimiter: str | None = None
) -> FileSource | GivenRows:
    """The rows of a path, an open table, or mappings. Raises UserError for a file that cannot be a table."""
    if isinstance(given, Table):
        return FileSource(given)
    if isinstance(given, (str, Path)):
        return FileSource(open_table(given, encoding=encoding, delimiter=delimiter))
    return GivenRows(given)
