"""Books from the console: what accounts that keep books have yet to be told, and sending the past."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest

from finalmarket.integrations import duties
from finalmarket.integrations.books import finding
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.kernel.plural import plural

WAITING_SQL = """
    SELECT (SELECT count(*) FROM due_records WHERE integration_id = %(account)s AND version > settled_version),
           (SELECT count(*) FROM due_events WHERE integration_id = %(account)s AND state IN ('due', 'doubtful'))"""


def books_of(account: ChannelIntegration) -> dict[str, Any] | None:
    """What the account keeps of which there is a past to be sent, and how much waits to be told; None for one that
    keeps no books. One query."""
    kept = [duties.DUTIES[name] for name in finding.RECORDS if duties.does(account, name)]
    hears = any(duties.does(account, name) for name in ("movements", "events"))
    if not kept and not hears:
        return None
    with connection.cursor() as cursor:
        cursor.execute(WAITING_SQL, {"account": account.pk})
        records, events = cursor.fetchone()
    return {"kept": [(duty.name, duty.label) for duty in kept], "records": records, "events": events}


def send_past(request: HttpRequest, account: ChannelIntegration) -> str:
    """Have what is there told to the account: all of it, or from a day on."""
    day = request.POST.get("since", "").strip()
    try:
        since = datetime.combine(date.fromisoformat(day), time(), UTC) if day else None
    except ValueError as error:
        raise ValidationError(f"{day[:40]} is no date; write it as {clock.now():%Y-%m-%d}.") from error
    count = finding.send_what_is_there(account, request.POST.get("duty", ""), since)
    later = "" if account.push_from else " It is told nothing before you start telling."
    return f"{plural(count, 'record')} that {account} did not know will be told, beside what happens now.{later}"
