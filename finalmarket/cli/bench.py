"""finalmarket bench: measure, in a scratch database of the running server that is dropped at the end."""

import importlib
import importlib.util
import os
from dataclasses import replace
from pathlib import Path

import click

from finalmarket.bench.ingest_house import THREADS
from finalmarket.bench.report import QUICK, Figure, Pace, as_json, machine, print_table
from finalmarket.bench.scratch import scratch_database
from finalmarket.cli.children import end_with_parent
from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel.database import database_ready

# The parts of each bench. A part is a module with `measure(database, pace, say) -> list[Figure]`; each gets a fresh
# scratch database that Django works on, and one that is not there is passed over.
PARTS = {
    "stock": ("finalmarket.bench.stock", "finalmarket.bench.orders"),
    "import": ("finalmarket.bench.orders",),
    "sync": ("finalmarket.bench.sync",),
    "ingest": ("finalmarket.bench.ingest",),
    "history": ("finalmarket.bench.history",),
    "lifetime": ("finalmarket.bench.lifetime",),
    "analytics": ("finalmarket.bench.analytics",),
    "api": ("finalmarket.bench.api",),
    "figures": ("finalmarket.bench.figures",),
}


@click.group()
def command() -> None:
    """Measure how fast this house is on this machine.

    Every figure is the median of its runs, beside a baseline measured in the same run. Nothing of your data is read
    or changed: the bench makes a database of its own and drops it.
    """


@command.command("stock")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One short run instead of five: a first impression.")
@click.option("--seed", default=1, show_default=True, help="Decides which SKUs are asked for.")
def stock(wants_json: bool, quick: bool, seed: int) -> None:
    """Reservations: one hot SKU, 10,000 SKUs, orders of 100 lines, rival processes. Takes about three minutes."""
    run("stock", replace(QUICK if quick else Pace(), seed=seed), wants_json=wants_json)


@command.command("import")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="A fifth of the year instead of all of it: a first impression.")
@click.option("--seed", default=1, show_default=True, help="Decides what is in the year, where it is made up.")
def import_(wants_json: bool, quick: bool, seed: int) -> None:
    """The import of a year of orders, half a million lines. Takes about three minutes."""
    run("import", replace(QUICK if quick else Pace(), seed=seed), wants_json=wants_json)


@command.command("sync")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One short run instead of five: a first impression.")
@click.option("--seed", default=1, show_default=True, help="Decides what the sandbox does.")
def sync(wants_json: bool, quick: bool, seed: int) -> None:
    """How soon eight accounts on the sandbox show what changed here, and how their budgets are used: three minutes."""
    run("sync", replace(QUICK if quick else Pace(), seed=seed), wants_json=wants_json, work=_work)


