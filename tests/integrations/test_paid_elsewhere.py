"""An order that was sold on one platform and paid at another: what becomes of its money is told where the money is, and
nowhere else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations import notices, pull
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
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
