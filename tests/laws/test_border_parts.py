"""The reckoning of every part of the border game finds what it is there for: fed a platform that lost or doubled
something, it says so."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from finalmarket.sandbox.abilities import Deed
from finalmarket.sandbox.faults import Faults
from finalmarket.sandbox.house import stand_ins
from tests.laws import border_game
from tests.laws.border_game import Game, game
from tests.laws.border_part import Part

OFFICE = "practice_office"
ROUNDS = 8
Spoil = Callable[[Game, Any], None]


def _part(played: Game, name: str) -> Part:
    return next(part for part in played.parts if type(part).__name__ == name)


def _again(stream: str) -> Spoil:
    """What stands first in a stream of the office stands there twice."""

    def spoil(played: Game, there: Any) -> None:
        name, record = next(iter(there.state[stream].items()))
        there.state[stream][f"{name}-again"] = {**copy.deepcopy(record), "id": f"{name}-again"}

    return spoil


def _effect_again(name: str) -> Spoil:
    """What really changed there first changed once more."""

    def spoil(played: Game, there: Any) -> None:
        there.effect(name, **{key: value for key, value in there.effects(name)[0].items() if key != "account"})

    return spoil


def _a_ticket_again(played: Game, there: Any) -> None:
    ticket = next(one for one in there.state["conversations"].values() if one["is_ticket"])
    there.state["conversations"]["T-again"] = {**copy.deepcopy(ticket), "id": "T-again"}


def _an_unheard_deed(played: Game, there: Any) -> None:
    deeds: Any = _part(played, "Deeds")
    deeds.done[Deed("email_open", "nobody@example.com")] += 1


def _an_unheard_word(played: Game, there: Any) -> None:
    talks: Any = _part(played, "Talks")
    there.go_on(talks.talks[0].name, "Hello?")
    talks.talks[0].said.append("Hello?")


def _a_unit_too_many(played: Game, there: Any) -> None:
    item = next(iter(there.state["items"].values()))
    item["stock"]["main"]["quantity"] += 1


SPOILS: dict[str, tuple[Spoil, str]] = {
    "Labels": (_again("labels"), "is known to nobody"),
    "Orders": (_again("orders"), "is kept 2 times"),
    "Customers": (_again("customers"), "is kept 2 times"),
    "Movements": (_a_unit_too_many, "it should be"),
    "Events": (_effect_again("event"), "was counted 2 times"),
    "Messages": (_effect_again("message"), "went out 2 times"),
    "Tickets": (_a_ticket_again, "was opened 2 times"),
    "Deeds": (_an_unheard_deed, "0 times came in"),
    "Talks": (_an_unheard_word, "was said"),
}


@pytest.mark.committed_database
def test_a_doubled_or_lost_effect_is_found_by_the_part_that_it_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with game(OFFICE, 1, monkeypatch) as played:
        played.play(ROUNDS, Faults())
        assert played.faults_of_the_books() == []
        for name, (spoil, words) in SPOILS.items():
            with played.stand_in.lock:
                spoil(played, played.stand_in)
            found = list(_part(played, name).wrong())
            assert any(words in line for line in found), f"{name} found only {found}"


def test_every_platform_of_the_mission_plays() -> None:
    assert len(border_game.platforms()) >= 24
    assert set(border_game.platforms()) == {one.slug for one in stand_ins()}
