"""A worker is killed at every named failpoint of every path, and whoever comes after it finds all of it: nothing is
lost, nothing is doubled, no stale number stands.

FINALMARKET_PROOF_CUTS=all makes it the long proof; without it every second path is walked, and cut at every twelfth
failpoint.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from finalmarket.kernel.errors import UserError
from tests.laws.border_house import House, house
from tests.laws.cut_off import EVERYWHERE, cut_off, in_this_dose, ways_of_this_dose
from tests.laws.sync_path import Path
from tests.laws.sync_paths import WAYS
from tests.laws.trail import Trail, watched

pytestmark = pytest.mark.committed_database


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(
    way: str, monkeypatch: pytest.MonkeyPatch, tried: Counter[str]
) -> None:
    with house(monkeypatch) as home:
        for path in ways_of_this_dose(WAYS[way], way):
            tried["paths"] += 1
            trail = walked(home, path)
            assert home.faults_of_the_books() == [], f"{path}: nobody was killed"
            for cut in cuts(path, trail):
                path.happen(home)
                home.pass_time(minutes=1)
                tried["workers killed"] += is_killed(home, path, cut)
                come_after(home, path)
                assert home.faults_of_the_books() == [], f"{path}: killed at {cut}"


def is_killed(home: House, path: Path, cut: str) -> bool:
    """Walk the path and be killed at `cut`; return whether that place was met again. What the path is about has to be;
    what it came by the first time alone, as with people who were new then, need not."""
    ended = cut_off(partial(path.act, home), cut)
    if ended == f"{cut} was not passed" and not path.is_about(cut.partition("@")[0]):
        return False
    assert ended == "", path
    return True


def walked(home: House, path: Path) -> Trail:
    """What a worker that nobody kills leaves behind on this path."""
    path.happen(home)
    home.pass_time(minutes=1)
    with watched() as trail:
        path.act(home)
    come_after(home, path)
    return trail


def come_after(home: House, path: Path) -> None:
    """Whoever asked for it comes again, then what comes round by itself."""
    if path.again is not None:
        try:
            path.again(home)
        except UserError:  # it was done already
            pass
    home.others_come_by()


def cuts(path: Path, trail: Trail) -> list[str]:
    """Where the worker is killed on this path in this run."""
    return in_this_dose(places_to_cut(path, trail), path)


def places_to_cut(path: Path, trail: Trail) -> list[str]:
    """Where the worker can be killed on this path: at each failpoint that the path is about, as late as it comes by;
    in the long proof at every visit of every one."""
    passed = trail.points()
    if EVERYWHERE:
        return [f"{name}@{passed[: place + 1].count(name)}" for place, name in enumerate(passed)]
    mine = [name for name in dict.fromkeys(passed) if path.is_about(name)]
    return [f"{name}@{passed.count(name)}" for name in mine]
