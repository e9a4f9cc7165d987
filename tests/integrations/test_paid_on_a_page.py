"""What comes of a payment that a buyer made on a page: it is taken, let go and given back through the platform, and a
dispute of it is put before a person."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest

from finalmarket.integrations import notices, pull
from finalmarket.integrations.desk import pages
from finalmarket.integrations.models import DueNotice
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.refunds import refund
from tests.integrations.counter import Counter, history


def paid(order: Order) -> list[tuple[str, str, Decimal]]:
    """The payments of the order."""
    return list(order.payments.order_by("pk").values_list("tender", "state", "amount"))


def held(counter: Counter, state: str) -> list[str]:
    """What became of payments there, by their amounts."""
    return [one["amount"] for one in counter.effects("payment", state=state)]


def tell(counter: Counter, minutes: int = 0) -> None:
    """Let a worker find and tell, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        notices.find(timedelta(hours=5))
        notices.tell(counter.integration.pk)


@pytest.fixture
def reserved(counter: Counter) -> Order:
    """An order of two pieces of tea for 20.00 whose money is reserved."""
    order = counter.order(("TEA", 2))
    page = pages.start_payment(order.pk, counter.integration, actor="ann")
    httpx2.get(page.approve_url)
    pages.finish(page.pk)
    return order


def test_what_was_reserved_is_taken_when_the_goods_leave(counter: Counter, reserved: Order) -> None:
    tell(counter)
    assert held(counter, "taken") == []
    fulfilment.ship(counter.parcel(reserved).pk, actor="ann")
    for minutes in (0, 30):
        tell(counter, minutes)
    assert held(counter, "taken") == ["20.00"]
    assert paid(reserved) == [("practice_office", "captured", Decimal("20.0000"))]


def test_what_was_reserved_is_let_go_when_the_order_is_called_off(counter: Counter, reserved: Order) -> None:
    cancel(reserved.pk, reason="no", actor="ann")
    for minutes in (0, 30):
        tell(counter, minutes)
    assert held(counter, "released") == ["20.00"]


def test_what_was_taken_can_be_given_back_through_the_platform(counter: Counter, reserved: Order) -> None:
    fulfilment.ship(counter.parcel(reserved).pk, actor="ann")
    tell(counter)
    refund(reserved.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    for minutes in (5, 30):
        tell(counter, minutes)
    assert [one["amount"] for one in counter.effects("refund")] == ["3.00"]
    counter.deliver()
    assert Order.objects.get(pk=reserved.pk).refunded == Decimal("3.00")


def test_what_was_paid_on_the_page_is_not_told_back(counter: Counter, reserved: Order) -> None:
    tell(counter)
    assert DueNotice.objects.exclude(state="sent").count() == 0


# Disputes.


@pytest.fixture
def taken(counter: Counter, reserved: Order) -> Order:
    """An order whose money was taken."""
    fulfilment.ship(counter.parcel(reserved).pk, actor="ann")
    tell(counter)
    counter.deliver()
    return reserved


def number_of(order: Order) -> str:
    return str(order.payments.get().external_id)


def test_a_disputed_payment_is_put_before_a_person_once(counter: Counter, taken: Order) -> None:
    counter.office.dispute(number_of(taken))
    counter.deliver()
    pull.pull(counter.integration.pk, "payments")
    assert Order.objects.get(pk=taken.pk).problem == f"the payment {number_of(taken)} is disputed"
    assert history(taken, "problem") == [f"the payment {number_of(taken)} is disputed"]


def test_a_dispute_that_was_won_is_a_problem_no_more(counter: Counter, taken: Order) -> None:
    for act in (counter.office.dispute, counter.office.win_dispute):
        act(number_of(taken))
        counter.deliver()
    found = Order.objects.get(pk=taken.pk)
    assert (found.problem, found.payment_state, found.refunded) == ("", "paid", 0)
    assert "the money stays" in history(taken, "problem")[-1]


def test_the_money_of_a_dispute_that_was_lost_is_gone_from_the_books_and_not_given_back_again(
    counter: Counter, taken: Order
) -> None:
    for act in (counter.office.dispute, counter.office.lose_dispute):
        act(number_of(taken))
        counter.deliver()
    for minutes in (0, 30):
        tell(counter, minutes)
    found = Order.objects.get(pk=taken.pk)
    assert (found.payment_state, found.refunded) == ("refunded", Decimal("20.00"))
    assert "the money is gone" in found.problem
    assert counter.effects("refund") == []


def test_a_payment_may_be_disputed_again(counter: Counter, taken: Order) -> None:
    for act in (counter.office.dispute, counter.office.win_dispute, counter.office.dispute):
        act(number_of(taken))
        counter.deliver()
    assert len(history(taken, "problem")) == 3
    assert "is disputed" in Order.objects.get(pk=taken.pk).problem


def test_a_dispute_of_which_only_the_end_is_seen_is_none(counter: Counter, taken: Order) -> None:
    counter.office.dispute(number_of(taken))
    counter.office.win_dispute(number_of(taken))
    counter.letters.clear()
    pull.pull(counter.integration.pk, "payments")
    assert history(taken, "problem") == []
    assert Payment.objects.get(order=taken).state == "captured"
