"""A web process is killed at the failpoints of the doors through which no program comes by the REST API: shopping
agents, voice, the console. Whoever asks again finds it done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.access import rates
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import AgentSession, VoiceLink
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.stock import desk
from tests.doors.agent import BUYER, HOME, Agent, let_in
from tests.doors.alexa import Alexa, alexa
from tests.doors.test_alexa_linking import Linking
from tests.laws.cut_off import cut_off
from tests.orders.market import Market, at, draft, line, open_market, parcels

__all__ = ["alexa"]
pytestmark = pytest.mark.committed_database
AT_HOME = Address(name="Ann Lee", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")
BEGIN = {
    "line_items": [{"id": "SCARF"}], "currency": "eur", "capabilities": {},
    "fulfillment_details": {"address": HOME, "name": "Ann Lee", "email": "ann@example.com"},
}  # fmt: skip
PAY = {
    "buyer": BUYER,
    "payment_data": {
        "handler_id": "test", "instrument": {"type": "card", "credential": {"type": "spt", "token": "test_paid"}},
    },
}  # fmt: skip


@pytest.fixture
def market(committed_database: object) -> Iterator[Market]:
    rates.forget()
    yield open_market()
    desk.desk().close()
    desk._desk = None
    rates.forget()


@pytest.fixture
def agent(market: Market) -> Agent:
    """An agent on a channel on which one may pay for trying."""
    market.goods("SCARF", warehouse=50)
    channel = SalesChannel.objects.create(
        name="Assistants", channel_type="chat", country="DE", configuration={"test_payments": True}
    )
    channel.add_product(market.product)
    return let_in(channel)[0]


def killed_and_repeated(call: Callable[[], Any], cut: str) -> Any:
    """The call is cut off, and made again twice; the same is answered, which is returned."""
    assert cut_off(call, cut) == "", cut
    again, once_more = call(), call()
    assert (again.status, again.body) == (once_more.status, once_more.body)
    return again


@pytest.mark.parametrize("cut", ["acp.before_write@1", "acp.before_commit@1", "acp.after_write@1"])
def test_a_checkout_that_an_agent_begins_is_begun_once_wherever_the_process_is_killed(agent: Agent, cut: str) -> None:
    begun = killed_and_repeated(partial(agent.call, "POST", "checkout_sessions", BEGIN, key="k-1"), cut)
    assert begun.status == 201
    assert str(AgentSession.objects.get().token) == begun.body["id"]


@pytest.mark.parametrize("cut", ["acp.before_keep@1", "acp.before_commit@1", "acp.after_keep@1"])
def test_what_an_agent_pays_for_is_ordered_and_paid_once_wherever_the_process_is_killed(agent: Agent, cut: str) -> None:
    token = agent.begin("SCARF", fulfillment_details=BEGIN["fulfillment_details"])["id"]
    path = f"checkout_sessions/{token}/complete"
    done = killed_and_repeated(partial(agent.call, "POST", path, PAY, key="k-2"), cut)
    order = Order.objects.get()
    assert (done.status, done.body["status"], order.payment_state) == (200, "completed", "paid")
    assert order.payments.get().amount == order.total


@pytest.fixture
def linking(market: Market, alexa: Alexa, monkeypatch: pytest.MonkeyPatch) -> Linking:
    """Ann, who ordered a tea on the web, and a speaker."""
    monkeypatch.setattr(settings, "MAIL_IS_SET", True)
    found = Linking()
    alexa.token = found.skill.token
    market.goods("TEA", warehouse=40)
    found.channel.add_product(market.product)
    take(draft(market.web, "w1", line("TEA", 2), email="ann@example.com", shipping_address=AT_HOME))
    return found


@pytest.mark.parametrize("cut", ["voice.before_answer@1", "voice.after_answer@1"])
def test_what_is_ordered_by_voice_is_ordered_once_wherever_the_process_is_killed(
    linking: Linking, alexa: Alexa, cut: str
) -> None:
    alexa.access_token = linking.exchange(linking.code_by_mail()).json()["access_token"]
    alexa.intent("ReorderIntent")
    offered = alexa.attributes

    def say_yes() -> Any:
        alexa.attributes = offered
        return alexa.intent("AMAZON.YesIntent", request_id="amzn1.echo-api.request.yes")

    assert cut_off(say_yes, cut) == "", cut
    assert say_yes()["outputSpeech"] == say_yes()["outputSpeech"]
    assert Order.objects.filter(sales_channel=linking.channel).count() == 1


@pytest.mark.parametrize(("cut", "status"), [("voice.before_give_token@1", 200), ("voice.after_give_token@1", 400)])
def test_a_code_is_good_once_wherever_the_process_is_killed_and_whoever_links_again_is_linked(
    linking: Linking, cut: str, status: int
) -> None:
    code = linking.code_by_mail()
    assert cut_off(partial(linking.exchange, code), cut) == "", cut
    assert linking.exchange(code).status_code == status
    assert linking.exchange(linking.code_by_mail()).status_code == 200
    assert {link.customer_id for link in VoiceLink.objects.filter(ended_at=None)} == {linking.ann.pk}


@pytest.mark.parametrize("cut", ["console.before_write@1", "console.after_write@1"])
def test_what_an_operator_does_is_done_once_wherever_the_process_is_killed(market: Market, cut: str) -> None:
    tea, olga = market.goods("TEA", warehouse=9), Client()
    olga.force_login(User.objects.create_user("olga", is_staff=True, is_superuser=True))
    order = take(draft(market.web, "1", line("TEA", 2))).order
    address, form = reverse("console:order_verb", args=[order.pk, "ship"]), {"part": parcels(order)[0].pk}
    assert cut_off(partial(olga.post, address, form), cut) == "", cut
    for _ in range(2):
        assert olga.post(address, form).status_code == 302
    assert at(tea, market.warehouse) == (7, 0)
    assert order.events.filter(kind="shipped").count() == 1