@command.command("history")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--quick", is_flag=True, help="One run instead of three, over a tenth of the history: a first impression."
)
@click.option("--seed", default=1, show_default=True, help="Decides what people did.")
@click.option("--rows", default=10_000_000, show_default=True, help="How many interactions the history has.")
def history(wants_json: bool, quick: bool, seed: int, rows: int) -> None:
    """Paths, funnels and attribution over ten million interactions, beside DuckDB. Takes about ten minutes."""
    pace = QUICK if quick else Pace(runs=3)
    run("history", replace(pace, seed=seed), wants_json=wants_json, rows=rows // 10 if quick else rows)


@command.command("analytics")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--quick", is_flag=True, help="One run instead of three, over a tenth of the history: a first impression."
)
@click.option("--seed", default=1, show_default=True, help="Decides what people did.")
@click.option("--rows", default=10_000_000, show_default=True, help="How many interactions the history has.")
@click.option("--postgresql-rows", default=1_000_000, show_default=True, help="How many of them PostgreSQL gets.")
def analytics(wants_json: bool, quick: bool, seed: int, rows: int, postgresql_rows: int) -> None:
    """Questions to the lake over ten million interactions: Ibis, by hand, PostgreSQL, Spark. Some ten minutes."""
    pace, part = (QUICK, 10) if quick else (Pace(runs=3), 1)
    sizes = {"rows": rows // part, "postgresql_rows": postgresql_rows // part}
    run("analytics", replace(pace, seed=seed), wants_json=wants_json, **sizes)


@command.command("ingest")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One short run, 100,000 rows stored already: a first impression.")
@click.option("--rows", type=click.IntRange(0), help="Interactions stored already; ten million unless told otherwise.")
@click.option("--kills", default=10, show_default=True, help="How often the web process is killed in the middle.")
@click.option("--seed", default=1, show_default=True, help="Decides who tells what.")
def ingest(wants_json: bool, quick: bool, rows: int | None, kills: int, seed: int) -> None:
    """Events a second over HTTP, in batches of 1, 20 and 100, beside COPY of the same rows. Takes some ten minutes."""
    before = rows if rows is not None else 100_000 if quick else 10_000_000
    pace = replace(QUICK if quick else Pace(), seed=seed)
    run("ingest", pace, wants_json=wants_json, rows=before, kills=kills)


@command.command("api")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One short run, over a hundredth of the orders: a first impression.")
@click.option("--seed", default=1, show_default=True, help="Decides what is asked for.")
@click.option("--orders", type=click.IntRange(1_000), help="Orders in the book; a million unless told otherwise.")
@click.option(
    "--threads", default=THREADS, show_default=True, type=click.IntRange(1, 128), help="As many as `serve` takes."
)
def api(wants_json: bool, quick: bool, seed: int, orders: int | None, threads: int) -> None:
    """The REST API over HTTP: reservations beside doing nothing, lists over a million orders. Some five minutes."""
    book = orders if orders is not None else 10_000 if quick else 1_000_000
    run("api", replace(QUICK if quick else Pace(), seed=seed), wants_json=wants_json, orders=book, threads=threads)


@command.command("demand")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="Invoice lines as Parquet (Online Retail II).")
def demand(wants_json: bool, path: Path | None) -> None:
    """Forecasts of demand on a year of real orders, beside naive ones. Reads the file alone; takes about a minute."""
    from finalmarket.bench import demand as measured
    from finalmarket.bench.orders import REAL

    path = path or Path(os.environ.get("FINALMARKET_TEST_DATA", ".")) / REAL
    figures = measured.measure(measured.read(path))
    database_ready()  # the machine is described with its database
    if wants_json:
        click.echo(as_json("demand", machine(), 0, figures))
    else:
        print_table("demand", machine(), figures)


@command.command("lifetime")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One run instead of three, over a tenth of the customers.")
@click.option("--seed", default=1, show_default=True, help="Decides who buys when.")
@click.option(
    "--customers", type=click.IntRange(1_000), default=1_000_000, show_default=True, help="How many there are."
)
def lifetime(wants_json: bool, quick: bool, seed: int, customers: int) -> None:
    """Lifetime value: fit and expectation for a million customers, beside plain SciPy. Takes about three minutes."""
    pace = QUICK if quick else Pace(runs=3)
    run("lifetime", replace(pace, seed=seed), wants_json=wants_json, customers=customers // 10 if quick else customers)


@command.command("figures")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--quick", is_flag=True, help="One short run instead of five: a first impression.")
def figures(wants_json: bool, quick: bool) -> None:
    """How soon the figures of today hold an order, and what that costs who takes it. Takes about two minutes."""
    run("figures", QUICK if quick else Pace(), wants_json=wants_json, work=_work)


def _work() -> None:
    from finalmarket.worker.run import CONCURRENCY, run_worker

    end_with_parent()  # a bench that is killed cannot tell its worker to stop
    run_worker(concurrency=CONCURRENCY)


def run(bench: str, pace: Pace, *, wants_json: bool, **given: object) -> None:
    """Run all parts of a bench, with what they are given besides, and print what they found. Raises UserError where it
    cannot be run."""
    database_ready()
    figures: list[Figure] = []
    where = machine()
    for name in PARTS[bench]:
        if importlib.util.find_spec(name) is None:
            continue
        part = importlib.import_module(name)
        with scratch_database(lambda: apply_migrations(verbosity=0)) as database:
            figures += part.measure(database, pace, _say, **given)
    if wants_json:
        click.echo(as_json(bench, where, pace.seed, figures))
    else:
        print_table(bench, where, figures)


def _say(progress: str) -> None:
    """Progress goes to stderr, so that what is measured can be piped on."""
    click.echo(f"bench: {progress}", err=True)
