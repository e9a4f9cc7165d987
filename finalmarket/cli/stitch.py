"""finalmarket stitch: recognise journeys now, of those who did something or of everybody."""

import click

from finalmarket.journeys import stitching, sweep
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.plural import plural

SECONDS_AT_ONCE = 10.0


@click.command()
@click.option("--all", "everybody", is_flag=True, help="Everybody from the beginning, as after a change of time-outs.")
def command(everybody: bool) -> None:
    """Recognise the journeys of what customers did. A running worker does it by itself, within a second."""
    database_ready()
    if everybody:
        stitching.mark_everybody()
    failed: list[int] = []
    while sweep.mark_passed() > len(failed):  # theirs cannot be given up, however often they are marked
        failed = _tell()
    if _tell():
        raise click.exceptions.Exit(1)


def _tell() -> list[int]:
    """Tell everybody who is marked; return the profiles that could not be told."""
    while True:
        done = stitching.run(seconds=SECONDS_AT_ONCE)
        click.echo(f"{plural(done.persons, 'person')} told, {plural(done.journeys, 'journey')} changed")
        if done.failed:
            click.echo(f"{len(done.failed):,} could not be told; the log says why", err=True)
        if not done.persons:
            return done.failed
