"""Every platform on which people talk: what they say comes in as a support journey, a ticket is opened once."""

from __future__ import annotations

import pytest

from finalmarket.connectors.talk import OpensTickets, PullsConversations
from finalmarket.integrations.talk import tickets
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.sandbox.abilities import ClosesTalks
from finalmarket.sandbox.stand_in import StandIn
from tests.integrations.every_kind import ANN, opened_shop, platforms

pytestmark = pytest.mark.committed_database
QUESTION = "Where is my cup?"
SUBJECT = "A cup is broken"


@pytest.mark.parametrize("platform", platforms(PullsConversations))
def test_a_conversation_comes_in_as_a_support_journey_once(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        desk = shop.connect(platform)
        with desk.there.lock:
            talk = desk.there.begin_talk(QUESTION, ANN)
        shop.town.live(5)
        journey = CrossChannelJourney.objects.get()
        assert (journey.intent, journey.state) == ("support", "open")
        with desk.there.lock:
            desk.there.go_on(talk, "It should be blue.")
            desk.there.answer_back(talk, "It is on its way.")
        shop.town.live(5)
        shop.town.pass_time(3600)
        shop.town.live(5)
        said = journey.interactions.order_by("occurred_at", "id")
        assert [one.context["text"] for one in said] == [QUESTION, "It should be blue."]
        assert CrossChannelJourney.objects.count() == 1
        assert shop.town.complaints() == []


@pytest.mark.parametrize(
    "platform", [one for one in platforms(PullsConversations) if issubclass(one.values[0], ClosesTalks)]
)
def test_a_journey_ends_when_the_conversation_is_closed(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        desk = shop.connect(platform)
        with desk.there.lock:
            talk = desk.there.begin_talk(QUESTION, ANN)
        shop.town.live(5)
        with desk.there.lock:
            desk.there.close_talk(talk)
        shop.town.live(5)
        journey = CrossChannelJourney.objects.get()
        assert (journey.state, journey.outcome) == ("completed", "solved")


@pytest.mark.parametrize("platform", platforms(OpensTickets))
def test_a_ticket_is_opened_once_and_agents_hear_what_becomes_of_its_order(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        desk = shop.connect(platform, "tickets")
        order = shop.buy(ANN)
        for _ in range(2):
            tickets.open_ticket(order.pk, subject=SUBJECT, text="The handle is off.", key="wish-1", actor="olga")
        shop.town.live(3)
        (opened,) = desk.there.tickets_there()
        assert opened.subject == SUBJECT
        assert order.number in "\n".join(opened.notes)
        shop.ship(order, "JJD4711")
        shop.town.live(3)
        shop.town.pass_time(3600)
        shop.town.live(3)
        (opened,) = desk.there.tickets_there()
        assert sum("JJD4711" in note for note in opened.notes) == 1
        assert JourneyTouchpoint.objects.filter(action="ticket_opened").count() <= 1
        assert shop.town.complaints() == []
