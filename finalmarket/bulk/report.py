"""The report of refused rows: a CSV file beside the input that exists only when something was refused.

Its first four columns say where and why; the row's own cells follow under their own names, so that a repaired report
can be imported as it is (the importers pass over the four columns).
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from finalmarket.bulk.landing import safe
from finalmarket.bulk.row import CELL_LIMIT, Problem, shorten
from finalmarket.kernel.errors import UserError

REPORT_COLUMNS = ("refused_line", "refused_column", "refused_value", "refused_reason")


def report_path(source: Path) -> Path:
    """Where the report on `source` stands: `prices.refused.csv` beside `prices.csv`."""
    return source.with_name(f"{source.stem}.refused.csv")


class Report:
    """Refused rows on their way into the report; a context manager.

    The file appears under its name when the block ends, well or not: what was refused before a failure is worth
    knowing. A report of an earlier run is removed when nothing was refused. Pass `keep=True` to add to what an
    interrupted run reported (the caller makes sure that it reports no row twice).
    """

    def __init__(self, source: Path, header: Sequence[str], *, keep: bool = False) -> None:
        self.path = report_path(source)
        self.header = [name for name in header if name not in REPORT_COLUMNS]
        self.count = 0
        self._keep = keep
        self._places = [position for position, name in enumerate(header) if name not in REPORT_COLUMNS]
        self._draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
        self._file: TextIO | None = None

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def refuse(self, line: int, problem: Problem, cells: Sequence[Any]) -> None:
        """Add one row: its line, what is wrong with it, and its cells in the order of the header."""
        if self._file is None:
            self._file = self._begin()
        own = [cells[place] if place < len(cells) else "" for place in self._places]
        own += list(cells[max(self._places, default=-1) + 1 :]) if len(cells) > len(self.header) else []
        values = [line, problem.column, shorten(problem.value), problem.reason, *own]
        csv.writer(self._file, lineterminator="\n").writerow([_cell(value) for value in values])
        self.count += 1

    def close(self) -> None:
        """Put the report in its place, or take an old one away when nothing was refused."""
        try:
            if self._file is None:
                if not self._keep:
                    self.path.unlink(missing_ok=True)
                return
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self._draft.replace(self.path)
        except OSError as error:
            raise UserError(f"cannot write the report {self.path}: {error.strerror}") from error
        finally:
            self._draft.unlink(missing_ok=True)

    def _begin(self) -> TextIO:
        try:
            file = self._draft.open("w", encoding="utf-8-sig", newline="")
        except OSError as error:
            raise UserError(f"cannot write the report {self.path}: {error.strerror}") from error
        if self._keep and self.path.is_file():
            with self.path.open(encoding="utf-8-sig", newline="") as earlier:
                for chunk in iter(lambda: earlier.read(1 << 20), ""):
                    file.write(chunk)
        else:
            names = [*REPORT_COLUMNS, *self.header]
            csv.writer(file, lineterminator="\n").writerow([safe(name) for name in names])
        return file


def _cell(value: object) -> str:
    """A cell of the report: text, cut off at the limit of a readable cell, safe in a spreadsheet."""
    return safe(("" if value is None else str(value))[: CELL_LIMIT - 1])
