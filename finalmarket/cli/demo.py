"""finalmarket demo: fill an empty house."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from datetime import time as time_of_day

import click

from finalmarket.kernel import clock
from finalmarket.kernel.database import as_owner, database_ready
from finalmarket.kernel.errors import UserError


@click.command()
@click.option("--seed", type=int, default=2024, show_default=True, help="Another seed, another year.")
@click.option("--scale", type=float, default=1.0, show_default=True, help="2 is twice as many customers and orders.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day of the year, today by default.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--sandbox", metavar="ADDRESS", help="Connect the demo's accounts to the sandbox there, and do no more.")
def command(seed: int, scale: float, until: datetime | None, quiet: bool, sandbox: str | None) -> None:
    """Fill an empty house with a demo: a merchant's channels, catalogue, stock, customers and a year of orders.

    A house that has the demo is left as it is. A run that is cut off leaves nothing behind.
    """
    from finalmarket.demo.fill import check_scale, fill, is_empty

    check_scale(scale)
    now = _end(until)
    database_ready()
    if sandbox:
        _connect(sandbox)
        return
    begun = time.monotonic()
    empty = is_empty()
    if empty:
        _as_owner("VACUUM")  # what a run that was cut off has left in the files would mislead the planner
    with _progress(quiet or not empty) as told:
        filled = fill(seed=seed, scale=scale, now=now, told=told)
    facts = f"{filled.orders:,} orders of {filled.customers:,} customers on {filled.channels} channels"
    if filled.was_there:
        click.echo(f"The demo is here already ({facts}); nothing was changed.")
        return
    _as_owner("ANALYZE")  # the planner knows the new rows now, and not when the database gets round to it
    click.echo(f"The demo is ready: {facts}, in {time.monotonic() - begun:.0f} s.")


def _connect(sandbox: str) -> None:
    from finalmarket.demo.fill import is_here
    from finalmarket.demo.outside import open_accounts

    if not is_here():
        raise UserError("this house does not hold the demo; fill it first with: finalmarket demo")
    click.echo(f"{open_accounts(sandbox)} accounts are connected to the sandbox.")


def _end(until: datetime | None) -> datetime:
    """The moment at which the demo's year ends: now, or the evening of the day given."""
    present = clock.now()
    if until is None or until.date() == present.date():
        return present
    if until.date() > present.date():
        raise UserError(f"--until {until.date()} has not come yet; give today or a day before")
    return datetime.combine(until.date(), time_of_day(18), UTC)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A line that tells what is being done and how far it is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not quiet and not console.is_terminal:
        click.echo("Filling the house with the demo, half a minute or so.", err=True)
    columns = (TextColumn("{task.description:30}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("demo", total=1.0)
        yield lambda step, done: progress.update(task, description=step, completed=done)


def _as_owner(statement: str) -> None:
    """Run a statement that only the owner of the tables may."""
    with as_owner():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement)
