"""Tables in files: what is wrong is told with file, line and column, and nothing is guessed."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finalmarket.bulk.landing import landing, safe, unsafe
from finalmarket.bulk.report import Report
from finalmarket.bulk.row import Problem
from finalmarket.bulk.tables import batches, open_table, rows
from finalmarket.kernel.errors import UserError
from tests.bulk.conftest import WriteFile

CELL_OF_10_MB = b"x" * 10_000_000


def cells(path: Path, **reading: str) -> list[tuple[int, list[str]]]:
    return [(row.line, list(row.cells)) for row in rows(path, **reading)]


def test_lines_are_counted_through_blank_lines_and_cells_that_span_lines(write: WriteFile) -> None:
    path = write("a.csv", raw=b'\xef\xbb\xbfsku;title\r\nA;1\r\n\r\n"B\r\nb";2\r\nC;"say ""hi"""')
    assert cells(path) == [(2, ["A", "1"]), (4, ["B\r\nb", "2"]), (6, ["C", 'say "hi"'])]


def test_a_row_with_too_many_or_too_few_cells_is_given_out_with_its_problem(write: WriteFile) -> None:
    path = write("a.csv", "sku,title", "A,1", "B", "C,1,2")
    assert [(row.line, row.problem) for row in rows(path)] == [
        (2, None),
        (3, Problem("title", "", "has 1 cells, the header has 2")),
        (4, Problem("title", "2", "has 3 cells, the header has 2")),
    ]


