"""Whatever a platform shows of a listing is due when it changes here, through whichever door."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.bulk import listings, prices
from finalmarket.channels.models import ChannelProduct
from finalmarket.integrations import watch
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from tests.integrations.stalls import Account


@pytest.fixture
def told(account: Account) -> Account:
    """An account that is in step."""
    push(account.integration.pk)
    return account


@pytest.fixture
def console(committed_database: object) -> Client:
    """A browser of somebody who may do everything."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("ann"))
    return browser


def later(account: Account, minutes: int = 1) -> None:
    """Let a worker push, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        push(account.integration.pk)


def there(account: Account, sku: str) -> dict[str, object]:
    """The listing as the platform shows it."""
    found: dict[str, object] = account.shop.state["listings"][account.link(sku).external_key]
    return found


def test_a_price_of_its_own_is_told_and_so_is_its_end(told: Account) -> None:
    told.listings["TEA"].set_price(Decimal("7.50"))
    assert told.waits("price") == {"TEA"}
    later(told)
    assert there(told, "TEA")["price"] == "7.50"
    told.listings["TEA"].set_price(None)
    later(told, 2)
    assert there(told, "TEA")["price"] == "5.00"


def test_the_same_price_again_is_no_news(told: Account) -> None:
    told.listings["TEA"].set_price(Decimal("7.50"))
    later(told)
    told.listings["TEA"].set_price(Decimal("7.50"))
    assert told.waits("price") == set()


def test_a_paused_channel_shows_nothing_until_it_is_resumed(told: Account) -> None:
    told.channel.pause("counting")
    later(told)
    assert told.shop.shown_stock() == {"TEA": 0, "CUP": 0, "POT": 0}
    told.channel.resume()
    later(told, 2)
    assert told.shop.shown_stock() == {"TEA": 10, "CUP": 10, "POT": 10}


def test_listing_a_product_anew_is_told_with_its_content_and_price(told: Account) -> None:
    told.channel.add_product(told.variants["TEA"].product, title="Fine tea", price_override=Decimal(6))
    later(told)
    assert (there(told, "TEA")["title"], there(told, "TEA")["price"]) == ("Fine tea", "6.00")


def test_a_listing_that_a_file_switches_off_is_sold_out_there(told: Account) -> None:
    with listings.plan([{"sku": "TEA", "available": False}], channel=told.channel) as plan:
        plan.apply()
    later(told)
    assert (there(told, "TEA")["is_available"], there(told, "TEA")["stock"]) == (False, {"main": 0})


def test_prices_from_a_file_are_told(told: Account) -> None:
    with prices.plan([{"sku": "TEA", "currency": "EUR", "price": "8"}]) as plan:
        plan.apply()
    later(told)
    assert there(told, "TEA")["price"] == "8.00"
    assert there(told, "CUP")["price"] == "5.00"


def _title(account: Account) -> tuple[str, int, dict[str, str]]:
    product = account.variants["TEA"].product
    return "admin:catalog_product_change", product.pk, {"title": "Best tea"}


def _price(account: Account) -> tuple[str, int, dict[str, str]]:
    price = account.variants["TEA"].prices.get()
    return "admin:catalog_variantprice_change", price.pk, {"amount": "9.00"}


def _archived(account: Account) -> tuple[str, int, dict[str, str]]:
    return "admin:catalog_product_change", account.variants["TEA"].product_id, {"status": "archived"}


def _switched_off(account: Account) -> tuple[str, int, dict[str, str]]:
    return "admin:channels_channelproduct_change", account.listings["TEA"].pk, {"is_available": ""}


Edit = Callable[[Account], tuple[str, int, dict[str, str]]]


@pytest.mark.parametrize(
    ("edit", "name", "value"),
    [
        (_title, "title", "Best tea"),
        (_price, "price", "9.00"),
        (_switched_off, "is_available", False),
        (_archived, "is_available", False),
        (_archived, "stock", {"main": 0}),
    ],
)
def test_an_edit_in_the_console_is_told(told: Account, console: Client, edit: Edit, name: str, value: object) -> None:
    page, number, change = edit(told)
    address = reverse(page, args=[number])
    shown = console.get(address)
    form = _fields(shown.context["adminform"].form)
    for formset in shown.context["inline_admin_formsets"]:
        form |= _fields(formset.formset.management_form)
        for row in formset.formset.forms:
            form |= _fields(row)
    form |= change
    if change.get("is_available") == "":
        del form["is_available"]
    saved = console.post(address, form)
    assert saved.status_code == 302, saved.content.decode()[:2000]
    later(told)
    assert there(told, "TEA")[name] == value


def _fields(form: object) -> dict[str, str]:
    """What a browser sends of a form that was not touched."""
    sent: dict[str, str] = {}
    for bound in form:  # type: ignore[attr-defined]
        value = bound.value()
        if isinstance(value, bool):
            if value:
                sent[bound.html_name] = "on"
        elif isinstance(value, (dict, list)):
            sent[bound.html_name] = json.dumps(value)
        else:
            sent[bound.html_name] = "" if value is None else str(value)
    return sent


@pytest.mark.parametrize(("edge", "before", "after"), [("publish_until", 10, 0), ("publish_from", 0, 10)])
def test_a_listing_is_told_when_its_time_begins_and_when_it_ends(
    told: Account, edge: str, before: int, after: int
) -> None:
    """The database's own clock decides what may be bought now: the edge lies behind it, and after the last telling."""
    ChannelProduct.objects.filter(pk=told.listings["TEA"].pk).update(**{edge: clock.now() + timedelta(minutes=30)})
    told.channel.sync_inventory()
    later(told, 1)
    assert told.shop.shown_stock()["TEA"] == before
    ChannelProduct.objects.filter(pk=told.listings["TEA"].pk).update(**{edge: clock.now() - timedelta(seconds=1)})
    told.integration.links.update(told_at=clock.now() - timedelta(minutes=5))
    assert watch.open_and_close() == 2
    later(told, 2)
    assert told.shop.shown_stock()["TEA"] == after
    assert watch.open_and_close() == 0
