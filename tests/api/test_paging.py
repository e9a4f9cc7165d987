"""Lists in pages never lose or repeat a row, whatever is added or taken away between two pages."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finalmarket.api.paging import MOST
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from tests.api.calling import Program, problem, told
from tests.api.conftest import House
from tests.stock.shelves import new_variant

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def program(house: House) -> Program:
    return Program()


def journey(house: House, minutes: int) -> int:
    at = NOON + timedelta(minutes=minutes)
    return int(CrossChannelJourney.objects.create(
        customer=house.ann, start_channel=house.web, intent="browse", started_at=at
    ).pk)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_no_row_is_lost_or_repeated_while_rows_come_and_go(house: House, program: Program, seed: int) -> None:
    chance = random.Random(seed)
    stays = {journey(house, chance.randrange(6)) for _ in range(40)}  # many at the same minute
    goes = {journey(house, chance.randrange(6)) for _ in range(10)}
    seen: list[int] = []
    for items in program.pages("/journeys", limit=chance.randrange(1, 9)):
        seen += [one["id"] for one in items]
        journey(house, chance.randrange(-3, 9))
        CrossChannelJourney.objects.filter(pk=chance.choice(sorted(goes))).delete()
    assert len(seen) == len(set(seen))
    assert stays <= set(seen)


def test_pages_are_full_and_the_last_one_says_so(house: House, program: Program) -> None:
    ids = [journey(house, minute) for minute in range(6)]
    assert [[one["id"] for one in page] for page in program.pages("/journeys", limit=3)] == [ids[:2:-1], ids[2::-1]]


def test_interactions_of_one_moment_are_told_apart(house: House, program: Program) -> None:
    batch = [{"customer": house.ann.pk, "channel": house.web.pk, "type": "search",
              "occurred_at": "2026-05-04T12:00:00.123456Z"}] * 25  # fmt: skip
    told(program.post("/interactions/bulk", {"interactions": batch}))
    seen = [one["id"] for page in program.pages("/interactions", channel=house.web.pk, limit=4) for one in page]
    assert sorted(seen) == sorted(ChannelInteraction.objects.values_list("pk", flat=True))


def test_a_cursor_belongs_to_its_question(house: House, program: Program) -> None:
    for minute in range(3):
        journey(house, minute)
    cursor = told(program.get("/journeys", limit=1, state="open"))["next"]
    told(program.get("/journeys", limit=2, state="open", cursor=cursor))
    for asked in ({"state": "completed"}, {}, {"state": "open", "intent": "browse"}):
        problem(program.get("/journeys", cursor=cursor, **asked), "cursor", 400)


def test_a_cursor_belongs_to_its_order_which_differs_by_key(house: House, program: Program) -> None:
    for number in range(3):
        house.web.add_product(new_variant(f"TEA-{number}").product)
    bound = Program("listings:read", channels=[house.web.pk])
    for one, other in ((program, bound), (bound, program)):
        cursor = told(one.get("/listings", limit=1))["next"]
        told(one.get("/listings", limit=1, cursor=cursor))
        problem(other.get("/listings", limit=1, cursor=cursor), "cursor", 400)


@pytest.mark.parametrize("spoil", [lambda one: one[:-1], lambda one: one[1:], lambda one: "x", lambda one: one + "x"])
def test_a_cursor_that_is_none_of_ours_is_refused(house: House, program: Program, spoil: Any) -> None:
    for minute in range(2):
        journey(house, minute)
    cursor = told(program.get("/journeys", limit=1))["next"]
    problem(program.get("/journeys", cursor=spoil(cursor)), "cursor", 400)


@pytest.mark.parametrize("limit", [0, -1, MOST + 1, "all", ""])
def test_a_page_has_one_to_two_hundred_rows(house: House, program: Program, limit: Any) -> None:
    assert problem(program.get("/journeys", limit=limit), "invalid", 422)["errors"][0]["where"] == "query.limit"
