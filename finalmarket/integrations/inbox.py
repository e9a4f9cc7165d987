"""Webhooks: proved, stored raw, answered; then worked on. They are hints: what counts is what the platform says when it
is asked, so a delivery may come any number of times and in any order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import F, Q

from finalmarket.connectors.contract import Connector, ReceivesWebhooks
from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.http import scrubber
from finalmarket.connectors.records import Delivery, Event
from finalmarket.integrations.accounts import Encrypted, connector_class, open_connector
from finalmarket.integrations.models import ChannelIntegration, IntegrationHealth, WebhookDelivery
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.jobs import enqueue
from finalmarket.kernel.sql import Queries
from finalmarket.orders.drafts import plain

QUERIES = Queries(Path(__file__).with_name("inbox.sql"))
TAKEN, REFUSED, UNKNOWN = 200, 401, 404
MOST_BYTES = 2 * 1024 * 1024
MOST_AT_ONCE = 200
LEASE = timedelta(minutes=2)
KEPT_DAYS = 30
WAITS = "waits until the account works again"
NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization"})
Status = ChannelIntegration.Status


def receive(token: str, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Take a webhook in; return the HTTP status to answer.

    404 for a token of nobody, 401 for a delivery that is not proved to come from the platform (of it nothing is kept
    but that it came), 200 for everything else: stored once, worked on by a worker. What the platform asks before it
    can prove anything is shown to people, and nothing comes of it.
    """
    found = _addressee(token)
    if found is None:
        return UNKNOWN
    integration, encrypted = found
    delivery = Delivery(url, headers, body, clock.now())
    with closing(open_connector(integration, encrypted=encrypted)) as there:
        question = _question(there, delivery)
        if question:
            _show_question(integration, question)
            return TAKEN
        refused = _refusal(there, delivery)
        if refused:
            _count_refused(integration, refused)
            return REFUSED
        event_id, topic = _identity(there, delivery)
        kept = _without_secrets(there, headers)
    _store(integration, event_id, topic, delivery, kept)
    return TAKEN


def _addressee(token: str) -> tuple[ChannelIntegration, Mapping[str, Encrypted]] | None:
    """The account behind a door, as far as proving needs it, and its secrets; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["addressee"], {"token": token, "closed": [Status.NEW, Status.DISCONNECTED]})
        row = cursor.fetchone()
    if row is None:
        return None
    pk, platform_name, base_url, settings, names, texts = row
    integration = ChannelIntegration(
        pk=pk, platform_name=platform_name, base_url=base_url, settings=json.loads(settings)
    )
    if not issubclass(connector_class(integration), ReceivesWebhooks):
        return None
    return integration, dict(zip(names, texts, strict=True))


def _refusal(there: Any, delivery: Delivery) -> str:
    """Why the delivery is not let in, "" when it is. Whatever goes wrong while it is proved, it stays outside."""
    try:
        there.verify_webhook(delivery)
    except WebhookRefused as error:
        return error.reason
    except Exception as error:  # fails closed
        return f"could not be proved: {type(error).__name__}"
    return ""


def _question(there: Any, delivery: Delivery) -> str:
    """What the platform asks a person before it sends anything that could be proved; "" for all other deliveries."""
    try:
        return str(there.question(delivery))
    except Exception:  # whoever asks learns nothing
        return ""


def _show_question(integration: ChannelIntegration, question: str) -> None:
    """Show it where a person looks when no webhooks come in."""
    with failpoints.around("inbox.show"), transaction.atomic():
        IntegrationHealth.objects.get_or_create(integration=integration)
        IntegrationHealth.objects.filter(integration=integration).update(
            last_refused_webhook_at=clock.now(), last_refused_webhook=plain(question, 200)
        )


def _count_refused(integration: ChannelIntegration, reason: str) -> None:
    with failpoints.around("inbox.refuse"), transaction.atomic():
        IntegrationHealth.objects.get_or_create(integration=integration)
        IntegrationHealth.objects.filter(integration=integration).update(
            refused_webhook_count=F("refused_webhook_count") + 1, last_refused_webhook_at=clock.now(),
            last_refused_webhook=plain(reason, 200),
        )  # fmt: skip
    structlog.get_logger(__name__).warning("webhook refused", integration=integration.pk, reason=reason)


def _identity(there: Any, delivery: Delivery) -> tuple[str, str]:
    """What a delivery is known by, and its topic. One that names no event is known by its own bytes."""
    events = read_events(there, delivery)
    names = [event.event_id for event in events if event.event_id]
    topic = plain(events[0].topic, 100) if events else ""
    name = plain(names[0], 200) if len(names) == 1 else ""
    if not name or name != names[0]:
        parts = "\x00".join(names).encode() if names else delivery.body
        name = f"sha256:{hashlib.sha256(parts).hexdigest()}"
    return name, topic


def read_events(there: Any, delivery: Delivery) -> Sequence[Event]:
    """What a delivery says; nothing where it says what no description knows, which is stored all the same."""
    try:
        return list(there.read_webhook(delivery))
    except Exception as error:  # the unknown is stored, never raised
        structlog.get_logger(__name__).warning("webhook not understood", platform=there.slug, kind=type(error).__name__)
        return []


def _without_secrets(there: Connector, headers: Mapping[str, str]) -> dict[str, str]:
    scrub = scrubber(there.account.secrets.values())
    return {name[:100]: plain(scrub(value), 2000) for name, value in headers.items() if name.lower() not in NEVER_KEPT}


def _store(
    integration: ChannelIntegration, event_id: str, topic: str, delivery: Delivery, headers: Mapping[str, str]
) -> None:
    values: dict[str, Any] = {
        "integration": integration.pk, "event_id": event_id, "topic": topic, "url": plain(delivery.url, 500),
        "headers": json.dumps(dict(headers)), "body": delivery.body, "now": delivery.received_at,
        "lock": _lock(integration.pk),
    }  # fmt: skip
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(QUERIES["store"], values)
            is_new, is_job_waiting = cursor.fetchone()
        if is_new and not is_job_waiting:
            wake(integration.pk)
        failpoints.hit("inbox.before_commit")
    failpoints.hit("inbox.after_commit")


def wake(integration_id: int) -> None:
    """Put off the work on an account's waiting deliveries, unless it waits already."""
    enqueue("integrations.inbox", queueing_lock=_lock(integration_id), integration=integration_id)


