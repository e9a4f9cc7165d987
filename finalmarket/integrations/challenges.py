"""Before a platform sends webhooks it may ask, by a GET at the address, whether the address is ours."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import structlog

from finalmarket.connectors.contract import ReceivesWebhooks
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.models import ChannelIntegration

Status = ChannelIntegration.Status


def answer(token: str, url: str, query: Mapping[str, str]) -> tuple[str, str] | None:
    """The content type and text of the answer; None for a token of nobody, and for what no platform asks."""
    closed = [Status.NEW, Status.DISCONNECTED]
    integration = ChannelIntegration.objects.filter(webhook_token=token).exclude(status__in=closed).first()
    if integration is None or not token:
        return None
    with closing(open_connector(integration)) as there:
        if not isinstance(there, ReceivesWebhooks):
            return None
        try:
            return there.answer_challenge(url, query)
        except Exception as error:  # whoever asks learns nothing
            structlog.get_logger(__name__).warning("challenge not answered", kind=type(error).__name__)
            return None
