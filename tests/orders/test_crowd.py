"""Many hands on the same few goods at once: no deadlock surfaces, and the books agree afterwards."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment, intake, refunds, returns
from finalmarket.orders.models import Fulfilment, Order, OrderLine
from finalmarket.orders.returns import Back
from finalmarket.stock import ledger
from tests.orders.market import Market, draft, line, open_market, together

WORKERS = 24
STEPS = 6
SKUS = ("TEA", "POT", "CUP", "SET", "PAIR")
PLACES = ("warehouse", "north", "south")


def _crowded() -> Market:
    """Three goods and two bundles that share a component, listed everywhere."""
    market = open_market()
    for sku in ("TEA", "POT", "CUP"):
        market.goods(sku, warehouse=30, north=20, south=10)
    market.bundle("SET", TEA=2, POT=1)
    market.bundle("PAIR", POT=1, CUP=1)
    for channel in (market.web, market.bazaar, market.till):
        channel.add_product(market.product)
    return market


def _step(market: Market, chance: random.Random) -> str:
    """Do one thing that a buyer, a channel, a store or the office might do now."""
    basket = [line(sku, chance.randint(1, 3)) for sku in chance.sample(SKUS, chance.randint(1, 3))]
    number = str(chance.randint(1, 20))
    orders = list(Order.objects.exclude(state="cancelled").values_list("id", flat=True)[:50])
    waiting = list(Fulfilment.objects.filter(state="pending").values_list("id", flat=True)[:50])
    gone = list(OrderLine.objects.filter(fulfilled_quantity__gt=0).values_list("id", "order_id")[:50])
    what = chance.choice(
        ("web", "bazaar", "till", "cancel", "ship", "reject", "return", "refund", "count", "arrive", "retry")
    )
    key = f"k{chance.random()}"
    match what:
        case "web":
            intake.take(draft(market.web, key, *basket, email=f"p{number}@example.com"))
        case "bazaar":
            version = str(chance.randint(1, 9))
            intake.take(draft(market.bazaar, number, *basket, external_version=version, email=f"p{number}@example.com"))
        case "till":
            intake.take(draft(market.till, key, *basket, handed_over=True, location_id=market.north.pk))
        case "cancel" if orders:
            aftersales.cancel(chance.choice(orders), reason="asked", actor="t")
        case "ship" if waiting:
            fulfilment.ship(chance.choice(waiting), actor="t")
        case "reject" if waiting:
            fulfilment.reject(chance.choice(waiting), reason=chance.choice(sorted(fulfilment.REJECTIONS)), actor="t")
        case "return" if gone:
            line_id, order_id = chance.choice(gone)
            returns.take_return(order_id, [Back(line_id, 1)], key=key, reason="hm", actor="t")
        case "refund" if orders:
            refunds.refund(chance.choice(orders), Decimal("1.00"), key=key, reason="sorry", actor="t")
        case "count":
            variant, place = market.variants[chance.choice(SKUS[:3])], getattr(market, chance.choice(PLACES))
            ledger.set_on_hand(variant.pk, place.pk, chance.randint(5, 30), reason="counted", actor="t")
        case "arrive":
            market.receive(market.variants[chance.choice(SKUS[:3])], 5, getattr(market, chance.choice(PLACES)))
        case "retry":
            for order_id in intake.waiting_orders(limit=3):
                intake.retry(order_id, actor="t")
        case _:
            return "nothing to do"
    return what


@pytest.mark.committed_database
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_deadlock_surfaces_whatever_many_hands_do(seed: int, committed_database: object) -> None:
    market = _crowded()

    def work(worker: int) -> Counter[str]:
        chance, seen = random.Random(seed * 1000 + worker), Counter[str]()
        for _ in range(STEPS):
            try:
                seen[_step(market, chance)] += 1
            except UserError:
                seen["refused"] += 1
        return seen

    results = together(work, WORKERS)
    assert [repr(one) for one in results if isinstance(one, BaseException)] == []
    for order_id in intake.waiting_orders(limit=1000):
        intake.retry(order_id, actor="t")
    from tests.orders.market import broken_laws

    assert broken_laws() == []
