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
from finalmarket.integrations.chat import answering, replies
from finalmarket.integrations.models import ChatAnswer, ChatTalk
from finalmarket.kernel import clock
from tests.doors.conversations import ANN, PLATFORMS, Desk, open_desk

pytestmark = pytest.mark.committed_database
DEADLINE_SECONDS = 20


@pytest.fixture(params=PLATFORMS, ids=["intercom", "zendesk"])
def desk(request: pytest.FixtureRequest, committed_database: object) -> Iterator[Desk]:
    """A conversation with Ann on each platform."""
    with open_desk(request.param) as opened:
        yield opened


def type_of(desk: Desk) -> str:
    """Where the connector's class is."""
    name = type(desk.there).__name__
    return f"finalmarket.connectors.platforms.{desk.there.slug}.{name}"


def test_an_answer_that_got_lost_is_said_again_and_given_up_in_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*words: object, **more: object) -> None:
        raise OutcomeUnknown("the line went dead")

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
