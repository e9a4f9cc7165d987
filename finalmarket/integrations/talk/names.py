"""What things that were said and done are called here: unique over all accounts, and never too long."""

from __future__ import annotations

import hashlib

from finalmarket.integrations.models import ChannelIntegration

MOST_CHARACTERS = 100


def message_id(integration: ChannelIntegration, *parts: str) -> str:
    """The message_id of an interaction: the same whenever the same thing is reported again."""
    name = f"integration:{integration.pk}:{':'.join(parts)}"
    if len(name) <= MOST_CHARACTERS and name.isprintable():
        return name
    digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
    return f"integration:{integration.pk}:#{digest}"


def short(name: str) -> str:
    """An external id that fits its column."""
    if len(name) <= 200 and "\x00" not in name:
        return name
    return f"#{hashlib.sha256(name.encode()).hexdigest()}"
