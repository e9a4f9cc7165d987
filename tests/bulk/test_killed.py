"""Imports that commit: killed in the middle they leave nothing behind; planned first they can be applied later."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from finalmarket import cli
from finalmarket.bulk import prices
from finalmarket.bulk.plan import Counts
from finalmarket.catalog.models import Product, Variant, VariantPrice
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


def test_a_plan_made_outside_a_transaction_is_applied_to_what_is_stored_by_then() -> None:
    for sku in ("A", "B"):
        Variant.objects.create(product=Product.objects.create(title=sku, slug=sku.lower()), sku=sku)
    rows = [{"sku": sku, "currency": "EUR", "price": "2"} for sku in ("A", "B")]
    with prices.plan(rows) as plan:
        assert plan.counts == Counts(created=2)
        Variant.objects.filter(sku="B").update(sku="C")
        assert plan.apply() == Counts(created=1, refused=1)
        assert [line for line, _ in plan.refusals()] == [2]
    assert VariantPrice.objects.get().variant.sku == "A"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'import_rows%'")
        assert cursor.fetchone() == (0,)
