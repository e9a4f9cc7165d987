"""Recording what many customers did, each with its own outcome, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.journeys import storage
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.journeys.record import facts_of


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a customer did; as `InteractionManager.record` takes it."""

    customer_id: int
    channel: SalesChannel
    interaction_type: str
    occurred_at: datetime | None = None
    message_id: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: stored now, seen before under that message id (with the interaction that it made then), or
    refused, and why."""

    state: Literal["stored", "seen_before", "refused"]
    interaction: int | None = None
    occurred_at: datetime | None = None
    reason: str = ""


@transaction.atomic
def record_many(told: Sequence[Told]) -> list[Outcome]:
    """Store what customers did; return the outcomes in the same order. What is refused spoils nothing else."""
    outcomes: dict[int, Outcome] = {}
    rows: dict[int, ChannelInteraction] = {}
    for place, one in enumerate(told):
        try:
            facts = facts_of(one.channel, one.interaction_type, one.occurred_at, one.message_id, dict(one.context))
        except ValidationError as error:
            outcomes[place] = Outcome("refused", reason=" ".join(error.messages))
        else:
            rows[place] = ChannelInteraction(customer_id=one.customer_id, **facts)
    ChannelInteraction.objects.bulk_create(rows.values(), ignore_conflicts=True)
    before = {place: row for place, row in rows.items() if not row.pk}
    for place, row in rows.items():
        if row.pk:
            outcomes[place] = Outcome("stored", row.pk, row.occurred_at)
    outcomes |= _seen_before(before)
    return [outcomes[place] for place in range(len(told))]


def _seen_before(rows: Mapping[int, ChannelInteraction]) -> dict[int, Outcome]:
    """What these messages made when they came first."""
    found = storage.told(
        {row.sales_channel_id for row in rows.values()}, {row.message_id for row in rows.values()}
    )  # fmt: skip
    outcomes = {}
    for place, row in rows.items():
        number, at = found[row.sales_channel_id, row.message_id]
        if number is None:
            reason = f"{row.message_id!r} was told on this channel before, as something that is no interaction"
            outcomes[place] = Outcome("refused", reason=reason)
        else:
            outcomes[place] = Outcome("seen_before", number, at)
    return outcomes
