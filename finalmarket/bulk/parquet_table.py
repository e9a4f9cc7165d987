"""Reading Parquet in batches, so that a file of any size passes through little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finalmarket.bulk.row import CELL_LIMIT, place
from finalmarket.kernel.errors import UserError

BUFFER_BYTES = 1 << 20


class ParquetTable:
    """A Parquet file with its schema read. Raises UserError when it is broken."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with self._open() as file:
                self.header = [str(name) for name in file.schema_arrow.names]
                self.row_count = int(file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise self._broken(0, error) from None

    def batches(self, columns: Sequence[str], size: int) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """Yield (number of the first row, from 1; cells by column) for at most `size` rows at a time."""
        done = 0
        try:
            with self._open() as file:
                for batch in file.iter_batches(batch_size=size, columns=list(columns), use_threads=False):
                    yield done + 1, {name: self._cells(name, batch.column(name), done) for name in columns}
                    done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._broken(done, error) from None

    def fault(self, line: int, column: str | None, reason: str) -> UserError:
        """The error for a fault of the file itself; `line` counts rows from 1."""
        return UserError(f"{place(self.path, line, column, self.unit)}: {reason}")

    def _open(self) -> Any:
        return pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False)

    def _broken(self, done: int, error: Exception) -> UserError:
        detail = str(error).strip().partition("\n")[0].rstrip(".")
        after = f" after row {done}" if done else ""
        return UserError(f"{self.path} is not a whole Parquet file: it cannot be read{after} ({detail})")

    def _cells(self, name: str, column: Any, done: int) -> list[Any]:
        """The cells of one column as Python values; texts are checked as those of a CSV file are."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return list(column.to_pylist())
        try:
            column.validate(full=True)
        except pa.ArrowException:
            raise self.fault(done + 1, name, "one of the texts from here on is not UTF-8") from None
        longest = pc.max(pc.utf8_length(column)).as_py() or 0
        cells: list[Any] = column.to_pylist()
        for position, cell in enumerate(cells):
            if cell is not None and (longest > CELL_LIMIT and len(cell) > CELL_LIMIT):
                raise self.fault(done + position + 1, name, f"the cell is longer than {CELL_LIMIT:,} characters")
            if cell is not None and "\0" in cell:
                raise self.fault(done + position + 1, name, "holds a NUL character")
        return cells
