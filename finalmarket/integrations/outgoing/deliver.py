"""Sending: in the words and with the signature of the endpoint's dialect (dialects.py), tried again with ever longer
pauses; 410 switches an endpoint off.

Each endpoint is on its own, and one worker at a time tells it: one that does not answer costs one time-out and is left
alone until it is woken again, so that it never takes the workers away from the others.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx2
import structlog
from django.db import transaction
from django.db.models import QuerySet

from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import OutgoingDelivery, WebhookEndpoint
from finalmarket.integrations.outgoing.dialects import message_id as message_id
from finalmarket.integrations.outgoing.dialects import written
from finalmarket.integrations.outgoing.guard import GuardedTransport, check_url
from finalmarket.kernel import clock, failpoints, randomness
from finalmarket.kernel.errors import UserError

PAUSES = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000))
PATIENCE = timedelta(days=3)
LANE = "outgoing.deliver"
LEASE = timedelta(minutes=2)
MOST_SECONDS = 60.0  # of one batch; after it others have their turn, long before the lease ends
TIMEOUT = httpx2.Timeout(connect=5.0, read=15.0, write=10.0, pool=5.0)
MOST_AT_ONCE = 50
MOST_REDIRECTS = 3
REDIRECTS = (307, 308)  # the only ones that keep method and body
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What an endpoint said: its status (None: it was not reached), and the error in words ("" for success)."""

    status: int | None
    error: str


def deliver(endpoint_id: int, *, transport: httpx2.BaseTransport | None = None) -> int:
    """Send what is due to one endpoint, oldest first; return how many tellings were taken: 0 at once where another
    worker is at it."""
    with lane(endpoint_id, LANE) as held:
        endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).first() if held else None
        return _deliver(endpoint, transport) if endpoint else 0


def _deliver(endpoint: WebhookEndpoint, transport: httpx2.BaseTransport | None) -> int:
    due, taken, until = _claim(endpoint), 0, clock.ticks() + MOST_SECONDS
    guarded = transport or GuardedTransport(httpx2.HTTPTransport(verify=_trusted()))
    with httpx2.Client(transport=guarded, timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client:
        for place, delivery in enumerate(due, start=1):
            told = _send(client, endpoint, delivery)
            taken += _settle(endpoint, delivery, told)
            is_silent = bool(told.error) and told.status is None
            if is_silent or not endpoint.is_active or clock.ticks() >= until:
                _give_back(due[place:])
                break
    return taken


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that we trust, read once for the whole process: it takes longer than most deliveries."""
    return httpx2.create_ssl_context()


@failpoints.around("outgoing.claim")
@transaction.atomic
def _claim(endpoint: WebhookEndpoint) -> list[OutgoingDelivery]:
    """Take what is due; until the lease ends nobody else takes it, and then, if we died, somebody does."""
    moment = clock.now()
    due = list(
        OutgoingDelivery.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(endpoint=endpoint, state=OutgoingDelivery.State.WAITING, next_try_at__lte=moment)
        .select_related("event")
        .order_by("next_try_at", "id")[:MOST_AT_ONCE]
    )
    for delivery in due:
        delivery.next_try_at = moment + LEASE
    OutgoingDelivery.objects.filter(pk__in=[delivery.pk for delivery in due]).update(next_try_at=moment + LEASE)
    return due


@failpoints.around("outgoing.give_back")
def _give_back(deliveries: Sequence[OutgoingDelivery]) -> None:
    """Let these be due again now; whoever took them up after our lease keeps them."""
    OutgoingDelivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries],
        state=OutgoingDelivery.State.WAITING,
        next_try_at__in={delivery.next_try_at for delivery in deliveries},
    ).update(next_try_at=clock.now())


def _as_taken(delivery: OutgoingDelivery) -> QuerySet[OutgoingDelivery]:
    """The telling, unless somebody else, who took it up after our lease, has settled it."""
    waiting = OutgoingDelivery.State.WAITING
    return OutgoingDelivery.objects.filter(pk=delivery.pk, state=waiting, attempts=delivery.attempts)


def _send(client: httpx2.Client, endpoint: WebhookEndpoint, delivery: OutgoingDelivery) -> Told:
    letter = written(endpoint, delivery.event, clock.now())
    if letter is None:
        return Told(None, "")  # there is nothing to tell in these words
    url = endpoint.url
    try:
        for _ in range(MOST_REDIRECTS + 1):
            with (
                failpoints.around("outgoing.send"),
                client.stream("POST", url, content=letter.body.encode(), headers=letter.headers) as answer,
            ):
                if answer.status_code not in REDIRECTS:
                    return Told(answer.status_code, "" if answer.is_success else f"answered {answer.status_code}")
                url = _redirected(url, answer.headers.get("location", ""))
        return Told(None, f"redirected more than {MOST_REDIRECTS} times")
    except UserError as error:
        return Told(None, str(error))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Told(None, f"{type(error).__name__}: {error}")


def _redirected(url: str, location: str) -> str:
    """Where an endpoint sends us on to. Raises UserError for what could not be entered either, and for plain HTTP in
    the place of TLS."""
    there = str(httpx2.URL(url).join(location))
    check_url(there)
    if url.startswith("https:") and not there.startswith("https:"):
        raise UserError("it redirects from https to http")
    return there


@failpoints.around("outgoing.settle")
@transaction.atomic
def _settle(endpoint: WebhookEndpoint, delivery: OutgoingDelivery, told: Told) -> bool:
    """Write down what became of a telling; return whether it was taken."""
    attempts, moment = delivery.attempts + 1, clock.now()
    facts: dict[str, Any] = {"attempts": attempts, "last_status": told.status, "last_error": told.error[:300]}
    if not told.error:
        facts |= {"state": OutgoingDelivery.State.DELIVERED, "delivered_at": moment}
    elif attempts > len(PAUSES):
        facts["state"] = OutgoingDelivery.State.FAILED
    else:
        facts["next_try_at"] = moment + PAUSES[attempts - 1] * randomness.source().uniform(0.9, 1.2)
    _as_taken(delivery).update(**facts)
    if told.error:
        _look_after(endpoint, told, moment)
    else:
        _note(endpoint, failing_since=None)
    return not told.error


def _look_after(endpoint: WebhookEndpoint, told: Told, moment: datetime) -> None:
    """Switch an endpoint off that says it is gone, or has failed for days without a single success."""
    since = endpoint.failing_since or moment
    if told.status == 410:
        _switch_off(endpoint, "it answered 410 Gone")
    elif moment - since >= PATIENCE:
        _switch_off(endpoint, f"it failed for {PATIENCE.days} days, at last: {told.error}")
    elif endpoint.failing_since is None:
        _note(endpoint, failing_since=moment)


def _switch_off(endpoint: WebhookEndpoint, reason: str) -> None:
    log.warning("a webhook endpoint was switched off", endpoint=endpoint.pk, reason=reason)
    _note(endpoint, is_active=False, disabled_reason=reason[:300])


def _note(endpoint: WebhookEndpoint, **facts: Any) -> None:
    if any(getattr(endpoint, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(facts))
