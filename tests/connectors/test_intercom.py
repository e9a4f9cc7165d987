"""Intercom beyond the suite: what is said and by whom, days and seconds, tickets, figures, merges, webhooks, OAuth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, NotSupported, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.intercom import Intercom
from finalmarket.connectors.platforms.intercom.words import marked_up, plain
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Delivery
from finalmarket.connectors.talk import TicketContent
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.intercom import CLIENT_ID, CLIENT_SECRET
from tests.connectors.cases.intercom import account, case, deliver
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged
from tests.connectors.mailbox import mailbox

CALLBACK = "https://hub.example/authorized"
TICKET = TicketContent(
    key="ticket-1", subject="Broken", text="The cup broke.", name="Ada Lovelace", email="ada@example.org",
    order_number="FM-1", context="Sent on Monday", tags=("broken", "vip"), priority="high",
)  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# What comes in.


def test_who_said_what_and_how_it_stands(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Where is it?", channel="whatsapp")
    stage.stand_in.reply(number, "<p>On its way,<br>Ada.</p>")
    stage.stand_in.reply(number, "<p>She is nice.</p>", kind="note")
    stage.stand_in.reply(number, "<p>Anything else?</p>", author={"type": "bot", "id": "1", "name": "Operator"})
    stage.stand_in.reply(number, "<p>A guess.</p>", author={"type": "admin", "id": "2", "from_ai_agent": True})
    stage.stand_in.set_state(number, "closed")
    stage.stand_in.state["conversations"][number] |= {
        "custom_attributes": {"Order number": "FM-7"}, "conversation_rating": {"rating": 4},
    }  # fmt: skip
    record = stage.connector.pull_conversation(number)
    assert [(said.author, said.text) for said in record.messages] == [
        ("customer", "Where is it?"), ("agent", "On its way,\nAda."), ("note", "She is nice."),
        ("bot", "Anything else?"), ("bot", "A guess."),
    ]  # fmt: skip
    assert (record.state, record.medium, record.rating, record.order_number) == ("closed", "social", "4", "FM-7")
    assert record.closed_at == record.updated_at.replace(microsecond=0)
    assert (record.name, record.email, record.is_ticket) == ("Ada", "ada@example.org", False)


def test_a_conversation_whose_contact_is_gone_still_comes_in(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Hello")
    ((name, _),) = stage.stand_in.state["contacts"].items()
    del stage.stand_in.state["contacts"][name]
    record = stage.connector.pull_conversation(number)
    assert (record.customer_id, record.name, len(record.messages)) == (name, "", 1)


def test_a_search_that_knows_days_only_is_gone_on_with_by_the_second(stage: Stage) -> None:
    old = stage.stand_in.write_in("ada@example.org", "First", at=START - timedelta(hours=5))
    *_, last = stage.connector.pull_conversations("", None)
    assert [record.external_id for record in last.records] == [old]
    new = stage.stand_in.write_in("ada@example.org", "Second", at=START - timedelta(hours=4))
    (page,) = stage.connector.pull_conversations(last.cursor, None)
    assert [record.external_id for record in page.records] == [new]


def test_a_contact_that_is_found_minutes_late_comes_in(stage: Stage) -> None:
    (page,) = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(minutes=1))
    late = stage.stand_in.meet("Ada", "ada@example.org")
    hidden = stage.stand_in.state["contacts"].pop(late)
    stage.time.advance(timedelta(minutes=5))
    (page,) = stage.connector.pull_customers(page.cursor, None)
    stage.stand_in.state["contacts"][late] = hidden
    (page,) = stage.connector.pull_customers(page.cursor, None)
    assert [record.external_id for record in page.records] == [late]


def test_more_of_one_second_than_fit_on_a_page_all_come_in_whatever_their_order_there(stage: Stage) -> None:
    at, older = START - timedelta(hours=5), START - timedelta(hours=6)
    seen = {stage.stand_in._new_contact(older if number < 49 else at)["id"] for number in range(170)}
    pages = list(stage.connector.pull_customers("", None))
    assert sorted(record.external_id for page in pages for record in page.records) == sorted(seen)
    assert {len(page.records) for page in pages[:-1]} == {50}


def test_of_conversations_of_one_second_all_come_in_whatever_their_order_there(stage: Stage) -> None:
    at = START - timedelta(hours=5)
    asked = {stage.stand_in.write_in("ada@example.org", "Hello", at=at) for _ in range(70)}
    pages = stage.connector.pull_conversations("", None)
    assert sorted(record.external_id for page in pages for record in page.records) == sorted(asked)


@pytest.mark.parametrize("told", [True, False])
def test_who_unsubscribed_said_no_and_everybody_else_nothing(stage: Stage, told: bool) -> None:
    name = stage.stand_in.meet("Ada", "ada@example.org")
    stage.stand_in.state["contacts"][name]["unsubscribed_from_emails"] = told
    assert stage.connector.pull_customer(name).accepts_email is (False if told else None)


@pytest.mark.parametrize("text", ["a < b & c", "one\ntwo", "\u00fcber 'quotes'"])
def test_words_come_back_as_they_went_out(text: str) -> None:
    assert plain(marked_up(text)) == text


# What goes out.


def test_what_a_ticket_is_about_stands_in_attributes_that_no_contact_sees(stage: Stage) -> None:
    name = stage.connector.open_ticket(TICKET)
    (ticket,) = stage.stand_in.state["tickets"].values()
    assert name == f"ticket-{ticket['id']}"
    assert ticket["ticket_attributes"] == {
        "_default_title_": "Broken", "_default_description_": "The cup broke.", "Final Market key": "ticket-1",
        "Order number": "FM-1", "Order context": "Sent on Monday", "Order priority": "high",
        "Order tags": "broken, vip",
    }  # fmt: skip
    assert {one["visible_to_contacts"] for one in stage.stand_in.state["ticket_attributes"].values()} == {False}
    record = stage.connector.pull_conversation(name)
    assert (record.email, record.subject, record.state) == ("ada@example.org", "Broken", "open")


def test_a_ticket_whose_news_was_lost_is_found_and_not_opened_again(stage: Stage) -> None:
    stage.connector.open_ticket(TICKET)
    second = replace(TICKET, key="ticket-2", customer_id=stage.stand_in.meet("Bob", "bob@example.org"))
    stage.stand_in.faults.then(Fault.ERROR_AFTER)
    with pytest.raises(OutcomeUnknown):
        stage.connector.open_ticket(second)
    found = stage.connector.find_ticket("ticket-2")
    assert found
    assert stage.connector.open_ticket(second) == found
    assert len(stage.stand_in.state["tickets"]) == 2


def test_who_is_known_is_not_changed_by_a_ticket(stage: Stage) -> None:
    name = stage.stand_in.meet("The Countess", "ada@example.org")
    stage.connector.open_ticket(TICKET)
    assert stage.stand_in.people()[name].name == "The Countess"
    (ticket,) = stage.stand_in.state["tickets"].values()
    assert ticket["contacts"]["contacts"] == [{"type": "contact", "id": name}]


def test_looking_for_a_ticket_makes_no_attributes(stage: Stage) -> None:
    assert stage.connector.find_ticket("ticket-1") is None
    assert stage.effects() == {}


def test_a_ticket_type_that_is_not_there_needs_attention(stage: Stage) -> None:
    known = stage.connector.account
    connector = stage.with_account(replace(known, settings={**known.settings, "ticket_type": "99"}))
    with pytest.raises(NeedsAttention, match="ticket type"):
        connector.open_ticket(TICKET)
    connector.close()


@pytest.mark.parametrize("is_ticket", [True, False])
def test_a_note_left_twice_is_read_once(stage: Stage, is_ticket: bool) -> None:
    talk = stage.stand_in.write_in("ada@example.org", "Hello")
    name = stage.connector.open_ticket(TICKET) if is_ticket else talk
    for _ in range(2):
        stage.connector.note_ticket(name, "It came back.\n<soon>", "note-1")
    record = stage.connector.pull_conversation(name)
    (note,) = [said.text for said in record.messages if said.author == "note"]
    assert note.startswith("It came back.\n<soon>")
    with pytest.raises(Rejected) as caught:
        stage.connector.note_ticket("ticket-9999", "Nobody.", "note-2")
    assert caught.value.key == "note-2"


def test_figures_stand_in_attributes_that_are_made_once(stage: Stage) -> None:
    at = datetime(2026, 5, 1, 23, tzinfo=UTC)
    content = CustomerContent(
        key="c-1", name="Ada", email="ada@example.org", segments=("vip", "tea"), order_count=3, accepts_email=False,
        spent=Decimal("1234567.10"), currency="EUR", last_order_at=at,
    )  # fmt: skip
    name = stage.connector.push_customer(content)
    assert stage.connector.push_customer(replace(content, order_count=4)) == name
    contact = stage.stand_in.state["contacts"][name]
    assert contact["custom_attributes"] == {
        "finalmarket_orders": 4, "finalmarket_spent": 1234567.10, "finalmarket_currency": "EUR",
        "finalmarket_last_order": int(at.timestamp()), "finalmarket_segments": "vip, tea",
        "finalmarket_withdrawn": True,
    }  # fmt: skip
    assert contact["unsubscribed_from_emails"] is True
    assert any(b'"finalmarket_spent":1234567.10,' in one.request_body for one in stage.watched.exchanges)
    assert (stage.effects()["attribute"], stage.effects()["contact"]) == (6, 1)


def told(stage: Stage, **changes: Any) -> dict[str, Any]:
    """The contact that Ada is after she was told."""
    content = CustomerContent(key="c-1", name="Ada", email="ada@example.org", **changes)
    contact: dict[str, Any] = stage.stand_in.state["contacts"][stage.connector.push_customer(content)]
    return contact


@pytest.mark.parametrize("is_linked", [True, False])
def test_who_unsubscribed_at_intercom_is_not_subscribed_by_our_older_word(stage: Stage, is_linked: bool) -> None:
    contact = told(stage, accepts_email=True)
    assert contact["unsubscribed_from_emails"] is False
    contact["unsubscribed_from_emails"] = True  # she follows the link in a mail
    external_id = contact["id"] if is_linked else ""
    again = told(stage, accepts_email=True, order_count=1, currency="EUR", external_id=external_id)
    assert (again["unsubscribed_from_emails"], again["custom_attributes"]["finalmarket_orders"]) == (True, 1)


def test_who_unsubscribed_before_they_became_our_customer_stays_so(stage: Stage) -> None:
    name = stage.stand_in.meet("Ada", "ada@example.org")
    stage.stand_in.state["contacts"][name]["unsubscribed_from_emails"] = True
    contact = told(stage, accepts_email=True)
    assert (contact["id"], contact["unsubscribed_from_emails"]) == (name, True)


def test_who_withdrew_to_us_and_agrees_again_is_subscribed_again(stage: Stage) -> None:
    contact = told(stage, accepts_email=False)
    assert contact["unsubscribed_from_emails"] is True
    assert told(stage, accepts_email=None, external_id=contact["id"])["unsubscribed_from_emails"] is True
    assert told(stage, accepts_email=True, external_id=contact["id"])["unsubscribed_from_emails"] is False
    contact["unsubscribed_from_emails"] = True  # and then she leaves, at Intercom
    assert told(stage, accepts_email=True, external_id=contact["id"])["unsubscribed_from_emails"] is True


def test_who_has_no_address_is_known_by_our_key(stage: Stage) -> None:
    content = CustomerContent(key="c-1", name="Ada", phone="+49301234")
    assert stage.connector.push_customer(content) == stage.connector.push_customer(content)
    assert [one["external_id"] for one in stage.stand_in.state["contacts"].values()] == ["finalmarket:c-1"]


# Webhooks.


def test_a_merge_brings_along_who_was_merged(stage: Stage) -> None:
    lead, user = stage.stand_in.meet("A lead", "lead@example.org"), stage.stand_in.meet("Ada", "ada@example.org")
    with mailbox() as (url, letters):
        stage.stand_in.listen(url)
        stage.stand_in.merge(lead, user)
        assert stage.stand_in.sender.wait()
    (letter,) = letters
    stage.connector.verify_webhook(letter)
    (event,) = stage.connector.read_webhook(letter)
    assert (event.kind, event.external_id) == ("customers", user)
    assert isinstance(event.record, CustomerRecord)
    assert (event.record.external_id, event.record.merged_ids, event.record.name) == (user, (lead,), "Ada")
    assert stage.connector.pull_customer(lead) is None
    assert event.record.version == stage.connector.pull_customer(user).version


@pytest.mark.parametrize(
    ("topic", "kind", "name"),
    [("ticket.created", "conversations", "ticket-65a00000"), ("conversation.user.replied", "conversations", "65a00000"),
     ("contact.deleted", "customers", "65a00000"), ("ping", "unknown", "65a00000")],
)  # fmt: skip
def test_a_notification_names_what_to_ask_for(topic: str, kind: str, name: str) -> None:
    made = deliver(account("http://platform.invalid"), topic=topic, sent_at=START)
    (event,) = on_a_double(case(), always(500)).read_webhook(made)
    assert (event.kind, event.external_id, event.occurred_at, event.record) == (kind, name, START, None)


def test_a_signature_is_that_of_the_body_in_sha1() -> None:
    """Body and secret, with a digest reckoned with OpenSSL."""
    headers = {"X-Hub-Signature": "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"}
    body = b"The quick brown fox jumps over the lazy dog"
    connector = Intercom(Account({"access_token": "a-token-1", "client_secret": "key"}))
    connector.verify_webhook(Delivery("https://hub.example", headers, body, START))


def test_webhooks_are_set_up_by_hand(stage: Stage) -> None:
    with pytest.raises(NotSupported, match="Developer Hub"):
        stage.connector.subscribe("https://hub.example/hooks/token-1")


# How we are let in.


def test_the_round_trip_gives_a_token_that_works(stage: Stage) -> None:
    given = Account({"client_secret": CLIENT_SECRET}, {"client_id": CLIENT_ID}, base_url=stage.address)
    blank = stage.with_account(given)
    answer = httpx2.get(blank.authorization_url(CALLBACK, "state-1", ""), follow_redirects=False, trust_env=False)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["state-1"]
    got = blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    connected = stage.with_account(replace(given, secrets={**given.secrets, **got}))
    assert connected.check() == "the workspace Sandbox main (sandbox1)"
    with pytest.raises(NeedsAttention):
        blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    for one in (blank, connected):
        one.close()


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {"code": "used-up"}])
def test_a_round_trip_that_came_to_nothing_needs_attention(stage: Stage, query: dict[str, str]) -> None:
    with pytest.raises(NeedsAttention):
        stage.connector.exchange(query, CALLBACK, "")


@pytest.mark.parametrize(("region", "host"), [("", "api.intercom.io"), ("eu", "api.eu.intercom.io")])
def test_a_workspace_is_asked_where_it_lives(region: str, host: str) -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"id": "1", "app": {"id_code": "a", "name": "A"}})

    made = Account({"access_token": "a-token-1"}, {"region": region})
    Intercom(made, transport=httpx2.MockTransport(answer)).check()
    assert [(request.url.host, request.headers["intercom-version"]) for request in asked] == [(host, "2.15")]


def test_the_next_window_is_waited_for(stage: Stage) -> None:
    resets = str(int(START.timestamp()) + 7)
    body = b'{"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "slow"}]}'
    connector = on_a_double(case(), always(429, body, {"X-RateLimit-Reset": resets}))
    with pytest.raises(RetryLater) as caught:
        connector.check()
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"type": "error.list", "errors": [{"code": "conflict", "message": "taken"}]}, ("conflict", "taken")),
        ({"errors": [{"code": 7}]}, ("", "")), ({"errors": []}, ("", "")), (None, ("", "")),
    ],
)  # fmt: skip
def test_errors_are_read_in_all_their_shapes(data: Any, said: tuple[str, str]) -> None:
    assert on_a_double(case(), always(500)).error_code(Answer(400, {}, b"", data)) == said
