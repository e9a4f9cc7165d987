"""Tables of figures for others: no spreadsheet runs what is in them, and no digit is lost."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pyarrow as pa

from finalmarket.bulk.answers import as_json, write_csv

TABLE = pa.table(
    {
        "action": ["=HYPERLINK(A1)", "+cmd", "plain", None],
        "amount": pa.array([Decimal("0.1000"), Decimal("-5.0000"), None, Decimal("1.0000")], pa.decimal128(18, 4)),
        "path": [[1, 2], [3], [], None],
    }
)


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    file = io.StringIO()
    write_csv(TABLE, file)
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    assert rows == [
        ["action", "amount", "path"],
        ["'=HYPERLINK(A1)", "0.1000", "1 2"],
        ["'+cmd", "-5.0000", "3"],
        ["plain", "", ""],
        ["", "1.0000", ""],
    ]


def test_amounts_in_json_are_text() -> None:
    rows = json.loads(as_json(TABLE))
    assert [row["amount"] for row in rows] == ["0.1000", "-5.0000", None, "1.0000"]
    assert rows[0]["path"] == [1, 2]
