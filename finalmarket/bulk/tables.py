"""Tables in files, CSV or Parquet, read in a stream: memory stays flat whatever the size of the file.

`open_table` looks at the file's first bytes and its header; a file that cannot be a table raises UserError with the
file, the line (Parquet: the row) and the column. The header is checked: every column has a name, none has it twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from finalmarket.bulk.csv_table import CsvTable
from finalmarket.bulk.parquet_table import ParquetTable
from finalmarket.bulk.row import Batch, Problem, Row
from finalmarket.kernel.errors import UserError

__all__ = ["Batch", "Problem", "Row", "Table", "batches", "open_table", "rows"]

BATCH_ROWS = 10_000
FOREIGN = {
    b"PK\x03\x04": "is an Excel workbook or an archive; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "is compressed; unpack it first",
}


class Table:
    """A table in a file: its header, and its rows singly or in batches. Reading starts anew with every call."""

    def __init__(self, source: CsvTable | ParquetTable) -> None:
        self._source = source
        self.path = source.path
        self.header = list(source.header)
        self.unit = source.unit
        _check_header(self.path, self.header)
        self._columns = {name: position for position, name in enumerate(self.header)}

    def rows(self) -> Iterator[Row]:
        """Yield every row below the header. Raises UserError where the rest of the file cannot be read."""
        if isinstance(self._source, CsvTable):
            for record in self._source.records():
                yield Row(record.line, record.cells, self._columns, record.problem)
            return
        for first, columns in self._source.batches(self.header, BATCH_ROWS):
            for offset, cells in enumerate(zip(*columns.values(), strict=True)):
                yield Row(first + offset, cells, self._columns)

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows in batches of at most `size`, only the named columns (default: all).

        Raises UserError when a column is missing, and where the rest of the file cannot be read.
        """
        wanted = list(columns) if columns is not None else self.header
        self.require(wanted)
        if isinstance(self._source, ParquetTable):
            for first, cells in self._source.batches(wanted, size):
                yield Batch(range(first, first + len(next(iter(cells.values()), ()))), cells, ())
            return
        source = self.rows()
        while chunk := list(islice(source, size)):
            yield self._turned(chunk, wanted)

    def require(self, columns: Sequence[str]) -> None:
        """Raise UserError unless every one of `columns` stands in the header."""
        missing = [name for name in columns if name not in self._columns]
        if missing:
            raise UserError(
                f"{self.path}, {self.unit if self.unit == 'line' else 'schema'} 1: there is no column"
                f" {', '.join(repr(name) for name in missing)}; the file has {', '.join(self.header)}."
                " The first line must hold the names of the columns"
            )

    def check(self) -> int:
        """Read the whole file and return the number of its rows; raises UserError for the first fault of the file.

        For those who store while they read: what passes this is readable to its end.
        """
        if isinstance(self._source, CsvTable):
            return sum(1 for _ in self._source.records())
        return sum(batch.rows for batch in self.batches())

    def fault(self, line: int, column: str | None, reason: str) -> UserError:
        """The UserError that names this file, a line (or row) and a column."""
        return self._source.fault(line, column, reason)

    def _turned(self, chunk: list[Row], wanted: list[str]) -> Batch:
        good = [row for row in chunk if row.problem is None]
        turned: Sequence[Sequence[Any]] = list(zip(*(row.cells for row in good), strict=True))
        cells = {name: list(turned[self._columns[name]]) if good else [] for name in wanted}
        return Batch([row.line for row in good], cells, [row for row in chunk if row.problem is not None])


def open_table(path: str | Path, *, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
    """Open a CSV or Parquet file by what it holds, not by its name alone.

    `encoding` and `delimiter` are for CSV; without a delimiter it is found in the header. Raises UserError when the
    file is missing, unreadable, empty, of another format, or has no proper header.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise UserError(f"{path}: there is no such file" if not path.exists() else f"{path} is not a file")
        with path.open("rb") as raw:
            head = raw.read(4)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    for mark, reason in FOREIGN.items():
        if head.startswith(mark):
            raise UserError(f"{path} {reason}")
    if head == b"PAR1" or path.suffix.lower() in {".parquet", ".pq"}:
        return Table(ParquetTable(path))
    return Table(CsvTable(path, encoding, delimiter))


def rows(path: str | Path, *, encoding: str = "utf-8", delimiter: str | None = None) -> Iterator[Row]:
    """Yield the rows of a file; see `open_table` and `Table.rows`."""
    return open_table(path, encoding=encoding, delimiter=delimiter).rows()


def batches(
    path: str | Path,
    columns: Sequence[str] | None = None,
    size: int = BATCH_ROWS,
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
) -> Iterator[Batch]:
    """Yield the rows of a file in batches; see `open_table` and `Table.batches`."""
    return open_table(path, encoding=encoding, delimiter=delimiter).batches(columns, size)


def _check_header(path: Path, header: list[str]) -> None:
    """Raise UserError unless every column has a name of its own."""
    seen: set[str] = set()
    for number, name in enumerate(header, start=1):
        if not name:
            raise UserError(
                f"{path}, line 1, column number {number}: the column has no name;"
                " the first line must hold the names of the columns"
            )
        if name.casefold() in seen:
            raise UserError(f'{path}, line 1, column "{name}": two columns have this name')
        seen.add(name.casefold())
