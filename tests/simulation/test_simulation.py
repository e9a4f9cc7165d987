"""Thirty days of a house with eight channels, played again and again in virtual time: whatever comes together, nothing
is oversold, lost or doubled, and the platforms show the last value. A seed that breaks a law says how to replay it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from finalmarket.integrations import settling, telling
from finalmarket.kernel.database import database_ready
from tests.simulation.play import DAYS
from tests.simulation.playing import Played, Theatre, theatre

SEEDS = int(os.environ.get("FINALMARKET_PROOF_SEEDS", "2"))
FIRST = int(os.environ.get("FINALMARKET_PROOF_FIRST_SEED", "0"))
PARTS = min(16, max(1, SEEDS // 25))
SHORT, MOST_TO_SEE = 3, 30
"""Within so many seeds of three days a broken house has to be seen."""


@pytest.fixture(scope="module")
def open_theatre(django_db_blocker: Any) -> Iterator[Theatre]:
    with _opened(django_db_blocker) as found:
        yield found


@contextmanager
def _opened(blocker: Any) -> Iterator[Theatre]:
    with blocker.unblock():
        database_ready()
        with theatre(os.environ.get("PYTEST_XDIST_WORKER", "main")) as found:
            yield found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_order_of_events_breaks_a_law(
    part: int, open_theatre: Theatre, record_property: Callable[[str, object], None]
) -> None:
    seeds, counts, wrong = range(FIRST + part, FIRST + SEEDS, PARTS), Counter[str](), list[Played]()
    for seed in seeds:
        played = open_theatre.play(seed)
        counts.update(played.counts)
        wrong += [played] if played.wrong else []
    record_property("first seed", seeds.start)
    record_property("seeds", len(seeds))
    record_property("virtual days", len(seeds) * DAYS)
    for name in ("moves", "jobs", "calls", "faults", "power cuts", "turns of others"):
        record_property(name, counts[name])
    record_property("broken", len(wrong))
    assert not wrong, "\n".join(map(str, wrong))


def test_the_same_seed_is_the_same_run_to_the_byte(open_theatre: Theatre) -> None:
    first, again, another = (open_theatre.play(seed, keep_lines=True, days=SHORT) for seed in (7, 7, 8))
    assert first.lines == again.lines
    assert first.digest == again.digest != another.digest


def _version_check_is_dropped(patch: pytest.MonkeyPatch) -> None:
    """Whatever version was told, the row is settled: what changed meanwhile is never told."""
    query = telling.QUERIES["settle"]
    check = "CASE WHEN due.claimed_version = mine.version THEN mine.version ELSE 0 END"
    assert check in query
    patch.setitem(telling.QUERIES._queries, "settle", query.replace(check, "due.version"))


def _failure_is_swallowed(patch: pytest.MonkeyPatch) -> None:
    """What a platform could not be told is settled as if it had been."""
    patch.setattr(
        settling,
        "put_off",
        lambda account, ware, rows, records, error: settling.settle(account, ware, rows, {}, records),
    )


@pytest.mark.parametrize(("spoil", "first"), [(_version_check_is_dropped, 1), (_failure_is_swallowed, 10)])
def test_a_broken_house_is_seen_and_the_run_can_be_replayed(
    spoil: Callable[[pytest.MonkeyPatch], None], first: int, open_theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch)
    for seed in range(first, first + MOST_TO_SEE):
        played = open_theatre.play(seed, days=SHORT)
        if played.wrong:
            break
    assert f"replay: python -m tests.simulation {seed}" in str(played)
    again = open_theatre.play(seed, days=SHORT)
    assert (again.wrong, again.digest) == (played.wrong, played.digest)
