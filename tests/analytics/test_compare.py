"""Channels and periods side by side; a difference of rates is called one only where chance would hardly make it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy import stats

from finalmarket.analytics import rollup
from finalmarket.analytics.compare import compare_channels, compare_periods
from finalmarket.analytics.models import ChannelAnalytics, ExchangeRate
from finalmarket.analytics.significance import Share, compare_rates
from finalmarket.analytics.statistics import channel_statistics, journey_statistics, together
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.analytics import book

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)


def verdict(here: Share, there: Share) -> Any:
    return compare_rates([("rate", here, there)])[0]


# A worked example: 48 of 1,000 against 30 of 1,000, as two proportions with pooled variance.


def test_two_proportions_are_tested_as_the_textbook_does() -> None:
    pooled = 78 / 2000
    z = (0.048 - 0.030) / (pooled * (1 - pooled) * 2 / 1000) ** 0.5
    found = verdict(Share(48, 1000), Share(30, 1000))
    assert found.p_value == pytest.approx(2 * (1 - stats.norm.cdf(z)), rel=1e-9)
    assert found.p_value == pytest.approx(0.0376, abs=0.0005)
    assert found.differs
    assert found.words.startswith("higher: chance alone would make such a difference only in 4 of 100 times")


def test_a_difference_that_chance_makes_often_is_not_called_one() -> None:
    found = verdict(Share(31, 1000), Share(28, 1000))
    assert (found.differs, found.here, found.there) == (False, Decimal("0.031"), Decimal("0.028"))
    assert found.words.startswith("not distinguishable")


def test_small_numbers_are_tested_exactly() -> None:
    found = verdict(Share(1, 10), Share(11, 14))  # Fisher's own kind of table: p = 0.00276
    assert found.test == "Fisher's exact test"
    assert found.p_value == pytest.approx(0.002759, abs=1e-6)


def test_without_a_base_nothing_is_compared_and_that_is_said() -> None:
    found = verdict(Share(0, 0), Share(3, 10))
    assert (found.here, found.p_value, found.differs) == (None, None, False)
    assert "one side has none" in found.words


def test_units_that_come_back_together_do_not_count_one_by_one() -> None:
    even = tuple((20, 100) for _ in range(10))
    lumpy = tuple((240, 100_0) if day == 3 else (0, 100) for day in range(10))
    together_, alone = Share(240, 1900, lumpy), Share(200, 1000, even)
    assert verdict(Share(240, 1900), Share(200, 1000)).differs
    assert not verdict(together_, alone).differs


def test_of_many_rates_compared_at_once_chance_calls_no_more_than_one_in_twenty_comparisons() -> None:
    chance = np.random.default_rng(7)
    false_alarms = 0
    for _ in range(400):
        pairs = [
            (str(n), Share(int(a), 400), Share(int(b), 400))
            for n, (a, b) in enumerate(chance.binomial(400, 0.2, (3, 2)))
        ]
        false_alarms += any(one.differs for one in compare_rates(pairs))
    assert false_alarms <= stats.binom.ppf(0.999, 400, 0.05)


@pytest.fixture
def shops(db: None) -> list[SalesChannel]:
    return [book.channel("Web"), book.channel("London", currency="GBP", time_zone="Europe/London")]


def test_channels_of_two_currencies_are_compared_in_the_merchants(shops: list[SalesChannel]) -> None:
    ExchangeRate.objects.create(base="GBP", quote="EUR", date=date(2025, 1, 1), rate=Decimal("1.2"))
    book.order(shops[0], NOON, goods="60.00")
    book.order(shops[1], NOON, goods="100.00")
    with clock.steered(NOON):
        rollup.restate_all()
        found = compare_channels(shops[1], shops[0])
    revenue = found.differences[0]
    assert (revenue.here, revenue.there, revenue.change, revenue.currency) == (120, 60, Decimal(1), "EUR")
    assert any("different currencies" in note for note in found.notes)


def test_a_missing_rate_is_said_and_nothing_is_guessed(shops: list[SalesChannel]) -> None:
    book.order(shops[1], NOON, goods="100.00")
    with clock.steered(NOON):
        rollup.restate_all()
        metrics = shops[1].performance_metrics()
        found = compare_channels(shops[0], shops[1])
    assert (metrics["revenue"], metrics["merchant_revenue"]) == (100, None)
    assert metrics["missing_rates"] == ["GBP to EUR"]
    assert found.differences[0].there is None
    assert any("No rate for GBP to EUR" in note for note in found.notes)


def test_each_day_is_converted_by_its_own_rate(shops: list[SalesChannel]) -> None:
    for days, rate in ((5, "1.10"), (1, "1.30")):
        day = NOON.date() - timedelta(days=days)
        ExchangeRate.objects.create(base="GBP", quote="EUR", date=day, rate=Decimal(rate))
    for days in (5, 2, 0):
        book.order(shops[1], NOON - timedelta(days=days), goods="100.00")
    with clock.steered(NOON):
        rollup.restate_all()
        trend = ChannelAnalytics.objects.trend_data(shops[1], days=6)
        metrics = shops[1].performance_metrics()
    assert [row["merchant_revenue"] for row in trend] == [110, 0, 0, 110, 0, 130]
    assert (metrics["merchant_revenue"], metrics["merchant_average_order_value"]) == (350, Decimal("116.6667"))


def test_orders_in_another_currency_count_in_the_channels_own_by_the_rate_of_the_day(shops: list[SalesChannel]) -> None:
    ExchangeRate.objects.create(base="EUR", quote="CHF", date=date(2025, 1, 1), rate=Decimal("0.8"))
    book.order(shops[0], NOON, goods="10.00")
    book.order(shops[0], NOON, goods="8.00", currency="CHF")
    with clock.steered(NOON):
        rollup.restate_all()
        metrics = shops[0].performance_metrics()
    assert (metrics["orders_count"], metrics["revenue"], metrics["average_order_value"]) == (2, 20, 10)


def test_a_period_is_held_against_the_one_before(shops: list[SalesChannel]) -> None:
    for days in (1, 2, 9):
        book.order(shops[0], NOON - timedelta(days=days), goods="10.00")
    with clock.steered(NOON):
        rollup.restate_all()
        found = compare_periods(shops[0], start_date=date(2025, 6, 4))
        with pytest.raises(UserError, match="with itself"):
            compare_periods(shops[0], start_date=date(2025, 6, 4), before_start=date(2025, 6, 4))
    assert (found.there.first, found.there.last) == (date(2025, 5, 28), date(2025, 6, 3))
    orders = next(one for one in found.differences if one.name == "orders_count")
    assert (orders.here, orders.there, orders.change) == (2, 1, Decimal(1))
    assert "Today is not over yet." in found.notes


def test_all_channels_at_a_glance_take_as_many_queries_as_one(
    shops: list[SalesChannel], django_assert_num_queries: Any
) -> None:
    ExchangeRate.objects.create(base="GBP", quote="EUR", date=date(2025, 1, 1), rate=Decimal("1.5"))
    book.order(shops[0], NOON, goods="50.00")
    book.order(shops[1], NOON, goods="100.00")
    with clock.steered(NOON):
        rollup.restate_all()
        with django_assert_num_queries(2):
            found = channel_statistics(NOON.date(), NOON.date())
    shares = {one.channel.name: one.share for one in found}
    assert shares == {"Web": Decimal("0.25"), "London": Decimal("0.75")}
    assert together([one.figures for one in found])["merchant_revenue"] == 200


def test_journeys_are_counted_by_where_they_began_and_what_became_of_them(shops: list[SalesChannel]) -> None:
    ann = book.customer("Ann")
    for led_to in (book.order(shops[0], NOON, buyer=ann), None, None):
        book.journey(shops[0], NOON, ann, led_to)
    book.journey(shops[1], NOON - timedelta(days=9), ann)
    found = journey_statistics(NOON.date(), NOON.date())
    assert [(one.channel, one.intent, one.journeys, one.ordered, one.open) for one in found] == [
        (shops[0].pk, "purchase", 3, 1, 2)
    ]
    assert journey_statistics(NOON.date(), NOON.date(), shops[1]) == []
