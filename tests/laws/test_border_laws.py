"""The laws of the border post: whatever a platform does, nothing is lost and nothing is doubled."""

import os

import pytest

from finalmarket.sandbox.faults import Fault, Faults
from tests.laws.border_game import all_kinds, game

pytestmark = [pytest.mark.committed_database, pytest.mark.slow]
FAULTS = int(os.environ.get("FINALMARKET_FAULTS", "60"))
PLATFORMS = ("fake", "shopify", "amazon", "square")


@pytest.mark.parametrize("slug", PLATFORMS)
def test_no_fault_of_a_platform_loses_or_doubles_anything(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with game(slug, 1, monkeypatch) as played:
        faults = Faults(seed=1, share=0.3, kinds=all_kinds(Fault.SLOW_DRIP), most=FAULTS)
        rounds = 0
        while faults.met < FAULTS and rounds < 40 * FAULTS:
            played.play(5, faults)
            faults.share, rounds = 0.3, rounds + 5
        assert faults.met >= FAULTS
        assert played.faults_of_the_books() == []
