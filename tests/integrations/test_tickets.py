"""Tickets are opened from an order, once; agents see what it is about, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, Ticket
from finalmarket.integrations.talk.tickets import open_ticket
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from tests.integrations.bureau import ANN, Bureau, opened_bureau

pytestmark = pytest.mark.committed_database


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        found.give("tickets")
        yield found


def ask(order: Order, key: str = "form-1", **given: Any) -> Ticket:
    """Somebody opens a ticket from the order's page."""
    words = {"subject": "Cup broken", "text": "The cup came in two parts.", **given}
    return open_ticket(order.pk, key=key, actor="sue", **words)


def there(bureau: Bureau) -> list[dict[str, Any]]:
    """The tickets at the platform."""
    return list(bureau.office.state["conversations"].values())


def notes(bureau: Bureau) -> list[str]:
    """The notes that only agents see."""
    (ticket,) = there(bureau)
    return [message["text"] for message in ticket["messages"] if message["from"] == "internal"]


def test_a_ticket_is_opened_once_with_what_agents_have_to_know(bureau: Bureau) -> None:
    order = bureau.buy(units=2, name="Ann")
    ask(order, priority="high")
    ask(order, priority="high")
    for minutes in (0, 1, 30):
        bureau.tell(minutes)
    (ticket,) = there(bureau)
    assert (ticket["subject"], ticket["email"], ticket["order"], ticket["priority"]) == (
        "Cup broken", ANN, order.number, "high",
    )  # fmt: skip
    assert ticket["name"] == "Ann"
    (context,) = notes(bureau)
    assert order.number in context
    assert "2 x Cup, white (CUP): waiting" in context
    assert Ticket.objects.get().external_id == ticket["id"]


def test_two_wishes_are_two_tickets(bureau: Bureau) -> None:
    order = bureau.buy()
    ask(order, "form-1")
    ask(order, "form-2")
    bureau.tell()
    assert len(there(bureau)) == 2


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
def test_after_an_answer_that_got_lost_it_is_asked_for(bureau: Bureau, fault: Fault) -> None:
    ask(bureau.buy())
    bureau.office.faults.then(fault)
    bureau.tell()
    bureau.tell(30)
    assert len(there(bureau)) == 1
    assert bureau.states("ticket") == ["sent"]
    assert Ticket.objects.get().external_id == there(bureau)[0]["id"]
    bureau.tell(31)
    assert len(notes(bureau)) == 1  # the context, and no note that says the same


@pytest.mark.parametrize(
    "place",
    ["notices.after_claim", "notices.before_send", "talk.before_remember_ticket", "talk.after_remember_ticket",
     "talk.after_remember_ticket:raise@2", "notices.after_send", "notices.within_settle", "notices.after_settle"],
)  # fmt: skip
def test_a_worker_that_breaks_off_opens_nothing_twice(bureau: Bureau, place: str) -> None:
    ask(bureau.buy())
    armed = place if ":" in place else f"{place}:raise"
    with failpoints.armed(armed), pytest.raises(failpoints.FailpointHit):
        bureau.tell()
    bureau.tell(30)
    assert len(there(bureau)) == 1
    assert bureau.states("ticket") == ["sent"]
    bureau.tell(31)
    assert len(notes(bureau)) == 1


@pytest.mark.parametrize("place", ["talk.before_open_ticket", "talk.after_open_ticket"])
def test_a_page_that_breaks_off_while_it_is_asked_leaves_one_ticket(bureau: Bureau, place: str) -> None:
    order = bureau.buy()
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        ask(order)
    ask(order)
    bureau.tell()
    assert len(there(bureau)) == 1


def test_agents_hear_once_what_became_of_the_order(bureau: Bureau) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    bureau.ship(order)
    for minutes in (1, 2, 30):
        bureau.tell(minutes)
    context, note = notes(bureau)
    assert "JJD0001" not in context
    assert "JJD0001" in note
    assert "1 shipped" in note


def test_a_ticket_that_was_only_said_to_be_opened_is_opened_when_there_is_news_of_its_order(bureau: Bureau) -> None:
    order = bureau.buy()
    bureau.office.faults.then(Fault.NOT_APPLIED)
    ask(order)
    bureau.tell()
    assert there(bureau) == []
    bureau.ship(order)
    for minutes in (12, 14, 16):
        bureau.tell(minutes)
    assert any("JJD0001" in note for note in notes(bureau))
    assert Ticket.objects.get().external_id == there(bureau)[0]["id"]
    assert not DeadLetter.objects.exists()


