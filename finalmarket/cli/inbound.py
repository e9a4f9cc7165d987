"""finalmarket inbound: what comes from outside, handed in by a program on this machine."""

from __future__ import annotations

import sys

import click

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural
from finalmarket.orders.mailed.message import MOST_BYTES, read
from finalmarket.orders.mailed.requests import take_in
from finalmarket.orders.models import OrderRequestLine


@click.group("inbound")
def command() -> None:
    """Hand in what came from outside: for mail servers and other programs on this machine."""


@command.command("mail")
@click.option("--channel", help="Name or short name of the e-mail channel; needed where there are several.")
def mail(channel: str | None) -> None:
    """Read a message (RFC 5322, MIME) from standard input into a request that a person confirms in the console.

    The same Message-ID makes one request, however often it is handed in. For a mail server's alias:
    orders: "|finalmarket inbound mail --channel mail".
    """
    database_ready()
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    taken, is_new = take_in(_channel(channel), read(raw))
    if not is_new:
        click.echo(f"request {taken.pk}: this message was handed in before")
        return
    lines = list(taken.lines.all())
    sure = sum(line.certainty == OrderRequestLine.Certainty.SURE for line in lines)
    found = f"{plural(len(lines), 'line')}, {sure} of them read"
    click.echo(f"request {taken.pk}: {found}, {len(lines) - sure} to be looked at")


def _channel(name: str | None) -> SalesChannel:
    mail_channels = SalesChannel.objects.filter(channel_type=SalesChannel.ChannelType.EMAIL)
    if name is not None:
        found = mail_channels.filter(slug=name).first() or mail_channels.filter(name=name).first()
        if found is None:
            raise UserError(f'there is no e-mail channel "{name}"')
        return found
    active = list(mail_channels.filter(status=SalesChannel.Status.ACTIVE).order_by("name")[:2])
    if len(active) != 1:
        some = "several e-mail channels" if active else "no e-mail channel"
        raise UserError(f"there {'are' if active else 'is'} {some}; make one, or name it with --channel")
    return active[0]
