"""What a step of the proof is: a command, its doses, what it proves, how long it may take, what was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

REPORT = "{report}"
"""Stands in a command for the file that the step writes its report to; without it the report is what it prints."""
PROCESSES = "{processes}"
"""Stands in a command for how many processes share the work."""
NOT_TYPED = {"-q", "-n", "--dist", "worksteal", "-o", "junit_family=xunit1"}
Kind = Literal["figures", "laws"]
Measure = Literal["value", "ratio", "min", "max"]


@dataclass(frozen=True, slots=True)
class Floor:
    """What was promised of a figure (its value or its ratio to the baseline), or of the sum of a law's population."""

    name: str
    at_least: float | None = None
    at_most: float | None = None
    measure: Measure = "value"

    def __str__(self) -> str:
        bounds = [f"at least {self.at_least:,g}"] if self.at_least is not None else []
        bounds += [f"at most {self.at_most:,g}"] if self.at_most is not None else []
        return " and ".join(bounds) + (" of its baseline" if self.measure == "ratio" else "")

    def is_kept_by(self, measured: float | None) -> bool:
        """Whether this much is enough. What was not measured is not kept."""
        if measured is None:
            return False
        is_enough = self.at_least is None or measured >= self.at_least
        return is_enough and (self.at_most is None or measured <= self.at_most)


@dataclass(frozen=True, slots=True)
class Step:
    """One step. It should take at most `minutes` on two quiet cores, and is stopped after twice that; `doses` are
    environment variables, which the caller's own outweigh."""

    name: str
    proves: str
    kind: Kind
    command: Sequence[str]
    minutes: float
    doses: Mapping[str, str] = field(default_factory=dict)
    floors: Sequence[Floor] = ()
    is_in_the_hour: bool = True

    def shown(self, doses: Mapping[str, str]) -> str:
        """The command as one types it."""
        words = [word for word in self.command if "{" not in word and word not in NOT_TYPED]
        return " ".join([*(f"{name}={value}" for name, value in doses.items()), *words])


def laws(*paths: str, alone: bool = False) -> Sequence[str]:
    """Tests that pytest runs, in as many processes as are told, or in one where they are many at once already."""
    shared = () if alone else ("-n", PROCESSES, "--dist", "worksteal")
    return ("pytest", "-q", *shared, "-o", "junit_family=xunit1", f"--junitxml={REPORT}", *paths)


def figures(bench: str, *options: str) -> Sequence[str]:
    """A bench of the house."""
    return ("finalmarket", "bench", bench, "--json", *options)
