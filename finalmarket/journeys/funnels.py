"""Funnels: how many persons do one thing after another, on any channel or on a given one, within a window of time.

One statement, whatever the number of steps. Read in the order of time, every touch that is step i of the funnel learns
the latest beginning from which the steps before it were taken in order: the running maximum of the beginnings at step
i - 1 among earlier touches. The latest beginning is the one that a window excuses longest, so a person has come to step
i exactly when one such touch lies within the window of its beginning. Two touches at the same moment count in the order
in which they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from finalmarket.journeys.paths_asked import QUERIES, Asked, chosen_with, rows
from finalmarket.kernel.errors import UserError

MOST_STEPS = 8
MOST_PERSONS = 1_000
IN_TIME = " AND at - {before} <= %(window)s"  # of paths.sql; left out where there is no window


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step: what is done ("" for anything), and the channel where it has to be done (None for any)."""

    action: str = ""
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """How many came to a step: persons, and journeys where the steps have to lie within one. `median_time` is the time
    since the first step, of each person's fastest run."""

    step: FunnelStep
    persons: int
    journeys: int | None
    median_time: timedelta | None


def funnel(
    asked: Asked, steps: Sequence[FunnelStep], *, window: timedelta | None = None, within_journey: bool = False
) -> list[Stage]:
    """Return for each step how many persons took it and all steps before it, in order.

    The touches are those of the journeys asked about. The whole run has to fit into `window` where one is given; with
    `within_journey` all steps must lie in one journey, else a person may take them on several. Raises UserError for no
    step, too many, or a window that is not above zero.
    """
    _check(steps, window)
    statement, values = _statement(asked, steps, window, within_journey)
    found = rows(f"{statement}\n{_counts(len(steps))}", asked.values | values)[0]
    return [
        Stage(
            step, found[f"persons_{number}"], found[f"journeys_{number}"] if within_journey else None,
            found[f"median_{number}"],
        )
        for number, step in enumerate(steps, start=1)
    ]  # fmt: skip


def persons_at(
    asked: Asked, steps: Sequence[FunnelStep], number: int, *, window: timedelta | None = None,
    within_journey: bool = False, most: int = MOST_PERSONS,
) -> list[int]:  # fmt: skip
    """Return the profiles of those whom `funnel` counts at step `number` (from 1), the newest first, at most `most`.

    Raises UserError as `funnel` does, and for a step that is none of it.
    """
    _check(steps, window)
    if not 1 <= number <= len(steps):
        raise UserError(f"the funnel has steps 1 to {len(steps)}, and no step {number}")
    statement, values = _statement(asked, steps, window, within_journey)
    wanted = QUERIES["funnel_persons"].format(number=number)
    return [row["person"] for row in rows(f"{statement}\n{wanted}", {**asked.values, **values, "most": most})]


def _check(steps: Sequence[FunnelStep], window: timedelta | None) -> None:
    if not 1 <= len(steps) <= MOST_STEPS:
        raise UserError(f"a funnel has 1 to {MOST_STEPS} steps, not {len(steps)}")
    if window is not None and window <= timedelta(0):
        raise UserError("the window of a funnel is longer than nothing")


def _statement(
    asked: Asked, steps: Sequence[FunnelStep], window: timedelta | None, within_journey: bool
) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"window": window}
    conditions = []
    for number, step in enumerate(steps, start=1):
        conditions.append(_condition(number, step))
        values |= {f"action_{number}": step.action, f"channel_{number}": step.channel}
    touches = (
        QUERIES["funnel_touches"]
        .replace("{unit}", "chosen.id" if within_journey else "chosen.person")
        .replace("{steps}", ", ".join(f"{each} AS is_{number}" for number, each in enumerate(conditions, start=1)))
        .replace("{is_any_step}", " OR ".join(conditions))
    )
    levels = [f"{chosen_with(asked)}, touches AS (\n{touches}\n)"]
    levels.append(f"begun_1 AS (\n{QUERIES['funnel_begun_first']}\n)")
    levels += [_level(number, window is not None) for number in range(2, len(steps) + 1)]
    return ",\n".join(levels) + _runs(len(steps)), values


def _condition(number: int, step: FunnelStep) -> str:
    parts = [f"touch.action = %(action_{number})s"] if step.action else []
    parts += [f"touch.sales_channel_id = %(channel_{number})s"] if step.channel is not None else []
    return f"({' AND '.join(parts) or 'true'})"


def _level(number: int, is_windowed: bool) -> str:
    """The beginnings at step `number`, from those at the step before."""
    before = QUERIES["funnel_before"].format(earlier=number - 1)
    begun = QUERIES["funnel_begun"] if is_windowed else QUERIES["funnel_begun"].replace(IN_TIME, "")
    return f"begun_{number} AS (\n{begun.format(number=number, earlier=number - 1, before=before)}\n)"


def _runs(count: int) -> str:
    """Each person's fastest run to each step, and how many runs came to it."""
    took, fastest = [], []
    for number in range(1, count + 1):
        took.append(f"min(at - start_{number}) AS took_{number}")
        fastest.append(f"min(took_{number}) AS took_{number}, count(took_{number}) AS units_{number}")
    return QUERIES["funnel_runs"].format(count=count, took=", ".join(took), fastest=", ".join(fastest))


def _counts(count: int) -> str:
    """Count persons and journeys that came to each step, and take the median of each person's fastest run."""
    counts = [
        f"count(took_{number}) AS persons_{number}, coalesce(sum(units_{number}), 0)::bigint AS journeys_{number}, "
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY took_{number}) AS median_{number}"
        for number in range(1, count + 1)
    ]
    return QUERIES["funnel_counts"].format(counts=", ".join(counts))