def _lock(integration_id: int) -> str:
    return f"integrations.inbox:{integration_id}"


def is_waiting(integration_id: int) -> bool:
    """Whether deliveries of the account can be worked on now."""
    return bool(due().filter(integration=integration_id).exists())


def due() -> Any:
    """Deliveries that can be worked on now, of all accounts."""
    return WebhookDelivery.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=clock.now()), handled_at=None)


def claim(integration_id: int) -> list[WebhookDelivery]:
    """Take waiting deliveries, the oldest first, at most 200: nobody else has them for two minutes."""
    values: dict[str, Any] = {
        "integration": integration_id, "now": clock.now(), "until": clock.now() + LEASE, "most": MOST_AT_ONCE,
    }  # fmt: skip
    return sorted(WebhookDelivery.objects.raw(QUERIES["claim"], values), key=lambda row: row.pk)


def settle(rows: Sequence[WebhookDelivery]) -> None:
    """Write down what became of these deliveries."""
    columns = ("attempts", "next_try_at", "outcome", "handled_at")
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES["settle"],
            {"ids": [row.pk for row in rows], **{name: [getattr(row, name) for row in rows] for name in columns}},
        )


def work(integration_id: int) -> bool:
    """Work on an account's waiting deliveries, at most 200 at once; return whether more may wait.

    Several hints on one record become one question. What fails is tried again later, ever more seconds apart, and set
    aside after twelve tries; while the platform is to be left alone it waits, which is none of them.
    """
    from finalmarket.integrations.hints import act_on

    integration = ChannelIntegration.objects.select_related("sales_channel").get(pk=integration_id)
    if integration.status != Status.ACTIVE:
        _work_on_wishes(integration)
        return False
    with failpoints.around("inbox.claim"):
        claimed = claim(integration_id)
    if not claimed:
        return False
    with closing(open_connector(integration)) as there:
        act_on(integration, there, claimed)
    return len(claimed) == MOST_AT_ONCE


def _work_on_wishes(integration: ChannelIntegration) -> None:
    """Of all that waits for an account that does not work, carry out what people want, 200 deliveries at a time. What
    was found to be none is not looked at again."""
    from finalmarket.integrations.hints import act_on_wishes

    waiting, last = due().filter(integration=integration.pk).exclude(outcome=WAITS), 0
    with closing(open_connector(integration)) as there:
        while True:
            with transaction.atomic():
                step = waiting.filter(pk__gt=last).select_for_update(skip_locked=True).order_by("pk")
                found = list(step[:MOST_AT_ONCE])
                act_on_wishes(integration, there, found)
            failpoints.hit("inbox.after_settle")
            if len(found) < MOST_AT_ONCE:
                return
            last = found[-1].pk


def as_delivery(row: WebhookDelivery) -> Delivery:
    """A stored delivery as it came in."""
    return Delivery(row.url, row.headers, bytes(row.body), row.received_at)


def tidy() -> None:
    """Forget deliveries that were handled more than 30 days ago, at most 10,000 a run."""
    old = WebhookDelivery.objects.filter(
        handled_at__lt=clock.days_ago(KEPT_DAYS), received_at__lt=clock.days_ago(KEPT_DAYS)
    )
    WebhookDelivery.objects.filter(
        pk__in=list(old.order_by("received_at").values_list("pk", flat=True)[:10_000])
    ).delete()
