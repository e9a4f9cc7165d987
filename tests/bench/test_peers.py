"""How `make peers` counts an oversell, and the shape of what it writes; the peers themselves are not needed here."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from pathlib import Path

import pytest

from finalmarket.bench.report import figure
from tests.bench.peers import goods, page
from tests.bench.peers.crowd import Buyer, press, request
from tests.bench.peers.tally import Races, Result, races, report, sold

FOLDER = Path(__file__).parent / "peers"


def cells_of(page: str, *heads: str) -> list[list[str]]:
    """The rows of the tables of a page whose first cell begins with one of these words, without stars."""
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("*", "") for cell in row] for row in rows]
    return [row for row in cells if row[0].startswith(heads)]


def test_the_readme_tells_of_the_peers_what_their_page_tells() -> None:
    root = Path(__file__).resolve().parents[2]
    told = (root / "docs" / "peers.md").read_text("utf-8")
    found = cells_of(told, *page.TITLES.values())
    expected = []
    for speed in (row for row in found if row[1] == "one hot"):
        (race,) = [row for row in found if row[0] == speed[0] and " x " in row[1]]
        (spread,) = [row for row in found if row[0] == speed[0] and row[1] == "1,000"]
        (day,) = re.findall(rf"^- {re.escape(speed[0])}, .*: (\d{{4}}-\d\d-\d\d), ", told, re.MULTILINE)
        races_run, ours = race[1].split(" x ")[0], race[6].split(",")[0]
        rates = [row[column].split()[0] for row in (speed, spread) for column in (2, 3)]
        expected.append([speed[0].split(" on ")[0], *rates, f"{race[3]} of {races_run}", ours, day])
    assert len(expected) == len(page.TITLES)
    assert cells_of((root / "README.md").read_text("utf-8"), *page.TITLES.values()) == expected


def test_every_unit_sold_beyond_what_was_there_is_counted() -> None:
    rows = [("SKU-1", 1), ("SKU-2", 1), ("SKU-2", 1), ("SKU-3", 2), ("SKU-3", 1), ("SKU-3", 1)]
    stock = {"SKU-1": 1, "SKU-2": 1, "SKU-3": 1}
    assert races(stock, sold(rows), buyers=8) == Races(
        rounds=3, buyers=8, oversold_units=4, oversold_rounds=2, worst_round=3, unsold_rounds=0
    )


def test_a_last_unit_that_nobody_got_is_no_oversell_but_is_told() -> None:
    found = races({"SKU-1": 1, "SKU-2": 1}, sold([("SKU-2", 1)]), buyers=8)
    assert (found.oversold_units, found.unsold_rounds) == (0, 1)


def test_one_race_does_not_make_up_for_another() -> None:
    found = races({"SKU-1": 1, "SKU-2": 1}, sold([("SKU-1", 1), ("SKU-1", 1)]), buyers=8)
    assert (found.oversold_units, found.oversold_rounds, found.unsold_rounds) == (1, 1, 1)


def test_order_rows_of_something_else_are_not_counted_silently() -> None:
    with pytest.raises(ValueError, match="SKU-9"):
        races({"SKU-1": 1}, sold([("SKU-9", 1)]), buyers=8)


def test_the_report_has_the_shape_of_every_bench_and_says_what_each_peer_oversold() -> None:
    lost = Races(rounds=200, buyers=8, oversold_units=31, oversold_rounds=29, worst_round=2, unsold_rounds=0)
    kept = Races(rounds=200, buyers=8, oversold_units=0, oversold_rounds=0, worst_round=0, unsold_rounds=0)
    speed = figure("oscar_hot", "orders/s", [40.0, 50.0, 60.0], baseline_name="ours", baselines=[100.0, 100.0, 100.0])
    found = [
        Result("oscar", version="4.2.1", figures=[speed], races=lost, our_races=kept),
        Result("medusa", problem="npm is not on this machine"),
    ]
    told = json.loads(json.dumps(report({"cpus": 2}, found, callers=16)))
    assert set(told) == {"bench", "machine", "seed", "callers", "figures", "peers"}
    assert [(one["name"], one["value"], one["baseline"], one["ratio"]) for one in told["figures"]] == [
        ("oscar_hot", 50.0, 100.0, 0.5),
        ("oscar_oversold", 31, 0, None),
    ]
    assert told["peers"]["oscar"]["races"]["oversold_rounds"] == 29
    assert told["peers"]["medusa"]["problem"] == "npm is not on this machine"
    assert told["peers"]["medusa"]["races"] is None


def test_all_systems_are_asked_for_the_same_skus() -> None:
    assert goods.wishes(True, 50, seed=3) == goods.wishes(True, 50, seed=3) != goods.wishes(True, 50, seed=4)
    assert set(goods.wishes(False, 5, seed=1)) == {goods.HOT}
    assert {goods.units(number) for number in goods.LAST} == {1}


def test_a_buyer_presses_once_and_every_answer_is_counted() -> None:
    buyers = deque(Buyer((request("POST", "/arrange", b"{}"), request("POST", "/pay", b"{}"))) for _ in range(9))
    told, seen = asyncio.run(_served(buyers))
    assert (told, len(buyers)) == ({201: 9}, 0)
    assert sorted(seen) == sorted(["/arrange", "/pay"] * 9)


async def _served(buyers: deque[Buyer]) -> tuple[dict[int, int], list[str]]:
    """Let buyers press at a server that answers plainly and in chunks in turn."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            seen.append(head.split()[1].decode())
            length = re.search(rb"Content-Length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            is_last = seen[-1] == "/pay"
            plain, chunked = b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            writer.write(b"HTTP/1.1 " + (b"201 Created\r\n" + chunked if is_last else b"200 OK\r\n" + plain))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        told = await asyncio.to_thread(press, port, buyers, callers=3, seconds=30.0)
    return dict(told.statuses), seen


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def test_what_is_installed_is_pinned_and_names_no_registry() -> None:
    locks = [FOLDER / "oscar_shop" / "requirements.txt", *FOLDER.glob("*/package-lock.json")]
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "--hash=sha256:" in text or '"integrity": "sha512-' in text, lock
        assert "://" not in text and "index-url" not in text, lock
    for path in FOLDER.glob("*/package.json"):
        wanted = json.loads(path.read_text("utf-8"))["dependencies"]
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), path


