"""The report of refused rows: a CSV file beside the input that exists only when something was refused.

Its first four columns say where and why, two more in a report on orders which place the row had in its order; the row's
own cells follow under their own names, so that a repaired report can be imported as it is (the importers pass over the
first columns, and that of orders finds each row's place in them).
"""

from __future__ import annotations

import codecs
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
PLACE_COLUMNS = ("refused_order", "refused_position")


def report_path(source: Path) -> Path:
    """Where the report on `source` stands: `prices.refused.csv` beside `prices.csv`."""
    return source.with_name(f"{source.stem}.refused.csv")


def is_report(path: Path) -> bool:
    """Whether a file is a report as it was written, UTF-8 with commas, whatever the file that it is about is like."""
    try:
        with path.open("rb") as raw:
            return raw.read(40).removeprefix(codecs.BOM_UTF8).startswith(f"{REPORT_COLUMNS[0]},".encode())
    except OSError:
        return False


class Report:
    """Refused rows on their way into the report; a context manager.

    The file appears under its name when the block ends, well or not: what was refused before a failure is worth
    knowing. A report of an earlier run is removed when nothing was refused. Pass `keep=True` to add to what an
    interrupted run reported (the caller makes sure that it reports no row twice), and `has_places=True` to say of each
    row in which order it stood, and where.
    """

    def __init__(
        self, source: Path, header: Sequence[str], *, keep: bool = False, has_places: bool = False
    ) -> None:  # fmt: skip
        self.path = report_path(source)
        self._first = [*REPORT_COLUMNS, *(PLACE_COLUMNS if has_places else ())]
        self._places = [at for at, name in enumerate(header) if name not in (*REPORT_COLUMNS, *PLACE_COLUMNS)]
        self.header = [header[at] for at in self._places]
        self.count = 0
        self._keep = keep
        self._draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
        self._file: TextIO | None = None

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def refuse(self, line: Any, problem: Problem, cells: Sequence[Any], place: Sequence[Any] = ()) -> None:
        """Add one row: its line, what is wrong with it, its place in its order where the report says places, and its
        cells in the order of the header."""
        if self._file is None:
            self._file = self._begin()
        own = [cells[at] if at < len(cells) else "" for at in self._places]
        own += list(cells[max(self._places, default=-1) + 1 :]) if len(cells) > len(self.header) else []
        values = [line, problem.column, shorten(problem.value), problem.reason, *place, *own]
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
            names = [*self._first, *self.header]
            csv.writer(file, lineterminator="\n").writerow([safe(name) for name in names])
        return file


def _cell(value: object) -> str:
    """A cell of the report: text, cut off at the limit of a readable cell, safe in a spreadsheet."""
    return safe(("" if value is None else str(value))[: CELL_LIMIT - 1])
