"""Every number leads to the rows that it counts, and there are just as many of them; or its page says why not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urljoin

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.advice.models import StockAdvice
from finalmarket.analytics import segments
from finalmarket.analytics.models import Segment
from finalmarket.analytics.rollup import restate_all
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.stock import ledger
from tests.journeys.walks import walk
from tests.orders.market import Market, draft, line

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
LEADS = re.compile(r'<a\b[^>]*\bdata-rows="(\d+)"[^>]*>')
TILES = re.compile(r'<div\b[^>]*class="fm-stat\b[^>]*>')


@pytest.fixture
def house(market: Market) -> Iterator[Market]:
    """Orders of two days on two channels, one of them far east and one order cancelled; people, journeys, alerts."""
    market.bazaar.time_zone = "Asia/Tokyo"
    market.bazaar.save()
    with clock.steered(NOON):
        market.goods("TEA", price="4.50", warehouse=90)
        market.goods("SUGAR", price="2.00", warehouse=3)
        for channel in (market.web, market.bazaar):
            channel.add_product(market.product, price_override=Decimal("4.80"))
        for number, hours in enumerate((0, 1, 13, 20, 30, 40)):
            for channel in (market.web, market.bazaar):
                wanted = draft(channel, f"{channel.pk}-{number}", line("TEA", 1, "4.80"), email=f"{number}@example.com")
                take(replace(wanted, placed_at=NOON - timedelta(hours=hours)))
        cancel(Order.objects.get(external_id=f"{market.web.pk}-1").pk, reason="changed their mind", actor="test")
        ledger.adjust(market.variants["SUGAR"].pk, market.warehouse.pk, -2, reason="fell down", actor="test")
        for name, action in (("Ben", "checkout_start"), ("Cleo", "product_view")):
            visitor = OmnichannelCustomer.objects.create(name=name)
            walk(visitor, [(market.web, "product_view", 0), (market.bazaar, action, 9)], began=NOON - timedelta(days=1))
        tea = {"variant": market.variants["TEA"], "location": market.warehouse, "quantity": 9}
        StockAdvice.objects.create(kind="reorder", reason="it runs out", computed_at=NOON, **tea)
        restate_all(4)
        segments.restate()
        yield market


def pages(market: Market) -> dict[str, str]:
    figures = reverse("console:analytics")
    buyer = Order.objects.filter(sales_channel=market.web).exclude(customer=None)[0].customer_id
    return {
        "overview": reverse("console:overview"), "channels": reverse("console:channels"),
        "channel": reverse("console:channel", args=[market.web.pk]),
        "channel far east": reverse("console:channel", args=[market.bazaar.pk]),
        "figures": figures, "figures of a channel": f"{figures}?channel={market.web.pk}",
        "figures far east": f"{figures}?channel={market.bazaar.pk}",
        "customers": reverse("console:customers"), "customer": reverse("console:customer", args=[buyer]),
        "segments": reverse("console:segments"), "stock advice": reverse("console:stock_advice"),
        "sku": reverse("console:sku", args=[market.variants["TEA"].pk]),
        "segment": reverse("console:segment", args=[Segment.objects.earliest("pk").pk]),
        "paths": reverse("console:paths"),
        "paths of a day": f"{reverse('console:paths')}?since=2026-05-04&until=2026-05-04",
        "paths over a channel": f"{reverse('console:paths')}?channel={market.bazaar.pk}&intent=purchase",
        "reports": f"{reverse('console:reports')}?since=2026-05-01&until=2026-05-05",
        "lost journeys": reverse("console:lost_journeys"),
        "abandonment": reverse("console:abandonment"), "funnel": reverse("console:funnel"),
    }  # fmt: skip


def rows_at(operator: Client, address: str) -> tuple[int, int]:
    """How many rows a page says that it has, and how many stand there."""
    answer = operator.get(address)
    assert answer.status_code == 200, address
    _, _, after = answer.content.decode().partition("data-count=")
    if not after:
        return 0, 0
    said = int(after[1 : after.index('"', 1)].replace(",", ""))
    return said, after.partition("<tbody")[2].partition("</tbody>")[0].count("<tr")


def test_every_number_leads_to_as_many_rows_as_it_says_or_says_why_it_does_not(
    operator: Client, house: Market
) -> None:  # fmt: skip
    wrong, led = [], {}
    for name, address in pages(house).items():
        page = operator.get(address).content.decode()
        wrong += [f"{name}: {tile} leads nowhere" for tile in TILES.findall(page) if 'title="' not in tile]
        for found in LEADS.finditer(page):
            link = re.search(r'href="([^"]*)"', found[0])
            assert link, found[0]
            there, count = urljoin(address, html.unescape(link[1])), int(found[1])
            if there not in led:
                led[there] = rows_at(operator, there)
            if led[there] != (count, count):
                wrong.append(f"{name}: {count} at {there}, where (said, stand) are {led[there]}")
    assert wrong == []
    assert len(led) > 25
    assert sum(said > 0 for said, _ in led.values()) > 15, led
