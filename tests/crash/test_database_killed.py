"""The database is killed under load, as by a power cut: what was answered with yes is there, once; what was not can be
asked again; callers hear a clean 503 meanwhile; and the house serves again within ten seconds.

FINALMARKET_KILLS sets how often.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.dose import IS_PROOF
from tests.crash.house import opened, until
from tests.crash.load import CALLERS, Load, Yes, under_load, wrong

KILLS = int(os.environ.get("FINALMARKET_KILLS", "1"))
READY_SECONDS, BUSY_SECONDS = 10.0, 60.0
"""So soon it has to serve again; beside other tests, on a machine that is busy with them, that much later."""
BETWEEN = (20, 60)
"""So many yeses come between one kill and the next, at least and at most."""


@pytest.mark.slow
def test_a_database_killed_under_load_loses_nothing_that_was_answered_and_serves_again_within_ten_seconds(
    open_folder: Path, test_database: object, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(7)
    with opened(open_folder) as house:
        with under_load(house) as load:
            ready = [seconds_without_it(load, dice) for _ in range(KILLS)]
        faults = load.faults()
    record_property("kills of the database", KILLS)
    record_property("ready again within ten seconds", sum(seconds <= READY_SECONDS for seconds in ready))
    record_property("answered with yes", load.yeses())
    record_property("lost", sum(fault.startswith("lost") for fault in faults))
    record_property("doubled", sum(fault.startswith("doubled") for fault in faults))
    record_property("refused meanwhile, by status", str(dict(sorted(load.refusals.items()))))
    for name, value in (("min", min(ready)), ("median", statistics.median(ready)), ("max", max(ready))):
        record_property(f"ready_s_{name}", round(value, 2))
    record_property("longest_wait_s", round(load.longest_seconds, 1))
    assert faults == []
    assert load.untidy == [], "callers hear 503 with Retry-After, as problem details, or nothing"
    assert max(ready) <= (READY_SECONDS if IS_PROOF else BUSY_SECONDS), ready


def seconds_without_it(load: Load, dice: random.Random) -> float:
    """Kill it in the middle of work; return the seconds until callers of every kind are served again."""
    enough = load.yeses() + dice.randint(*BETWEEN)
    until(lambda: load.yeses() >= enough, "callers are served")
    load.house.kill_database()
    return load.seconds_until_all_serve(time.monotonic())


# The law bites.


def yes(word: str, number: int | None = None) -> Yes:
    return Yes(word, number, 0.0, 0.0)


def test_what_was_answered_and_is_not_there_is_found() -> None:
    assert wrong("orders", [yes("a"), yes("b")], {"a": [1]}) == ["lost: b of orders"]


def test_what_stands_there_twice_is_found() -> None:
    assert wrong("orders", [yes("a", 1)], {"a": [1, 2]}) == ["doubled: a of orders stands there 2 times"]


def test_what_was_answered_as_another_is_found() -> None:
    assert wrong("orders", [yes("a", 1)], {"a": [2]}) == ["changed: a of orders was answered as 1 and is 2"]


def test_what_nobody_was_told_of_is_found() -> None:
    assert wrong("orders", [], {"a": [1]}) == ["nobody was told of a of orders"]


def test_every_kind_of_caller_is_looked_for_in_the_books() -> None:
    assert {caller.name for caller in CALLERS} == {"reservations", "orders", "events", "webhooks"}
