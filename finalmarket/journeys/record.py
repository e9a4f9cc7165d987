"""Recording interactions and journeys."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from finalmarket.journeys import marks, storage
from finalmarket.journeys.facts import RECOGNISED
from finalmarket.kernel import clock

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel
    from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
    from finalmarket.orders.models import Order

VALUE_SCORES = {
    "page_view": 1,
    "product_view": 2,
    "search": 2,
    "add_to_cart": 5,
    "remove_from_cart": -2,
    "checkout_start": 8,
    "checkout_complete": 20,
    "cart_abandonment": -5,
    "wishlist_add": 4,
    "review_submit": 10,
    "customer_service": 3,
    "email_open": 1,
    "email_click": 3,
    "social_engagement": 2,
    "store_visit": 6,
    "phone_call": 5,
}
MOST_MESSAGE_ID_CHARACTERS = 100
MOST_WORD_CHARACTERS = 50
MOST_CONTEXT_BYTES = 32_768
YEARS = range(1991, 2100)
"""Months of these years can be made, in whatever time zone a moment is given."""
NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")  # escaped by JSON, and not a text about it


class InteractionManager(models.Manager[Any]):
    """Interactions; called on a customer's own set, `customer.interactions`."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Rows that claim their messages when they are written (journeys/storage.py)."""
        return storage.InteractionRows(self.model, using=self._db)

    def record(
        self,
        channel: SalesChannel,
        interaction_type: str,
        *,
        occurred_at: datetime | None = None,
        message_id: str = "",
        **context: Any,
    ) -> ChannelInteraction:
        """Store what the customer did on `channel`; `context` is kept as given, amounts and dates as text.

        A `message_id` seen before on the channel is answered with the interaction it made, whoever made it. Raises
        ValidationError for a type that is none of the sixteen, and for a context that JSON cannot hold.
        """
        facts = facts_of(channel, interaction_type, occurred_at, message_id, context)
        if not message_id:
            return cast("ChannelInteraction", self.create(**facts))
        row = self.model(**facts, **self._owner())
        self.bulk_create([row], ignore_conflicts=True)
        if row.pk is not None:
            return cast("ChannelInteraction", row)
        number, at = storage.told([channel.pk], [message_id])[channel.pk, message_id]
        if number is None:
            raise ValidationError(f"{message_id!r} was told on {channel} before, as something that is no interaction.")
        seen = self.model._default_manager.get(pk=number, occurred_at=at)
        return cast("ChannelInteraction", seen)

    def _owner(self) -> dict[str, Any]:
        """Return the customer whose set this is."""
        return {"customer": cast("Any", self).instance}


class JourneyManager(models.Manager[Any]):
    """Journeys; called on a customer's own set, `customer.journeys`."""

    @transaction.atomic
    def start(self, channel: SalesChannel, intent: str, *, started_at: datetime | None = None) -> CrossChannelJourney:
        """Open a journey on `channel`. While it is open, what the customer does of that kind joins it; it ends by
        `complete` or `abandon` alone. Raises ValidationError for an intent that is none of the six."""
        known = [value for value, _ in self.model.Intent.choices]
        if intent not in known:
            raise ValidationError(f"{intent!r} is no intent; known are {', '.join(known)}.")
        journey = self.create(start_channel=channel, intent=intent, started_at=_moment(started_at))
        marks.mark([(journey.customer_id, journey.started_at)])
        return cast("CrossChannelJourney", journey)


