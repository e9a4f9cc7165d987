"""How a channel is doing: held against its own past, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from finalmarket.analytics import health
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.integrations.models import ChannelIntegration, IntegrationHealth
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from finalmarket.stock.models import StockAlert
from tests.analytics import book

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def shop() -> SalesChannel:
    return book.channel("Shop")


def sold(channel: SalesChannel, today: int, before: Sequence[int], troubled: int = 0) -> None:
    """Orders of the last day, and of the same day one, two, three, ... weeks ago."""
    rows = [
        Order(
            number=f"{week}-{number}", external_id=f"{week}-{number}", sales_channel=channel, currency="EUR",
            placed_at=NOON - timedelta(days=7 * week, hours=3),
            problem="no stock" if not week and number < troubled else "",
        )
        for week, count in enumerate([today, *before])
        for number in range(count)
    ]  # fmt: skip
    Order.objects.bulk_create(rows)


def told(channel: SalesChannel) -> health.ChannelHealth:
    with clock.steered(NOON):
        return channel.health()


def test_a_channel_that_sells_as_usual_is_healthy_and_says_what_is_usual(shop: SalesChannel) -> None:
    sold(shop, 19, [20, 24, 17, 21, 20, 18, 22, 20])
    found = told(shop)
    assert str(found) == "healthy: 19 orders in the last day, about 20 are usual for this day of the week"


@pytest.mark.parametrize(("today", "word"), [(0, "quiet"), (3, "quiet"), (11, "healthy"), (60, "busy")])
def test_so_few_or_many_orders_as_the_past_would_hardly_bring_are_told(
    shop: SalesChannel, today: int, word: str
) -> None:
    sold(shop, today, [20, 24, 17, 21, 20, 18, 22, 20])
    found = told(shop)
    assert found.word == word
    assert f"{today} orders in the last day, about 20 are usual" in found.reason


def test_a_channel_whose_weeks_differ_wildly_is_not_called_quiet_for_it(shop: SalesChannel) -> None:
    sold(shop, 3, [20, 2, 45, 5, 33, 1, 40, 14])
    assert told(shop).word == "healthy"


def test_a_young_channel_has_no_normal_yet(shop: SalesChannel) -> None:
    sold(shop, 0, [20, 20, 20])
    assert "too young to say what is usual" in told(shop).reason


def test_a_channel_that_is_as_ever_is_hardly_ever_called_quiet_or_busy() -> None:
    chance = np.random.default_rng(3)
    alarms = 0
    for mean in (2, 15, 300):
        for counts in chance.poisson(mean, (700, 9)):
            expected = health._predicted([int(one) for one in counts[1:]])
            alarms += expected.cdf(counts[0]) < health.RARE or expected.sf(counts[0] - 1) < health.RARE
    assert alarms <= stats.binom.ppf(0.999, 2_100, 2 * health.RARE * 3)


def test_many_orders_with_a_problem_are_trouble(shop: SalesChannel) -> None:
    sold(shop, 20, [20] * 8, troubled=4)
    found = told(shop)
    assert (found.word, "4 of 20 orders of the last day have a problem" in found.reason) == ("troubled", True)


def test_what_was_sold_beyond_stock_and_what_has_run_out_make_it_short(shop: SalesChannel) -> None:
    product = Product.objects.create(title="Tea", slug="tea")
    for number in range(10):
        variant = Variant.objects.create(product=product, sku=f"TEA-{number}")
        ChannelProduct.objects.create(sales_channel=shop, variant=variant)
        if number < 2:
            StockAlert.objects.create(variant=variant, sales_channel=shop, level="out", quantity=0, opened_at=NOON)
    found = told(shop)
    assert (found.word, found.reason) == ("short", "2 SKUs have run out, 20 % of the listings, 2 in the last day")
    StockAlert.objects.update(level="short")
    assert told(shop).reason == "of 2 SKUs more was sold than there is"


def test_an_account_that_fails_is_said_before_everything_else(shop: SalesChannel) -> None:
    sold(shop, 0, [20] * 8)
    account = ChannelIntegration.objects.create(
        sales_channel=shop, platform_name="Fake", integration_type="marketplace", status="needs_attention",
        status_reason="the token was withdrawn",
    )  # fmt: skip
    IntegrationHealth.objects.create(integration=account)
    found = told(shop)
    assert (found.word, found.reason) == ("failing", "Fake: the token was withdrawn")
    assert [one.word for one in found.findings] == ["failing", "quiet"]


def test_who_does_not_sell_is_not_called_quiet(shop: SalesChannel) -> None:
    sold(shop, 0, [20] * 8)
    shop.pause("stock-taking")
    assert str(told(shop)) == "paused: stock-taking"
    SalesChannel.objects.filter(pk=shop.pk).update(status="inactive")
    shop.refresh_from_db()
    assert told(shop).word == "inactive"


def test_many_channels_take_as_many_queries_as_one(shop: SalesChannel, django_assert_num_queries: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked(channels: list[SalesChannel]) -> int:
        with CaptureQueriesContext(connection) as captured:
            health.health_of_all(channels)
        return len(captured)

    others = [book.channel(f"Shop {number}") for number in range(3)]
    assert asked([shop]) == asked([shop, *others]) <= 14
