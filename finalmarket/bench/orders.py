"""`finalmarket bench import`, and a part of `bench stock`: how fast orders that already happened come in, and in how
much memory, against COPY of the very same rows into tables with the same indexes.

A year of order lines comes in by fifths, one after the other into one database: each is a run. It is a real shop's year
where FINALMARKET_TEST_DATA holds one, else a made-up one of the same shape.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, NamedTuple

import psycopg
import pyarrow.parquet as pq
from django.db import connections
from psycopg import sql

from finalmarket.bench.made_up_year import made_up_year
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.bench.scratch import work_on
from finalmarket.kernel.database import database_ready, owner_database
from finalmarket.kernel.sql import open_connection
from finalmarket.stock.check import differences

FIFTHS = 5
REAL = Path("online-retail-ii-2009-2010/online_retail_2009_2010.parquet")
CHANNEL = "Online Retail"
BASELINE = "COPY of the same rows into the same indexed tables"
BLOCK_BYTES = 1 << 16
TABLES = (
    "orders", "order_lines", "payments", "fulfilments", "fulfilment_lines", "order_events", "stock_movement",
    "returns", "return_lines", "refunds", "imported_lines",
)  # fmt: skip


class Part(NamedTuple):
    """A file to import, with a mapping that gives its orders numbers and a source of their own."""

    file: Path
    mapping: Path


class Result(NamedTuple):
    """What the import of one part took: rows of the file, seconds of the clock, peak of resident memory."""

    rows: int
    seconds: float
    peak_mb: float


def measure(database: str, pace: Pace, say: Callable[[str], None]) -> list[Figure]:
    """Run the bench in the scratch database `database`; `say` hears of its progress."""
    rates: list[float] = []
    copied: list[float] = []
    peaks: list[float] = []
    with tempfile.TemporaryDirectory(prefix="fm-bench-") as folder, _importer(database) as link:
        parts = _parts(Path(folder), pace, say)
        with _owner(database) as owner:
            _make_copies(owner)
            for number, part in enumerate(parts, start=1):
                say(f"order import, run {number} of {len(parts)}")
                before = _last_ids(owner)
                result = _import(link, part)
                seconds = _copy(owner, before, Path(folder))
                rates.append(result.rows / result.seconds)
                copied.append(result.rows / seconds)
                peaks.append(result.peak_mb)
    if found := differences():
        raise RuntimeError(f"after the import the stock differs from its ledger: {found[0]}")
    return [
        figure("order_import", "lines/s", rates, baseline_name=BASELINE, baselines=copied),
        Figure(
            "import_peak_mb", round(max(peaks), 1), "MB, the largest of the runs", None, None, None, len(peaks),
            round(min(peaks), 1), round(max(peaks), 1),
        ),
    ]  # fmt: skip


def _parts(folder: Path, pace: Pace, say: Callable[[str], None]) -> list[Part]:
    """Cut the year into fifths, as many as the pace has runs."""
    real = Path(os.environ.get("FINALMARKET_TEST_DATA", "")) / REAL
    year = pq.read_table(real) if real.is_file() else made_up_year(pace.seed)
    say(f"{year.num_rows} order lines, {'a real shop' if real.is_file() else 'made up'}")
    shipped = (Path(__file__).parents[1] / "bulk/mappings/online_retail_ii.toml").read_text(encoding="utf-8")
    size = -(-year.num_rows // FIFTHS)
    parts = []
    for number in range(min(pace.runs, FIFTHS)):
        part = Part(folder / f"part{number}.parquet", folder / f"part{number}.toml")
        pq.write_table(year.slice(number * size, size), part.file)
        own = shipped.replace('source = "online-retail-ii"', f'source = "bench-{number}"')
        part.mapping.write_text(
            own.replace('number_prefix = "OR-"', f'number_prefix = "OR{number}-"'), encoding="utf-8"
        )
        parts.append(part)
    return parts


@contextmanager
def _importer(database: str) -> Iterator[Connection]:
    """A process of its own that imports what it is told, so that its memory is the import's alone."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, database), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        ours.close()
        theirs.close()
        process.join(10)
        if process.is_alive():
            process.terminate()


def _import(link: Connection, part: Part) -> Result:
    link.send(part)
    answer = link.recv()
    if isinstance(answer, str):
        raise RuntimeError(f"the import failed: {answer}")
    return Result(*answer)


def _work(link: Connection, database: str) -> None:
    """What the process does: import part after part, until nobody asks any more."""
    import django

    django.setup()
    from finalmarket.bulk.orders import Wish, import_orders

    database_ready()
    work_on(database)
    while True:
        try:
            part = link.recv()
        except EOFError:
            return
        try:
            _forget_peak()
            began = time.perf_counter()
            outcome = import_orders(Wish(part.file, CHANNEL, str(part.mapping), opening_stock=True))
            link.send((outcome.survey.rows, time.perf_counter() - began, _peak_mb()))
        except Exception as error:
            link.send(f"{type(error).__name__}: {error}")


def _forget_peak() -> None:
    """Let the peak of memory begin anew, where the system can do that (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_mb() -> float:
    """The most memory that this process had resident. Not from getrusage: that one remembers the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _owner(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner's, who may make tables."""
    connection = open_connection({**connections["default"].settings_dict, **owner_database(), "NAME": database})
    try:
        yield connection
    finally:
        connection.close()


def _make_copies(owner: psycopg.Connection[Any]) -> None:
    """Make tables with the same columns, checks and indexes, for the baseline."""
    owner.execute("CREATE SCHEMA bench_copy")
    for table in TABLES:
        name = sql.Identifier(table)
        owner.execute(sql.SQL("CREATE TABLE bench_copy.{} (LIKE public.{} INCLUDING ALL)").format(name, name))


def _last_ids(owner: psycopg.Connection[Any]) -> dict[str, int]:
    found = {}
    for table in TABLES:
        row = owner.execute(sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(sql.Identifier(table))).fetchone()
        found[table] = int(row[0]) if row else 0
    return found


def _copy(owner: psycopg.Connection[Any], before: dict[str, int], folder: Path) -> float:
    """Write the rows that an import has added to the copies of its tables; return the seconds, commit included."""
    files = {}
    for table in TABLES:
        files[table] = folder / f"{table}.copy"
        rows = sql.SQL("COPY (SELECT * FROM {} WHERE id > {} ORDER BY id) TO STDOUT (FORMAT BINARY)")
        statement = rows.format(sql.Identifier(table), sql.Literal(before[table]))
        with files[table].open("wb") as file, owner.cursor().copy(statement) as source:
            for block in source:
                file.write(block)
    began = time.perf_counter()
    with owner.transaction(), owner.cursor() as cursor:
        for table in TABLES:
            statement = sql.SQL("COPY bench_copy.{} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table))
            with files[table].open("rb") as file, cursor.copy(statement) as target:
                for block in _blocks(file):
                    target.write(block)
    return time.perf_counter() - began


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block
