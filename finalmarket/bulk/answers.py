"""Tables of figures as files for others: CSV that no spreadsheet runs, Parquet, JSON, or on the screen."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from finalmarket.bulk.landing import landing, safe

MOST_ROWS_SHOWN = 60


def write_answer(answer: pa.Table, path: Path, kind: str) -> None:
    """Write a table to `path` as "csv" or "parquet"; the file is there whole or not at all.

    Cells of a CSV file that a spreadsheet would run as a formula begin with an apostrophe. Raises UserError where it
    cannot be written.
    """
    with landing(path) as draft:
        if kind == "parquet":
            pq.write_table(answer, draft, compression="zstd")
        else:
            with draft.open("w", encoding="utf-8-sig", newline="") as file:
                write_csv(answer, file)


def write_csv(answer: pa.Table, file: Any) -> None:
    """Write a table as CSV to an open file."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([safe(name) for name in answer.column_names])
    for row in answer.to_pylist():
        writer.writerow([safe(cell(value)) for value in row.values()])


def cell(value: Any) -> str:
    """A value as text; nothing for what is not there."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return " ".join(cell(one) for one in value)
    return value.isoformat() if isinstance(value, date) else str(value)


def as_json(answer: pa.Table) -> str:
    """A table as a JSON list of rows; amounts are text, so that no digit is lost."""
    return json.dumps(answer.to_pylist(), default=cell, indent=1)


def print_answer(answer: pa.Table, title: str) -> None:
    """Show the first rows of a table."""
    table = Table(title=title, title_justify="left")
    for field in answer.schema:
        table.add_column(field.name, justify="left" if pa.types.is_string(field.type) else "right")
    rows: Sequence[dict[str, Any]] = answer.slice(0, MOST_ROWS_SHOWN).to_pylist()
    for row in rows:
        table.add_row(*[cell(value) for value in row.values()])
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    if answer.num_rows > MOST_ROWS_SHOWN:
        console.print(f"{answer.num_rows - MOST_ROWS_SHOWN:,} more rows: --csv FILE, --parquet FILE or --json has all")
