"""A day is the day where the channel is: charts and tiles of the console say so wherever it is far from UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.analytics.rollup import restate_all
from finalmarket.channels.models import SalesChannel
from finalmarket.console import figures
from finalmarket.kernel import clock
from tests.analytics import book
from tests.console.reading import words

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 6, 10, 1, tzinfo=UTC)
"""Six in the evening of the ninth in Los Angeles, ten in the morning of the tenth in Tokyo."""


def sold(*channels: SalesChannel) -> dict[str, dict[str, str]]:
    """What a chart says was sold: by channel, the days with something."""
    with clock.steered(EVENING):
        restate_all(5)
        drawn = figures.chart([found for one in channels for found in figures.figures(one)])
    return {
        row["label"]: {day: value for day, value in zip(drawn["labels"], row["values"], strict=True) if float(value)}
        for row in drawn["series"]
    }


def test_a_chart_names_the_days_of_a_channel_far_from_utc() -> None:
    angeles = book.channel("Los Angeles", time_zone="America/Los_Angeles")
    book.order(angeles, EVENING - timedelta(hours=1), goods="10")
    book.order(angeles, EVENING - timedelta(days=2), goods="7")
    assert sold(angeles) == {"Los Angeles": {"07 Jun": "7.00", "09 Jun": "10.00"}}


def test_a_chart_of_channels_with_different_days_places_them_by_the_date() -> None:
    angeles = book.channel("Los Angeles", time_zone="America/Los_Angeles")
    tokyo = book.channel("Tokyo", time_zone="Asia/Tokyo")
    for shop in (angeles, tokyo):
        book.order(shop, EVENING - timedelta(hours=1), goods="10")
    assert sold(angeles, tokyo) == {"Los Angeles": {"09 Jun": "10.00"}, "Tokyo": {"10 Jun": "10.00"}}


def test_journeys_of_today_began_today_where_their_channel_is(operator: Client) -> None:
    angeles = book.channel("Los Angeles", time_zone="America/Los_Angeles")
    ann = book.customer("Ann")
    for hours in (3, 17, 19):  # the last one began before midnight
        at = EVENING - timedelta(hours=hours)
        book.journey(angeles, at, ann, book.order(angeles, at, buyer=ann))
    angeles.journeys_started.update(state="completed")
    with clock.steered(EVENING):
        seen = words(operator.get(reverse("console:overview")))
    assert clock.day_in(angeles.time_zone, EVENING) == date(2026, 6, 9)
    assert "of today's, 2 led to an order" in seen
