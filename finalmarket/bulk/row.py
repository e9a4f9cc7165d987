"""A row of a table, what may be wrong with it, and how a place in a file is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CELL_LIMIT = 1 << 20  # characters in one cell
SHOWN = 80  # characters of a value that a message shows


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is refused: the column, the value as it stands in the file, and the reason in words."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file in which it begins (for Parquet the number of the row, from 1) and its cells.

    `row["sku"]` is the cell of that column: text from CSV, the column's own type from Parquet (None where it is null).
    `problem` is set when the row has too many or too few cells; such a row is to be refused.
    """

    line: int
    cells: Sequence[Any]
    columns: Mapping[str, int]
    problem: Problem | None = None

    def __getitem__(self, column: str) -> Any:
        return self.cells[self.columns[column]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows by column: `columns[name][i]` is the cell of the row that begins in line `lines[i]`.

    `misfits` are rows with too many or too few cells; they are not in `columns`. `rows` counts both.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    misfits: Sequence[Row]

    @property
    def rows(self) -> int:
        """How many rows of the file this batch covers, misfits included."""
        return len(self.lines) + len(self.misfits)


def place(path: Path, line: int, column: str | None, unit: str = "line") -> str:
    """Name a place in a file: `prices.csv, line 7, column "price"`."""
    return f"{path}, {unit} {line}" + (f', column "{column}"' if column else "")


def shorten(value: object) -> str:
    """The value as a message shows it: on one line, cut off after 80 characters, its length told."""
    text = " ".join(str("" if value is None else value)[: SHOWN * 4].split())
    length = len(str(value))
    return text if length <= SHOWN else f"{text[:SHOWN]}... ({length:,} characters)"
