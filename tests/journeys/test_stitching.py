"""Journeys are told anew for whoever is marked: by orders, returns, merges, calls and what customers do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import SalesChannel
from finalmarket.cli.stitch import command
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import stitching, sweep
from finalmarket.journeys.facts import RECOGNISED
from finalmarket.journeys.jobs import stitch_marked
from finalmarket.journeys.models import CrossChannelJourney, JourneyMark, JourneyTouchpoint
from finalmarket.journeys.stitch import stitch
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order, Return
from tests.journeys.tales import NOON, at, channels, dump, merge, order, part, people, rows, tell, tell_from_scratch

pytestmark = pytest.mark.django_db


@pytest.fixture
def places() -> Sequence[SalesChannel]:
    return channels()


@pytest.fixture
def ann() -> OmnichannelCustomer:
    return people("Ann")[0]


def journeys() -> list[tuple[str, str, str]]:
    """Intent, state and outcome of each journey, in the order of time."""
    found = CrossChannelJourney.objects.order_by("started_at", "id")
    return list(found.values_list("intent", "state", "outcome"))


def test_what_is_tracked_becomes_a_journey(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    first = ann.track_interaction(places[0], "search", occurred_at=at())
    ann.track_interaction(places[1], "add_to_cart", occurred_at=at(minutes=5), sku="CUP")
    tell(now=at(minutes=6))
    journey = CrossChannelJourney.objects.get()
    assert (journey.pk, journey.customer, journey.start_channel) == (RECOGNISED + first.pk, ann, places[0])
    assert (journey.intent, journey.state, journey.reason) == ("purchase", "open", "there is something in the cart")
    steps = list(journey.touchpoints.values_list("action", "sales_channel", "switched_from", "data"))
    assert steps == [("search", places[0].pk, None, {}), ("add_to_cart", places[1].pk, places[0].pk, {"sku": "CUP"})]


def test_an_order_and_its_cancellation_are_noticed_by_themselves(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    ann.track_interaction(places[0], "add_to_cart", occurred_at=at())
    bought = order(ann.pk, places[0].pk, at(minutes=4), "FM-1")
    tell()
    assert journeys() == [("purchase", "completed", "ordered")]
    assert CrossChannelJourney.objects.get().order == bought
    Order.objects.filter(pk=bought.pk).update(state="cancelled")
    tell()
    assert journeys() == [("purchase", "completed", "order_cancelled")]


def test_an_order_that_came_before_what_led_to_it_completes_it_all_the_same(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    order(ann.pk, places[0].pk, at(minutes=4), "FM-1")
    tell()
    ann.track_interaction(places[0], "checkout_start", occurred_at=at())
    tell()
    assert journeys() == [("purchase", "completed", "ordered")]


def test_a_return_is_noticed_by_itself_and_its_withdrawal_too(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    bought = order(ann.pk, places[0].pk, at(days=-9), "FM-1")
    ann.track_interaction(places[0], "customer_service", occurred_at=at(), topic="Return of a cup")
    back = Return.objects.create(order=bought, sales_channel=places[0], key="r1", at=at(days=1))
    tell()
    assert journeys() == [("return", "completed", "return_booked")]
    Return.objects.filter(pk=back.pk).update(state="cancelled")
    tell()
    assert journeys() == [("return", "abandoned", "left")]


def test_what_is_sent_in_exchange_was_not_bought(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    ann.track_interaction(places[0], "add_to_cart", occurred_at=at())
    sent = order(ann.pk, places[0].pk, at(minutes=4), "FM-2")
    tell()
    Return.objects.create(order=sent, sales_channel=places[0], key="r1", at=at(minutes=5), exchange_order=sent)
    tell()
    assert journeys() == [("purchase", "abandoned", "cart_left")]


def test_telling_again_touches_no_row(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    for minutes in range(5):
        ann.track_interaction(places[minutes % 3], "product_view", occurred_at=at(minutes=minutes), sku=f"S{minutes}")
    ann.start_journey(places[0], "support")
    tell()
    versions = "SELECT 'j', id, xmin::text, ctid::text FROM cross_channel_journeys UNION ALL "
    versions += "SELECT 't', id, xmin::text, ctid::text FROM journey_touchpoints ORDER BY 1, 2"
    before = rows(versions)
    stitching.mark_everybody()
    tell()
    assert rows(versions) == before


def test_a_late_event_opens_a_journey_again_that_was_given_up(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    ann.track_interaction(places[0], "add_to_cart", occurred_at=at())
    tell(now=at(days=8))
    assert journeys() == [("purchase", "abandoned", "cart_left")]
    assert JourneyTouchpoint.objects.filter(action="cart_abandonment").count() == 1
    ann.track_interaction(places[1], "product_view", occurred_at=at(days=6))
    tell(now=at(days=8))
    assert journeys() == [("purchase", "open", "")]
    assert list(JourneyTouchpoint.objects.values_list("action", flat=True)) == ["add_to_cart", "product_view"]


def test_the_sweep_gives_up_what_nobody_went_on_with_when_its_time_has_passed(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    with clock.steered(NOON) as time:
        ann.track_interaction(places[0], "add_to_cart", occurred_at=NOON)
        stitch_marked()
        time.set(at(days=7))
        stitch_marked()
        assert journeys() == [("purchase", "open", "")]
        assert sweep.mark_passed() == 0
        time.advance(timedelta(seconds=1))
        stitch_marked()
        assert journeys() == [("purchase", "abandoned", "cart_left")]
        assert CrossChannelJourney.objects.get().duration == timedelta(0)
        assert sweep.mark_passed() == 0


def test_merged_people_have_one_timeline_and_parted_ones_get_theirs_back_to_the_byte(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    (ben,) = people("Ben")
    ann.track_interaction(places[0], "product_view", occurred_at=at(), sku="CUP")
    ann.track_interaction(places[0], "page_view", occurred_at=at(days=9))
    ben.track_interaction(places[1], "add_to_cart", occurred_at=at(minutes=10), sku="CUP")
    ben.track_interaction(places[1], "product_view", occurred_at=at(days=30))
    order(ann.pk, places[0].pk, at(minutes=20), "FM-1")
    tell()
    apart = dump()
    assert journeys()[:2] == [("purchase", "completed", "ordered"), ("purchase", "abandoned", "cart_left")]
    merge(ann, [ben])
    tell()
    assert journeys() == [
        ("purchase", "completed", "ordered"), ("browse", "abandoned", "left"), ("browse", "abandoned", "left"),
    ]  # fmt: skip
    first = CrossChannelJourney.objects.order_by("started_at")[0]
    assert list(first.touchpoints.values_list("interaction__customer", flat=True)) == [ann.pk, ben.pk]
    part([ben])
    tell()
    assert dump() == apart


def test_a_worker_that_is_killed_leaves_the_marks(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    ann.track_interaction(places[0], "search", occurred_at=at())
    for place in ("journeys.before_gather", "journeys.before_tell", "journeys.before_commit"):
        with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
            stitching.run()
        assert not CrossChannelJourney.objects.exists()
    assert JourneyMark.objects.get().customer == ann
    tell(now=at(minutes=1))
    assert journeys() == [("browse", "open", "")]


def test_one_who_cannot_be_told_stops_nobody(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = [ann, *people("Ben", "Cleo", "Dora", "Emil")]
    for one in everybody:
        one.track_interaction(places[0], "search", occurred_at=at())
    told = stitch

    def stumble(facts: object, *rest: object) -> object:
        if any(touch.customer == everybody[2].pk for touch in facts.touches):  # type: ignore[attr-defined]
            raise ValueError("cannot be told")
        return told(facts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(stitching, "stitch", stumble)
    done = stitching.run(now=at(minutes=1))
    assert (done.failed, done.persons) == ([everybody[2].pk], 4)
    assert list(JourneyMark.objects.values_list("customer", flat=True)) == [everybody[2].pk]
    monkeypatch.undo()
    tell(now=at(minutes=1))
    assert CrossChannelJourney.objects.count() == 5


def test_many_people_are_told_by_as_many_statements_as_few(places: Sequence[SalesChannel]) -> None:
    def statements(count: int) -> int:
        for one in people(*(f"P{number}" for number in range(count))):
            one.track_interaction(places[0], "search", occurred_at=at())
            order(one.pk, places[0].pk, at(minutes=3), f"O-{one.pk}")
        with CaptureQueriesContext(connection) as captured:
            tell()
        return len(captured)

    assert statements(3) == statements(40)


def test_the_command_line_tells_everybody_anew(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    ann.track_interaction(places[0], "search", occurred_at=at())
    tell()
    CrossChannelJourney.objects.update(reason="nobody knows")
    first = CliRunner().invoke(command, [])
    assert "0 persons told" in first.output
    again = CliRunner().invoke(command, ["--all"])
    assert again.output.startswith("1 person told, 1 journey changed")
    assert CrossChannelJourney.objects.get().reason == "they looked around"


def test_the_command_line_ends_and_says_by_its_status_that_somebody_could_not_be_told(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*facts: object) -> object:
        raise ValueError("cannot be told")

    ann.track_interaction(places[0], "search", occurred_at=at())
    tell(now=at(minutes=1))
    with monkeypatch.context() as patch:
        patch.setattr(stitching, "stitch", stumble)
        told = CliRunner().invoke(command, [])
    assert (told.exit_code, "1 could not be told" in told.output) == (1, True)
    assert CliRunner().invoke(command, []).exit_code == 0
    assert not CrossChannelJourney.objects.filter(state="open").exists()


# Journeys that are started by a call.


def test_a_called_journey_stays_as_its_caller_left_it(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    bought = order(ann.pk, places[0].pk, at(minutes=30), "FM-1")
    journey = ann.journeys.start(places[0], "purchase", started_at=at())
    ann.track_interaction(places[1], "add_to_cart", occurred_at=at(minutes=10), sku="CUP")
    tell(now=at(minutes=40))
    journey.refresh_from_db()
    assert (journey.state, journey.outcome, journey.order, journey.reason) == ("open", "", None, "")
    assert list(journey.touchpoints.values_list("action", flat=True)) == ["add_to_cart"]
    journey.complete("success", order=bought, at=at(minutes=31))
    tell()
    journey.refresh_from_db()
    assert (journey.state, journey.outcome, journey.order) == ("completed", "success", bought)
    assert journeys() == [("purchase", "completed", "success")]


def test_an_end_in_the_past_gives_back_what_came_after_it(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    journey = ann.journeys.start(places[0], "purchase", started_at=at())
    ann.track_interaction(places[0], "product_view", occurred_at=at(minutes=10))
    ann.track_interaction(places[0], "product_view", occurred_at=at(minutes=50))
    tell(now=at(minutes=55))
    assert journey.touchpoints.count() == 2
    journey.complete("success", at=at(minutes=30))
    tell(now=at(minutes=55))
    assert journey.touchpoints.count() == 1
    assert journeys() == [("purchase", "completed", "success"), ("browse", "open", "")]


def test_an_interaction_that_a_call_takes_belongs_to_that_journey_alone(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    visit = ann.track_interaction(places[1], "store_visit", occurred_at=at(days=-20))
    tell()
    assert visit.touchpoint.pk == RECOGNISED + visit.pk
    journey = ann.journeys.start(places[0], "research", started_at=at())
    taken = journey.add_touchpoint(places[1], "try_out", interaction=visit, occurred_at=at(minutes=5))
    tell()
    assert journeys() == [("research", "open", "")]
    assert JourneyTouchpoint.objects.get() == taken


def test_a_recognised_journey_takes_no_calls(places: Sequence[SalesChannel], ann: OmnichannelCustomer) -> None:
    ann.track_interaction(places[0], "search", occurred_at=at())
    tell(now=at(minutes=1))
    journey = CrossChannelJourney.objects.get()
    with pytest.raises(ValidationError, match="was recognised"):
        journey.complete("success")
    with pytest.raises(ValidationError, match="was recognised"):
        journey.add_touchpoint(places[0], "look")


def test_telling_from_scratch_gives_the_same_with_calls_too(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    ann.track_interaction(places[0], "customer_service", occurred_at=at(minutes=-5))
    case = ann.journeys.start(places[2], "support", started_at=at())
    case.add_touchpoint(places[2], "called_back", occurred_at=at(days=2))
    ann.track_interaction(places[0], "customer_service", occurred_at=at(days=3))
    tell(now=at(days=4))
    case.complete("solved", at=at(days=5))
    tell(now=at(days=6))
    found = dump()
    assert journeys() == [("support", "completed", "solved"), ("support", "completed", "solved")]
    tell_from_scratch(now=at(days=6))
    assert dump() == found
