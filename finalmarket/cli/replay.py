"""finalmarket replay: try again what was set aside."""

import click

from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural


@click.command("replay")
@click.option("--integration", type=int, help="Only the letters of this account, by its number.")
@click.option("--letter", type=int, help="Only this letter, by its number.")
@click.option("--all", "everything", is_flag=True, help="All open letters.")
def command(integration: int | None, letter: int | None, everything: bool) -> None:
    """Try again what could not be taken or sent; what succeeds is settled. Leaves with 1 if something failed again."""
    from finalmarket.integrations import dead_letters

    database_ready()
    if letter is None and integration is None and not everything:
        raise UserError("say what to try again: --letter N, --integration N, or --all")
    wanted = [letter] if letter is not None else dead_letters.open_letters(integration)
    failed = 0
    for number in wanted:
        try:
            settled = dead_letters.replay(number, actor="command line")
            click.echo(f"Letter {number} ({settled.stream} {settled.external_id}) is settled.")
        except UserError as error:
            failed += 1
            click.echo(str(error), err=True)
    click.echo(f"{len(wanted) - failed} of {plural(len(wanted), 'letter')} settled.")
    if failed:
        raise click.exceptions.Exit(1)
