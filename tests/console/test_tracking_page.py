"""The tracking of a channel in the console: keys, names and what was set aside, each by who may."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from finalmarket.journeys.models import EventName, SetAsideEvent, WriteKey
from tests.console.reading import read, told
from tests.tracking.teller import Shop, forget_all, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield open_shop()
    forget_all()


def verb(client: Client, shop: Shop, what: str, /, **form: object) -> list[str]:
    address = reverse("console:change_tracking", args=[shop.channel.pk, what])
    return told(client.post(address, form, follow=True))


def page(client: Client, shop: Shop) -> str:
    return read(client, reverse("console:tracking", args=[shop.channel.pk]))


def test_the_channels_page_shows_the_keys_that_work(operator: Client, shop: Shop) -> None:
    assert shop.key in read(operator, reverse("console:channel", args=[shop.channel.pk]))
    WriteKey.objects.all().delete()
    assert "there is no write key" in read(operator, reverse("console:channel", args=[shop.channel.pk]))
    assert "No client can tell of this channel yet." in page(operator, shop)


def test_a_key_is_made_rotated_and_ended(operator: Client, shop: Shop) -> None:
    (said,) = verb(operator, shop, "open")
    made = WriteKey.objects.exclude(key=shop.key).get()
    assert made.key in said
    assert made.created_by == "olga"
    (said,) = verb(operator, shop, "rotate")
    assert "30 more days" in said
    assert WriteKey.objects.filter(ends_at=None).count() == 1
    (said,) = verb(operator, shop, "end", key=made.pk)
    assert made.key in said
    assert "no longer" in page(operator, shop)
    assert verb(operator, shop, "end", key="nine") == ["Choose the key to end."]
    assert "no write key with number" in verb(operator, shop, "end", key=10**9)[0]


def test_a_name_is_decided_on_where_it_is_shown(operator: Client, shop: Shop) -> None:
    shop.batch({"type": "track", "event": "Video <b>Played", "userId": "u1", "messageId": "m-1"})
    shown = operator.get(reverse("console:tracking", args=[shop.channel.pk])).content.decode()
    assert "Video &lt;b&gt;Played" in shown
    assert "<b>Played" not in shown
    assert "product view" in verb(operator, shop, "decide", name="Video <b>Played", becomes="product_view")[0]
    assert EventName.objects.get().becomes == "product_view"
    assert "no interaction" in verb(operator, shop, "decide", name="Video <b>Played", becomes="dance")[0]


def test_what_was_set_aside_is_shown_with_its_reason(operator: Client, shop: Shop) -> None:
    shop.batch({"type": "dance", "userId": "u1", "traits": {"email": "canary@example.com"}})
    assert SetAsideEvent.objects.count() == 1
    shown = page(operator, shop)
    assert "its type is none of identify" in shown
    assert "canary" not in shown


def test_accounts_are_shared_by_a_word(operator: Client, shop: Shop) -> None:
    verb(operator, shop, "share", space="Our Shop")
    assert WriteKey.objects.get().space == "our-shop"


def test_only_who_may_sees_and_changes_keys(newcomer: Client, shop: Shop) -> None:
    address = reverse("console:tracking", args=[shop.channel.pk])
    change = reverse("console:change_tracking", args=[shop.channel.pk, "rotate"])
    assert newcomer.get(address).status_code == newcomer.post(change).status_code == 403
    User.objects.get(username="nils").user_permissions.add(Permission.objects.get(codename="view_writekey"))
    assert newcomer.get(address).status_code == 200
    assert "End now" not in read(newcomer, address)
    assert newcomer.post(change).status_code == 403
    assert WriteKey.objects.count() == 1
