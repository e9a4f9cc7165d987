"""What was reserved is taken when goods leave: parcel by parcel where the provider takes a payment in parts, else all
of it with the last one; in sum what the order costs, whatever breaks off in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.errors import OutcomeUnknown
from finalmarket.connectors.platforms import paypal as connector
from finalmarket.connectors.platforms.paypal.words import HELD
from finalmarket.connectors.records import PaymentRecord
from finalmarket.integrations import budget, notices, pull
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.desk import pages
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment, payments
from finalmarket.orders.aftersales import cancel, cancel_units
from finalmarket.orders.models import Order
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.paypal import PayPal
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.counter import Counter


@dataclass
class Sale:
    """An order of three teas and a cup, 40.00 in all, paid on the page of a provider: the money is reserved."""

    counter: Counter
    provider: Any
    integration: ChannelIntegration
    order: Order

    def leave(self, **units: int) -> None:
        """So many pieces of each SKU leave in one parcel."""
        (parcel,) = self.order.fulfilments.filter(state="pending")
        lines = {line.pk: units.get(line.variant.sku, 0) for line in parcel.lines.select_related("variant")}
        fulfilment.ship(parcel.pk, actor="ann", quantities=lines)

    def tell(self, *minutes: int) -> None:
        """Let workers find and tell, so many minutes from now."""
        for later in minutes or (0,):
            with clock.steered(clock.now() + timedelta(minutes=later)):
                notices.find(timedelta(hours=5))
                notices.tell(self.integration.pk)

    def taken(self) -> list[str]:
        """What the provider took, each time."""
        entries = self.provider.world.journal.entries(platform=self.provider.slug, what="effect", name="capture")
        return [entry.facts["amount"] for entry in entries]

    def is_held(self) -> bool:
        """Whether anything of the buyer's money is reserved there still."""
        (name,) = {payments.name_at_provider(payment) for payment in self.order.payments.all()}
        (unit,) = self.provider.order(name)["purchase_units"]
        return any(hold["status"] in HELD for hold in unit["payments"]["authorizations"])

    def books(self) -> list[tuple[str, Decimal]]:
        """Our payments of the order."""
        return list(self.order.payments.order_by("-state", "pk").values_list("state", "amount"))


@pytest.fixture
def sale(counter: Counter, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sale]:
    """At a provider that takes a payment in parts. Minutes pass by hand here, and so do the pauses for its limits."""
    monkeypatch.setitem(budget.SharedBudget.__init__.__kwdefaults__ or {}, "pause", lambda seconds: None)
    provider = PayPal(world)
    with served(provider, most_seconds_silent=0.2) as (address,):
        integration = ChannelIntegration.objects.create(
            platform_name=provider.slug, integration_type="payment", status="active", base_url=address,
            connected_at=clock.now(), push_from=clock.now(),
        )  # fmt: skip
        keep_secrets(integration, provider.credentials())
        order = counter.order(("TEA", 3), ("CUP", 1))
        page = pages.start_payment(order.pk, integration, actor="ann")
        provider.approve(page.external_id)
        assert pages.finish(page.pk) == "updated"
        yield Sale(counter, provider, integration, order)


def test_each_parcel_takes_what_it_holds_and_the_last_one_the_rest(sale: Sale) -> None:
    sale.leave(TEA=1)
    sale.tell(0, 1, 30)
    assert sale.taken() == ["10.00"]
    assert sale.books() == [("captured", Decimal("10.0000")), ("authorised", Decimal("30.0000"))]
    sale.leave(TEA=1, CUP=1)
    sale.tell(0, 30)
    assert sale.taken() == ["10.00", "20.00"]
    sale.leave(TEA=1)
    sale.tell(0, 30)
    assert sale.taken() == ["10.00", "20.00", "10.00"]
    assert sum(amount for _, amount in sale.books()) == Decimal(40)
    assert {state for state, _ in sale.books()} == {"captured"}
    assert Order.objects.get(pk=sale.order.pk).payment_state == "paid"
    assert DeadLetter.objects.count() == 0


def test_what_the_provider_tells_of_parts_is_no_news(sale: Sale) -> None:
    for units in ({"TEA": 1}, {"TEA": 2, "CUP": 1}):
        sale.leave(**units)
        sale.tell(0)
        before = sale.books()
        pull.pull(sale.integration.pk, "payments")
        assert sale.books() == before
    sale.tell(30)
    assert sale.taken() == ["10.00", "30.00"]


