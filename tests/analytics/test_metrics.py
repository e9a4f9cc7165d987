"""What a channel earned: over a period, and day by day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from finalmarket.analytics import jobs, rollup
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.analytics import book

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)


def test_a_buyer_of_many_days_is_one_customer_of_the_period() -> None:
    channel, ann, ben = book.channel("Shop"), book.customer("Ann"), book.customer("Ben")
    book.order(channel, NOON - timedelta(days=60), buyer=ben, goods="7.00")
    for days in (5, 4, 3):
        book.order(channel, NOON - timedelta(days=days), buyer=ann, goods="10.00")
    book.order(channel, NOON, buyer=ben, goods="25.00")
    with clock.steered(NOON):
        rollup.restate_all()
        metrics = channel.performance_metrics(start_date=clock.days_ago(30))
    assert (metrics["start_date"], metrics["end_date"]) == (date(2025, 5, 11), date(2025, 6, 10))
    assert (metrics["orders_count"], metrics["revenue"]) == (4, Decimal("55.00"))
    assert metrics["average_order_value"] == Decimal("13.75")
    assert (metrics["unique_customers"], metrics["new_customers"], metrics["returning_customers"]) == (2, 1, 1)
    assert metrics["customer_count"] == 2


def test_rates_of_a_period_weigh_its_days() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    busy = book.order(channel, NOON - timedelta(days=1), buyer=ann, units=9)
    book.order(channel, NOON, buyer=ann, units=1, returned=1)
    for days, led_to in ((1, busy), (1, None), (1, None), (0, None)):
        book.journey(channel, NOON - timedelta(days=days), ann, led_to)
    with clock.steered(NOON):
        rollup.restate_all()
        metrics = channel.performance_metrics()
    assert (metrics["conversion_rate"], metrics["return_rate"]) == (Decimal("0.25"), Decimal("0.1"))


def test_the_period_is_the_channels_own_days() -> None:
    channel = book.channel("New York", time_zone="America/New_York")
    book.order(channel, datetime(2025, 6, 10, 2, tzinfo=UTC))
    with clock.steered(NOON):
        rollup.restate_all()
        evening_before = datetime(2025, 6, 9, 23, tzinfo=UTC)
        assert channel.performance_metrics(end_date=evening_before)["orders_count"] == 1
        assert channel.performance_metrics(start_date=date(2025, 6, 10))["orders_count"] == 0


def test_a_channel_that_never_sold_has_zeros_and_no_rates() -> None:
    metrics = book.channel("Shop").performance_metrics()
    assert (metrics["orders_count"], metrics["revenue"], metrics["unique_customers"]) == (0, Decimal(0), 0)
    assert metrics["average_order_value"] is None
    assert metrics["conversion_rate"] is None


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UserError, match="give an earlier start_date"):
        book.channel("Shop").performance_metrics(start_date=date(2025, 2, 1), end_date=date(2025, 1, 1))


def test_metrics_take_two_queries_however_long_the_period(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    channel = book.channel("Shop")
    for days in range(40):
        book.order(channel, NOON - timedelta(days=days), buyer=book.customer(f"Buyer {days}"))
    with clock.steered(NOON):
        rollup.restate_all()
        for back in (1, 10, 39):
            with django_assert_num_queries(2):
                channel.performance_metrics(start_date=clock.days_ago(back))


def test_a_trend_has_every_day_even_those_without_figures(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    channel = book.channel("Shop")
    book.order(channel, NOON - timedelta(days=2), goods="42.00")
    with clock.steered(NOON):
        rollup.restate(channel, date(2025, 6, 8), date(2025, 6, 8))
        with django_assert_num_queries(1):
            trend = ChannelAnalytics.objects.trend_data(channel, days=30)
    assert [row["date"] for row in trend] == [date(2025, 5, 12) + timedelta(days=n) for n in range(30)]
    assert [row["revenue"] for row in trend if row["orders_count"]] == [Decimal("42.00")]
    assert all(row["conversion_rate"] is None for row in trend)


def test_a_trend_of_no_days_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1 day"):
        ChannelAnalytics.objects.trend_data(book.channel("Shop"), days=0)


@pytest.mark.parametrize("job", [jobs.restate, jobs.refresh, jobs.follow_persons, jobs.settle])
def test_the_figures_keep_up_by_themselves(job: Callable[[], None]) -> None:
    channel = book.channel("Shop")
    with clock.steered(NOON):
        for days in (0, 1, 399):
            book.order(channel, NOON - timedelta(days=days))
        job()
        assert channel.performance_metrics(start_date=clock.days_ago(400))["orders_count"] == 3


def test_a_new_day_begins_with_a_row_of_its_own() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    book.order(channel, NOON, buyer=ann)
    with clock.steered(NOON) as now:
        jobs.restate()
        now.advance(timedelta(days=2))
        jobs.refresh()
    rows = ChannelAnalytics.objects.order_by("date").values_list("date", "orders_count", "customer_count")
    assert list(rows) == [(date(2025, 6, day), int(day == 10), 1) for day in (10, 11, 12)]
