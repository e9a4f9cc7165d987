"""Finding what people have yet to be told: by looking at orders, parcels and wishes, each once whoever looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from finalmarket.integrations import duties
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.integrations.talk import tickets, wishes
from finalmarket.integrations.talk.kinds import MAILS
from finalmarket.integrations.talk.questions import QUERIES
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock, failpoints

ASKED = {
    DueNotice.Kind.CONFIRMATION: "find_confirmations", DueNotice.Kind.DISPATCH: "find_dispatches",
    DueNotice.Kind.BACK_IN_STOCK: "find_back_in_stock",
}  # fmt: skip
MOST_AT_ONCE = 5_000
LOCK = "talk.find"
Status = ChannelIntegration.Status
KNOWN = (Status.ACTIVE, Status.PAUSED, Status.NEEDS_ATTENTION)


def find(within: timedelta) -> int:
    """Find the mails of what happened within that time, and the tickets whose orders changed; return how many."""
    accounts = list(ChannelIntegration.objects.filter(status__in=KNOWN).order_by("pk"))
    since = clock.now() - within
    found = _find_mails(since) if any(_since_when(one) for one in accounts) else 0
    desks = [one.pk for one in accounts if duties.does(one, tickets.DUTY)]
    return found + (tickets.find_changed(desks, since) if desks else 0)


def look_at_wishes() -> int:
    """Look whether wished goods can be bought, if anybody is to be told; return how many pairs of variant and channel
    were looked at."""
    accounts = ChannelIntegration.objects.filter(status__in=KNOWN).order_by("pk")
    begun = [_since_when(one).get(DueNotice.Kind.BACK_IN_STOCK) for one in accounts]
    moments = [moment for moment in begun if moment is not None]
    return wishes.look(min(moments)) if moments else 0


def _since_when(integration: ChannelIntegration) -> dict[str, datetime]:
    """The mails that are an account's duty, and since when."""
    moments = {
        str(kind): duties.since(integration, mail.duty) for kind, mail in MAILS.items()
        if duties.does(integration, mail.duty)
    }  # fmt: skip
    return {kind: moment for kind, moment in moments.items() if moment is not None}


def _find_mails(since: datetime) -> int:
    """One at a time: two who look at different accounts would write to the same person twice."""
    with failpoints.around("talk.find"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [LOCK])
        everybody = {one.pk: one for one in ChannelIntegration.objects.all()}
        active = {pk: _since_when(one) for pk, one in everybody.items() if one.status in KNOWN}
        rows = [
            DueNotice(
                integration=everybody[account], kind=kind, local_id=local_id,
                key=key_of(everybody[account], kind, local_id), next_try_at=clock.now(), found_at=clock.now(),
                verified_at=clock.now(),  # no platform shows a mail that was sent
            )
            for kind in ASKED
            for local_id, account in _ask(cursor, kind, active, list(everybody), since)
        ]  # fmt: skip
        DueNotice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _ask(
    cursor: Any, kind: str, active: dict[int, dict[str, datetime]], everybody: list[int], since: datetime
) -> list[tuple[int, int]]:
    having = {pk: moments[kind] for pk, moments in active.items() if kind in moments}
    if not having:
        return []
    cursor.execute(
        QUERIES[ASKED[DueNotice.Kind(kind)]],
        {
            "accounts": list(having), "moments": list(having.values()), "every": everybody, "since": since,
            "most": MOST_AT_ONCE,
        },
    )  # fmt: skip
    return [(int(local_id), int(account)) for local_id, account in cursor.fetchall()]
