"""Agents' payments at a bank, over HTTP: reserved once, ordered once, let go where nothing can be ordered; and what the
agent's platform hears of the order afterwards."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from finalmarket.access import rates
from finalmarket.access.models import IdempotentCall
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import completing, doors
from finalmarket.integrations.models import AgentDoor, AgentSession, ChannelIntegration, ExternalId
from finalmarket.integrations.outgoing import announce, guard
from finalmarket.integrations.outgoing.deliver import deliver
from finalmarket.integrations.privacy.erase import erase
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment
from finalmarket.sandbox.platforms.stripe import Stripe
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger
from tests.doors.agent import HOME, WEBHOOK, Agent, judge, let_in
from tests.doors.stories import assert_one_sale, stand
from tests.integrations.receivers import Receiver, receiving
from tests.laws.cut_off import cut_off
from tests.orders.market import Market, draft, line, open_market, together

pytestmark = pytest.mark.committed_database
DETAILS = {"address": HOME, "email": "ann@example.com"}
TOTAL = 11_900


@dataclass
class Shop:
    """A shop whose agents pay by card."""

    market: Market
    channel: SalesChannel
    agent: Agent
    door: AgentDoor
    coat: Variant
    bank: Stripe
    account: ChannelIntegration

    def begin(self) -> str:
        """A checkout of one coat."""
        return str(self.agent.begin("COAT-M", fulfillment_details=DETAILS)["id"])

    def states(self) -> list[str]:
        """What the bank has of us."""
        return [one.state for one in self.bank.money().values()]


@pytest.fixture
def shop(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """One coat is left; payments go to a bank of the sandbox."""
    rates.forget()
    monkeypatch.setenv(guard.VARIABLE, "127.0.0.0/8")
    market = open_market()
    channel = SalesChannel.objects.create(name="Assistants", channel_type="chat", country="DE")
    coat = market.goods("COAT-M", price="119.00", warehouse=1)
    channel.add_product(market.product)
    agent, door = let_in(channel)
    bank = Stripe(World())
    with served(bank) as (address,):
        account = ChannelIntegration.objects.create(platform_name="Stripe", integration_type="payment")
        account.connect({**bank.credentials(), "base_url": address})
        account.refresh_from_db()
        doors.change_door(door, payment=account.pk, links={"terms_of_use": "https://shop.example/terms"})
        yield Shop(market, channel, agent, door, coat, bank, account)
    rates.forget()


def test_a_token_of_the_bank_is_reserved_and_the_order_is_authorised(shop: Shop) -> None:
    before = stand(shop.channel, "COAT-M")
    begun = shop.agent.begin("COAT-M", fulfillment_details=DETAILS)
    assert [one["id"] for one in begun["capabilities"]["payment"]["handlers"]] == ["card_tokenized"]
    assert begun["links"] == [{"type": "terms_of_use", "url": "https://shop.example/terms"}]
    shop.agent.complete(begun["id"], shop.bank.grant(TOTAL), handler="card_tokenized")
    (payment,) = Payment.objects.all()
    assert (payment.state, payment.amount, payment.tender) == ("authorised", Decimal("119.00"), "card")
    assert ExternalId.objects.get(kind="payment").local_id == payment.pk
    assert shop.states() == ["held"]
    assert AgentSession.objects.get().encrypted is None
    order = assert_one_sale(shop.channel, "COAT-M", 1, before=before, customer="ann@example.com")
    assert order.payment_state == Order.PaymentState.AUTHORISED


@pytest.mark.parametrize("wrong", ["declined", "too little", "nobody's"])
def test_a_token_that_the_bank_refuses_orders_nothing(shop: Shop, wrong: str) -> None:
    token = shop.begin()
    given = {"declined": shop.bank.grant(TOTAL, is_declined=True), "too little": shop.bank.grant(1)}.get(wrong, "spt_x")
    assert shop.agent.complete(token, given, handler="card_tokenized", status=402)["code"] == "payment_declined"
    assert (Order.objects.count(), shop.states()) == (0, [])
    shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized")
    assert (Order.objects.count(), shop.states()) == (1, ["held"])


def test_whoever_dies_after_the_charge_charges_and_orders_once_all_the_same(shop: Shop) -> None:
    token, paid = shop.begin(), shop.bank.grant(TOTAL)
    with failpoints.armed("agents.after_charge:raise"):
        answer = shop.agent.complete(token, paid, handler="card_tokenized", key="k", status=500)
    assert answer["type"] == "processing_error"
    assert (Order.objects.count(), shop.states()) == (0, ["held"])
    assert not IdempotentCall.objects.filter(status=200).exists()
    assert shop.agent.show(token)["status"] == "complete_in_progress"
    assert shop.agent.complete(token, paid, handler="card_tokenized", key="k", status=409)["code"] == (
        "idempotency_in_flight"
    )
    with clock.steered(clock.now() + completing.LEASE):
        done = shop.agent.complete(token, paid, handler="card_tokenized", key="k")
    assert done["status"] == "completed"
    assert (Order.objects.count(), Payment.objects.count(), shop.states()) == (1, 1, ["held"])


@pytest.mark.parametrize("place", ["agents.before_charge", "agents.after_charge"])
def test_a_process_that_is_killed_while_it_charges_charges_and_orders_once_all_the_same(shop: Shop, place: str) -> None:
    token, paid = shop.begin(), shop.bank.grant(TOTAL)
    complete = partial(shop.agent.complete, token, paid, handler="card_tokenized", key="k")
    assert cut_off(complete, f"{place}@1") == ""
    assert shop.agent.show(token)["status"] == "complete_in_progress"
    with clock.steered(clock.now() + completing.LEASE):
        assert complete()["status"] == "completed"
    assert (Order.objects.count(), Payment.objects.count(), shop.states()) == (1, 1, ["held"])


def test_a_worker_goes_on_where_nobody_asks_again(shop: Shop) -> None:
    token = shop.begin()
    with failpoints.armed("agents.after_charge:raise"):
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=500)
    assert completing.go_on() == 0
    with clock.steered(clock.now() + completing.LEASE):
        assert completing.go_on() == 1
    assert shop.agent.show(token)["status"] == "completed"
    assert (Order.objects.count(), shop.states()) == (1, ["held"])


@pytest.mark.parametrize("place", ["agents.before_charge", "agents.after_charge"])
def test_a_payment_that_may_have_been_made_is_not_made_anew_while_its_account_is_paused(shop: Shop, place: str) -> None:
    token = shop.begin()
    with failpoints.armed(f"{place}:raise"):
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=500)
    before = shop.states()
    ChannelIntegration.objects.update(status="paused")
    with clock.steered() as time:
        time.advance(completing.LEASE)
        assert completing.go_on() == 1
        time.advance(completing.LEASE)
        waits = shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=503)
        assert (waits["code"], shop.agent.show(token)["status"]) == ("payment_unknown", "complete_in_progress")
        assert shop.states() == before
        ChannelIntegration.objects.update(status="active")
        time.advance(completing.LEASE)
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized")
    assert (Order.objects.count(), Payment.objects.count(), shop.states()) == (1, 1, ["held"])


@pytest.mark.parametrize("other", [True, False])
def test_a_payment_that_was_begun_is_finished_at_its_own_account(shop: Shop, other: bool) -> None:
    token = shop.begin()
    with failpoints.armed("agents.after_charge:raise"):
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=500)
    bank = ChannelIntegration.objects.create(platform_name="Stripe", integration_type="payment", status="active")
    doors.change_door(shop.door, payment=bank.pk if other else None, links={})
    with clock.steered(clock.now() + completing.LEASE):
        assert completing.go_on() == 1
    assert shop.agent.show(token)["status"] == "completed"
    assert (ExternalId.objects.get(kind="payment").integration, shop.states()) == (shop.account, ["held"])


def test_a_payment_whose_account_is_gone_is_not_made_anew(shop: Shop) -> None:
    token = shop.begin()
    with failpoints.armed("agents.after_charge:raise"):
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=500)
    shop.account.delete()
    with clock.steered(clock.now() + completing.LEASE):
        assert completing.go_on() == 1
    assert shop.agent.show(token)["status"] == "complete_in_progress"
    assert (Order.objects.count(), shop.states()) == (0, ["held"])


def test_what_was_reserved_is_let_go_where_the_goods_are_gone(shop: Shop) -> None:
    token = shop.begin()
    with failpoints.armed("agents.after_charge:raise"):
        shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=500)
    (hold,) = shop.channel.reservations.filter(state="held").values_list("pk", flat=True)
    ledger.release([hold], actor="test", reason="gone")
    ledger.adjust(shop.coat.pk, shop.market.warehouse.pk, -1, actor="test", reason="stolen")
    with clock.steered(clock.now() + completing.LEASE):
        refused = shop.agent.complete(token, "any", handler="card_tokenized", status=409)
    assert refused["code"] == "out_of_stock"
    assert (Order.objects.count(), shop.states()) == (0, ["let_go"])
    assert shop.agent.show(token)["status"] == "not_ready_for_payment"


def test_of_many_who_complete_at_once_one_does(shop: Shop) -> None:
    token, paid = shop.begin(), [shop.bank.grant(TOTAL) for _ in range(4)]

    def complete(number: int) -> int:
        body = {
            "buyer": {"email": "ann@example.com"},
            "payment_data": {
                "handler_id": "card_tokenized",
                "instrument": {"type": "card", "credential": {"type": "spt", "token": paid[number]}},
            },
        }
        return Agent(shop.agent.key).call("POST", f"checkout_sessions/{token}/complete", body).status

    answers = together(complete, 4)
    assert answers.count(200) == 1, answers
    assert set(answers) <= {200, 405, 409}
    assert (Order.objects.count(), shop.states()) == (1, ["held"])


def test_two_agents_never_buy_the_same_last_coat(shop: Shop) -> None:
    first = shop.begin()
    second = shop.agent.begin("COAT-M", fulfillment_details=DETAILS)
    assert second["status"] == "not_ready_for_payment"
    shop.agent.complete(first, shop.bank.grant(TOTAL), handler="card_tokenized")
    assert shop.agent.complete(second["id"], shop.bank.grant(TOTAL), handler="card_tokenized", status=409)["code"] == (
        "out_of_stock"
    )
    assert (Order.objects.count(), shop.states()) == (1, ["held"])


def test_an_account_that_is_paused_charges_nothing(shop: Shop) -> None:
    token = shop.begin()
    ChannelIntegration.objects.update(status="paused")
    refused = shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized", status=503)
    assert (refused["type"], refused["code"]) == ("service_unavailable", "payment_unavailable")
    assert shop.agent.show(token)["status"] == "ready_for_payment"


def test_an_account_that_charges_no_tokens_is_none_for_agents(shop: Shop) -> None:
    other = ChannelIntegration.objects.create(platform_name="PayPal", integration_type="payment", status="active")
    with pytest.raises(UserError, match="such as Stripe"):
        doors.change_door(shop.door, payment=other.pk, links={})


def test_the_agents_platform_hears_of_the_whole_order_and_can_prove_it(shop: Shop) -> None:
    with receiving(500) as receiver:
        secret = doors.tell_at(shop.door, receiver.url)
        token = shop.begin()
        done = shop.agent.complete(token, shop.bank.grant(TOTAL), handler="card_tokenized")
        with clock.steered() as time:
            _tell(shop.door)
            time.advance(timedelta(hours=1))
            _tell(shop.door)
        order = Order.objects.get()
        told = _heard(receiver, secret)
        assert told[0]["type"] == "order_create"
        assert told[0]["data"]["id"] == done["order"]["id"]
        assert told[0]["data"]["checkout_session_id"] == token
        (parcel,) = order.fulfilments.all()
        fulfilment.ship(
            parcel.pk, carrier="DHL", tracking_number="42", tracking_url="https://dhl.example/42", actor="t"
        )
        receiver.got.clear()
        _tell(shop.door)
        told = _heard(receiver, secret)
        assert {one["type"] for one in told} == {"order_update"}
        (shipment,) = told[-1]["data"]["fulfillments"]
        assert (told[-1]["data"]["status"], shipment["status"], shipment["tracking_number"]) == (
            "shipped",
            "shipped",
            "42",
        )
        assert shipment["line_items"][0]["quantity"] == 1


def test_orders_of_other_channels_are_nobody_elses_business(shop: Shop) -> None:
    with receiving() as receiver:
        doors.tell_at(shop.door, receiver.url)
        take(draft(shop.market.bazaar, "b1", line("COAT-M", 1, "119.00")))
        take(draft(shop.channel, "by hand", line("COAT-M", 1, "119.00"), happened=True))
        _tell(shop.door)
        assert receiver.got == []


def test_a_cancelled_order_is_told_as_that(shop: Shop) -> None:
    with receiving() as receiver:
        secret = doors.tell_at(shop.door, receiver.url)
        shop.agent.complete(shop.begin(), shop.bank.grant(TOTAL), handler="card_tokenized")
        aftersales.cancel(Order.objects.get().pk, reason="changed their mind", actor="t")
        _tell(shop.door)
        last = _heard(receiver, secret)[-1]["data"]
        assert (last["status"], last["line_items"][0]["status"]) == ("canceled", "removed")


def test_who_is_erased_leaves_nothing_in_what_the_agent_had_in_hand(shop: Shop) -> None:
    shop.agent.complete(shop.begin(), shop.bank.grant(TOTAL), handler="card_tokenized")
    (parcel,) = Order.objects.get().fulfilments.all()
    fulfilment.ship(parcel.pk, actor="t")
    customer = Order.objects.get().customer_id
    assert customer is not None
    erase(customer, actor="test", at_once=True)
    session = AgentSession.objects.get()
    assert (session.buyer, session.details) == ({}, {})


def _tell(door: AgentDoor) -> None:
    """What the worker does."""
    door.refresh_from_db()
    announce.prepare()
    assert door.endpoint is not None
    deliver(door.endpoint.pk)


def _heard(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """What was told, once its signature and its shape were checked."""
    assert receiver.got
    found = []
    for headers, body in receiver.got:
        parts = dict(part.split("=", 1) for part in headers["merchant-signature"].split(","))
        signed = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, "sha256").hexdigest()
        assert parts["v1"] == signed
        judge(f"{WEBHOOK}WebhookEvent", json.loads(body))
        found.append(json.loads(body))
    return found
