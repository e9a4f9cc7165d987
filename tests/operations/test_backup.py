"""A backup that was made while the house sold is brought back to the moment at which it was made, or refused."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finalmarket.kernel.database import owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from finalmarket.operations import archive, backup, restore
from finalmarket.stock.desk import Desk
from finalmarket.stock.reserve import Request
from tests import databases
from tests.conftest import TestDatabase
from tests.operations.processes import environment
from tests.orders.market import open_market
from tests.patience import until

MOVEMENTS = "SELECT md5(string_agg(told::text, ',' ORDER BY id)), count(*) FROM stock_movement told WHERE id <= %s"


def of(name: str) -> dict[str, Any]:
    return {**owner_database(), "NAME": name}


@pytest.fixture
def elsewhere(committed_database: TestDatabase) -> Iterator[str]:
    """An empty database on the same server."""
    name = f"elsewhere_of_{committed_database.name}"  # not among those that other runs clear away
    databases.make_clone(committed_database.server, "template0", name)
    yield name
    databases.drop(committed_database.server, name)


class Selling:
    """Buyers who buy until they are told to stop; what they were granted is noted before they ask again."""

    def __init__(self) -> None:
        self.market = open_market()
        self.market.goods("TEA", warehouse=1_000_000)
        self.granted: list[str] = []
        self.stop = threading.Event()
        self.desk = Desk()

    def __enter__(self) -> Selling:
        self.buyers = [threading.Thread(target=self.buy, args=(number,)) for number in range(4)]
        for buyer in self.buyers:
            buyer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        for buyer in self.buyers:
            buyer.join()
        self.desk.close()

    def buy(self, number: int) -> None:
        tea, turn = self.market.variants["TEA"].pk, 0
        while not self.stop.is_set():
            turn += 1
            key = f"buyer-{number}-{turn}"
            if self.desk.reserve(Request(key, self.market.web.pk, ((tea, 1),))).outcome == "granted":
                self.granted.append(key)


def finalmarket(database: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "finalmarket", *words], env=environment(database), capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_a_backup_under_load_is_brought_back_to_its_moment(
    committed_database: TestDatabase, elsewhere: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    file = tmp_path / "house.backup"
    with Selling() as selling:
        until(lambda: len(selling.granted) > 50, "they sell")
        known_before = list(selling.granted)
        manifest = backup.make(file)
        until(lambda: len(selling.granted) > len(known_before) + 50, "they sell on")

    done = finalmarket(elsewhere, "restore", str(file))

    assert done.returncode == 0, done.stderr
    assert "the stock agrees with its ledger" in done.stdout
    with open_connection(of(committed_database.name)) as here, open_connection(of(elsewhere)) as there:
        kept = {key for (key,) in there.execute("SELECT key FROM reservation")}
        assert set(known_before) <= kept < set(selling.granted) | kept
        (last,) = there.execute("SELECT max(id) FROM stock_movement").fetchall()[0]
        ledger = there.execute(MOVEMENTS, [last]).fetchall()
        assert (
            ledger
            == here.execute(
                MOVEMENTS.replace("WHERE id <= %s", "WHERE id = ANY (%s)"),
                [[number for (number,) in there.execute("SELECT id FROM stock_movement")]],
            ).fetchall()
        )
        assert ledger[0][1] == manifest.rows["stock_movement"]
    record_property("population", f"{len(selling.granted):,} reservations under way, {len(kept):,} in the backup")


def test_a_file_of_which_a_byte_is_missing_or_differs_is_refused(
    committed_database: TestDatabase, elsewhere: str, tmp_path: Path
) -> None:
    file, broken = tmp_path / "house.backup", tmp_path / "broken.backup"
    backup.make(file)
    whole, dice = file.read_bytes(), random.Random(5)
    places = [0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(20))]
    for place in places:
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        with pytest.raises(UserError, match=r"altered or damaged|cut off"):
            restore.bring_back(broken, settings=of(elsewhere))
        broken.write_bytes(whole[:place])
        with pytest.raises(UserError, match="is cut off, or is no backup"):
            restore.bring_back(broken, settings=of(elsewhere))
    with open_connection(of(elsewhere)) as there:
        assert there.execute(backup.TABLES).fetchall() == []


def test_a_database_that_holds_something_is_replaced_only_when_told_so(
    committed_database: TestDatabase, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "house.backup"
    backup.make(file)
    restore.bring_back(file, settings=of(elsewhere))
    with open_connection(of(elsewhere)) as there:
        there.execute("CREATE TABLE of_somebody_else (id int)")
    with pytest.raises(UserError, match=r"holds .* tables; restore into an empty one, or .*--replace"):
        restore.bring_back(file, settings=of(elsewhere))
    restore.bring_back(file, replaces=True, settings=of(elsewhere))
    with open_connection(of(elsewhere)) as there:
        assert there.execute("SELECT to_regclass('of_somebody_else')").fetchall() == [(None,)]


def test_a_dump_that_does_not_hold_what_its_manifest_says_changes_nothing(
    committed_database: TestDatabase, elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "house.backup"
    real = backup.counted
    monkeypatch.setattr(backup, "counted", lambda *given: {**real(*given), "orders": 7})
    backup.make(file)
    with pytest.raises(UserError, match=r"is as it was: .*has not the 7 rows of the backup: orders"):
        restore.bring_back(file, settings=of(elsewhere))
    with open_connection(of(elsewhere)) as there:
        assert there.execute(backup.TABLES).fetchall() == []


def test_a_database_that_somebody_uses_is_not_restored_into(
    committed_database: TestDatabase, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "house.backup"
    backup.make(file)
    with open_connection(of(elsewhere)), pytest.raises(UserError, match="1 others are connected"):
        restore.bring_back(file, settings=of(elsewhere))


def test_a_backup_is_for_its_owners_eyes_and_overwrites_nothing(
    committed_database: TestDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "house.backup"
    manifest = backup.make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert any("encryption-keys" in missing for missing in manifest.missing)
    assert [path.name for path in tmp_path.iterdir()] == ["house.backup"]
    with pytest.raises(UserError, match="is there already"):
        backup.make(file)
    with archive.opened(file) as (told, _):
        assert told == manifest
