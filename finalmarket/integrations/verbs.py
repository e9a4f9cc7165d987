"""The verbs of an account on an outside platform. Each names the file where the work is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from finalmarket.integrations.health import Health, SyncStatistics
    from finalmarket.integrations.models import ChannelIntegration, SyncRun
    from finalmarket.stock.models import StockLocation


class IntegrationVerbs:
    """What can be done with an account, and asked of it."""

    def connect(self, credentials: Mapping[str, str], *, actor: str = "system") -> None:
        """Take over the account's secrets and settings, once the platform has confirmed that they let us in.

        `credentials` holds the names that the connector declares, and `base_url` for a sandbox. Raises UserError for
        names that are missing or unknown, and when the platform says no; then nothing of them is kept.
        """
        from finalmarket.integrations import connect

        connect.connect(cast("ChannelIntegration", self), credentials, actor=actor)

    def test_connection(self) -> str:
        """Ask the platform whose account this is; return its words. Raises UserError when it does not let us in."""
        from finalmarket.integrations import connect

        return connect.test_connection(cast("ChannelIntegration", self))

    def disconnect(self, *, actor: str = "system") -> None:
        """Forget the secrets and tell the platform nothing more; links, orders and the trail stay."""
        from finalmarket.integrations import connect

        connect.disconnect(cast("ChannelIntegration", self), actor=actor)

    def pause(self, reason: str) -> None:
        """Neither pull nor push until it is resumed; webhooks are still stored. Raises UserError without a reason."""
        from finalmarket.integrations import connect

        connect.pause(cast("ChannelIntegration", self), reason)

    def resume(self) -> None:
        """Go on with a paused account, or with one that needed attention. Raises UserError if it is not connected."""
        from finalmarket.integrations import connect

        connect.resume(cast("ChannelIntegration", self))

    def rotate_webhook_secret(self, secret: str = "") -> None:
        """Sign webhooks with another secret; the former one is still taken until the next rotation.

        Without `secret`, the platform is asked for a new one. Raises UserError where it gives none.
        """
        from finalmarket.integrations import connect

        connect.rotate_webhook_secret(cast("ChannelIntegration", self), secret)

    def sync(self) -> list[SyncRun]:
        """Pull and push everything that the platform can, now; return the runs, failed ones included.

        Raises UserError if the account is not connected or paused.
        """
        from finalmarket.integrations import syncing

        return syncing.sync(cast("ChannelIntegration", self))

    def sync_later(self) -> None:
        """Have a worker do what `sync` does. Raises UserError as `sync` does."""
        from finalmarket.integrations import syncing

        syncing.sync_later(cast("ChannelIntegration", self))

    def backfill(self, since: datetime) -> SyncRun | None:
        """Pull the orders that were changed since that moment once more, beside the stream; see pull.py."""
        from finalmarket.integrations import pull

        return pull.backfill(cast("ChannelIntegration", self), since)

    def start_pushing(self) -> None:
        """From now on tell the platform what changes here. Until then nothing is told."""
        from finalmarket.integrations import adopt

        adopt.start_pushing(cast("ChannelIntegration", self))

    def take_opening_stock(self, location: StockLocation, *, actor: str) -> int:
        """Put what the platform shows of linked listings on the shelf of an empty location, once; return the units."""
        from finalmarket.integrations import before_pushing

        return before_pushing.take_opening_stock(cast("ChannelIntegration", self), location, actor=actor)

    def health(self) -> Health:
        """Say in one honest word how the account is doing, and why."""
        from finalmarket.integrations import health

        return health.health_of(cast("ChannelIntegration", self))

    def sync_statistics(self, days: int = 30) -> SyncStatistics:
        """Count the runs, records and failures of the last `days`."""
        from finalmarket.integrations import health

        return health.sync_statistics(cast("ChannelIntegration", self), days)
