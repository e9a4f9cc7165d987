"""A refund that the provider makes and that fails days later: the buyer has no money, so a person hears of it, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations import dead_letters, notices, pull
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice
from finalmarket.kernel import clock
from finalmarket.orders.models import Order, Refund
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.platforms.stripe import Stripe
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.counter import Counter, history


@dataclass
class Sale:
    """An order of two teas for 20.00, paid at a bank."""

    bank: Stripe
    integration: ChannelIntegration
    order: Order
    payment: str

    def work(self, minutes: int = 0) -> None:
        """Workers hear the bank's news, and find, tell and look after what it is to hear, so many minutes from now."""
        pull.pull(self.integration.pk, "payments")
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            notices.find(timedelta(hours=5))
            notices.tell(self.integration.pk)
            notices.verify(self.integration.pk)

    def given_back(self) -> list[tuple[str, str]]:
        """The bank's refunds, each with how it stands."""
        return [(name, refund["status"]) for name, refund in self.bank.state["refunds"].items()]

    def problem(self) -> str:
        """What a person has to settle."""
        return str(Order.objects.get(pk=self.order.pk).problem)


@pytest.fixture
def sale(counter: Counter, world: World) -> Iterator[Sale]:
    bank = Stripe(world)
    with served(bank) as (address,):
        integration = ChannelIntegration.objects.create(
            platform_name=bank.slug, integration_type="payment", status="active", base_url=address,
            connected_at=clock.now(), push_from=clock.now(),
        )  # fmt: skip
        keep_secrets(integration, bank.credentials())
        order = counter.order(("TEA", 2))
        payment = bank.pay(2_000, order_id=order.number)
        pull.pull(integration.pk, "payments")
        assert order.payments.get().external_id == payment
        yield Sale(bank, integration, order, payment)


def test_a_refund_of_ours_that_fails_later_waits_for_a_person_and_can_be_asked_for_again(sale: Sale) -> None:
    refund(sale.order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    sale.work()
    sale.work(60)
    ((first, _),) = sale.given_back()
    assert DueNotice.objects.get(kind="refund").verified_at is not None
    sale.bank.fail_refund(first)
    for minutes in (120, 130):
        sale.work(minutes)
    words = f"the refund {first} failed at {sale.integration}: the money is not with the buyer"
    assert (sale.problem(), history(sale.order, "problem")) == (words, [words])
    letter = DeadLetter.objects.get()
    assert (letter.stream, letter.reason, letter.settled_at) == ("notice_refund", words, None)
    assert sale.given_back() == [(first, "failed")]

    dead_letters.replay(letter.pk, actor="ann")
    for minutes in (140, 200):
        sale.work(minutes)
    assert [status for _, status in sale.given_back()] == ["failed", "succeeded"]
    told = DueNotice.objects.get(kind="refund")
    assert (told.state, told.external_id) == ("sent", sale.given_back()[1][0])
    assert told.verified_at is not None
    assert [one.amount for one in Refund.objects.all()] == [Decimal("3.00")]
    assert not DeadLetter.objects.filter(settled_at=None).exists()


def test_a_refund_that_the_provider_made_by_hand_and_that_fails_later_stands_at_its_order(sale: Sale) -> None:
    name = sale.bank.give_back(sale.payment, 400)["id"]
    sale.work()
    assert Order.objects.get(pk=sale.order.pk).refunded == Decimal("4.00")
    sale.bank.fail_refund(name)
    sale.work(60)
    assert sale.problem() == f"the refund {name} failed at {sale.integration}: the money is not with the buyer"
    Order.objects.filter(pk=sale.order.pk).update(problem="")  # a person has settled it
    sale.bank.give_back(sale.payment, 100)
    sale.work(120)
    assert (sale.problem(), Order.objects.get(pk=sale.order.pk).refunded) == ("", Decimal("5.00"))
    assert not DeadLetter.objects.exists()


def test_a_refund_that_we_never_counted_and_that_fails_is_no_news(sale: Sale) -> None:
    sale.bank.fail_refund(sale.bank.give_back(sale.payment, 400)["id"])
    sale.work()
    assert (sale.problem(), Refund.objects.count(), DeadLetter.objects.count()) == ("", 0, 0)