def test_a_part_that_was_taken_there_by_hand_is_booked_and_not_taken_again(sale: Sale) -> None:
    hold = sale.provider.order(sale.order.payments.get().external_id)["purchase_units"][0]["payments"]
    with sale.provider.lock:
        sale.provider.capture(hold["authorizations"][0]["id"], {"currency_code": "EUR", "value": "10.00"})
    pull.pull(sale.integration.pk, "payments")
    assert sale.books() == [("captured", Decimal("10.0000")), ("authorised", Decimal("30.0000"))]
    sale.leave(TEA=2)
    sale.tell(0, 30)
    assert sale.taken() == ["10.00", "10.00"]


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.TIME_OUT, Fault.RESET_AFTER, Fault.RESET_BEFORE])
def test_a_part_whose_answer_got_lost_is_taken_once(sale: Sale, fault: Fault) -> None:
    sale.leave(TEA=1)
    sale.provider.faults.then(fault)
    sale.tell(0)
    sale.leave(TEA=2, CUP=1)
    sale.tell(0, 30, 60)
    assert sum(map(Decimal, sale.taken())) == Decimal(40)
    assert sum(amount for state, amount in sale.books() if state == "captured") == Decimal(40)
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize(
    "place",
    ["notices.after_claim", "notices.before_send", "http.after_send", "notices.after_send", "parts.before_book",
     "parts.after_book", "notices.within_settle"],
)  # fmt: skip
@pytest.mark.parametrize("next_parcel_first", [False, True])
def test_a_worker_that_breaks_off_takes_no_part_twice(sale: Sale, place: str, next_parcel_first: bool) -> None:
    sale.leave(TEA=1)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        sale.tell(0)
    if not next_parcel_first:
        sale.tell(30)
        assert sale.taken() == ["10.00"]
    sale.leave(TEA=2, CUP=1)
    sale.tell(0, 30, 60)
    assert sum(map(Decimal, sale.taken())) == Decimal(40)
    assert {state for state, _ in sale.books()} == {"captured"}
    assert DeadLetter.objects.count() == 0


def test_what_is_called_off_after_a_part_left_is_let_go(sale: Sale) -> None:
    sale.leave(TEA=1)
    sale.tell(0)
    cancel(sale.order.pk, reason="the rest is broken", actor="ann")
    sale.tell(0, 30)
    assert (sale.taken(), sale.is_held()) == (["10.00"], False)
    order = Order.objects.get(pk=sale.order.pk)
    assert (order.state, order.total, order.payment_state) == ("fulfilled", Decimal("10.00"), "paid")
    before = sale.books()
    assert before == [("voided", Decimal("30.0000")), ("captured", Decimal("10.0000"))]
    pull.pull(sale.integration.pk, "payments")
    sale.tell(60)
    assert (sale.books(), DeadLetter.objects.count()) == (before, 0)


@pytest.mark.parametrize("leaves_in", [1, 2])
def test_what_was_called_off_before_the_last_parcel_is_let_go_with_it(sale: Sale, leaves_in: int) -> None:
    cup = sale.order.lines.get(variant__sku="CUP")
    cancel_units(sale.order.pk, {cup.pk: 1}, key="cup", reason="broken", actor="ann")
    if leaves_in == 2:
        sale.leave(TEA=1)
        sale.tell(0)
        assert sale.is_held()
    (parcel,) = sale.order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")
    sale.tell(0, 30)
    assert (sum(map(Decimal, sale.taken())), sale.is_held()) == (Decimal(30), False)
    assert sum(amount for state, amount in sale.books() if state == "captured") == Decimal(30)
    assert DeadLetter.objects.count() == 0


