"""Paths are counted as a person would count them, one journey after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import paths
from finalmarket.journeys.funnels import FunnelStep, funnel
from finalmarket.journeys.paths import Flow
from finalmarket.journeys.paths_asked import QUERIES, Asked, chosen_with, limits
from finalmarket.kernel.errors import UserError
from tests.journeys.walks import ACTIONS, MORNING, Walk, channels, half, order, walk, wander

pytestmark = pytest.mark.django_db
EVERYTHING = Asked()
Known = tuple[list[SalesChannel], list[Walk]]


@pytest.fixture(params=[1, 2, 3])
def known(request: pytest.FixtureRequest) -> Iterator[Known]:
    """Random journeys, and what is known of them."""
    yield wander(request.param)


@pytest.fixture
def ann(db: None) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


def test_paths_are_counted_with_their_persons_and_orders(known: Known) -> None:
    _, walks = known
    by_path: dict[tuple[int, ...], list[Walk]] = defaultdict(list)
    for one in walks:
        by_path[one.channels].append(one)
    found = paths.top_paths(EVERYTHING, most=1_000)
    assert {one.channels: (one.journeys, one.persons, one.ordered) for one in found} == {
        path: (len(of), len({one.person for one in of}), sum(one.journey.order is not None for one in of))
        for path, of in by_path.items()
    }
    assert {one.distinct_paths for one in found} == {len(by_path)}
    assert [one.journeys for one in found] == sorted((one.journeys for one in found), reverse=True)


def test_changes_of_channel_are_counted_with_the_time_between_leaving_and_arriving(known: Known) -> None:
    _, walks = known
    gaps: dict[tuple[int, int], list[timedelta]] = defaultdict(list)
    for one in walks:
        for (source, _, left), (target, arrived, _) in pairwise(one.stays):
            gaps[source, target].append(arrived - left)
    found = paths.transitions(EVERYTHING)
    assert {(one.source, one.target): (one.times, one.median_time) for one in found} == {
        pair: (len(times), half(times)) for pair, times in gaps.items()
    }


def test_every_journey_leaves_every_step_somewhere(known: Known) -> None:
    _, walks = known
    flows = paths.flows(EVERYTHING, 20)
    expected: Counter[tuple[int, int, int | None, str]] = Counter()
    for one in walks:
        end = "ordered" if one.journey.order else one.journey.state
        for step, channel in enumerate(one.channels, start=1):
            follows = one.channels[step] if step < len(one.channels) else None
            expected[step, channel, follows, "on" if follows is not None else end] += 1
    assert {(flow.step, flow.channel, flow.next, flow.outcome): flow.journeys for flow in flows} == expected
    steps = paths.drop_off(flows)
    assert steps[0].arrived == len(walks)
    for here, following in pairwise(steps):
        assert here.arrived == here.went_on + here.ordered + here.ended + here.open
        assert here.went_on == following.arrived


def test_helping_is_being_there_without_being_the_last(known: Known) -> None:
    _, walks = known
    led = [one for one in walks if one.journey.order]
    for one in paths.assisted(EVERYTHING):
        there = [each for each in led if one.channel in each.channels]
        closed = sum(each.channels[-1] == one.channel for each in there)
        opened = sum(each.channels[0] == one.channel for each in there)
        assert (one.present, one.opened, one.closed, one.assisted) == (len(there), opened, closed, len(there) - closed)
    assert sum(one.closed for one in paths.assisted(EVERYTHING)) == len(led)


def test_abandoned_journeys_are_counted_where_they_ended(known: Known) -> None:
    _, walks = known
    decided = [one for one in walks if one.journey.state != "open"]
    left = Counter(one.touches[-1][:2] for one in decided if one.journey.state == "abandoned")
    came = Counter(place for one in decided for place in {touch[:2] for touch in one.touches})
    found = paths.abandonment(EVERYTHING)
    assert {(one.channel, one.action): (one.abandoned, one.came_by) for one in found} == {
        place: (times, came[place]) for place, times in left.items()
    }


def test_a_cart_is_left_at_what_was_done_last_and_not_at_the_note_that_it_was_left(ann: OmnichannelCustomer) -> None:
    (web,) = channels("Web")
    walk(ann, [(web, "product_view", 0), (web, "checkout_start", 5), (web, "cart_abandonment", 2_000)])
    (place,) = paths.abandonment(EVERYTHING)
    assert (place.action, place.abandoned, place.came_by) == ("checkout_start", 1, 1)


def test_a_loop_is_coming_back_after_one_other_channel(known: Known) -> None:
    _, walks = known
    expected: Counter[tuple[int, int]] = Counter()
    for one in walks:
        for first, via, again in zip(one.channels, one.channels[1:], one.channels[2:], strict=False):
            if first == again:
                expected[again, via] += 1
    assert {(one.channel, one.via): one.times for one in paths.loops(EVERYTHING)} == expected


def test_time_to_an_order_is_taken_from_the_first_touch(known: Known) -> None:
    _, walks = known
    took = [one.journey.order.placed_at - one.journey.started_at for one in walks if one.journey.order]
    every = paths.time_to_convert(EVERYTHING)[0]
    assert (every.channel, every.journeys, every.half) == (None, len(took), half(took))


def _contains(path: tuple[int, ...], wanted: list[int]) -> bool:
    rest = iter(path)
    return all(channel in rest for channel in wanted)


def test_paths_and_funnels_speak_of_the_same_journeys_and_persons(known: Known) -> None:
    """The law: a funnel over channels within one journey counts exactly the paths that hold its steps in order."""
    places, walks = known
    walked = paths.top_paths(EVERYTHING, most=1_000)
    population = paths.population(EVERYTHING)
    outcomes = (population.ordered, population.completed, population.abandoned, population.open)
    assert sum(outcomes) == population.journeys
    assert population.journeys == sum(one.journeys for one in walked) == len(walks)
    for first in places:
        for second in places:
            if first == second:
                continue
            wanted = [first.pk, second.pk, first.pk]
            stages = funnel(EVERYTHING, [FunnelStep(channel=key) for key in wanted], within_journey=True)
            for number, stage in enumerate(stages, start=1):
                held = [one for one in walked if _contains(one.channels, wanted[:number])]
                assert stage.journeys == sum(one.journeys for one in held)
                assert stage.persons == len({one.person for one in walks if _contains(one.channels, wanted[:number])})
    (everybody,) = funnel(EVERYTHING, [FunnelStep()])
    assert everybody.persons == population.persons == len({one.person for one in walks})


@pytest.mark.parametrize(
    ("asked", "keeps"),
    [
        (Asked(since=date(2026, 5, 10)), lambda one: one.journey.started_at.date() >= date(2026, 5, 10)),
        (Asked(until=date(2026, 5, 10)), lambda one: one.journey.started_at.date() <= date(2026, 5, 10)),
        (Asked(intent="browse"), lambda one: one.journey.intent == "browse"),
        (Asked(segment="regular"), lambda one: True),
        (Asked(segment="vip"), lambda one: False),
    ],
)
def test_a_filter_keeps_the_journeys_that_it_names(asked: Asked, keeps: Callable[[Walk], bool]) -> None:
    _, walks = wander(4)
    kept = Counter(one.channels for one in walks if keeps(one))
    assert {one.channels: one.journeys for one in paths.top_paths(asked, most=1_000)} == kept
    assert paths.population(asked).journeys == sum(kept.values())


def test_a_channel_keeps_the_journeys_that_touch_it_anywhere() -> None:
    places, walks = wander(5)
    asked = Asked(channel=places[2].pk)
    kept = Counter(one.channels for one in walks if places[2].pk in one.channels)
    assert {one.channels: one.journeys for one in paths.top_paths(asked, most=1_000)} == kept


def test_a_day_is_a_day_where_the_journey_began(ann: OmnichannelCustomer) -> None:
    (tokyo,) = channels("Tokyo")
    tokyo.time_zone = "Asia/Tokyo"
    tokyo.save()
    walk(ann, [(tokyo, "page_view", 0)], began=MORNING.replace(hour=20))  # five in the morning of the fifth
    assert paths.population(Asked(since=date(2026, 5, 5), until=date(2026, 5, 5))).journeys == 1
    assert paths.population(Asked(until=date(2026, 5, 4))).journeys == 0


def test_a_day_on_which_midnight_struck_twice_begins_with_the_first(ann: OmnichannelCustomer) -> None:
    (azores,) = channels("Ponta Delgada")
    azores.time_zone = "Atlantic/Azores"
    azores.save()
    for hour in (0, 1):  # half past midnight, twice
        walk(ann, [(azores, "page_view", 0)], began=datetime(2025, 10, 26, hour, 30, tzinfo=UTC))
    day = date(2025, 10, 26)
    assert paths.population(Asked(since=day, until=day)).journeys == 2
    assert paths.population(Asked(until=day - timedelta(days=1))).journeys == 0


def test_a_merge_makes_two_customers_one_person_and_parting_makes_them_two_again(ann: OmnichannelCustomer) -> None:
    (web,) = channels("Web")
    other = OmnichannelCustomer.objects.create(name="Anna")
    for customer in (ann, other):
        walk(customer, [(web, "page_view", 0)])
    assert paths.top_paths(EVERYTHING)[0].persons == 2
    other.merged_into = ann
    other.save()
    assert paths.top_paths(EVERYTHING)[0].persons == 1
    assert paths.population(EVERYTHING).persons == 1
    other.merged_into = None
    other.save()
    assert paths.population(EVERYTHING).persons == 2


def test_a_segment_is_that_of_the_person(ann: OmnichannelCustomer) -> None:
    (web,) = channels("Web")
    merged = OmnichannelCustomer.objects.create(name="Anna", segment="prospect", merged_into=ann)
    OmnichannelCustomer.objects.filter(pk=ann.pk).update(segment="vip")
    walk(merged, [(web, "page_view", 0)])
    assert paths.population(Asked(segment="vip")).journeys == 1
    assert paths.population(Asked(segment="prospect")).journeys == 0


def test_a_journey_without_a_step_has_no_path_and_is_in_no_answer(ann: OmnichannelCustomer) -> None:
    (web,) = channels("Web")
    one = walk(ann, [(web, "customer_service", 0)], intent="return", state="completed")
    assert paths.population(EVERYTHING).completed == 1
    one.journey.touchpoints.all().delete()
    assert paths.population(EVERYTHING).journeys == 0
    assert paths.top_paths(EVERYTHING) == []


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UserError, match="before it begins"):
        Asked(since=date(2026, 5, 2), until=date(2026, 5, 1))


def test_a_question_that_takes_too_long_is_given_up_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finalmarket.journeys.paths_asked.MOST_SECONDS", 0.02)
    with pytest.raises(UserError, match="ask for a shorter period"), limits(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM generate_series(1, 100000000)")
    assert paths.population(EVERYTHING).journeys == 0  # the transaction around it goes on


def test_limits_are_gone_afterwards() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('work_mem'), current_setting('statement_timeout')")
        before = cursor.fetchone()
        with limits():
            paths.population(EVERYTHING)
        cursor.execute("SELECT current_setting('work_mem'), current_setting('statement_timeout')")
        assert cursor.fetchone() == before


def test_the_words_of_steps_are_known_by_how_often_they_are_used(ann: OmnichannelCustomer) -> None:
    (web,) = channels("Web")
    walk(ann, [(web, "page_view", 0), (web, "page_view", 1), (web, "pick_up", 2)])
    assert paths.actions() == ["page_view", "pick_up"]


def test_steps_are_read_from_the_index_alone(ann: OmnichannelCustomer) -> None:
    """What the questions read of steps lies in one index, in the order in which they are read."""
    (web,) = channels("Web")
    walk(ann, [(web, action, number) for number, action in enumerate(ACTIONS)], order=order(web))
    statement = f"{chosen_with(EVERYTHING, 'stays')}\n{QUERIES['top_paths']}"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", EVERYTHING.values | {"most": 10})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Only Scan using touchpoints_in_order" in plan
    assert "Sort Key: touch.journey_id" not in plan


def test_drop_off_is_the_share_that_ended_without_an_order() -> None:
    flows = [Flow(1, 7, 8, "on", 6), Flow(1, 7, None, "abandoned", 3), Flow(1, 9, None, "ordered", 1)]
    (step,) = paths.drop_off(flows)
    assert (step.arrived, step.went_on, step.ended, step.drop_off) == (10, 6, 3, 0.3)
