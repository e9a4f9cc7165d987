"""Interactions lie by month, however late or early they come, and each message is told once for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import storage
from finalmarket.journeys.models import (
    ChannelInteraction,
    CrossChannelJourney,
    JourneyMark,
    JourneyTouchpoint,
)
from finalmarket.kernel import clock, jobs
from tests.orders.market import together
from tests.tracking.teller import keys

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def web(db: None) -> SalesChannel:
    return SalesChannel.objects.create(name="Web shop", channel_type="web")


@pytest.fixture
def ann(db: None) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


def lies_in(interaction: ChannelInteraction) -> str:
    """The partition that holds the row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM channel_interactions WHERE id = %s", [interaction.pk])
        return str(cursor.fetchall()[0][0])


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'channel_interactions'::regclass"
        )
        return sorted(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2003, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), "200302"),
        (datetime(2024, 3, 1, tzinfo=UTC), "202403"),
        (datetime(2031, 12, 31, 23, tzinfo=UTC), "203112"),
        (datetime(2024, 3, 1, 0, 30, tzinfo=UTC).astimezone(tz=None), "202403"),
    ],
)
def test_late_and_early_ones_find_their_month(
    web: SalesChannel, ann: OmnichannelCustomer, at: datetime, month: str
) -> None:
    seen = ann.track_interaction(web, "page_view", occurred_at=at)
    assert lies_in(seen) == f"channel_interactions_{month}"


def test_a_month_is_made_once_and_the_next_ones_are_there_ahead(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    before = partitions()
    storage.make_months([NOON, NOON + timedelta(days=3), NOON])
    storage.make_months([NOON])
    made = set(partitions()) - set(before)
    assert made == {"channel_interactions_202506"}
    assert not [name for name in partitions() if "default" in name]
    assert len(before) >= 3


def test_the_worker_makes_the_months_that_come(web: SalesChannel) -> None:
    with clock.steered(datetime(2040, 12, 31, 12, tzinfo=UTC)):
        jobs.declared()["journeys.months"].run()
    made = [name.removeprefix("channel_interactions_") for name in partitions()]
    assert [month for month in made if month > "2040"] == ["204012", "204101", "204102"]


def test_a_moment_that_nobody_can_have_meant_makes_no_month(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    for at in (datetime(1969, 7, 20, tzinfo=UTC), datetime(2150, 1, 1, tzinfo=UTC)):
        with pytest.raises(ValidationError, match="no moment of a customer's life"):
            ann.track_interaction(web, "page_view", occurred_at=at)
        unmeant = ChannelInteraction(customer=ann, sales_channel=web, interaction_type="search", occurred_at=at)
        with pytest.raises(DataError, match="1990 to 2100"), transaction.atomic():
            unmeant.save()


def test_a_message_told_again_in_another_month_is_the_same_message(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    first = ann.track_interaction(web, "page_view", message_id="m-1", occurred_at=NOON)
    again = ann.track_interaction(web, "page_view", message_id="m-1", occurred_at=NOON + timedelta(days=400))
    assert (again.pk, again.occurred_at) == (first.pk, NOON)
    assert storage.told([web.pk], ["m-1", "m-2"]) == {(web.pk, "m-1"): (first.pk, NOON)}


def test_rows_that_are_saved_or_written_in_bulk_go_the_same_way(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    def row(message_id: str, days: int) -> ChannelInteraction:
        return ChannelInteraction(
            customer=ann, sales_channel=web, interaction_type="search", message_id=message_id,
            occurred_at=NOON + timedelta(days=days),
        )  # fmt: skip

    row("m-1", 0).save()
    with pytest.raises(IntegrityError, match="told before"), transaction.atomic():
        row("m-1", 1).save()
    with pytest.raises(IntegrityError, match="told before"), transaction.atomic():
        ChannelInteraction.objects.bulk_create([row("m-2", 2), row("m-1", 3)])
    assert ChannelInteraction.objects.count() == 1
    rows = [row("m-2", -300), row("m-1", 3), row("m-2", 5), row("", 7), row("", 7)]
    ChannelInteraction.objects.bulk_create(rows, ignore_conflicts=True)
    stored = {(one.message_id, one.occurred_at) for one in ChannelInteraction.objects.all()}
    days = timedelta
    assert stored == {("m-1", NOON), ("m-2", NOON - days(300)), ("", NOON + days(7))}
    assert ChannelInteraction.objects.count() == 4


def test_what_is_written_marks_the_journey_from_its_earliest_moment_on(
    web: SalesChannel, ann: OmnichannelCustomer
) -> None:
    JourneyMark.objects.all().delete()
    ann.track_interaction(web, "page_view", occurred_at=NOON)
    ann.track_interaction(web, "search", message_id="late", occurred_at=NOON - timedelta(days=90))
    mark = JourneyMark.objects.get(customer=ann)
    assert mark.since == NOON - timedelta(days=90)
    ann.track_interaction(web, "search", message_id="late", occurred_at=NOON - timedelta(days=200))
    assert JourneyMark.objects.get(customer=ann).since == NOON - timedelta(days=90)


def test_a_changed_row_stays_the_row_it_was(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    seen = ann.track_interaction(web, "page_view", message_id="m-1", occurred_at=NOON)
    seen.context = {"sku": "A"}
    seen.save()
    assert ChannelInteraction.objects.get(pk=seen.pk).context == {"sku": "A"}
    assert ChannelInteraction.objects.count() == keys() == 1


def test_a_touchpoint_outlives_its_interaction(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    seen = ann.track_interaction(web, "page_view", occurred_at=NOON)
    journey = ann.start_journey(web, "browse")
    step = journey.add_touchpoint(web, "look", interaction=seen)
    seen.delete()
    assert JourneyTouchpoint.objects.get(pk=step.pk).interaction_id is None
    assert CrossChannelJourney.objects.filter(pk=journey.pk).exists()


@pytest.mark.committed_database
def test_sixteen_who_need_a_month_at_once_get_it_and_one_message_is_one() -> None:
    channel = SalesChannel.objects.create(name="Web shop", channel_type="web")
    person = OmnichannelCustomer.objects.create(name="Ann")

    def tell(number: int) -> int:
        at = datetime(2010 + number % 4, 5, 1, tzinfo=UTC)
        person.track_interaction(channel, "page_view", message_id=f"own-{number}", occurred_at=at)
        return int(person.track_interaction(channel, "page_view", message_id="shared", occurred_at=at).pk)

    answers = together(tell, 16)
    assert len(set(map(str, answers))) == 1
    assert ChannelInteraction.objects.count() == keys() == 17
    assert {name for name in partitions() if "_201" in name} == {
        f"channel_interactions_{year}05" for year in (2010, 2011, 2012, 2013)
    }
