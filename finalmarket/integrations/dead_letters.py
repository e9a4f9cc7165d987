"""What could not be taken or sent: set aside with its reason, tried again by one command, settled when it succeeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from finalmarket.connectors.errors import ConnectorError
from finalmarket.customers import erased
from finalmarket.integrations.models import ChannelIntegration, DeadLetter
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain, plain_data

MOST_REASON_CHARACTERS = 500
OF_THE_ERASED = "could not be taken; it is of somebody who was erased, so nothing of it is kept"
# What can be tried again, by stream; each raises UserError or ConnectorError when it fails again.
Replay = Callable[[ChannelIntegration, DeadLetter], None]


class NotLookedAt(UserError):
    """The record could not be looked at again, so that nothing new is known of it: its letter keeps its reason."""


@failpoints.around("dead_letters.set_aside")
def set_aside(
    integration: ChannelIntegration, stream: str, external_id: str, reason: str, payload: Mapping[str, Any]
) -> str:
    """Keep a record that could not be taken or sent; return the reason that is kept. While its letter is open, the same
    record has no second one: the newest reason and payload stand, and its attempts are counted.

    `external_id` may be "" where the platform named none; then every failure has a letter of its own. `reason` holds no
    secret (errors of connectors are scrubbed before they get here). Of what somebody who was erased is named in, only
    the platform's name of the record is kept.
    """
    if erased.names_one([external_id, payload], integration_id=integration.pk):
        reason, payload = OF_THE_ERASED, {}
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO dead_letters (integration_id, stream, external_id, reason, payload, attempts, at, settled_by)
               VALUES (%s, %s, %s, %s, %s::jsonb, 1, %s, '')
               ON CONFLICT (integration_id, stream, external_id) WHERE settled_at IS NULL AND NOT (external_id = '')
               DO UPDATE SET reason = excluded.reason, payload = excluded.payload, at = excluded.at,
                             attempts = dead_letters.attempts + 1""",
            [
                integration.pk, stream, plain(external_id, 200),
                plain(reason, MOST_REASON_CHARACTERS) or "no reason was given", json.dumps(plain_data(payload)),
                clock.now(),
            ],
        )  # fmt: skip
    return reason


def settle(integration: ChannelIntegration, stream: str, external_ids: Iterable[str], *, by: str) -> int:
    """Close the open letters of records that have been taken meanwhile; return how many there were."""
    names = [plain(name, 200) for name in external_ids if name]
    if not names:
        return 0
    waiting = DeadLetter.objects.filter(
        integration=integration, stream=stream, external_id__in=names, settled_at=None
    ).exclude(external_id="")
    return waiting.update(settled_at=clock.now(), settled_by=by[:100])


@failpoints.around("dead_letters.drop")
@transaction.atomic
def drop(letter_id: int, *, actor: str) -> DeadLetter:
    """Close a letter without trying again: a person has dealt with it. One that is closed is returned as it is."""
    letter = _locked(letter_id)
    if letter.settled_at is None:
        letter.settled_at, letter.settled_by = clock.now(), actor[:100]
        letter.save(update_fields=["settled_at", "settled_by"])
    return letter


def replay(letter_id: int, *, actor: str) -> DeadLetter:
    """Try a letter's record again, as the platform holds it now, and close the letter when it is taken.

    A letter that is closed is returned as it is. Raises UserError when it fails again (the letter then has the newest
    reason, unless the platform could not be asked), and for a stream of which nothing can be tried again.
    """
    from finalmarket.integrations.streams import replays

    letter = DeadLetter.objects.select_related("integration").filter(pk=letter_id).first()
    if letter is None:
        raise UserError(f"there is no dead letter with number {letter_id}")
    if letter.settled_at is not None:
        return letter
    again = replays().get(letter.stream)
    if again is None:
        raise UserError(f"letter {letter_id} cannot be tried again by itself; settle it when you have dealt with it")
    try:
        again(letter.integration, letter)
    except (ConnectorError, UserError) as error:
        with failpoints.around("dead_letters.keep"):
            is_news = not isinstance(error, ConnectorError | NotLookedAt)
            reason = plain(str(error), MOST_REASON_CHARACTERS) if is_news else letter.reason
            DeadLetter.objects.filter(pk=letter.pk).update(reason=reason, attempts=letter.attempts + 1, at=clock.now())
        raise UserError(f"letter {letter_id} failed again: {error}") from error
    letter.settled_at, letter.settled_by = clock.now(), actor[:100]
    with failpoints.around("dead_letters.settle"):
        letter.save(update_fields=["settled_at", "settled_by"])
    return letter


def open_letters(integration_id: int | None = None) -> list[int]:
    """The numbers of all letters that wait, the oldest first; of one account if it is named."""
    waiting = DeadLetter.objects.filter(settled_at=None)
    if integration_id is not None:
        waiting = waiting.filter(integration=integration_id)
    return list(waiting.order_by("id").values_list("pk", flat=True))


def _locked(letter_id: int) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().filter(pk=letter_id).first()
    if letter is None:
        raise UserError(f"there is no dead letter with number {letter_id}")
    return letter
