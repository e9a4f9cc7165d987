"""Every platform of the sandbox is connected, looked through, pulled and told through the same doors."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import Connector, PullsListings, PullsOrders
from finalmarket.connectors.registry import connectors
from finalmarket.integrations import adopt
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ListingLink
from finalmarket.orders.models import Order
from finalmarket.sandbox.house import stand_ins
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

pytestmark = pytest.mark.committed_database
PLATFORMS = [stand_in for stand_in in stand_ins() if stand_in.slug in connectors()]
SHOPPERS = 5


def catalogue() -> None:
    """Two things to sell, a hundred of each."""
    shelf = StockLocation.objects.create(code="main", name="Main warehouse")
    for sku in ("TEA", "CUP"):
        product = Product.objects.create(title=f"The {sku}", slug=sku.lower())
        variant = Variant.objects.create(product=product, sku=sku)
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("5.00"))
        ledger.receive([ledger.Receipt(variant.pk, shelf.pk, 100)], actor="test")


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.slug)
def test_an_account_is_connected_its_listings_linked_and_its_orders_come_in(platform: type[StandIn]) -> None:
    connector: type[Connector] = connectors()[platform.slug]
    catalogue()
    there: Any = platform(World(seed=1))
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=SalesChannel.objects.create(name="There", channel_type="marketplace"),
            platform_name=connector.name, integration_type=connector.kind,
        )  # fmt: skip
        integration.connect({**there.credentials(), "base_url": address})
        if issubclass(connector, PullsListings):
            with there.lock:
                for sku in ("TEA", "CUP"):
                    there.add_listing(sku, f"The {sku}", Decimal("5.00"), 100)
            adopt.look_through(integration)
            assert ListingLink.objects.count() == 2
        if issubclass(connector, PullsOrders):
            with there.lock:
                dice = random.Random(5)
                for _ in range(SHOPPERS):
                    there.shop(dice)
        runs = integration.sync()
        # A carrier's platform, or one for figures, has nothing that comes in by itself.
        assert {run.outcome for run in runs} <= {"done"}, [(run.stream, run.error) for run in runs]
        again = integration.sync()
        assert sum(run.changed_count for run in again) == 0
    assert not DeadLetter.objects.exists(), list(DeadLetter.objects.values_list("stream", "reason"))
    if issubclass(connector, PullsOrders):  # a shopper may have sent something back instead of buying
        seen = next(run.seen_count for run in runs if run.stream == "orders")
        assert SHOPPERS - 1 <= Order.objects.count() == seen
        assert not Order.objects.exclude(problem="").exists(), list(Order.objects.values_list("problem", flat=True))
    assert integration.health().word == "healthy"
