"""`finalmarket bench analytics`: questions to the lake over a long history, asked of DuckDB through Ibis, beside the
same questions by hand for DuckDB over the same files, beside PostgreSQL over the same rows, and beside a Spark cluster
where there is one. All must give the same answers, or there is no figure.

The history is laid out straight in Parquet. PostgreSQL gets one of `postgresql_rows` interactions, from which the lake
is exported as well.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from finalmarket.analytics.lake.engine import Engine, engine
from finalmarket.analytics.lake.export import export
from finalmarket.analytics.lake.layout import Lake
from finalmarket.analytics.lake.tables import TABLES
from finalmarket.bench import analytics_spark
from finalmarket.bench.analytics_fill import fill
from finalmarket.bench.analytics_postgresql import QUERIES, answers, lay_out
from finalmarket.bench.analytics_spark import ASKED
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.kernel.errors import UserError

with suppress(ImportError):  # an extra: pip install "finalmarket[lake]"
    import duckdb

ROWS = 10_000_000
POSTGRESQL_ROWS = 1_000_000
BY_HAND = "the same question by hand in DuckDB"
Rows = list[dict[str, Any]]


def measure(
    database: str, pace: Pace, say: Callable[[str], None], rows: int = ROWS, postgresql_rows: int = POSTGRESQL_ROWS
) -> list[Figure]:
    """Run the bench; PostgreSQL's part works in the scratch database `database`. Raises UserError without DuckDB."""
    if "duckdb" not in globals():
        raise UserError('the bench asks DuckDB, which is not here: pip install "finalmarket[lake]"')
    with tempfile.TemporaryDirectory(prefix="fm-lake-") as name:
        folder = Path(name)
        say(f"a history of {rows:,} interactions in Parquet")
        seconds, lake = _timed(lambda: fill(folder / "long", rows, pace.seed))
        found = [figure("lake_fill", f"s, {rows:,} interactions", [seconds])]
        found += _beside_hand(lake, rows, pace, say)
        if analytics_spark.is_there():
            found += _beside_spark(lake, rows, say)
        else:
            say("no Spark here: pip install pyspark, or make spark")
        small = lake if postgresql_rows == rows else fill(folder / "short", postgresql_rows, pace.seed)
        found += _beside_postgresql(small, folder / "exported", postgresql_rows, pace, say)
    return found


def _beside_hand(lake: Lake, rows: int, pace: Pace, say: Callable[[str], None]) -> list[Figure]:
    found = []
    with engine(lake.folder, "duckdb") as ours, duckdb.connect() as theirs:
        for table in TABLES:
            theirs.read_parquet(lake.files(table), hive_partitioning=False).create_view(table)
        for name in ASKED:
            say(f"{name}, by Ibis and by hand")
            times: list[float] = []
            baselines: list[float] = []
            for _ in range(pace.runs):
                seconds, answer = _timed(lambda name=name: _asked(ours, name))  # type: ignore[misc]
                times.append(seconds)
                seconds, expected = _timed(lambda name=name: _by_hand(theirs, name))  # type: ignore[misc]
                baselines.append(seconds)
                _compare(name, answer, expected)
            unit = f"s, {rows:,} interactions"
            found.append(figure(f"lake_{name}", unit, times, baseline_name=BY_HAND, baselines=baselines))
    return found


def _beside_spark(lake: Lake, rows: int, say: Callable[[str], None]) -> list[Figure]:
    found = []
    with analytics_spark.cluster() as address:
        for one in analytics_spark.compare(lake.folder, address):
            say(f"{one.question}, by Spark")
            if not one.is_equal:
                raise RuntimeError(f"{one.question}: Spark's answer and DuckDB's differ")
            name, unit = f"lake_{one.question}_spark", f"s, {rows:,} interactions, two workers"
            beside = {"baseline_name": "DuckDB", "baselines": [one.baseline_seconds]}
            found.append(figure(name, unit, [one.seconds], **beside))  # type: ignore[arg-type]
    return found


def _beside_postgresql(lake: Lake, exported: Path, rows: int, pace: Pace, say: Callable[[str], None]) -> list[Figure]:
    say(f"{rows:,} interactions into PostgreSQL")
    lay_out(lake)
    say("the lake out of PostgreSQL")
    seconds, done = _timed(lambda: export(exported))
    count = sum(count for name, count in done.rows.items())
    found = [figure("lake_export", "rows/s", [count / seconds])]
    with engine(exported, "duckdb") as ours:
        for name, ask in answers().items():
            say(f"{name}, by DuckDB and by PostgreSQL")
            times: list[float] = []
            baselines: list[float] = []
            for _ in range(min(pace.runs, 3)):
                seconds, answer = _timed(lambda name=name: _asked(ours, name))  # type: ignore[misc]
                times.append(seconds)
                seconds, expected = _timed(ask)
                baselines.append(seconds)
                _compare(name, answer, expected)
            beside = {"baseline_name": "PostgreSQL", "baselines": baselines}
            unit = f"s, {rows:,} interactions"
            found.append(figure(f"lake_{name}_beside_postgresql", unit, times, **beside))  # type: ignore[arg-type]
    return found


def _asked(ours: Engine, name: str) -> Rows:
    rows: Rows = ours.ask(name, ASKED[name]).to_pylist()
    return rows


def _by_hand(theirs: Any, name: str) -> Rows:
    """The answer of the question by hand; what our answer calls otherwise is called so here too."""
    rows: Rows = theirs.execute(QUERIES[f"duckdb_{name}"]).to_arrow_table().to_pylist()
    if name == "funnel":
        steps = range(1, len(ASKED[name].steps) + 1)
        return [
            {"step": n, "persons": rows[0][f"persons_{n}"], "median_seconds": _seconds(rows[0][f"median_{n}"])}
            for n in steps
        ]
    if name == "paths":
        return [
            {**row, "mean_seconds": _seconds(float(row["took"]) / row["ended"]) if row["ended"] else None}
            for row in rows
        ]
    return rows


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else float(microseconds) / 1e6


def _compare(name: str, ours: Rows, theirs: Rows) -> None:
    """Raises RuntimeError where an answer differs in what both say."""
    if len(ours) != len(theirs):
        raise RuntimeError(f"{name}: {len(ours):,} rows, where {len(theirs):,} were found otherwise")
    for one, other in zip(ours, theirs, strict=True):
        for column in one.keys() & other.keys():
            if not analytics_spark.is_same(one[column], other[column]):
                raise RuntimeError(
                    f"{name}: {column} is {one[column]!r}, and was found to be {other[column]!r}: {other}"
                )


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = ask()
    return time.perf_counter() - began, answer
