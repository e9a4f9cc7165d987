"""The disk runs full: under the database, and under a file that is written. What was answered stays, what is refused is
refused by name and leaves nothing half done, and all goes on by itself when there is room again."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from finalmarket.access.models import Work
from finalmarket.bulk import stock
from finalmarket.bulk.export import export
from finalmarket.console import file_work
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.trouble import FULL
from tests.crash.disks import disk, filled
from tests.crash.dose import in_the_proof
from tests.crash.house import opened, until
from tests.crash.kept import kept_house
from tests.crash.load import under_load
from tests.stock.shelves import new_place, new_variant, put

ROUNDS = int(os.environ.get("FINALMARKET_PROOF_FILLED", "1"))
REFUSALS = 12
"""So many calls are refused before there is room again."""
ROOM_BYTES = 64 << 20
RECOVERED_SECONDS = 15.0


def size_of(folder: Path) -> int:
    """What the files of a folder take."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def _are(count: Callable[[], int], enough: int) -> bool:
    return count() >= enough


@pytest.mark.slow
@in_the_proof
def test_a_full_disk_under_the_database_loses_nothing_that_was_answered_and_all_goes_on_when_there_is_room(
    test_database: object,
    record_property: Callable[[str, object], None],
) -> None:
    recovered = []
    with disk(size_of(kept_house()) + ROOM_BYTES) as folder, opened(folder) as house:
        with under_load(house) as load:
            for _ in range(ROUNDS):
                enough = load.yeses() + 20
                until(partial(_are, load.yeses, enough), "callers are served")
                with filled(folder):
                    many = sum(load.refusals.values()) + REFUSALS
                    until(partial(_are, lambda: sum(load.refusals.values()), many), "calls are refused")
                recovered.append(load.seconds_until_all_serve(time.monotonic()))
        faults = load.faults()
    record_property("times filled up", ROUNDS)
    record_property("answered with yes", load.yeses())
    record_property("lost", sum(fault.startswith("lost") for fault in faults))
    record_property("recovered_s_max", round(max(recovered), 2))
    assert faults == []
    assert load.untidy == []
    assert FULL.sentence in load.sentences, "it is said by name"
    assert max(recovered) <= RECOVERED_SECONDS


@in_the_proof
@pytest.mark.django_db
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_for_which_there_is_no_room_leaves_no_half_file_and_the_former_one_stays(ending: str) -> None:
    place = new_place()
    for number in range(120):
        put(new_variant(f"SKU-WITH-A-LONG-NAME-{number:020d}"), place, number + 1)
    with disk(256 << 10) as folder:
        path = folder / f"stock.{ending}"
        path.write_bytes(b"the former one")
        with filled(folder), pytest.raises(UserError, match="No space left"):
            export(stock.StockLevels(), path)
        assert path.read_bytes() == b"the former one"
        assert [one.name for one in folder.iterdir()] == [path.name]
        assert export(stock.StockLevels(), path) == 120


@in_the_proof
@pytest.mark.committed_database
def test_a_file_that_is_brought_in_when_there_is_no_room_says_so_instead_of_waiting_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = b"sku,currency,price\n" + b"TEA,EUR,4.90\n" * 2_000
    work = file_work.ask_import("prices", "prices.csv", content, channel_id=None, actor="test")
    with disk(256 << 10) as folder, filled(folder):
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        file_work.carry_out(work.pk, applies=False)
    work.refresh_from_db()
    assert (work.state, "No space left" in work.told) == (Work.State.FAILED, True), work.told