class JourneyVerbs:
    """What can be done with a journey."""

    @transaction.atomic
    def add_touchpoint(
        self,
        channel: SalesChannel,
        action: str,
        *,
        occurred_at: datetime | None = None,
        interaction: ChannelInteraction | None = None,
        **data: Any,
    ) -> JourneyTouchpoint:
        """Add a step on `channel`: `action` is a word for what was done, `interaction` the record of it, if any, which
        from then on belongs to this journey and to no other.

        Raises ValidationError when the journey has ended, the action is no word of at most 50 characters, or JSON
        cannot hold the data.
        """
        journey = self._locked()
        if journey.state != journey.State.OPEN:
            raise ValidationError(f"{journey} has ended ({journey.state}); start a new one.")
        if not action.strip() or len(action) > MOST_WORD_CHARACTERS or "\x00" in action:
            raise ValidationError(
                f"An action is a word of at most {MOST_WORD_CHARACTERS} characters, not {action[:60]!r}."
            )
        if interaction is not None:
            journey.touchpoints.model.objects.filter(interaction=interaction, pk__gte=RECOGNISED).delete()
            marks.mark([(interaction.customer_id, interaction.occurred_at)])
        journey.tell_anew()
        return journey.touchpoints.create(
            sales_channel=channel,
            action=action,
            data=storable(data),
            interaction=interaction,
            occurred_at=_moment(occurred_at),
        )

    def complete(self, outcome: str, *, order: Order | None = None, at: datetime | None = None) -> None:
        """End the journey with `outcome`, and with the order that it led to if there is one.

        Ending it again with the same outcome changes nothing. Raises ValidationError when it has ended in another way.
        """
        self._end("completed", outcome, order, at)

    def abandon(self, outcome: str = "abandoned", *, at: datetime | None = None) -> None:
        """End the journey without what it was for. Raises ValidationError when it has ended in another way."""
        self._end("abandoned", outcome, None, at)

    @transaction.atomic
    def _end(self, state: str, outcome: str, order: Order | None, at: datetime | None) -> None:
        if not outcome.strip() or len(outcome) > MOST_WORD_CHARACTERS or "\x00" in outcome:
            raise ValidationError(f"An outcome is a word of at most {MOST_WORD_CHARACTERS} characters.")
        journey = self._locked()
        if (journey.state, journey.outcome) == (state, outcome):
            return
        if journey.state != journey.State.OPEN:
            raise ValidationError(f"{journey} has ended already ({journey.state}, {journey.outcome}).")
        journey.state, journey.outcome, journey.ended_at = journey.State(state), outcome, _moment(at)
        journey.order = order
        journey.save(update_fields=["state", "outcome", "ended_at", "order"])
        journey.tell_anew()

    def tell_anew(self) -> None:
        """Have the stitcher look at the journeys of this time again, within the caller's transaction."""
        journey = cast("CrossChannelJourney", self)
        type(journey).objects.filter(pk=journey.pk, is_recognised=False).update(closes_at=None)
        marks.mark([(journey.customer_id, min(journey.started_at, journey.ended_at or journey.started_at))])

    def _locked(self) -> CrossChannelJourney:
        """Lock the journey's row and read it anew, so that nothing is added to a journey that is being ended."""
        journey = cast("CrossChannelJourney", self)
        if journey.is_recognised:
            raise ValidationError(
                f"{journey} was recognised in what the customer did; start one to add to it or end it."
            )
        type(journey).objects.select_for_update().get(pk=journey.pk)
        journey.refresh_from_db()
        return journey


def facts_of(
    channel: SalesChannel, interaction_type: str, occurred_at: datetime | None, message_id: str, context: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Return the columns of an interaction. Raises ValidationError for a type that is none of the sixteen, a message id
    that cannot be kept, a context that JSON cannot hold, and a moment before 1991 or after 2099."""
    if interaction_type not in VALUE_SCORES:
        raise ValidationError(f"{interaction_type!r} is no interaction; known are {', '.join(VALUE_SCORES)}.")
    if len(message_id) > MOST_MESSAGE_ID_CHARACTERS or "\x00" in message_id:
        raise ValidationError(f"A message_id has at most {MOST_MESSAGE_ID_CHARACTERS} plain characters.")
    moment = _moment(occurred_at)
    if moment.year not in YEARS:
        raise ValidationError(f"{moment.isoformat()} is no moment of a customer's life.")
    return {
        "sales_channel": channel,
        "interaction_type": interaction_type,
        "value_score": VALUE_SCORES[interaction_type],
        "context": storable(context),
        "message_id": message_id,
        "occurred_at": moment,
    }


def storable(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` as JSON keeps them: Decimals, dates and UUIDs as text.

    Raises ValidationError for what JSON cannot hold (NaN, the NUL character, objects) and for more than 32 KiB.
    """
    try:
        text = json.dumps(values, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(f"The details cannot be kept as JSON: {error}.") from error
    if size > MOST_CONTEXT_BYTES:
        raise ValidationError(f"The details take {size} bytes; at most {MOST_CONTEXT_BYTES} are kept.")
    if NUL.search(text):
        raise ValidationError("The details hold a NUL character; take it out.")
    kept: dict[str, Any] = json.loads(text)
    return kept


def _moment(given: datetime | None) -> datetime:
    """Return the moment given, or now. Raises ValidationError for one without a time zone."""
    if given is not None and given.tzinfo is None:
        raise ValidationError(f"{given.isoformat()} has no time zone; say which one is meant.")
    return given or clock.now()
