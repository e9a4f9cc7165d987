"""A platform of the outside world, connected through its real connector over HTTP, that sells our tea."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.registry import connectors
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations import adopt, notices
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ListingLink
from finalmarket.kernel import clock
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock.atp import level
from tests.orders.market import Market


@dataclass
class Stall:
    """A platform with our tea on its shelf, and our account there."""

    there: Any
    integration: ChannelIntegration
    channel: SalesChannel
    market: Market

    def sync(self) -> None:
        """What workers do all the time: pull what happened there, tell what happened here. Twice, as it may be."""
        for _ in range(2):
            runs = self.integration.sync()
            wrong = [(run.stream, run.outcome, run.error) for run in runs if run.outcome == "failed"]
            assert wrong == []
        assert not DeadLetter.objects.filter(stream="orders").exists()

    def tell(self) -> None:
        """Tell it of parcels that left."""
        notices.find(timedelta(hours=1))
        notices.tell(self.integration.pk)

    def agrees(self) -> bool:
        """Whether it shows as many as the channel may sell."""
        free = level(self.market.variants["TEA"].pk, self.channel.pk).offered
        return bool(self.there.shown_stock()["TEA"] == free)


@contextmanager
def stall(platform: type[StandIn], market: Market, channel_type: str) -> Iterator[Stall]:
    """Connect an account, find its listing to be our tea, and begin to tell it what we have."""
    there: Any = platform(World(seed=1))
    connector = connectors()[platform.slug]
    channel = SalesChannel.objects.create(name=f"On {connector.name}", channel_type=channel_type, country="DE")
    channel.add_product(market.product)
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=channel, platform_name=connector.name, integration_type=connector.kind
        )
        integration.connect({**there.credentials(), "base_url": address})
        with there.lock:
            there.add_listing("TEA", "Morning tea", Decimal("4.50"), 7)
        adopt.look_through(integration)
        assert ListingLink.objects.get(integration=integration).listing.variant == market.variants["TEA"]
        integration.start_pushing()
        made = Stall(there, integration, channel, market)
        made.sync()
        assert made.agrees()
        yield made


def looked_at_tea(email: str, channel: SalesChannel, *kinds: str) -> OmnichannelCustomer:
    """Somebody, known by an address, has looked at the tea a minute ago."""
    found = resolve(Contact(email=email), country="DE", source=channel.slug)
    assert found is not None
    for seconds, kind in enumerate(kinds or ("product_view",)):
        at = clock.now() - timedelta(seconds=60 - seconds)
        found.track_interaction(channel, kind, sku="TEA", occurred_at=at)
    return found
