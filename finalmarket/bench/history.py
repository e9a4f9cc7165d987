"""`finalmarket bench history`: questions about paths and funnels over a long history, beside the same questions written
by hand for DuckDB over the same rows in the same run. Both must give the same answers, or there is no figure.

A history is laid out of as many steps as asked for, ten million by default: each stands for one interaction. DuckDB
reads them from a table of its own file, not from ours.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, connections
from psycopg import sql

from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.journeys import paths
from finalmarket.journeys.attribution import attribute
from finalmarket.journeys.funnels import FunnelStep, funnel
from finalmarket.journeys.paths_asked import Asked, limits
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

with suppress(ImportError):  # an extra: pip install "finalmarket[bench]"
    import duckdb

STEPS = Queries(Path(__file__).with_name("history.sql"))
ROWS = 10_000_000
STEPS_A_JOURNEY = 5
PATIENCE_SECONDS = 900
BASELINE = "the same question in DuckDB"
EVERYTHING = Asked()
USUAL = [FunnelStep(word) for word in ("product_view", "add_to_cart", "checkout_start", "checkout_complete")]
TABLES = {
    "omnichannel_customers": "id BIGINT, merged_into_id BIGINT",
    "cross_channel_journeys": "id BIGINT, customer_id BIGINT, intent VARCHAR, state VARCHAR, order_id BIGINT",
    "journey_touchpoints": (
        "journey_id BIGINT, id BIGINT, sales_channel_id BIGINT, action VARCHAR, occurred_at TIMESTAMPTZ"
    ),
}
Answer = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: how we are asked, and what of both answers is compared."""

    name: str
    ask: Callable[[], Answer]
    theirs: Callable[[Answer], Answer] = lambda rows: rows


def measure(database: str, pace: Pace, say: Callable[[str], None], rows: int = ROWS) -> list[Figure]:
    """Run the bench in the scratch database `database`; `say` hears of it. Raises UserError without DuckDB."""
    if "duckdb" not in globals():
        raise UserError('the bench compares with DuckDB, which is not here: pip install "duckdb>=1.4"')
    lay_out(rows, pace.seed, say)
    with tempfile.TemporaryDirectory(prefix="fm-bench-") as folder:
        say("a copy for DuckDB")
        judge = copy_to_duckdb(Path(folder))
        found = [_measured(question, judge, pace.runs, say) for question in questions()]
        judge.close()
    say("attribution")
    times = [_timed(lambda: attribute(EVERYTHING))[0] for _ in range(pace.runs)]
    return [*found, figure("history_attribution", "s, seven models", times)]


def questions() -> list[Question]:
    """The questions that are compared."""
    return [
        Question("top_paths", _top_paths, lambda rows: [(tuple(row[0]), *row[1:]) for row in rows]),
        Question("transitions", _transitions, lambda rows: [row[:4] for row in rows]),
        Question("flows", _flows, sorted_rows),
        Question("abandonment", _abandonment, sorted_rows),
        Question("funnel", _funnel),
    ]


def sorted_rows(rows: Answer) -> Answer:
    """The rows in one order, whatever theirs was."""
    return sorted(rows, key=repr)


def lay_out(rows: int, seed: int, say: Callable[[str], None]) -> None:
    """Fill the scratch database with about `rows` steps of journeys; the same seed gives the same history."""
    journeys = max(80, rows // STEPS_A_JOURNEY)
    sizes = {"journeys": journeys, "customers": max(40, journeys // 8), "orders": journeys // 8 + 1}
    say(f"a history of {journeys:,} journeys")
    with as_owner(), connections["default"].cursor() as cursor:
        _drop_references(cursor)
        cursor.execute("SELECT setseed(%s)", [seed % 1000 / 1000])
        for name in ("channels", "customers", "merges", "orders", "journeys", "touches"):
            cursor.execute(STEPS[f"fill_{name}"], sizes)
        say("statistics")
        cursor.execute("VACUUM ANALYZE")


def _drop_references(cursor: Any) -> None:
    """Let the steps be written without looking each of them up twice: they refer to what was just laid out."""
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'journey_touchpoints'::regclass AND contype = 'f'"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("ALTER TABLE journey_touchpoints DROP CONSTRAINT {}").format(sql.Identifier(name)))


def copy_to_duckdb(folder: Path) -> Any:
    """Copy what is asked about into a DuckDB file of its own; returns the open connection."""
    judge = duckdb.connect(str(folder / "history.duckdb"))
    for table, columns in TABLES.items():
        names = [column.split()[0] for column in columns.split(", ")]
        file = folder / f"{table}.csv"
        statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY 1, 2) TO STDOUT (FORMAT CSV)").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
        )
        with file.open("wb") as target, connection.cursor() as cursor, cursor.copy(statement) as source:
            for block in source:
                target.write(block)
        judge.execute(f"CREATE TABLE {table} ({columns})")
        judge.execute(f"COPY {table} FROM '{file}' (FORMAT CSV, HEADER false)")
        file.unlink()
    return judge


def _measured(question: Question, judge: Any, runs: int, say: Callable[[str], None]) -> Figure:
    say(question.name)
    ours, theirs = [], []
    for _ in range(runs):
        seconds, answer = _timed(question.ask)
        ours.append(seconds)
        seconds, rows = _timed(lambda: judge.execute(STEPS[f"duckdb_{question.name}"]).fetchall())
        theirs.append(seconds)
        if answer != question.theirs(rows):
            raise RuntimeError(f"{question.name}: our answer and DuckDB's differ")
    return figure(f"history_{question.name}", "s", ours, baseline_name=BASELINE, baselines=theirs)


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = ask()
    return time.perf_counter() - began, answer


def _top_paths() -> Answer:
    with limits(PATIENCE_SECONDS):
        return [(one.channels, one.journeys, one.persons, one.ordered) for one in paths.top_paths(EVERYTHING)]


def _transitions() -> Answer:
    with limits(PATIENCE_SECONDS):
        return [(one.source, one.target, one.times, one.journeys) for one in paths.transitions(EVERYTHING)]


def _flows() -> Answer:
    with limits(PATIENCE_SECONDS):
        found = paths.flows(EVERYTHING, 5)
    return sorted_rows([(one.step, one.channel, one.next, one.outcome, one.journeys) for one in found])


def _abandonment() -> Answer:
    with limits(PATIENCE_SECONDS):
        found = paths.abandonment(EVERYTHING, most=10_000)
    return sorted_rows([(one.channel, one.action, one.came_by, one.abandoned) for one in found])


def _funnel() -> Answer:
    with limits(PATIENCE_SECONDS):
        found = funnel(EVERYTHING, USUAL, window=timedelta(days=30))
    return [tuple(stage.persons for stage in found)]
