"""finalmarket import orders: bring in orders that already happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from finalmarket.bulk.orders import OrderFile, Outcome, Wish
from finalmarket.bulk.orders import Progress as Told
from finalmarket.bulk.orders_reader import CANCELLATION, SALE, STOCK
from finalmarket.bulk.orders_schema import FIELDS, REQUIRED
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.money import quantize
from finalmarket.kernel.plural import plural

NAMES_SHOWN = 5


@click.command("orders")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--channel", help="Name or short name of the channel that the orders belong to where no rule says more.")
@click.option(
    "--mapping", help="TOML file that says which column means what; or the name of one that comes with the program."
)
@click.option("--location", help="Code of the location that the goods left from.")
@click.option("--opening-stock", is_flag=True, help="First receive as many units as the file takes off the shelf.")
@click.option("--dry-run", is_flag=True, help="Only tell what is in the file and what would be done.")
@click.option("--columns", is_flag=True, help="Explain the fields that a mapping gives columns to, and leave.")
def command(
    file: Path | None,
    channel: str | None,
    mapping: str | None,
    location: str | None,
    opening_stock: bool,
    dry_run: bool,
    columns: bool,
) -> None:
    """Import orders that already happened, one row a line of an order, from a CSV or Parquet FILE.

    An import that was interrupted goes on where it stopped; done again it changes nothing. Refused rows go into a
    report beside the file. Leaves with 0 when every row was accepted, 1 when some were refused, 2 when the file or the
    mapping cannot be used.
    """
    if columns:
        _tell_fields()
        return
    if file is None or channel is None:
        raise click.UsageError("name the FILE to import and its --channel, or ask for --columns")
    database_ready()
    with _shown_progress() as progress:
        orders = OrderFile(Wish(file, channel, mapping, location, opening_stock), progress)
        outcome = orders.preview() if dry_run else orders.store()
    _tell_file(file, outcome)
    if dry_run:
        _tell_preview(orders, outcome)
    else:
        _tell_stored(outcome)
    _tell_refused(orders, outcome)
    if outcome.survey.refused or outcome.counts.get("refused"):
        raise click.exceptions.Exit(1)


@contextmanager
def _shown_progress() -> Iterator[Told]:
    """Bars of progress on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} rows"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, *times, console=console, disable=not console.is_terminal, transient=True) as bars:

        def told(step: str, done: int, whole: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=whole)
            bars.update(tasks[step], completed=done)

        yield told


def _tell_fields() -> None:
    formatter = click.HelpFormatter(width=110)
    formatter.write_dl([(name, f"{text}{'. Required' if name in REQUIRED else ''}.") for name, text in FIELDS.items()])
    click.echo(formatter.getvalue(), nl=False)


def _tell_file(file: Path, outcome: Outcome) -> None:
    """Tell what is in the file, whatever was stored of it before."""
    found = outcome.survey
    of_use = {use: sum(n for (kind, _), n in found.lines.items() if kind == use) for use in (SALE, CANCELLATION, STOCK)}
    click.echo(f"{file.name}: {plural(found.rows, 'line')}")
    click.echo(f"  order lines         {of_use[SALE]:>11,}   {_amounts(outcome, 'charged')}")
    if found.adjustments:
        click.echo(f"  of them adjustments {found.adjustments:>11,}   {_amounts(outcome, 'taken off')}")
    click.echo(f"  cancellation lines  {of_use[CANCELLATION]:>11,}   {_amounts(outcome, CANCELLATION)}")
    click.echo(f"  stock adjustments   {of_use[STOCK]:>11,}")
    click.echo(f"  unreadable lines    {found.refused:>11,}")
    whole = " + ".join(f"{amount} {currency}" for currency, amount in sorted(_whole(outcome).items()))
    click.echo(f"  all lines together                {whole}")


def _amounts(outcome: Outcome, what: str) -> str:
    found = [
        f"{quantize(amount, currency or outcome.currency):,} {currency or outcome.currency}"
        for (name, currency), amount in sorted(outcome.survey.amounts.items())
        if name == what
    ]
    return " + ".join(found)


def _whole(outcome: Outcome) -> Mapping[str, str]:
    whole: dict[str, Decimal] = {}
    for (_, currency), amount in outcome.survey.amounts.items():
        name = currency or outcome.currency
        whole[name] = whole.get(name, Decimal(0)) + amount
    return {name: f"{quantize(amount, name):,}" for name, amount in whole.items()}


def _tell_preview(orders: OrderFile, outcome: Outcome) -> None:
    found = outcome.survey
    if found.first_at and found.last_at:
        click.echo(f"  from {found.first_at:%Y-%m-%d %H:%M} to {found.last_at:%Y-%m-%d %H:%M} UTC")
    if outcome.missing_channels:
        new = plural(len(outcome.missing_channels), "channel")
        click.echo(f"would make {new}: {', '.join(outcome.missing_channels)}")
    if outcome.missing_skus:
        some = ", ".join(outcome.missing_skus[:NAMES_SHOWN])
        verb = "would make products for" if outcome.creates_products else "would refuse the lines of"
        click.echo(f"{verb} {plural(len(outcome.missing_skus), 'unknown SKU')}: {some}, ...")
    if orders.wish.opening_stock:
        click.echo(
            f"would receive {plural(found.units(), 'unit')} of {plural(len(found.skus), 'SKU')} as opening stock"
        )
    click.echo("nothing was stored")


def _tell_stored(outcome: Outcome) -> None:
    counts: Mapping[str, Any] = outcome.counts
    if outcome.resumed_at:
        click.echo(f"went on after row {outcome.resumed_at:,}, where the import was interrupted")

    def count(name: str) -> str:
        return f"{counts.get(name, 0):,}"

    def some(name: str, one: str, many: str = "") -> str:
        return plural(counts.get(name, 0), one, many)

    def amount(name: str) -> str:
        return f"{quantize(Decimal(counts.get(name, '0')), outcome.currency):,} {outcome.currency}"

    lines, products = some("new_lines", "line"), some("new_products", "product")
    click.echo(f"new: {some('new_orders', 'order')} with {lines}, {products}")
    if counts.get("opening_units"):
        click.echo(f"opening stock: {some('opening_units', 'unit')}")
    click.echo(
        f"cancellations: {count('matched')} matched to a sale ({count('matched_in_part')} of them in part,"
        f" {count('matched_over_several')} over several sales), {some('unlinked', 'unlinked credit')}"
        f" ({count('unlinked_without_customer')} without a customer); {some('returns', 'return')},"
        f" {amount('refunded')} given back, {amount('uncovered')} credited beyond what was paid"
    )
    click.echo(
        f"stock adjustments: {count('corrections')} booked, {some('corrected_units', 'unit')} taken off,"
        f" {count('corrections_cut')} took more than was there"
    )
    if counts.get("booked_before"):
        click.echo(f"{count('booked_before')} cancellations and stock adjustments had been booked before")
    if counts.get("short_units"):
        click.echo(f"{some('short_units', 'unit was', 'units were')} sold that the stock does not hold; see the alerts")


def _tell_refused(orders: OrderFile, outcome: Outcome) -> None:
    for row, problem in outcome.first_refused:
        value = f" ({problem.value})" if problem.value else ""
        where = f'{orders.table.path}, {orders.table.unit} {row}, column "{problem.column}"{value}'
        click.echo(f"{where}: {problem.reason}", err=True)
    if outcome.report:
        refused = plural(outcome.counts.get("refused", 0), "row is", "rows are")
        click.echo(f"{refused} in the report, with the reason: {outcome.report}", err=True)
