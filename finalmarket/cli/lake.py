"""finalmarket lake: write history to Parquet files by day, and ask questions about all of it."""

from __future__ import annotations

from pathlib import Path

import click

from finalmarket.kernel.database import database_ready


@click.group()
def command() -> None:
    """History in Parquet files by day, and questions about all of it.

    The answers come from DuckDB within this process, or from the engine that FINALMARKET_ENGINE names, such as
    spark://host:7077: the questions are the same.
    """


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--all", "everything", is_flag=True, help="Write every day anew, not only those that changed.")
def export(folder: Path, everything: bool) -> None:
    """Write orders, lines, interactions, journeys and touchpoints to FOLDER.

    Only days that changed since the last export are written. Killed anywhere, the next export goes on from there;
    nothing is missing and nothing stands twice. Customers are numbers; no name, address or text is in the files.
    """
    from finalmarket.analytics.lake.export import export as write

    database_ready()
    done = write(folder, everything=everything, say=lambda text: click.echo(f"lake: {text}", err=True))
    what = "every day" if done.is_full else "what changed"
    rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in done.rows.items()) or "nothing new"
    click.echo(f"{folder}: {what}, {done.days:,} days: {rows}")
