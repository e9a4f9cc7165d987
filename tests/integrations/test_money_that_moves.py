"""Money at a payment provider: what it took is a fact, and what it said it gave back is looked for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.platforms.fake import Fake
from finalmarket.connectors.records import PaymentRecord
from finalmarket.integrations import breaker, notices, pull
from finalmarket.integrations.models import DeadLetter, DueNotice, ExternalId, IntegrationHealth
from finalmarket.kernel import clock
from finalmarket.orders import aftersales, fulfilment, payments, returns
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, OrderLine, Payment, Refund
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account
from tests.orders.market import draft, line

pytestmark = pytest.mark.committed_database


@pytest.fixture
def held(account: Account) -> Payment:
    """An order of our own shop, of four teas for 20.00, paid by an amount that is held at the platform."""
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("20.00"))
    order = take(draft(account.channel, "own-1", line("TEA", 4, "5.00"), tenders=())).order
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("20.00"), external_id=number, actor="checkout")
    ExternalId.objects.create(
        integration=account.integration, kind="payment", external_id=number, local_id=payment.pk
    )  # fmt: skip
    return payment


def tell(account: Account, minutes: int = 0) -> None:
    """Let a worker find and tell, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        notices.find(timedelta(hours=5))
        notices.tell(account.integration.pk)


def ship_all_and_take_one_back(order: Order) -> None:
    """Three of the four teas are kept."""
    (parcel,) = order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    tea = OrderLine.objects.get(order=order)
    returns.take_return(order.pk, [returns.Back(tea.pk, 1)], key="one", reason="too many", actor="ann")


def moved(account: Account, name: str) -> list[str]:
    """The amounts that moved at the platform."""
    return [one["amount"] for one in account.effects(name)]


def test_what_was_taken_though_less_is_due_by_now_is_booked_and_given_back(account: Account, held: Payment) -> None:
    """A merchant takes all of it by hand over there, while a tea comes back here."""
    ship_all_and_take_one_back(held.order)
    with account.shop.lock:
        account.shop._settle(held.external_id, "captured", "20.00")
        account.shop.state["payments"][held.external_id]["order"] = held.order.number
    pull.pull(account.integration.pk, "payments")
    held.refresh_from_db()
    assert (held.state, held.amount) == ("captured", Decimal("20.00"))
    assert [one.amount for one in Refund.objects.filter(payment=held)] == [Decimal("5.00")]
    assert DueNotice.objects.filter(kind="refund", external_id="heard").count() == 0  # the provider has yet to be told
    pull.pull(account.integration.pk, "payments")
    assert Refund.objects.count() == 1
    assert not DeadLetter.objects.exists()


def test_what_was_taken_before_its_answer_was_lost_is_booked_and_what_is_too_much_given_back(
    account: Account, held: Payment
) -> None:
    (parcel,) = held.order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    account.shop.faults.then(Fault.ERROR_AFTER)
    tell(account)
    assert moved(account, "payment") == ["20.00"]
    tea = OrderLine.objects.get(order=held.order)
    returns.take_return(held.order.pk, [returns.Back(tea.pk, 1)], key="one", reason="too many", actor="ann")
    tell(account, 30)
    held.refresh_from_db()
    assert (held.state, held.amount) == ("captured", Decimal("20.00"))
    assert [one.amount for one in Refund.objects.filter(payment=held)] == [Decimal("5.00")]
    assert moved(account, "payment") == ["20.00"]
    assert not DeadLetter.objects.exists()


