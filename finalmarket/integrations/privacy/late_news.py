"""Webhooks that come after somebody was erased: worked on like all others, and then nothing of the person is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus

from finalmarket.customers import erased
from finalmarket.integrations.models import ChannelIntegration, WebhookDelivery

BETWEEN = re.compile(r"[\s<>\"'&=;,{}\[\]]+")
OUTCOME = "of somebody who was erased"


def keep_nothing_of_the_erased(integration: ChannelIntegration, handled: Sequence[WebhookDelivery]) -> None:
    """Empty those of the handled deliveries that name somebody who was erased."""
    if not handled or not erased.is_anybody():
        return
    country = integration.sales_channel.country if integration.sales_channel else ""
    named = [
        row.pk
        for row in handled
        if erased.names_one(said(bytes(row.body)), integration_id=integration.pk, country=country)
    ]
    if named:
        WebhookDelivery.objects.filter(pk__in=named).update(body=b"", headers={}, url="", outcome=OUTCOME)


def said(body: bytes) -> Any:
    """What a body says, for its words to be looked at: JSON as such, of all else the pieces between the marks."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        plain = unquote_plus(text)
        return [plain, *BETWEEN.split(plain)]
