"""finalmarket privacy: what a person may ask of whoever keeps their data."""

from __future__ import annotations

import getpass

import click

from finalmarket.integrations.privacy import erase as erasing
from finalmarket.integrations.privacy import export as exporting
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.plural import plural

SOURCE = "command line"


@click.group()
def command() -> None:
    """Export all that is kept of a person, or erase the person.

    CUSTOMER is the number of a customer, or an e-mail address. Every call is written down.
    """


@command.command()
@click.argument("customer")
def export(customer: str) -> None:
    """Write everything about CUSTOMER to standard output, as JSON."""
    database_ready()
    for piece in exporting.export(exporting.find(customer), actor=getpass.getuser(), source=SOURCE):
        click.echo(piece, nl=False)


@command.command()
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--at-once", is_flag=True, help="Do not wait for orders that are under way: their addresses go, too.")
def erase(customer: str, yes: bool, at_once: bool) -> None:
    """Erase CUSTOMER: the person goes, the books stay. It cannot be undone."""
    database_ready()
    number = exporting.find(customer)
    if not yes:
        click.confirm(f"Erase customer {number} for good?", abort=True, err=True)
    request = erasing.erase(number, actor=getpass.getuser(), source=SOURCE, at_once=at_once)
    orders = erasing.waits_for(request)
    if orders:
        click.echo(f"request {request.pk}: waits for {orders}; the worker goes on by itself")
        return
    rows = plural(sum(request.outcome.get("rows", {}).values()), "row")
    click.echo(f"request {request.pk}: customer {number} is erased; {rows} lost something")
    for table, why in sorted(request.outcome.get("kept", {}).items()):
        click.echo(f"  kept of {table}: {why}")
    for platform in request.outcome.get("told", []):
        click.echo(f"  {platform} is told to erase them, too")
    for platform in request.outcome.get("known_at", []):
        click.echo(f"  also known at {platform}: see to it there")
