"""The history bench asks DuckDB the same questions, and counts only where the answers agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from finalmarket.bench import history
from finalmarket.bench.report import QUICK
from finalmarket.journeys.models import JourneyTouchpoint

pytest.importorskip("duckdb", reason="no duckdb: install the development packages")
pytestmark = pytest.mark.committed_database


def nobody(progress: str) -> None:
    """Hear nothing."""


def test_every_question_is_answered_as_duckdb_answers_it(tmp_path: Path) -> None:
    found = history.measure("", QUICK, nobody, rows=4_000)
    assert [one.name for one in found] == [
        "history_top_paths", "history_transitions", "history_flows", "history_abandonment", "history_funnel",
        "history_attribution",
    ]  # fmt: skip
    assert all(one.value >= 0 for one in found)
    assert 3_000 < JourneyTouchpoint.objects.count() < 5_000


def test_answers_that_differ_are_no_figure(tmp_path: Path) -> None:
    history.lay_out(500, 1, nobody)
    judge = history.copy_to_duckdb(tmp_path)
    judge.execute("DELETE FROM journey_touchpoints WHERE action = 'add_to_cart'")
    funnel = next(one for one in history.questions() if one.name == "funnel")
    with pytest.raises(RuntimeError, match="differ"):
        history._measured(funnel, judge, 1, nobody)
    judge.close()
