"""Before a platform sends webhooks it may ask whether the address is ours: it is answered, and nobody else is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from django.test import Client

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.ebay import Ebay
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.sandbox.platforms.ebay import Ebay as StandIn
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World

pytestmark = pytest.mark.committed_database
TOKEN = "a-verification-token-of-forty-letters-00"
PUBLIC_URL = "https://hub.example"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The path of the webhook address of an account on a platform that asks."""
    monkeypatch.setenv("FINALMARKET_PUBLIC_URL", PUBLIC_URL)
    there = StandIn(World(seed=1))
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(platform_name=Ebay.name, integration_type=Ebay.kind)
        integration.connect({**there.credentials(), "verification_token": TOKEN, "base_url": address})
        yield f"/hooks/{integration.webhook_token}/"


def test_the_platform_is_answered_for_the_address_as_the_outside_knows_it(hook: str) -> None:
    answer = Client().get(hook, {"challenge_code": "a-code"})
    expected = hashlib.sha256(f"a-code{TOKEN}{PUBLIC_URL}{hook}".encode()).hexdigest()
    assert (answer.status_code, answer.json()) == (200, {"challengeResponse": expected})
    assert answer["Content-Type"] == "application/json"


def test_who_asks_for_nothing_and_who_knows_no_address_learn_nothing(hook: str) -> None:
    client = Client()
    assert client.get(hook).status_code == 405
    assert client.get("/hooks/nobody/", {"challenge_code": "a-code"}).status_code == 405
    assert client.put(hook).status_code == 405


def test_a_platform_that_asks_nothing_answers_nothing() -> None:
    assert Ebay(Account({})).answer_challenge("https://hub.example/", {"hub.challenge": "1"}) is None
