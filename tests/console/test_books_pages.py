"""Accounts that keep books, from the console: what waits to be told, and sending what was there before them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import ChannelIntegration, DueRecord
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.console.reading import read, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ChannelIntegration:
    """An account that keeps orders and customers, and two orders that were there before it."""
    channel = SalesChannel.objects.create(name="Web shop", channel_type="web")
    for number, days in (("W-1", 3), ("W-2", 30)):
        Order.objects.create(
            number=number, sales_channel=channel, external_id=number, currency="EUR", placed_at=clock.days_ago(days)
        )
    return ChannelIntegration.objects.create(
        platform_name="practice_office", integration_type="erp", status="active", connected_at=clock.now(),
        push_from=clock.now(),
    )  # fmt: skip


def clerk(*rights: str) -> Client:
    """Somebody with these rights."""
    client = Client()
    user = User.objects.create_user("olga", password="open sesame 1", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return client


def send(client: Client, account: ChannelIntegration, **form: str) -> list[str]:
    """Press the button; what is said then."""
    address = reverse("console:change_integration", args=[account.pk, "send-past"])
    return told(client.post(address, form, follow=True))


def test_what_is_there_is_sent_from_a_day_on_or_whole(account: ChannelIntegration) -> None:
    client = clerk("view_channelintegration", "change_channelintegration")
    page = read(client, reverse("console:integration", args=[account.pk]))
    assert "Send what is there" in page
    day = (clock.now() - timedelta(days=7)).date().isoformat()
    assert "1 record " in send(client, account, duty="orders", since=day)[0]
    assert "1 record " in send(client, account, duty="orders")[0]
    assert DueRecord.objects.filter(what="order").count() == 2
    assert "2 orders and customers" in read(client, reverse("console:integration", args=[account.pk]))


def test_what_cannot_be_sent_is_refused_in_words(account: ChannelIntegration) -> None:
    client = clerk("view_channelintegration", "change_channelintegration")
    assert "is no date" in send(client, account, duty="orders", since="last week")[0]
    assert "no past" in send(client, account, duty="events")[0]
    account.duties = {"orders": False}
    account.save()
    assert "switch that on first" in send(client, account, duty="orders")[0]
    assert DueRecord.objects.count() == 0


def test_who_may_only_look_sends_nothing(account: ChannelIntegration) -> None:
    client = clerk("view_channelintegration")
    page = read(client, reverse("console:integration", args=[account.pk]))
    assert "Send what is there" not in page
    assert "0 orders and customers" in page
    address = reverse("console:change_integration", args=[account.pk, "send-past"])
    assert client.post(address, {"duty": "orders"}).status_code == 403
    assert DueRecord.objects.count() == 0


def test_an_account_that_keeps_no_books_shows_none(account: ChannelIntegration) -> None:
    account.duties = dict.fromkeys(("orders", "customers", "movements"), False)
    account.save()
    client = clerk("view_channelintegration", "change_channelintegration")
    assert "yet to be told" not in read(client, reverse("console:integration", args=[account.pk]))
