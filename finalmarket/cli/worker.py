"""finalmarket worker: carry out jobs."""

import click

from finalmarket.cli.children import follow_parent
from finalmarket.kernel.database import database_ready
from finalmarket.operations import metrics_door
from finalmarket.worker.run import CONCURRENCY, run_worker


@click.command()
@click.option("--concurrency", default=CONCURRENCY, show_default=True, type=click.IntRange(1, 64), help="Jobs at once.")
@click.option("--queue", "queues", multiple=True, help="Only jobs of this queue (may be given several times).")
def command(concurrency: int, queues: tuple[str, ...]) -> None:
    """Carry out jobs until told to stop (Ctrl-C or SIGTERM), finishing those begun.

    `finalmarket serve` has a worker already; start more of them here, on any host that reaches the database.
    """
    follow_parent()
    database_ready()
    metrics_door.open_door()
    run_worker(concurrency=concurrency, queues=queues)
