"""Recording interactions and journeys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel
    from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint

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


class InteractionManager(models.Manager[Any]):
    """Interactions; called on a customer's own set, `customer.interactions`."""

    def record(
        self,
        channel: SalesChannel,
        interaction_type: str,
        *,
        occurred_at: datetime | None = None,
        message_id: str = "",
        **context: Any,
    ) -> ChannelInteraction:
        """Store what the customer did on `channel`; `context` is kept as given.

        A `message_id` seen before on the channel is answered with the interaction it made. Raises ValidationError for
        a type that is none of the sixteen.
        """
        if interaction_type not in VALUE_SCORES:
            raise ValidationError(f"{interaction_type!r} is no interaction; known are {', '.join(VALUE_SCORES)}.")
        facts = {
            "interaction_type": interaction_type,
            "value_score": VALUE_SCORES[interaction_type],
            "context": context,
            "occurred_at": occurred_at or timezone.now(),
        }
        if not message_id:
            return cast("ChannelInteraction", self.create(sales_channel=channel, **facts))
        found, _ = self.get_or_create(sales_channel=channel, message_id=message_id, defaults=facts)
        return cast("ChannelInteraction", found)


class JourneyManager(models.Manager[Any]):
    """Journeys; called on a customer's own set, `customer.journeys`."""

    def start(
        self, channel: SalesChannel, intent: str, *, started_at: datetime | None = None
    ) -> CrossChannelJourney:
        """Open a journey on `channel`. Raises ValidationError for an intent that is none of the six."""
        known = [value for value, _ in self.model.Intent.choices]
        if intent not in known:
            raise ValidationError(f"{intent!r} is no intent; known are {', '.join(known)}.")
        journey = self.create(start_channel=channel, intent=intent, started_at=started_at or timezone.now())
        return cast("CrossChannelJourney", journey)


class JourneyVerbs:
    """What can be done with a journey."""

    def add_touchpoint(
        self, channel: SalesChannel, action: str, *, occurred_at: datetime | None = None, **data: Any
    ) -> JourneyTouchpoint:
        """Add a step on `channel`. Raises ValidationError when the journey has ended."""
        journey = cast("CrossChannelJourney", self)
        if journey.state != "open":
            raise ValidationError(f"{journey} has ended ({journey.state}); start a new one.")
        return journey.touchpoints.create(
            sales_channel=channel, action=action, data=data, occurred_at=occurred_at or timezone.now()
        )

    @transaction.atomic
    def complete(self, outcome: str, *, at: datetime | None = None) -> None:
        """End the journey with `outcome`. Ending it twice with one outcome changes nothing; with another it is refused."""
        journey = cast("CrossChannelJourney", self)
        type(journey).objects.select_for_update().get(pk=journey.pk)
        journey.refresh_from_db()
        if journey.state == "completed" and journey.outcome == outcome:
            return
        if journey.state != "open":
            raise ValidationError(f"{journey} has ended already ({journey.state}, {journey.outcome}).")
        journey.state, journey.outcome, journey.ended_at = journey.State.COMPLETED, outcome, at or timezone.now()
        journey.save(update_fields=["state", "outcome", "ended_at"])
