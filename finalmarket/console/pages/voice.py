"""Voice: the address of a voice channel's skill, which application may call it, and whose accounts are linked."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.channels.models import SalesChannel
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.people import PEOPLE
from finalmarket.integrations.connect import public_address
from finalmarket.integrations.models import VoiceLink, VoiceSkill
from finalmarket.integrations.voice import codes, links, skills

CHANGE = "channels.change_saleschannel"
LINKS = (PEOPLE, "customers.change_omnichannelcustomer")
"""Whoever has a code hears of its customer's orders and orders to their address, so it is for those who see and change
customers; to keep channels in order is not enough."""
MOST_DIGITS = 18


@never_cache
@page(CHANGE)
def voice(request: HttpRequest, key: int) -> HttpResponse:
    """The skill of a voice channel, or a form that makes one."""
    return _shown(request, _channel(key))


@never_cache
@page(CHANGE, "POST")
def change_voice(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS. A secret or a code is shown in this answer alone, not in a message that would wait in a
    cookie."""
    channel = _channel(key)
    made: dict[str, str] = {}
    attempt(request, lambda: VERBS[verb](request, channel, made) if verb in VERBS else _unknown(verb))
    return _shown(request, _channel(key), made) if made else back(request, reverse("console:voice", args=[key]))


def _channel(key: int) -> SalesChannel:
    return get_object_or_404(SalesChannel, pk=key, channel_type=SalesChannel.ChannelType.VOICE)


def _shown(request: HttpRequest, channel: SalesChannel, made: dict[str, str] | None = None) -> HttpResponse:
    skill = VoiceSkill.objects.filter(sales_channel=channel).first()
    linked = VoiceLink.objects.filter(skill=skill).exclude(linked_at=None).select_related("customer")
    context = {
        "channel": channel, "skill": skill, "made": made or {}, "can_mail": codes.can_mail(),
        "may_link": request.user.has_perms(LINKS),
        "application_id": channel.configuration.get(skills.APPLICATION, ""),
        "addresses": _addresses(request, skill) if skill else {},
        "redirect_urls": "\n".join(skill.redirect_urls) if skill else "",
        "slice": cut(linked, ("-id",), request.GET, asked.PAGE_SIZE),
    }  # fmt: skip
    return show(request, "voice.html", f"Voice of {channel}", context)


def _addresses(request: HttpRequest, skill: VoiceSkill) -> dict[str, str]:
    house = public_address("") or f"{request.scheme}://{request.get_host()}"
    names = ("alexa", "link_account", "give_token")
    return {name: f"{house.rstrip('/')}{reverse(name, args=[skill.token])}" for name in names}


def _skill(channel: SalesChannel) -> VoiceSkill:
    skill = VoiceSkill.objects.select_related("sales_channel").filter(sales_channel=channel).first()
    if skill is None:
        raise ValidationError("Open the skill first.")
    return skill


def _given(request: HttpRequest) -> tuple[str, list[str]]:
    return request.POST.get("application_id", ""), request.POST.get("redirect_urls", "").split()


def _open(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    _, made["secret"] = skills.open_skill(channel, *_given(request))
    return f"{channel} can be spoken to once Alexa knows its address."


def _change(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    skills.change_skill(_skill(channel), *_given(request))
    return "The skill is changed."


def _secret(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    made["secret"] = skills.new_secret(_skill(channel))
    return "Enter the new secret in the developer console; the one before is of no use any more."


def _switch(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    skill = _skill(channel)
    skill.is_active = request.POST.get("on") == "1"
    skill.save(update_fields=["is_active"])
    return "The skill answers." if skill.is_active else "The skill answers nobody until it is switched on."


def _code(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    _check_may_link(request)
    made["code"] = codes.show_code(_skill(channel), _number(request, "customer"), actor=actor(request))
    return "Tell the customer the code; it works once, within a day."


def _end(request: HttpRequest, channel: SalesChannel, made: dict[str, str]) -> str:
    _check_may_link(request)
    links.end(_number(request, "link"), _skill(channel))
    return "The account is linked no more."


def _check_may_link(request: HttpRequest) -> None:
    if not request.user.has_perms(LINKS):
        raise PermissionDenied(f"{request.user} may not link accounts of customers")


def _number(request: HttpRequest, name: str) -> int:
    given = request.POST.get(name, "").strip()
    if not (given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS):
        raise ValidationError(f"Give the number of the {name}.")
    return int(given)


def _unknown(verb: str) -> str:
    raise ValidationError(f"The voice of a channel cannot be told to {verb}.")


VERBS: dict[str, Any] = {
    "open": _open, "change": _change, "secret": _secret, "switch": _switch, "code": _code, "end": _end,
}  # fmt: skip
