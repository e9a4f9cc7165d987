"""Who ships what: the policies one by one, on plain facts."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.orders.routing import (
    Case,
    FewestSplits,
    NearestWhole,
    Parcel,
    Place,
    Plan,
    Priority,
    StoreCapacity,
    by_variant,
    covers,
    distance_km,
    route,
)

BERLIN = (52.52, 13.40)
TEA, POT = 1, 2


def place(number: int, free: Mapping[int, int], *, at: tuple[float, float] | None = None, rank: int = 0,
          left: int | None = None) -> Place:  # fmt: skip
    latitude, longitude = at or (None, None)
    return Place(number, f"place {number}", free, latitude, longitude, rank or number, left)


HAMBURG, MUNICH, POTSDAM = (53.55, 9.99), (48.14, 11.58), (52.39, 13.06)


def shipping(plan: Plan) -> dict[int, dict[tuple[int, int], int]]:
    return {parcel.place_id: dict(parcel.units) for parcel in plan.parcels}


def test_the_distance_from_hamburg_to_berlin_is_what_the_atlas_says() -> None:
    assert distance_km(place(1, {}, at=HAMBURG), BERLIN) == pytest.approx(255, abs=3)
    assert distance_km(place(1, {}), BERLIN) is None


def test_the_nearest_location_that_has_it_all_ships_it_though_a_nearer_one_has_a_part() -> None:
    near_but_poor = place(1, {TEA: 1}, at=POTSDAM)
    far, farther = place(2, {TEA: 2, POT: 9}, at=HAMBURG), place(3, {TEA: 9, POT: 9}, at=MUNICH)
    plan = route(Case({(10, TEA): 2, (11, POT): 1}, (farther, near_but_poor, far), BERLIN))
    assert shipping(plan) == {2: {(10, TEA): 2, (11, POT): 1}}
    assert plan.parcels[0].reason == "place 2 has it all, 255 km away"


def test_without_coordinates_the_first_by_priority_that_has_it_all_ships() -> None:
    plan = route(Case({(10, TEA): 2}, (place(1, {TEA: 5}, rank=20), place(2, {TEA: 5}, rank=10))))
    assert shipping(plan) == {2: {(10, TEA): 2}}
    assert plan.parcels[0].reason == "place 2 has it all, first by priority"


def test_two_parcels_go_before_three_even_when_the_three_are_nearer() -> None:
    small = [place(n, {TEA: 1}, at=POTSDAM) for n in (1, 2, 3)]
    big = [place(4, {TEA: 2}, at=HAMBURG)]
    plan = route(Case({(10, TEA): 3}, (*small, *big), BERLIN))
    assert sorted(shipping(plan)) == [1, 4]


def test_one_order_line_is_split_where_nobody_has_all_of_it() -> None:
    plan = route(Case({(10, TEA): 5}, (place(1, {TEA: 3}), place(2, {TEA: 4}))))
    assert shipping(plan) == {1: {(10, TEA): 3}, 2: {(10, TEA): 2}}


def test_what_nobody_has_stays_unplaced_and_the_rest_ships_by_priority() -> None:
    plan = route(Case({(10, TEA): 5}, (place(1, {TEA: 1}, rank=9), place(2, {TEA: 2}, rank=1))))
    assert shipping(plan) == {2: {(10, TEA): 2}, 1: {(10, TEA): 1}}
    assert plan.unplaced == {(10, TEA): 2}


def test_a_store_that_took_its_orders_of_the_day_steps_back() -> None:
    full, fresh = place(1, {TEA: 5}, at=POTSDAM, left=0), place(2, {TEA: 5}, at=MUNICH, left=3)
    plan = route(Case({(10, TEA): 1}, (full, fresh), BERLIN))
    assert list(shipping(plan)) == [2]
    assert plan.parcels[0].reason.endswith("; place 1 took all its orders of the day")


def test_a_full_store_ships_all_the_same_when_nobody_else_has_it() -> None:
    plan = route(Case({(10, TEA): 1}, (place(1, {TEA: 5}, left=0), place(2, {POT: 5}))))
    assert list(shipping(plan)) == [1]
    assert "over the daily limit of place 1" in plan.parcels[0].reason


def test_policies_may_be_composed_in_another_order() -> None:
    case = Case({(10, TEA): 1}, (place(1, {TEA: 5}, at=MUNICH, rank=1), place(2, {TEA: 5}, at=POTSDAM, rank=2)), BERLIN)
    assert list(shipping(route(case, (Priority(),)))) == [1]
    assert list(shipping(route(case, (NearestWhole(), Priority())))) == [2]
    assert list(shipping(route(case, ()))) == [1]


def test_an_order_without_needs_makes_no_parcels() -> None:
    assert route(Case({}, ())) == Plan((), {})


Shelf = tuple[dict[int, int], int | None, bool]
units = st.integers(0, 6)
places = st.lists(
    st.builds(
        lambda tea, pot, left, near: ({TEA: tea, POT: pot}, left, near),
        units, units, st.one_of(st.none(), st.integers(0, 2)), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@given(tea=st.integers(1, 8), more_tea=st.integers(1, 8), pot=st.integers(1, 8), shelves=places)
def test_no_plan_ships_more_than_is_wanted_or_more_than_is_there(
    tea: int, more_tea: int, pot: int, shelves: list[Shelf]
) -> None:
    needs = {(10, TEA): tea, (11, TEA): more_tea, (12, POT): pot}
    there = tuple(
        place(n, free, at=POTSDAM if near else None, left=left) for n, (free, left, near) in enumerate(shelves, start=1)
    )
    plan = route(Case(needs, there, BERLIN), (StoreCapacity(), NearestWhole(), FewestSplits(), Priority()))
    for key, wanted in needs.items():
        assert _shipped(plan.parcels, key) + plan.unplaced.get(key, 0) == wanted
    for shelf in there:
        for variant, count in by_variant(shipping(plan).get(shelf.id, {})).items():
            assert count <= shelf.free[variant]
    if covers(there, needs):
        assert plan.unplaced == {}


def _shipped(parcels: tuple[Parcel, ...], key: tuple[int, int]) -> int:
    return sum(parcel.units.get(key, 0) for parcel in parcels)