def test_the_page_is_written_from_what_was_found() -> None:
    lost = Races(rounds=200, buyers=8, oversold_units=31, oversold_rounds=29, worst_round=2, unsold_rounds=0)
    kept = Races(rounds=200, buyers=8, oversold_units=0, oversold_rounds=0, worst_round=0, unsold_rounds=0)
    speeds = [
        figure(f"{name}", "orders/s", [40.0, 50.0, 60.0], baseline_name="ours", baselines=[100.0, 100.0, 100.0])
        for name in ("oscar_hot", "oscar_spread", "ours_hot_beside_oscar", "ours_spread_beside_oscar")
    ]
    where = {
        "date": "2026-11-26", "processor": "A processor", "cpus": 2, "memory_mb": 24_000, "postgresql": "18.6",
        "fsync": "on", "python": "3.11", "load": 0.1,
    }  # fmt: skip
    one = Result("oscar", "4.2.1", "its own defaults", figures=speeds, races=lost, our_races=kept)
    found = report(where, [one, Result("medusa", problem="no npm | here")], callers=16)
    for peer in found["peers"].values():
        peer["machine"] = where
    text = page.put(f"Before.\n{page.BEGIN}\noutdated\n{page.END}\nAfter.\n", page.figures(found))
    assert "outdated" not in text and text.startswith("Before.") and text.endswith("After.\n")
    assert "| django-oscar 4.2.1 | one hot | 50.0 (40.0 to 60.0) | 50.0 (40.0 to 60.0) | 0.50 | 100.0 |" in text
    assert "| django-oscar 4.2.1 | 200 x 8 | **31** | 29 | 2 | 0 | **0**, 0 unsold |" in text
    assert "| Medusa | | not measured: no npm / here | | | |" in text
    with pytest.raises(ValueError, match="figures"):
        page.put("A page without marks.", "")
