"""The end of the stories is no formality: what is not one sale is told from one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from tests.doors.stories import assert_one_sale, stand
from tests.orders.market import Market, draft, line, open_market

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"


@pytest.fixture
def market() -> Market:
    """Forty units of tea for sale."""
    opened = open_market()
    opened.goods("TEA", price="4.50", warehouse=40)
    opened.web.add_product(opened.product)
    return opened


def _buy(market: Market, name: str = "o1", email: str = ANN, looked: bool = True, **given: Any) -> None:
    taken = take(
        replace(
            draft(market.web, name, line("TEA", 2, "4.50"), email=email), placed_at=clock.now(), happened=False, **given
        )
    )
    if looked and taken.order.customer is not None:
        taken.order.customer.track_interaction(
            market.web, "add_to_cart", sku="TEA", occurred_at=clock.now() - timedelta(minutes=1)
        )


def test_one_sale_is_one_sale(market: Market) -> None:
    before = stand(market.web, "TEA")
    _buy(market)
    order = assert_one_sale(market.web, "TEA", 2, before=before, customer="Ann@example.com")
    assert order.external_id == "o1"


def test_goods_that_were_handed_over_have_left_already(market: Market) -> None:
    before = stand(market.web, "TEA")
    _buy(market, handed_over=True, location_id=market.warehouse.pk)
    assert_one_sale(market.web, "TEA", 2, before=before, customer=ANN, handed_over=True)


@pytest.mark.parametrize("wrong", ["nothing", "twice", "units", "person", "channel", "journey"])
def test_what_is_not_one_sale_is_told_from_one(market: Market, wrong: str) -> None:
    before = stand(market.web, "TEA")
    if wrong != "nothing":
        _buy(market, looked=wrong != "journey")
    if wrong == "twice":
        _buy(market, "o2")
    somebody = OmnichannelCustomer.objects.create(name="Ben")
    channel = market.bazaar if wrong == "channel" else market.web
    who = somebody if wrong == "person" else ANN
    with pytest.raises(AssertionError):
        assert_one_sale(channel, "TEA", 3 if wrong == "units" else 2, before=before, customer=who)
