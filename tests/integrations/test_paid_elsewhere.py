"""An order that was sold on one platform and paid at another, or at two: what becomes of its money is told where the
money is, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations import notices, pull
from finalmarket.integrations.models import DueNotice
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.orders import payments
from finalmarket.orders.models import Order
from finalmarket.orders.refunds import refund
from tests.integrations.counter import Counter
from tests.integrations.stalls import Account


def tell(account: Account, counter: Counter) -> None:
    """Let a worker find and tell both, now and once more after a while."""
    for minutes in (0, 30):
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            notices.find(timedelta(hours=5))
            for integration in (account.integration, counter.integration):
                notices.tell(integration.pk)


@pytest.fixture
def paid(account: Account, counter: Counter) -> Order:
    """Somebody bought two of a thing for 10.00 on the selling platform, which names the payment at the provider."""
    push(account.integration.pk)
    with account.shop.lock, counter.office.lock:
        number = account.shop.order(("TEA", 2))
        payment = counter.office.add_payment(Decimal("10.00"), state="taken", order=number)
        account.shop.state["orders"][number]["payment"] = payment
    for integration, stream in ((account.integration, "orders"), (counter.integration, "payments")):
        run = pull.pull(integration.pk, stream)
        assert run is not None
        assert run.outcome == "done", run.error
    order: Order = Order.objects.get(external_id=number)
    assert order.payments.get().external_id == payment
    return order


def test_money_goes_back_once_and_where_it_was_paid(account: Account, counter: Counter, paid: Order) -> None:
    refund(paid.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    tell(account, counter)
    assert [one["amount"] for one in counter.effects("refund")] == ["3.00"]
    assert account.effects("refund") == []


def test_what_the_provider_gave_back_by_hand_is_not_given_back_where_it_was_sold(
    account: Account, counter: Counter, paid: Order
) -> None:
    with counter.office.lock:
        counter.office._refund(paid.payments.get().external_id, {"amount": "4.00", "currency": "EUR"})
    pull.pull(counter.integration.pk, "payments")
    assert Order.objects.get(pk=paid.pk).refunded == Decimal("4.00")
    tell(account, counter)
    assert account.effects("refund") == []


def given_back(order: Order) -> dict[str, Decimal]:
    """What was given back of each payment, by the provider's name of it."""
    return dict(order.payments.values_list("external_id", "refunded"))


def test_what_one_of_two_providers_gave_back_is_not_given_back_by_the_other_as_well(
    account: Account, counter: Counter
) -> None:
    order = counter.order(("TEA", 2))
    with account.shop.lock, counter.office.lock:
        first = account.shop.add_payment(Decimal("10.00"), state="captured")
        account.shop.state["payments"][first] |= {"order": order.number, "captured": "10.00"}
        second = counter.office.add_payment(Decimal("10.00"), state="taken", order=order.number)
    pull.pull(account.integration.pk, "payments")
    pull.pull(counter.integration.pk, "payments")
    with counter.office.lock:
        counter.office._refund(second, {"amount": "10.00", "currency": "EUR"})
    pull.pull(counter.integration.pk, "payments")
    assert given_back(order) == {first: Decimal(0), second: Decimal("10.00")}
    tell(account, counter)
    assert not DueNotice.objects.filter(integration=account.integration, kind="refund").exists()
    assert [one["amount"] for one in counter.effects("refund")] == ["10.00"]


def test_what_a_provider_gave_back_is_not_put_on_the_gift_card_that_paid_the_rest(counter: Counter) -> None:
    order = counter.order(("TEA", 2))
    payments.receive(order.pk, tender="gift_card", amount=Decimal("10.00"), external_id="G1", actor="ann")
    with counter.office.lock:
        number = counter.office.add_payment(Decimal("10.00"), state="taken", order=order.number)
    pull.pull(counter.integration.pk, "payments")
    with counter.office.lock:
        counter.office._refund(number, {"amount": "4.00", "currency": "EUR"})
    pull.pull(counter.integration.pk, "payments")
    assert given_back(order) == {"G1": Decimal(0), number: Decimal("4.00")}
    order.refresh_from_db()
    assert (order.refunded, order.payment_state, order.problem) == (Decimal("4.00"), "partly_refunded", "")
