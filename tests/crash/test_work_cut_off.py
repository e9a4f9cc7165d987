"""A worker is killed at every named failpoint of what it does inside the house. The next one finds all of it still to
be done, does it, and the books say what they would have said.

So that no failpoint is forgotten, every one of the house is killed at by a test that is named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.crash.test_web_cut_off import EVERYWHERE, ON_THE_WAYS
from tests.crash.works import WORKS, House, Work, opened
from tests.laws.cut_off import cut_off
from tests.laws.test_every_step_can_be_cut import SYNC_ROOMS, failpoints_in, sources
from tests.laws.trail import HOUSE, ROOT, watched

KILLED_IN = (
    "tests/doors/test_doors_cut_off.py", "tests/doors/test_agents_pay.py", "tests/doors/test_story_chat.py",
    "tests/lake/test_export.py", "tests/bulk/test_killed.py", "tests/bulk/test_orders_real.py",
    "tests/demo/test_filling.py", "tests/integrations/test_erase_elsewhere.py",
)  # fmt: skip
"""Tests that kill at failpoints which they name themselves."""
PARTS_OF_THE_BORDER_POST = ("books", "desk", "master", "talk")
"""Rooms whose own tests look whether a worker is killed at their failpoints, as that of the border post does."""
NAMED_BY_WHAT_IS_THERE = ("analytics/lake/export.py", "bulk/plan.py")
"""Where a failpoint is called after a table; their tests name those that there are."""


@pytest.fixture
def house(committed_database: object) -> Iterator[House]:
    with opened() as found:
        yield found


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_a_worker_that_is_killed_anywhere_in_its_work_leaves_it_whole_to_the_next(
    work: Work, house: House, record_property: Callable[[str, object], None]
) -> None:
    about = work.before(house)
    with watched() as trail:
        work.act(house, about)
    passed, names = trail.points(), sorted(work.failpoints())
    assert work.told(house, about) == work.expected
    visits = {name: range(1, passed.count(name) + 1) if EVERYWHERE else [passed.count(name)] for name in names}
    cuts = [f"{name}@{visit}" for name in names for visit in visits[name]]
    for cut in cuts:
        house.turn += 1
        about = work.before(house)
        assert cut_off(partial(work.act, house, about), cut) == "", cut
        work.act(house, about)
        assert work.told(house, about) == work.expected, f"killed at {cut}"
    record_property("kills", len(cuts))


def looked_after() -> set[Path]:
    """The files whose own tests look whether a process is killed at each of their failpoints."""
    rooms = [path for room in PARTS_OF_THE_BORDER_POST for path in (HOUSE / "integrations" / room).rglob("*.py")]
    return {*sources(*SYNC_ROOMS), *ON_THE_WAYS, *rooms, *(HOUSE / path for path in NAMED_BY_WHAT_IS_THERE)}


def test_a_process_is_killed_at_every_named_failpoint_of_the_house() -> None:
    killed = {name for work in WORKS for name in work.failpoints()}
    for path in KILLED_IN:
        killed |= {*re.findall(r"[a-z]+\.[a-z_]+", (ROOT / path).read_text())}
    there = {name for path in {*HOUSE.rglob("*.py")} - looked_after() for name in failpoints_in(path)}
    assert sorted(there - killed) == []
