"""The questions of `notices.sql` by their names, and the marks of what a platform told us itself, or did not take."""

from __future__ import annotations

from collections.abc import Collection, Set
from pathlib import Path

from django.db import connection
from django.db.models import F

from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.kernel import clock
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("notices.sql"))
HEARD = "heard"
Happening = tuple[str, int, str]
"""A kind, the id of our record of it, and its key where it has one."""


def happened(order_ids: Collection[int]) -> Set[Happening]:
    """What has happened to these orders up to now that a platform might be told of."""
    if not order_ids:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["happened"], {"orders": list(order_ids)})
        return frozenset((str(kind), int(local_id), str(key)) for kind, local_id, key in cursor.fetchall())


def hear(integration: ChannelIntegration, order_ids: Collection[int], before: Set[Happening]) -> None:
    """Mark what has happened to these orders since `before` as news that came from the platform itself: it is not told
    again. To be called in the transaction that took the news, with the rows of the orders locked."""
    news = sorted(happened(order_ids) - before)
    now = clock.now()
    DueNotice.objects.bulk_create(
        [
            DueNotice(
                integration=integration, kind=kind, local_id=local_id, key=f"{kind}-{local_id}",
                state=DueNotice.State.SENT, external_id=(key.rpartition("/")[0] or HEARD)[:200], sent_at=now,
                verified_at=now,
            )
            for kind, local_id, key in news
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def refuse(integration: ChannelIntegration, row: DueNotice, reason: str) -> None:
    """Set a notice that the platform does not take aside, with its reason. Told again it is told anew: under another
    key, by another id, and looked for again. To be called in a transaction."""
    DueNotice.objects.filter(pk=row.pk).update(
        state=DueNotice.State.REFUSED, last_error=reason[:500], refusals=F("refusals") + 1, external_id="",
        verified_at=None,
    )  # fmt: skip
    payload = {"notice": row.pk, "kind": row.kind, "local_id": row.local_id}
    dead_letters.set_aside(integration, f"notice_{row.kind}", row.key, reason, payload)
