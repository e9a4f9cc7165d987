from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models import ChannelSource
from tests.api.shop.shopper import Page
from tests.orders.market import Market, open_market


@dataclass
class Shops:
    """A web shop, its app and a kiosk that sell the same things; a store in the north where they can be collected."""

    market: Market
    web: Page
    app: Page
    kiosk: SalesChannel


def open_shops() -> Shops:
    """Forty units of tea, three of sugar (two of them in the north), none of honey."""
    market = open_market()
    market.north.can_hand_over = True
    market.north.save()
    market.web.configuration |= {"test_payments": True, "delivery_fee": "4.90", "free_delivery_from": "50"}
    market.web.save()
    common = {"country": "DE", "configuration": {"test_payments": True}}
    app = SalesChannel.objects.create(name="App", channel_type="mobile", **common)
    kiosk = SalesChannel.objects.create(name="Kiosk", channel_type="kiosk", **common)
    market.goods("TEA", price="4.50", warehouse=30, north=10)
    market.goods("SUGAR", price="2.00", warehouse=1, north=2)
    market.goods("HONEY", price="7.00")
    for channel in (market.web, app, kiosk):
        channel.add_product(market.product)
    ChannelSource.objects.create(sales_channel=kiosk, location=market.north)
    return Shops(market, Page(market.web), Page(app), kiosk)


@pytest.fixture
def shops(db: None, settings: Any) -> Shops:
    """Shops within a transaction; mails are sent."""
    settings.MAIL_IS_SET = True
    return open_shops()
