"""What each channel may sell, and why; and changing what lies on the shelf."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.catalog.models import Category, Product, Variant
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from finalmarket.stock import atp
from finalmarket.stock.models import ChannelInventory, StockAlert, StockMovement
from finalmarket.stock.policies import set_policy
from tests.console.reading import read, told
from tests.orders.market import Market, at, draft, line


@pytest.fixture
def listed(market: Market) -> Market:
    """Tea, little sugar and no salt, on the web shop and the bazaar; the till lists nothing."""
    market.goods("TEA", warehouse=40, north=10)
    market.goods("SUGAR", warehouse=3)
    market.goods("SALT")
    market.web.add_product(market.product)
    market.bazaar.add_product(market.product)
    set_policy(market.variants["TEA"].pk, market.bazaar.pk, buffer=8)
    return market


def cells(client: Client, address: str = "/stock/") -> dict[str, str]:
    """What the matrix says, "SKU on channel" by its number and word."""
    page = client.get(address).content.decode()
    return dict(re.findall(r'aria-label="(\S+ on [^:"]+): ([^"]+)"', page))


def test_each_cell_says_what_a_reservation_would_get(listed: Market, operator: Client) -> None:
    take(draft(listed.web, "w1", line("TEA", 5)))
    listed.bazaar.pause("maintenance")
    seen = cells(operator)
    assert seen == {
        "SALT on Grand Bazaar": "0, off",
        "SALT on Web shop": "0, out",
        "SUGAR on Grand Bazaar": "0, off",
        "SUGAR on Web shop": "3, low",
        "TEA on Grand Bazaar": "0, off",
        "TEA on Web shop": "45, in stock",
    }
    tea = atp.level(listed.variants["TEA"].pk, listed.web.pk)
    assert (tea.available, tea.status) == (45, "in_stock")


def test_a_channel_that_does_not_list_a_sku_says_so(listed: Market, operator: Client) -> None:
    assert "not listed" in read(operator, "/stock/")


def test_the_panel_adds_up_to_the_number_in_the_cell(listed: Market, operator: Client) -> None:
    take(draft(listed.web, "w1", line("TEA", 5)))
    address = reverse("console:explain", args=[listed.variants["TEA"].pk, listed.bazaar.pk])
    answer = operator.get(address, headers={"hx-request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert "Why is it 37?" in page
    summands = re.findall(r"<td>([+−][\d,]+)</td></tr>", page)
    assert sum(int(units.replace("−", "-").replace(",", "")) for units in summands) == 37
    assert "Buffer withheld from this channel" in page


def test_the_panel_of_a_sku_that_is_not_there_is_not_there(listed: Market, operator: Client) -> None:
    assert operator.get(reverse("console:explain", args=[999_999_999_999, listed.web.pk])).status_code == 404
    assert operator.get("/stock/99999999999999999999/1/why").status_code == 404


def test_low_and_out_are_found(listed: Market, operator: Client) -> None:
    assert {cell.split()[0] for cell in cells(operator, "/stock/?status=low")} == {"SUGAR"}
    assert {cell.split()[0] for cell in cells(operator, "/stock/?status=out")} == {"SALT"}
    assert {cell.split()[0] for cell in cells(operator, "/stock/?status=any")} == {"SUGAR", "SALT"}


def test_a_sku_with_an_open_alert_is_found_though_the_pool_is_full(listed: Market, operator: Client) -> None:
    StockAlert.objects.create(variant=listed.variants["TEA"], sales_channel=listed.web, level="low", quantity=4)
    assert {cell.split()[0] for cell in cells(operator, "/stock/?status=low")} == {"SUGAR", "TEA"}


def test_a_category_holds_what_is_in_the_categories_below_it(listed: Market, operator: Client) -> None:
    drinks = Category.objects.create(name="Drinks", slug="drinks")
    hot = Category.objects.create(name="Hot", slug="hot", parent=drinks)
    Product.objects.filter(pk=listed.product.pk).update(category=hot)
    assert len(cells(operator, f"/stock/?category={drinks.pk}")) == 6
    other = Category.objects.create(name="Cold", slug="cold", parent=drinks)
    assert cells(operator, f"/stock/?category={other.pk}") == {}


def test_a_location_shows_what_lies_there(listed: Market, operator: Client) -> None:
    assert {cell.split()[0] for cell in cells(operator, f"/stock/?location={listed.north.pk}")} == {"TEA"}


@pytest.mark.parametrize("asked", ["sug", "SUGAR", "ugA", "status=nonsense&q=sugar"])
def test_a_sku_is_found_by_a_part_of_it(listed: Market, operator: Client, asked: str) -> None:
    address = f"/stock/?{asked}" if "=" in asked else f"/stock/?q={asked}"
    assert {cell.split()[0] for cell in cells(operator, address)} == {"SUGAR"}


def shown(client: Client, variant: Variant) -> str:
    """How far the ledger went on the page of a SKU as it is shown now."""
    page = client.get(reverse("console:sku", args=[variant.pk])).content.decode()
    return str(re.findall(r'<input type="hidden" name="seen" value="(\d+)"', page)[0])


def booked(client: Client, variant: Variant, form: Mapping[str, object], page: str | None = None) -> Any:
    """Send the form of a page, of a fresh one unless said otherwise."""
    given = {"seen": shown(client, variant) if page is None else page, **form}
    return client.post(reverse("console:change_stock", args=[variant.pk]), given, follow=True)


def test_what_is_booked_on_the_page_stands_in_the_ledger_with_who_and_why(listed: Market, operator: Client) -> None:
    tea = listed.variants["TEA"]
    form = {"what": "adjust", "location": listed.warehouse.pk, "quantity": "-4", "reason": "broken in transport"}
    answer = booked(operator, tea, form)
    assert told(answer) == ["TEA: 36 are on hand at Warehouse now."]
    movement = StockMovement.objects.filter(variant=tea).latest("id")
    assert (movement.on_hand_delta, movement.actor, movement.reason) == (-4, "olga", "broken in transport")
    assert "broken in transport" in read(operator, reverse("console:sku", args=[tea.pk]))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"what": "adjust", "quantity": "-400", "reason": "gone"}, "Cannot take 400 units away"),
        ({"what": "receive", "quantity": "0", "reason": "x"}, "above zero"),
        ({"what": "count", "quantity": "-1", "reason": "x"}, "cannot be -1"),
        ({"what": "adjust", "quantity": "many", "reason": "x"}, "Units"),
        ({"what": "adjust", "quantity": "1"}, "Why"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_a_sentence(
    listed: Market, operator: Client, form: dict[str, str], said: str
) -> None:
    tea = listed.variants["TEA"]
    answer = booked(operator, tea, {**form, "location": listed.warehouse.pk})
    assert said in told(answer)[0]
    assert at(tea, listed.warehouse) == (40, 0)


@pytest.mark.parametrize("what", ["receive", "adjust"])
def test_goods_are_booked_in_once_however_often_a_page_is_sent(listed: Market, operator: Client, what: str) -> None:
    tea, place = listed.variants["TEA"], listed.warehouse
    form = {"what": what, "location": place.pk, "quantity": 5, "reason": "came"}
    page = shown(operator, tea)
    booked(operator, tea, form, page)
    assert "since this page was opened" in told(booked(operator, tea, form, page))[0]
    assert at(tea, place) == (45, 0)
    booked(operator, tea, form)
    assert at(tea, place) == (50, 0)


def test_what_others_do_to_a_sku_meanwhile_keeps_nobody_from_booking(listed: Market, operator: Client) -> None:
    tea, page = listed.variants["TEA"], shown(operator, listed.variants["TEA"])
    listed.receive(tea, 3, listed.warehouse)
    for place, units in ((listed.north, 1), (listed.warehouse, 5)):
        form = {"what": "receive", "location": place.pk, "quantity": units, "reason": "came"}
        booked(operator, tea, form, page)
    assert at(tea, listed.warehouse) == (48, 0)


def test_a_form_without_the_page_that_it_was_on_books_nothing(listed: Market, operator: Client) -> None:
    tea = listed.variants["TEA"]
    form = {"what": "receive", "location": listed.warehouse.pk, "quantity": 5, "reason": "came"}
    assert "The ledger: This field is required." in told(booked(operator, tea, form, ""))[0]
    assert at(tea, listed.warehouse) == (40, 0)


def test_an_alert_that_was_put_off_is_not_shown_until_then(listed: Market, operator: Client) -> None:
    alert = StockAlert.objects.create(
        variant=listed.variants["SALT"], sales_channel=listed.web, level="out", quantity=0
    )
    assert "SALT" in read(operator, "/alerts/")
    answer = operator.post(reverse("console:snooze"), {"alert": [alert.pk], "days": "7"}, follow=True)
    assert told(answer)[0].startswith("1 alert is put off for a week")
    assert "SALT" not in read(operator, "/alerts/")
    assert "SALT" in read(operator, "/alerts/?snoozed=on")
    with clock.steered(clock.now() + timedelta(days=8)):
        page = operator.get("/alerts/").content.decode()
    assert "SALT" in page or "login" in page


@pytest.mark.parametrize("form", [{}, {"alert": ["x"], "days": "1"}, {"alert": ["1"], "days": "-5"}])
def test_putting_off_nothing_or_for_no_time_is_answered(listed: Market, operator: Client, form: dict[str, str]) -> None:
    assert told(operator.post(reverse("console:snooze"), form, follow=True))[0].startswith("Choose")


def test_a_policy_is_changed_by_the_stock_room_which_keeps_the_fence(listed: Market, operator: Client) -> None:
    policy = ChannelInventory.objects.get(variant=listed.variants["TEA"], sales_channel=listed.web)
    address = reverse("admin:stock_channelinventory_change", args=[policy.pk])
    form = {"uses_pool": "on", "fence_quantity": "10", "buffer": "0", "incoming_horizon_days": "0"}
    operator.post(address, form)
    policy.refresh_from_db()
    assert (policy.fence_quantity, policy.fence_left) == (10, 10)
    assert StockMovement.objects.filter(kind="fence", actor="olga", fence_delta=10).exists()
    answer = operator.post(address, form | {"fence_quantity": "5000"}, follow=True)
    assert "Cannot fence 5000" in told(answer)[-1]
    policy.refresh_from_db()
    assert policy.fence_quantity == 10
