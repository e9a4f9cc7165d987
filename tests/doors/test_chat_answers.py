"""Each message in a chat is answered once, whoever else is answering, and whatever another one does to us."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from finalmarket.connectors import talk
from finalmarket.connectors.errors import OutcomeUnknown
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.chat import answering, commands, replies
from finalmarket.integrations.models import ChatAnswer, ChatTalk
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.doors.conversations import ANN, PLATFORMS, Desk, open_desk

pytestmark = pytest.mark.committed_database
DEADLINE_SECONDS = 20


@pytest.fixture(params=PLATFORMS, ids=["intercom", "zendesk"])
def desk(request: pytest.FixtureRequest, committed_database: object) -> Iterator[Desk]:
    """A conversation with Ann on each platform."""
    with open_desk(request.param) as opened:
        yield opened


@pytest.fixture
def known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Ann has proved who she is; the order that she has is the only one."""
    monkeypatch.setattr("django.conf.settings.MAIL_IS_SET", True)
    desk.customer("/order")
    desk.prove()
    assert Order.objects.count() == 1
    return desk


def type_of(desk: Desk) -> str:
    """Where the connector's class is."""
    name = type(desk.there).__name__
    return f"finalmarket.connectors.platforms.{desk.there.slug}.{name}"


def lost(*words: object, **more: object) -> None:
    """In the place of saying an answer."""
    raise OutcomeUnknown("the line went dead")


def test_an_answer_that_got_lost_is_said_again_and_given_up_in_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.steered(clock.now()) as time:
        with monkeypatch.context() as broken:
            broken.setattr(f"{type_of(desk)}.answer_conversation", lost)
            assert desk.customer("/stock COAT-M") == []
        assert ChatAnswer.objects.get().state == "written"
        time.advance(timedelta(minutes=10))
        desk.work()
        assert ChatAnswer.objects.get().state == "said"
        with monkeypatch.context() as broken:
            broken.setattr(f"{type_of(desk)}.answer_conversation", lost)
            desk.customer("/help")
            for _ in range(answering.MOST_ATTEMPTS + 1):
                time.advance(timedelta(hours=3))
                answering.answer(desk.account.pk)
        assert ChatAnswer.objects.order_by("pk").last().state == "failed"  # type: ignore[union-attr]


