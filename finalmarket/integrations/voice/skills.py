"""Skills: a voice channel gets an address, and what the assistant's platform needs to link accounts."""

from __future__ import annotations

import hashlib
import re
import secrets as chance
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import VoiceSkill
from finalmarket.kernel.errors import UserError

APPLICATION = "skill_id"
"""The setting of a voice channel that holds the assistant's name of the skill."""
APPLICATION_ID = re.compile(r"amzn1\.ask\.skill\.[A-Za-z0-9.-]{1,200}")
TOKEN_BYTES, SECRET_BYTES, CLIENT_BYTES = 24, 32, 12
CLIENT_ID = re.compile(r"alexa-[0-9a-f]{24}")
MOST_REDIRECT_URLS = 10
MOST_URL_CHARACTERS = 500


def digest(text: str) -> str:
    """What is kept of a code or a token that holds enough chance to need no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def open_skill(channel: SalesChannel, application_id: str, redirect_urls: Sequence[str]) -> tuple[VoiceSkill, str]:
    """Give a voice channel its address; return the skill and its client secret, which is never shown again.

    Raises UserError for a channel of another type, one that has a skill, and what `change_skill` refuses.
    """
    if channel.channel_type != SalesChannel.ChannelType.VOICE:
        raise UserError(f"{channel} is no voice channel; make one of the type voice")
    if VoiceSkill.objects.filter(sales_channel=channel).exists():
        raise UserError(f"{channel} has its skill already")
    secret = chance.token_urlsafe(SECRET_BYTES)
    skill = VoiceSkill.objects.create(
        sales_channel=channel, token=chance.token_urlsafe(TOKEN_BYTES),
        client_id=f"alexa-{chance.token_hex(CLIENT_BYTES)}", secret_digest=digest(secret),
    )  # fmt: skip
    change_skill(skill, application_id, redirect_urls)
    return skill, secret


@transaction.atomic
def change_skill(skill: VoiceSkill, application_id: str, redirect_urls: Sequence[str]) -> VoiceSkill:
    """Say which application may call, and where customers are sent back to when they have linked their account.

    Raises UserError for an id that is none of Alexa's, and for addresses that are not https.
    """
    if not APPLICATION_ID.fullmatch(application_id.strip()):
        raise UserError("the application id begins with amzn1.ask.skill. and stands in the developer console")
    urls = list(dict.fromkeys(url.strip() for url in redirect_urls if url.strip()))
    if len(urls) > MOST_REDIRECT_URLS:
        raise UserError(f"a skill has at most {MOST_REDIRECT_URLS} redirect addresses")
    for url in urls:
        _check_redirect(url)
    channel = SalesChannel.objects.select_for_update().get(pk=skill.sales_channel_id)
    channel.configuration = {**channel.configuration, APPLICATION: application_id.strip()}
    channel.save(update_fields=["configuration", "updated_at"])
    skill.sales_channel, skill.redirect_urls = channel, urls
    skill.save(update_fields=["redirect_urls"])
    return skill


def _check_redirect(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise UserError(f"{url[:100]!r} is no address such as https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA")
    if len(url) > MOST_URL_CHARACTERS:
        raise UserError(f"a redirect address has at most {MOST_URL_CHARACTERS} characters")


def new_secret(skill: VoiceSkill) -> str:
    """Give the skill another client secret and return it; the one before is of no use from now on."""
    secret = chance.token_urlsafe(SECRET_BYTES)
    skill.secret_digest = digest(secret)
    skill.save(update_fields=["secret_digest"])
    return secret


def application_id(skill: VoiceSkill) -> str:
    """The only application that may call this skill."""
    return str(skill.sales_channel.configuration.get(APPLICATION, ""))
