"""finalmarket check: prove that what is stored agrees with itself."""

import click

from finalmarket.kernel.database import database_ready

MOST_SHOWN = 200


@click.group("check")
def command() -> None:
    """Prove that what is stored agrees with itself."""


@command.command("stock")
def stock() -> None:
    """Prove that balances, ledger and holds agree; print the rows that differ and leave with 1 if some do."""
    from finalmarket.stock.check import differences, extent

    database_ready()
    found = differences()
    if not found:
        seen = extent()
        click.echo(
            f"The stock agrees: {seen.items:,} balances of {seen.variants:,} variants equal the sum of "
            f"{seen.movements:,} ledger lines, their promises equal {seen.open_lines:,} open reservation lines, and "
            f"the use of {seen.policies:,} channel inventories equals both."
        )
        return
    for difference in found[:MOST_SHOWN]:
        click.echo(str(difference))
    if len(found) > MOST_SHOWN:
        click.echo(f"... and {len(found) - MOST_SHOWN:,} more")
    click.echo(f"The stock does not agree: {len(found):,} differences.", err=True)
    raise click.exceptions.Exit(1)
