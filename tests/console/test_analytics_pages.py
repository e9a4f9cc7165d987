"""The figures in the console: all channels, one of them, side by side, as a file; every number leads to its rows."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.analytics import rollup
from finalmarket.analytics.models import ChannelAnalytics, ExchangeRate, Merchant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import trend
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from tests.analytics import book
from tests.console.reading import read, words

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture
def shops(db: None) -> list[SalesChannel]:
    """A web shop, and a store in London that counts in pounds, with some orders and sessions each."""
    web, london = book.channel("Web shop"), book.channel("London", currency="GBP", time_zone="Europe/London")
    ExchangeRate.objects.create(base="GBP", quote="EUR", date=date(2025, 1, 1), rate=Decimal("1.2"))
    ann = book.customer("Ann")
    with clock.steered(NOON):
        for days in (0, 3, 3, 40):
            book.order(web, NOON - timedelta(days=days), goods="50.00", buyer=ann, units=2, returned=1)
        book.order(london, NOON - timedelta(days=1), goods="100.00")
        book.journey(web, NOON, ann)
        rollup.restate_all()
    return [web, london]


def address(**asked: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{reverse('console:analytics')}?until={TODAY}&{query}"


def test_an_empty_house_teaches(operator: Client) -> None:
    told = read(operator, reverse("console:analytics"))
    assert "No figures for these days" in told
    assert "No platform is connected" in told
    assert "without tax and shipping" in told


def test_all_channels_stand_in_the_merchants_money_and_in_their_own(
    operator: Client, shops: list[SalesChannel]
) -> None:
    told = read(operator, address())
    assert "€270.00" in told  # three orders of 50 and one of 100 pounds at 1.2
    assert "£100.00" in told
    assert "Revenue by day, EUR" in told
    assert "55.6 %" in told
    assert "Purchase" in told


def test_every_number_leads_to_the_orders_behind_it(operator: Client, shops: list[SalesChannel]) -> None:
    page = operator.get(address(channel=shops[0].pk)).content.decode()
    links = {html.unescape(link) for link in re.findall(r'href="([^"]*orders/\?[^"]*)"', page)}
    assert links
    late = datetime(2025, 6, 10, 23, 30, tzinfo=UTC)  # the next day in London
    book.order(shops[1], late)
    book.order(shops[1], NOON, state="cancelled")
    for shop in shops:
        rollup.restate(shop, TODAY - timedelta(days=5), TODAY + timedelta(days=1))
        for row in ChannelAnalytics.objects.filter(sales_channel=shop, date__gt=TODAY - timedelta(days=5)):
            day = f"{reverse('console:orders')}?channel={shop.pk}&state=standing&since={row.date}&until={row.date}"
            assert len(operator.get(day).context["slice"].rows) == row.orders_count, (shop.name, row.date)


def test_one_channel_is_told_day_by_day_with_its_health(operator: Client, shops: list[SalesChannel]) -> None:
    told = read(operator, address(channel=shops[0].pk))
    assert "Sat 7 Jun 2025 2 €100.00" in told
    assert "too young to say what is usual" in told or "are usual" in told
    assert "1 new" in told or "0 new" in told
    assert "<svg" in operator.get(address(channel=shops[0].pk)).content.decode()


def test_a_period_stands_beside_the_one_before_with_a_verdict(operator: Client, shops: list[SalesChannel]) -> None:
    told = read(operator, address(channel=shops[0].pk, beside="before"))
    assert "Side by side" in told
    assert "not distinguishable" in told or "not compared" in told


def test_channels_stand_side_by_side(operator: Client, shops: list[SalesChannel]) -> None:
    told = read(operator, address(channel=shops[1].pk, beside=shops[0].pk))
    assert "amounts are in the merchant's, EUR" in told
    assert "€120.00 €150.00" in told


def test_a_missing_rate_is_said_on_the_page(operator: Client, shops: list[SalesChannel]) -> None:
    Merchant.objects.create(currency="SEK")
    rollup.restate_all()
    told = read(operator, address())
    assert "No exchange rate is known for EUR to SEK, GBP to SEK" in told
    assert "finalmarket import rates FILE" in told


def test_the_file_holds_every_day_and_no_formula(operator: Client, shops: list[SalesChannel]) -> None:
    SalesChannel.objects.filter(pk=shops[0].pk).update(name="=HYPERLINK(1)")
    answer: Any = operator.get(f"{reverse('console:figures_csv')}?since={TODAY - timedelta(days=3)}&until={TODAY}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["channel"] for row in rows} == {"'=HYPERLINK(1)", "London"}
    told = {
        (row["channel"], row["date"]): (row["orders_count"], row["revenue"], row["merchant_revenue"]) for row in rows
    }
    assert told["London", "2025-06-09"] == ("1", "100.0000", "120.0000")
    assert told["'=HYPERLINK(1)", "2025-06-07"] == ("2", "100.0000", "100.0000")


def test_accounts_are_told_to_those_who_may_see_them(operator: Client, shops: list[SalesChannel]) -> None:
    ChannelIntegration.objects.create(
        sales_channel=shops[0], platform_name="Fake", integration_type="marketplace", status="needs_attention",
        status_reason="the token was withdrawn",
    )  # fmt: skip
    assert "the token was withdrawn" in read(operator, address())
    user = User.objects.create_user("jo", password="open sesame 5", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_channelanalytics"))
    client = Client()
    client.force_login(user)
    page = client.get(address())
    assert page.status_code == 200
    assert "Accounts on platforms" not in words(page)
    assert reverse("console:orders") not in page.content.decode()


def test_what_is_no_day_and_no_channel_breaks_nothing(operator: Client, shops: list[SalesChannel]) -> None:
    for asked in (
        "since=never",
        "channel=999",
        "beside=abc",
        "since=2025-06-10&until=2025-06-01",
        "since=0001-01-01",
        "until=0001-01-01",
        "until=9999-12-31",
        "since=9999-12-31",
    ):
        assert operator.get(f"{reverse('console:analytics')}?{asked}").status_code == 200, asked
        assert operator.get(f"{reverse('console:figures_csv')}?{asked}").status_code == 200, asked
    told = operator.get(f"{reverse('console:analytics')}?since=2025-06-10&until=2025-06-01")
    assert "before it begins" in told.content.decode()


@pytest.mark.parametrize("page", ["all", "one", "channels"])
def test_the_pages_take_as_many_queries_for_many_rows_as_for_few(
    operator: Client, shops: list[SalesChannel], page: str
) -> None:
    addresses = {"all": address(), "one": address(channel=shops[0].pk, beside="before"),
                 "channels": reverse("console:channels")}  # fmt: skip

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(addresses[page]).status_code == 200
        return len(captured)

    few = asked()
    for number in range(4):
        shop = book.channel(f"Shop {number}")
        for days in range(5):
            book.order(shop if page != "one" else shops[0], NOON - timedelta(days=days), buyer=book.customer("B"))
            book.journey(shop, NOON - timedelta(days=days), book.customer("C"))
    with clock.steered(NOON):
        rollup.restate_all()
    assert asked() == few <= 30


def test_the_channel_page_tells_health_and_figures(operator: Client, shops: list[SalesChannel]) -> None:
    with clock.steered(NOON):
        told = read(operator, reverse("console:channel", args=[shops[1].pk]))
    assert "For the merchant €120.00" in told
    assert "too young to say what is usual" in told


def test_a_chart_scales_to_a_round_number_and_leaves_out_what_is_not_known() -> None:
    days = [TODAY + timedelta(days=number) for number in range(4)]
    drawn = trend.draw("Revenue", days, [trend.Row("Shop", [Decimal("130"), None, 0, 40])])
    assert [said for _, said in drawn.amounts] == ["0", "50", "100", "150", "200"]
    (line,) = drawn.lines
    assert line.path.count("M") == 2
    assert [mark.words for mark in line.marks] == [
        "Shop, 10 Jun 2025: 130", "Shop, 12 Jun 2025: 0", "Shop, 13 Jun 2025: 40",
    ]  # fmt: skip
    assert drawn.lines[0].marks[0].y < drawn.lines[0].marks[2].y < drawn.lines[0].marks[1].y
    assert trend.draw("Nothing", days, [trend.Row("Shop", [0, 0, 0, None])]).lines == ()
