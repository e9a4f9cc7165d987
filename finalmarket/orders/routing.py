"""Which location ships what: small policies, applied in order, on plain facts. No database here.

A policy looks at a case and returns it narrowed, or decides it with a plan. The order of `POLICIES`:

1. `StoreCapacity`: locations that have taken their orders of the day step back, unless units would stay behind.
2. `NearestWhole`: the nearest location that can ship everything ships it (without coordinates: the first by priority).
3. `FewestSplits`: else the smallest set of locations that can, the nearest of such sets.
4. `Priority`: else location by location, in the operator's order, each gives what it has; the rest stays unplaced.

A line may be split over several locations. The plan says in words why each parcel is where it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

EARTH_RADIUS_KM = 6371.0
MOST_SPLITS = 4
MOST_PLACES_COMBINED = 24

Key = tuple[int, int]
"""An order line and a variant, by id."""


@dataclass(frozen=True, slots=True)
class Place:
    """A location as routing sees it. `free` is what it can give of each variant; `orders_left` None: without limit."""

    id: int
    name: str
    free: Mapping[int, int]
    latitude: float | None = None
    longitude: float | None = None
    rank: int = 100
    orders_left: int | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one location ships, and why it does."""

    place_id: int
    units: Mapping[Key, int]
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision: parcels, and the units that no location has."""

    parcels: tuple[Parcel, ...]
    unplaced: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be shipped and who could. `destination` is latitude and longitude in degrees; `remark` is carried
    into the reasons of the parcels."""

    needs: Mapping[Key, int]
    places: tuple[Place, ...]
    destination: tuple[float, float] | None = None
    remark: str = ""


class Policy(Protocol):
    """One rule of routing."""

    def apply(self, case: Case) -> Case | Plan:
        """Return the case narrowed (or as it is), or the plan that decides it."""


def distance_km(place: Place, destination: tuple[float, float] | None) -> float | None:
    """Return the great-circle distance (haversine) in kilometres, or None where a coordinate is not known."""
    if destination is None or place.latitude is None or place.longitude is None:
        return None
    here, there = math.radians(place.latitude), math.radians(destination[0])
    wide = math.radians(destination[1] - place.longitude)
    chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(wide / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def by_variant(needs: Mapping[Key, int]) -> dict[int, int]:
    """Sum the needs over the lines."""
    units: dict[int, int] = {}
    for (_, variant_id), quantity in needs.items():
        units[variant_id] = units.get(variant_id, 0) + quantity
    return units


def covers(places: Sequence[Place], needs: Mapping[Key, int]) -> bool:
    """Say whether the places together have everything."""
    return all(
        sum(place.free.get(variant_id, 0) for place in places) >= units
        for variant_id, units in by_variant(needs).items()
    )


def _nearness(place: Place, destination: tuple[float, float] | None) -> tuple[float, int, int]:
    away = distance_km(place, destination)
    return (math.inf if away is None else away, place.rank, place.id)


def _where(place: Place, destination: tuple[float, float] | None) -> str:
    away = distance_km(place, destination)
    return f"{away:.0f} km away" if away is not None else "first by priority"


@dataclass(frozen=True, slots=True)
class StoreCapacity:
    """Locations whose orders of the day are used up step back, unless the others cannot ship everything."""

    def apply(self, case: Case) -> Case | Plan:
        """Narrow the case to locations with capacity, where those are enough."""
        fresh = tuple(place for place in case.places if place.orders_left is None or place.orders_left > 0)
        if len(fresh) == len(case.places) or not covers(case.places, case.needs):
            return case
        full = ", ".join(place.name for place in case.places if place not in fresh)
        if covers(fresh, case.needs):
            return replace(case, places=fresh, remark=f"{full} took all its orders of the day")
        return replace(case, remark=f"over the daily limit of {full}: nobody else has it all")


@dataclass(frozen=True, slots=True)
class NearestWhole:
    """The nearest location that can ship everything."""

    def apply(self, case: Case) -> Case | Plan:
        """Decide for the nearest location that has everything, if one has."""
        whole = [place for place in case.places if covers([place], case.needs)]
        if not whole:
            return case
        place = min(whole, key=lambda candidate: _nearness(candidate, case.destination))
        reason = f"{place.name} has it all, {_where(place, case.destination)}"
        return Plan((Parcel(place.id, dict(case.needs), _with_remark(reason, case)),), {})


@dataclass(frozen=True, slots=True)
class FewestSplits:
    """The smallest set of locations that has everything; of such sets the nearest."""

    most: int = MOST_SPLITS

    def apply(self, case: Case) -> Case | Plan:
        """Decide for the smallest set, if one of up to `most` locations has everything."""
        wanted = by_variant(case.needs)
        useful = [place for place in case.places if any(place.free.get(variant_id, 0) > 0 for variant_id in wanted)]
        useful.sort(key=lambda place: _nearness(place, case.destination))
        useful = useful[:MOST_PLACES_COMBINED]
        if not covers(useful, case.needs):
            return case
        for size in range(2, self.most + 1):
            sets = [chosen for chosen in combinations(useful, size) if covers(chosen, case.needs)]
            if sets:
                chosen = min(sets, key=lambda places: _togetherness(places, case.destination))
                return fill(replace(case, places=chosen), f"one of {size} locations that have it together")
        return case


@dataclass(frozen=True, slots=True)
class Priority:
    """Location by location in the operator's order: each gives what it has."""

    def apply(self, case: Case) -> Case | Plan:
        """Decide always; what nobody has stays unplaced."""
        ordered = tuple(sorted(case.places, key=lambda place: (place.rank, place.id)))
        return fill(replace(case, places=ordered), "next by priority")


POLICIES: tuple[Policy, ...] = (StoreCapacity(), NearestWhole(), FewestSplits(), Priority())


def route(case: Case, policies: Sequence[Policy] = POLICIES) -> Plan:
    """Apply the policies in their order until one decides; what none decides is decided by `Priority`."""
    for policy in policies:
        outcome = policy.apply(case)
        if isinstance(outcome, Plan):
            return outcome
        case = outcome
    last = Priority().apply(case)
    assert isinstance(last, Plan)  # noqa: S101  Priority always decides
    return last


def fill(case: Case, reason: str) -> Plan:
    """Let each place of the case give what it has, in the order in which they stand."""
    left = {place.id: dict(place.free) for place in case.places}
    open_units = dict(case.needs)
    parcels = []
    for place in case.places:
        units: dict[Key, int] = {}
        for key, wanted in open_units.items():
            given = min(wanted, left[place.id].get(key[1], 0))
            if given > 0:
                units[key] = given
                left[place.id][key[1]] -= given
                open_units[key] -= given
        if units:
            words = f"{place.name}: {reason}, {_where(place, case.destination)}"
            parcels.append(Parcel(place.id, units, _with_remark(words, case)))
    return Plan(tuple(parcels), {key: units for key, units in open_units.items() if units > 0})


def _togetherness(
    places: Sequence[Place], destination: tuple[float, float] | None
) -> tuple[float, int, tuple[int, ...]]:
    nearness = [_nearness(place, destination) for place in places]
    return (sum(near[0] for near in nearness), sum(near[1] for near in nearness), tuple(place.id for place in places))


def _with_remark(reason: str, case: Case) -> str:
    return (f"{reason}; {case.remark}" if case.remark else reason)[:300]
