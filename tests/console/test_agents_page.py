"""The page of shopping agents: the door, its secrets that are shown once, and what agents have in hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import doors, sessions
from finalmarket.integrations.models import AgentDoor, WebhookEndpoint
from finalmarket.orders.models import Order
from tests.console.reading import read
from tests.orders.market import Market


@pytest.fixture
def channel(market: Market) -> SalesChannel:
    made = SalesChannel.objects.create(name="Assistants", channel_type="chat", country="DE")
    market.goods("SCARF", warehouse=9)
    made.add_product(market.product)
    return made


def _do(operator: Client, channel: SalesChannel, verb: str, **form: Any) -> str:
    answer = operator.post(reverse("console:change_agents", args=[channel.pk, verb]), form, follow=True)
    return str(answer.content.decode())


def _secret(page: str) -> str:
    found = re.search(r'<code id="made">([^<]+)</code>', page)
    assert found, page
    return found[1]


def test_a_door_is_opened_and_says_what_is_lacking(operator: Client, channel: SalesChannel) -> None:
    page = reverse("console:agents", args=[channel.pk])
    assert "No agent buys here yet." in read(operator, page)
    assert page in operator.get(reverse("console:channel", args=[channel.pk])).content.decode()
    _do(operator, channel, "open")
    shown = read(operator, page)
    assert "no payments" in shown
    assert "none: make one with the scope agents:buy" in shown
    _do(operator, channel, "change", link_terms_of_use="https://shop.example/terms", payment="")
    assert AgentDoor.objects.get().links == {"terms_of_use": "https://shop.example/terms"}
    assert "Choose an active account" in _do(operator, channel, "change", payment="99")


def test_secrets_are_shown_once(operator: Client, channel: SalesChannel) -> None:
    page = reverse("console:agents", args=[channel.pk])
    _do(operator, channel, "open")
    telling = _secret(_do(operator, channel, "tell", url="https://agent.example/orders"))
    asking = _secret(_do(operator, channel, "demand"))
    door = AgentDoor.objects.get()
    assert doors.request_secret(door) == asking
    assert (WebhookEndpoint.objects.get().dialect, telling[:6]) == ("agent", "whsec_")
    shown = operator.get(page).content.decode()
    assert telling not in shown
    assert asking not in shown
    assert _secret(_do(operator, channel, "telling-secret")) != telling
    _do(operator, channel, "waive")
    assert doors.request_secret(AgentDoor.objects.get()) == ""
    _do(operator, channel, "tell", url="https://other.example/orders")
    assert WebhookEndpoint.objects.get().url == "https://other.example/orders"
    assert "not a public address" in _do(operator, channel, "tell", url="http://127.0.0.1/orders")


def test_what_agents_have_in_hand_is_listed_and_the_door_is_switched_off(
    operator: Client, channel: SalesChannel
) -> None:
    _do(operator, channel, "open")
    said = sessions.Said(items=[("SCARF", 2)])
    session, _ = sessions.begin(channel, "checkout", said, key_name="assistant")
    shown = read(operator, reverse("console:agents", args=[channel.pk]))
    assert str(session.token) in shown
    assert "assistant" in shown
    _do(operator, channel, "switch")
    assert not AgentDoor.objects.get().is_active
    _do(operator, channel, "switch", on="1")
    assert AgentDoor.objects.get().is_active
    assert not Order.objects.exists()


def test_who_may_not_change_channels_does_not_see_it(channel: SalesChannel) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("ben", is_staff=True))
    assert browser.get(reverse("console:agents", args=[channel.pk])).status_code == 403
    assert browser.post(reverse("console:change_agents", args=[channel.pk, "open"])).status_code == 403
