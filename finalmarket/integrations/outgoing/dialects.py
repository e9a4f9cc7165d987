"""In whose words an endpoint is told, and how that is signed.

Ours by the Standard Webhooks rules (https://github.com/standard-webhooks/standard-webhooks: headers webhook-id,
webhook-timestamp, webhook-signature; two signatures while a secret is replaced). Shopping agents hear of whole orders
in the words of their protocol, signed with `Merchant-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA256 over the seconds, a
full stop and the body.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from standardwebhooks import Webhook

from finalmarket.integrations.agents.order_words import event_of
from finalmarket.integrations.models import OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing.endpoints import secrets_in_force

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent."""

    body: str
    headers: Mapping[str, str]


def written(endpoint: WebhookEndpoint, event: OutgoingEvent, at: datetime) -> Letter | None:
    """Write what an endpoint is told of an event; None where its dialect has nothing to say of it."""
    return DIALECTS[endpoint.dialect](endpoint, event, at)


def message_id(event_id: int) -> str:
    """The name under which receivers know an event: the same for every try."""
    return f"evt_{event_id}"


def signed(endpoint: WebhookEndpoint, event_id: int, body: str, at: datetime) -> dict[str, str]:
    """The headers of a delivery in our own words; two signatures while a secret is replaced."""
    name = message_id(event_id)
    signatures = [Webhook(secret).sign(name, at, body) for secret in secrets_in_force(endpoint)]
    return {
        "content-type": JSON,
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _ours(endpoint: WebhookEndpoint, event: OutgoingEvent, at: datetime) -> Letter:
    body = json.dumps({"type": event.topic, "timestamp": event.at.isoformat(), "data": event.data}, ensure_ascii=False)
    return Letter(body, signed(endpoint, event.pk, body, at))


def _agents(endpoint: WebhookEndpoint, event: OutgoingEvent, at: datetime) -> Letter | None:
    told = event_of(event.topic, event.subject_id)
    if told is None:
        return None
    body = json.dumps(told, ensure_ascii=False)
    return Letter(
        body,
        {
            "content-type": JSON, "Merchant-Signature": merchant_signature(secrets_in_force(endpoint)[0], body, at),
            "Request-Id": message_id(event.pk), "Timestamp": at.isoformat(timespec="seconds"),
        },
    )  # fmt: skip


def merchant_signature(secret: str, body: str, at: datetime) -> str:
    """Sign what an agent is told."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={hmac.new(secret.encode(), f'{seconds}.{body}'.encode(), 'sha256').hexdigest()}"


DIALECTS: Mapping[str, Callable[[WebhookEndpoint, OutgoingEvent, datetime], Letter | None]] = {
    WebhookEndpoint.Dialect.OURS: _ours, WebhookEndpoint.Dialect.AGENT: _agents,
}  # fmt: skip