@contextmanager
def answering_beside(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it another worker has found that an answer was not said yet, and is about to say it."""
    module = type_of(desk).rpartition(".")[0]
    was_said, has_looked, goes_on = talk.was_said, threading.Event(), threading.Event()

    def slowly(*looked_at: Any) -> bool:
        found = was_said(*looked_at)
        if not has_looked.is_set():
            has_looked.set()
            assert goes_on.wait(DEADLINE_SECONDS)
        return found

    def work() -> None:
        try:
            answering.answer(desk.account.pk)
        finally:
            connections.close_all()

    monkeypatch.setattr(f"{module}.was_said", slowly)
    other = threading.Thread(target=work, daemon=True)
    other.start()
    assert has_looked.wait(DEADLINE_SECONDS)
    try:
        yield
    finally:
        goes_on.set()
        other.join(DEADLINE_SECONDS)


def test_two_workers_at_once_say_an_answer_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ask("/help")
    with answering_beside(desk, monkeypatch):
        assert answering.answer(desk.account.pk) == 0
    assert desk.answers() == [replies.HELP]


def test_what_is_asked_while_another_worker_answers_is_answered_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    desk.ask("/help")
    with answering_beside(desk, monkeypatch):
        desk.ask("/stock COAT-M")
        monkeypatch.setattr(answering, "wake", woken.append)
        answering.answer(desk.account.pk)
    assert woken == [desk.account.pk]
    answering.answer(desk.account.pk)
    assert len(desk.answers()) == 2
    assert woken == [desk.account.pk]


def test_what_another_worker_has_said_is_not_said_again_by_one_whose_call_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said_meanwhile(*words: object, **more: object) -> None:
        ChatAnswer.objects.update(state="said")
        raise OutcomeUnknown("the line went dead")

    desk.ask("/help")
    monkeypatch.setattr(f"{type_of(desk)}.answer_conversation", said_meanwhile)
    assert answering.answer(desk.account.pk) == 0
    assert ChatAnswer.objects.get().state == "said"


def test_a_message_at_which_we_fail_keeps_no_other_from_being_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(turn: replies.Turn) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(replies, "REPLIES", {**replies.REPLIES, "stock": fails})
    with clock.steered(clock.now()) as time:
        desk.ask("/stock COAT-M", "/help")
        answering.answer(desk.account.pk)
        assert desk.answers() == [replies.HELP]
        for _ in range(answering.MOST_ATTEMPTS):
            time.advance(timedelta(hours=3))
            answering.answer(desk.account.pk)
    failed = ChatAnswer.objects.get(question="/stock COAT-M")
    assert (failed.state, failed.attempts) == ("failed", answering.MOST_ATTEMPTS)
    assert "a fault of ours" in failed.last_error


def test_a_question_in_a_conversation_that_was_forgotten_is_answered(desk: Desk) -> None:
    desk.ask("/help")
    ChatTalk.objects.all().delete()  # as the erasure of whoever was known in it does
    assert answering.answer(desk.account.pk) == 1
    assert desk.answers() == [replies.HELP]


def test_a_conversation_in_which_a_question_waits_is_not_forgotten(desk: Desk) -> None:
    desk.ask("/help")
    ChatTalk.objects.update(updated_at=clock.now() - timedelta(days=31))
    assert answering.tidy() == 0
    assert ChatTalk.objects.get().address == ANN
    answering.answer(desk.account.pk)
    ChatTalk.objects.update(updated_at=clock.now() - timedelta(days=31))
    assert answering.tidy() == 1
    assert not ChatTalk.objects.exists()


def test_a_yes_to_an_agent_orders_nothing(known: Desk) -> None:
    assert "Or say yes" in known.customer("/buy COAT-M")[0]
    known.agent("Shall I close the ticket?")
    assert known.customer("ok") == []
    assert known.customer("yes") == []
    assert Order.objects.count() == 1


def test_a_yes_to_an_offer_that_never_got_there_orders_nothing(known: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.steered(clock.now()) as time:
        with monkeypatch.context() as broken:
            broken.setattr(f"{type_of(known)}.answer_conversation", lost)
            assert known.customer("/buy COAT-M") == []
        assert known.customer("yes") == []
        assert Order.objects.count() == 1
        time.advance(timedelta(minutes=10))
        known.work()
        assert "Or say yes" in known.answers()[-1]
        assert known.customer("yes")[0].startswith("Thank you: order")
    assert Order.objects.count() == 2


def test_a_yes_is_to_the_offer_that_the_customer_has_seen(known: Desk) -> None:
    known.customer("/buy COAT-M")
    known.ask("/buy COAT-M 3", "yes")
    known.work()
    assert Order.objects.count() == 1
    assert known.customer("yes")[0].startswith("Thank you: order")
    assert Order.objects.latest("pk").lines.get().quantity == 3


def test_an_offer_stands_for_half_an_hour(known: Desk) -> None:
    with clock.steered(clock.now()) as time:
        known.customer("/buy COAT-M")
        time.advance(timedelta(minutes=31))
        assert known.customer("yes") == [
            "That offer does not stand any more; nothing was ordered. Please ask again."
        ]  # fmt: skip
        assert known.customer("yes") == []
    assert Order.objects.count() == 1


def test_what_somebody_asked_who_was_erased_since_is_not_heard(desk: Desk) -> None:
    desk.talk = desk.there.begin_talk("/help", ANN)
    person = OmnichannelCustomer.objects.get(email=ANN)
    with clock.steered(clock.now() + timedelta(minutes=1)):
        erase.erase(person.pk, actor="olga", at_once=True)
        assert desk.hear() == ["unchanged"]
    assert not ChatAnswer.objects.exists()


def test_a_conversation_at_which_we_fail_keeps_no_other_from_being_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = commands.read

    def fails_at_a_coat(text: str, author: str) -> commands.Command | None:
        if "COAT" in text:
            raise KeyError("a fault of ours")
        return read(text, author)

    monkeypatch.setattr(commands, "read", fails_at_a_coat)
    desk.talk = desk.there.begin_talk("/stock COAT-M", ANN)
    assert desk.hear(desk.there.begin_talk("/help", "eve@example.com")) == ["created", "created"]
    assert ChatAnswer.objects.get().question == "/help"
