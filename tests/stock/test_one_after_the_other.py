"""Two who want the same goods at one moment, step by step: the second waits for the first, and neither for ever."""

from __future__ import annotations

import threading

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.sql import open_connection
from finalmarket.stock.reserve import RESERVE_SQL, Request, arguments, verdicts
from tests.patience import PATIENCE_SECONDS, until
from tests.stock import shelves
from tests.stock.blocked import onlooker, pool_of

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


def waiting() -> int:
    """How many wait for somebody else's lock."""
    with onlooker() as eyes:
        row = eyes.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return int(row[0]) if row else 0


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
