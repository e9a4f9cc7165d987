"""The laws of the border post: whatever a platform does, nothing is lost and nothing is doubled."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from finalmarket.sandbox.faults import PAGES_ONLY, READS_ONLY, WRITES_ONLY, Fault, Faults
from tests.doses import some_of
from tests.laws.border_game import Game, game, kinds_that_meet, platforms

SMALL = 4
FAULTS = int(os.environ.get("FINALMARKET_FAULTS", SMALL))
SEED = int(os.environ.get("FINALMARKET_SEED", "1"))
SHARE = 0.3
# Writes are rare, and what goes wrong with them is what might double something: they are drawn the more often.
WEIGHTS = {**dict.fromkeys(READS_ONLY, 2), **dict.fromkeys(WRITES_ONLY, 4)}
ROUNDS, LATE_ROUNDS = (20 if FAULTS > 50 else 5), 3
ENOUGH_FOR_EACH_KIND = 50
"""A smaller dose meets what it draws, and no kind on purpose; the proof meets each."""
MOST_PLAYS = 50
VAIN = 100
"""A fault of pages that was drawn so often, while lists were long, and did no harm has nothing to harm here: pages are
counted, so that no token ends, or no second page is ever asked for."""


@pytest.mark.committed_database
@pytest.mark.slow
@pytest.mark.parametrize("slug", platforms() if FAULTS > SMALL else some_of(platforms(), "border", one_in=2))
def test_no_fault_of_a_platform_loses_or_doubles_anything(
    slug: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    with game(slug, SEED, monkeypatch) as played:
        faults = Faults(seed=SEED)
        in_vain = _meet(played, faults, kinds_that_meet(played.case.connector))
        counts = {kind.name: faults.counts[kind] for kind in Fault if faults.counts[kind]}
        told = {"seed": SEED, "met": faults.met, "seconds_of_the_game": round(played.seconds), "kinds": counts}
        told |= {"in_vain": sorted(kind.name for kind in in_vain)} if in_vain else {}
        record_property("faults", faults.met)
        record_property("kinds of fault", len(counts))
        record_property("seconds of the game", round(played.seconds))
        record_property("seed", SEED)
        print(f"{slug}: {json.dumps(told)}")  # noqa: T201
        wrong = played.faults_of_the_books()
        record_property("lost or doubled", len(wrong))
        assert wrong == []


def _meet(played: Game, faults: Faults, wanted: set[Fault]) -> set[Fault]:
    """Play until so many faults were met, and of each kind one at least: those come first; what is still missing then
    is played for alone, and what needs long lists in a rush. A small dose is content with those that were drawn.
    Returns those that find nothing to harm."""
    every = [kind for kind in Fault if kind in wanted for _ in range(WEIGHTS.get(kind, 1))]
    plays, in_vain = 0, set[Fault]()
    wanted = wanted if FAULTS >= ENOUGH_FOR_EACH_KIND else set()
    while (missing := {kind for kind in wanted if not faults.counts[kind]} - in_vain) or faults.met < FAULTS:
        is_late = faults.met >= FAULTS
        faults.share = 1.0 if is_late else SHARE
        faults.kinds = _Unmet(faults, [kind for kind in every if kind in missing]) if is_late else every
        if not (is_late and played.has_rushed):
            faults.vain.clear()
        if not is_late:
            faults.then(*played.dice.sample(sorted(missing, key=str), len(missing)))
        played.play(LATE_ROUNDS if is_late else ROUNDS, faults, rush=is_late and bool(missing & PAGES_ONLY))
        in_vain = {kind for kind in PAGES_ONLY if is_late and faults.vain[kind] >= VAIN and not faults.counts[kind]}
        plays += 1
        assert plays < MOST_PLAYS + FAULTS, f"these faults are met too seldom: {missing}"
    return in_vain


class _Unmet(Sequence[Fault]):
    """Those of the kinds that have not been met yet, at every moment: each is met once, and then no more."""

    def __init__(self, faults: Faults, kinds: list[Fault]) -> None:
        self._faults, self._kinds = faults, kinds

    def _left(self) -> list[Fault]:
        return [kind for kind in self._kinds if not self._faults.counts[kind]]

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._left())

    def __len__(self) -> int:
        return len(self._left())

    def __getitem__(self, index: Any) -> Any:
        return self._left()[index]
