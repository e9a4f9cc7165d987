"""finalmarket export: write what is stored to CSV or Parquet files that `finalmarket import` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finalmarket.bulk.export import export
from finalmarket.bulk.registry import SUBJECTS, Subject
from finalmarket.cli.import_data import shown_progress
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.plural import plural


@click.group()
def command() -> None:
    """Write data to a CSV or Parquet file, by its ending.

    The columns are those that `finalmarket import` reads: an export that is imported again changes nothing. The file
    appears when it is whole. Cells that a spreadsheet could take for a formula begin with an apostrophe, which the
    import takes away again.
    """


def _make(subject: Subject) -> click.Command:
    """The command that exports one subject."""

    def run(file: Path, **options: Any) -> None:
        database_ready()
        with shown_progress(f"writing {file.name}") as progress:
            done = export(subject.importer(**options), file, progress=progress)
        click.echo(f"{subject.name}: {plural(done, 'row')} written to {file}")

    decorated: Any = run
    if "channel" in subject.options:
        decorated = click.option("--channel", help="Name or short name of the channel that is meant.")(decorated)
    decorated = click.argument("file", type=click.Path(path_type=Path))(decorated)
    return click.command(subject.name, help=f"Export {subject.help}.", short_help=f"{subject.help}.")(decorated)


for _subject in SUBJECTS:
    command.add_command(_make(_subject))
