"""The import bench brings real files in, in a process of its own, and compares with COPY of the same rows."""

from __future__ import annotations

import pytest

from finalmarket.bench import orders
from finalmarket.bench.made_up_year import made_up_year
from finalmarket.bench.report import QUICK
from finalmarket.orders.models import OrderLine, Return
from finalmarket.stock.check import differences
from tests.conftest import TestDatabase


def test_a_made_up_year_is_the_same_for_the_same_seed() -> None:
    assert made_up_year(3, 500).equals(made_up_year(3, 500))
    assert not made_up_year(3, 500).equals(made_up_year(4, 500))


def test_a_made_up_year_has_the_mess_of_a_real_one() -> None:
    year = made_up_year(1, 5_000).to_pylist()
    assert len(year) == 5_000
    assert any(line["Invoice"].startswith("C") and line["Quantity"] < 0 for line in year)
    assert any(not line["Invoice"].startswith("C") and line["Quantity"] < 0 for line in year)
    assert any(line["Customer ID"] is None for line in year)
    assert any(line["StockCode"] == "POST" for line in year)


@pytest.mark.committed_database
def test_the_import_bench_gives_its_figures_beside_the_baseline(
    test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FINALMARKET_TEST_DATA", raising=False)
    monkeypatch.setattr(orders, "made_up_year", lambda seed: made_up_year(seed, 5_000))
    lines, memory = orders.measure(test_database.name, QUICK, lambda progress: None)
    assert (lines.name, memory.name) == ("order_import", "import_peak_mb")
    assert lines.baseline is not None
    assert lines.ratio is not None
    assert OrderLine.objects.count() + Return.objects.count() > 500
    assert differences() == []
