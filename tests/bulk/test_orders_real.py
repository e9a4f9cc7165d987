"""A real shop's year comes in as it was; killed anywhere, an import goes on and doubles nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection, connections

from finalmarket import cli
from finalmarket.analytics import incremental, rollup
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.bulk import orders_mapping
from finalmarket.bulk.orders import Wish, import_orders
from finalmarket.kernel import failpoints
from finalmarket.orders.models import OrderImport
from tests.bulk import figures_by_hand

pytestmark = pytest.mark.committed_database
CHANNEL = "Online Retail"
MAPPING = orders_mapping.SHIPPED / "online_retail_ii.toml"
KEPT = [field.attname for field in ChannelAnalytics._meta.concrete_fields if field.attname != "id"]
STORED = """
    SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_lines), (SELECT sum(total) FROM order_lines),
           (SELECT sum(total) FROM orders), (SELECT sum(amount) FROM payments), (SELECT count(*) FROM fulfilment_lines),
           (SELECT count(*) FROM returns), (SELECT count(*) FROM return_lines), (SELECT sum(refund) FROM return_lines),
           (SELECT sum(amount) FROM refunds), (SELECT sum(refunded) FROM orders),
           (SELECT count(*) FROM stock_movement), (SELECT sum(on_hand) FROM stock_pool),
           (SELECT sum(returned_quantity) FROM order_lines), (SELECT sum(short_quantity) FROM order_lines),
           (SELECT count(*) FROM omnichannel_customers), (SELECT count(*) FROM variants),
           (SELECT count(*) FROM imported_lines), (SELECT count(*) FROM order_events)"""


def asked(question: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    assert row is not None
    return tuple(row)


@pytest.fixture
def year(test_data: Path) -> Path:
    folder = test_data / "online-retail-ii-2009-2010"
    if not folder.is_dir():
        pytest.skip(f"no real orders: {folder} is not there")
    return folder


@pytest.fixture
def week(year: Path, tmp_path: Path) -> Path:
    """The first 24,000 lines of the year."""
    table = pq.read_table(year / "online_retail_2009_2010.parquet").slice(0, 24_000)
    path = tmp_path / "week.parquet"
    pq.write_table(table, path)
    return path


def bring_in(path: Path) -> int:
    options = ["--channel", CHANNEL, "--mapping", "online_retail_ii", "--opening-stock"]
    return cli.run(["import", "orders", str(path), *options])


def import_and_die(path: Path, failpoint: str) -> None:
    with failpoints.armed(failpoint):
        import_orders(Wish(path, CHANNEL, "online_retail_ii", opening_stock=True, batch_rows=5_000))


def killed(path: Path, failpoint: str) -> Any:
    """Import in a process that is killed at a named point, as by a power cut."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=import_and_die, args=(path, failpoint))
    process.start()
    process.join(300)
    return process.exitcode


