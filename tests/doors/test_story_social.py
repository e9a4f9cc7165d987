"""Channel 4, social: somebody who came by our page on Facebook buys there; the order comes in through the real
connector, over HTTP."""

from __future__ import annotations

import pytest

from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.meta.facebook import Facebook
from finalmarket.sandbox.platforms.tiktok import TikTok
from tests.doors.counter import furnished
from tests.doors.outside import looked_at_tea, stall
from tests.doors.stories import assert_one_sale, stand

pytestmark = pytest.mark.committed_database
ADA = "ada@example.org"
ALIAS = "v2b2v5@chat.seller.tiktok.com"
"""By which TikTok passes mails on."""


def test_an_order_on_facebook() -> None:
    market = furnished()
    with stall(Facebook, market, "social") as there:
        ada = looked_at_tea(ADA, there.channel, "social_engagement", "product_view")
        before = stand(there.channel, "TEA")
        with there.there.lock:
            number = there.there.order([("TEA", 2)])
        there.sync()
        order = assert_one_sale(there.channel, "TEA", 2, before=before, customer=ADA)
        assert (order.external_id, order.customer) == (number, ada)
        assert order.shipping_address["city"] == "Berlin"
        there.sync()
        assert there.agrees()


def test_a_buyer_whose_address_tiktok_keeps_to_itself_is_one_person_over_their_orders() -> None:
    market = furnished()
    with stall(TikTok, market, "social") as there:
        fan = looked_at_tea(ALIAS, there.channel, "social_engagement")
        before = stand(there.channel, "TEA")
        with there.there.lock:
            there.there.order([("TEA", 1)])
        there.sync()
        first = assert_one_sale(there.channel, "TEA", 1, before=before, customer=ALIAS)
        with there.there.lock:
            there.there.order([("TEA", 3)])
        there.sync()
        second = Order.objects.exclude(pk=first.pk).get()
        assert (first.customer, second.customer) == (fan, fan)
        assert fan.unified_profile()["total_orders"] == 2
