"""finalmarket shell: Django's shell with the database brought up."""

import click
from django.core.management import call_command

from finalmarket.kernel.database import database_ready


@click.command()
@click.option("-c", "--command", "code", help="Run this Python code instead of asking for it.")
def command(code: str | None) -> None:
    """A Python shell with the models at hand."""
    database_ready()
    call_command("shell", command=code)
