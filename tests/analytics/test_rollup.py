"""The daily figures are the order book's, whatever the clock, the currency and the customer file look like."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from finalmarket.analytics import rollup
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.statistics import journey_statistics
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.analytics import book, slow

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)
TODAY = NOON.date()


def of_day(channel: SalesChannel, day: date = TODAY, currency: str | None = None) -> ChannelAnalytics:
    rollup.restate(channel, day, day)
    found: ChannelAnalytics = ChannelAnalytics.objects.get(
        sales_channel=channel, date=day, currency=currency or channel.currency
    )
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_equal_a_recomputation_by_hand(seed: int) -> None:
    channels = [
        book.channel("Berlin", time_zone="Europe/Berlin"),
        book.channel("New York", time_zone="America/New_York", currency="USD"),
        book.channel("Auckland", time_zone="Pacific/Auckland", currency="NZD"),
    ]
    first = datetime(2025, 3, 25, tzinfo=UTC)
    book.fill_at_random(random.Random(seed), channels, first, days=12)
    for channel in channels:
        start, end = first.date() + timedelta(days=2), first.date() + timedelta(days=9)
        rollup.restate(channel, start, end)
        stored = {(row.date, row.currency): row for row in ChannelAnalytics.objects.filter(sales_channel=channel)}
        expected = slow.figures(channel, start, end)
        assert stored.keys() == expected.keys()
        for key, row in expected.items():
            assert {name: getattr(stored[key], name) for name in row} == row, key


def test_restating_twice_gives_the_same_rows() -> None:
    channel = book.channel("Shop")
    book.order(channel, NOON)
    rollup.restate(channel, TODAY, TODAY)
    before = list(ChannelAnalytics.objects.values_list("date", "currency", "orders_count", "revenue"))
    assert rollup.restate(channel, TODAY, TODAY) == 1
    assert list(ChannelAnalytics.objects.values_list("date", "currency", "orders_count", "revenue")) == before


def test_revenue_is_goods_after_discount_without_tax_and_shipping() -> None:
    channel = book.channel("Shop")
    book.order(
        channel, NOON, goods="129.00", discount=Decimal("10.00"), line_tax="19.00", shipping="4.90", shipping_tax="0.78"
    )
    assert of_day(channel).revenue == Decimal("100.00")


def test_tax_added_on_top_does_not_lower_revenue() -> None:
    channel = book.channel("Shop", currency="USD")
    book.order(channel, NOON, goods="100.00", line_tax="8.00", tax_included=False)
    assert of_day(channel).revenue == Decimal("100.00")


def test_cancelled_orders_count_nowhere() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    book.order(channel, NOON, buyer=ann, state="cancelled")
    figures = of_day(channel)
    assert (figures.orders_count, figures.revenue, figures.unique_customers, figures.customer_count) == (
        0,
        Decimal(0),
        0,
        0,
    )


def test_a_cancelled_first_order_does_not_make_a_customer_known() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    book.order(channel, NOON - timedelta(days=3), buyer=ann, state="cancelled")
    book.order(channel, NOON, buyer=ann)
    assert of_day(channel).new_customers == 1


def test_a_full_refund_leaves_no_net_revenue_and_keeps_revenue() -> None:
    channel = book.channel("Shop")
    book.order(channel, NOON, goods="119.00", line_tax="19.00", shipping="4.90", refunded=Decimal("123.90"))
    figures = of_day(channel)
    assert (figures.revenue, figures.refunds, figures.net_revenue) == (Decimal(100), Decimal(100), Decimal(0))


def test_returned_units_count_on_the_day_of_the_sale() -> None:
    channel = book.channel("Shop")
    book.order(channel, NOON, units=4, returned=1)
    figures = of_day(channel)
    assert (figures.units_sold, figures.units_returned, figures.return_rate) == (4, 1, Decimal("0.25"))


def test_units_taken_off_an_order_were_not_sold() -> None:
    channel = book.channel("Shop")
    book.order(channel, NOON, units=4, cancelled=3)
    assert of_day(channel).units_sold == 1


def test_an_order_of_late_evening_belongs_to_the_day_of_its_shop() -> None:
    late = datetime(2025, 6, 10, 23, 30, tzinfo=UTC)
    berlin = book.channel("Berlin", time_zone="Europe/Berlin")
    new_york = book.channel("New York", time_zone="America/New_York")
    for channel in (berlin, new_york):
        book.order(channel, late)
    assert of_day(berlin, TODAY).orders_count == 0
    assert of_day(berlin, TODAY + timedelta(days=1)).orders_count == 1
    assert of_day(new_york, TODAY).orders_count == 1


@pytest.mark.parametrize(
    ("place", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23), ("Europe/Berlin", date(2025, 10, 26), 25),
        ("Atlantic/Azores", date(2025, 3, 30), 23), ("Atlantic/Azores", date(2025, 10, 26), 25),  # midnight twice
        ("America/Havana", date(2025, 11, 2), 25), ("Africa/Cairo", date(2025, 10, 30), 25),
    ],
)  # fmt: skip
def test_days_of_the_clock_change_have_23_and_25_hours(place: str, day: date, hours: int) -> None:
    channel, zone = book.channel("Shop", time_zone=place), ZoneInfo(place)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    for hour in range(-3, 30):
        book.order(channel, midnight + timedelta(hours=hour, minutes=1))
    assert of_day(channel, day).orders_count == hours


def test_what_was_sold_while_midnight_struck_twice_is_of_one_day_alone() -> None:
    channel, ann = book.channel("Ponta Delgada", time_zone="Atlantic/Azores"), book.customer("Ann")
    day, first_midnight = date(2025, 10, 26), datetime(2025, 10, 26, 0, tzinfo=UTC)
    for hour in (0, 1):
        placed = book.order(channel, first_midnight + timedelta(hours=hour, minutes=30), buyer=ann, currency="CHF")
        book.journey(channel, placed.placed_at, ann, placed)
    assert (of_day(channel, day, "CHF").orders_count, of_day(channel, day).sessions) == (2, 2)
    assert of_day(channel, day - timedelta(days=1)).sessions == 0
    assert of_day(channel, day, "CHF").orders_count == 2
    eve, morrow = day - timedelta(days=1), day + timedelta(days=1)
    assert [rollup.buyers(channel, one, one)[0] for one in (eve, day, morrow)] == [0, 1, 0]
    found = [sum(row.journeys for row in journey_statistics(one, one)) for one in (eve, day, morrow)]
    assert found == [0, 2, 0]


def test_other_currencies_have_rows_of_their_own_and_never_mix() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    book.order(channel, NOON, goods="10.00")
    book.order(channel, NOON, goods="500.00", currency="CHF", buyer=ann)
    book.journey(channel, NOON, ann)
    assert of_day(channel).revenue == 10
    swiss = of_day(channel, currency="CHF")
    assert (swiss.revenue, swiss.sessions) == (Decimal(500), 0)
    assert of_day(channel).sessions == 1


def test_merged_profiles_are_one_person() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    double = book.customer("A. Double", merged_into=ann)
    book.order(channel, NOON - timedelta(days=40), buyer=double)
    book.order(channel, NOON, buyer=ann)
    book.order(channel, NOON, buyer=double)
    figures = of_day(channel)
    assert (figures.unique_customers, figures.new_customers, figures.returning_customers) == (1, 0, 1)
    assert figures.customer_count == 1


def test_a_customer_is_new_on_one_channel_only() -> None:
    web, store, ann = book.channel("Web"), book.channel("Store"), book.customer("Ann")
    book.order(web, NOON, buyer=ann)
    book.order(store, NOON + timedelta(hours=2), buyer=ann)
    assert of_day(web).new_customers == 1
    assert (of_day(store).new_customers, of_day(store).returning_customers) == (0, 1)


def test_buyers_to_date_hold_on_days_without_orders() -> None:
    channel = book.channel("Shop")
    for name in ("Ann", "Ben"):
        book.order(channel, NOON - timedelta(days=100), buyer=book.customer(name))
    assert of_day(channel).customer_count == 2


def test_a_day_without_sessions_has_no_conversion_rate() -> None:
    channel, ann = book.channel("Shop"), book.customer("Ann")
    placed = book.order(channel, NOON, buyer=ann)
    assert of_day(channel).conversion_rate is None
    for led_to in (placed, None, None, None):
        book.journey(channel, NOON, ann, led_to)
    assert of_day(channel).conversion_rate == Decimal("0.25")


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UserError, match="first day is after the last"):
        rollup.restate(book.channel("Shop"), TODAY, TODAY - timedelta(days=1))


def test_all_channels_are_restated_up_to_their_own_today() -> None:
    auckland = book.channel("Auckland", time_zone="Pacific/Auckland")
    honolulu = book.channel("Honolulu", time_zone="Pacific/Honolulu")
    with clock.steered(datetime(2025, 6, 10, 12, 30, tzinfo=UTC)):
        told: list[SalesChannel] = []
        assert rollup.restate_all(2, told=told.append) == 4
    assert told == [auckland, honolulu]
    days = {c: [*ChannelAnalytics.objects.filter(sales_channel=c).values_list("date", flat=True)] for c in told}
    assert max(days[auckland]) == date(2025, 6, 11)
    assert max(days[honolulu]) == date(2025, 6, 10)


def test_without_a_number_of_days_the_figures_go_back_to_the_first_order() -> None:
    channel, silent = book.channel("Shop"), book.channel("Never sold anything")
    book.order(channel, NOON - timedelta(days=9))
    with clock.steered(NOON):
        assert rollup.restate_all() == 10
    assert not ChannelAnalytics.objects.filter(sales_channel=silent).exists()


def test_less_than_a_day_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1 day"):
        rollup.restate_all(0)
