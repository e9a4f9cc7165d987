"""What a bench says is what its runs measured, in words that programs can rely on."""

from __future__ import annotations

import json

import pytest

from finalmarket.bench.report import as_json, figure, machine, print_table


def test_value_and_ratio_are_medians_and_the_ratio_is_that_of_each_run_to_its_own_baseline() -> None:
    found = figure("hot", "per s", [100.0, 400.0, 90.0], baseline_name="bare", baselines=[10.0, 100.0, 30.0])
    assert (found.value, found.baseline, found.ratio) == (100.0, 30.0, 4.0)
    assert (found.runs, found.min, found.max) == (3, 90.0, 400.0)


def test_a_figure_without_a_baseline_has_no_ratio() -> None:
    found = figure("p99", "ms", [3.0, 1.0, 2.0])
    assert (found.value, found.baseline_name, found.baseline, found.ratio) == (2.0, None, None, None)


@pytest.mark.django_db
def test_the_object_has_the_names_that_were_agreed_on() -> None:
    figures = [figure("hot", "per s", [1.0], baseline_name="bare", baselines=[2.0])]
    found = json.loads(as_json("stock", machine(), 7, figures))
    assert set(found) == {"bench", "machine", "seed", "figures"}
    assert (found["bench"], found["seed"]) == ("stock", 7)
    assert found["machine"]["cpus"] >= 1
    assert set(found["figures"][0]) == {
        "name", "value", "unit", "baseline_name", "baseline", "ratio", "runs", "min", "max",
    }  # fmt: skip


def test_the_table_shows_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [figure("hot", "per s", [1200.0], baseline_name="bare", baselines=[300.0]), figure("p99", "ms", [8.0])]
    print_table("stock", {"cpus": 2}, figures)
    shown = capsys.readouterr().out
    for words in ("hot", "1,200.0", "4.00", "bare", "p99", "cpus 2"):
        assert words in shown
