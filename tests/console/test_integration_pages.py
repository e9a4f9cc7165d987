"""Accounts on outside platforms, from the console: connected by form, looked through, told, mended by hand."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import ChannelIntegration, Credential, DeadLetter, UnlinkedListing
from finalmarket.sandbox.platforms.fake import TOKEN, Fake
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.console.reading import read, told
from tests.integrations.test_connect import Guided

pytestmark = pytest.mark.committed_database


@pytest.fixture
def shop() -> Iterator[tuple[Fake, str]]:
    """The practice platform with two listings, one of which has a SKU of ours."""
    stand_in = Fake(World(1))
    stand_in.add_listing("CUP", "Cup, white", Decimal("8.00"), 4)
    stand_in.add_listing("XY-1", "Teapot blue, one litre", Decimal("20.00"), 2)
    with served(stand_in) as (address,):
        yield stand_in, address


@pytest.fixture
def account() -> ChannelIntegration:
    """An account that is not connected yet, of a channel, with a cup and a teapot in our catalogue."""
    channel = SalesChannel.objects.create(name="Bazaar", channel_type="marketplace")
    for sku, title in (("CUP", "Cup white"), ("POT-BLUE", "Teapot blue one litre")):
        variant = Variant.objects.create(product=Product.objects.create(title=title, slug=sku.lower()), sku=sku)
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("9.00"))
    return ChannelIntegration.objects.create(
        platform_name="fake", integration_type="marketplace", sales_channel=channel
    )


@pytest.fixture
def clerk(committed_database: object) -> Client:
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_user("olga", password="open sesame 1", is_staff=True, is_superuser=True))
    return client


def _do(clerk: Client, account: ChannelIntegration, verb: str, **form: object) -> list[str]:
    answer = clerk.post(reverse("console:change_integration", args=[account.pk, verb]), form, follow=True)
    assert answer.status_code == 200
    return told(answer)


def _connected(clerk: Client, account: ChannelIntegration, address: str) -> ChannelIntegration:
    _do(clerk, account, "connect", token=TOKEN, base_url=address)
    account.refresh_from_db()
    assert account.status == "active"
    return account


def test_credentials_that_the_platform_refuses_are_not_kept(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str]
) -> None:
    (message,) = _do(clerk, account, "connect", token="a wrong token", base_url=shop[1])
    assert "does not let us in" in message
    assert "a wrong token" not in message
    assert not Credential.objects.exists()
    assert "not connected" in read(clerk, reverse("console:integrations"))


def test_an_account_is_connected_tested_paused_and_let_go(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str]
) -> None:
    _connected(clerk, account, shop[1])
    page = clerk.get(reverse("console:integration", args=[account.pk]))
    assert TOKEN.encode() not in page.content
    assert "knows us as" in _do(clerk, account, "test")[0]
    assert "paused" in _do(clerk, account, "pause", reason="stock take")[0]
    assert "stock take" in read(clerk, reverse("console:integrations"))
    _do(clerk, account, "resume")
    _do(clerk, account, "disconnect")
    account.refresh_from_db()
    assert account.status == "disconnected"
    assert not Credential.objects.exists()


def test_kept_secrets_go_to_no_other_address_by_form_by_browser_or_by_record(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _connected(clerk, account, shop[1])
    elsewhere = "http://127.0.0.1:9/shop"
    assert "enter the secrets anew (token)" in _do(clerk, account, "connect", base_url=elsewhere)[0]
    monkeypatch.setattr("finalmarket.connectors.registry.connectors", lambda: {"fake": Guided})
    for address in (elsewhere, ""):
        answer = clerk.post(reverse("console:authorize", args=[account.pk]), {"base_url": address}, follow=True)
        assert "disconnect it, and enter the secrets anew" in told(answer)[0]
    record = reverse("admin:integrations_channelintegration_change", args=[account.pk])
    fields = clerk.get(record).context["adminform"].form.fields
    assert not {"base_url", "platform_name", "integration_type"} & set(fields)
    account.refresh_from_db()
    assert account.base_url == shop[1]


def test_an_account_without_secrets_is_connected_in_the_browser_at_any_address(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finalmarket.connectors.registry.connectors", lambda: {"fake": Guided})
    answer = clerk.post(reverse("console:authorize", args=[account.pk]), {"base_url": shop[1]})
    assert answer.headers["Location"].startswith("https://platform.example/authorize")
    account.refresh_from_db()
    assert account.base_url == shop[1]


def test_what_the_account_sells_is_linked_or_confirmed_by_a_person_and_nothing_is_told_before(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str]
) -> None:
    _connected(clerk, account, shop[1])
    look = clerk.post(reverse("console:adopt", args=[account.pk, "look-through"]), follow=True)
    assert "1 linked by SKU" in told(look)[0]
    guess = UnlinkedListing.objects.get()
    assert "POT-BLUE" in read(clerk, reverse("console:links", args=[account.pk]))
    changes = read(clerk, reverse("console:dry_run", args=[account.pk]))
    assert "would be made there" in changes
    assert shop[0].shown_stock() == {"CUP": 4, "XY-1": 2}
    clerk.post(reverse("console:link", args=[guess.pk, "link"]))
    guess.refresh_from_db()
    assert guess.state == "linked"
    assert account.links.count() == 2


def test_what_is_not_there_yet_is_chosen_and_made_there(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str]
) -> None:
    _connected(clerk, account, shop[1])
    assert account.sales_channel is not None
    account.sales_channel.add_product(Product.objects.get(slug="pot-blue"))
    (listing,) = account.sales_channel.listings.all()
    address = reverse("console:to_publish", args=[account.pk])
    assert "POT-BLUE" in read(clerk, f"{address}?q=pot")
    publish = reverse("console:publish", args=[account.pk])
    assert "Choose the listings first" in told(clerk.post(publish, follow=True))[0]
    assert "Look through" in told(clerk.post(publish, {"listing": listing.pk}, follow=True))[0]
    clerk.post(reverse("console:adopt", args=[account.pk, "look-through"]), follow=True)
    assert "On the way: 1; they are made there once" in told(clerk.post(publish, {"all": "1", "q": ""}, follow=True))[0]
    _do(clerk, account, "start-pushing")
    account.refresh_from_db()
    account.sync()  # as a worker does
    assert shop[0].shown_stock() == {"CUP": 0, "XY-1": 2, "POT-BLUE": 0}
    assert "Everything is there" in read(clerk, address)


def test_what_was_set_aside_is_shown_with_its_reason_and_can_be_closed(
    clerk: Client, account: ChannelIntegration, shop: tuple[Fake, str]
) -> None:
    _connected(clerk, account, shop[1])
    dead_letters.set_aside(account, "orders", "77", "its total is not the sum of its parts", {})
    page = read(clerk, reverse("console:integration", args=[account.pk]))
    assert "its total is not the sum of its parts" in page
    letter = DeadLetter.objects.get()
    answer = clerk.post(reverse("console:letter", args=[letter.pk, "replay"]), follow=True)
    assert "failed again" in told(answer)[0]
    clerk.post(reverse("console:letter", args=[letter.pk, "drop"]))
    letter.refresh_from_db()
    assert letter.settled_by == "olga"


def test_a_platform_is_added_from_the_list_and_asks_for_its_own_credentials(clerk: Client, account: object) -> None:
    channel = SalesChannel.objects.get()
    listed = read(clerk, reverse("console:integrations"))
    assert "Amazon" in listed
    assert "Practice platform" not in listed.split("Add an account")[1]
    answer = clerk.post(
        reverse("console:add_integration"),
        {"platform": "amazon", "channel": channel.pk, "label": "Germany"},
        follow=True,
    )
    page = answer.content.decode()
    assert "Refresh token" in page
    made = ChannelIntegration.objects.get(account_label="Germany")
    assert (made.platform_name, made.integration_type, made.sales_channel) == ("Amazon", "marketplace", channel)
