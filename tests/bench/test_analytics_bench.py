"""The analytics bench asks every question of DuckDB, by hand and of PostgreSQL, and counts only where answers agree."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from finalmarket.bench import analytics, analytics_spark
from finalmarket.bench.analytics_fill import fill
from finalmarket.bench.report import QUICK

pytest.importorskip("duckdb", reason="no duckdb: install the development packages")
QUESTIONS = ["daily", "funnel", "paths", "retention", "rfm", "activity"]


def nobody(progress: str) -> None:
    """Hear nothing."""


@pytest.mark.committed_database
def test_every_question_is_answered_alike_by_hand_and_by_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics_spark, "is_there", lambda: False)  # test_spark.py asks it
    found = analytics.measure("", QUICK, nobody, rows=1_500, postgresql_rows=1_500)
    assert [one.name for one in found] == [
        "lake_fill", *(f"lake_{name}" for name in QUESTIONS), "lake_export",
        *(f"lake_{name}_beside_postgresql" for name in QUESTIONS),
    ]  # fmt: skip
    assert all(one.value >= 0 for one in found)


def test_the_same_seed_lays_the_same_history_out_whatever_its_size(tmp_path: Path) -> None:
    one, other = fill(tmp_path / "one", 900, seed=2), fill(tmp_path / "other", 900, seed=2)
    assert one.rows()["interactions"] == one.rows()["touchpoints"] == 900
    for table in ("interactions", "orders", "journeys"):
        assert pq.read_table(one.files(table)).equals(pq.read_table(other.files(table)))
    assert min(one.days()) >= date(2025, 1, 1)


def test_answers_that_differ_are_no_figure() -> None:
    with pytest.raises(RuntimeError, match="persons is 2, and was found to be 3"):
        analytics._compare("rfm", [{"persons": 2}], [{"persons": 3}])
    with pytest.raises(RuntimeError, match="1 rows, where 2"):
        analytics._compare("rfm", [{"persons": 2}], [{"persons": 2}, {"persons": 2}])
