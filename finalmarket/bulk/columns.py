"""The columns of an import: their names, how their cells are read, and what a person is told about them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finalmarket.bulk.landing import unsafe
from finalmarket.bulk.report import REPORT_COLUMNS
from finalmarket.bulk.row import Problem
from finalmarket.bulk.values import Kind
from finalmarket.kernel.errors import UserError


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an import file.

    `is_required`: the file must have it, and no cell of it may be empty unless `may_be_empty`. Otherwise an absent
    column leaves what is stored alone, and an empty cell stores `empty`.
    """

    name: str
    kind: Kind
    help: str
    is_required: bool = False
    empty: Any = None
    may_be_empty: bool = False

    def read(self, cell: Any) -> Any:
        """The value of a cell. Raises ValueError with the reason why it is none."""
        if cell is None or (isinstance(cell, str) and (not cell or cell.isspace())):
            if self.is_required and not self.may_be_empty:
                raise ValueError("is empty; a value is required")
            return self.empty
        return self.kind.read(cell)

    def write(self, value: Any) -> str:
        """The value as a CSV file holds it; an import of it reads the same value again."""
        return "" if value is None or value == "" else self.kind.write(value)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Which columns of an import stand in a file, and under which of the file's own names."""

    present: Sequence[Column]
    names: Sequence[str]


def fit(columns: Sequence[Column], header: Sequence[str], where: str, *, ignore_unknown: bool = False) -> Fitting:
    """Find the columns of an import in a header; small and capital letters and blanks do not matter.

    Raises UserError for a required column that is not there and, unless told to ignore them, for unknown ones.
    """
    found: dict[str, str] = {}
    for name in header:
        folded = _folded(name)
        if folded in REPORT_COLUMNS:
            continue
        if any(column.name == folded for column in columns):
            if folded in found:
                raise UserError(f"{where}: the columns {found[folded]!r} and {name!r} mean the same; leave one out")
            found[folded] = name
        elif not ignore_unknown:
            raise UserError(f'{where}, column "{name}": there is no such column{_suggestion(folded, columns)}')
    missing = [column.name for column in columns if column.is_required and column.name not in found]
    if missing:
        raise UserError(
            f"{where}: the column {' and '.join(missing)} is missing; the first line must hold the names of the"
            f" columns, and here it holds {', '.join(header)[:200]}"
        )
    present = [column for column in columns if column.name in found]
    return Fitting(present, [found[column.name] for column in present])


def read_cells(column: Column, cells: Sequence[Any], *, is_text: bool) -> tuple[list[Any], dict[int, Problem]]:
    """Read the cells of one column; returns the values and, by position, what is wrong with some.

    `is_text`: the cells come from a CSV file, where an apostrophe may guard what looks like a formula.
    """
    values: list[Any] = []
    problems: dict[int, Problem] = {}
    known: dict[Any, Any] = {}
    read = column.read
    for position, cell in enumerate(cells):
        if is_text:
            if cell in known:
                values.append(known[cell])
                continue
            if cell[:1] == "'":
                cell = unsafe(cell)
        try:
            value = read(cell)
        except ValueError as error:
            problems[position] = Problem(column.name, cell, str(error))
            value = None
        else:
            if is_text and len(known) < 1000:
                known[cells[position]] = value
        values.append(value)
    return values, problems


def described(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    """Name, `required` or nothing, and explanation of each column, for a person."""
    return [(column.name, "required" if column.is_required else "", column.help) for column in columns]


def _folded(name: str) -> str:
    return "_".join(name.strip().casefold().replace("-", " ").split())


def _suggestion(name: str, columns: Sequence[Column]) -> str:
    near = difflib.get_close_matches(name, [column.name for column in columns], 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    known = ", ".join(column.name for column in columns)
    return f"; the columns are {known} (--ignore-unknown passes over others)"
