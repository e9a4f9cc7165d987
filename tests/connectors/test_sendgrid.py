"""SendGrid beyond the suite: consents and lists, withdrawals, mails with our key, signed events, who gets no mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sendgrid.helpers.eventwebhook import EventWebhook  # type: ignore[import-untyped]

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NotSupported, Rejected, RetryLater, Unintelligible, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.sendgrid.events import SIGNATURE, TIMESTAMP
from finalmarket.connectors.records import Address, CustomerContent, Delivery
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.platforms.sendgrid import GROUP, SENDER, signature
from tests.connectors.cases.sendgrid import (
    _private,
    account,
    case,
    delivery_of,
    event,
    made_up_key,
    message,
    seed_interactions,
)
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged
from tests.connectors.mailbox import mailbox

ADA = CustomerContent(
    key="customer-1", name="Ada King Lovelace", email="Ada@Example.org", phone="+49 30 1", language="de",
    address=Address(street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"), accepts_email=True,
    consents={"sms": False}, segments=("vip", "tea"), order_count=3, spent=Decimal("74.70"), currency="EUR",
    last_order_at=datetime(2026, 5, 30, 12, tzinfo=UTC),
)  # fmt: skip
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def with_group(stage: Stage) -> Any:
    """The connector of a merchant whose newsletters use an unsubscribe group."""
    known = stage.connector.account
    return stage.with_account(replace(known, settings={**known.settings, "unsubscribe_group": str(GROUP)}))


def told(stage: Stage, content: CustomerContent, connector: Any = None) -> str:
    """Tell a contact, and wait until it shows."""
    name: str = (connector or stage.connector).push_customer(content)
    stage.time.advance(MINUTE)
    return name


# The audience.


def test_a_contact_carries_what_we_know_of_the_person(stage: Stage) -> None:
    assert told(stage, ADA) == "ada@example.org"
    contact = stage.stand_in.contact("ada@example.org")
    names = ("first_name", "last_name", "address_line_1", "postal_code", "city", "country")
    assert [contact[name] for name in names] == ["Ada King", "Lovelace", "Hauptstr. 1", "10115", "Berlin", "DE"]
    assert contact["custom_fields"] == {
        "finalmarket_language": "de", "finalmarket_phone": "+49 30 1", "finalmarket_consents": "email=yes sms=no",
        "finalmarket_orders": "3", "finalmarket_spent": "74.70", "finalmarket_currency": "EUR",
        "finalmarket_last_order": "2026-05-30T12:00:00Z",
    }  # fmt: skip


def test_who_agreed_is_on_the_list_of_all_and_on_those_of_their_segments(stage: Stage) -> None:
    told(stage, ADA)
    assert stage.stand_in.audience() == {
        "The Final Market": ["ada@example.org"], "The Final Market: vip": ["ada@example.org"],
        "The Final Market: tea": ["ada@example.org"],
    }  # fmt: skip


def test_a_segment_that_somebody_left_is_left_there_and_lists_of_others_are_not_touched(stage: Stage) -> None:
    stage.stand_in.state["lists"]["00000000-0000-0000-0000-00000000aaaa"] = "The Final Market's friends"
    told(stage, ADA)
    theirs = stage.stand_in.state["contacts"]["ada@example.org"]["now"]["list_ids"]
    theirs.append("00000000-0000-0000-0000-00000000aaaa")
    told(stage, replace(ADA, segments=("tea",)))
    assert {name for name, members in stage.stand_in.audience().items() if members} == {
        "The Final Market", "The Final Market: tea", "The Final Market's friends",
    }  # fmt: skip


def test_who_said_nothing_is_on_no_list_and_not_kept_from_mail(stage: Stage) -> None:
    told(stage, replace(ADA, accepts_email=None))
    assert stage.stand_in.audience() == {}
    assert stage.stand_in.state["unsubscribes"] == {}


def test_who_withdraws_leaves_the_lists_and_gets_no_newsletters_any_more(stage: Stage) -> None:
    told(stage, ADA)
    told(stage, CustomerContent(key="c", external_id="ada@example.org", email="ada@example.org", accepts_email=False))
    assert not any(stage.stand_in.audience().values())
    assert set(stage.stand_in.state["unsubscribes"]) == {"ada@example.org"}
    assert stage.stand_in.contact("ada@example.org")["custom_fields"]["finalmarket_consents"] == "email=no"


def test_who_agrees_again_gets_newsletters_again(stage: Stage) -> None:
    for accepts in (True, False, True):
        told(stage, replace(ADA, accepts_email=accepts))
    assert stage.stand_in.state["unsubscribes"] == {}
    assert stage.stand_in.audience()["The Final Market"] == ["ada@example.org"]


def test_who_agrees_again_gets_newsletters_though_their_withdrawal_broke_off() -> None:
    with staged(case(), faults=Faults()) as stage:
        for accepts in (True, False, True):  # all fields are there by now
            told(stage, replace(ADA, accepts_email=accepts))
        stage.stand_in.faults.then(Fault.NOT_APPLIED)
        with pytest.raises(RetryLater, match="knows nothing of it"):
            stage.connector.push_customer(replace(ADA, accepts_email=False))
        told(stage, ADA)
        assert stage.stand_in.state["unsubscribes"] == {}
        assert stage.stand_in.audience()["The Final Market"] == ["ada@example.org"]


def test_a_withdrawal_counts_though_the_contact_is_not_taken_in(stage: Stage) -> None:
    email = f"{'n' * 70}@example.org"
    with pytest.raises(Rejected):
        stage.connector.push_customer(replace(ADA, email=email, accepts_email=False))
    assert set(stage.stand_in.state["unsubscribes"]) == {email}


def test_what_somebody_told_sendgrid_itself_our_older_word_does_not_overrule(stage: Stage) -> None:
    told(stage, ADA)
    stage.stand_in.unsubscribe("ada@example.org")
    told(stage, replace(ADA, order_count=4))
    assert set(stage.stand_in.state["unsubscribes"]) == {"ada@example.org"}


def test_with_an_unsubscribe_group_a_withdrawal_is_of_that_group_only(stage: Stage) -> None:
    connector = with_group(stage)
    told(stage, ADA, connector)
    told(stage, replace(ADA, accepts_email=False), connector)
    assert set(stage.stand_in.state["left"]) == {(GROUP, "ada@example.org")}
    assert stage.stand_in.state["unsubscribes"] == {}
    told(stage, ADA, connector)
    assert stage.stand_in.state["left"] == {}


def test_after_a_new_address_the_old_one_leaves_the_lists(stage: Stage) -> None:
    old = told(stage, ADA)
    assert told(stage, replace(ADA, external_id=old, email="king@example.org")) == "king@example.org"
    assert stage.stand_in.audience()["The Final Market"] == ["king@example.org"]


def test_a_withdrawal_holds_for_the_address_before_too(stage: Stage) -> None:
    old = told(stage, ADA)
    told(stage, replace(ADA, external_id=old, email="king@example.org", accepts_email=False))
    assert set(stage.stand_in.state["unsubscribes"]) == {"ada@example.org", "king@example.org"}


@pytest.mark.parametrize("email", ["", "nobody", "n" * 95 + "@example.org"])
def test_somebody_without_an_address_that_sendgrid_takes_is_rejected_here(email: str) -> None:
    with pytest.raises(Rejected) as caught:
        on_a_double(case(), always(500)).push_customer(replace(ADA, email=email))
    assert caught.value.key == "customer-1"


def test_a_contact_that_is_not_taken_in_is_rejected(stage: Stage) -> None:
    with pytest.raises(Rejected, match="did not take") as caught:
        stage.connector.push_customer(replace(ADA, email=f"{'n' * 70}@example.org"))
    assert caught.value.key == "customer-1"


def test_lists_are_found_on_every_page_of_them(stage: Stage) -> None:
    many = {f"00000000-0000-0000-0000-{number:012d}": f"of others {number}" for number in range(1, 1_100)}
    stage.stand_in.state["lists"] = {**many, "00000000-0000-0000-0000-00000000bbbb": "The Final Market"}
    told(stage, ADA)
    assert list(stage.stand_in.state["lists"].values()).count("The Final Market") == 1
    assert stage.stand_in.audience()["The Final Market"] == ["ada@example.org"]


# Mails.


def test_a_mail_goes_out_in_our_words_with_our_key(stage: Stage) -> None:
    content = message(stage.stand_in)
    name = stage.connector.send_message(content)
    (sent,) = stage.stand_in.messages("ada@example.org")
    assert sent["id"] == name
    assert sent["subject"] == content.subject
    assert sent["arguments"] == {"finalmarket_key": content.key}
    assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
    assert sent["categories"] == ["order_confirmed"]


def test_a_template_of_sendgrids_gets_all_values(stage: Stage) -> None:
    content = replace(message(stage.stand_in), template="d-0123", values={"number": "FM-1"})
    stage.connector.send_message(content)
    (sent,) = stage.stand_in.messages()
    assert (sent["template"], sent["content"]) == ("d-0123", [])
    assert sent["values"] == {"subject": content.subject, "text": "Thank you.", "number": "FM-1"}


def test_a_mail_about_an_order_reaches_who_wants_no_newsletters_but_no_one_who_complained(stage: Stage) -> None:
    stage.stand_in.unsubscribe("ada@example.org")
    content = message(stage.stand_in)
    stage.connector.send_message(content)
    stage.stand_in.complain(content.key)
    stage.connector.send_message(message(stage.stand_in))
    assert [sent["is_dropped"] for sent in stage.stand_in.messages()] == [False, True]


def test_replies_go_where_the_merchant_wants_them(stage: Stage) -> None:
    known = stage.connector.account
    settings = {**known.settings, "reply_to": "desk@example.org"}
    stage.with_account(replace(known, settings=settings)).send_message(message(stage.stand_in))
    assert stage.stand_in.messages()[0]["reply_to"] == {"email": "desk@example.org"}


def test_a_mail_without_words_is_rejected_here() -> None:
    with pytest.raises(Rejected, match="words"):
        on_a_double(case(), always(500)).send_message(replace(message(None), text="", html=""))


def test_nobody_can_be_asked_whether_a_mail_was_sent() -> None:
    with pytest.raises(NotSupported):
        on_a_double(case(), always(500)).find_message("mail-1")


# Where it lives, and how long it wants to be left alone.


def test_an_account_kept_in_the_union_is_asked_there() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200, json={"scopes": ["mail.send"]})

    made = Account({"api_key": "SG.a-key-of-the-union"}, {"from_email": SENDER, "region": "eu"})
    assert "1 rights, for" in case().connector(made, transport=httpx2.MockTransport(answer)).check()
    assert asked == ["https://api.eu.sendgrid.com/v3/scopes"]


def test_a_key_that_may_not_send_says_so() -> None:
    connector = on_a_double(case(), always(200, b'{"scopes": ["marketing.read"]}'))
    assert "but not mail.send" in connector.check()


def test_too_many_calls_are_waited_out_until_the_moment_that_sendgrid_names() -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(START.timestamp()) + 42)}
    with clock.steered(START), pytest.raises(RetryLater) as caught:
        on_a_double(case(), always(429, b'{"errors": [{"message": "too many requests"}]}', reset)).check()
    assert caught.value.retry_after == 42


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"errors": [{"message": "no", "field": "from", "help": None}]}, ("from", "no")),
        ({"errors": [{"message": "no", "error_id": "7"}, {"message": "nor this"}]}, ("7", "no; nor this")),
        ({"errors": {"message": "no"}}, ("", "no")), ({"message": "no", "field": "id"}, ("id", "no")),
    ],
)  # fmt: skip
def test_errors_are_read_in_all_their_shapes(data: Any, said: tuple[str, str]) -> None:
    assert on_a_double(case(), always(500)).error_code(Answer(400, {}, b"", data)) == said


# Signatures.


def test_sendgrids_own_example_is_accepted_and_altered_it_is_not() -> None:
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1F"
        "wCM/QmGUhA=="
    )
    body = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    signed = (
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    )  # fmt: skip
    made = replace(account("http://platform.invalid"), secrets={"api_key": "SG.key", "webhook_public_key": key})
    connector = on_a_double(case(), always(500), account=made)
    delivery = Delivery("https://hub.example", {SIGNATURE: signed, TIMESTAMP: "1588788367"}, body, START)
    connector.verify_webhook(delivery)
    later = replace(delivery, headers={SIGNATURE: signed, TIMESTAMP: "1588788368"})
    for altered in (replace(delivery, body=body + b" "), later):
        with pytest.raises(WebhookRefused):
            connector.verify_webhook(altered)


def test_sendgrids_own_library_accepts_what_the_stand_in_signs() -> None:
    key = made_up_key("of the library")
    body = '[{"event": "open", "email": "grün@example.org"}]\r\n'
    signed = signature(_private[key], "1588788367", body.encode())
    judge = EventWebhook(key)
    assert judge.verify_signature(body, signed, "1588788367") is True
    assert judge.verify_signature(body, signed, "1588788368") is False


@pytest.mark.parametrize(
    "key",
    ["nonsense", "QUJD", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="],
)
def test_a_key_that_is_none_of_sendgrids_lets_nothing_in(key: str) -> None:
    made = account("http://platform.invalid")
    good = delivery_of(made, [event("open", 1)], START)
    broken = replace(made, secrets={**made.secrets, "webhook_public_key": key})
    with pytest.raises(WebhookRefused, match="public key"):
        on_a_double(case(), always(500), account=broken).verify_webhook(good)


# Events.


def read(raw: dict[str, Any], *, group: str = "") -> Any:
    """The record of one event."""
    made = account("http://platform.invalid")
    made = replace(made, settings={**made.settings, "unsubscribe_group": group})
    connector = on_a_double(case(), always(500), account=made)
    (seen,) = connector.read_webhook(delivery_of(made, [raw], START))
    return seen.record


def test_a_click_tells_who_where_on_what_device_and_in_which_of_our_mails() -> None:
    seconds = int(START.timestamp())
    agent = "Mozilla/5.0 (Linux; Android 16) Mobile Safari"
    record = read(event("click", seconds, url="https://shop.example.org/tea", useragent=agent))
    assert (record.kind, record.at, record.email) == ("email_click", START, "ada@example.org")
    assert (record.url, record.device) == ("https://shop.example.org/tea", "mobile")
    assert (record.message_key, record.external_id) == ("mail-1", "event-of-click")


@pytest.mark.parametrize(
    ("raw", "group", "kind"),
    [
        (event("bounce", 1, type="bounce"), "", "email_bounce"), (event("bounce", 1, type="blocked"), "", "unknown"),
        (event("dropped", 1, reason="Bounced Address"), "", "email_bounce"),
        (event("dropped", 1, reason="Unsubscribed Address"), "", "unknown"),
        (event("spamreport", 1), "", "email_complaint"), (event("delivered", 1), "", "email_delivered"),
        (event("unsubscribe", 1), "", "unsubscribe"), (event("unsubscribe", 1), "7", "unsubscribe"),
        (event("group_unsubscribe", 1, asm_group_id=7), "", "unsubscribe"),
        (event("group_unsubscribe", 1, asm_group_id=7), "7", "unsubscribe"),
        (event("group_unsubscribe", 1, asm_group_id=8), "7", "unknown"),
        (event("group_resubscribe", 1, asm_group_id=7), "7", "subscribe"),
        (event("group_resubscribe", 1, asm_group_id=8), "7", "unknown"),
        (event("group_resubscribe", 1, asm_group_id=7), "", "unknown"),
    ],
)  # fmt: skip
def test_what_an_event_means(raw: dict[str, Any], group: str, kind: str) -> None:
    assert read(raw, group=group).kind == kind


def test_a_bounce_of_a_sort_that_nobody_knows_keeps_its_word() -> None:
    assert read(event("bounce", 1, type="teleported")).unknown == ("bounce teleported",)


def test_an_event_that_cannot_be_read_leaves_the_others_standing() -> None:
    made = account("http://platform.invalid")
    connector = on_a_double(case(), always(500), account=made)
    raws = [event("open", 1), {"event": "open"}, 17, event("click", 2)]
    events = connector.read_webhook(delivery_of(made, raws, START))
    assert [one.kind for one in events] == ["interactions", "unknown", "unknown", "interactions"]
    assert len({one.event_id for one in events}) == 4


def test_events_arrive_from_the_stand_in_signed_and_are_understood(stage: Stage) -> None:
    with mailbox() as (url, letters):
        kept = stage.connector.subscribe(url)
        known = stage.connector.account
        connector = stage.with_account(replace(known, secrets={**known.secrets, **kept}))
        content = message(stage.stand_in)
        connector.send_message(content)
        stage.stand_in.open_mail(content.key)
        stage.stand_in.click_mail(content.key, "https://shop.example.org/tea")
        stage.stand_in.bounce(content.key, how="blocked")
        stage.stand_in.complain(content.key)
        stage.stand_in.unsubscribe("ada@example.org")
        assert stage.stand_in.sender.wait()
    seen = []
    for letter in letters:
        connector.verify_webhook(letter)
        seen += [one.record for one in connector.read_webhook(letter)]
    assert [record.kind for record in seen] == [
        "email_delivered", "email_open", "email_click", "unknown", "email_complaint", "unsubscribe",
    ]  # fmt: skip
    assert [record.message_key for record in seen[:5]] == [content.key] * 5


def test_a_webhook_at_our_address_is_kept_put_right_and_others_are_left_alone(stage: Stage) -> None:
    url = "https://hub.example/hooks/token-1"
    first = stage.connector.subscribe(url)
    (hook,) = stage.stand_in.state["hooks"].values()
    hook |= {"open": False, "enabled": False}
    stage.stand_in.state["hooks"]["other"] = {**hook, "id": "other", "url": "https://other.example.org", "number": 99}
    assert stage.connector.subscribe(url) == first
    assert [(one["url"], one["open"]) for one in stage.stand_in.state["hooks"].values()] == [
        (url, True), ("https://other.example.org", False)
    ]  # fmt: skip


# The lists of those who get no mail.


def pulled(connector: Any, cursor: str = "", since: datetime | None = None) -> list[Any]:
    return [record for page in connector.pull_interactions(cursor, since) for record in page.records]


def test_what_a_webhook_told_and_a_list_tells_again_has_one_name(stage: Stage) -> None:
    with mailbox() as (url, letters):
        stage.connector.subscribe(url)
        content = message(stage.stand_in)
        stage.connector.send_message(content)
        stage.stand_in.bounce(content.key)
        stage.stand_in.complain(content.key)
        stage.stand_in.unsubscribe("ada@example.org")
        assert stage.stand_in.sender.wait()
    heard = [one.external_id for letter in letters for one in stage.connector.read_webhook(letter)]
    found = pulled(stage.connector)
    assert {record.kind for record in found} == {"email_bounce", "email_complaint", "unsubscribe"}
    assert {record.external_id for record in found} <= set(heard)


def test_names_hold_no_address(stage: Stage) -> None:
    stage.stand_in.unsubscribe("ada@example.org")
    assert not any("ada" in record.external_id for record in pulled(stage.connector))


def test_who_left_the_group_of_the_newsletters_is_found_and_who_left_another_is_not(stage: Stage) -> None:
    stage.stand_in.state["groups"][8] = "Others"
    stage.stand_in.unsubscribe("ada@example.org", group=GROUP)
    stage.stand_in.unsubscribe("bob@example.org", group=8)
    assert pulled(stage.connector) == []
    assert [(one.kind, one.email) for one in pulled(with_group(stage))] == [("unsubscribe", "ada@example.org")]


def test_more_entries_of_one_second_than_fit_on_a_page_are_all_read(stage: Stage) -> None:
    for number in range(1_203):
        stage.stand_in.put_on("unsubscribes", f"reader-{number}@example.org")
    assert len({record.external_id for record in pulled(stage.connector)}) == 1_203


def test_an_entry_that_shows_up_late_is_not_lost(stage: Stage) -> None:
    stage.stand_in.put_on("unsubscribes", "early@example.org")
    stage.time.advance(2 * MINUTE)
    *_, last = stage.connector.pull_interactions("", None)
    stage.stand_in.put_on("unsubscribes", "late@example.org", at=stage.world.clock.now() - MINUTE)
    assert "late@example.org" in [record.email for record in pulled(stage.connector, last.cursor)]


def test_entries_of_another_time_than_was_asked_for_are_not_believed() -> None:
    body = json.dumps([{"created": 1, "email": "ada@example.org"}]).encode()
    with pytest.raises(Unintelligible, match="another time"):
        pulled(on_a_double(case(), always(200, body)), "", START)


def test_lists_are_asked_for_in_few_calls(stage: Stage) -> None:
    seed_interactions(stage.stand_in, 100)
    list(stage.connector.pull_interactions("", None))
    assert len(stage.watched.exchanges) == 3
