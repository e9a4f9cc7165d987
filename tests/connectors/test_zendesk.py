"""Zendesk beyond the suite: what is said and by whom, tickets with notes, figures, merges, webhooks, OAuth."""

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
from finalmarket.connectors.errors import NeedsAttention, Rejected, RetryLater, Unintelligible, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.zendesk import Zendesk
from finalmarket.connectors.platforms.zendesk.words import FIELDS, OPENING
from finalmarket.connectors.records import CustomerContent, Delivery
from finalmarket.connectors.talk import TicketContent
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.zendesk import CLIENT_ID, CLIENT_SECRET
from tests.connectors.cases.zendesk import FIELD, account, case, deliver, description, ticket
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged
from tests.connectors.mailbox import mailbox

CALLBACK = "https://hub.example/authorized"
TICKET = TicketContent(
    key="ticket-1", subject="Broken", text="The cup broke.", name="Ada Lovelace", email="ada@example.org",
    order_number="FM-1", context="Sent on Monday", tags=("Broken goods",),
)  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def without_field(stage: Stage) -> Any:
    """The connector of an account that has no field of order numbers."""
    known = stage.connector.account
    return stage.with_account(replace(known, settings={**known.settings, "order_field": ""}))


# What comes in.


def test_who_said_what_and_how_it_stands(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Where is it?", channel="whatsapp")
    stage.stand_in.reply(number, "On its way.")
    stage.stand_in.reply(number, "She is nice.", public=False)
    stage.stand_in.reply(number, "An automatic word.", author=-1)
    stage.stand_in.set_status(number, "hold")
    stage.stand_in.state["tickets"][number]["satisfaction_rating"] = {"score": "good"}
    record = stage.connector.pull_conversation(str(number))
    assert [(said.author, said.text) for said in record.messages] == [
        ("customer", "Where is it?"), ("agent", "On its way."), ("note", "She is nice."), ("bot", "An automatic word."),
    ]  # fmt: skip
    assert (record.state, record.medium, record.rating, record.unknown) == ("pending", "social", "good", ())
    assert (record.name, record.email, record.key) == ("Ada", "ada@example.org", "")


def test_a_long_talk_comes_in_whole(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "one of many")
    for count in range(230):
        stage.stand_in.reply(number, f"word {count}")
    record = stage.connector.pull_conversation(str(number))
    assert [said.text for said in record.messages][1:] == [f"word {count}" for count in range(230)]


def test_a_deleted_ticket_comes_in_closed_and_is_not_asked_for_again(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Never mind", at=START - timedelta(hours=1))
    stage.stand_in.state["tickets"][number]["status"] = "deleted"
    (page,) = stage.connector.pull_conversations("", None)
    assert [(record.state, record.messages) for record in page.records] == [("closed", ())]
    assert stage.connector.pull_conversation(str(number)) is None


def test_what_changed_a_moment_ago_comes_in_when_it_is_told(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Hello")
    (page,) = stage.connector.pull_conversations("", stage.world.clock.now())
    assert page.records == ()
    stage.time.advance(timedelta(minutes=2))
    (later,) = stage.connector.pull_conversations(page.cursor, None)
    assert [record.external_id for record in later.records] == [str(number)]


def test_an_order_number_in_words_of_a_customer_names_no_order(stage: Stage) -> None:
    number = stage.stand_in.write_in("ada@example.org", "Order FM-99\nis late")
    assert stage.connector.pull_conversation(str(number)).order_number == ""


def test_who_was_merged_is_gone_and_the_tickets_are_the_others(stage: Stage) -> None:
    loser, winner = stage.stand_in.meet("A", "a@example.org"), stage.stand_in.meet("B", "b@example.org")
    stage.time.advance(timedelta(minutes=2))
    stage.stand_in.merge(int(loser), int(winner))
    assert stage.connector.pull_customer(loser).is_deleted
    assert not stage.connector.pull_customer(winner).is_deleted
    assert stage.connector.pull_customer("1") is None, "an admin is no customer"


# What goes out.


def test_an_order_number_is_told_by_the_field_and_without_one_by_the_note(stage: Stage) -> None:
    first = stage.connector.open_ticket(TICKET)
    assert stage.stand_in.state["tickets"][int(first)]["custom_fields"] == [{"id": FIELD, "value": "FM-1"}]
    bare = without_field(stage)
    second = bare.open_ticket(replace(TICKET, key="ticket-2", order_number="FM-2"))
    assert stage.stand_in.state["tickets"][int(second)]["custom_fields"] == []
    assert bare.pull_conversation(second).order_number == "FM-2"
    bare.close()


def test_a_ticket_is_in_the_words_of_who_it_is_from(stage: Stage) -> None:
    record = stage.connector.pull_conversation(stage.connector.open_ticket(TICKET))
    first, note = record.messages
    assert (first.author, first.text, record.email) == ("customer", "The cup broke.", "ada@example.org")
    assert (note.author, note.text) == ("note", "Order FM-1\n\nSent on Monday")
    assert stage.stand_in.state["tickets"][int(record.external_id)]["tags"] == ["broken_goods"]


def test_who_left_a_telephone_number_only_is_named_to_agents(stage: Stage) -> None:
    content = replace(TICKET, email="", phone="+49 30 1234", order_number="", context="")
    record = stage.connector.pull_conversation(stage.connector.open_ticket(content))
    assert [said.text for said in record.messages if said.author == "note"] == ["From Ada Lovelace, +49 30 1234"]


def test_a_ticket_whose_note_is_missing_is_not_found_and_is_made_whole_by_the_next_try(stage: Stage) -> None:
    content = replace(ticket(stage.stand_in), email="", customer_id=stage.stand_in.meet("Ada", "ada@example.org"))
    stage.stand_in.faults.then(Fault.ERROR_AFTER)  # the news of the ticket is lost
    with pytest.raises(RetryLater):
        stage.connector.open_ticket(content)
    (number,) = stage.stand_in.state["tickets"]
    assert OPENING in stage.stand_in.state["tickets"][number]["tags"]
    assert stage.connector.find_ticket(content.key) is None
    assert stage.connector.open_ticket(content) == str(number) == stage.connector.find_ticket(content.key)
    assert len(stage.stand_in.state["comments"][number]) == 2


def test_a_ticket_that_zendesk_only_said_to_have_made_leaves_doubt_and_is_made(stage: Stage) -> None:
    content = replace(ticket(stage.stand_in), email="", customer_id=stage.stand_in.meet("Ada", "ada@example.org"))
    stage.stand_in.faults.then(Fault.NOT_APPLIED)
    with pytest.raises(Unintelligible, match="is not there"):
        stage.connector.open_ticket(content)
    assert stage.connector.open_ticket(content) == stage.connector.find_ticket(content.key)
    assert len(stage.stand_in.state["tickets"]) == 1


def test_a_ticket_that_is_not_seen_is_neither_made_nor_noted_again(stage: Stage) -> None:
    name = stage.connector.open_ticket(TICKET)
    stage.time.advance(timedelta(seconds=5))
    stage.connector.note_ticket(name, "A word.", "note-1")
    seen, stage.connector._ticket_of = stage.connector._ticket_of, lambda key: None
    with pytest.raises(RetryLater) as again:  # the answer of then comes again, and the ticket has moved on
        stage.connector.open_ticket(TICKET)
    assert again.value.code == "UpdateConflict"
    with pytest.raises(Rejected) as caught:
        stage.connector.open_ticket(replace(TICKET, text="Another thing."))
    assert (caught.value.code, caught.value.key) == ("IdempotentRequestError", TICKET.key)
    stage.connector._ticket_of = seen
    assert stage.connector.open_ticket(TICKET) == name
    assert [len(said) for said in stage.stand_in.state["comments"].values()] == [3]


def test_a_note_left_twice_is_read_once_and_a_closed_ticket_takes_none(stage: Stage) -> None:
    name = stage.connector.open_ticket(TICKET)
    for _ in range(2):
        stage.connector.note_ticket(name, "It came back.", "note-1")
    assert [entry.name for entry in stage.world.journal.entries(what="effect")].count("note") == 2, (
        "one came with the ticket"
    )
    stage.stand_in.set_status(int(name), "closed")
    with pytest.raises(Rejected) as caught:
        stage.connector.note_ticket(name, "Paid back.", "note-2")
    assert caught.value.key == "note-2"


def test_figures_stand_in_fields_that_are_made_once(stage: Stage) -> None:
    content = CustomerContent(
        key="c-1", name="Ada", email="ada@example.org", segments=("vip", "tea"), order_count=3,
        spent=Decimal("1234567.10"), currency="EUR", last_order_at=datetime(2026, 5, 1, 23, tzinfo=UTC),
    )  # fmt: skip
    name = stage.connector.push_customer(content)
    stage.connector.push_customer(replace(content, external_id=name, order_count=4))
    assert stage.stand_in.state["users"][int(name)]["user_fields"] == {
        "finalmarket_orders": 4, "finalmarket_spent": "1234567.10", "finalmarket_currency": "EUR",
        "finalmarket_last_order": "2026-05-01", "finalmarket_segments": "vip, tea",
    }  # fmt: skip
    assert stage.effects()["user field"] == 5


JANE = "jane@example.org"
NAMELESS = CustomerContent(key="c-1", email=JANE, phone="+49 30 1234", order_count=3)


def known(stage: Stage) -> dict[str, str]:
    """What the end users are called, by their e-mail addresses."""
    return {person.email: person.name for person in stage.stand_in.people().values()}


def test_who_has_a_name_keeps_it_where_we_know_none(stage: Stage) -> None:
    jane = stage.stand_in.meet("Jane Doe", JANE)
    for content in (NAMELESS, replace(NAMELESS, external_id=jane), replace(NAMELESS, email="JANE@example.org")):
        assert stage.connector.push_customer(content) == jane
    assert known(stage) == {JANE: "Jane Doe"}
    user = stage.stand_in.state["users"][int(jane)]
    assert (user["phone"], user["user_fields"]["finalmarket_orders"]) == ("+49 30 1234", 3)
    assert stage.connector.push_customer(replace(NAMELESS, name="Jane Roe")) == jane
    assert known(stage) == {JANE: "Jane Roe"}


def test_a_stranger_without_a_name_is_called_by_the_address(stage: Stage) -> None:
    jane = stage.connector.push_customer(NAMELESS)
    assert known(stage) == {JANE: JANE}
    stage.stand_in.rename(jane, "Jane Doe")
    assert stage.connector.push_customer(NAMELESS) == jane
    assert known(stage) == {JANE: "Jane Doe"}
    assert stage.effects()["user"] == 1


def test_who_has_neither_name_nor_address_is_called_by_our_key_until_they_have_a_name(stage: Stage) -> None:
    content = replace(NAMELESS, email="")
    caller = stage.connector.push_customer(content)
    assert known(stage) == {"": "c-1"}
    stage.stand_in.rename(caller, "Jane Doe")
    assert stage.connector.push_customer(content) == caller
    assert known(stage) == {"": "Jane Doe"}


def test_a_ticket_of_somebody_whose_name_we_do_not_know_leaves_the_one_that_they_have(stage: Stage) -> None:
    jane = stage.stand_in.meet("Jane Doe", JANE)
    for number, email in enumerate((JANE, "ada@example.org")):
        stage.connector.open_ticket(replace(TICKET, key=f"ticket-{number}", name="", email=email))
    first, second = stage.stand_in.state["tickets"].values()
    assert str(first["requester_id"]) == jane != str(second["requester_id"])
    assert known(stage) == {JANE: "Jane Doe", "ada@example.org": "ada@example.org"}


def test_a_user_who_is_refused_for_something_else_than_the_name_is_refused(stage: Stage) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"user_fields": [{"key": key} for key in FIELDS]})
        bodies.append(request.content)
        details = {"phone": [{"description": "Phone is not a number", "error": "InvalidFormat"}]}
        return httpx2.Response(422, json={"error": "RecordInvalid", "description": "no", "details": details})

    connector = on_a_double(case(), answer)
    for name in ("", "Jane Doe"):
        with pytest.raises(Rejected, match="Phone is not a number") as caught:
            connector.push_customer(replace(NAMELESS, name=name))
        assert (caught.value.key, len(bodies)) == ("c-1", 1)
        bodies.clear()


def test_an_address_that_is_somebody_elses_is_refused_by_key(stage: Stage) -> None:
    stage.stand_in.meet("Bob", "bob@example.org")
    name = stage.stand_in.meet("Ada", "ada@example.org")
    with pytest.raises(Rejected) as caught:
        stage.connector.push_customer(CustomerContent(key="c-1", external_id=name, email="bob@example.org"))
    assert (caught.value.key, "already being used" in caught.value.reason) == ("c-1", True)


# Webhooks.


def test_webhooks_arrive_from_the_stand_in_signed(stage: Stage) -> None:
    with mailbox() as (url, letters):
        given = stage.connector.subscribe(url)
        assert stage.connector.subscribe(url) == given
        number = stage.stand_in.write_in("ada@example.org", "Hello")
        stage.stand_in.set_status(number, "solved")
        assert stage.stand_in.sender.wait()
    known = stage.connector.account
    connector = stage.with_account(replace(known, secrets={**known.secrets, **given}))
    seen = []
    for letter in letters:
        connector.verify_webhook(letter)
        seen += [(one.topic.rpartition(":")[2], one.kind) for one in connector.read_webhook(letter)]
    assert seen == [
        ("user.created", "customers"), ("ticket.created", "conversations"), ("ticket.comment_added", "conversations"),
        ("ticket.status_changed", "conversations"),
    ]  # fmt: skip
    assert len(stage.stand_in.state["webhooks"]) == 1
    connector.close()


def test_a_webhook_that_was_switched_off_is_put_right(stage: Stage) -> None:
    url = "https://hub.example/hooks/token-1"
    stage.connector.subscribe(url)
    (hook,) = stage.stand_in.state["webhooks"].values()
    hook |= {"status": "inactive", "subscriptions": []}
    stage.connector.subscribe(url)
    assert (hook["status"], hook["subscriptions"]) == ("active", list(Zendesk.webhook_topics))


def test_a_signature_over_the_body_before_the_time_is_refused() -> None:
    """An older page of Zendesk's wrote it that way round, with this very example."""
    headers = {
        "X-Zendesk-Webhook-Signature-Timestamp": "2021-07-25T10:00:00Z",
        "X-Zendesk-Webhook-Signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=",
    }  # fmt: skip
    secrets = {"webhook_secret": "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="}
    delivery = Delivery("https://hub.example", headers, b'{"say": "hello"}', datetime(2021, 7, 25, 10, tzinfo=UTC))
    connector = Zendesk(Account(secrets, {"subdomain": "a"}))
    with pytest.raises(WebhookRefused):
        connector.verify_webhook(delivery)
    # The same secret, time and body the other way round, reckoned with OpenSSL.
    headers["X-Zendesk-Webhook-Signature"] = "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="
    connector.verify_webhook(replace(delivery, headers=headers))


def test_an_event_names_what_to_ask_for() -> None:
    made = deliver(account("http://platform.invalid"), topic="zen:event-type:ticket.merged", sent_at=START)
    (event,) = on_a_double(case(), always(500)).read_webhook(made)
    assert (event.kind, event.external_id, event.occurred_at) == ("conversations", "35436", START)


# How we are let in.


def test_the_round_trip_gives_a_token_that_works_and_is_renewed(stage: Stage) -> None:
    settings = {"subdomain": "sandbox", "client_id": CLIENT_ID}
    kept: dict[str, str] = {}
    blank = stage.with_account(Account({"client_secret": CLIENT_SECRET}, settings, base_url=stage.address))
    answer = httpx2.get(blank.authorization_url(CALLBACK, "state-1", ""), follow_redirects=False, trust_env=False)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["state-1"]
    got = blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    with pytest.raises(NeedsAttention):
        blank.exchange({"code": back["code"][0]}, CALLBACK, "")
    secrets = {"client_secret": CLIENT_SECRET, **got}
    connected = stage.with_account(Account(secrets, settings, base_url=stage.address, keep=kept.update))
    assert connected.check() == "sandbox, as Admin (admin)"
    assert kept == {}
    stage.time.advance(timedelta(hours=3))
    assert connected.check()
    assert kept["refresh_token"] != got["refresh_token"]
    for one in (blank, connected):
        one.close()


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {"code": "used-up"}])
def test_a_round_trip_that_came_to_nothing_needs_attention(stage: Stage, query: dict[str, str]) -> None:
    with pytest.raises(NeedsAttention):
        stage.connector.exchange(query, CALLBACK, "")


