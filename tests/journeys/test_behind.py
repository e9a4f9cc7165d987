"""Behind each number of a question about paths stand just the journeys that it counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from finalmarket.journeys import paths
from finalmarket.journeys.behind import journeys, read
from finalmarket.journeys.paths_asked import Asked
from finalmarket.kernel.errors import UserError
from tests.journeys.walks import Walk, wander

pytestmark = pytest.mark.django_db
EVERYTHING = Asked()


@pytest.fixture(params=[1, 2])
def walks(request: pytest.FixtureRequest) -> Iterator[list[Walk]]:
    """Random journeys as they were written."""
    yield wander(request.param)[1]


def check(words: str, wanted: Sequence[Walk], asked: Asked = EVERYTHING) -> int:
    """Hold the journeys behind a number against those that a person would pick; return how many they are."""
    found = journeys(asked, words)
    assert sorted(found) == sorted(one.journey.pk for one in wanted), words
    return len(found)


def is_ordered(one: Walk) -> bool:
    return one.journey.order is not None


def test_those_who_walked_a_path(walks: list[Walk]) -> None:
    for path in paths.top_paths(EVERYTHING, most=1_000):
        words = f"path:{'-'.join(map(str, path.channels))}"
        there = [one for one in walks if one.channels == path.channels]
        assert check(words, there) == path.journeys
        assert check(f"{words}:ordered", [one for one in there if is_ordered(one)]) == path.ordered


def test_those_who_changed_channels_and_those_who_came_back(walks: list[Walk]) -> None:
    for change in paths.transitions(EVERYTHING):
        there = [one for one in walks if change.pair in pairwise(one.channels)]
        assert check(f"change:{change.source}-{change.target}", there) == change.journeys
    for loop in paths.loops(EVERYTHING):
        turn = (loop.channel, loop.via, loop.channel)
        there = [one for one in walks if turn in zip(one.channels, one.channels[1:], one.channels[2:], strict=False)]
        assert check(f"loop:{loop.channel}-{loop.via}", there) == loop.journeys
        assert (
            check(f"loop:{loop.channel}-{loop.via}:ordered", [one for one in there if is_ordered(one)]) == loop.ordered
        )


def test_those_who_came_to_a_step_and_what_became_of_them(walks: list[Walk]) -> None:
    for step in paths.drop_off(paths.flows(EVERYTHING, 20)):
        there = [one for one in walks if len(one.channels) >= step.step]
        last = [one for one in there if len(one.channels) == step.step]
        assert check(f"step:{step.step}", there) == step.arrived
        assert check(f"step:{step.step}:on", [one for one in there if one not in last]) == step.went_on
        assert check(f"step:{step.step}:ordered", [one for one in last if is_ordered(one)]) == step.ordered
        lost = [one for one in last if not is_ordered(one)]
        assert check(f"step:{step.step}:ended", [one for one in lost if one.journey.state != "open"]) == step.ended
        assert check(f"step:{step.step}:open", [one for one in lost if one.journey.state == "open"]) == step.open


def test_those_whom_a_channel_helped_to_an_order(walks: list[Walk]) -> None:
    led = [one for one in walks if is_ordered(one)]
    for part in paths.assisted(EVERYTHING):
        there = [one for one in led if part.channel in one.channels]
        last = [one for one in there if one.channels[-1] == part.channel]
        words = f"role:{part.channel}"
        assert check(f"{words}:present", there) == part.present
        assert check(f"{words}:opened", [one for one in there if one.channels[0] == part.channel]) == part.opened
        assert check(f"{words}:closed", last) == part.closed
        assert check(f"{words}:assisted", [one for one in there if one not in last]) == part.assisted
    for time in paths.time_to_convert(EVERYTHING):
        began = [one for one in led if time.channel in (None, one.channels[0])]
        assert check("ordered" if time.channel is None else f"ordered:{time.channel}", began) == time.journeys


def test_those_who_left_at_a_place(walks: list[Walk]) -> None:
    decided = [one for one in walks if one.journey.state != "open"]
    for place in paths.abandonment(EVERYTHING):
        where = (place.channel, place.action)
        came = [one for one in decided if where in {touch[:2] for touch in one.touches}]
        left = [one for one in came if one.journey.state == "abandoned" and one.touches[-1][:2] == where]
        assert check(f"place:{place.channel}:{place.action}:came", came) == place.came_by
        assert check(f"place:{place.channel}:{place.action}:left", left) == place.abandoned


def test_those_asked_about_and_no_others(walks: list[Walk]) -> None:
    channel = walks[0].channels[0]
    asked = Asked(channel=channel)
    counted = paths.population(asked)
    assert check("any", [one for one in walks if channel in one.channels], asked) == counted.journeys
    for outcome in ("ordered", "completed", "abandoned", "open"):
        assert len(journeys(asked, f"any:{outcome}")) == getattr(counted, outcome)
    for one in paths.top_paths(asked, most=5):
        assert len(journeys(asked, f"path:{'-'.join(map(str, one.channels))}")) == one.journeys


def test_the_newest_come_where_there_are_too_many(walks: list[Walk]) -> None:
    newest = sorted(walks, key=lambda one: (one.journey.started_at, one.journey.pk), reverse=True)
    assert journeys(EVERYTHING, "any", most=3) == [one.journey.pk for one in newest[:3]]


@pytest.mark.parametrize(
    "words", ["", "path", "path:", "path:x", "step:1:lost", "place:1:a b:left", "any;", "path:1-2 "]
)
def test_what_names_no_number_is_refused_in_words(words: str) -> None:
    with pytest.raises(UserError, match="no number is named"):
        read(words)
