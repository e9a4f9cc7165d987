"""finalmarket voice: what a voice assistant has to be told."""

from __future__ import annotations

import json

import click

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError


@click.group()
def command() -> None:
    """What a voice assistant has to be told of a voice channel."""


@command.command()
@click.option("--channel", "number", type=int, help="The voice channel; may be left out where there is one.")
@click.option("--language", default="en", show_default=True, help="en or de: the skill speaks these.")
@click.option("--invocation", default="final market", show_default=True, help="The words by which people open it.")
def model(number: int | None, language: str, invocation: str) -> None:
    """Print the interaction model for the developer console of Alexa, as JSON."""
    from finalmarket.api.alexa.model import interaction_model

    database_ready()
    click.echo(json.dumps(interaction_model(_channel(number), language, invocation), ensure_ascii=False, indent=2))


def _channel(number: int | None) -> SalesChannel:
    voices = SalesChannel.objects.filter(channel_type=SalesChannel.ChannelType.VOICE).order_by("pk")
    found = list(voices if number is None else voices.filter(pk=number))
    if not found:
        raise UserError("there is no voice channel" + (f" {number}" if number else "") + "; make one of the type voice")
    if len(found) > 1:
        named = ", ".join(f"{one.pk} ({one})" for one in found)
        raise UserError(f"there are several voice channels; choose one by --channel: {named}")
    return found[0]
