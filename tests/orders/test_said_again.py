"""An order that is said again in full: what was taken off it stays off, and what came in stays what came in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from finalmarket.orders import aftersales, fulfilment, payments, returns
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.returns import Back
from tests.orders.market import Market, draft, goods_line, line, parcels

HELD = (TenderDraft("card", Decimal("30.00"), "pi_1", "authorised"),)


@pytest.fixture
def three_teas(market: Market) -> OrderDraft:
    """Three teas for ten euro each, on a card that is good for all of them."""
    market.goods("TEA", warehouse=9)
    market.goods("POT", warehouse=9)
    return draft(market.web, "1", line("TEA", 3), tenders=HELD)


def _without_one_tea(said: OrderDraft) -> Order:
    order = take(said).order
    return aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="too many", actor="ann")


def _card() -> Payment:
    found: Payment = Payment.objects.get(external_id="pi_1")
    return found


def test_what_was_cancelled_before_it_was_paid_stays_off_the_total(three_teas: OrderDraft) -> None:
    order = _without_one_tea(three_teas)
    again = take(three_teas)
    assert (again.outcome, again.order.total) == ("unchanged", Decimal("20.00"))
    assert payments.capture(_card().pk, actor="psp").amount == Decimal("20.00")
    order.refresh_from_db()
    assert (order.payment_state, goods_line(order).cancelled_quantity) == ("paid", 1)


def test_what_came_back_before_it_was_paid_stays_off_the_total(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    said = draft(market.web, "1", line("TEA", 3), tenders=())
    order = take(said).order
    fulfilment.ship(parcels(order)[0].pk, actor="ann")
    returns.take_return(order.pk, [Back(goods_line(order).pk, 1)], key="r", reason="bitter", actor="ann")
    again = take(said)
    assert (again.outcome, again.order.total) == ("unchanged", Decimal("20.00"))


def test_its_share_of_an_added_tax_stays_off_too(three_teas: OrderDraft) -> None:
    card = (replace(HELD[0], amount=Decimal("33.00")),)
    taxed = replace(three_teas, tax_included=False, tax=Decimal("3.00"), tenders=card)
    _without_one_tea(taxed)
    again = take(taxed)
    assert (again.outcome, again.order.tax, again.order.total) == ("unchanged", Decimal("2.00"), Decimal("22.00"))


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ((line("TEA", 2),), "20.00"),  # the echo: one unit less is said than before
        ((line("TEA", 4),), "30.00"),
        ((line("TEA", 3, "12.00"),), "24.00"),
        ((line("TEA", 3), line("POT", 1)), "30.00"),
        ((line("POT", 1),), "10.00"),
        ((line("TEA", 3), LineDraft(kind="shipping", unit_price=Decimal("4.90"))), "24.90"),
        ((line("TEA", 3, cancelled_quantity=1),), "20.00"),
        ((line("TEA", 3, cancelled_quantity=2),), "20.00"),  # amounts are as ordered: a refund says what is off
    ],
)
def test_a_changed_order_costs_what_it_says_less_what_it_says_of_units_that_were_cancelled(
    three_teas: OrderDraft, lines: tuple[LineDraft, ...], total: str
) -> None:
    _without_one_tea(three_teas)
    changed = replace(three_teas, lines=lines, external_version="2", happened=True)
    assert take(changed).order.total == Decimal(total)
    assert (take(changed).outcome, take(changed).order.total) == ("unchanged", Decimal(total))


def test_the_same_word_again_takes_nothing_back_on_though_a_line_that_had_left_is_not_in_it(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    market.goods("POT", warehouse=9)
    first = draft(market.till, "1", line("TEA", 3), tenders=(), handed_over=True, external_version="1")
    take(first)
    newer = replace(draft(market.till, "1", line("POT", 4), tenders=()), external_version="2")
    order = take(newer).order
    pot, tea = order.lines.get(sku="POT"), order.lines.get(sku="TEA")
    aftersales.cancel_units(order.pk, {pot.pk: 2}, key="c", reason="too many", actor="ann")
    returns.take_return(order.pk, [Back(tea.pk, 1)], key="b", reason="hm", actor="ann")
    before = Order.objects.get(pk=order.pk)
    again = take(newer).order
    assert (again.total, again.taken_off) == (before.total, before.taken_off)


def test_what_came_in_is_not_raised_to_what_was_authorised(three_teas: OrderDraft) -> None:
    _without_one_tea(three_teas)
    payments.capture(_card().pk, actor="psp")
    assert take(three_teas).outcome == "unchanged"
    assert (_card().state, _card().amount) == ("captured", Decimal("20.00"))


@pytest.mark.parametrize("state", ["authorised", "captured"])
def test_what_came_in_by_parts_is_not_counted_twice(three_teas: OrderDraft, state: str) -> None:
    order = take(three_teas).order
    payments.take_part(_card().pk, Decimal("12.00"), actor="psp")
    take(replace(three_teas, tenders=(replace(HELD[0], state=state),)))
    assert (_card().state, _card().amount) == (state, Decimal("18.00"))
    assert sum(one.amount for one in order.payments.all()) == Decimal("30.00")


def test_a_platform_that_took_less_than_was_authorised_says_so(three_teas: OrderDraft) -> None:
    take(three_teas)
    take(replace(three_teas, tenders=(replace(HELD[0], amount=Decimal("25.00"), state="captured"),)))
    assert (_card().state, _card().amount) == ("captured", Decimal("25.00"))
    take(replace(three_teas, tenders=(replace(HELD[0], state="captured"),)))
    assert _card().amount == Decimal("30.00")
