"""The paths that journeys take over channels: which, how fast, where they end, where they turn back.

A step of a path is an unbroken stay on one channel, however many touches it has. Every answer is one statement of
paths.sql over the touchpoints of the journeys asked about; how many rows come back is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from finalmarket.journeys.paths_asked import QUERIES, Asked, chosen_with, rows

MOST_PATHS = 50
MOST_PAIRS = 100
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Population:
    """The journeys asked about that have a step, the persons whose journeys they are, and what became of them: they
    led to an order, or else are completed, abandoned or open."""

    journeys: int
    persons: int
    ordered: int
    completed: int
    abandoned: int
    open: int


@dataclass(frozen=True, slots=True)
class WalkedPath:
    """One sequence of channels: the journeys that went exactly so, their persons, and how many led to an order.
    `mean_time` is that of the journeys that have ended. `distinct_paths` counts all paths, also those not shown."""

    channels: tuple[int, ...]
    journeys: int
    persons: int
    ordered: int
    mean_time: timedelta | None
    distinct_paths: int


@dataclass(frozen=True, slots=True)
class Transition:
    """From one channel to another: how often, on how many journeys, and the time between leaving and arriving."""

    source: int
    target: int
    times: int
    journeys: int
    median_time: timedelta
    mean_time: timedelta

    @property
    def pair(self) -> tuple[int, int]:
        """The two channels, in their order."""
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class Flow:
    """What followed a step on a channel: `outcome` is "on" where `next` did, else "ordered" or the journey's state."""

    step: int
    channel: int
    next: int | None
    outcome: str
    journeys: int


@dataclass(frozen=True, slots=True)
class Step:
    """The journeys that came as far as a step, and what became of them there."""

    step: int
    arrived: int
    went_on: int
    ordered: int
    ended: int
    open: int

    @property
    def drop_off(self) -> float:
        """The share of those who arrived that ended here without an order."""
        return self.ended / self.arrived if self.arrived else 0.0


@dataclass(frozen=True, slots=True)
class TimeToConvert:
    """From the first touch to the order: quartile, median, nine tenths and mean. `channel` is where the journeys began,
    None for all together."""

    channel: int | None
    journeys: int
    quarter: timedelta
    half: timedelta
    nine_tenths: timedelta
    mean_time: timedelta


@dataclass(frozen=True, slots=True)
class Assist:
    """A channel's part in journeys with an order: on how many it was present, the first, the last, or there and not the
    last (assisted)."""

    channel: int
    present: int
    opened: int
    closed: int
    assisted: int


@dataclass(frozen=True, slots=True)
class Abandonment:
    """A touch that abandoned journeys ended with, and how many decided journeys came by there at all."""

    channel: int
    action: str
    came_by: int
    abandoned: int

    @property
    def rate(self) -> float:
        """The share of those who came by that left here."""
        return self.abandoned / self.came_by


@dataclass(frozen=True, slots=True)
class Loop:
    """Back to `channel` after a stay on `via`: how often, on how many journeys, how many of which led to an order."""

    channel: int
    via: int
    times: int
    journeys: int
    ordered: int

    @property
    def pair(self) -> tuple[int, int]:
        """The channel, and the one that was visited between."""
        return self.channel, self.via


def population(asked: Asked) -> Population:
    """Return how many journeys are asked about, and whose."""
    return _read(Population, asked, "population")[0]


def top_paths(asked: Asked, most: int = MOST_PATHS) -> list[WalkedPath]:
    """Return the paths that most journeys took, the most frequent first, at most `most`."""
    found = _read(WalkedPath, asked, "top_paths", "stays", most=most)
    return [replace(one, channels=tuple(one.channels)) for one in found]


def transitions(asked: Asked, most: int = MOST_PAIRS) -> list[Transition]:
    """Return the changes from channel to channel, the most frequent first, at most `most`."""
    return _read(Transition, asked, "transitions", "stays", most=most)


def flows(asked: Asked, steps: int) -> list[Flow]:
    """Return what followed each of the first `steps` steps, by channel."""
    return _read(Flow, asked, "flows", "stays", steps=steps)


def drop_off(found: Sequence[Flow]) -> list[Step]:
    """Return how many journeys came to each step and what became of them, out of `flows`."""
    sums: dict[int, dict[str, int]] = {}
    for flow in found:
        outcomes = sums.setdefault(flow.step, {})
        outcomes[flow.outcome] = outcomes.get(flow.outcome, 0) + flow.journeys
    return [
        Step(
            step, sum(outcomes.values()), outcomes.get("on", 0), outcomes.get("ordered", 0),
            outcomes.get("abandoned", 0) + outcomes.get("completed", 0), outcomes.get("open", 0),
        )
        for step, outcomes in sorted(sums.items())
    ]  # fmt: skip


def time_to_convert(asked: Asked) -> list[TimeToConvert]:
    """Return how long it took from the first touch to the order: all together first, then by start channel."""
    return _read(TimeToConvert, asked, "time_to_convert")


def assisted(asked: Asked) -> list[Assist]:
    """Return what part each channel had in journeys with an order."""
    return _read(Assist, asked, "assisted", "stays")


def abandonment(asked: Asked, most: int = MOST_PAIRS) -> list[Abandonment]:
    """Return the channels and steps at which journeys were abandoned, the most frequent first, at most `most`."""
    return _read(Abandonment, asked, "abandonment", most=most)


def loops(asked: Asked, most: int = MOST_PAIRS) -> list[Loop]:
    """Return the channels that journeys came back to, the most frequent first, at most `most`."""
    return _read(Loop, asked, "loops", "stays", most=most)


def actions(most: int = 40) -> list[str]:
    """Return the words for what is done on journeys, the most frequent first, as the newest journeys have them."""
    return [row["action"] for row in rows(QUERIES["actions"], {"most": most})]


def _read(kind: type[Row], asked: Asked, question: str, *fragments: str, **values: Any) -> list[Row]:
    statement = f"{chosen_with(asked, *fragments)}\n{QUERIES[question]}"
    return [kind(**row) for row in rows(statement, asked.values | values)]