def test_a_ticket_that_somebody_removed_there_is_not_opened_again(bureau: Bureau) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    with bureau.office.lock:
        bureau.office.state["conversations"].clear()
    Ticket.objects.update(created_at=clock.now() - timedelta(days=3))
    bureau.ship(order)
    for minutes in (12, 14, 16):
        bureau.tell(minutes)
    assert there(bureau) == []
    assert "there is no" in DeadLetter.objects.get().reason


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT])
def test_a_note_of_which_the_answer_got_lost_is_left_once(bureau: Bureau, fault: Fault) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    cancel(order.pk, reason="broken", actor="ann")
    bureau.office.faults.then(fault)
    bureau.tell(1)
    bureau.tell(30)
    assert len(notes(bureau)) == 2
    assert bureau.states("ticket") == ["sent"]


def test_agents_know_of_what_changed_while_the_ticket_was_being_opened(bureau: Bureau) -> None:
    order = bureau.buy()
    ask(order)
    bureau.office.faults.then(Fault.ERROR_AFTER)
    bureau.tell()
    bureau.ship(order)
    for minutes in (10, 11, 30):
        bureau.tell(minutes)
    assert len(there(bureau)) == 1
    assert ["JJD0001" in note for note in notes(bureau)] == [False, True]


@pytest.mark.parametrize("place", ["talk.before_find_changed", "talk.after_find_changed", "talk.after_remember_ticket"])
def test_a_worker_that_breaks_off_leaves_each_note_once(bureau: Bureau, place: str) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    bureau.ship(order)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        bureau.tell(1)
    bureau.tell(30)
    assert len(notes(bureau)) == 2


def test_agents_who_have_closed_it_hear_no_more(bureau: Bureau) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    bureau.office.solve(there(bureau)[0]["id"])
    bureau.pull("conversations")
    bureau.ship(order)
    bureau.tell(1)
    assert len(notes(bureau)) == 1


def test_our_own_ticket_comes_back_as_a_journey_about_its_order_and_not_as_words_of_the_customer(
    bureau: Bureau,
) -> None:
    order = bureau.buy()
    ask(order)
    bureau.tell()
    bureau.office.say("Please hurry", conversation=there(bureau)[0]["id"])
    bureau.pull("conversations")
    journey = CrossChannelJourney.objects.get()
    assert (journey.order, journey.customer_id) == (order, order.customer_id)
    assert list(journey.touchpoints.values_list("action", flat=True)) == ["ticket_opened", "customer_message"]
    assert ChannelInteraction.objects.get().context["text"] == "Please hurry"


def test_a_ticket_that_comes_back_before_we_know_its_name_is_known_by_its_key(bureau: Bureau) -> None:
    ticket = ask(bureau.buy())
    with failpoints.armed("talk.before_remember_ticket:raise@2"), pytest.raises(failpoints.FailpointHit):
        bureau.tell()
    bureau.pull("conversations")
    ticket.refresh_from_db()
    assert ticket.external_id == there(bureau)[0]["id"]
    bureau.tell(30)
    assert len(there(bureau)) == 1


def test_what_the_platform_does_not_take_is_set_aside_and_opened_when_it_is_tried_again(bureau: Bureau) -> None:
    ask(bureau.buy())
    Ticket.objects.update(subject="")
    bureau.tell()
    letter = DeadLetter.objects.get(stream="notice_ticket")
    assert "subject" in letter.reason
    Ticket.objects.update(subject="Cup broken")
    dead_letters.replay(letter.pk, actor="olga")
    bureau.tell(1)
    assert len(there(bureau)) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [({"subject": " "}, "subject"), ({"text": ""}, "text"), ({"priority": "soonish"}, "priority"),
     ({"integration_id": 4711}, "no account")],
)  # fmt: skip
def test_what_cannot_be_opened_is_said(bureau: Bureau, given: dict[str, Any], words: str) -> None:
    order = bureau.buy()
    with pytest.raises(UserError, match=words):
        ask(order, **given)
    assert Ticket.objects.count() == 0


def test_without_an_account_for_it_no_ticket_is_opened(bureau: Bureau) -> None:
    bureau.give()
    with pytest.raises(UserError, match="no account opens tickets"):
        ask(bureau.buy())


def test_a_chat_has_the_duty_by_its_kind(bureau: Bureau) -> None:
    ChannelIntegration.objects.filter(pk=bureau.integration.pk).update(integration_type="chat", duties={})
    assert ask(bureau.buy()).integration == bureau.integration
