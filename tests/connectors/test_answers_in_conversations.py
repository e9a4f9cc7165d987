"""Answers in conversations on the chat platforms, over HTTP and judged by their published descriptions: to all or to
agents alone, and not twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from finalmarket.connectors.errors import Rejected
from tests.connectors.cases import Case, intercom, zendesk
from tests.connectors.conformance.stage import Stage, staged


@pytest.fixture(params=[intercom.case, zendesk.case], ids=["intercom", "zendesk"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    make: Callable[[], Case] = request.param
    with staged(make()) as made:
        yield made


@pytest.mark.parametrize("is_note", [True, False])
def test_the_same_answer_is_said_once_until_something_else_was_asked(stage: Stage, is_note: bool) -> None:
    talk = stage.stand_in.begin_talk("/stock TEA", "ada@example.org")
    asked = stage.connector.pull_conversation(talk).messages[-1].external_id
    text = "Tea (TEA): in stock, 4.50 EUR.\nTo order it: /buy TEA <now>"
    for _ in range(2):
        stage.connector.answer_conversation(talk, text, after=asked, is_note=is_note)
    stage.stand_in.go_on(talk, "/stock TEA")
    again = stage.connector.pull_conversation(talk).messages[-1].external_id
    stage.connector.answer_conversation(talk, text, after=again, is_note=is_note)
    said = [(one.author, one.text.split()) for one in stage.connector.pull_conversation(talk).messages]
    assert [one for one in said if one[0] != "customer"] == [("note" if is_note else "agent", text.split())] * 2


def test_a_conversation_that_is_not_there_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.answer_conversation("999999", "Nobody.", after="1", is_note=True)
