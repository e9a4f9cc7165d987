"""finalmarket report: the figures of a period as a page with charts, CSV or Parquet."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from finalmarket.kernel import clock
from finalmarket.kernel.database import database_ready

DAYS = 30


@click.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help=f"First day; {DAYS} days unless given.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day; yesterday unless given.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file: .html, .csv or .parquet.")
def command(first: datetime | None, last: datetime | None, out: Path) -> None:
    """Write a report of a period.

    An .html file is one page with charts that needs nothing besides itself: send it, print it, keep it. A .csv or
    .parquet file holds the daily figures of every channel. Days are those where each channel is.
    """
    from finalmarket.analytics.incremental import is_marked, restate_marked
    from finalmarket.bulk.period import write_report

    database_ready()
    restate_marked()
    if is_marked():
        click.echo("Not all that changed is in these figures yet; what could not be told is in the log.", err=True)
    until = last.date() if last else clock.now().date() - timedelta(days=1)
    since = first.date() if first else until - timedelta(days=DAYS - 1)
    days = write_report(since, until, out)
    click.echo(f"{out}: {since} to {until}, {days:,} days")
