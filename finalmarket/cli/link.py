"""finalmarket link: look for customers who may be one person, and suggest them."""

import click

from finalmarket.customers.linkage.suggesting import Found, find_duplicates
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.plural import plural

SHOWN = 20


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be suggested; write nothing.")
def command(dry_run: bool) -> None:
    """Compare all customers with each other and suggest who may be one person. Nobody is merged: the page "One person?"
    of the console asks. A worker does it every night. Needs the extra finalmarket[linkage]."""
    database_ready()
    found = find_duplicates(dry_run=dry_run)
    _tell(found)
    if dry_run:
        for one in found.suggestions[:SHOWN]:
            group = f" ({one.evidence['group']})" if "group" in one.evidence else ""
            click.echo(f"{one.one} and {one.other}: {one.score}, {one.evidence['because']}{group}")
        if len(found.suggestions) > SHOWN:
            click.echo(f"... and {len(found.suggestions) - SHOWN:,} more")
        click.echo("Nothing was written.")
    else:
        click.echo(f"{found.new:,} are new, {found.withdrawn:,} were withdrawn")


def _tell(found: Found) -> None:
    learned = ", ".join(name.replace("_", " ") for name in found.learned)
    click.echo(f"{plural(found.persons, 'person')} compared; weights learned of: {learned or 'nothing'}")
    for note in found.notes:
        click.echo(note)
    click.echo(f"{plural(len(found.suggestions), 'pair is', 'pairs are')} suggested, in "
               f"{plural(found.groups, 'group')}; "
               f"{found.held_back:,} were held back, for they would chain groups together")  # fmt: skip
