"""The report of a period: daily figures as CSV or Parquet, or a page with charts that needs nothing besides itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from finalmarket.bulk.answers import write_answer
from finalmarket.bulk.landing import landing
from finalmarket.bulk.period.figures import collect, daily_table
from finalmarket.bulk.period.page import as_html
from finalmarket.kernel.errors import UserError

KINDS = {".html": "html", ".htm": "html", ".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def write_report(first: date, last: date, path: Path) -> int:
    """Write the report from `first` to `last`, both included, to `path`; its ending says how. Returns the days.

    The file is there whole or not at all. Raises UserError for another ending, a period that ends before it begins, or
    where the file cannot be written.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path}: the ending says how to write it; use .html, .csv or .parquet")
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    if kind == "html":
        text = as_html(collect(first, last))
        with landing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    else:
        write_answer(daily_table(first, last), path, kind)
    return (last - first).days + 1
