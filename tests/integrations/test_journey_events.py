"""Receivers hear what becomes of journeys, once, and nothing of what lies long back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing.announce import prepare
from finalmarket.integrations.watch import wake_stitcher
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from tests.journeys.tales import tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """The database's own time: what is news is for it to say."""
    return clock.now()


@pytest.fixture
def web() -> SalesChannel:
    WebhookEndpoint.objects.create(url="https://us.example/hook", topics=["journey.*"], secret=b"sealed")
    return SalesChannel.objects.create(name="Web shop", channel_type="web")


@pytest.fixture
def ann() -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


def heard() -> list[str]:
    """What is told of journeys, in order."""
    return list(
        OutgoingEvent.objects.filter(topic__startswith="journey").order_by("id").values_list("topic", flat=True)
    )


def test_a_journey_is_told_when_it_begins_changes_and_is_given_up(
    web: SalesChannel, ann: OmnichannelCustomer, now: datetime
) -> None:
    ann.track_interaction(web, "search", occurred_at=now - timedelta(days=7, minutes=15))
    tell(now - timedelta(days=7))
    assert heard() == []
    ann.track_interaction(web, "search", occurred_at=now - timedelta(minutes=10))
    tell(now)
    assert heard() == ["journey.abandoned", "journey.started"]
    ann.track_interaction(web, "add_to_cart", occurred_at=now - timedelta(minutes=5))
    ann.track_interaction(web, "page_view", occurred_at=now - timedelta(minutes=4))
    tell(now)
    assert heard() == ["journey.abandoned", "journey.started", "journey.changed"]


def test_a_receiver_is_told_what_a_journey_came_to(web: SalesChannel, ann: OmnichannelCustomer, now: datetime) -> None:
    ann.track_interaction(web, "review_submit", occurred_at=now - timedelta(minutes=5))
    tell(now)
    assert sorted(heard()) == ["journey.completed", "journey.started"]
    prepare()
    told = OutgoingEvent.objects.get(topic="journey.completed").data
    assert told is not None
    assert (told["outcome"], told["reason"], told["score"]) == ("review_sent", "a review was sent", 10)


def test_a_journey_that_a_call_starts_and_ends_is_told_too(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    ann.start_journey(web, "purchase").complete("success")
    assert heard() == ["journey.started", "journey.completed"]


def test_the_past_is_no_news(web: SalesChannel, ann: OmnichannelCustomer, now: datetime) -> None:
    ann.track_interaction(web, "review_submit", occurred_at=now - timedelta(days=200))
    ann.track_interaction(web, "search", occurred_at=now - timedelta(days=300))
    tell(now)
    assert CrossChannelJourney.objects.count() == 2
    assert heard() == []


def test_the_watcher_wakes_the_stitcher_once(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    assert not wake_stitcher()
    ann.track_interaction(web, "search")
    assert wake_stitcher()
    assert not wake_stitcher()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'journeys.stitch'")
        assert cursor.fetchone() == (1,)
