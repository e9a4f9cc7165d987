"""Instagram beyond the suite: who wrote what, comments of old posts, a token that renews itself, several events in one
delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.meta import instagram as ids
from tests.connectors.cases.instagram import HOOK_URL, account, case, deliver
from tests.connectors.conformance.stage import DOUBLE, START, Stage, always, on_a_double, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def test_a_conversation_tells_the_person_from_the_merchant(stage: Stage) -> None:
    thread = stage.stand_in.say("Is it still there?")
    stage.time.advance(timedelta(minutes=1))
    stage.stand_in.answer_as_agent(thread, "It is.")
    record = stage.connector.pull_conversation(thread)
    assert [(one.author, one.text) for one in record.messages] == [
        ("customer", "Is it still there?"), ("agent", "It is."),
    ]  # fmt: skip
    assert record.name == stage.stand_in.state["threads"][thread]["person"]["username"]
    assert (record.opened_at, record.updated_at) == (START, START + timedelta(minutes=1))


def test_a_conversation_that_goes_on_comes_again_behind_the_others(stage: Stage) -> None:
    first, second = stage.stand_in.say("One"), stage.stand_in.say("Two")
    (page,) = stage.connector.pull_conversations("", None)
    stage.time.advance(timedelta(minutes=10))
    stage.stand_in.say("And more", thread=first)
    (later,) = stage.connector.pull_conversations(page.cursor, None)
    assert [record.external_id for record in later.records][-1] == first
    assert {first, second} >= {record.external_id for record in later.records}


def test_what_is_said_below_a_post_of_last_year_comes_at_the_first_look_only(stage: Stage) -> None:
    old = stage.stand_in.post()
    stage.time.advance(timedelta(days=300))
    stage.stand_in.comment(old, "Late")
    (page,) = stage.connector.pull_interactions("", None)
    assert len(page.records) == 1
    (recent,) = stage.connector.pull_interactions("", stage.stand_in.now() - timedelta(days=1))
    assert recent.records == ()


def test_a_token_near_its_end_is_renewed_and_kept(stage: Stage) -> None:
    kept: dict[str, str] = {}
    ends_at = (START + timedelta(days=5)).isoformat()
    secrets = {**stage.connector.account.secrets, "access_token_ends_at": ends_at}
    ending = Account(secrets, base_url=stage.address, keep=kept.update)
    assert stage.with_account(ending).check() == "@sandbox.shop"
    assert kept["access_token"] == ids.RENEWED
    assert kept["access_token_ends_at"] > ends_at


def test_a_renewal_that_is_refused_leaves_the_token_that_is_good() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path.rpartition("/")[2])
        if asked[-1] == "refresh_access_token":
            return httpx2.Response(400, json={"error": {"code": 190, "message": "too young"}})
        return httpx2.Response(200, json={"id": "1", "username": request.headers["Authorization"]})

    with clock.steered(START):
        secrets = {**account(DOUBLE).secrets, "access_token_ends_at": (START + timedelta(days=5)).isoformat()}
        connector = on_a_double(case(), answer, account=Account(secrets, base_url=DOUBLE))
        assert connector.me["username"] == f"Bearer {ids.TOKEN}"
    assert asked == ["refresh_access_token", "me"]


def test_the_browser_brings_a_token_with_its_end(stage: Stage) -> None:
    given = stage.connector.exchange({"code": "sandbox-code"}, "https://hub.example/back", "")
    with pytest.raises(NeedsAttention):
        stage.connector.exchange({"code": "spent"}, "https://hub.example/back", "")
    assert given["access_token"] == ids.TOKEN
    assert given["access_token_ends_at"].startswith("2026-07-31")


def test_a_comment_comes_along_and_a_message_is_a_hint() -> None:
    connector = on_a_double(case(), always(500))
    (comment,) = connector.read_webhook(deliver(account(DOUBLE), topic="comments", sent_at=START))
    assert (comment.kind, comment.record.external_id, comment.record.at) == ("interactions", "17900000007", START)
    (message,) = connector.read_webhook(deliver(account(DOUBLE), topic="messages", sent_at=START))
    assert (message.kind, message.event_id, message.record) == ("conversations", "message-mid.7", None)


def test_a_delivery_with_several_changes_is_several_events_and_one_of_a_page_is_none_of_ours() -> None:
    connector, genuine = on_a_double(case(), always(500)), deliver(account(DOUBLE), topic="comments", sent_at=START)
    told = json.loads(genuine.body)
    told["entry"][0]["changes"].append({"field": "mentions", "value": {}})
    both = connector.read_webhook(replace(genuine, body=json.dumps(told).encode()))
    assert [event.kind for event in both] == ["interactions", "unknown"]
    assert len({event.event_id for event in both}) == 2
    other = connector.read_webhook(replace(genuine, url=HOOK_URL, body=json.dumps({**told, "object": "page"}).encode()))
    assert {event.kind for event in other} == {"unknown"}
