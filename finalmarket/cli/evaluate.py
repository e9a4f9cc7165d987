"""finalmarket evaluate: say how good the advice is, on logs of real experiments."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("evaluate")
def command() -> None:
    """Say how good the advice is, on data of real experiments."""


@command.command("policy")
@click.option("--data", "folder", type=FOLDER, required=True, help="A folder with a public log of decisions.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--seed", default=42, show_default=True, help="Decides how the log is parted, and the resamples.")
def policy(folder: Path, wants_json: bool, seed: int) -> None:
    """Value a learned policy against chance, always the same and nothing, off-policy, with intervals.

    Known are the e-mail experiment of Hillstrom (hillstrom.csv.gz) and the Open Bandit Dataset (random_all.parquet and
    bts_all.parquet). Needs no database.
    """
    from finalmarket.bench.policies import evaluate, print_found

    found = evaluate(folder, seed=seed)
    if wants_json:
        click.echo(json.dumps(found, indent=2))
    else:
        print_found(found, click.echo)


@command.command("recommendations")
@click.option("--data", "folder", type=FOLDER, required=True, help="The folder of Online Retail II.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The first day that is not looked at; by default all.")
@click.option("--days", default=30, show_default=True, help="How many days are held out.")
def recommendations(folder: Path, wants_json: bool, until: datetime | None, days: int) -> None:
    """Recall@20 of recommendations on held-out days of a real shop, beside its best sellers. Needs no database."""
    from finalmarket.bench.recommendations import evaluate, print_found

    found = evaluate(folder, until=until.date() if until else None, days=days)
    if wants_json:
        click.echo(json.dumps(found, indent=2))
    else:
        print_found(found, click.echo)
