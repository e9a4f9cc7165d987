"""The questions about all of history. Each is one Ibis expression over the tables of the lake, whatever engine computes
it, and what is made of the rows that come back: rates, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from finalmarket.analytics.lake.history import History
from finalmarket.analytics.lake.questions import customers, daily, journeys

if TYPE_CHECKING:
    import ibis.expr.types as ir

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `ask` is its expression, `finish` makes the answer of the rows, `schema` is the answer's."""

    name: str
    summary: str
    ask: Callable[[History], ir.Table]
    finish: Callable[[Rows, History], Rows]
    schema: pa.Schema


def _each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Rows, History], Rows]:
    return lambda rows, _: [change(row) for row in rows]


def _in_currency(rows: Rows, history: History) -> Rows:
    return [row | {"currency": history.asked.currency} for row in rows]


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        question.name: question
        for question in (
            Question("daily", "Figures of each channel and day.", daily.daily, _each(daily.with_rates), daily.SCHEMA),
            Question(
                "funnel", "Persons who did one thing after another.", journeys.funnel,
                lambda rows, history: journeys.stages(rows[0], history), journeys.FUNNEL_SCHEMA,
            ),
            Question(
                "paths", "The ways over channels that most journeys took.", journeys.paths, _each(journeys.path),
                journeys.PATHS_SCHEMA,
            ),
            Question(
                "retention", "Who came back how many months after the first order.", customers.retention,
                _each(customers.with_share), customers.RETENTION_SCHEMA,
            ),
            Question(
                "rfm", "Customers by recency, frequency and money.", customers.rfm, _in_currency, customers.RFM_SCHEMA
            ),
            Question(
                "activity", "Interactions by channel, day and kind.", customers.activity, lambda rows, _: rows,
                customers.ACTIVITY_SCHEMA,
            ),
        )
    }
)  # fmt: skip
