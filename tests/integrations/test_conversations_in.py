"""Conversations come in as support journeys of the people who talk, each version once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.connectors.talk import ConversationMessage, ConversationRecord
from finalmarket.integrations import inbox, pull
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.models import DeadLetter, ExternalId
from finalmarket.integrations.privacy import erase
from finalmarket.integrations.storing import Stored, intake
from finalmarket.integrations.talk.conversations_in import take_conversations
from finalmarket.journeys import stitching
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.kernel import clock, failpoints
from finalmarket.sandbox.webhooks import Letter, Sender
from tests.integrations.bureau import ANN, Bureau, opened_bureau

pytestmark = pytest.mark.committed_database
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        yield found


def take(bureau: Bureau, *records: ConversationRecord) -> list[Stored]:
    """Take these in one page."""
    with intake(bureau.integration, "conversations"):
        return take_conversations(bureau.integration, records)


def said(number: int, author: str = "customer", text: str = "Where is it?") -> ConversationMessage:
    return ConversationMessage(external_id=f"W{number}", at=NOON + timedelta(minutes=number), author=author, text=text)


def talk(version: str = "1", **given: Any) -> ConversationRecord:
    base = {"external_id": "T1", "version": version, "opened_at": NOON, "state": "open", "medium": "chat", "email": ANN}
    return ConversationRecord(**{**base, "messages": (said(1),), **given})


def journeys() -> list[tuple[str, str]]:
    return list(CrossChannelJourney.objects.order_by("id").values_list("state", "outcome"))


def test_a_conversation_becomes_a_support_journey_of_the_person(bureau: Bureau) -> None:
    order = bureau.buy()
    number = bureau.office.say("Where is it?", email=ANN, subject="Late", order=order.number)
    bureau.office.say("On its way", conversation=number, author="agent")
    bureau.office.say("A note", conversation=number, author="internal")
    bureau.pull("conversations")
    journey = CrossChannelJourney.objects.get()
    assert (journey.intent, journey.state, journey.customer_id, journey.order) == (
        "support", "open", order.customer_id, order,
    )  # fmt: skip
    interaction = ChannelInteraction.objects.get()
    assert interaction.interaction_type == "customer_service"
    assert interaction.context["text"] == "Where is it?"
    assert JourneyTouchpoint.objects.get(action="customer_message").interaction == interaction
    row = ExternalId.objects.get(kind="conversation")
    assert (row.external_id, row.local_id) == (number, journey.pk)


def test_the_same_version_again_and_an_older_one_change_nothing(bureau: Bureau) -> None:
    take(bureau, talk("2", messages=(said(1), said(2))))
    assert take(bureau, talk("2", messages=(said(1), said(2))))[0].outcome == "unchanged"
    assert take(bureau, talk("1", state="closed"))[0].outcome == "unchanged"
    assert journeys() == [("open", "")]
    assert ChannelInteraction.objects.count() == 2


def test_words_that_the_platform_left_out_of_a_version_come_in_with_the_same_version_later(bureau: Bureau) -> None:
    take(bureau, talk("2", messages=()))
    assert take(bureau, talk("2", messages=(said(1), said(2))))[0].outcome == "updated"
    assert take(bureau, talk("2", messages=(said(2),)))[0].outcome == "unchanged"
    assert journeys() == [("open", "")]
    assert ChannelInteraction.objects.count() == 2


def test_a_newer_version_goes_on_with_the_journey_and_adds_only_what_is_new(bureau: Bureau) -> None:
    take(bureau, talk("1"))
    assert take(bureau, talk("2", messages=(said(1), said(2, "agent"), said(3))))[0].outcome == "updated"
    assert journeys() == [("open", "")]
    assert JourneyTouchpoint.objects.filter(action="customer_message").count() == 2


def test_two_versions_of_one_conversation_in_one_page_are_one(bureau: Bureau) -> None:
    take(bureau, talk("1"), talk("2", messages=(said(1), said(2))))
    assert journeys() == [("open", "")]
    assert ChannelInteraction.objects.count() == 2


def test_closing_completes_it_and_keeps_its_order_and_rating(bureau: Bureau) -> None:
    order = bureau.buy()
    number = bureau.office.say("Where is it?", email=ANN, order=order.number)
    bureau.office.solve(number, rating="good")
    bureau.pull("conversations")
    journey = CrossChannelJourney.objects.get()
    assert (journey.state, journey.outcome, journey.order) == ("completed", "solved", order)
    assert JourneyTouchpoint.objects.get(action="rated").data == {"rating": "good"}


def test_opening_it_again_begins_a_new_journey(bureau: Bureau) -> None:
    number = bureau.office.say("Where is it?", email=ANN)
    bureau.office.solve(number)
    bureau.pull("conversations")
    bureau.office.say("Still not here", conversation=number)
    bureau.pull("conversations")
    bureau.pull("conversations")
    assert journeys() == [("completed", "solved"), ("open", "")]
    first, second = CrossChannelJourney.objects.order_by("id")
    assert first.interactions.count() == second.interactions.count() == 1


def test_what_was_said_and_solved_between_two_pulls_is_a_journey_of_its_own(bureau: Bureau) -> None:
    take(bureau, talk("1", state="closed", closed_at=NOON + timedelta(minutes=2)))
    take(bureau, talk("2", state="closed", closed_at=NOON + timedelta(minutes=9), messages=(said(1), said(5))))
    assert journeys() == [("completed", "solved"), ("completed", "solved")]


def test_a_message_that_shows_late_belongs_to_the_journey_that_has_ended(bureau: Bureau) -> None:
    take(bureau, talk("1", state="closed", closed_at=NOON + timedelta(minutes=9)))
    take(bureau, talk("2", state="closed", closed_at=NOON + timedelta(minutes=9), messages=(said(1), said(5))))
    assert journeys() == [("completed", "solved")]
    assert ChannelInteraction.objects.count() == 2


def test_a_word_for_its_state_that_nobody_knows_neither_opens_nor_closes(bureau: Bureau) -> None:
    take(bureau, talk("1", state="closed"))
    take(bureau, talk("2", state="unknown"))
    assert journeys() == [("completed", "solved")]


def test_who_gives_no_address_is_whoever_placed_the_order(bureau: Bureau) -> None:
    order = bureau.buy()
    take(bureau, talk(email="", order_number=f"#{order.number}"))
    assert CrossChannelJourney.objects.get().customer_id == order.customer_id


def test_a_visitor_without_a_name_waits_until_one_is_given(bureau: Bureau) -> None:
    assert take(bureau, talk("1", email=""))[0].outcome == "unchanged"
    assert journeys() == []
    take(bureau, talk("2"))
    assert journeys() == [("open", "")]
    assert DeadLetter.objects.count() == 0


def test_a_case_that_was_recognised_ends_with_its_conversation_and_leaves_it_alone(bureau: Bureau) -> None:
    order = bureau.buy()
    assert order.customer is not None
    channel = order.sales_channel
    order.customer.track_interaction(channel, "phone_call", occurred_at=NOON - timedelta(hours=1), topic="Complaint")
    take(bureau, talk("1"))
    stitching.run(now=NOON + timedelta(hours=1))
    assert sorted(journeys()) == [("open", ""), ("open", "")]
    take(bureau, talk("2", state="closed", closed_at=NOON + timedelta(hours=2)))
    stitching.run(now=NOON + timedelta(hours=3))
    assert journeys() == [("completed", "solved"), ("completed", "solved")]
    assert JourneyTouchpoint.objects.get(action="customer_message").journey.is_recognised is False
    assert JourneyTouchpoint.objects.get(action="phone_call").journey.is_recognised is True


@pytest.mark.parametrize(
    ("medium", "kind"), [("chat", "chat"), ("email", "email"), ("phone", "phone"), ("social", "social"), ("web", "web")]
)
def test_an_account_without_a_channel_gets_one_of_the_fitting_type_once(bureau: Bureau, medium: str, kind: str) -> None:
    take(bureau, talk("1", medium=medium))
    take(bureau, talk("1", external_id="T2", medium=medium))
    channels = {journey.start_channel for journey in CrossChannelJourney.objects.all()}
    assert [channel.channel_type for channel in channels] == [kind]


def test_a_webhook_says_that_it_changed_and_it_is_fetched_as_it_stands(bureau: Bureau) -> None:
    letters: list[Letter] = []

    class Kept(Sender):
        def send(self, letter: Letter) -> None:
            letters.append(letter)

    bureau.office.sender = Kept(bureau.office.world, bureau.office.slug)
    bureau.office.state["hooks"].append({"url": "https://us.example/hooks/bureau/", "secret": "s" * 32})
    keep_secrets(bureau.integration, {"webhook_secret": "s" * 32})
    number = bureau.office.say("Where is it?", email=ANN)
    bureau.office.solve(number)
    for letter in reversed(letters):
        assert inbox.receive("bureau", letter.url, dict(letter.headers), letter.body) == inbox.TAKEN
    inbox.work(bureau.integration.pk)
    bureau.pull("conversations")
    assert journeys() == [("completed", "solved")]
    assert ChannelInteraction.objects.count() == 1


@pytest.mark.parametrize("place", ["pull.after_page", "pull.before_commit", "pull.after_commit"])
def test_a_worker_that_breaks_off_begins_no_journey_twice(bureau: Bureau, place: str) -> None:
    bureau.office.say("Where is it?", email=ANN)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        pull.pull(bureau.integration.pk, "conversations")
    bureau.pull("conversations")
    assert journeys() == [("open", "")]
    assert ChannelInteraction.objects.count() == 1


def test_one_that_cannot_be_taken_stops_no_other(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(talk("1"), external_id="T9", messages=(replace(said(1), at=datetime(2026, 5, 4)),))  # noqa: DTZ001
    assert [one.outcome for one in take(bureau, bad, talk("1"))] == ["failed", "created"]
    assert DeadLetter.objects.get(stream="conversations").external_id == "T9"


def test_whoever_goes_on_with_a_conversation_after_being_erased_begins_anew(bureau: Bureau) -> None:
    take(bureau, talk("1"))
    nameless = bureau.person()
    with clock.steered(NOON + timedelta(minutes=10)):
        erase.erase(nameless.pk, actor="olga")
    late, new = said(2, text="I live in Rose Street"), said(20, text="Where is the other one?")
    with clock.steered(NOON + timedelta(minutes=30)):
        for _ in range(2):
            take(bureau, talk("2", messages=(said(1), late, new)))
    first, second = CrossChannelJourney.objects.order_by("id")
    assert (first.customer_id, second.customer_id) == (nameless.pk, bureau.person().pk)
    assert second.customer_id != nameless.pk
    assert second.started_at == new.at
    assert [one.context for one in ChannelInteraction.objects.filter(journey=first)] == [{}, {}]
    assert ChannelInteraction.objects.get(journey=second).context["text"] == "Where is the other one?"


def test_a_page_of_many_reads_as_often_as_a_page_of_few(bureau: Bureau) -> None:
    def reads(many: int, start: int) -> int:
        records = [
            replace(talk(), external_id=f"T{start + one}", email=f"p{start + one}@example.com") for one in range(many)
        ]
        take(bureau, *records)
        with CaptureQueriesContext(connection) as captured:
            take(bureau, *records)
        return len(captured) - 2 * many  # a savepoint for each

    assert reads(2, 100) == reads(20, 200)
