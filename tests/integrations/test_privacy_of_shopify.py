"""Shopify's three privacy topics, by the real connector and the sandbox's signed webhooks: what a person wants to see
is made ready for the staff, who asks to be forgotten is, and what a shop showed goes with the app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.platforms.shopify import Shopify
from finalmarket.customers import persons
from finalmarket.customers.models import PrivacyRequest
from finalmarket.integrations import inbox, notices, pull
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    DueNotice,
    ExternalId,
    NameElsewhere,
    WebhookDelivery,
)
from finalmarket.integrations.privacy import erase, export
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.shopify import ShopifyStandIn
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.test_erase import held
from tests.integrations.test_every_platform import catalogue

pytestmark = pytest.mark.committed_database
WORD, EMAIL = "zqcanary", "zqcanary@example.com"


@dataclass
class Stage:
    """The connected shop, a customer of it with an order, and the letters that it wrote."""

    shop: Any
    integration: ChannelIntegration
    letters: list[Letter]
    customer: str

    def deliver(self, *, changed: bytes = b"") -> int:
        """Bring the letters to the door and let a worker read them; the status of the last one."""
        token, status = ChannelIntegration.objects.get().webhook_token, 0
        for letter in self.letters:
            status = inbox.receive(token, letter.url, dict(letter.headers), letter.body + changed)
        self.letters.clear()
        while inbox.is_waiting(self.integration.pk):
            inbox.work(self.integration.pk)
        return status


@pytest.fixture
def stage(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    catalogue()
    shop: Any = ShopifyStandIn(World(seed=1))
    with served(shop) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=SalesChannel.objects.create(name="Shop", channel_type="web", country="DE"),
            platform_name=Shopify.name, integration_type=Shopify.kind,
        )  # fmt: skip
        integration.connect({**shop.credentials(), "base_url": address})
        assert subscribe(integration) == ""
        caught: list[Letter] = []
        monkeypatch.setattr(shop.sender, "send", caught.append)
        with shop.lock:
            shop.add_listing("TEA", "The TEA", Decimal("5.00"), 100)
            customer = shop.meet(f"{WORD} Lovelace", EMAIL)
            home = {"id": shop.state.new_id("MailingAddress"), "name": f"{WORD} Lovelace", "address1": f"{WORD} st. 1",
                    "zip": "10115", "city": "Berlin", "countryCodeV2": "DE"}  # fmt: skip
            shop.order(("TEA", 1), email=EMAIL, customer=customer, shipping=home, billing=home)
        caught.clear()
        for stream in ("orders", "customers"):
            pull.pull(integration.pk, stream)
        persons.settle()
        ChannelIntegration.objects.update(push_from=clock.now())
        integration.refresh_from_db()
        yield Stage(shop, integration, caught, customer)


def ask(stage: Stage, what: str) -> None:
    with stage.shop.lock:
        {"data": stage.shop.ask_for_data, "erase": stage.shop.ask_to_erase}[what](stage.customer)


def ship_everything() -> None:
    for parcel in Order.objects.get().fulfilments.filter(state="pending"):
        fulfilment.ship(parcel.pk, carrier="dhl", tracking_number="T1", actor="ann")


def test_what_somebody_asks_to_see_is_made_ready_once_for_a_person_who_sends_it(stage: Stage) -> None:
    for _ in range(2):
        ask(stage, "data")
        assert stage.deliver() == 200
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.state, request.actor) == ("export", PrivacyRequest.State.READY, "platform:Shopify")
    assert EMAIL in "".join(export.export(request.person_id, actor="olga"))
    assert EMAIL in stage.shop.people()[stage.customer].email  # nobody was erased


def test_who_asks_to_be_forgotten_is_and_the_books_stay(stage: Stage) -> None:
    ship_everything()
    before = Order.objects.values_list("number", "total", "state").get()
    ask(stage, "erase")
    assert stage.deliver() == 200
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.actor) == ("erasure", "platform:Shopify")
    assert "customers/redact" in request.source
    assert erase.go_on() == 1
    assert held(WORD) == {}
    assert Order.objects.values_list("number", "total", "state").get() == before
    assert not ExternalId.objects.filter(kind="customer").exists()


def test_shopify_itself_is_told_of_an_erasure_and_its_answer_brings_nobody_back(stage: Stage) -> None:
    ship_everything()
    person = ExternalId.objects.get(kind="customer").local_id
    assert erase.erase(person, actor="olga").outcome["told"] == ["Shopify"]
    notices.tell(stage.integration.pk)
    assert DueNotice.objects.get(kind="erasure").state == "sent"
    assert not NameElsewhere.objects.exists()
    assert stage.shop.people()[stage.customer].email == ""
    ask(stage, "erase")  # Shopify passes the same wish on a while later
    assert stage.deliver() == 200
    for stream in ("orders", "customers"):
        pull.pull(stage.integration.pk, stream)
    assert held(WORD) == {}
    assert PrivacyRequest.objects.filter(kind="erasure").count() == 1


def test_an_erasure_waits_for_an_order_that_is_under_way(stage: Stage) -> None:
    ask(stage, "erase")
    stage.deliver()
    assert PrivacyRequest.objects.get().state == PrivacyRequest.State.WAITING
    assert erase.go_on() == 0
    ship_everything()
    assert erase.go_on() == 1
    assert held(WORD) == {}


def test_what_a_shop_showed_goes_when_the_app_was_removed_and_before_that_a_person_decides(stage: Stage) -> None:
    with stage.shop.lock:
        stage.shop.redact_shop()
    assert stage.deliver() == 200
    assert DeadLetter.objects.filter(stream="erase", settled_at=None).count() == 1
    assert Order.objects.exclude(raw={}).exists()
    with stage.shop.lock:
        stage.shop.remove_app()
    assert stage.deliver() == 200
    assert ChannelIntegration.objects.get().status == "needs_attention"
    with stage.shop.lock:
        stage.shop.redact_shop()
    assert stage.deliver() == 200
    assert not Order.objects.exclude(raw={}).exists()
    assert WORD in Order.objects.get().email  # the buyer is a customer of the merchant still


@pytest.mark.parametrize("what", ["data", "erase"])
def test_a_wish_that_shopify_did_not_sign_is_nobodys(stage: Stage, what: str) -> None:
    ask(stage, what)
    assert stage.deliver(changed=b" ") == 401
    assert not PrivacyRequest.objects.exists()
    assert not WebhookDelivery.objects.exists()
