# ruff: noqa: F811  (fixtures of another file are named by their arguments)
"""What platforms pass on: that a person wants to be erased or to see what is kept, and that an account has ended."""

from __future__ import annotations

import pytest

from finalmarket.customers.models import PrivacyRequest
from finalmarket.integrations import inbox, pull
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, WebhookDelivery
from finalmarket.integrations.privacy import erase, export
from finalmarket.orders.models import Order
from tests.integrations.test_erase import CANARY, House, Somebody, _buy_on_the_platform, held, house  # noqa: F401

pytestmark = pytest.mark.committed_database


def wish(house: House, monkeypatch: pytest.MonkeyPatch, kind: str, customer: str) -> WebhookDelivery:
    """The platform passes on what a person wants, or ("") that the account's copies must go."""
    from finalmarket.connectors.platforms import fake

    monkeypatch.setitem(fake.TOPICS, "person.wishes", kind)
    with house.account.shop.lock:
        house.account.shop._call("person.wishes", customer)
    house.post.deliver(house.post.letters[-1])
    inbox.work(house.integration.pk)
    return WebhookDelivery.objects.latest("id")


def on_the_platform(house: House, one: Somebody) -> str:
    """Somebody whom the platform knows as a customer; their name there."""
    with house.account.shop.lock:
        number = house.account.shop.meet(one.name, one.email)
    house.post.letters.clear()
    pull.pull(house.integration.pk, "customers")
    return number


def test_a_platforms_wish_to_erase_is_carried_out_by_the_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    number = on_the_platform(house, Somebody(0))
    assert held()
    row = wish(house, monkeypatch, "erase", number)
    request = PrivacyRequest.objects.get()
    assert row.outcome == "of somebody who was erased"
    assert (request.kind, request.actor) == ("erasure", "platform:fake")
    assert erase.go_on() == 1
    assert held() == {}


def test_a_platforms_wish_to_see_is_made_ready_for_a_person(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    number = on_the_platform(house, Somebody(0))
    for _ in range(2):
        wish(house, monkeypatch, "data_request", number)
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.state) == ("export", PrivacyRequest.State.READY)
    assert CANARY in "".join(export.export(request.person_id, actor="olga"))


def test_an_account_that_ended_is_emptied_when_the_platform_asks_and_one_that_works_is_put_before_a_person(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _buy_on_the_platform(house, Somebody(0))
    house.post.work()
    wish(house, monkeypatch, "erase", "")
    assert DeadLetter.objects.filter(stream="erase", settled_at=None).count() == 1
    assert Order.objects.exclude(raw={}).exists()
    ChannelIntegration.objects.filter(pk=house.integration.pk).update(status="needs_attention")
    row = wish(house, monkeypatch, "erase", "")
    assert row.outcome == "the copies of what this account showed are gone"
    assert not Order.objects.exclude(raw={}).exists()
    assert set(held()) <= {"orders", "omnichannel_customers", "customer_identities"}  # the person is still a customer
