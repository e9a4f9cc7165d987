"""A funnel counts persons who do one thing after another, in order and in time."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.funnels import FunnelStep, funnel, persons_at
from finalmarket.journeys.paths_asked import Asked
from finalmarket.kernel.errors import UserError
from tests.journeys.walks import ACTIONS, MORNING, Touch, Walk, channels, half, walk, wander

pytestmark = pytest.mark.django_db
EVERYTHING = Asked()
VIEW, CART, START, BUY = (FunnelStep(action) for action in ACTIONS)


@pytest.fixture
def web() -> SalesChannel:
    return channels("Web")[0]


@pytest.fixture
def ann(db: None) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


def persons(*steps: FunnelStep, within_minutes: int | None = None, within_journey: bool = False) -> list[int]:
    window = None if within_minutes is None else timedelta(minutes=within_minutes)
    counted = [one.persons for one in funnel(EVERYTHING, steps, window=window, within_journey=within_journey)]
    for number, count in enumerate(counted, start=1):
        there = persons_at(EVERYTHING, steps, number, window=window, within_journey=within_journey)
        assert len(set(there)) == len(there) == count
    return counted


def test_steps_count_in_their_order_only(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    walk(ann, [(web, "add_to_cart", 0), (web, "product_view", 1), (web, "checkout_start", 2)])
    assert persons(VIEW, CART) == [1, 0]
    assert persons(CART, VIEW, START) == [1, 1, 1]


def test_who_came_to_a_step_is_known(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    ben = OmnichannelCustomer.objects.create(name="Ben", merged_into=ann)
    cleo = OmnichannelCustomer.objects.create(name="Cleo")
    walk(ben, [(web, "product_view", 0), (web, "add_to_cart", 1)])
    walk(cleo, [(web, "product_view", 0)])
    assert persons_at(EVERYTHING, [VIEW, CART], 1) == [cleo.pk, ann.pk]
    assert persons_at(EVERYTHING, [VIEW, CART], 2) == [ann.pk]
    assert persons_at(EVERYTHING, [VIEW, CART], 1, most=1) == [cleo.pk]
    with pytest.raises(UserError, match="no step 3"):
        persons_at(EVERYTHING, [VIEW, CART], 3)


def test_one_touch_is_one_step(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    walk(ann, [(web, "product_view", 0)])
    assert persons(VIEW, VIEW) == [1, 0]
    walk(ann, [(web, "product_view", 9)])
    assert persons(VIEW, VIEW) == [1, 1]


def test_anything_may_lie_between(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    walk(ann, [(web, "product_view", 0), (web, "search", 1), (web, "wishlist_add", 2), (web, "add_to_cart", 3)])
    assert persons(VIEW, CART) == [1, 1]


def test_a_run_fits_the_window_from_its_latest_beginning(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    """Seen long ago and seen again just before: the second time counts."""
    walk(ann, [(web, "product_view", 0), (web, "product_view", 100), (web, "add_to_cart", 110)])
    assert persons(VIEW, CART, within_minutes=10) == [1, 1]
    assert persons(VIEW, CART, within_minutes=9) == [1, 0]


def test_the_window_holds_the_whole_run(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    walk(ann, [(web, "product_view", 0), (web, "add_to_cart", 8), (web, "checkout_start", 16)])
    assert persons(VIEW, CART, START, within_minutes=16) == [1, 1, 1]
    assert persons(VIEW, CART, START, within_minutes=15) == [1, 1, 0]


def test_a_step_may_be_asked_for_on_one_channel_or_on_any(ann: OmnichannelCustomer) -> None:
    app, store = channels("App", "Store")
    walk(ann, [(app, "product_view", 0), (store, "checkout_complete", 30)])
    assert persons(VIEW, BUY) == [1, 1]
    assert persons(VIEW, FunnelStep("checkout_complete", store.pk)) == [1, 1]
    assert persons(VIEW, FunnelStep("checkout_complete", app.pk)) == [1, 0]
    assert persons(FunnelStep(channel=app.pk), FunnelStep(channel=store.pk)) == [1, 1]


def test_a_person_takes_steps_on_several_journeys_unless_one_is_asked_for(
    web: SalesChannel, ann: OmnichannelCustomer
) -> None:
    merged = OmnichannelCustomer.objects.create(name="Anna", merged_into=ann)
    walk(ann, [(web, "product_view", 0)])
    walk(merged, [(web, "add_to_cart", 0)], began=MORNING + timedelta(days=2))
    assert persons(VIEW, CART) == [1, 1]
    assert persons(VIEW, CART, within_journey=True) == [1, 0]
    assert funnel(EVERYTHING, [VIEW, CART])[1].median_time == timedelta(days=2)


def test_persons_are_counted_once_and_journeys_each(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    for day in range(3):
        walk(ann, [(web, "product_view", 0), (web, "add_to_cart", 5 + day)], began=MORNING + timedelta(days=day))
    first, second = funnel(EVERYTHING, [VIEW, CART], within_journey=True)
    assert (first.persons, first.journeys) == (1, 3)
    assert (second.persons, second.journeys, second.median_time) == (1, 3, timedelta(minutes=5))
    assert funnel(EVERYTHING, [VIEW])[0].journeys is None


@pytest.mark.parametrize("steps", [0, 9])
def test_a_funnel_has_one_to_eight_steps(steps: int) -> None:
    with pytest.raises(UserError, match="1 to 8 steps"):
        funnel(EVERYTHING, [VIEW] * steps)


def test_a_window_is_longer_than_nothing() -> None:
    with pytest.raises(UserError, match="window"):
        funnel(EVERYTHING, [VIEW, CART], window=timedelta(0))


def _fastest(touches: list[Touch], steps: list[FunnelStep], window: timedelta | None) -> timedelta | None:
    """Try every choice of touches; the shortest run that fits, None where none does."""
    runs = [
        chosen[-1][2] - chosen[0][2]
        for chosen in combinations(touches, len(steps))
        if all(touch[1] == step.action for touch, step in zip(chosen, steps, strict=True))
    ]
    fitting = [run for run in runs if window is None or run <= window]
    return min(fitting, default=None)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("window", [None, timedelta(hours=8)])
@pytest.mark.parametrize("within_journey", [False, True])
def test_a_funnel_finds_what_trying_every_choice_finds(
    seed: int, window: timedelta | None, within_journey: bool
) -> None:
    _, walks = wander(seed, journeys=40)
    steps = [VIEW, CART, START]
    units: dict[int, list[Walk]] = {}
    for one in walks:
        units.setdefault(one.journey.pk if within_journey else one.person, []).append(one)
    stages = funnel(EVERYTHING, steps, window=window, within_journey=within_journey)
    for count, stage in enumerate(stages, start=1):
        fastest: dict[int, timedelta] = {}
        for unit in units.values():
            touches = sorted((touch for one in unit for touch in one.touches), key=lambda touch: touch[2])
            run = _fastest(touches, steps[:count], window)
            if run is not None:
                fastest[unit[0].person] = min(run, fastest.get(unit[0].person, run))
        assert stage.persons == len(fastest)
        assert stage.median_time == (half(fastest.values()) if fastest else None)
