"""finalmarket version."""

import click

from finalmarket import __version__


@click.command()
def command() -> None:
    """Say which version this is."""
    click.echo(__version__)
