"""The verbs of a customer. What journeys and orders know is asked through the rooms that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel


class CustomerVerbs:
    """What can be done with, and asked of, a customer."""

    def track_interaction(self, channel: SalesChannel, interaction_type: str, **context: Any) -> Any:
        """Record that this customer did something on `channel`; return the ChannelInteraction."""
        return cast("Any", self).interactions.record(channel, interaction_type, **context)  # see journeys/record.py

    def start_journey(self, channel: SalesChannel, intent: str) -> Any:
        """Open a journey of this customer on `channel` with one of the six intents; return it."""
        return cast("Any", self).journeys.start(channel, intent)  # see journeys/record.py

    def unified_profile(self) -> dict[str, Any]:
        """Return orders, spend, favourite channel and segment of this person over all channels."""
        profile: dict[str, Any] = cast("Any", self).orders.profile_of(self)  # see orders/profile.py
        return profile
