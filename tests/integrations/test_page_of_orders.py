"""A page of orders leaves the same in the books as its orders would, each taken for itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from finalmarket.connectors.contract import PullsOrders
from finalmarket.connectors.records import OrderRecord
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.models import DeadLetter
from finalmarket.integrations.orders_in import take_orders
from finalmarket.integrations.storing import intake
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.integrations.stalls import SKUS, Account
from tests.integrations.test_any_order import Play
from tests.orders.books import after

pytestmark = pytest.mark.committed_database


def take(account: Account, *pages: Sequence[OrderRecord]) -> list[str]:
    """Take page after page; what became of each order."""
    outcomes = []
    for page in pages:
        with intake(account.integration, "orders"):
            outcomes += [one.outcome for one in take_orders(account.integration, page)]
    return outcomes


def told(account: Account) -> list[OrderRecord]:
    """All orders as the platform holds them now."""
    with closing(open_connector(account.integration)) as there:
        assert isinstance(there, PullsOrders)
        return [record for page in there.pull_orders("", None) for record in page.records]


def assert_alike(account: Account, records: Sequence[OrderRecord]) -> None:
    """In one page or each in its own: the same in the books."""
    with clock.steered(clock.now()):
        alone = after(lambda: take(account, *[[record] for record in records]))
        together = after(lambda: take(account, records))
    assert together == alone


def test_new_changed_cancelled_shipped_and_refunded_orders_of_one_page(account: Account) -> None:
    for sku in SKUS:
        account.receive(sku, 500)
    story = Play(account.shop)
    for _ in range(3):
        for _ in range(25):
            story.go_on()
        records = told(account)
        assert_alike(account, records)
        outcomes = take(account, records)
        assert not DeadLetter.objects.exists()
    assert {"created", "updated", "cancelled", "unchanged"} == set(outcomes)
    assert Order.objects.count() == len(account.shop.state["orders"])


def test_what_a_cancelled_order_gives_back_is_there_for_the_new_ones_of_its_page(account: Account) -> None:
    account.adjust("TEA", -9)
    first = account.shop.order(("TEA", 1))
    take(account, told(account))
    second = account.shop.order(("TEA", 1))
    account.shop.cancel_order(first)
    assert [record.external_id for record in told(account)] == [second, first]
    assert take(account, told(account)) == ["created", "cancelled"]
    assert Order.objects.get(external_id=second).problem == ""


def test_two_versions_of_one_order_in_one_page(account: Account) -> None:
    story = Play(account.shop)
    number = account.shop.order(("TEA", 2))
    (first,) = told(account)
    story.open = [number]
    story._touch(number)
    (second,) = told(account)
    assert_alike(account, [first, second])
    assert_alike(account, [second, first])
    take(account, [first])
    assert_alike(account, [second, second, first])
    assert take(account, [second, second]) == ["updated", "unchanged"]


def test_a_bad_order_among_good_ones(account: Account) -> None:
    for _ in range(3):
        account.shop.order(("TEA", 1))
    good = told(account)
    bad = [good[0], replace(good[1], currency="???"), good[2]]
    assert_alike(account, bad)
    assert take(account, bad) == ["created", "failed", "created"]
    assert take(account, good) == ["unchanged", "created", "unchanged"]
    assert not DeadLetter.objects.filter(settled_at=None).exists()
