"""HubSpot, connector and stand-in, over HTTP; every exchange is judged by HubSpot's own client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.books import OrderContentLine
from finalmarket.connectors.errors import NotSupported, Rejected, RetryLater
from finalmarket.connectors.records import CustomerContent, Delivery
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.hubspot.crm import SUBSCRIPTION
from tests.connectors.cases.hubspot import case, customer, order_content, prepare, seed_customers, ticket
from tests.connectors.conformance.stage import NthCall, Stage, changed, staged

DAY = timedelta(days=1)
OPEN, SHIPPED, CANCELLED = (
    "4b27b500-f031-4927-9811-68a0b525cbae", "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
    "3c85a297-e9ce-400b-b42e-9f16853d69d6",
)  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def with_settings(stage: Stage, **settings: str) -> Any:
    account = stage.connector.account
    return stage.with_account(replace(account, settings={**account.settings, **settings}))


def held(stage: Stage, kind: str, name: str) -> dict[str, str]:
    values: dict[str, str] = stage.stand_in.state["objects"][kind][name]["properties"]
    return values


def linked(stage: Stage, kind: str, name: str, other: str) -> list[str]:
    return sorted(
        far for one, near, two, far in stage.stand_in.state["links"] if (one, near, two) == (kind, name, other)
    )


# Customers out.


def test_a_contact_tells_all_that_is_known_of_a_customer(stage: Stage) -> None:
    name = stage.connector.push_customer(customer(stage.stand_in))
    told = held(stage, "contacts", name)
    assert (told["firstname"], told["lastname"], told["phone"]) == ("Ada", "Lovelace", "+49301234567")
    assert (told["address"], told["zip"], told["city"], told["country"]) == ("Hauptstr. 1", "10115", "Berlin", "DE")
    assert (told["hs_language"], told["finalmarket_segments"]) == ("de", "VIP")
    assert (told["finalmarket_agreed"], told["finalmarket_refused"]) == ("email", "sms")
    assert (told["finalmarket_order_count"], told["finalmarket_spent"]) == ("3", "89.70")
    assert (told["finalmarket_currency"], told["finalmarket_last_order_at"]) == ("EUR", "2026-05-01T09:30:00.000Z")


def test_the_first_customer_brings_our_properties_along_and_the_second_finds_them(stage: Stage) -> None:
    content = CustomerContent(key="c-1", name="Ada Lovelace", email="ada@example.org", segments=("VIP",))
    stage.connector.push_customer(content)
    stage.connector.push_customer(replace(content, key="c-2", email="grace@example.org"))
    assert stage.effects() == {"property group": 1, "properties": 1, "contacts made": 2}


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.ERROR_BEFORE])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_properties_whose_making_is_lost_on_the_way_are_there_once(fault: Fault, nth: int) -> None:
    with staged(case(), faults=NthCall(fault, nth, writes=True)) as stage:
        content = CustomerContent(key="c-1", name="Ada Lovelace", email="ada@example.org", segments=("VIP",))
        with pytest.raises(Exception, match=r"50\d|connection"):
            stage.connector.push_customer(content)
        stage.connector.push_customer(content)
        assert stage.effects() == {"property group": 1, "properties": 1, "contacts made": 1}


def test_what_is_not_known_of_a_customer_stays_as_it_is_there(stage: Stage) -> None:
    name = stage.stand_in.sign_up({"firstname": "Ada", "email": "ada@example.org", "phone": "030 1"})
    content = CustomerContent(key="c-1", external_id=name, email="ada@example.org", accepts_email=False)
    assert stage.connector.push_customer(content) == name
    told = held(stage, "contacts", name)
    assert (told["firstname"], told["phone"], told["finalmarket_refused"]) == ("Ada", "030 1", "email")
    assert "finalmarket_order_count" not in told


def test_a_customer_without_an_address_is_one_contact_under_our_key(stage: Stage) -> None:
    content = CustomerContent(key="c-7", name="Ada Lovelace", phone="030 1")
    first = stage.connector.push_customer(content)
    assert stage.connector.push_customer(content) == first
    with pytest.raises(Rejected, match="key"):
        stage.connector.push_customer(replace(content, key=""))


def test_an_address_that_another_contact_has_is_refused_by_name(stage: Stage) -> None:
    first, second = seed_customers(stage.stand_in, 2)
    taken = held(stage, "contacts", first)["email"]
    with pytest.raises(Rejected, match=f"Existing ID: {first}") as refused:
        stage.connector.push_customer(CustomerContent(key="c-9", external_id=second, email=taken))
    assert refused.value.key == "c-9"


# Consent to e-mail, where a type of it was chosen.


def test_consent_subscribes_and_its_withdrawal_unsubscribes(stage: Stage) -> None:
    connector, content = with_settings(stage, subscription=SUBSCRIPTION), customer(stage.stand_in)
    connector.push_customer(content)
    assert stage.stand_in.state["opted"] == {content.email: "in"}
    connector.push_customer(content)  # HubSpot would refuse what is so already
    connector.push_customer(replace(content, accepts_email=False))
    assert stage.stand_in.state["opted"] == {content.email: "out"}


def test_who_left_at_hubspot_is_not_brought_back_by_us(stage: Stage) -> None:
    connector, content = with_settings(stage, subscription=SUBSCRIPTION), customer(stage.stand_in)
    name = stage.stand_in.sign_up({"email": content.email})
    stage.stand_in.leave(content.email)
    assert connector.push_customer(content) == name
    assert stage.stand_in.state["opted"] == {content.email: "left"}
    assert connector.pull_customer(name).accepts_email is False


def test_a_type_of_e_mail_that_is_not_there_is_said_to_be_wrong(stage: Stage) -> None:
    with pytest.raises(Rejected, match="no subscription type 78"):
        with_settings(stage, subscription="78").push_customer(customer(stage.stand_in))


# Customers in.


def test_more_contacts_of_one_moment_than_a_page_holds_all_come_in(stage: Stage) -> None:
    crm, at = stage.stand_in, stage.stand_in.now() - DAY
    before = crm.sign_up({"email": "first@example.com"}, at=at - DAY)
    same = [crm.sign_up({"email": f"same{number}@example.com"}, at=at) for number in range(250)]
    after = crm.sign_up({"email": "last@example.com"}, at=at + timedelta(hours=1))
    seen: list[str] = []
    for page in stage.connector.pull_customers("", None):
        seen += [record.external_id for record in page.records]
        rest = [one.external_id for more in stage.connector.pull_customers(page.cursor, None) for one in more.records]
        assert {*seen, *rest} == {before, *same, after}, "what is read on from a cursor leaves something out"
    assert list(dict.fromkeys(seen)) == [before, *same, after]


def test_two_contacts_that_became_one_come_in_as_one_that_names_both(stage: Stage) -> None:
    kept, gone = seed_customers(stage.stand_in, 2)
    merged = stage.stand_in.merge(kept, gone)
    (record,) = [record for page in stage.connector.pull_customers("", None) for record in page.records]
    assert (record.external_id, record.merged_ids) == (merged, (kept, gone))
    for name in (kept, gone):
        assert stage.connector.pull_customer(name).external_id == merged


def test_a_contact_that_was_merged_twice_names_all_of_them(stage: Stage) -> None:
    first, second, third = seed_customers(stage.stand_in, 3)
    once = stage.stand_in.merge(first, second)
    twice = stage.stand_in.merge(once, third)
    assert stage.connector.pull_customer(first).external_id == twice
    assert stage.connector.pull_customer(twice).merged_ids == (first, second, once, third)


def test_a_deleted_contact_is_known_as_deleted_and_a_forgotten_one_is_not_known(stage: Stage) -> None:
    deleted, forgotten = seed_customers(stage.stand_in, 2)
    before = stage.connector.pull_customer(deleted)
    stage.time.advance(DAY)
    stage.stand_in.delete(deleted)
    stage.stand_in.forget(forgotten)
    record = stage.connector.pull_customer(deleted)
    assert record.is_deleted
    assert record.version > before.version
    assert stage.connector.pull_customer(forgotten) is None


def test_a_country_that_is_no_code_is_left_to_the_raw_record(stage: Stage) -> None:
    name = stage.stand_in.sign_up({"email": "a@example.com", "city": "Berlin", "country": "Germany"})
    record = stage.connector.pull_customer(name)
    assert (record.address.city, record.address.country) == ("Berlin", "")
    assert record.raw["properties"]["country"] == "Germany"


# Orders out.


def test_an_order_is_linked_to_its_lines_and_its_buyer(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    told = held(stage, "orders", names.external_id)
    assert (told["finalmarket_number"], told["hs_total_price"], told["hs_currency_code"]) == (
        content.number, "37.85", "EUR",
    )  # fmt: skip
    assert (told["hs_pipeline_stage"], told["hs_shipping_address_city"]) == (OPEN, "Berlin")
    assert linked(stage, "orders", names.external_id, "line_items") == sorted(names.lines.values())
    assert linked(stage, "orders", names.external_id, "contacts") == [content.customer_id]


def test_a_line_tells_the_units_that_are_still_wanted_and_what_is_taken_off_each(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    cups = held(stage, "line_items", names.lines[content.lines[1].line_id])
    assert (cups["quantity"], cups["finalmarket_cancelled"]) == ("2", "1")
    assert (cups["price"], cups["discount"], cups["finalmarket_tax"]) == ("5.00", "0.516667", "2.15")


@pytest.mark.parametrize(("state", "as_order", "as_deal"), [
    ("open", OPEN, "closedwon"), ("fulfilled", SHIPPED, "closedwon"), ("cancelled", CANCELLED, "closedlost"),
])  # fmt: skip
def test_the_state_of_an_order_is_the_stage_of_its_record(
    stage: Stage, state: str, as_order: str, as_deal: str
) -> None:  # fmt: skip
    content = replace(order_content(stage.stand_in), state=state)
    order = stage.connector.push_order(content)
    deal = with_settings(stage, record="deals").push_order(replace(content, number="FM-as-a-deal"))
    assert held(stage, "orders", order.external_id)["hs_pipeline_stage"] == as_order
    assert held(stage, "deals", deal.external_id)["dealstage"] == as_deal
    assert linked(stage, "deals", deal.external_id, "line_items") == sorted(deal.lines.values())
    units = "3" if state == "cancelled" else "2"  # a cancelled order keeps its lines: the stage says the rest
    assert held(stage, "line_items", order.lines[content.lines[1].line_id])["quantity"] == units


def test_a_stage_of_the_accounts_own_is_taken(stage: Stage) -> None:
    delivered = "3725360f-519b-4b18-a593-494d60a29c9f"
    content = replace(order_content(stage.stand_in), state="fulfilled")
    names = with_settings(stage, stage_fulfilled=delivered).push_order(content)
    assert held(stage, "orders", names.external_id)["hs_pipeline_stage"] == delivered
    with pytest.raises(Rejected, match="no stage"):
        with_settings(stage, stage_fulfilled="nowhere").push_order(replace(content, number="FM-other"))


def test_a_line_that_is_new_is_linked_and_one_that_is_gone_is_put_away(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    by_hand = stage.stand_in._make("line_items", {"name": "Gift, entered in HubSpot"})["id"]
    stage.stand_in._join("orders", names.external_id, "line_items", by_hand)
    gone, *kept = content.lines
    added = OrderContentLine(line_id="new", title="Mug", sku="MUG", unit_price=Decimal("3.00"))
    again = stage.connector.push_order(replace(content, lines=(*kept, added)))
    assert again.external_id == names.external_id
    assert set(again.lines) == {*(line.line_id for line in kept), "new"}
    items = stage.stand_in.state["objects"]["line_items"]
    assert items[names.lines[gone.line_id]]["archived"]
    assert not items[by_hand]["archived"]
    assert stage.connector.find_order(content.number) == again


def test_an_order_told_again_changes_nothing(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    before = stage.effects()
    assert stage.connector.push_order(content) == names
    assert stage.effects() == before


def test_an_order_of_more_lines_than_a_batch_holds_is_told_whole(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    lines = tuple(replace(content.lines[0], line_id=f"line-{number}") for number in range(230))
    names = stage.connector.push_order(replace(content, lines=lines))
    assert len(set(names.lines.values())) == 230
    assert stage.connector.find_order(content.number) == names


def test_an_order_of_a_buyer_whom_hubspot_does_not_know_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.push_order(replace(order_content(stage.stand_in), customer_id="1"))


def test_an_order_whose_lines_hubspot_did_not_keep_is_told_anew(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(replace(content, number="FM-before"))  # what has to be made once is there
    stage.stand_in.faults.then(Fault.NOT_APPLIED)
    with pytest.raises(RetryLater, match="not kept every line"):
        stage.connector.push_order(content)
    names = stage.connector.push_order(content)
    assert len(names.lines) == len(content.lines)


# Tickets.


def test_a_ticket_is_linked_to_the_contact_who_wrote(stage: Stage) -> None:
    content = ticket(stage.stand_in)
    name = stage.connector.open_ticket(content)
    told = held(stage, "tickets", name)
    assert (told["hs_ticket_priority"], told["finalmarket_context"]) == ("HIGH", "The parcel is in Berlin.")
    assert (told["finalmarket_order"], told["finalmarket_tags"]) == (content.order_number, "parcel; late")
    (contact,) = linked(stage, "tickets", name, "contacts")
    assert held(stage, "contacts", contact)["email"] == content.email


def test_a_ticket_of_somebody_unknown_names_them(stage: Stage) -> None:
    content = replace(ticket(stage.stand_in), name="Grace", email="grace@example.org")
    name = stage.connector.open_ticket(content)
    assert held(stage, "tickets", name)["finalmarket_from"] == "Grace grace@example.org"
    assert linked(stage, "tickets", name, "contacts") == []


def test_a_note_is_left_once_and_shows_what_was_written(stage: Stage) -> None:
    name = stage.connector.open_ticket(ticket(stage.stand_in))
    for _ in range(2):
        stage.connector.note_ticket(name, "Came back: <b>2</b> & more\nnext line", "note-1")
    stage.connector.note_ticket(name, "Another", "note-2")
    bodies = [one["properties"]["hs_note_body"] for one in stage.stand_in.state["objects"]["notes"].values()]
    assert len(bodies) == 2
    assert bodies[0].startswith("Came back: &lt;b&gt;2&lt;/b&gt; &amp; more<br>next line")


# Limits.


def test_the_limit_that_answers_tell_of_is_learned_except_from_searches(stage: Stage) -> None:
    learned: list[dict[str, Any]] = []
    stage.time.learn = lambda bucket, **told: learned.append(told)  # type: ignore[method-assign]
    stage.connector.check()
    list(stage.connector.pull_customers("", None))
    assert [(told["per_second"], told["capacity"]) for told in learned] == [(10.0, 100)]


def test_a_search_never_asks_beyond_what_may_be_found(stage: Stage) -> None:
    """HubSpot finds 10,000 records at most: pages go on from the last record, never from a count."""
    seed_customers(stage.stand_in, 350)
    list(stage.connector.pull_customers("", None))
    asked = [json.loads(one.request_body) for one in stage.watched.exchanges if one.path.endswith("/search")]
    assert len(asked) > 3
    assert not any("after" in body for body in asked)


# Connecting and webhooks that belong to an app.


def test_webhooks_are_subscribed_to_for_each_topic_and_watched_property(stage: Stage) -> None:
    assert stage.connector.subscribe("https://hub.example/hooks/1") == {}
    made = {(one["eventType"], one.get("propertyName")) for one in stage.stand_in.state["subscriptions"].values()}
    assert ("contact.merge", None) in made
    assert ("contact.propertyChange", "email") in made
    assert stage.stand_in.state["target"] == "https://hub.example/hooks/1"


def test_a_subscription_that_sleeps_is_woken(stage: Stage) -> None:
    stage.connector.subscribe("https://hub.example/hooks/1")
    sleeping = next(iter(stage.stand_in.state["subscriptions"].values()))
    sleeping["active"] = False
    stage.connector.subscribe("https://hub.example/hooks/1")
    assert sleeping["active"]


def test_webhooks_of_a_private_app_are_set_up_by_hand(stage: Stage) -> None:
    account = changed(stage.connector.account, developer_api_key="")
    with pytest.raises(NotSupported, match="private app"):
        stage.with_account(account).subscribe("https://hub.example/hooks/1")


def test_what_happens_to_contacts_is_told_by_webhooks_that_can_be_proved_and_read(stage: Stage) -> None:
    url = "https://hub.example/hooks/1"
    stage.connector.subscribe(url)
    letters: list[Any] = []
    stage.stand_in.sender.send = letters.append
    first, second, third = seed_customers(stage.stand_in, 3)
    stage.stand_in.change("contacts", first, {"phone": "030 1", "company": "not watched"})
    merged = stage.stand_in.merge(first, second)
    stage.stand_in.delete(merged)
    stage.stand_in.forget(third)
    events = []
    for letter in letters:
        delivery = Delivery(letter.url, letter.headers, letter.body, stage.stand_in.now())
        stage.connector.verify_webhook(delivery)
        events += stage.connector.read_webhook(delivery)
    told = [(event.topic, event.kind, event.external_id) for event in events]
    assert ("contact.propertyChange", "customers", first) in told
    assert ("contact.merge", "customers", merged) in told
    assert ("contact.deletion", "customers", merged) in told
    assert told[-1] == ("contact.privacyDeletion", "erase", third)
    assert len({event.event_id for event in events}) == len(events)


def test_our_properties_are_asked_for_once(stage: Stage) -> None:
    prepare(stage.stand_in, "contacts")
    for number in range(3):
        stage.connector.push_customer(CustomerContent(key=f"c-{number}", email=f"a{number}@example.org", name="Ada"))
    assert sum("/properties/" in one.path for one in stage.watched.exchanges) == 1
