"""What to do next for a person, as their unified profile tells it. What is advised is found in a higher room
(advice/next_action): it registers itself here, so that this room needs to know nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, in a word (`action`) and in words (`text`), and why: `reason` is all `reasons` in one line. What it
    is expected to bring, in `currency`, is None where nothing is known of it."""

    action: str
    text: str
    reason: str
    reasons: tuple[str, ...] = ()
    expected_value: Decimal | None = None
    currency: str = ""


Adviser: TypeAlias = Callable[[Mapping[int, Mapping[str, Any]]], Mapping[int, NextStep]]

ADVISERS: list[Adviser] = []
"""Who advises; see `set_adviser`."""
NOBODY_ADVISES = NextStep("no_action", "Nothing to do", "nobody advises here", ("nobody advises here",))


def set_adviser(adviser: Adviser) -> None:
    """Register who advises: a function that takes unified profiles by person, of all persons that are asked for, and
    returns the next step of each; called once, when its room is ready."""
    ADVISERS[:] = [adviser]


def next_steps(profiles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, NextStep]:
    """Return what to do next for each of these persons."""
    if not ADVISERS:
        return dict.fromkeys(profiles, NOBODY_ADVISES)
    return ADVISERS[0](profiles)
