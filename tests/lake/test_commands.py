"""The commands: a lake is written, asked and reported on from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from finalmarket import cli
from finalmarket.orders.models import Order
from tests.lake import story


@pytest.mark.committed_database
def test_history_is_written_asked_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINALMARKET_LAKE", str(tmp_path / "lake"))
    story.fill(8, days=3)
    orders = Order.objects.exclude(state="cancelled").filter(sales_channel__name="Berlin").count()
    assert cli.run(["lake", "export"]) == 0
    said = capsys.readouterr().out
    assert "every day" in said and "50 orders, 50 order lines" in said
    assert cli.run(["lake", "ask", "daily", "--channel", "berlin", "--json"]) == 0
    assert sum(row["orders_count"] for row in json.loads(capsys.readouterr().out)) == orders
    files = ["--csv", str(tmp_path / "daily.csv"), "--parquet", str(tmp_path / "daily.parquet")]
    assert cli.run(["lake", "ask", "daily", "--channel", "Berlin", *files]) == 0
    assert sum(pq.read_table(tmp_path / "daily.parquet")["orders_count"].to_pylist()) == orders
    assert cli.run(["lake", "ask", "daily", "--channel", "moon"]) == 2
    assert "the lake knows no channel" in capsys.readouterr().err

    report = tmp_path / "march.csv"
    assert cli.run(["report", "--from", "2026-03-01", "--to", "2026-04-30", "--out", str(report)]) == 0
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["channel"] == "berlin"]
    assert sum(int(row["orders_count"]) for row in rows) == orders
