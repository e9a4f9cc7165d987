"""Every platform that sells labels: one is bought, its parcel is followed, and whoever sold the order hears of it."""

from __future__ import annotations

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.shipping import Ships
from finalmarket.integrations import adopt
from finalmarket.integrations.desk import labels
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.stand_in import StandIn
from tests.integrations.every_kind import PHONE, PRICE, SKU, UNITS, Shop, opened_shop, platforms
from tests.laws.town import Account

pytestmark = pytest.mark.committed_database


def sold_elsewhere(shop: Shop) -> tuple[Account, Order]:
    """Somebody bought two on the practice platform, and the order has come in."""
    channel = SalesChannel.objects.create(name="Bazaar", channel_type="marketplace", country="DE")
    bazaar = shop.town.connect(Fake, channel)
    with bazaar.there.lock:
        bazaar.there.add_listing(SKU, "The cup", PRICE, UNITS)
    adopt.look_through(bazaar.integration)
    bazaar.integration.start_pushing()
    shop.town.live(2)
    with bazaar.there.lock:
        number = bazaar.there.order((SKU, 2))
        bazaar.there.state["orders"][number]["address"]["phone"] = PHONE  # without one some carriers take nothing
    shop.town.live(2)
    return bazaar, Order.objects.get(external_id=number)


@pytest.mark.parametrize("platform", platforms(Ships))
def test_a_parcel_is_labelled_followed_and_told_to_whoever_sold_it(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        bazaar, order = sold_elsewhere(shop)
        carrier = shop.connect(platform)
        parcel = order.fulfilments.get(state="pending")
        cheapest, *others = labels.get_rates(parcel.pk, carrier.integration)
        assert all(cheapest.amount <= rate.amount for rate in others)
        label = labels.buy_label(parcel.pk, carrier.integration, cheapest, actor="olga")
        assert [one.number for one in carrier.there.paid_labels().values()] == [label.tracking_number]
        for act, state in ((carrier.there.carry, "shipped"), (carrier.there.hand_over, "delivered")):
            with carrier.there.lock:
                act(label.tracking_number)
            shop.town.live(3)
            parcel.refresh_from_db()
            assert (parcel.state, parcel.tracking_number) == (state, label.tracking_number)
        (told,) = bazaar.there.sold()[order.external_id]["fulfilments"]
        assert told["tracking_number"] == label.tracking_number
        assert len(bazaar.effects("fulfilment")) == 1
        assert shop.town.complaints() == []


@pytest.mark.parametrize("platform", platforms(Ships))
def test_a_label_that_was_given_back_is_not_paid_for(platform: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened_shop(monkeypatch) as shop:
        carrier = shop.connect(platform)
        parcel = shop.buy().fulfilments.get(state="pending")
        rate = labels.get_rates(parcel.pk, carrier.integration)[0]
        label = labels.buy_label(parcel.pk, carrier.integration, rate, actor="olga")
        labels.void_label(label.pk, actor="olga")
        shop.town.live(2)
        assert [one.is_given_back for one in carrier.there.paid_labels().values()] == [True]
        parcel.refresh_from_db()
        assert (parcel.state, parcel.tracking_number) == ("pending", "")
