"""Endpoints: opened with a secret that is shown once, switched on and off, sent to again by hand."""

from __future__ import annotations

import base64
import secrets as chance
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from finalmarket.integrations.models import OutgoingDelivery, WebhookEndpoint
from finalmarket.integrations.outgoing.announce import TOPICS
from finalmarket.integrations.outgoing.guard import check_url
from finalmarket.kernel import clock, secrets
from finalmarket.kernel.errors import UserError

SECRET_BYTES = 32
BOTH_HOLD = timedelta(days=2)
HARDLY_KNOWN = timedelta(minutes=10)
"""A secret that is no older is in no receiver's settings yet: it was made by a second click, or its answer was lost."""


def check_topics(topics: Sequence[str]) -> None:
    """Raise UserError for a topic that never comes."""
    known = {*TOPICS, "*", *(f"{topic.partition('.')[0]}.*" for topic in TOPICS)}
    unknown = [topic for topic in topics if topic not in known]
    if unknown or not topics:
        raise UserError(
            f"choose topics among {', '.join(sorted(known))}" + (f", not {unknown[0]!r}" if unknown else "")
        )


@transaction.atomic
def open_endpoint(url: str, topics: Sequence[str], *, description: str = "") -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; return it and its secret, which is never shown again. Raises UserError."""
    check_url(url)
    check_topics(topics)
    secret = _new_secret()
    endpoint = WebhookEndpoint.objects.create(
        url=url, topics=list(topics), description=description, secret=secrets.encrypt(secret).encode()
    )
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    endpoint: WebhookEndpoint, *, url: str | None = None, topics: Sequence[str] | None = None,
    description: str | None = None,
) -> None:  # fmt: skip
    """Let an endpoint hear elsewhere, or of something else; what waits goes to where it hears then. Raises UserError as
    `open_endpoint` does."""
    if url is not None:
        check_url(url)
        endpoint.url = url
    if topics is not None:
        check_topics(topics)
        endpoint.topics = list(topics)
    if description is not None:
        endpoint.description = description
    endpoint.save(update_fields=["url", "topics", "description"])


def switch_off(endpoint: WebhookEndpoint, reason: str) -> None:
    """Let an endpoint hear nothing until it is switched on; what is under way to it waits."""
    endpoint.is_active, endpoint.disabled_reason = False, reason[:300]
    endpoint.save(update_fields=["is_active", "disabled_reason"])


@transaction.atomic
def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a new secret and return it; for two days deliveries are signed with both.

    Where the present secret is some minutes old only, the one before it stays beside the new one: it is what the
    receiver knows.
    """
    endpoint.refresh_from_db(from_queryset=WebhookEndpoint.objects.select_for_update())
    until = clock.now() + BOTH_HOLD
    if endpoint.previous_until is None or endpoint.previous_until < until - HARDLY_KNOWN:
        endpoint.previous_secret = endpoint.secret
    endpoint.previous_until = until
    secret = _new_secret()
    endpoint.secret = secrets.encrypt(secret).encode()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return secret


@transaction.atomic
def switch_on(endpoint: WebhookEndpoint) -> int:
    """Let an endpoint hear again; what it missed is sent from now on. Returns how many tellings wait."""
    endpoint.is_active, endpoint.disabled_reason, endpoint.failing_since = True, "", None
    endpoint.save(update_fields=["is_active", "disabled_reason", "failing_since"])
    return OutgoingDelivery.objects.filter(endpoint=endpoint, state=OutgoingDelivery.State.WAITING).update(
        next_try_at=clock.now()
    )


def send_again(deliveries: Sequence[int]) -> int:
    """Let these tellings be sent anew, delivered or not, under the same message ids; return how many."""
    return OutgoingDelivery.objects.filter(pk__in=deliveries).update(
        state=OutgoingDelivery.State.WAITING, attempts=0, next_try_at=clock.now(), last_error=""
    )


def secrets_in_force(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that a delivery is signed with, the present one first."""
    found = [secrets.decrypt(bytes(endpoint.secret).decode())]
    if endpoint.previous_secret and endpoint.previous_until and clock.now() < endpoint.previous_until:
        found.append(secrets.decrypt(bytes(endpoint.previous_secret).decode()))
    return found


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(chance.token_bytes(SECRET_BYTES)).decode()
