"""An import that dies in the middle leaves nothing behind, and can be done again."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from finalmarket import cli
from finalmarket.catalog.models import Product, Variant
from finalmarket.kernel import failpoints
from finalmarket.stock.models import StockItem, StockLocation, StockMovement

pytestmark = pytest.mark.committed_database


def import_and_die(kind: str, path: Path, options: list[str]) -> None:
    with failpoints.armed(f"import.{kind}.before_commit:kill"):
        cli.run(["import", kind, str(path), *options])


def killed(kind: str, path: Path, *options: str) -> Any:
    """Import in a process that is killed when everything is written and nothing is committed."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=import_and_die, args=(kind, path, list(options)))
    process.start()
    process.join(60)
    return process.exitcode


def test_an_import_killed_in_the_middle_leaves_nothing_and_can_be_done_again(tmp_path: Path) -> None:
    products, stock = tmp_path / "products.csv", tmp_path / "stock.csv"
    products.write_text("sku,title\n" + "".join(f"S{number},Thing {number}\n" for number in range(2_000)))
    stock.write_text("sku,location,on_hand\n" + "".join(f"S{number},LON,3\n" for number in range(2_000)))

    assert killed("products", products) == -signal.SIGKILL
    assert (Product.objects.count(), Variant.objects.count()) == (0, 0)
    assert cli.run(["import", "products", str(products)]) == 0
    assert Variant.objects.count() == 2_000

    assert killed("stock", stock, "--create-locations") == -signal.SIGKILL
    assert (StockItem.objects.count(), StockMovement.objects.count(), StockLocation.objects.count()) == (0, 0, 0)
    assert cli.run(["import", "stock", str(stock), "--create-locations"]) == 0
    assert StockMovement.objects.count() == 2_000
    assert [entry.name for entry in tmp_path.iterdir() if entry not in {products, stock}] == []
