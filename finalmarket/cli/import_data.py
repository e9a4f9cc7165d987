"""finalmarket import: bring one's own data in from CSV or Parquet files."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from finalmarket.bulk.columns import described
from finalmarket.bulk.plan import Plan, make_plan
from finalmarket.bulk.registry import SUBJECTS, Subject
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.plural import plural

CHANGES_SHOWN = 10
REFUSALS_SHOWN = 5
ORDERS = "finalmarket.cli.import_orders"


class ImportGroup(click.Group):
    """The imports of tables, and that of orders where its module is there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the imports."""
        return [*super().list_commands(ctx), *(["orders"] if importlib.util.find_spec(ORDERS) else [])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of one import."""
        if cmd_name == "orders" and importlib.util.find_spec(ORDERS):
            found = importlib.import_module(ORDERS).command
            return found if isinstance(found, click.Command) else None
        return super().get_command(ctx, cmd_name)


@click.group(cls=ImportGroup)
def command() -> None:
    """Bring in data from a CSV or Parquet file.

    Accepted rows are stored together in one transaction, or none of them. Refused rows go into a report beside the
    file, each with its line, column and reason. Leaves with 0 when every row was accepted, 1 when some were refused,
    2 when the file cannot be used.
    """


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int], None]]:
    """A line of progress on a terminal, nothing elsewhere; what is given is called with the rows done so far."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TextColumn("{task.completed:,} rows"))
    quiet = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


def _make(subject: Subject) -> click.Command:
    """The command that imports one subject."""

    def run(
        file: Path | None,
        columns: bool,
        dry_run: bool,
        all_or_nothing: bool,
        encoding: str,
        delimiter: str | None,
        ignore_unknown: bool,
        **options: Any,
    ) -> None:
        if columns:
            _tell_columns(subject, options)
            return
        if file is None:
            raise click.UsageError("name the FILE to import, or ask for --columns")
        database_ready()
        # The file is read and compared within the transaction that stores it: what was planned is what is done.
        with transaction.atomic():
            with shown_progress(f"reading {file.name}") as progress:
                plan = make_plan(
                    subject.importer(**options),
                    file,
                    encoding=encoding,
                    delimiter="\t" if delimiter in {"tab", "\\t"} else delimiter,
                    ignore_unknown=ignore_unknown,
                    progress=progress,
                )
            report = plan.write_report()
            if dry_run:
                _tell_changes(plan)
            refused = plan.counts.refused
            is_stored = not dry_run and not (all_or_nothing and refused)
            if is_stored:
                plan.apply()
            _tell_refusals(plan, report)
            plan.close()
        _tell_counts(subject.name, plan, is_stored=is_stored)
        if refused:
            raise click.exceptions.Exit(1)

    decorated: Any = run
    for option in _options(subject):
        decorated = option(decorated)
    return click.command(subject.name, help=f"Import {subject.help}.", short_help=f"{subject.help}.")(decorated)


def _options(subject: Subject) -> list[Callable[[Any], Any]]:
    options = [
        click.option("--ignore-unknown", is_flag=True, help="Pass over columns that this import does not know."),
        click.option("--delimiter", help="Sign between CSV cells; found in the header by itself. Or: tab."),
        click.option("--encoding", default="utf-8", show_default=True, help="Encoding of a CSV file, such as cp1252."),
        click.option("--all-or-nothing", is_flag=True, help="Store nothing when a single row is refused."),
        click.option("--dry-run", is_flag=True, help="Only tell what would change."),
        click.option("--columns", is_flag=True, help="Explain the columns of the file, and leave."),
    ]
    if "channel" in subject.options:
        options.append(click.option("--channel", help="Name or short name of the channel that is meant."))
    if "create_locations" in subject.options:
        options.append(click.option("--create-locations", is_flag=True, help="Make locations that are not there yet."))
    options.append(click.argument("file", required=False, type=click.Path(path_type=Path)))
    return options


def _tell_columns(subject: Subject, options: dict[str, Any]) -> None:
    if options.get("channel"):
        database_ready()
    formatter = click.HelpFormatter(width=110)
    rows = described(subject.importer(**options).columns)
    formatter.write_dl([(name, f"{text}{' Required.' if required else ''}") for name, required, text in rows])
    click.echo(formatter.getvalue(), nl=False)
    click.echo("\nAn absent column leaves what is stored alone; an empty cell empties the field.")


def _tell_changes(plan: Plan) -> None:
    for change in plan.changes(CHANGES_SHOWN):
        fields = "; ".join(
            f"{name}: {_short(new)}" if change.is_new else f"{name}: {_short(old)} -> {_short(new)}"
            for name, old, new in change.fields
        )
        click.echo(f"line {change.line}: {'create' if change.is_new else 'change'} {' '.join(change.key)}: {fields}")
    more = plan.counts.created + plan.counts.changed - CHANGES_SHOWN
    if more > 0:
        click.echo(f"... and {more:,} more")


def _tell_refusals(plan: Plan, report: Path | None) -> None:
    for number, (line, problem) in enumerate(plan.refusals()):
        if number == REFUSALS_SHOWN:
            break
        value = f" ({problem.value})" if problem.value else ""
        click.echo(f'{plan.source.path}, line {line}, column "{problem.column}"{value}: {problem.reason}', err=True)
    if report is not None:
        refused = plural(plan.counts.refused, "row is", "rows are")
        click.echo(f"{refused} refused, with the reason for each: {report}", err=True)


def _tell_counts(name: str, plan: Plan, *, is_stored: bool) -> None:
    counts = plan.counts
    would = "" if is_stored else "would be "
    repeated = f", {counts.repeated:,} repeated in the file" if counts.repeated else ""
    click.echo(
        f"{name}: {counts.created:,} {would}created, {counts.changed:,} {would}changed, {counts.unchanged:,} unchanged"
        f"{repeated}, {counts.refused:,} refused" + ("" if is_stored else "; nothing was stored")
    )


def _short(text: str) -> str:
    return (text if len(text) <= 40 else text[:37] + "...") or '""'


for _subject in SUBJECTS:
    command.add_command(_make(_subject))
