"""finalmarket backup: the whole database in one file."""

from pathlib import Path

import click

from finalmarket.kernel.database import database_ready
from finalmarket.operations import backup


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def command(file: Path) -> None:
    """Write the whole database to FILE while the house goes on, as it is at one moment.

    FILE holds personal data: keep it as safe as the database. It does not hold the encryption keys.
    """
    database_ready()
    manifest = backup.make(file.absolute())
    held = manifest.rows
    click.echo(
        f"{file}: {file.stat().st_size / 1_000_000:,.1f} MB; {held.get('orders', 0):,} orders, "
        f"{held.get('stock_movement', 0):,} ledger lines, {sum(held.values()):,} rows in {len(held)} tables, "
        f"as of {manifest.at}"
    )
    for missing in manifest.missing:
        click.echo(f"not in it: {missing}", err=True)
