"""finalmarket lake: write history to Parquet files by day, and ask questions about all of it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from finalmarket.kernel.database import database_ready
from finalmarket.kernel.places import data_folder


@click.group()
def command() -> None:
    """History in Parquet files by day, and questions about all of it.

    The answers come from DuckDB within this process, or from the engine that FINALMARKET_ENGINE names, such as
    spark://host:7077: the questions are the same.
    """


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--all", "everything", is_flag=True, help="Write every day anew, not only those that changed.")
def export(folder: Path | None, everything: bool) -> None:
    """Write orders, lines, interactions, journeys and touchpoints to FOLDER (FINALMARKET_LAKE unless given).

    Only days that changed since the last export are written. Killed anywhere, the next export goes on from there;
    nothing is missing and nothing stands twice. Customers are numbers; no name, address or text is in the files.
    """
    from finalmarket.analytics.lake.export import export as write

    database_ready()
    folder = folder or lake_folder()
    done = write(folder, everything=everything, say=lambda text: click.echo(f"lake: {text}", err=True))
    what = "every day" if done.is_full else "what changed"
    rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in done.rows.items()) or "nothing new"
    click.echo(f"{folder}: {what}, {done.days:,} days: {rows}")


@command.command("ask")
@click.argument("question", metavar="QUESTION")
@click.option("--folder", type=click.Path(path_type=Path), help="The lake's folder; FINALMARKET_LAKE unless given.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day, where the channel is.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@click.option("--channel", default="", help="Name or short name of a sales channel; all of them unless given.")
@click.option("--step", "steps", multiple=True, help="A step of the funnel, such as product_view; give several.")
@click.option("--window", "window_days", type=click.IntRange(1), help="Days in which the funnel has to be walked.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="How many paths are told.")
@click.option("--currency", default="", help="Of the amounts in rfm; that of most orders unless given.")
@click.option("--json", "wants_json", is_flag=True, help="Print a JSON list of rows.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write a CSV file.")
@click.option("--parquet", "parquet_file", type=click.Path(path_type=Path), help="Write a Parquet file.")
def ask(
    question: str, folder: Path | None, since: datetime | None, until: datetime | None, channel: str,
    steps: tuple[str, ...], window_days: int | None, most: int, currency: str, wants_json: bool,
    csv_file: Path | None, parquet_file: Path | None,
) -> None:  # fmt: skip
    """Ask a QUESTION: daily, funnel, paths, retention, rfm or activity.

    Works from the files alone, without the database.
    """
    from finalmarket.analytics.lake.asked import USUAL_STEPS, LakeAsked
    from finalmarket.analytics.lake.engine import engine
    from finalmarket.bulk.answers import as_json, print_answer, write_answer

    with engine(folder or lake_folder()) as opened:
        number = opened.channel_number(channel) if channel else None
        asked = LakeAsked(
            since=since.date() if since else None, until=until.date() if until else None, channel=number,
            steps=steps or USUAL_STEPS, window_days=window_days, most=most,
            currency=currency or opened.usual_currency(number),
        )  # fmt: skip
        answer = opened.ask(question, asked)
    for path in filter(None, (csv_file, parquet_file)):
        write_answer(answer, path, "csv" if path == csv_file else "parquet")
        click.echo(f"{path}: {answer.num_rows:,} rows", err=True)
    if wants_json:
        click.echo(as_json(answer))
    elif not csv_file and not parquet_file:
        print_answer(answer, question)


def lake_folder() -> Path:
    """The folder of the lake unless one is named: FINALMARKET_LAKE, or `lake` in the data folder."""
    named = os.environ.get("FINALMARKET_LAKE")
    return Path(named) if named else data_folder() / "lake"