def test_what_the_platform_said_yes_to_and_did_not_take_is_asked_for_again(
    account: Account, held: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parcel,) = held.order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")

    def says_yes(there: Fake, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord | None:
        return there.pull_payment(payment_id)

    with monkeypatch.context() as patch:
        patch.setattr(Fake, "capture_payment", says_yes)
        tell(account)
    held.refresh_from_db()
    assert (held.state, moved(account, "payment")) == ("authorised", [])
    assert not DeadLetter.objects.exists()
    assert not IntegrationHealth.objects.exclude(failures_in_row=0).exists()
    tell(account, 30)
    held.refresh_from_db()
    assert (held.state, moved(account, "payment")) == ("captured", ["20.00"])


def test_a_payment_that_the_platform_does_not_show_at_this_moment_is_taken_a_little_later(
    account: Account, held: Payment
) -> None:
    (parcel,) = held.order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    hidden = account.shop.state["payments"].pop(held.external_id)
    tell(account)
    account.shop.state["payments"][held.external_id] = hidden
    assert not DeadLetter.objects.exists()
    assert breaker.may_call(account.integration.pk)
    tell(account, 2)
    assert moved(account, "payment") == ["20.00"]


def test_a_payment_that_the_platform_has_not_got_is_put_before_a_person(account: Account, held: Payment) -> None:
    (parcel,) = held.order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    account.shop.state["payments"].pop(held.external_id)
    tell(account)
    tell(account, 15)
    assert DeadLetter.objects.get().stream == "notice_capture"


def test_an_authorisation_of_which_nothing_is_due_any_more_is_let_go(account: Account) -> None:
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("10.00"))
    order = take(draft(account.channel, "own-1", line("TEA", 4, "5.00"), tenders=())).order
    payments.receive(order.pk, tender="gift_card", amount=Decimal("10.00"), external_id="gift", actor="checkout")
    held = payments.authorise(order.pk, tender="card", amount=Decimal("10.00"), external_id=number, actor="checkout")
    ExternalId.objects.create(
        integration=account.integration, kind="payment", external_id=number, local_id=held.pk
    )  # fmt: skip
    tea = OrderLine.objects.get(order=order)
    aftersales.cancel_units(order.pk, {tea.pk: 2}, key="two", reason="broken", actor="ann")
    (parcel,) = order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    tell(account)
    tell(account, 30)
    held.refresh_from_db()
    assert (held.state, account.shop.state["payments"][number]["state"]) == ("voided", "voided")
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize(("cups", "goes_back"), [(1, ["5.00"]), (2, [])])
def test_what_pays_for_goods_sent_in_exchange_is_not_given_back_besides(
    account: Account, cups: int, goes_back: list[str]
) -> None:
    with account.shop.lock:
        account.shop.order(("TEA", 2))
    pull.pull(account.integration.pk, "orders")
    order = Order.objects.get(source=f"integration:{account.integration.pk}")
    (parcel,) = order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    goods = [returns.Back(OrderLine.objects.get(order=order).pk, 2)]
    returns.exchange(order.pk, goods, [line("CUP", cups, "5.00")], key="x", reason="cups", actor="ann", received=True)
    tell(account)
    assert (sum(one.amount for one in Refund.objects.all()), moved(account, "refund")) == (Decimal("10.00"), goes_back)


def sold_there(account: Account) -> Order:
    """Somebody bought on the platform, and gets some money back."""
    with account.shop.lock:
        account.shop.order(("TEA", 2))
    pull.pull(account.integration.pk, "orders")
    order: Order = Order.objects.get(source=f"integration:{account.integration.pk}")
    refund(order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    return order


def test_a_refund_that_the_platform_said_yes_to_and_did_not_make_is_asked_for_once_more(account: Account) -> None:
    sold_there(account)
    account.shop.faults.then(Fault.NOT_APPLIED)
    tell(account)
    assert moved(account, "refund") == []
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert notices.verify(account.integration.pk) == 1
    tell(account, 90)
    assert moved(account, "refund") == ["3.00"]
    with clock.steered(clock.now() + timedelta(hours=3)):
        assert notices.verify(account.integration.pk) == 0


def test_a_refund_is_not_asked_for_again_when_its_key_may_be_forgotten(account: Account) -> None:
    sold_there(account)
    account.shop.faults.then(Fault.NOT_APPLIED)
    tell(account)
    with clock.steered(clock.now() + timedelta(hours=13)):
        assert notices.verify(account.integration.pk) == 0