def test_what_a_person_does_not_capture_is_let_go(sale: Sale) -> None:
    payments.capture(sale.order.payments.get().pk, amount=Decimal(25), actor="ann")
    sale.tell(0, 30)
    assert (sale.taken(), sale.is_held(), sale.books()) == (["25.00"], False, [("captured", Decimal("25.0000"))])
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize("is_done", [True, False])
def test_a_rest_whose_letting_go_got_lost_is_let_go_all_the_same(
    sale: Sale, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    let_go = connector.PayPal.cancel_payment

    def gets_lost(there: connector.PayPal, payment_id: str, key: str) -> PaymentRecord:
        if is_done:
            let_go(there, payment_id, key)
        raise OutcomeUnknown("no answer in time")

    payments.capture(sale.order.payments.get().pk, amount=Decimal(25), actor="ann")
    with monkeypatch.context() as patch:
        patch.setattr(connector.PayPal, "cancel_payment", gets_lost)
        sale.tell(0)
    sale.tell(30)
    assert (sale.taken(), sale.is_held()) == (["25.00"], False)
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.NOT_APPLIED])
def test_what_was_called_off_is_let_go_whatever_breaks_off(sale: Sale, fault: Fault) -> None:
    sale.leave(TEA=1)
    sale.tell(0)
    cancel(sale.order.pk, reason="the rest is broken", actor="ann")
    sale.tell(0)
    sale.provider.faults.then(fault)
    sale.tell(1, 30)
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert (notices.verify(sale.integration.pk) > 0) == (fault is Fault.NOT_APPLIED)
    sale.tell(90)
    assert (sale.taken(), sale.is_held()) == (["10.00"], False)
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize("place", ["takings.before_void", "takings.after_void"])
def test_what_was_called_off_is_let_go_though_a_worker_is_killed(sale: Sale, place: str) -> None:
    sale.leave(TEA=1)
    sale.tell(0)
    cancel(sale.order.pk, reason="the rest is broken", actor="ann")
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        sale.tell(0)
    sale.tell(30, 60)
    assert (sale.taken(), sale.is_held()) == (["10.00"], False)
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize("place", ["notices.before_send", "http.after_send", "notices.after_send"])
def test_no_rest_is_let_go_while_a_parts_answer_is_lost_and_more_is_due(sale: Sale, place: str) -> None:
    sale.leave(TEA=1)
    sale.provider.faults.then(Fault.ERROR_AFTER)
    sale.tell(0)
    sale.leave(TEA=2, CUP=1)
    DueNotice.objects.update(next_try_at=clock.now() + timedelta(hours=1))  # of the first parcel's part
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        sale.tell(0)
    sale.tell(30, 90)
    assert sum(map(Decimal, sale.taken())) == Decimal(40)
    assert sum(amount for state, amount in sale.books() if state == "captured") == Decimal(40)


def test_a_part_can_be_given_back(sale: Sale) -> None:
    sale.leave(TEA=1)
    sale.tell(0)
    refund(sale.order.pk, Decimal("4.00"), key="scratched", reason="scratched", actor="ann")
    sale.tell(5, 30)
    entries = sale.provider.world.journal.entries(platform=sale.provider.slug, what="effect", name="refund")
    assert [entry.facts["amount"] for entry in entries] == ["4.00"]


def test_shipping_is_taken_with_the_first_parcel(sale: Sale) -> None:
    from finalmarket.orders.aftersales import worth_of_what_left

    Order.objects.filter(pk=sale.order.pk).update(shipping=Decimal(5), total=Decimal(45))
    assert worth_of_what_left(Order.objects.get(pk=sale.order.pk)) == 0
    sale.leave(TEA=1)
    assert worth_of_what_left(Order.objects.get(pk=sale.order.pk)) == Decimal(15)
    sale.leave(TEA=2, CUP=1)
    assert worth_of_what_left(Order.objects.get(pk=sale.order.pk)) == Decimal(45)


def test_a_part_of_nothing_is_refused(sale: Sale) -> None:
    payment = sale.order.payments.get()
    with pytest.raises(UserError, match="above zero"):
        payments.take_part(payment.pk, Decimal(0), actor="ann")
    assert payments.take_part(payment.pk, Decimal(50), actor="ann").amount == Decimal(40)
    with pytest.raises(UserError, match="cannot be captured"):
        payments.take_part(payment.pk, Decimal(5), actor="ann")


def test_elsewhere_all_is_taken_with_the_last_parcel(counter: Counter) -> None:
    order = counter.order(("TEA", 3), ("CUP", 1))
    page = pages.start_payment(order.pk, counter.integration, actor="ann")
    httpx2.get(page.approve_url)
    pages.finish(page.pk)
    sale = Sale(counter, counter.office, counter.integration, order)
    sale.leave(TEA=1)
    sale.tell(0, 30)
    assert counter.effects("payment", state="taken") == []
    sale.leave(TEA=2, CUP=1)
    sale.tell(0, 30)
    assert [one["amount"] for one in counter.effects("payment", state="taken")] == ["40.00"]
