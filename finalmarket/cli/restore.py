"""finalmarket restore: bring back what a backup holds, and prove it."""

from pathlib import Path

import click

from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError
from finalmarket.operations import readiness, restore


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", "replaces", is_flag=True, help="Throw away all that the database holds now.")
def command(file: Path, replaces: bool) -> None:
    """Bring back the database of FILE, whole or not at all, then bring its tables up to this version.

    Afterwards the stock is checked against its ledger, and whether the keys at hand open the stored secrets.
    """
    from finalmarket.stock.check import differences

    database_ready()
    manifest = restore.bring_back(file, replaces=replaces)
    apply_migrations(verbosity=0)
    wrong = differences()
    if wrong:
        raise UserError(f"{file} is restored, and its stock does not agree: {len(wrong)} differences (check stock)")
    click.echo(
        f"Restored as of {manifest.at}: {manifest.rows.get('orders', 0):,} orders, "
        f"{manifest.rows.get('stock_movement', 0):,} ledger lines; the stock agrees with its ledger."
    )
    if readiness.NO_KEYS in readiness.look():
        click.echo(f"warning: {readiness.NO_KEYS}; bring the keys back that belong to this backup", err=True)
