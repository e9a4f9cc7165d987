"""History grows: questions to a lake of a million interactions up to as many as the dose says, and the export of it.

DuckDB writes the lake by day, as the export would: five interactions a journey, one journey in eight led to an order.
The export is measured from a scratch database of up to a million interactions.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from finalmarket.analytics.lake.engine import engine
from finalmarket.analytics.lake.export import export
from finalmarket.analytics.lake.layout import Head, Lake, Part
from finalmarket.bench.analytics_fill import fill
from finalmarket.bench.analytics_postgresql import lay_out
from finalmarket.bench.analytics_spark import ASKED
from finalmarket.bench.scratch import scratch_database
from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel.sql import Queries
from tests.scale import limits
from tests.scale.curve import Plot, Point, Series

STEPS = Queries(Path(__file__).with_name("lake.sql"))
FEWEST, STEPS_A_JOURNEY, FIRST_DAY = 1_000_000, 5, date(2025, 1, 1)
DAYS, FEW_DAYS = 360, 36  # the few are for a history so short that files would be all it is made of
QUESTIONS = {"daily": "daily figures", "funnel": "funnel of four steps", "activity": "activity"}
DAILY, WHOLE = ("interactions", "touchpoints", "journeys", "orders"), ("channels", "persons")
EXPORTED, MOST_EXPORTED, RUNS = (10_000, 100_000, 1_000_000), 1_000_000, 3
LONG_SECONDS = 30
Say = Callable[[str], None]


def measure(dose: int, data: Path, say: Say) -> list[Plot]:
    """Write a lake, ask it, throw it away, write a larger one; then export from PostgreSQL."""
    asked: dict[str, list[Point]] = {name: [] for name in (*QUESTIONS, "scan")}
    sizes = [size for size in (dose // 100, dose // 10, dose) if size]
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix=limits.FOLDERS, dir=data) as folder:
            say(f"a lake of {size:,} interactions")
            lake = write(Path(folder), size)
            for name, values in _asked(lake, say).items():
                asked[name].append(Point(size, values))
    return [_questions(asked), _exports(min(dose, MOST_EXPORTED), data, say)]


def write(folder: Path, interactions: int) -> Lake:
    """Write a lake of so many interactions, a file for each table and day."""
    lake, journeys = Lake(folder), interactions // STEPS_A_JOURNEY
    days = DAYS if interactions >= FEWEST else FEW_DAYS
    (folder / "days").mkdir()
    words = {"customers": max(40, journeys // 8)}
    with duckdb.connect() as writer:
        for number in range(days):
            day = FIRST_DAY + timedelta(days=number)
            first, last = (journeys * place // days for place in (number, number + 1))
            known = {**words, "day": day, "first": first, "last": last}
            lake.write_day(day, {table: _written(writer, lake, table, day, known) for table in DAILY})
        whole = {table: _written(writer, lake, table, None, words) for table in WHOLE}
    lake.write_head(Head(["scale"], {str(number): "UTC" for number in range(1, 9)}, whole))
    return lake


def _written(writer: Any, lake: Lake, table: str, day: date | None, words: dict[str, Any]) -> Part:
    path, query = lake.new_file(table, day), STEPS[table]
    needed = {name: value for name, value in words.items() if f"${name}" in query}
    rows = writer.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)", needed).fetchall()[0][0]
    return Part(str(path.relative_to(lake.folder)), rows, path.stat().st_size)


def _asked(lake: Lake, say: Say) -> dict[str, list[float]]:
    """Seconds of each question, and of reading the columns that the funnel needs and nothing else."""
    found: dict[str, list[float]] = {}
    with engine(lake.folder, "duckdb") as ours, duckdb.connect() as theirs:
        theirs.read_parquet(lake.files("touchpoints"), hive_partitioning=False).create_view("touchpoints")
        for name in QUESTIONS:
            say(f"{lake.rows()['interactions']:,} interactions: {name}")
            found[name] = _timed(lambda name=name: ours.ask(name, ASKED[name]))  # type: ignore[misc]
        found["scan"] = _timed(lambda: theirs.execute(STEPS["scan"]).fetchall())
    return found


def _timed(ask: Callable[[], object]) -> list[float]:
    """Some runs; one where it takes long."""
    times: list[float] = []
    while len(times) < RUNS and sum(times) < LONG_SECONDS:
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return times


def _questions(asked: dict[str, list[Point]]) -> Plot:
    return Plot(
        "lake_questions", "Questions to the lake",
        "Asked of DuckDB over all of history, a file for each table and day.", "interactions", "s",
        [*(Series(words, asked[name]) for name, words in QUESTIONS.items()), Series("reading", asked["scan"], True)],
    )  # fmt: skip


def _exports(most: int, data: Path, say: Say) -> Plot:
    """Rows a second out of PostgreSQL into Parquet, beside COPY into PostgreSQL."""
    rates, copied = [], []
    for size in (size for size in EXPORTED if size <= most):
        say(f"an export of {size:,} interactions")
        with scratch_database(lambda: apply_migrations(verbosity=0)), _emptied(data) as folder:
            lay_out(fill(folder / "made", size, 1))
            rates.append(Point(size, [_exported_per_second(folder / f"run{run}") for run in range(RUNS)]))
            copied.append(Point(size, [limits.copied_rows_per_second() for _ in range(RUNS)]))
    series = [Series("export", rates), Series("COPY, rows/s", copied, True)]
    says = "All that is in the database, written to Parquet."
    return Plot("lake_export", "The export of history", says, "interactions", "rows/s", series)


@contextmanager
def _emptied(data: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=limits.FOLDERS, dir=data) as folder:
        yield Path(folder)


def _exported_per_second(folder: Path) -> float:
    began = time.perf_counter()
    done = export(folder)
    took = time.perf_counter() - began
    shutil.rmtree(folder)
    return sum(done.rows.values()) / took
