"""Channel 3, marketplace: somebody who looked at our tea in the shop buys it on Etsy or eBay; the order comes in
through the real connector, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.kernel import clock
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import TenderDraft
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.ebay import Ebay
from finalmarket.sandbox.platforms.etsy import Etsy
from tests.doors.counter import furnished
from tests.doors.outside import looked_at_tea, stall
from tests.doors.stories import assert_one_sale, stand

pytestmark = pytest.mark.committed_database
ANN = "ann@example.com"


@pytest.mark.parametrize("platform", [Etsy, Ebay], ids=["etsy", "ebay"])
def test_an_order_on_a_marketplace(platform: Any) -> None:
    market = furnished()
    with stall(platform, market, "marketplace") as there:
        ann = looked_at_tea(ANN, market.web, "product_view", "add_to_cart")
        before = stand(there.channel, "TEA")
        with there.there.lock:
            number = there.there.order(("TEA", 2), email=ANN)
        there.sync()
        order = assert_one_sale(there.channel, "TEA", 2, before=before, customer=ANN)
        assert (order.external_id, order.customer, order.payment_state) == (number, ann, "paid")
        there.tell()  # the parcel that left
        there.sync()
        assert there.agrees()
        assert there.there.sold()[number] is not None
        assert Order.objects.get().state == "fulfilled"


def test_what_is_sold_elsewhere_is_not_shown_on_the_marketplace_any_more() -> None:
    market = furnished()
    with stall(Etsy, market, "marketplace") as there:
        before = stand(market.web, "TEA")
        cart = carts.open_cart(market.web, customer_id=looked_at_tea(ANN, market.web).pk)
        carts.add(cart.token, market.variants["TEA"].pk, 38)
        carts.check_out(cart.token, tenders=(TenderDraft("card", Decimal("4.50") * 38),))
        assert_one_sale(market.web, "TEA", 38, before=before, customer=ANN)
        with clock.steered(clock.now() + timedelta(seconds=1)):  # a listing is told no oftener than twice a second
            there.sync()
        assert there.there.shown_stock()["TEA"] == 2