def test_an_import_that_is_killed_goes_on_and_doubles_nothing(
    week: Path, test_database: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bring_in(week) == 0
    undisturbed = asked(STORED)
    test_database.renew()
    rows_done = []
    for failpoint in ("import.after_chunk:kill@2", "import.after_orders:kill@2", "import.after_chunk:kill"):
        assert killed(week, failpoint) == -signal.SIGKILL
        rows_done.append(OrderImport.objects.get().rows_done)
    assert rows_done == [10_000, 15_000, 20_000]
    capsys.readouterr()
    assert bring_in(week) == 0
    assert "went on after row 20,000" in capsys.readouterr().out
    assert asked(STORED) == undisturbed
    assert OrderImport.objects.get().counts["new_lines"] == undisturbed[1]


def test_the_same_import_again_changes_nothing(week: Path) -> None:
    assert bring_in(week) == 0
    before = asked(STORED)
    assert bring_in(week) == 0
    assert asked(STORED) == before
    daily_figures_equal_those_of(week)


@pytest.mark.slow
@pytest.mark.skipif("FINALMARKET_PROOF_YEAR" not in os.environ, reason="a part of the proof: FINALMARKET_PROOF_YEAR=1")
def test_the_year_of_a_british_shop_comes_in_as_it_was(year: Path, tmp_path: Path) -> None:
    expected = json.loads((year / "expected.json").read_text(), parse_float=Decimal)
    path = tmp_path / "year.parquet"
    path.write_bytes((year / "online_retail_2009_2010.parquet").read_bytes())
    outcome = import_orders(Wish(path, CHANNEL, "online_retail_ii", opening_stock=True))
    counts = outcome.counts
    assert outcome.survey.rows == expected["rows"]
    assert (counts["refused"], counts["short_units"], outcome.report) == (0, 0, None)

    lines, cancelled = asked("SELECT (SELECT count(*) FROM order_lines), (SELECT count(*) FROM imported_lines)")
    assert lines + cancelled == expected["rows"]
    charged, net = asked(
        """SELECT sum(total) FILTER (WHERE total > 0),
                  sum(total) - (SELECT sum(refund) FROM return_lines) FROM order_lines"""
    )
    assert round(charged, 2) == expected["gross_revenue_positive_lines"]
    assert round(net, 2) == expected["net_revenue_all_lines"]
    within = asked(
        "SELECT sum(line.total) FROM order_lines line JOIN orders o ON o.id = order_id WHERE o.external_id ~ '^C'"
    )[0]
    assert within - asked("SELECT sum(refund) FROM return_lines")[0] == expected["cancel_revenue"]

    # One line of an invoice with C is a charge (C496350) and comes in as an order.
    assert counts["matched"] + counts["unlinked"] == expected["cancel_lines_invoice_starts_C"] - 1
    assert asked("SELECT count(*) FROM orders WHERE external_id ~ '^A'")[0] == expected["adjustment_lines_A"]
    assert (
        counts["corrections"] == expected["negative_quantity_lines"] - counts["matched"] - counts["unlinked"] == 2_121
    )
    clean = asked(
        """SELECT count(*), count(DISTINCT o.id), count(DISTINCT o.customer_id), round(sum(line.total), 2)
           FROM order_lines line JOIN orders o ON o.id = line.order_id
           WHERE o.external_id ~ '^[0-9]' AND line.unit_price > 0 AND o.customer_id IS NOT NULL"""
    )
    said = expected["clean"]
    assert clean == (said["lines"], said["orders"], said["customers"], said["revenue"])
    assert asked("SELECT count(*) FROM omnichannel_customers")[0] == expected["customers"]
    # Totals are rounded at the order: fourteen orders hold a price of 0.001.
    assert asked("SELECT sum(total) FROM orders WHERE total > 0")[0] == Decimal("10306265.58")
    assert asked("SELECT min(placed_at), max(placed_at) FROM orders") == (
        outcome.survey.first_at,
        outcome.survey.last_at,
    )
    opened, sold, back, corrected, left = asked(
        """SELECT sum(on_hand_delta) FILTER (WHERE kind = 'receive'), sum(on_hand_delta) FILTER (WHERE kind = 'sale'),
                  sum(on_hand_delta) FILTER (WHERE kind = 'return'), sum(on_hand_delta) FILTER (WHERE kind = 'adjust'),
                  (SELECT sum(on_hand) FROM stock_item) FROM stock_movement"""
    )
    assert opened + sold + corrected == 0
    assert left == back == counts["restocked_units"]
    assert asked("SELECT count(*) FROM sales_channels")[0] == 5
    daily_figures_equal_those_of(year / "online_retail_2009_2010.parquet")


def daily_figures_equal_those_of(file: Path) -> None:
    """What triggers noted while the file came in is told, and equals a computation from the file, to the cent."""
    assert incremental.restate_marked() >= 4
    assert not incremental.is_marked()
    wanted = figures_by_hand.figures(file, MAPPING)
    rows = ChannelAnalytics.objects.filter(orders_count__gt=0).select_related("sales_channel")
    found = {(row.sales_channel.name, row.date): row for row in rows}
    assert found.keys() == wanted.keys()
    for key, day in wanted.items():
        assert {name: getattr(found[key], name) for name in day} == day, key
    kept = list(ChannelAnalytics.objects.order_by("sales_channel", "date").values_list(*KEPT))
    ChannelAnalytics.objects.all().delete()
    rollup.restate_all()
    assert list(ChannelAnalytics.objects.order_by("sales_channel", "date").values_list(*KEPT)) == kept
