"""Mailchimp's doors: signed forms, webhooks with a secret that is told once, OAuth, data centres, errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, Rejected, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.mailchimp import Mailchimp
from finalmarket.connectors.platforms.mailchimp.words import member_id
from finalmarket.connectors.records import CustomerContent
from finalmarket.sandbox.platforms.mailchimp import CLIENT_ID, CLIENT_SECRET, KEY, LIST
from tests.connectors.cases.mailchimp import account, case, deliver, delivery_of, form
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged
from tests.connectors.mailbox import mailbox

ADA = CustomerContent(key="customer-1", name="Ada Lovelace", email="ada@example.org", accepts_email=True)
NAME = member_id("ada@example.org")
CALLBACK = "https://hub.example/authorized"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# Webhooks.


def read(body: bytes) -> list[Any]:
    made = account("http://platform.invalid")
    events: list[Any] = on_a_double(case(), always(500)).read_webhook(delivery_of(made, body, START))
    return events


@pytest.mark.parametrize(
    ("topic", "data", "kinds"),
    [
        ("subscribe", {}, ["subscribe"]), ("unsubscribe", {"action": "unsub", "reason": "manual"}, ["unsubscribe"]),
        ("unsubscribe", {"action": "unsub", "reason": "abuse"}, ["email_complaint"]),
        ("unsubscribe", {"action": "delete", "reason": "manual"}, []), ("profile", {}, []),
        ("cleaned", {"reason": "hard"}, ["email_bounce"]), ("cleaned", {"reason": "abuse"}, ["email_complaint"]),
    ],
)  # fmt: skip
def test_what_a_form_says(topic: str, data: dict[str, str], kinds: list[str]) -> None:
    first, *others = read(form(topic, START, **data))
    assert (first.kind, first.external_id, first.occurred_at) == ("customers", NAME, START)
    assert [one.record.kind for one in others] == kinds
    assert all((one.kind, one.record.email) == ("interactions", "ada@example.org") for one in others)
    assert len({one.event_id for one in (first, *others)}) == 1 + len(others)


def test_after_a_new_address_the_member_of_that_one_is_asked_for() -> None:
    (event,) = read(deliver(account("http://platform.invalid"), topic="upemail", sent_at=START).body)
    assert (event.kind, event.external_id) == ("customers", member_id("king@example.org"))


def test_the_same_event_of_two_seconds_is_two_events() -> None:
    names = {one.event_id for at in (START, START + timedelta(seconds=1)) for one in read(form("profile", at))}
    assert len(names) == 2


def test_a_delivery_without_a_signature_is_refused_even_where_webhooks_are_not_signed() -> None:
    made = account("http://platform.invalid")
    bare = replace(delivery_of(made, form("profile", START), START), headers={})
    with pytest.raises(WebhookRefused):
        on_a_double(case(), always(500)).verify_webhook(bare)


def holding(stage: Stage, given: Any) -> Any:
    """The connector, its account holding what the platform gave."""
    known = stage.connector.account
    return stage.with_account(replace(known, secrets={**known.secrets, **given}))


def test_webhooks_arrive_from_the_stand_in_signed_and_our_own_changes_do_not_come_back(stage: Stage) -> None:
    with mailbox() as (url, letters):
        connector = holding(stage, stage.connector.subscribe(url))
        connector.push_customer(ADA)
        stage.stand_in.sign_up("bob@example.org")
        stage.stand_in.leave("ada@example.org")
        assert stage.stand_in.sender.wait()
    seen = []
    for letter in letters:
        connector.verify_webhook(letter)
        seen += [(one.topic, one.kind) for one in connector.read_webhook(letter)]
    assert seen == [
        ("subscribe", "customers"), ("subscribe", "interactions"), ("unsubscribe", "customers"),
        ("unsubscribe", "interactions"),
    ]  # fmt: skip


def test_what_a_webhook_told_and_the_activity_tells_again_has_one_name(stage: Stage) -> None:
    with mailbox() as (url, letters):
        stage.connector.subscribe(url)
        for email in ("ada@example.org", "bob@example.org"):
            stage.stand_in.sign_up(email)
        letters.clear()
        stage.stand_in.leave("ada@example.org")
        stage.stand_in.clean("bob@example.org")
        assert stage.stand_in.sender.wait()
    heard = {
        one.external_id for letter in letters for one in stage.connector.read_webhook(letter)
        if one.kind == "interactions"
    }  # fmt: skip
    found = [record for page in stage.connector.pull_interactions("", None) for record in page.records]
    assert {record.kind for record in found} == {"unsubscribe", "email_bounce"}
    assert {record.external_id for record in found} <= heard


def test_an_address_where_nobody_is_is_not_subscribed(stage: Stage) -> None:
    with pytest.raises(Rejected, match="verify the URL"):
        stage.connector.subscribe("http://127.0.0.1:9/hooks")


def test_who_looks_whether_we_are_there_finds_us() -> None:
    assert on_a_double(case(), always(500)).answer_challenge("https://hub.example/hooks/1", {}) is not None


def test_a_webhook_whose_secret_we_hold_is_kept_and_put_right_and_others_are_left_alone(stage: Stage) -> None:
    url = "https://hub.example/hooks/token-1"
    connector = holding(stage, stage.connector.subscribe(url))
    stage.connector.subscribe("https://other.example.org/hooks")
    (hook,) = [one for one in stage.stand_in.state["hooks"].values() if one["url"] == url]
    hook["sources"]["api"] = True
    assert connector.subscribe(url) == {}
    assert stage.stand_in.state["hooks"][hook["id"]]["sources"] == {"user": True, "admin": True, "api": False}
    assert len(stage.stand_in.state["hooks"]) == 2


def test_a_webhook_whose_secret_is_lost_is_replaced(stage: Stage) -> None:
    url = "https://hub.example/hooks/token-1"
    first, second = stage.connector.subscribe(url), stage.connector.subscribe(url)
    assert first["webhook_secret"] != second["webhook_secret"]
    assert list(stage.stand_in.state["hooks"]) == [second["webhook_id"]]


# How we are let in.


def test_the_round_trip_gives_a_token_that_works_and_the_data_centre(stage: Stage) -> None:
    given = Account({"client_secret": CLIENT_SECRET}, {"client_id": CLIENT_ID, "list_id": LIST}, base_url=stage.address)
    blank = stage.with_account(given)
    answer = httpx2.get(blank.authorization_url(CALLBACK, "state-1", ""), follow_redirects=False, trust_env=False)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["state-1"]
    got = blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    assert got["data_centre"] == "us21"
    secrets, settings = {"access_token": got["access_token"]}, {**given.settings, "data_centre": got["data_centre"]}
    connected = stage.with_account(Account(secrets, settings, base_url=stage.address))
    assert connected.check() == "the audience 'Readers' of Sandbox main"
    with pytest.raises(NeedsAttention):
        blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    for one in (blank, connected):
        one.close()


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {"code": "used-up"}])
def test_a_round_trip_that_came_to_nothing_needs_attention(stage: Stage, query: dict[str, str]) -> None:
    with pytest.raises(NeedsAttention):
        stage.connector.exchange(query, CALLBACK, "")


@pytest.mark.parametrize("metadata", [{}, {"dc": "evil.example.org/"}, {"dc": None}])
def test_a_data_centre_that_is_not_told_or_none_is_left_out(metadata: dict[str, Any]) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        is_token = request.url.path == "/oauth2/token"
        return httpx2.Response(200, json={"access_token": "a-token-of-oauth"} if is_token else metadata)

    made = Account({"client_secret": CLIENT_SECRET}, {"client_id": CLIENT_ID, "list_id": LIST})
    connector = Mailchimp(made, transport=httpx2.MockTransport(answer))
    assert connector.exchange({"code": "1"}, CALLBACK, "") == {"access_token": "a-token-of-oauth"}


@pytest.mark.parametrize(
    ("token", "centre", "host", "scheme"),
    [
        (KEY, "", "us21.api.mailchimp.com", "Basic"), ("a0token0of0oauth", "us6", "us6.api.mailchimp.com", "Bearer"),
        ("a0token0of0oauth", "", "api.mailchimp.com", "Bearer"),
        ("a0token0of0oauth", "evil.example.org/", "api.mailchimp.com", "Bearer"),
    ],
)  # fmt: skip
def test_an_account_is_asked_where_it_lives(token: str, centre: str, host: str, scheme: str) -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"account_name": "A", "name": "B", "id": LIST})

    made = Account({"access_token": token}, {"list_id": LIST, "data_centre": centre})
    case().connector(made, transport=httpx2.MockTransport(answer)).check()
    assert {request.url.host for request in asked} == {host}
    assert all(request.headers["authorization"].startswith(scheme) for request in asked)


@pytest.mark.parametrize("name", ["", "../other", "f0f0f0f0f0"])
def test_an_audience_that_is_not_there_needs_attention(stage: Stage, name: str) -> None:
    known = stage.connector.account
    with pytest.raises(NeedsAttention, match="audience"):
        stage.with_account(replace(known, settings={**known.settings, "list_id": name})).check()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"title": "Invalid Resource", "detail": "no", "errors": [{"field": "id", "message": "is none"}]},
         ("Invalid Resource", "no; id is none")),
        ({"error": "invalid_grant", "error_description": "used up"}, ("invalid_grant", "used up")), (None, ("", "")),
    ],
)  # fmt: skip
def test_errors_are_read_in_all_their_shapes(data: Any, said: tuple[str, str]) -> None:
    assert on_a_double(case(), always(500)).error_code(Answer(400, {}, b"", data)) == said
