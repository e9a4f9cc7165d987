"""Whatever happens to orders, in whatever order and however often: units, stock and money agree."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment, intake, payments, refunds, returns
from finalmarket.orders.drafts import OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Payment, Return
from finalmarket.orders.returns import Back
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem, StockMovement
from tests.orders.market import Market, broken_laws, draft, line, open_market

SKUS = ("TEA", "POT", "SET")
DOORS = ("web", "bazaar", "till")
PLACES = ("warehouse", "north", "south")
BOOKS = int(os.environ.get("FINALMARKET_LAWS", "20")) // 4
few = st.integers(1, 4)
picks = st.integers(0, 10**6)
baskets = st.lists(st.tuples(st.sampled_from(SKUS), few), min_size=1, max_size=3)


def _figures() -> tuple[Any, ...]:
    """What a repeated verb must not change."""
    return (
        tuple(Order.objects.order_by("id").values_list("total", "taken_off")),
        tuple(OrderLine.objects.order_by("id").values_list(
            "quantity", "cancelled_quantity", "fulfilled_quantity", "returned_quantity"
        )),
        Payment.objects.aggregate(Sum("amount"), Sum("refunded")),
        StockItem.objects.aggregate(Sum("on_hand"), Sum("allocated")),
        StockMovement.objects.count(),
        Return.objects.count(),
    )  # fmt: skip


class OrderBook(RuleBasedStateMachine):
    """Orders of three doors from three shelves, with a bundle, and everything that can befall them."""

    market: Market

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.newest: dict[tuple[str, int], OrderDraft] = {}
        self.done: list[Callable[[], object]] = []
        self.keys = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(
        shelves=st.lists(st.integers(2, 12), min_size=6, max_size=6),
        sold=st.lists(st.tuples(st.sampled_from(DOORS), baskets, st.booleans()), min_size=3, max_size=5),
    )
    def open(self, shelves: list[int], sold: list[tuple[str, list[tuple[str, int]], bool]]) -> None:
        """Shelves, and a few paid orders, some of which have been shipped."""
        self.market = open_market()
        self.market.goods("TEA")
        self.market.goods("POT")
        self.market.bundle("SET", TEA=2, POT=1)
        for n, units in enumerate(shelves):
            if units:
                sku, place = ("TEA", "POT")[n % 2], PLACES[n // 2]
                self.market.receive(self.market.variants[sku], units, getattr(self.market, place))
        for number, (door, basket, shipped) in enumerate(sold, start=1):
            self.sell(door, number, basket, True, False)
            if shipped:
                self.ship_all(number - 1)

    def _try(self, verb: Callable[[], object], *, once: bool = True) -> None:
        """Carry a verb out; a refusal is fine. What succeeded may come again later."""
        try:
            verb()
        except UserError:
            return
        if once:
            self.done.append(verb)

    def _key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def _some_order(self, pick: int) -> Order | None:
        orders = list(Order.objects.order_by("id"))
        return orders[pick % len(orders)] if orders else None

    def _some_parcel(self, pick: int) -> Fulfilment | None:
        waiting = list(Fulfilment.objects.filter(state="pending").order_by("id"))
        return waiting[pick % len(waiting)] if waiting else None

    def _some_line(self, pick: int, **such: Any) -> OrderLine | None:
        """A line of goods, mostly such a one."""
        goods = OrderLine.objects.filter(kind="goods").order_by("id")
        lines = list(goods.filter(**such)) if pick % 5 else list(goods)
        return lines[pick % len(lines)] if lines else None

    @rule(door=st.sampled_from(DOORS), number=st.integers(1, 6), basket=baskets, paid=st.booleans(), gone=st.booleans())
    def sell(self, door: str, number: int, basket: list[tuple[str, int]], paid: bool, gone: bool) -> None:
        """A new order, or a newer version of a known one."""
        known = self.newest.get((door, number))
        version = int(known.external_version) + 1 if known else 1
        wanted = draft(
            getattr(self.market, door), str(number), *[line(sku, units) for sku, units in basket],
            external_version=str(version), handed_over=door == "till" and gone and known is None,
        )  # fmt: skip
        if not paid:
            wanted = replace(wanted, tenders=())
        self.newest[door, number] = wanted
        self._try(lambda: take(wanted))

    @rule(door=st.sampled_from(DOORS), number=st.integers(1, 6), more=st.booleans())
    def hear_of_a_cancellation(self, door: str, number: int, more: bool) -> None:
        if not more:
            return
        known = self.newest.get((door, number))
        version = str(int(known.external_version) + 1) if known else "1"
        channel = getattr(self.market, door)
        if known:
            self.newest[door, number] = replace(known, external_version=version)
        self._try(lambda: intake.cancel_external(channel, str(number), external_version=version))

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        order = self._some_order(pick)
        if order is None or pick % 3:
            return
        self._try(lambda: aftersales.cancel(order.pk, reason="asked", actor="t"), once=False)

    @rule(pick=picks, units=few)
    def cancel_some(self, pick: int, units: int) -> None:
        one, key = self._some_line(pick, quantity__gt=F("fulfilled_quantity") + F("cancelled_quantity")), self._key()
        if one is None:
            return
        units = min(units, max(1, one.quantity - one.cancelled_quantity - one.fulfilled_quantity))
        self._try(lambda: aftersales.cancel_units(one.order_id, {one.pk: units}, key=key, reason="asked", actor="t"))

    @rule(pick=picks)
    def ship_all(self, pick: int) -> None:
        for parcel in Fulfilment.objects.filter(state="pending", order=self._some_order(pick)):
            self._try(lambda parcel=parcel: fulfilment.ship(parcel.pk, actor="t"))  # type: ignore[misc]

    @rule(pick=picks, part=st.booleans())
    def ship(self, pick: int, part: bool) -> None:
        parcel = self._some_parcel(pick)
        if parcel is None:
            return
        some = {parcel.lines.order_by("id").values_list("id", flat=True)[0]: 1} if part else None
        self._try(lambda: fulfilment.ship(parcel.pk, actor="t", quantities=some))

    @rule(pick=picks, reason=st.sampled_from(sorted(fulfilment.REJECTIONS)))
    def reject(self, pick: int, reason: str) -> None:
        parcel = self._some_parcel(pick)
        if parcel is None:
            return
        self._try(lambda: fulfilment.reject(parcel.pk, reason=reason, actor="t"))

    @rule(pick=picks, units=few, becomes=st.sampled_from(("restock", "damaged", "scrap")))
    def bring_back(self, pick: int, units: int, becomes: str) -> None:
        one, key = self._some_line(pick, fulfilled_quantity__gt=F("returned_quantity")), self._key()
        if one is None:
            return
        goods = [Back(one.pk, min(units, max(1, one.fulfilled_quantity - one.returned_quantity)), becomes)]
        self._try(lambda: returns.take_return(one.order_id, goods, key=key, reason="hm", actor="t"))

    @rule(pick=picks, units=few, sku=st.sampled_from(SKUS), at_once=st.booleans())
    def exchange(self, pick: int, units: int, sku: str, at_once: bool) -> None:
        one, key = self._some_line(pick, fulfilled_quantity__gt=F("returned_quantity")), self._key()
        if one is None:
            return
        units = min(units, max(1, one.fulfilled_quantity - one.returned_quantity))
        goods, new = [Back(one.pk, units)], [line(sku, 1, "25.00")]
        self._try(
            lambda: returns.exchange(
                one.order_id, goods, new, key=key, reason="rather", actor="t", received=at_once
            )
        )  # fmt: skip

    @rule(pick=picks)
    def take_announced_goods_in(self, pick: int) -> None:
        announced = list(Return.objects.filter(state="requested").order_by("id"))
        if not announced:
            return
        record = announced[pick % len(announced)]
        self._try(lambda: returns.receive_return(record.pk, actor="t"))

    @rule(pick=picks, amount=st.integers(1, 4000))
    def give_money_back(self, pick: int, amount: int) -> None:
        order, key = self._some_order(pick), self._key()
        if order is None:
            return
        self._try(lambda: refunds.refund(order.pk, Decimal(amount) / 100, key=key, reason="sorry", actor="t"))

    @rule(pick=picks, amount=st.integers(1, 4000), tender=st.sampled_from(("cash", "gift_card")))
    def pay(self, pick: int, amount: int, tender: str) -> None:
        order, key = self._some_order(pick), self._key()
        if order is None:
            return
        self._try(
            lambda: payments.receive(
                order.pk, tender=tender, amount=Decimal(amount) / 100, external_id=key, actor="t"
            )
        )  # fmt: skip

    @rule(sku=st.sampled_from(("TEA", "POT")), place=st.sampled_from(PLACES), units=few)
    def goods_arrive(self, sku: str, place: str, units: int) -> None:
        self.market.receive(self.market.variants[sku], units, getattr(self.market, place))

    @rule(sku=st.sampled_from(("TEA", "POT")), place=st.sampled_from(PLACES), counted=st.integers(0, 3))
    def shelf_is_counted(self, sku: str, place: str, counted: int) -> None:
        variant, where = self.market.variants[sku], getattr(self.market, place)
        ledger.set_on_hand(variant.pk, where.pk, counted, reason="counted", actor="t")

    @rule(pick=picks)
    def look_again(self, pick: int) -> None:
        order = self._some_order(pick)
        if order is not None:
            intake.retry(order.pk, actor="t")

    @rule()
    def bring_orders_in_step(self) -> None:
        for number in intake.waiting_orders():
            intake.retry(number, actor="t")
        packed_beyond = Fulfilment.objects.filter(state="pending", lines=None)
        assert not packed_beyond.exists()

    @rule(pick=picks)
    def same_news_again(self, pick: int) -> None:
        """Whatever was done once may be asked for again, at any later time, and changes nothing."""
        if not self.done:
            return
        before = _figures()
        self.done[pick % len(self.done)]()
        assert _figures() == before

    @invariant()
    def books_agree(self) -> None:
        assert broken_laws() == []


@pytest.mark.django_db
@pytest.mark.slow
def test_units_stock_and_money_agree_whatever_happens() -> None:
    run_state_machine_as_test(
        OrderBook,
        settings=settings(
            max_examples=BOOKS, stateful_step_count=30, suppress_health_check=list(HealthCheck),
            database=None, print_blob=True,
        ),
    )  # fmt: skip


@pytest.mark.django_db
def test_an_unpaid_marketplace_order_and_its_payment_may_come_apart() -> None:
    market = open_market()
    market.goods("TEA", warehouse=5)
    first = draft(market.bazaar, "1", line("TEA", 2), tenders=(), external_version="1")
    later = replace(first, tenders=(TenderDraft("platform", Decimal("20.00")),), external_version="2")
    assert take(first).order.payment_state == "unpaid"
    assert take(later).order.payment_state == "paid"
    assert take(first).order.payment_state == "paid"
