# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Exports: what is stored, in exactly the columns that the import reads, streamed to a file that appears when whole."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction

from finalmarket.bulk.columns import Column
from finalmarket.bulk.landing import landing, safe
from finalmarket.bulk.plan import Importer, Progress
from finalmarket.kernel.errors import UserError

ROWS_AT_ONCE = 5_000
_numbers = itertools.count(1)
Write = Callable[[Sequence[Sequence[Any]]], None]


def export(importer: Importer, path: str | Path, *, progress: Progress | None = None) -> int:
    """Write all that is stored to `path`, CSV or Parquet by its ending; returns the number of rows.

    Rows come from one snapshot by a server-side cursor: memory stays flat. Raises UserError for another ending, or
    where the file cannot be written; a file that was there before is replaced only by a whole one.
    """
    path = Path(path)
    if path.suffix.lower() not in {".csv", ".parquet", ".pq"}:
        raise UserError(f"{path}: the ending says how to write it; use .csv or .parquet")
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    opened = _csv if path.suffix.lower() == ".csv" else _parquet
    done = 0
    with landing(path) as draft, opened(draft, importer.columns) as write, transaction.atomic():
        for rows in _stored(importer):
            write(rows)
            done += len(rows)
            if progress:
                progress(done)
    return done


def _stored(importer: Importer) -> Iterator[list[tuple[Any, ...]]]:
    """The stored rows in batches, in the order of their key."""
    names = ", ".join(f"old.{column.name}" for column in importer.columns)
    order = ", ".join(f"old.{name}" for name in importer.key)
    cursor_name = f"export_{next(_numbers)}"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")  # all rows are wanted, not the first ones soon
        cursor.execute(
            f"""DECLARE {cursor_name} NO SCROLL CURSOR FOR
                SELECT {names} FROM ({importer.current()}) old ORDER BY {order}"""
        )
        while True:
            cursor.execute(f"FETCH {ROWS_AT_ONCE} FROM {cursor_name}")
            rows = cursor.fetchall()
            if not rows:
                break
            yield rows
        cursor.execute(f"CLOSE {cursor_name}")


@contextmanager
def _csv(draft: Path, columns: Sequence[Column]) -> Iterator[Write]:
    with draft.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])

        def write(rows: Sequence[Sequence[Any]]) -> None:
            turned = [
                [safe(column.write(cell)) for cell in cells]
                for column, cells in zip(columns, zip(*rows, strict=True), strict=True)
            ]
            writer.writerows(zip(*turned, strict=True))

        yield write


@contextmanager
def _parquet(draft: Path, columns: Sequence[Column]) -> Iterator[Write]:
    schema = pa.schema([(column.name, column.kind.arrow) for column in columns])
    with pq.ParquetWriter(draft, schema, compression="zstd") as writer:

        def write(rows: Sequence[Sequence[Any]]) -> None:
            arrays = [
                pa.array(cells if column.kind.is_native else [column.write(cell) for cell in cells], column.kind.arrow)
                for column, cells in zip(columns, zip(*rows, strict=True), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield write
