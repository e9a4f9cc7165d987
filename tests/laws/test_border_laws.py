"""The laws of the border post: whatever a platform does, nothing is lost and nothing is doubled."""

import json
import os
from collections.abc import Callable

import pytest

from finalmarket.connectors.registry import connectors
from finalmarket.sandbox.faults import PAGES_ONLY, Fault, Faults
from tests.laws.border_game import Game, game, kinds_that_meet, platforms

FAULTS = int(os.environ.get("FINALMARKET_FAULTS", "60"))
SEED = int(os.environ.get("FINALMARKET_SEED", "1"))
SHARE = 0.3
ROUNDS, LATE_ROUNDS = 20, 3
MOST_PLAYS = 50


@pytest.mark.committed_database
@pytest.mark.slow
@pytest.mark.parametrize("slug", platforms())
def test_no_fault_of_a_platform_loses_or_doubles_anything(
    slug: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    wanted = kinds_that_meet(connectors()[slug])
    with game(slug, SEED, monkeypatch) as played:
        faults = Faults(seed=SEED, share=SHARE, kinds=tuple(sorted(wanted, key=lambda kind: kind.name)))
        _meet(played, faults, wanted)
        counts = {kind.name: faults.counts[kind] for kind in Fault if faults.counts[kind]}
        record_property("faults", json.dumps(counts))
        print(f"{slug}: {faults.met} faults, {played.seconds:.0f} seconds of the game: {json.dumps(counts)}")  # noqa: T201
        assert played.faults_of_the_books() == []


def _meet(played: Game, faults: Faults, wanted: set[Fault]) -> None:
    """Play until so many faults were met, and of each kind one at least: what is still missing is played for alone, and
    what needs long lists in a rush."""
    plays, every_kind = 0, faults.kinds
    while (missing := {kind for kind in wanted if not faults.counts[kind]}) or faults.met < FAULTS:
        is_late = faults.met >= FAULTS
        faults.share = 1.0 if is_late else SHARE
        faults.kinds = tuple(kind for kind in every_kind if kind in missing) if is_late else every_kind
        played.play(LATE_ROUNDS if is_late else ROUNDS, faults, rush=is_late and bool(missing & PAGES_ONLY))
        plays += 1
        assert plays < MOST_PLAYS + FAULTS, f"these faults are met too seldom: {missing}"
