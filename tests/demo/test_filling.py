"""Filling the house: the same again from the same seed, all of it or nothing, and never into somebody's own data."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connections, transaction

from finalmarket.cli import run
from finalmarket.demo.fill import fill, is_empty, is_here
from finalmarket.kernel import failpoints
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order, OrderLine
from finalmarket.stock import check
from finalmarket.stock.models import StockLocation
from tests.conftest import TestDatabase

NOW = datetime(2025, 12, 10, 15, 30, tzinfo=UTC)
SMALL = 0.05


def fingerprint(seed: int) -> list[tuple[Any, ...]]:
    """Fill, look, and take it back."""
    with transaction.atomic():
        fill(seed=seed, scale=SMALL, now=NOW)
        orders = list(
            Order.objects.order_by("placed_at", "external_id").values_list(
                "sales_channel__name", "external_id", "placed_at", "customer__email", "total", "refunded", "state"
            )
        )
        lines = list(
            OrderLine.objects.order_by("order__placed_at", "order__external_id", "position").values_list("sku")
        )
        transaction.set_rollback(True)
    return orders + lines


@pytest.mark.slow
@pytest.mark.django_db
def test_one_seed_gives_one_year_and_another_seed_another() -> None:
    first = fingerprint(3)
    assert fingerprint(3) == first
    assert fingerprint(4) != first


@pytest.mark.django_db
def test_a_run_that_fails_in_the_middle_leaves_nothing() -> None:
    with failpoints.armed("demo.after_batch:raise"), pytest.raises(failpoints.FailpointHit):
        fill(seed=3, scale=SMALL, now=NOW)
    assert is_empty()
    assert not is_here()


@pytest.mark.django_db
def test_a_house_with_data_of_its_own_is_left_alone() -> None:
    StockLocation.objects.create(code="mine", name="My shelf")
    with pytest.raises(UserError, match="not empty"):
        fill(seed=3, scale=SMALL, now=NOW)
    assert StockLocation.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("scale", [0, -1, 0.01, 51, 1e9])
def test_a_scale_beyond_reason_is_refused(scale: float) -> None:
    with pytest.raises(UserError, match="between"):
        fill(seed=3, scale=scale, now=NOW)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scale", "nan"], "must be a number"),
        (["--scale", "1e6"], "between"),
        (["--seed", "x"], "not a valid integer"),
        (["--until", "tomorrow"], "does not match the format"),
        (["--until", "2999-01-01"], "has not come yet"),
    ],
)
@pytest.mark.django_db
def test_a_mistake_on_the_command_line_is_told_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.slow
@pytest.mark.committed_database
def test_a_killed_run_is_made_good_by_the_next(test_database: TestDatabase) -> None:
    killed = demo(test_database, FINALMARKET_FAILPOINT="demo.after_batch:kill@2")
    assert killed.returncode == -9
    assert is_empty()
    made_good = demo(test_database)
    assert made_good.returncode == 0, made_good.stderr
    assert "The demo is ready" in made_good.stdout
    orders = Order.objects.count()
    assert "here already" in demo(test_database).stdout
    assert Order.objects.count() == orders
    assert check.differences() == []


def demo(database: TestDatabase, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own on this test's database."""
    connections.close_all()
    addresses = {
        "DATABASE_URL": address(connections["default"].settings_dict, database.name),
        "DATABASE_MIGRATE_URL": address(owner_database(), database.name),
    }
    return subprocess.run(
        [sys.executable, "-m", "finalmarket", "demo", "--scale", str(SMALL), "--quiet", "--until", "2025-12-10"],
        env={**os.environ, **addresses, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def address(settings: dict[str, Any], name: str) -> str:
    """The address of a database for another process."""
    parts = {"user": settings["USER"], "password": settings["PASSWORD"], "host": settings["HOST"]}
    given = "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items() if value)
    port = f"&port={settings['PORT']}" if settings["PORT"] else ""
    return f"postgresql:///{name}?{given}{port}"
