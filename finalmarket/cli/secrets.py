"""finalmarket secrets: the keys that stored secrets are encrypted with."""

from __future__ import annotations

from datetime import timedelta

import click

from finalmarket.kernel.database import database_ready


@click.group()
def command() -> None:
    """Replace the keys that stored secrets are encrypted with, while everything runs."""


@command.command()
def state() -> None:
    """Say how many keys there are, and what still needs an old one."""
    from finalmarket.integrations import rekey
    from finalmarket.kernel import secrets

    database_ready()
    keys = secrets.count_keys()
    click.echo(f"{keys} keys, the newest first, from {_where()}" if keys > 1 else f"1 key, from {_where()}")
    for place, count in sorted(rekey.needed().items()):
        click.echo(f"{place}: {count:,} need an old key")


@command.command()
def rotate() -> None:
    """Put a new key before the others and move all stored secrets to it.

    Where the keys come from FINALMARKET_SECRET_KEYS, put the new key before the others there first, on every host; then
    this moves what is stored to it. Nothing has to stop meanwhile.
    """
    from finalmarket.integrations import rekey

    database_ready()
    found = rekey.rotate()
    click.echo(f"{found.moved:,} secrets moved to the newest key, {found.there:,} were under it already.")
    if found.unreadable:
        click.echo(f"{found.unreadable:,} cannot be read with any key: connect those accounts anew.", err=True)
        raise click.exceptions.Exit(1)


@command.command()
@click.option("--now", "at_once", is_flag=True, help="Do not wait until work begun before is done.")
def prune(at_once: bool) -> None:
    """Take the old keys away, once nothing that is stored needs them."""
    from finalmarket.integrations import rekey

    database_ready()
    gone = rekey.drop_old(patience=timedelta() if at_once else rekey.PATIENCE)
    told = "One old key is gone" if gone == 1 else f"{gone} old keys are gone"
    click.echo(f"{told}; the newest opens all that is stored.")


def _where() -> str:
    from finalmarket.kernel import secrets

    return secrets.VARIABLE if secrets.comes_from_environment() else "the key file of the data folder"
