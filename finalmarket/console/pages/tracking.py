"""Tracking of a channel: its write keys, what clients call things, and the events that were set aside."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.integrations.connect import public_address
from finalmarket.journeys import write_keys
from finalmarket.journeys.models import ChannelInteraction, EventName, SetAsideEvent, WriteKey
from finalmarket.kernel import clock

CHANGE = "journeys.change_writekey"
MOST_NAMES = 100
MOST_KEY_DIGITS = 18


@page("journeys.view_writekey")
def tracking(request: HttpRequest, key: int) -> HttpResponse:
    """The keys of a channel, the names that nobody has decided on, and what was set aside, newest first."""
    channel = get_object_or_404(SalesChannel, pk=key)
    keys = list(WriteKey.objects.filter(sales_channel=channel))
    context = {
        "channel": channel,
        "keys": [{"row": one, "is_over": _is_over(one)} for one in keys],
        "space": keys[0].space if keys else "",
        "address": public_address("") or f"{request.scheme}://{request.get_host()}",
        "names": EventName.objects.filter(sales_channel=channel)[:MOST_NAMES],
        "kinds": ChannelInteraction.InteractionType.choices,
        "nothing": EventName.NOTHING,
        "slice": cut(SetAsideEvent.objects.filter(sales_channel=channel), ("-id",), request.GET, asked.PAGE_SIZE),
    }
    return show(request, "tracking.html", f"Tracking of {channel}", context)


def card_of(channel: SalesChannel) -> dict[str, Any]:
    """What the channel's own page shows of it: the keys that work."""
    return {"keys": [one for one in WriteKey.objects.filter(sales_channel=channel) if not _is_over(one)]}


@page(CHANGE, "POST")
def change_tracking(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on the tracking of a channel."""
    channel = get_object_or_404(SalesChannel, pk=key)
    attempt(request, lambda: VERBS[verb](request, channel) if verb in VERBS else _unknown(verb))
    return back(request, reverse("console:tracking", args=[key]))


def _is_over(key: WriteKey) -> bool:
    return key.ends_at is not None and key.ends_at <= clock.now()


def _open(request: HttpRequest, channel: SalesChannel) -> str:
    made = write_keys.open_key(channel, actor=actor(request))
    return f"{channel} can be told of by {made.key} from now on."


def _rotate(request: HttpRequest, channel: SalesChannel) -> str:
    made = write_keys.rotate(channel, actor=actor(request))
    days = write_keys.ROTATED_KEYS_WORK_FOR.days
    return f"The new key is {made.key}; the keys before it work for {days} more days."


def _end(request: HttpRequest, channel: SalesChannel) -> str:
    given = request.POST.get("key", "")
    if not (given.isascii() and given.isdigit() and len(given) <= MOST_KEY_DIGITS):
        raise ValidationError("Choose the key to end.")
    return f"{write_keys.end(channel, int(given)).key} is of no use any more, within ten seconds."


def _share(request: HttpRequest, channel: SalesChannel) -> str:
    space = request.POST.get("space", "")
    write_keys.share_accounts(channel, space)
    if not space.strip():
        return f"User ids of {channel} are its own."
    return f'User ids of {channel} are those of all channels with the word "{space.strip()}".'


def _decide(request: HttpRequest, channel: SalesChannel) -> str:
    row = write_keys.decide(channel, request.POST.get("name", ""), request.POST.get("becomes", ""))
    if not row.becomes:
        return f'"{row.name}" is undecided again.'
    return f'From now on "{row.name}" is {row.becomes.replace("_", " ")}.'


def _unknown(verb: str) -> str:
    raise ValidationError(f"The tracking of a channel cannot be told to {verb}.")


VERBS = {"open": _open, "rotate": _rotate, "end": _end, "share": _share, "decide": _decide}
