"""Customers and payments come in from the platform: the newest version stands, and money is counted once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import PaymentRecord, RefundRecord
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations import jobs
from finalmarket.integrations.budget import SharedBudget
from finalmarket.integrations.models import DeadLetter, ExternalId, StreamCursor, SyncRun
from finalmarket.integrations.payments_in import take_payments
from finalmarket.integrations.pull import pull
from finalmarket.integrations.storing import intake
from finalmarket.kernel import clock
from finalmarket.orders import payments
from finalmarket.orders.drafts import LineDraft, OrderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment, Refund
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account
from tests.waiting import arguments_of

pytestmark = pytest.mark.committed_database


def run(account: Account, stream: str = "orders") -> SyncRun:
    """Pull, and the run that came of it."""
    found = pull(account.integration.pk, stream)
    assert found is not None
    return found


def buy(account: Account, *lines: tuple[str, int], **words: Any) -> str:
    """Somebody buys on the platform."""
    with account.shop.lock:
        return account.shop.order(*lines, **words)


def test_customers_come_in_once_and_the_newest_version_stands(account: Account) -> None:
    with account.shop.lock:
        account.shop._customer({"id": "C1", "name": "Ann", "email": "ann@example.com"})
    run(account, "customers")
    known = ExternalId.objects.get(kind="customer")
    with account.shop.lock:
        account.shop._customer({"id": "C1", "name": "Ann Smith", "phone": "+493012345678"})
    assert run(account, "customers").changed_count == 1
    assert run(account, "customers").seen_count == 0
    ann = OmnichannelCustomer.objects.get(pk=known.local_id)
    assert (ann.name, ann.email, ann.phone) == ("Ann Smith", "ann@example.com", "+493012345678")
    values = set(ann.identities.values_list("kind", "value"))
    assert ("account", f"integration:{account.integration.pk}:C1") in values


def test_a_payment_is_applied_to_the_order_that_it_names_and_once(account: Account) -> None:
    line = LineDraft(sku="TEA", unit_price=Decimal("5.00"))
    order = take(
        OrderDraft(channel_id=account.channel.pk, external_id="WEB-1", currency="EUR", placed_at=clock.now(),
                   lines=(line,))
    ).order  # fmt: skip
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("5.00"))
        account.shop.state["payments"][number]["order"] = order.number
    run(account, "payments")
    payment = Payment.objects.get(order=order)
    assert (payment.state, payment.external_id) == ("authorised", number)
    with account.shop.lock:
        account.shop._settle(number, "captured", "5.00")
    run(account, "payments")
    StreamCursor.objects.filter(stream="payments").update(cursor="")
    run(account, "payments")
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.payment_state, Payment.objects.filter(order=order).count()) == ("captured", "paid", 1)


def test_a_payment_of_an_order_that_is_not_there_yet_waits_for_it(account: Account) -> None:
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("5.00"), state="captured")
        account.shop.state["payments"][number] |= {"order": "LATER", "captured": "5.00"}
    run(account, "payments")
    assert DeadLetter.objects.get(stream="payments").reason == "waits for order LATER"


def test_a_payment_that_names_no_order_is_none_of_ours(account: Account) -> None:
    with account.shop.lock:
        account.shop.add_payment(Decimal("5.00"))
    assert run(account, "payments").outcome == "done"
    assert not DeadLetter.objects.exists()


def queued(name: str) -> list[dict[str, Any]]:
    """The arguments of the jobs of that name that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [name])
        return [arguments_of(args) for (args,) in cursor.fetchall()]


def test_a_payment_that_a_page_left_out_comes_in_with_the_second_look_of_the_hour(account: Account) -> None:
    order = take(
        OrderDraft(channel_id=account.channel.pk, external_id="WEB-1", currency="EUR", placed_at=clock.now(),
                   lines=(LineDraft(sku="TEA", unit_price=Decimal("5.00")),))
    ).order  # fmt: skip
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("5.00"))
        account.shop.state["payments"][number]["order"] = order.number
        left_out = account.shop.state["payments"].pop(number)
        account.shop.add_payment(Decimal("1.00"))
    run(account, "payments")
    account.shop.state["payments"][number] = left_out
    assert run(account, "payments").seen_count == 0  # the cursor has passed it
    jobs.look_back()
    looks = queued("integrations.backfill")
    assert [look["stream"] for look in looks] == ["orders", "customers", "payments"]
    for look in looks:
        jobs.backfill(**look)
    assert Payment.objects.get(order=order).external_id == number


