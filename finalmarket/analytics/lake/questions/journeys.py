"""Funnels and paths: the answers of journeys/funnels.py and journeys/paths.py, computed from the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from finalmarket.analytics.lake.history import History, only

if TYPE_CHECKING:
    import ibis.expr.types as ir

PLACE = 2**40
"""A step of a path is one number: its place in the path times this, plus its channel."""

FUNNEL_SCHEMA = pa.schema(
    [("step", pa.int64()), ("action", pa.string()), ("persons", pa.int64()), ("median_seconds", pa.float64())]
)
PATHS_SCHEMA = pa.schema(
    [("channels", pa.list_(pa.int64())), ("journeys", pa.int64()), ("persons", pa.int64()), ("ordered", pa.int64()),
     ("mean_seconds", pa.float64()), ("distinct_paths", pa.int64())]
)  # fmt: skip


def funnel(history: History) -> ir.Table:
    """One row: how many persons took each step after all before it, and the median time of their fastest runs.

    Read in the order of time, a touch that is step i learns the latest beginning from which the steps before it were
    taken: the running maximum of the beginnings at step i - 1 among earlier touches. See journeys/funnels.py.
    """
    steps, window = history.asked.steps, history.asked.window_days
    touches = _touches(history, "person").rename(at="occurred_at")
    touches = touches.filter(touches.action.isin(sorted(set(steps)))).select("person", "at", "id", "action")
    touches = touches.mutate(start_1=only(touches.action == steps[0], touches["at"]))
    earlier = ibis.window(group_by="person", order_by=["at", "id"], preceding=(None, 1))
    for number in range(2, len(steps) + 1):
        touches = touches.mutate(before=touches[f"start_{number - 1}"].max().over(earlier))
        is_run = touches.action == steps[number - 1]
        if window is not None:
            is_run &= touches["at"] <= touches.before + ibis.interval(days=window)
        touches = touches.mutate(**{f"start_{number}": only(is_run, touches.before)}).drop("before")
    numbers = range(1, len(steps) + 1)
    took = {f"took_{n}": touches["at"].delta(touches[f"start_{n}"], unit="microsecond").min() for n in numbers}
    runs = touches.group_by("person").agg(**took)
    return runs.agg(
        **{f"persons_{n}": runs[f"took_{n}"].count() for n in numbers},
        **{f"median_{n}": runs[f"took_{n}"].median() for n in numbers},
    )


def stages(row: dict[str, Any], history: History) -> list[dict[str, Any]]:
    """The one row of a funnel as a row for each step."""
    return [
        {"step": number, "action": action, "persons": row[f"persons_{number}"],
         "median_seconds": None if row[f"median_{number}"] is None else row[f"median_{number}"] / 1e6}
        for number, action in enumerate(history.asked.steps, start=1)
    ]  # fmt: skip


def paths(history: History) -> ir.Table:
    """The sequences of channels that most journeys took; an unbroken stay is one step."""
    in_order = ibis.window(group_by="journey", order_by=["occurred_at", "id"])
    touches = _touches(history)
    touches = touches.mutate(before=touches.channel.lag().over(in_order))
    stays = touches.filter(touches.before.isnull() | (touches.before != touches.channel))
    stays = stays.mutate(code=ibis.row_number().over(in_order).cast("int64") * PLACE + stays.channel)
    walked = stays.group_by("journey").agg(codes=stays.code.collect().sort())
    chosen = history.journeys()
    told = walked.join(chosen, walked.journey == chosen.id)
    took = told.ended_at.delta(told.started_at, unit="microsecond")
    found = told.group_by("codes").agg(
        journeys=told.count(),
        persons=told.person.nunique(),
        ordered=told.led_to.count(),
        took=took.cast("float64").sum(),
        ended=told.ended_at.count(),
    )
    found = found.mutate(distinct_paths=ibis._.count().over(ibis.window()))
    return found.order_by(ibis.desc("journeys"), "codes").limit(history.asked.most)


def path(row: dict[str, Any]) -> dict[str, Any]:
    """A path by its channels."""
    return {
        "channels": [code % PLACE for code in row["codes"]],
        "mean_seconds": row["took"] / row["ended"] / 1e6 if row["ended"] else None,
        **{name: row[name] for name in ("journeys", "persons", "ordered", "distinct_paths")},
    }


def _touches(history: History, *more: str) -> ir.Table:
    """The touches of the journeys asked about, with columns of their journey."""
    touches, asked = history.tables["touchpoints"], history.asked
    if more or asked.since or asked.until or asked.channel is not None:
        chosen = history.journeys().select(chosen_id="id", **{name: name for name in more})
        touches = touches.join(chosen, touches.journey == chosen.chosen_id).drop("chosen_id")
    return touches
