"""Every platform that keeps books: orders and people arrive there once and as they are, parcels and movements are
booked, and where it is the master of a place its count comes in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from finalmarket.connectors.books import PushesMovements, PushesOrders
from finalmarket.connectors.contract import (
    PullsCustomers,
    PullsListings,
    PullsStock,
    PushesCustomers,
    PushesFulfilments,
)
from finalmarket.integrations import adopt, pull
from finalmarket.integrations.models import PlaceMapping
from finalmarket.kernel import clock
from finalmarket.orders import aftersales
from finalmarket.orders.models import Order
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.stock import ledger
from tests.connectors.cases import case_of
from tests.integrations.every_kind import ANN, SKU, UNITS, Shop, opened_shop, platforms
from tests.laws.town import Account
from tests.orders.market import on_hand

pytestmark = pytest.mark.committed_database
KEEP = ("orders", "customers", "audience", "movements")


def kept(account: Account) -> list[tuple[str, int, bool]]:
    """The orders that stand there: number, units, whether they were called off."""
    return [(one.number, one.units, one.is_cancelled) for one in account.there.kept_orders()]


def told_twice_changes_nothing(shop: Shop, account: Account) -> None:
    """When all that comes round every hour has come (somebody bought, and is in another segment now), the worker looks
    again at everything an hour later, and nothing more happens there."""
    shop.town.pass_time(3600)
    shop.town.live(3)
    entries = shop.town.world.journal.entries
    before = [one.name for one in entries(platform=account.there.slug, what="effect")]
    shop.town.pass_time(3600)
    shop.town.live(3)
    assert [one.name for one in entries(platform=account.there.slug, what="effect")] == before
    assert shop.town.complaints() == []


@pytest.mark.parametrize("platform", platforms(PushesOrders))
def test_an_order_arrives_once_and_is_followed_until_it_is_called_off(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        books = shop.connect(platform, *KEEP)
        shop.agree(ANN, "newsletter")
        order = shop.buy(units=2)
        shop.town.live(4)
        assert kept(books) == [(order.number, 2, False)]
        aftersales.cancel(order.pk, reason="changed her mind", actor="olga")
        shop.town.live(4)
        ((number, _, is_cancelled),) = kept(books)
        assert (number, is_cancelled) == (order.number, True)
        told_twice_changes_nothing(shop, books)


@pytest.mark.parametrize("platform", platforms(PushesOrders, PushesFulfilments))
def test_what_has_left_here_has_left_in_the_books(platform: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened_shop(monkeypatch) as shop:
        books = shop.connect(platform, *KEEP)
        order = shop.buy(units=2)
        shop.town.live(4)
        shop.ship(order)
        shop.town.live(4)
        assert [one.left for one in books.there.kept_orders()] == [2]
        told_twice_changes_nothing(shop, books)


@pytest.mark.parametrize("platform", platforms(PushesCustomers, duty="customers"))
def test_a_customer_arrives_once_and_under_the_name_that_we_know(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        books = shop.connect(platform, *KEEP)
        ann = shop.agree(ANN)
        shop.town.live(4)
        assert people(books) == {("Ann Example", ANN)}
        ann.name = "Ann Other"
        ann.save()
        shop.buy(ANN)
        shop.town.live(4)
        assert people(books) == {("Ann Other", ANN)}
        told_twice_changes_nothing(shop, books)


@pytest.mark.parametrize("platform", platforms(PushesCustomers, PullsCustomers, duty="customers"))
def test_a_name_that_was_changed_here_survives_what_the_platform_repeats(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        books = shop.connect(platform, *KEEP)
        ann = shop.agree(ANN)
        shop.town.live(4)
        assert people(books) == {("Ann Example", ANN)}
        ann.name = "Ann Other"
        ann.save()
        pull.backfill(books.integration, clock.now() - timedelta(hours=1), "customers")
        shop.town.live(4)
        assert people(books) == {("Ann Other", ANN)}
        told_twice_changes_nothing(shop, books)


def people(account: Account) -> set[tuple[str, str]]:
    """Names and addresses of those who are known there."""
    return {(one.name, one.email) for one in account.there.people().values() if one.email}


# Stock.


def mapped(shop: Shop, platform: type[StandIn], *, is_master: bool) -> Account:
    """An account that knows our warehouse by its own name, and our goods as its items; it hears what lies there."""
    books = shop.connect(platform, *KEEP, units=0)
    place = case_of(platform.slug).location or books.there.state["locations"][0]
    PlaceMapping.objects.create(
        integration=books.integration, place=place, stock_location=shop.market.warehouse, is_master=is_master
    )
    assert adopt.look_through(books.integration).by_sku == 1
    shop.town.live(2)
    assert books.there.shown_stock()[SKU] == UNITS
    return books


ERPS = platforms(PullsCustomers, PullsListings, PullsStock, PushesMovements)


@pytest.mark.parametrize("platform", ERPS)
def test_what_moves_here_moves_in_the_books(platform: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened_shop(monkeypatch) as shop:
        books = mapped(shop, platform, is_master=False)
        cup = shop.market.variants[SKU]
        shop.market.receive(cup, 5, shop.market.warehouse)
        ledger.adjust(cup.pk, shop.market.warehouse.pk, -2, reason="broken", actor="olga")
        shop.town.live(4)
        assert books.there.shown_stock()[SKU] == UNITS + 3
        told_twice_changes_nothing(shop, books)


@pytest.mark.parametrize("platform", ERPS)
def test_what_the_master_counts_comes_in_and_undoes_no_sale(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch, behind=timedelta(0)) as shop:  # counts are held against the ledger's own clock
        books = mapped(shop, platform, is_master=True)
        with books.there.lock:
            sold = books.there.sell_over_counter(shop.town.world.chance)
        assert sold is not None
        _, units = sold
        order: Order = shop.buy(units=4)
        shop.town.live(2)
        shop.ship(order)
        shop.town.live(20)
        assert on_hand(shop.market.variants[SKU]) == UNITS - units - 4
        assert books.there.shown_stock()[SKU] == UNITS - units - 4
        told_twice_changes_nothing(shop, books)


def test_an_erp_is_the_master_of_nothing_that_a_person_did_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    values: list[Any] = [one.values[0] for one in ERPS]
    with opened_shop(monkeypatch) as shop:
        for platform in values[:1]:
            books = mapped(shop, platform, is_master=False)
            with books.there.lock:
                books.there.sell_over_counter(shop.town.world.chance)
            shop.town.live(10)
            assert on_hand(shop.market.variants[SKU]) == UNITS
