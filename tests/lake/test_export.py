"""The lake holds what the database holds, each row once, whatever happens to an export on its way."""

from __future__ import annotations

import multiprocessing
import signal
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connections

from finalmarket.analytics.lake.export import export
from finalmarket.analytics.lake.layout import Lake
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order
from tests.lake import story
from tests.laws.cut_off import cut_off

pytestmark = pytest.mark.committed_database

PLACES = (
    "lake.before_begin", "lake.in_begin", "lake.after_begin", "lake.after_orders", "lake.after_touchpoints",
    "lake.before_manifest", "lake.after_manifest", "lake.before_forget", "lake.after_forget", "lake.before_head",
    "lake.after_head",
)  # fmt: skip


def days_written(folder: Path) -> dict[date, dict[str, str]]:
    """The files of each day."""
    return {day: {name: part.file for name, part in parts.items()} for day, parts in Lake(folder).days().items()}


def changed(before: dict[date, dict[str, str]], after: dict[date, dict[str, str]]) -> set[tuple[date, str]]:
    """The days and tables whose files are others than before."""
    both = {(day, name) for files in (before, after) for day, parts in files.items() for name in parts}
    return {(day, name) for day, name in both if before.get(day, {}).get(name) != after.get(day, {}).get(name)}


def test_a_lake_holds_what_the_books_hold_and_follows_what_changes(tmp_path: Path) -> None:
    shop = story.fill(1)[0]
    folder = tmp_path / "lake"
    assert export(folder, days_at_once=3).is_full
    assert story.in_lake(folder) == story.in_books()
    before = days_written(folder)

    again = export(folder)
    assert (again.is_full, again.days) == (False, 0)
    assert days_written(folder) == before

    order = Order.objects.order_by("placed_at")[5]
    Order.objects.filter(pk=order.pk).update(refunded=order.total)
    touch = JourneyTouchpoint.objects.order_by("occurred_at")[3]
    touch.delete()
    late = story.FIRST + timedelta(days=40)
    story.interaction(shop, order.customer_id or OmnichannelCustomer.objects.first().pk, "search", late)  # type: ignore[union-attr]
    export(folder)
    day = order.placed_at.date()
    assert changed(before, days_written(folder)) == {
        (day, "orders"), (touch.occurred_at.date(), "touchpoints"), (late.date(), "interactions"),
    }  # fmt: skip
    assert story.in_lake(folder) == story.in_books()
    assert story.unnamed(folder) == []


def test_a_merge_writes_one_small_file_and_no_day(tmp_path: Path) -> None:
    story.fill(2, days=3)
    export(tmp_path)
    before = days_written(tmp_path)
    one, other = OmnichannelCustomer.objects.filter(merged_into=None).order_by("id")[:2]
    OmnichannelCustomer.objects.filter(pk=other.pk).update(merged_into=one)
    export(tmp_path)
    assert changed(before, days_written(tmp_path)) == set()
    (file,) = Lake(tmp_path).files("persons")
    assert {"customer": other.pk, "person": one.pk} in pq.read_table(file).to_pylist()


def test_an_order_moved_to_another_day_leaves_its_old_one_and_an_empty_day_goes(tmp_path: Path) -> None:
    story.fill(3, days=3)
    export(tmp_path)
    CrossChannelJourney.objects.filter(order__isnull=False).update(order=None)
    lonely = Order.objects.earliest("placed_at").placed_at.date()
    there = Order.objects.filter(placed_at__date=lonely)
    Order.objects.filter(pk__in=there.values("pk")).update(placed_at=story.FIRST + timedelta(days=90))
    export(tmp_path)
    assert story.in_lake(tmp_path) == story.in_books()
    assert "orders" not in days_written(tmp_path).get(lonely, {})
    assert "orders" in days_written(tmp_path)[(story.FIRST + timedelta(days=90)).date()]


def test_an_export_cut_off_anywhere_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    story.fill(4, days=4)
    orders, touches = Order.objects.order_by("placed_at"), JourneyTouchpoint.objects.order_by("occurred_at", "id")
    for turn, place in enumerate(PLACES):
        order = orders[turn]
        Order.objects.filter(pk=order.pk).update(refunded=turn + 1)
        JourneyTouchpoint.objects.filter(pk=touches[turn].pk).update(action=f"turn_{turn}")
        assert cut_off(partial(export, tmp_path, days_at_once=2), f"{place}@1") == "", place
        export(tmp_path, days_at_once=2)
        assert story.in_lake(tmp_path) == story.in_books(), place
        assert story.unnamed(tmp_path) == [], place


def _export_and_die(folder: Path) -> None:
    with failpoints.armed("lake.after_manifest:kill@2"):
        export(folder, days_at_once=2)


def test_a_killed_export_goes_on_where_it_was(tmp_path: Path) -> None:
    story.fill(5, days=6)
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_export_and_die, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert story.in_lake(tmp_path) != story.in_books()
    rest = export(tmp_path, days_at_once=2)
    assert not rest.is_full
    assert story.in_lake(tmp_path) == story.in_books()


def test_a_folder_that_missed_something_is_written_anew(tmp_path: Path) -> None:
    story.fill(6, days=2)
    export(tmp_path / "one")
    assert export(tmp_path / "other").is_full
    Order.objects.filter(state="open").update(refunded=2)
    assert not export(tmp_path / "other").is_full
    assert export(tmp_path / "one").is_full
    assert story.in_lake(tmp_path / "one") == story.in_books()
    SalesChannel.objects.filter(name="Berlin").update(time_zone="Asia/Tokyo")  # its orders lie on other days now
    assert export(tmp_path / "one").is_full


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("Dear")
    with pytest.raises(UserError, match=r"letters\.txt"):
        export(tmp_path)
