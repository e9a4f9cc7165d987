"""finalmarket shopkey: publishable keys, with which pages, apps and kiosks of a channel sell to shoppers."""

from __future__ import annotations

import getpass

import click

from finalmarket.access import shop_devices, shop_keys
from finalmarket.access.shop_models import ShopDevice, ShopKey
from finalmarket.cli.channel_named import channel_named
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError
from finalmarket.stock.models import StockLocation


@click.group()
def command() -> None:
    """Make, list and end publishable keys, and pair kiosks."""


@command.command()
@click.argument("channel")
@click.option("--kind", type=click.Choice(ShopKey.Kind.values), help="Without it: that of the channel's type.")
@click.option("--origin", "origins", multiple=True, help="Pages of this origin may use it too; may be repeated.")
@click.option("--calls-per-minute", type=int, default=shop_keys.CALLS_PER_MINUTE, show_default=True)
def create(channel: str, kind: str | None, origins: tuple[str, ...], calls_per_minute: int) -> None:
    """Make a key for CHANNEL (its number or slug) and print it."""
    database_ready()
    row = shop_keys.create(
        channel_named(channel),
        kind=kind or "",
        origins=origins,
        actor=getpass.getuser(),
        calls_per_minute=calls_per_minute,
    )
    click.echo(f"key {row.pk}, {row.get_kind_display()} of {row.sales_channel}: {row.key}")


@command.command("list")
def list_keys() -> None:
    """List all keys and devices, the newest first."""
    database_ready()
    for row in ShopKey.objects.select_related("sales_channel").order_by("-id"):
        state = "ended" if shop_keys.is_over(row) else "works"
        origins = ", ".join(row.origins) or "this house alone"
        click.echo(f"{row.pk}  {row.key}  {row.get_kind_display()} of {row.sales_channel}; {state}; origins: {origins}")
    for device in ShopDevice.objects.select_related("sales_channel").order_by("-id"):
        click.echo(f"device {device.pk}  {device} of {device.sales_channel}; {shop_devices.state_of(device)}")


@command.command()
@click.argument("number", type=int)
def end(number: int) -> None:
    """End key NUMBER now."""
    database_ready()
    click.echo(f"{shop_keys.end(number).key} is of no use any more.")


@command.command()
@click.argument("channel")
@click.argument("name")
@click.option("--location", help="The stock location in which it stands, by its code.")
def pair(channel: str, name: str, location: str | None) -> None:
    """Add a device called NAME to the kiosk channel CHANNEL and print the code that is typed into it."""
    database_ready()
    place = StockLocation.objects.filter(code=location).first() if location else None
    if location and place is None:
        raise UserError(f"there is no stock location {location!r}")
    row, code = shop_devices.open_pairing(
        channel_named(channel), name, location_id=place.pk if place else None, actor=getpass.getuser()
    )
    click.echo(f"device {row.pk}, {row}: {code}")
    click.echo("Type it in at the kiosk within fifteen minutes; it works once.", err=True)


@command.command("end-device")
@click.argument("number", type=int)
def end_device(number: int) -> None:
    """End device NUMBER now."""
    database_ready()
    click.echo(f"{shop_devices.end(number)} is let in no more.")
