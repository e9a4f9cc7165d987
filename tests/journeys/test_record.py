"""What customers do is kept as it was told, once; a journey ends once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.orders.models import Order

pytestmark = pytest.mark.django_db

MOMENT = datetime(2025, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def web() -> SalesChannel:
    return SalesChannel.objects.create(name="Web shop", channel_type="web")


@pytest.fixture
def store() -> SalesChannel:
    return SalesChannel.objects.create(name="Store", channel_type="store")


@pytest.fixture
def ann() -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


@pytest.mark.parametrize("interaction_type", [value for value, _ in ChannelInteraction.InteractionType.choices])
def test_every_kind_of_interaction_has_a_value(
    web: SalesChannel, ann: OmnichannelCustomer, interaction_type: str
) -> None:
    seen = ann.track_interaction(web, interaction_type)
    assert seen.value_score != 0


def test_the_context_is_kept_with_amounts_and_dates_as_text(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    seen = ann.track_interaction(web, "add_to_cart", value=Decimal("9.90"), delivery=date(2025, 6, 12), tags=["new"])
    stored = ChannelInteraction.objects.get(pk=seen.pk)
    assert stored.context == {"value": "9.90", "delivery": "2025-06-12", "tags": ["new"]}


def test_a_message_told_twice_is_one_interaction(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    first = ann.track_interaction(web, "page_view", message_id="m-1", path="/")
    again = ann.track_interaction(web, "search", message_id="m-1")
    assert again.pk == first.pk
    assert ann.interactions.count() == 1


def test_a_message_belongs_to_whoever_sent_it_first(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    first = ann.track_interaction(web, "page_view", message_id="m-1")
    ben = OmnichannelCustomer.objects.create(name="Ben")
    assert ben.track_interaction(web, "page_view", message_id="m-1").pk == first.pk


def test_one_message_id_on_two_channels_is_two_messages(
    web: SalesChannel, store: SalesChannel, ann: OmnichannelCustomer
) -> None:
    for channel in (web, store):
        ann.track_interaction(channel, "page_view", message_id="m-1")
    assert ChannelInteraction.objects.count() == 2


@pytest.mark.parametrize(
    "context",
    [
        {"price": float("nan")},
        {"text": "a\x00b"},
        {"text": "\ud800"},
        {"thing": object()},
        {"text": "x" * 40_000},
    ],
)
def test_details_that_cannot_be_kept_are_refused(
    web: SalesChannel, ann: OmnichannelCustomer, context: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        ann.track_interaction(web, "search", **context)
    assert not ChannelInteraction.objects.exists()


def test_text_about_a_nul_character_is_no_nul_character(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    seen = ann.track_interaction(web, "search", query="what is \\u0000?")
    assert ChannelInteraction.objects.get(pk=seen.pk).context == {"query": "what is \\u0000?"}


def test_an_unknown_interaction_is_refused_with_those_known(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    with pytest.raises(ValidationError, match="known are page_view"):
        ann.track_interaction(web, "teleport")


def test_a_moment_without_a_time_zone_is_refused(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        ann.track_interaction(web, "search", occurred_at=datetime(2025, 6, 10))  # noqa: DTZ001


def test_a_journey_goes_through_channels_in_order(
    web: SalesChannel, store: SalesChannel, ann: OmnichannelCustomer
) -> None:
    journey = ann.start_journey(web, "research")
    visit = ann.track_interaction(store, "store_visit")
    journey.add_touchpoint(store, "try_out", occurred_at=MOMENT + timedelta(hours=5), interaction=visit, minutes=20)
    journey.add_touchpoint(web, "view_product", occurred_at=MOMENT)
    assert [step.action for step in journey.touchpoints.all()] == ["view_product", "try_out"]
    assert visit.touchpoint.data == {"minutes": 20}


def test_a_journey_names_the_order_it_led_to(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    order = Order.objects.create(number="1", sales_channel=web, external_id="1", currency="EUR", placed_at=MOMENT)
    journey = ann.journeys.start(web, "purchase", started_at=MOMENT)
    journey.complete("success", order=order, at=MOMENT + timedelta(hours=1))
    stored = CrossChannelJourney.objects.get()
    assert (stored.state, stored.outcome, stored.order) == ("completed", "success", order)
    assert stored.duration == timedelta(hours=1)


def test_completing_twice_keeps_the_first_ending(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    journey = ann.start_journey(web, "purchase")
    journey.complete("success", at=MOMENT)
    journey.complete("success", at=MOMENT + timedelta(days=1))
    assert CrossChannelJourney.objects.get().ended_at == MOMENT


def test_a_journey_that_ended_ends_in_no_other_way(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    journey = ann.start_journey(web, "purchase")
    journey.abandon()
    with pytest.raises(ValidationError, match="ended already"):
        journey.complete("success")
    with pytest.raises(ValidationError, match="start a new one"):
        journey.add_touchpoint(web, "view_product")
    assert CrossChannelJourney.objects.get().state == "abandoned"


def test_an_old_copy_of_an_ended_journey_takes_no_steps(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    journey = ann.start_journey(web, "purchase")
    copy = CrossChannelJourney.objects.get(pk=journey.pk)
    journey.complete("success")
    with pytest.raises(ValidationError, match="start a new one"):
        copy.add_touchpoint(web, "view_product")


@pytest.mark.parametrize("word", ["", "   ", "x" * 51, "a\x00"])
def test_actions_and_outcomes_are_short_words(web: SalesChannel, ann: OmnichannelCustomer, word: str) -> None:
    journey = ann.start_journey(web, "purchase")
    with pytest.raises(ValidationError):
        journey.add_touchpoint(web, word)
    with pytest.raises(ValidationError):
        journey.complete(word)


def test_an_unknown_intent_is_refused_with_those_known(web: SalesChannel, ann: OmnichannelCustomer) -> None:
    with pytest.raises(ValidationError, match="known are browse"):
        ann.start_journey(web, "world domination")
