"""Two who want the same goods at one moment, step by step: the second waits for the first, and neither for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.sql import open_connection
from finalmarket.orders.promises import lock_pools
from finalmarket.stock import counts
from finalmarket.stock.reserve import RESERVE_SQL, Request, arguments, verdicts
from tests.patience import PATIENCE_SECONDS, until
from tests.stock import shelves
from tests.stock.blocked import item_of, pool_of, waiting

pytestmark = pytest.mark.committed_database


class Buyer(threading.Thread):
    """Somebody with a connection of their own, who reserves the lines of a cart, and commits when they may."""

    def __init__(self, channel: SalesChannel, *cart: Variant) -> None:
        super().__init__()
        self._request = Request(f"cart of {self.name}", channel.pk, tuple((variant.pk, 1) for variant in cart))
        self.may_commit = threading.Event()
        self.outcome = "nothing yet"
        self.start()

    def run(self) -> None:
        try:
            with open_connection(autocommit=False) as own:
                row = own.execute(RESERVE_SQL, arguments([self._request], "test")).fetchone()
                assert row is not None
                self.outcome = verdicts(row)[0].outcome
                assert self.may_commit.wait(PATIENCE_SECONDS)
                own.commit()
        except Exception as error:
            self.outcome = type(error).__name__

    def left(self) -> str:
        """What became of it, once all is over."""
        self.may_commit.set()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), "a buyer was forgotten"
        return self.outcome


def test_who_asks_while_another_has_not_committed_waits_and_sees_what_was_taken() -> None:
    channel, tea = shelves.new_channel(), shelves.new_variant()
    shelves.put(tea, shelves.new_place(), 1)
    shelves.ask(channel, (tea, 2))  # refused; the channel's policy is there from now on
    first = Buyer(channel, tea)
    until(lambda: first.outcome == "granted", "the first has the unit")
    second = Buyer(channel, tea)
    until(lambda: waiting() == 1 or second.outcome != "nothing yet", "the second waits")
    assert (first.left(), second.left()) == ("granted", "refused")
    assert shelves.pool(tea).reserved == 1


def test_two_carts_with_the_same_goods_in_another_order_never_lock_each_other_out() -> None:
    channel, place = shelves.new_channel(), shelves.new_place()
    tea, cup = shelves.new_variant(), shelves.new_variant()
    for good in (tea, cup):
        shelves.put(good, place, 5)
        shelves.ask(channel, (good, 9))
    with pool_of(tea):
        buyers = [Buyer(channel, tea, cup)]
        until(lambda: waiting() == 1, "the first waits for tea")
        buyers.append(Buyer(channel, cup, tea))
        until(lambda: waiting() == 2, "the second waits, too")
        for buyer in buyers:
            buyer.may_commit.set()
    assert [buyer.left() for buyer in buyers] == ["granted", "granted"]
    assert [shelves.pool(good).reserved for good in (tea, cup)] == [2, 2]


def whatever_comes_of(work: Callable[[], object]) -> str:
    """Do it over a connection of one's own, and say how it ended."""
    try:
        work()
        return "done"
    except Exception as error:
        return type(error.__cause__ or error).__name__
    finally:
        connections.close_all()


def test_a_stock_take_and_an_order_whose_goods_meet_in_bundles_only_never_lock_each_other_out() -> None:
    channel, place = shelves.new_channel(), shelves.new_place()
    goods = [shelves.new_variant() for _ in range(4)]
    first, second, third, fourth = goods
    for parts in ((second, fourth), (first, third)):  # listed in this order
        channel.add_product(shelves.new_bundle(dict.fromkeys(parts, 1)).product)
    for good in goods:
        shelves.put(good, place, 5)
    shelves.promise(channel, first, 5)
    count = counts.start(place.pk)
    counts.record(count.pk, first.pk, 3)  # a promise gives way, before the other loss is booked
    counts.record(count.pk, fourth.pk, 4)

    def order() -> None:
        with transaction.atomic():
            lock_pools([second.pk, third.pk])

    with ThreadPoolExecutor(2) as pool:
        with item_of(fourth, place):
            stock_take = pool.submit(whatever_comes_of, lambda: counts.apply(count.pk, actor="ann"))
            until(lambda: waiting() == 1 or stock_take.done(), "the stock take waits")
            bought = pool.submit(whatever_comes_of, order)
            until(lambda: waiting() == 2 or bought.done(), "the order waits for the stock take")
        assert (stock_take.result(PATIENCE_SECONDS), bought.result(PATIENCE_SECONDS)) == ("done", "done")
    assert [shelves.shelf(good, place).on_hand for good in goods] == [3, 5, 5, 4]
    shelves.assert_books_agree()
