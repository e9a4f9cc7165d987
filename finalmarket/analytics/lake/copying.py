"""Rows out of PostgreSQL into Parquet files, without holding more than some of them: COPY writes CSV, Arrow reads it.

The rows of a statement come in the order of days, the day first. Each day's rows become one file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

BLOCK_BYTES = 4 * 2**20
ROWS_AT_ONCE = 250_000  # of a row group: what is held in memory before it is written
DAY = "day"
Connection = psycopg.Connection[tuple[Any, ...]]


class _CopyReader(io.RawIOBase):
    """What COPY sends, as a file to read from."""

    def __init__(self, blocks: Iterator[bytes | bytearray | memoryview]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def copied(
    connection: Connection, select: str, values: Mapping[str, Any], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Run the SELECT and yield its rows in batches. Its first column is the day, the others are those of `schema` in
    their order. The caller is in a transaction."""
    columns = {DAY: pa.date32()} | {field.name: field.type for field in schema}
    options = pa_csv.ConvertOptions(
        column_types=columns, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
        true_values=["t"], false_values=["f"],
    )  # fmt: skip
    with connection.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT CSV)", values) as copy:
        source = io.BufferedReader(_CopyReader(iter(copy)), BLOCK_BYTES)
        if not source.peek(1):
            return
        reader = pa_csv.open_csv(
            source,
            read_options=pa_csv.ReadOptions(column_names=list(columns), block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
        yield from reader


def write_days(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, new_file: Callable[[date], Path]
) -> dict[date, tuple[Path, int]]:
    """Write each day's rows to a file of its own; return the files with their rows. Days come in order."""
    written: dict[date, tuple[Path, int]] = {}
    file: _DayFile | None = None
    for batch in batches:
        for day, rows in _by_day(batch):
            if file is None or file.day != day:
                if file is not None:
                    written[file.day] = file.close()
                file = _DayFile(day, new_file(day), schema)
            file.write(rows)
    if file is not None:
        written[file.day] = file.close()
    return written


def write_whole(batches: Iterator[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Write all rows to one file, which is there with its columns also when there are none; return their number."""
    file = _DayFile(date.min, path, schema)
    for batch in batches:
        file.write(batch.drop_columns([DAY]))
    return file.close()[1]


def _by_day(batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The batch in pieces of one day each; its days are in order."""
    counts = pc.value_counts(batch.column(DAY)).to_pylist()
    rest, begin = batch.drop_columns([DAY]), 0
    for count in counts:
        yield count["values"], rest.slice(begin, count["counts"])
        begin += count["counts"]


class _DayFile:
    """A Parquet file on its way; rows are gathered until they make a row group."""

    def __init__(self, day: date, path: Path, schema: pa.Schema) -> None:
        self.day, self.path = day, path
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= ROWS_AT_ONCE:
            self._flush()

    def close(self) -> tuple[Path, int]:
        self._flush()
        self._writer.close()
        return self.path, self._rows

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._rows += self._waiting_rows
        self._waiting, self._waiting_rows = [], 0