@pytest.mark.parametrize("name", ["", "evil.example.org/", "a@b", "-a"])
def test_a_subdomain_that_is_none_needs_attention(name: str) -> None:
    with pytest.raises(NeedsAttention, match="subdomain"):
        Zendesk(Account({"api_token": "a-token"}, {"subdomain": name})).check()


def test_an_account_is_asked_at_its_own_host_and_nobody_is_nobody() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"user": {"id": None, "name": "Anonymous user"}})

    made = Account({"api_token": "a-token-1"}, {"subdomain": "Acme.zendesk.com", "email": "a@example.org"})
    with pytest.raises(NeedsAttention, match="nobody"):
        Zendesk(made, transport=httpx2.MockTransport(answer)).check()
    assert [request.url.host for request in asked] == ["acme.zendesk.com"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"error": "RecordInvalid", "description": "no", "details": {"a": [1]}}, ("RecordInvalid", 'no; {"a": [1]}')),
        ({"error": {"title": "Forbidden", "message": "not you"}}, ("Forbidden", "not you")),
        ({"errors": [{"code": "InvalidInput", "title": "t", "detail": "is bad"}]}, ("InvalidInput", "is bad")),
        ({"error": "invalid_grant", "error_description": "used up"}, ("invalid_grant", "used up")), (None, ("", "")),
    ],
)  # fmt: skip
def test_errors_are_read_in_all_their_shapes(data: Any, said: tuple[str, str]) -> None:
    assert on_a_double(case(), always(500)).error_code(Answer(400, {}, b"", data)) == said


def test_a_ticket_that_changed_meanwhile_is_tried_again(stage: Stage) -> None:
    body = b'{"error": "UpdateConflict", "description": "Safe Update prevented the update"}'
    connector = on_a_double(case(), always(409, body))
    with pytest.raises(RetryLater):
        connector.http.call("PUT", "/api/v2/tickets/1", json={}, repeatable=True)


def test_the_judge_knows_parameters_that_have_brackets_in_their_names() -> None:
    def faults(name: str, value: str) -> list[str]:
        return list(description().request_faults("GET", "/api/v2/webhooks", [(name, value)], {}, b""))

    assert faults("filter[status]", "active") == []
    assert len(faults("filter[status]", "asleep")) == 1
    assert len(faults("filter[colour]", "red")) == 1
