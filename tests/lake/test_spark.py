"""A Spark cluster answers as DuckDB does: one master and two workers on this machine, a small history."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from finalmarket.bench import analytics_spark
from finalmarket.bench.analytics_fill import fill

ROWS = int(os.environ.get("FINALMARKET_PROOF_SPARK_ROWS", "3000"))


@pytest.mark.skipif(not analytics_spark.is_there(), reason="PySpark is not installed: make spark proves it")
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_a_cluster_gives_the_answers_of_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_LOCAL_IP", analytics_spark.LOOPBACK)
    fill(tmp_path / "lake", ROWS, seed=3)
    with analytics_spark.cluster() as address:
        found = list(analytics_spark.compare(tmp_path / "lake", address))
    assert [one.question for one in found] == list(analytics_spark.ASKED)
    assert [one.question for one in found if not one.is_equal] == []
    assert all(one.rows for one in found)