@pytest.mark.parametrize(
    ("raw", "place", "why"),
    [
        (b"sku,title\nA,x\nB,K\xe4se\n", 'line 3, column "title"', "not utf-8"),
        (b"sku,title\n" + b"A,x\n" * 50_000 + b'B,"two\nlines K\xe4se"\n', 'line 50003, column "title"', "not utf-8"),
        (b"sku,title\nA,x\0y\n", 'line 2, column "title"', "NUL"),
        (b'sku,title\nA,x\nB,"open\nC,x\n', 'line 3, column "title"', "never closed"),
        (b'sku,title\nA,"open\n' + b"C,x\n" * 400_000, 'line 2, column "title"', "never closed"),
        (b'sku,title\nA,"x" y\n', 'line 2, column "title"', "closing quote"),
        (b"sku,title\nA,x\nB", 'line 3, column "sku"', "cut off"),
        (b"sku,title\nA," + CELL_OF_10_MB + b"\n", 'line 2, column "title"', "longer than 1,048,576"),
        (b'sku,title\n"' + CELL_OF_10_MB + b'",x\n', 'line 2, column "sku"', "longer than 1,048,576"),
        (b"sku,title\nA," + CELL_OF_10_MB * 2, "line 2", "longer than 16,777,216"),
        (b"sku,SKU\n1,2\n", 'line 1, column "SKU"', "two columns"),
        (b"sku,,title\n1,2,3\n", "line 1, column number 2", "no name"),
        (b"", "", "is empty"),
        (b"PK\x03\x04\x14", "", "Excel"),
        (b"\x1f\x8b\x08", "", "compressed"),
        ("sku,title\n1,2\n".encode("utf-16"), "", "--encoding utf-16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_of_the_file_names_file_line_and_column(raw: bytes, place: str, why: str, write: WriteFile) -> None:
    path = write("a.csv", raw=raw)
    with pytest.raises(UserError) as caught:
        open_table(path).check()
    message = str(caught.value)
    assert message.startswith(str(path))
    assert place in message
    assert why in message
    assert len(message) < 500


def test_another_encoding_is_read_when_it_is_named(write: WriteFile) -> None:
    assert cells(write("a.csv", "sku,title", "A,Käse", encoding="cp1252"), encoding="cp1252") == [(2, ["A", "Käse"])]
    assert cells(write("b.csv", "sku,title", "A,Käse", encoding="utf-16"), encoding="utf-16") == [(2, ["A", "Käse"])]
    with pytest.raises(UserError, match="no text encoding"):
        open_table(write("c.csv", "sku"), encoding="rot13")


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_is_no_file_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file|is not a file"):
        open_table(tmp_path / name)


def test_columns_come_in_batches_and_a_missing_one_is_named(write: WriteFile) -> None:
    path = write("a.csv", "sku,title,price", "A,x,1", "B,y,2", "C,z", "D,w,4")
    found = list(batches(path, ["price", "sku"], 3))
    assert [(list(batch.lines), dict(batch.columns)) for batch in found] == [
        ([2, 3], {"price": ["1", "2"], "sku": ["A", "B"]}),
        ([5], {"price": ["4"], "sku": ["D"]}),
    ]
    assert [row.line for row in found[0].misfits] == [4]
    with pytest.raises(UserError, match="no column 'weight'; the file has sku, title, price"):
        list(batches(path, ["weight"]))


def parquet(path: Path, count: int, **columns: object) -> Path:
    given = {"sku": [f"S{number}" for number in range(count)], **columns}
    pq.write_table(pa.table(given), path, row_group_size=1000)
    return path


def test_parquet_rows_are_numbered_from_one_over_its_row_groups(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 2500)
    found = list(rows(path))
    assert (found[0].line, found[0]["sku"]) == (1, "S0")
    assert (found[-1].line, found[-1]["sku"]) == (2500, "S2499")
    assert open_table(path).check() == 2500


@pytest.mark.parametrize("damage", ["half", "middle", "no parquet"])
def test_a_broken_parquet_file_is_told_and_never_half_read(damage: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 5000)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "half": whole[: len(whole) // 2],
            "middle": whole[:40] + b"\xff" * (len(whole) // 2) + whole[40 + len(whole) // 2 :],
            "no parquet": b"sku,title\nA,x\n",
        }[damage]
    )
    with pytest.raises(UserError, match="not a whole Parquet file") as caught:
        open_table(path).check()
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("cell", "why"), [("a\0b", "NUL"), ("x" * 2_000_000, "longer than 1,048,576")])
def test_a_text_in_parquet_is_held_to_the_same_rules(cell: str, why: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 2, title=["fine", cell])
    with pytest.raises(UserError, match=rf'row 2, column "title": .*{why}'):
        open_table(path).check()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_stays_flat_however_long_the_file_is(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    titles = ["a title of some length"] * 60_000
    if ending == "csv":
        path.write_text("sku,title\n" + "".join(f"S{number},{title}\n" for number, title in enumerate(titles)))
    else:
        parquet(path, len(titles), title=titles)
    del titles
    gc.collect()
    tracemalloc.start()
    try:
        assert sum(batch.rows for batch in batches(path, ["sku", "title"], 2_000)) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "'=x", "''@x", "=", "＝1+1"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back_as_it_was(cell: str) -> None:
    assert safe(cell) == "'" + cell
    assert unsafe(safe(cell)) == cell


@pytest.mark.parametrize("cell", ["", "cup", "-12.50", "+4930123456", "'quoted'", "O'Hara", "a=b"])
def test_an_innocent_cell_stays_as_it_is(cell: str) -> None:
    assert safe(cell) == cell
    assert unsafe(cell) == cell


def test_the_report_holds_the_reason_and_the_row_and_can_be_imported_when_mended(write: WriteFile) -> None:
    source = write("prices.csv", "sku,price", "=A,x", "B,1")
    with Report(source, ["sku", "price"]) as report:
        report.refuse(2, Problem("price", "x" * 5000, "is not an amount"), ["=A", "x"])
    path = source.with_name("prices.refused.csv")
    (row,) = rows(path)
    assert [row[name] for name in ("refused_line", "refused_column", "refused_reason", "sku", "price")] == [
        "2", "price", "is not an amount", "'=A", "x",
    ]  # fmt: skip
    assert len(row["refused_value"]) < 120

    with Report(source, ["sku", "price"]):
        pass
    assert not path.exists()


def test_a_file_that_could_not_be_finished_leaves_the_old_one_and_nothing_else(write: WriteFile) -> None:
    path = write("a.csv", "old")
    with pytest.raises(ZeroDivisionError), landing(path) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.csv"]
