"""The verbs of a customer. What journeys and orders know is asked through the rooms that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel
    from finalmarket.customers.models import Consent, CustomerMerge, OmnichannelCustomer
    from finalmarket.customers.survivorship import Shown


class CustomerVerbs:
    """What can be done with, and asked of, a customer."""

    def track_interaction(self, channel: SalesChannel, interaction_type: str, **context: Any) -> Any:
        """Record that this customer did something on `channel`; return the ChannelInteraction."""
        return cast("Any", self).interactions.record(channel, interaction_type, **context)  # see journeys/record.py

    def start_journey(self, channel: SalesChannel, intent: str) -> Any:
        """Open a journey of this customer on `channel` with one of the six intents; return it."""
        return cast("Any", self).journeys.start(channel, intent)  # see journeys/record.py

    def merge(self, other: OmnichannelCustomer, *, actor: str, reason: str = "") -> CustomerMerge:
        """Say that this customer and `other` are one person; return what was written down. No row moves.

        Raises UserError where they are one person already, and without an actor.
        """
        from finalmarket.customers import merging

        return merging.merge(cast("Any", self).pk, other.pk, actor=actor, reason=reason)

    def unmerge(self, *others: OmnichannelCustomer, actor: str, reason: str = "") -> list[CustomerMerge]:
        """Say that these profiles are not the person of this one; return what was written down. Both are again what
        they were before, and stay so against evidence that comes later.

        Raises UserError where they are no one person, and without an actor.
        """
        from finalmarket.customers import merging

        return merging.unmerge(cast("Any", self).pk, [other.pk for other in others], actor=actor, reason=reason)

    def agrees_to(self, purpose: str, channel: SalesChannel | None = None) -> bool:
        """Say whether this person agrees to a purpose on a channel now: see consents.py."""
        from finalmarket.customers import consents

        return consents.agrees(cast("Any", self).pk, purpose, channel.pk if channel else None)

    def grant_consent(
        self, purpose: str, channel: SalesChannel | None = None, *, source: str, proof: Mapping[str, Any] | None = None
    ) -> Consent:
        """Write that this person agrees to a purpose, on a channel or on all. Raises UserError; see consents.say."""
        return self._say(purpose, True, channel, source, proof)

    def withdraw_consent(
        self, purpose: str, channel: SalesChannel | None = None, *, source: str, proof: Mapping[str, Any] | None = None
    ) -> Consent:
        """Write that this person does not agree any more, on a channel or on all. Raises UserError."""
        return self._say(purpose, False, channel, source, proof)

    def _say(
        self, purpose: str, word: bool, channel: SalesChannel | None, source: str, proof: Mapping[str, Any] | None
    ) -> Consent:
        from finalmarket.customers import consents

        where = channel.pk if channel else None
        return consents.say(cast("Any", self).pk, purpose, word, channel_id=where, source=source, proof=proof)

    def preferences(self, channel: SalesChannel | None = None) -> dict[str, Any]:
        """Return what this person prefers on a channel, or over all, by key; `preferences.view` says why, too."""
        from finalmarket.customers.preferences import view

        found = view(cast("Any", self).pk, channel.pk if channel else None)
        return {key: one.value for key, one in found.items()}

    def set_preference(self, key: str, value: Any, channel: SalesChannel, *, source: str = "customer") -> None:
        """Write what this person prefers on a channel; None takes it back. Raises UserError; see preferences.py."""
        from finalmarket.customers.preferences import set_preference

        set_preference(cast("Any", self).pk, channel.pk, key, value, source=source)

    def person(self) -> Shown:
        """Return the person of this profile as they are shown: see survivorship.py."""
        from finalmarket.customers.survivorship import shown

        return shown(cast("Any", self).pk)

    def unified_profile(self) -> dict[str, Any]:
        """Return what all rooms know of the person of this profile, over all channels: see `unified.profiles_of`, which
        asks for many at once."""
        from finalmarket.customers import unified

        pk: int = cast("Any", self).pk
        return unified.profiles_of([pk])[pk]
