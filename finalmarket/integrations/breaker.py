"""The circuit breaker of an account: a platform that fails again and again is left alone for a while.

After three failures in a row the breaker opens, for longer with every further one, with jitter, so that workers do not
come back all at once; a platform that says how long to wait is obeyed to the second. When the time is over, exactly one
caller may try: if it succeeds the breaker closes.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.connectors.errors import NOT_ASKED, ONE_RECORD, ConnectorError, NeedsAttention, RetryLater
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.connect import need_attention
from finalmarket.integrations.models import ChannelIntegration, IntegrationHealth
from finalmarket.kernel import clock, failpoints, randomness
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("breaker.sql"))
FAILURES_TO_OPEN = 3
FIRST_SECONDS = 2.0
MOST_SECONDS = 300.0
PROBE_SECONDS = 60.0
"""So long a caller has to find out whether the platform is back; one that was killed meanwhile is replaced then."""


def may_call(integration_id: int) -> bool:
    """Whether the platform may be called now. Where the breaker was open and its time is over, the first who asks may,
    and the others wait for what comes of it."""
    values = {"integration": integration_id, "now": clock.held(), "probe": PROBE_SECONDS}
    with failpoints.around("breaker.ask"), connection.cursor() as cursor:
        cursor.execute(QUERIES["may_call"], values)
        (may,) = cursor.fetchone()
    return bool(may)


def open_until(integration_id: int) -> datetime | None:
    """Until when the platform is left alone; None where it is not. Asked without taking the one try that a half-open
    breaker grants."""
    rows = IntegrationHealth.objects.filter(integration=integration_id, breaker_open_until__gt=clock.now())
    found: datetime | None = rows.values_list("breaker_open_until", flat=True).first()
    return found


def note_success(integration_id: int, *, stream: str = "") -> None:
    """The platform answered: the breaker closes. `stream` "push" or "pull" is remembered as the last good one."""
    _write("worked", integration_id, is_push=stream == "push", is_pull=stream == "pull")


def note_failure(integration: ChannelIntegration, error: ConnectorError) -> bool:
    """A call failed for reasons that are not one record's. Returns whether the account now needs a person.

    NeedsAttention is confirmed by asking the platform anew whether it lets us in: one spurious 401 pauses no merchant,
    it counts like any failure of the platform.
    """
    if error.code == NOT_ASKED:
        return False
    if error.code == ONE_RECORD:
        note_success(integration.pk)
        return False
    if isinstance(error, NeedsAttention):
        reason = _refusal(integration)
        if reason:
            need_attention(integration, reason)
            return True
    _note(integration.pk, str(error), error.retry_after if isinstance(error, RetryLater) else None)
    return False


def note_fault(integration_id: int, error: Exception) -> None:
    """Something went wrong on our own side: it counts like a failure, so that what fails at every try is tried less
    and less often instead of at once."""
    _note(integration_id, f"our own fault: {type(error).__name__}: {error}", None)


def _note(integration_id: int, reason: str, retry_after: float | None) -> None:
    _write(
        "failed", integration_id, reason=reason[:500], retry_after=retry_after, counts=retry_after is None,
        to_open=FAILURES_TO_OPEN, first=FIRST_SECONDS, most=MOST_SECONDS, jitter=randomness.source().uniform(0.5, 1.0),
    )  # fmt: skip


def _refusal(integration: ChannelIntegration) -> str:
    """Why the platform does not let us in, with the newest secrets; "" when it does, or when it cannot be asked."""
    try:
        connector = open_connector(integration)
    except UserError as error:
        return str(error)
    try:
        connector.check()
    except NeedsAttention as error:
        return error.reason
    except ConnectorError:
        return ""
    finally:
        connector.close()
    return ""


def _write(query: str, integration_id: int, **values: Any) -> None:
    """Run an update of the account's health; its row is made the first time."""
    given = {"integration": integration_id, "now": clock.held(), **values}
    with failpoints.around("breaker.note"), connection.cursor() as cursor:
        cursor.execute(QUERIES[query], given)
        if cursor.rowcount:
            return
        with transaction.atomic():
            row = IntegrationHealth(integration_id=integration_id)
            IntegrationHealth.objects.bulk_create([row], ignore_conflicts=True)
            cursor.execute(QUERIES[query], given)
