"""Journeys of erased people stay as they were told, and go on in what is known without words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from finalmarket.channels.models import SalesChannel
from finalmarket.cli.stitch import command
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.privacy.erase import erase
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.orders.models import Order, Return
from tests.journeys.tales import at, channels, dump, merge, order, people, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def places() -> Sequence[SalesChannel]:
    return channels()


@pytest.fixture
def ann() -> OmnichannelCustomer:
    return people("Ann")[0]


def erased(person: OmnichannelCustomer) -> None:
    erase(person.pk, actor="olga", at_once=True)


def of(person: OmnichannelCustomer) -> list[tuple[str, str, str]]:
    """Intent, state and outcome of each journey, in the order of time."""
    found = CrossChannelJourney.objects.filter(customer=person).order_by("started_at", "id")
    return list(found.values_list("intent", "state", "outcome"))


def test_a_case_of_an_erased_person_is_given_up_as_the_case_it_was(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    ann.track_interaction(places[0], "page_view", occurred_at=at(), path="/help/returns")
    tell(now=at(minutes=1))
    assert of(ann) == [("return", "open", "")]
    erased(ann)
    tell(now=at(days=29))
    assert of(ann) == [("return", "open", "")]
    tell(now=at(days=31))
    assert of(ann) == [("return", "abandoned", "left")]
    assert CrossChannelJourney.objects.get().ended_at == at()


def test_what_comes_late_of_an_erased_person_leaves_their_journeys_as_they_were(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    bought = order(ann.pk, places[0].pk, at(days=-9), "FM-1")
    for minutes, sku in enumerate(("CUP", "POT", "JAR")):
        ann.track_interaction(places[0], "product_view", occurred_at=at(days=-9, minutes=minutes - 5), sku=sku)
    ann.track_interaction(places[0], "page_view", occurred_at=at(), path="/help")
    ann.track_interaction(places[0], "product_view", occurred_at=at(minutes=1), sku="CUP")
    tell(now=at(minutes=2))
    assert of(ann) == [("purchase", "completed", "ordered"), ("support", "open", ""), ("browse", "open", "")]
    erased(ann)
    before = dump()
    Return.objects.create(order=bought, sales_channel=places[0], key="r1", at=at(days=1))
    ann.track_interaction(places[1], "product_view", occurred_at=at(days=-9, minutes=-1))
    tell(now=at(days=2))
    assert dump() == before


def test_telling_everybody_anew_leaves_erased_people_as_they_were(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    for minutes, sku in enumerate(("CUP", "POT", "JAR")):
        ann.track_interaction(places[0], "product_view", occurred_at=at(minutes=minutes), sku=sku)
    tell()
    assert of(ann) == [("research", "abandoned", "left")]
    erased(ann)
    before = dump()
    assert CliRunner().invoke(command, ["--all"]).exit_code == 0
    assert dump() == before


def test_a_cart_of_an_erased_person_is_left_as_anybodys_is(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    (ben,) = people("Ben")
    for person in (ann, ben):
        person.track_interaction(places[0], "add_to_cart", occurred_at=at(), sku="CUP")
        person.track_interaction(places[1], "product_view", occurred_at=at(minutes=50), sku="CUP")
    tell(now=at(minutes=51))
    erased(ann)
    tell()
    columns = ("intent", "state", "outcome", "ended_at", "step", "visits", "score", "value", "closes_at")
    steps = ("action", "sales_channel", "occurred_at", "visit", "switched_from")
    journeys = [list(CrossChannelJourney.objects.filter(customer=one).values_list(*columns)) for one in (ann, ben)]
    touches = [
        list(JourneyTouchpoint.objects.filter(journey__customer=one).order_by("id").values_list(*steps))
        for one in (ann, ben)
    ]
    assert of(ann) == [("purchase", "abandoned", "cart_left")]
    assert journeys[0] == journeys[1]
    assert touches[0] == touches[1]


def test_a_journey_of_an_erased_person_follows_its_order(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    ann.track_interaction(places[0], "add_to_cart", occurred_at=at(), sku="CUP")
    bought = order(ann.pk, places[0].pk, at(minutes=4), "FM-1")
    tell()
    erased(ann)
    Order.objects.filter(pk=bought.pk).update(state="cancelled")
    tell()
    assert of(ann) == [("purchase", "completed", "order_cancelled")]
    journey = CrossChannelJourney.objects.get()
    assert (journey.order, journey.value, journey.currency, journey.reason) == (bought, 0, "EUR", "")


def test_whoever_is_joined_to_an_erased_number_is_told_without_it(
    places: Sequence[SalesChannel], ann: OmnichannelCustomer
) -> None:
    (ben,) = people("Ben")
    ann.track_interaction(places[0], "page_view", occurred_at=at(), path="/help")
    tell(now=at(minutes=1))
    erased(ann)
    merge(ann, [ben])
    ben.track_interaction(places[1], "add_to_cart", occurred_at=at(minutes=2), sku="CUP")
    tell(now=at(minutes=3))
    assert of(ann) == [("support", "open", "")]
    assert of(ben) == [("purchase", "open", "")]
