"""Finding orders, and working on one."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.customers.models import CustomerIdentity
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.console.reading import read, told
from tests.orders.market import NOON, Market, at, draft, goods_line, line, parcels

LIST = "/orders/"


def test_paging_shows_every_order_once_forth_and_back_even_those_of_one_moment(
    market: Market, operator: Client
) -> None:
    Order.objects.bulk_create(
        Order(
            number=f"N-{count:03}", sales_channel=market.web, external_id=str(count), currency="EUR",
            placed_at=NOON - timedelta(hours=count // 60), state="fulfilled", payment_state="paid",
        )
        for count in range(130)
    )  # fmt: skip
    seen, address, pages = [], LIST, []
    while address:
        answer = operator.get(address)
        slice_ = answer.context["slice"]
        seen += [order.number for order in slice_.rows]
        pages.append([order.pk for order in slice_.rows])
        address = f"{LIST}?after={slice_.later}" if slice_.later else ""
        back = slice_.earlier
    assert len(seen) == len(set(seen)) == 130
    before = operator.get(f"{LIST}?before={back}").context["slice"]
    assert [order.pk for order in before.rows] == pages[-2]
    first = operator.get(f"{LIST}?before={before.earlier}").context["slice"]
    assert [order.pk for order in first.rows] == pages[0]
    assert first.earlier == ""


@pytest.mark.parametrize("key", ["nonsense", "W10", "eyJhIjoxfQ", "WzEsMl0", "%00", "WyIyMDI2LTA1LTA0IiwieCJd"])
def test_a_key_that_is_none_shows_the_first_page(market: Market, operator: Client, key: str) -> None:
    take(draft(market.bazaar, "b1", line("TEA")))
    assert " 1 order " in read(operator, f"{LIST}?after={key}")


@pytest.mark.parametrize(
    "asked",
    ["W-", "ext-77", "ANNA@example.com", "+4930123456", "sugar", "00077", "payment=paid&channel={web}", "state=open"],
)
def test_an_order_is_found_by_what_people_know_of_it(market: Market, operator: Client, asked: str) -> None:
    market.goods("SUGAR", warehouse=5)
    market.goods("SALT", warehouse=5)
    wanted = take(draft(market.web, "ext-77", line("SUGAR"), email="anna@example.com")).order
    other = take(draft(market.bazaar, "ext-78", line("SALT"), email="bob@example.com", is_cancelled=True)).order
    assert wanted.customer is not None
    CustomerIdentity.objects.create(customer=wanted.customer, kind="phone", value="+4930123456")
    Order.objects.filter(pk=wanted.pk).update(number="W-00077", payment_state="paid")
    Order.objects.filter(pk=other.pk).update(number="B-00088")
    address = f"{LIST}?{asked.format(web=market.web.pk)}" if "=" in asked else f"{LIST}?q={asked.replace('+', '%2B')}"
    found = [order.number for order in operator.get(address).context["slice"].rows]
    assert found == ["W-00077"]


def test_a_per_cent_sign_is_a_letter_like_others(market: Market, operator: Client) -> None:
    take(draft(market.bazaar, "b1", line("TEA")))
    assert "No order matches" in read(operator, f"{LIST}?q=%25%25%25")


def test_a_parcel_is_shipped_from_the_page_and_the_stock_leaves(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    parcel = parcels(order)[0]
    answer = operator.post(
        reverse("console:order_verb", args=[order.pk, "ship"]),
        {"part": parcel.pk, "carrier": "DHL", "tracking_number": "00340"},
        follow=True,
    )
    assert told(answer) == [f"Parcel {parcel.pk} has left Warehouse."]
    assert at(tea, market.warehouse) == (3, 0)
    page = read(operator, reverse("console:order", args=[order.pk]))
    assert "DHL" in page
    assert "Shipped or handed over" in page
    assert "olga" in page


def test_a_button_works_on_its_own_order_alone(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    mine = take(draft(market.web, "w1", line("TEA"))).order
    other = take(draft(market.web, "w2", line("TEA"))).order
    foreign = parcels(other)[0]
    answer = operator.post(reverse("console:order_verb", args=[mine.pk, "ship"]), {"part": foreign.pk}, follow=True)
    assert "has no such part" in told(answer)[0]
    foreign.refresh_from_db()
    assert foreign.state == "pending"


def test_money_is_given_back_once_however_often_the_form_is_sent(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    form = {"amount": "5.00", "reason": "late", "form_key": "abc123"}
    for _ in range(2):
        operator.post(reverse("console:order_verb", args=[order.pk, "refund"]), form)
    order.refresh_from_db()
    assert order.refunded == Decimal("5.00")


def test_all_moments_of_an_order_are_told_by_the_clock_of_its_channel(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    market.web.time_zone = "America/New_York"
    market.web.save()
    order = take(draft(market.web, "w1", line("TEA"))).order
    page = operator.get(reverse("console:order", args=[order.pk])).content.decode()
    clocks = re.findall(r'<time datetime="[^"]*" title="[^"]* ([^" ]+)"', page)
    assert len(clocks) >= 4  # when it was placed, two entries of its history, what moved in stock
    assert set(clocks) == {"America/New_York"}


def test_goods_come_back_on_the_shelf_and_the_money_to_the_buyer(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    operator.post(reverse("console:order_verb", args=[order.pk, "ship"]), {"part": parcels(order)[0].pk})
    form = {f"units-{goods_line(order).pk}": "1", "disposition": "restock", "reason": "too big", "form_key": "k1"}
    answer = operator.post(reverse("console:order_verb", args=[order.pk, "take-return"]), form, follow=True)
    assert told(answer)[-1].startswith("1 unit came back")
    assert at(tea, market.warehouse) == (4, 0)
    order.refresh_from_db()
    assert order.refunded == Decimal("10.00")


@pytest.mark.parametrize(
    ("verb", "form", "said"),
    [
        ("cancel", {}, "Say why"),
        ("refund", {"amount": "NaN", "reason": "x", "form_key": "1"}, "not an amount"),
        ("refund", {"amount": "1000", "reason": "x", "form_key": "1"}, "cannot be refunded"),
        ("refund", {"amount": "1", "reason": "x"}, "not complete"),
        ("ship", {"part": "x"}, "no such part"),
        ("take-return", {"reason": "x", "form_key": "1"}, "say which goods come back"),
    ],
)
def test_a_wrong_form_is_answered_in_a_sentence_and_changes_nothing(
    market: Market, operator: Client, verb: str, form: dict[str, str], said: str
) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA"))).order
    answer = operator.post(reverse("console:order_verb", args=[order.pk, verb]), form, follow=True)
    assert said in told(answer)[0]
    order.refresh_from_db()
    assert (order.state, order.refunded) == ("open", 0)


def test_a_cancelled_order_gives_its_promise_back(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    operator.post(reverse("console:order_verb", args=[order.pk, "cancel"]), {"reason": "buyer changed her mind"})
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert at(tea, market.warehouse) == (5, 0)


def test_there_is_no_verb_that_nobody_wrote(market: Market, operator: Client) -> None:
    order = take(draft(market.bazaar, "b1", line("TEA"))).order
    assert operator.post(reverse("console:order_verb", args=[order.pk, "delete"])).status_code == 404


@pytest.mark.parametrize("line_name", ["\u00b2", "7" * 30])
def test_a_line_whose_number_is_none_is_passed_over(market: Market, operator: Client, line_name: str) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    page, part = reverse("console:order_verb", args=[order.pk, "ship"]), parcels(order)[0].pk
    assert "has no such part" in told(operator.post(page, {"part": "7" * 5_000}, follow=True))[0]
    assert "has left" in told(operator.post(page, {"part": part, f"part-{line_name}": "1"}, follow=True))[0]
    form = {f"units-{line_name}": "1", "reason": "broken", "form_key": "abc"}
    answer = operator.post(reverse("console:order_verb", args=[order.pk, "take-return"]), form, follow=True)
    assert answer.status_code == 200
    assert not order.returns.exists()
