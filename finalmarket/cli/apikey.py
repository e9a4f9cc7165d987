"""finalmarket apikey: keys for programs that call the REST API."""

from __future__ import annotations

import getpass
from datetime import timedelta

import click

from finalmarket.access import keys
from finalmarket.access.models import ApiKey
from finalmarket.cli.channel_named import channel_named
from finalmarket.kernel import clock
from finalmarket.kernel.database import database_ready

ONCE = "Keep it well: it is not shown again."


@click.group()
def command() -> None:
    """Make, list, rotate and end keys for programs that call the REST API."""


@command.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, metavar="SCOPE",
    help=f"What it may do, once for each: {', '.join(keys.SCOPES)}.",
)  # fmt: skip
@click.option(
    "--channel", "channels", multiple=True, metavar="CHANNEL",
    help="Bind it to this sales channel (its number or slug); may be repeated.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3650), help="It expires after so many days.")
@click.option("--calls-per-minute", type=int, default=keys.CALLS_PER_MINUTE, show_default=True)
def create(
    name: str, scopes: tuple[str, ...], channels: tuple[str, ...], days: int | None, calls_per_minute: int
) -> None:  # fmt: skip
    """Make a key called NAME and print it, once."""
    database_ready()
    expires_at = clock.now() + timedelta(days=days) if days else None
    row, shown = keys.create(
        name, scopes, channels=[channel_named(one).pk for one in channels], actor=getpass.getuser(),
        expires_at=expires_at, calls_per_minute=calls_per_minute,
    )  # fmt: skip
    click.echo(f"key {row.pk}, {row.name}: {shown}")
    click.echo(ONCE, err=True)


@command.command("list")
def list_keys() -> None:
    """List all keys, the newest first."""
    database_ready()
    for row in ApiKey.objects.order_by("-id"):
        channels = ", ".join(map(str, row.channel_ids)) or "all"
        used = f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never"
        ends = min((at for at in (row.ends_at, row.expires_at) if at), default=None)
        until = f" until {ends:%Y-%m-%d %H:%M}" if ends else ""
        click.echo(
            f"{row.pk}  {row}  {keys.state_of(row)}{until}; {', '.join(row.scopes)}; channels: {channels}; used {used}"
        )


@command.command()
@click.argument("number", type=int)
@click.option("--grace-days", type=int, default=keys.GRACE.days, show_default=True, help="The old one works so long.")
def rotate(number: int, grace_days: int) -> None:
    """Make a key in the place of key NUMBER and print it, once."""
    database_ready()
    row, shown = keys.rotate(number, actor=getpass.getuser(), grace=timedelta(days=grace_days))
    click.echo(f"key {row.pk}, {row.name}: {shown}")
    click.echo(f"{ONCE} The key before works for {grace_days} more days.", err=True)


@command.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """End key NUMBER now."""
    database_ready()
    click.echo(f"{keys.revoke(number)} is of no use any more.")
