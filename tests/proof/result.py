"""What came of a step, as it is kept in docs/proof.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tests.proof.step import Step

Outcome = Literal["held", "broken", "missed", "out of time", "unreadable"]
Value = int | float | str
NO_SUMS = {"seed", "first seed"}


@dataclass(frozen=True, slots=True)
class Population:
    """What one test says of what it tried, by short names."""

    test: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in the report of a step."""

    figures: Sequence[Mapping[str, Any]] = ()
    populations: Sequence[Population] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    complaints: Sequence[str] = ()
    skipped: Sequence[str] = ()
    seed: int | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """The sum of each whole number over all tests."""
        found: dict[str, int] = {}
        for one in self.populations:
            for name, value in one.values.items():
                if isinstance(value, int) and name not in NO_SUMS:
                    found[name] = found.get(name, 0) + value
        return found

    def measured(self, name: str, measure: str) -> float | None:
        """A figure's value (or ratio, min, max), or the sum of a population; None where it is not there."""
        for figure in self.figures:
            if figure["name"] == name:
                value = figure[measure]
                return None if value is None else float(value)
        total = self.totals().get(name)
        return None if total is None else float(total)


@dataclass(frozen=True, slots=True)
class Promise:
    """A floor beside what was measured."""

    name: str
    floor: str
    measured: float | None
    is_kept: bool


def promises_of(step: Step, reading: Reading) -> list[Promise]:
    """What the step promises now, beside what was measured."""
    measured = [(floor, reading.measured(floor.name, floor.measure)) for floor in step.floors]
    return [Promise(floor.name, str(floor), value, floor.is_kept_by(value)) for floor, value in measured]


@dataclass(frozen=True, slots=True)
class Result:
    """A step that was run: when, on what, what came of it and why."""

    name: str
    proves: str
    command: str
    outcome: Outcome
    why: Sequence[str]
    seconds: float
    minutes_allowed: float
    at: str
    commit: str
    load: float
    machine: Mapping[str, Any]
    reading: Reading
    promises: Sequence[Promise] = ()
    doses: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the file; the sums stand there, too, for those who quote them."""
        told = asdict(self)
        told["totals"] = self.reading.totals()
        return told


def from_json(told: Mapping[str, Any]) -> Result:
    """Read what `as_json` wrote."""
    reading = dict(told["reading"])
    reading["populations"] = [Population(**one) for one in reading["populations"]]
    kept = {name: value for name, value in told.items() if name != "totals"}
    promises = [Promise(**one) for one in told["promises"]]
    return Result(**{**kept, "reading": Reading(**reading), "promises": promises})
