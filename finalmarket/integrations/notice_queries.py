"""The questions of `notices.sql` by their names, and the marks of what a platform told us itself."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from django.db import connection

from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.kernel import clock
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("notices.sql"))
HEARD = "heard"
Happening = tuple[str, int, str]
"""A kind, the id of our record of it, and its key where it has one."""


def happened(order_id: int | None) -> Set[Happening]:
    """What has happened to an order up to now that a platform might be told of; nothing for None."""
    if order_id is None:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["happened"], {"order": order_id})
        return frozenset((str(kind), int(local_id), str(key)) for kind, local_id, key in cursor.fetchall())


def hear(integration: ChannelIntegration, order_id: int, before: Set[Happening]) -> None:
    """Mark what has happened to the order since `before` as news that came from the platform itself: it is not told
    again. To be called in the transaction that took the news, with the order's row locked."""
    news = sorted(happened(order_id) - before)
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
