"""Whatever goes wrong on the way, and in whatever order: in the end the platform shows what is there, once."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest

from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import drift, notices, pull
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.stock import atp
from tests.integrations.stalls import Account

ROUNDS = 60
STORMS = int(os.environ.get("FINALMARKET_PROOF_STORMS", "1"))


def something_happens(account: Account, dice: random.Random) -> None:
    """Goods arrive, are counted, are bought there, leave, or an order is called off."""
    sku = dice.choice(sorted(account.variants))
    act = dice.randrange(6)
    if act == 0:
        account.receive(sku, dice.randint(1, 5))
    elif act == 1:
        account.receive(sku, 2)
        account.adjust(sku, -1)
    elif act == 2:
        with account.shop.lock:
            account.shop.shop(dice)
    elif act == 3:
        parcel = Fulfilment.objects.filter(state="pending").order_by("id").first()
        if parcel is not None:
            fulfilment.ship(parcel.pk, actor="ann", tracking_number=f"T{parcel.pk}")
    elif act == 4:
        order = Order.objects.filter(state="open").order_by("id").first()
        if order is not None:
            cancel(order.pk, reason="broken", actor="ann")
    elif f"NEW-{sku}" not in account.listings and not sku.startswith("NEW-"):
        listing = account.offer(f"NEW-{sku}", 3, linked=False)
        link_listing(account.integration, listing, ListingRef(key=f"NEW-{sku}", sku=f"NEW-{sku}"))


def work(account: Account) -> None:
    """A worker comes by."""
    push(account.integration.pk)
    notices.find(timedelta(days=2))
    notices.tell(account.integration.pk)
    pull.pull(account.integration.pk, "orders")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(STORMS))
def test_in_a_storm_of_faults_nothing_is_lost_doubled_or_left_stale(account: Account, seed: int) -> None:
    dice = random.Random(seed)
    # The token that is refused once, and the page left out, belong to the tests of pulling.
    kinds = tuple(kind for kind in Fault if kind is not Fault.SLOW_DRIP)
    account.shop.faults = Faults(seed=seed, share=0.25, kinds=kinds)
    with clock.steered() as time:
        for _ in range(ROUNDS):
            something_happens(account, dice)
            if dice.random() < 0.1:
                account.shop.remember()
            work(account)
            time.advance(timedelta(seconds=dice.choice((1, 5, 60))))
        assert account.shop.faults.met > 20
        account.shop.faults.stop()
        for _ in range(6):
            time.advance(timedelta(minutes=20))
            work(account)
        notices.verify(account.integration.pk)
        drift.sweep(account.integration.pk)
        for _ in range(2):
            time.advance(timedelta(minutes=20))
            work(account)
    assert ChannelIntegration.objects.get(pk=account.integration.pk).status == "active"
    shown = account.shop.shown_stock()
    levels = {sku: atp.level(variant.pk, account.channel.pk).offered for sku, variant in account.variants.items()}
    assert shown == levels
    assert len(account.shop.state["listings"]) == len(account.variants), "a listing was made twice"
    assert account.waits() == account.waits("price") == account.waits("content") == set()
    orders = Order.objects.filter(source=f"integration:{account.integration.pk}")
    assert set(orders.values_list("external_id", flat=True)) == set(account.shop.state["orders"])
    told = [one["tracking_number"] for one in account.effects("fulfilment")]
    left = Fulfilment.objects.filter(state="shipped").values_list("tracking_number", flat=True)
    assert sorted(told) == sorted(left)
    off = orders.filter(state="cancelled").values_list("external_id", flat=True)
    assert sorted(one["order"] for one in account.effects("cancellation")) == sorted(off)
