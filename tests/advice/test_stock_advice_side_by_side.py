"""Advice about stock is computed while people decide about it: nothing is advised twice, nobody waits crosswise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import F

from finalmarket.advice.models import StockAdvice
from finalmarket.advice.replenishment_decide import accept
from finalmarket.advice.replenishment_keep import refresh
from tests.advice.past_sales import sell
from tests.orders.market import Market, open_market
from tests.patience import PATIENCE_SECONDS, until
from tests.stock.blocked import waiting

pytestmark = pytest.mark.committed_database


@pytest.fixture
def market() -> Market:
    """A market that runs out of two things, and is advised to order both."""
    market = open_market()
    for sku in ("TEA", "JAM"):
        sell(market.web, market.goods(sku, warehouse=3), market.warehouse, [1] * 60)
    refresh()
    return market


@pytest.fixture
def computing() -> Iterator[Callable[[], Future[Any]]]:
    """Lets another worker compute all advice anew; back as soon as it waits for somebody's lock."""
    with ThreadPoolExecutor(1) as pool:

        def alone() -> Any:
            try:
                return refresh()
            finally:
                connections.close_all()

        def begin() -> Future[Any]:
            begun = pool.submit(alone)
            until(waiting, "the computation waits")
            return begun

        yield begin


def open_pieces() -> list[StockAdvice]:
    return list(StockAdvice.objects.filter(kind="reorder", state="open").order_by("pk"))


def test_what_somebody_is_just_accepting_is_not_advised_again(
    market: Market, computing: Callable[[], Future[Any]]
) -> None:
    piece, other = open_pieces()
    with transaction.atomic():
        accept([piece.pk], actor="olga")
        begun = computing()
    begun.result(PATIENCE_SECONDS)
    assert open_pieces() == [other]


def test_whoever_decides_about_several_pieces_and_a_computation_take_them_in_one_order(
    market: Market, computing: Callable[[], Future[Any]]
) -> None:
    StockAdvice.objects.update(id=1_000_000 - F("id"))  # another order than that of the computation
    first, last = open_pieces()
    held = StockAdvice.objects.select_for_update()
    with transaction.atomic():
        held.get(pk=first.pk)
        begun = computing()
        held.get(pk=last.pk)
    begun.result(PATIENCE_SECONDS)
    assert open_pieces() == [first, last]
