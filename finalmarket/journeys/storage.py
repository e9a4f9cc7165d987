"""How interactions lie: in partitions by month, each message once.

The table `interaction_keys` decides, inside the writer's transaction and without a limit in time, whether a message
was told before: a row for each message of a channel, in sixteen partitions by hash, with the interaction that it made
(none, for what is no interaction). Of the id of the message its digest is kept: 16 bytes, where ids of clients take 36
to 100.

Every writer goes this way: the batches of the ingest (journeys/ingest.py), and rows that are saved or created one by
one or in bulk, which claim their keys and mark whose journeys are to be told anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, models, transaction

from finalmarket.journeys import marks, message_digest
from finalmarket.kernel import clock

if TYPE_CHECKING:
    from finalmarket.journeys.models import ChannelInteraction

MONTHS_AHEAD = 2
MONTHS = "SELECT interactions_months(%s::timestamptz[])"
# Numbers follow the order of the rows; keys are claimed in one order everywhere, so that two writers of the same
# messages never wait in a circle.
CLAIM = """
INSERT INTO interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at)
SELECT channel, digest, number, at FROM (
    SELECT told.channel, told.digest, nextval('interaction_ids') AS number, told.at
    FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) AS told(channel, digest, at)
) numbered
ORDER BY channel, digest
ON CONFLICT DO NOTHING
RETURNING sales_channel_id, message_digest, interaction_id
"""
TOLD = """
SELECT sales_channel_id, message_digest, interaction_id, occurred_at FROM interaction_keys
WHERE sales_channel_id = ANY (%s::bigint[]) AND message_digest = ANY (%s::uuid[])
"""


def digest(message_id: str) -> uuid.UUID:
    """By what the table of keys knows a message."""
    return uuid.UUID(bytes=message_digest.digest(message_id.encode()))


def make_months(moments: Iterable[datetime]) -> None:
    """Have a partition for each of these moments, within the caller's transaction. Readers and writers of other months
    go on meanwhile. Raises DataError for a year before 1990 or after 2100."""
    with connection.cursor() as cursor:
        cursor.execute(MONTHS, [list(set(moments))])


def make_months_ahead() -> None:
    """Have partitions for this month and the next two, so that no writer has to make one."""
    now = clock.now().astimezone(UTC)
    months = [now.year * 12 + now.month - 1 + ahead for ahead in range(MONTHS_AHEAD + 1)]
    make_months(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months)


def claim(rows: Sequence[ChannelInteraction]) -> list[ChannelInteraction]:
    """Claim the message ids of these rows within the caller's transaction, and have their months; return those that
    are new, each with its number. A row without a message id is always new."""
    named = [row for row in rows if row.message_id]
    numbers: dict[tuple[int, uuid.UUID], int] = {}
    make_months(row.occurred_at for row in rows)
    if named:
        with connection.cursor() as cursor:
            channels, digests = [row.sales_channel_id for row in named], [digest(row.message_id) for row in named]
            cursor.execute(CLAIM, [channels, digests, [row.occurred_at for row in named]])
            numbers = {(channel, found): number for channel, found, number in cursor.fetchall()}
    new = []
    for row in rows:
        number = numbers.pop((row.sales_channel_id, digest(row.message_id)), None)
        if number is not None:
            row.pk = number
        if number is not None or not row.message_id:
            new.append(row)
    return new


def told(channels: Collection[int], messages: Collection[str]) -> dict[tuple[int, str], tuple[int | None, datetime]]:
    """Which of these messages came before on these channels, with the number and the moment of the interaction that
    each made (no number: it was none of the sixteen)."""
    if not channels or not messages:
        return {}
    by_digest = {digest(message): message for message in messages}
    with connection.cursor() as cursor:
        cursor.execute(TOLD, [list(channels), list(by_digest)])
        return {(channel, by_digest[found]): (number, at) for channel, found, number, at in cursor.fetchall()}


class InteractionRows(models.QuerySet["ChannelInteraction"]):
    """Interactions as a set; what is written to it goes the way of all interactions."""

    def bulk_create(  # type: ignore[override]  # Django's own has arguments that make no sense here
        self,
        objs: Iterable[ChannelInteraction],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        **others: Any,
    ) -> list[ChannelInteraction]:
        """Store them in few statements. Those whose message was told before are left out with `ignore_conflicts`,
        else none is stored and IntegrityError is raised."""
        rows = list(objs)
        with transaction.atomic():
            new = claim(rows)
            if len(new) < len(rows) and not ignore_conflicts:
                raise IntegrityError("interaction_keys: a message of these was told before on its channel")
            super().bulk_create(new, batch_size=batch_size, **others)
            marks.mark((row.customer_id, row.occurred_at) for row in new)
        return rows


class StoredOnce(models.Model):
    """What an interaction does when it is saved for the first time."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **named: Any) -> None:
        """Store the row; a new one claims its message and marks whose journey it belongs to. Raises IntegrityError
        when its message was told before."""
        row: Any = self
        if not row._state.adding:
            super().save(*args, **named)
            return
        with transaction.atomic():
            if not claim([row]):
                raise IntegrityError(f"interaction_keys: {row.message_id} was told before on this channel")
            super().save(*args, **{**named, "force_insert": True})
            marks.mark([(row.customer_id, row.occurred_at)])