@pytest.mark.parametrize(("fault", "seconds"), [(Fault.ERROR_BEFORE, 120), (None, 20)])
def test_a_second_look_that_was_broken_off_goes_on_where_it_ended(
    account: Account, fault: Fault | None, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a platform that is in trouble, or because this account's calls are used up for now."""
    since = clock.days_ago(1).isoformat()
    look: dict[str, Any] = {"integration": account.integration.pk, "since": since, "stream": "payments"}
    if fault:
        account.shop.faults.then(fault)
        jobs.backfill(**look)
    else:
        with monkeypatch.context() as patch:
            patch.setattr(SharedBudget, "take", used_up)
            jobs.backfill(**look)
    (waiting,) = queued("integrations.backfill")
    assert waiting == {**look, "is_hourly": False}
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs WHERE args ? 'since'")
        ((wait,),) = cursor.fetchall()
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert abs(int(wait) - seconds) <= 5
    jobs.backfill(**waiting)
    assert queued("integrations.backfill") == []


def used_up(budget: SharedBudget, bucket: str, rate: Rate, cost: float) -> None:
    """There are no calls left."""
    raise RetryLater("used up", code=NOT_ASKED)


def test_a_callback_and_a_webhook_of_one_payment_take_effect_once(account: Account) -> None:
    number = buy(account, ("TEA", 1))
    with account.shop.lock:
        account.shop.state["orders"][number]["payment"] = "P-77"
    run(account)  # the order brings the payment along
    record = PaymentRecord(
        external_id="P-77", version="000000000009", amount=Decimal("5.00"), currency="EUR", state="captured",
        captured=Decimal("5.00"), order_id=number,
    )  # fmt: skip
    for _ in range(2):
        with intake(account.integration, "payments"):
            (stored,) = take_payments(account.integration, [record])
        assert stored.outcome == "unchanged"
    assert Payment.objects.get().amount == Decimal("5.00")


def test_what_a_provider_paid_back_is_booked_once(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    run(account)
    record = PaymentRecord(
        external_id=f"{number}-P", version="1", amount=Decimal("10.00"), currency="EUR", state="refunded",
        captured=Decimal("10.00"), order_id=number, refunds=(RefundRecord(external_id="R9", amount=Decimal("4.00")),),
    )  # fmt: skip
    for version in ("1", "2"):
        with intake(account.integration, "payments"):
            take_payments(account.integration, [replace(record, version=version)])
    assert Order.objects.get().refunded == Decimal("4.00")
    assert Refund.objects.count() == 1


def test_more_than_came_in_by_a_payment_is_complained_of_and_taken_from_no_other(account: Account) -> None:
    order = take(
        OrderDraft(channel_id=account.channel.pk, external_id="WEB-1", currency="EUR", placed_at=clock.now(),
                   lines=(LineDraft(sku="TEA", quantity=2, unit_price=Decimal("5.00")),))
    ).order  # fmt: skip
    payments.receive(order.pk, tender="cash", amount=Decimal("5.00"), external_id="till-1", actor="ann")
    record = PaymentRecord(
        external_id="P-1", version="1", amount=Decimal("5.00"), currency="EUR", state="refunded",
        captured=Decimal("5.00"), order_id=order.number,
        refunds=(RefundRecord(external_id="R1", amount=Decimal("4.00")),
                 RefundRecord(external_id="R2", amount=Decimal("2.00"))),
    )  # fmt: skip
    with intake(account.integration, "payments"):
        take_payments(account.integration, [record])
    given = dict(order.payments.values_list("tender", "refunded"))
    assert given == {"cash": Decimal(0), "card": Decimal("5.00")}
    order.refresh_from_db()
    assert order.refunded == Decimal("5.00")
    assert "the provider gave back 2.00, 1.0000 was left to give back" in order.problem
