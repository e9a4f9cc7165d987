"""The addresses to which mail services deliver what comes for an e-mail channel: whoever knows the secret in it may."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import MailDoor

WRITTEN = re.compile(r"[A-Za-z0-9_-]{43}")
USE_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def open_door(channel: SalesChannel, *, actor: str) -> str:
    """Make the channel's door, in place of the one it had, which opens nothing from now on; return its secret, which
    cannot be told again. Raises UserError for a channel of another type."""
    if channel.channel_type != SalesChannel.ChannelType.EMAIL:
        raise UserError(f"{channel.name} is no e-mail channel")
    secret = secrets.token_urlsafe(32)
    MailDoor.objects.update_or_create(
        sales_channel=channel,
        defaults={"digest": digest_of(secret), "made_by": actor[:100], "made_at": clock.now(), "used_at": None},
    )
    return secret


def close_door(channel: SalesChannel) -> bool:
    """Let nobody in any more; whether there was a door."""
    return MailDoor.objects.filter(sales_channel=channel).delete()[0] > 0


def channel_of(secret: str) -> SalesChannel | None:
    """The channel whose door this secret opens, None for nobody's. It is found by its digest: how long that takes says
    nothing of the secret."""
    if not WRITTEN.fullmatch(secret):
        return None
    door = MailDoor.objects.select_related("sales_channel").filter(digest=digest_of(secret)).first()
    if door is None:
        return None
    now = clock.now()
    unnoted = Q(used_at=None) | Q(used_at__lt=now - USE_NOTED_EVERY)
    with failpoints.around("mailed.note_use"):
        MailDoor.objects.filter(unnoted, pk=door.pk).update(used_at=now)
    return door.sales_channel


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
