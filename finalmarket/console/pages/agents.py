"""Shopping agents: the door of a channel, what its platform is told, and what agents have in hand."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.access.models import ApiKey
from finalmarket.channels.models import SalesChannel
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.integrations.agents import doors
from finalmarket.integrations.agents.places import BASE
from finalmarket.integrations.connect import public_address
from finalmarket.integrations.models import AgentDoor, AgentSession

CHANGE = "channels.change_saleschannel"
MOST_KEYS, MOST_DIGITS = 50, 18


@never_cache
@page(CHANGE)
def agents(request: HttpRequest, key: int) -> HttpResponse:
    """The door of a channel for agents, or a button that opens it."""
    return _shown(request, get_object_or_404(SalesChannel, pk=key))


@never_cache
@page(CHANGE, "POST")
def change_agents(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS. A secret is shown in this answer alone, not in a message that would wait in a cookie."""
    channel = get_object_or_404(SalesChannel, pk=key)
    made: dict[str, str] = {}
    attempt(request, lambda: VERBS[verb](request, channel, made) if verb in VERBS else _unknown(verb))
    return _shown(request, channel, made) if made else back(request, reverse("console:agents", args=[key]))


def _shown(request: HttpRequest, channel: SalesChannel, made: dict[str, str] | None = None) -> HttpResponse:
    door = AgentDoor.objects.select_related("payment", "endpoint").filter(sales_channel=channel).first()
    keys = ApiKey.objects.filter(scopes__contains=[doors.SCOPE], channel_ids=[channel.pk])
    sessions = AgentSession.objects.filter(sales_channel=channel).select_related("cart__order")
    links = door.links if door else {}
    reached = public_address("") or f"{request.scheme}://{request.get_host()}"
    context = {
        "channel": channel, "door": door, "made": made or {}, "keys": keys[:MOST_KEYS], "payers": doors.payers(),
        "address": f"{reached}{BASE}", "discovery": f"{reached}/.well-known/acp.json", "scope": doors.SCOPE,
        "links": [(name, name.replace("_", " "), links.get(name, "")) for name in doors.LINKS],
        "can_be_paid": door is not None and doors.can_be_paid(door),
        "slice": cut(sessions, ("-id",), request.GET, asked.PAGE_SIZE),
    }  # fmt: skip
    return show(request, "agents.html", f"Shopping agents on {channel}", context)


def _door(channel: SalesChannel) -> AgentDoor:
    door = AgentDoor.objects.select_related("sales_channel", "endpoint").filter(sales_channel=channel).first()
    if door is None:
        raise ValidationError("Open the door first.")
    return door


def _open(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    doors.open_door(channel)
    return f"Agents may buy on {channel} with a key that has the scope {doors.SCOPE} and is bound to it."


def _change(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    given = request.POST.get("payment", "")
    payment = int(given) if given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS else None
    links = {name: request.POST.get(f"link_{name}", "") for name in doors.LINKS}
    doors.change_door(_door(channel), payment=payment, links=links)
    return "It is changed."


def _tell(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    url = request.POST.get("url", "").strip()
    made["telling"] = doors.tell_at(_door(channel), url)
    return f"{url} is told of the orders of {channel}."


def _telling_secret(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    made["telling"] = doors.new_telling_secret(_door(channel))
    return "What is told is signed with the new secret from now on."


def _demand(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    made["asking"] = doors.demand_signatures(_door(channel))
    return "Only requests that are signed with the secret are taken from now on."


def _waive(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    doors.waive_signatures(_door(channel))
    return "The key alone lets agents in."


def _switch(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    door = _door(channel)
    door.is_active = request.POST.get("on") == "1"
    door.save(update_fields=["is_active"])
    return "Agents may buy here." if door.is_active else "Agents buy nothing here until it is switched on."


def _unknown(verb: str) -> str:
    raise ValidationError(f"The door of agents cannot be told to {verb}.")


VERBS: dict[str, Any] = {
    "open": _open, "change": _change, "tell": _tell, "telling-secret": _telling_secret, "demand": _demand,
    "waive": _waive, "switch": _switch,
}  # fmt: skip
