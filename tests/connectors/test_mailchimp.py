"""Mailchimp beyond the suite: consents and tags, members by the second, what they do, the shop's orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.platforms.mailchimp.words import member_id
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.platforms.mailchimp import LIST
from tests.connectors.cases.mailchimp import (
    case,
    order_content,
    seed_customers,
)
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged

ADA = CustomerContent(
    key="customer-1", name="Ada King Lovelace", email="Ada@Example.org", phone="+49 30 1", language="de-DE",
    address=Address(street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"), accepts_email=True,
    segments=("vip", "tea"), order_count=3, spent=Decimal("74.70"), currency="EUR",
    last_order_at=datetime(2026, 5, 30, 12, tzinfo=UTC),
)  # fmt: skip
NAME = member_id("ada@example.org")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def told(stage: Stage, **changes: Any) -> Any:
    """Tell Ada, and return her as Mailchimp keeps her."""
    name = stage.connector.push_customer(replace(ADA, **changes))
    stage.time.advance(MINUTE)
    return stage.stand_in.state["members"][name]


# The audience.


def test_a_member_is_named_by_the_digest_of_the_address_in_small_letters(stage: Stage) -> None:
    assert stage.connector.push_customer(ADA) == NAME == "5bfcf2d8e394674550332640d72db509"


def test_a_member_carries_what_we_know_of_the_person(stage: Stage) -> None:
    member = told(stage)
    assert member["merge_fields"] == {
        "FNAME": "Ada King", "LNAME": "Lovelace", "PHONE": "+49 30 1", "FMCURRENCY": "EUR", "FMORDERS": 3,
        "FMSPENT": 74.7, "FMLAST": "2026-05-30", "ADDRESS": {
            "addr1": "Hauptstr. 1", "addr2": "", "city": "Berlin", "state": "", "zip": "10115", "country": "DE"
        },
    }  # fmt: skip
    assert member["language"] == "de"
    put = next(one for one in stage.watched.exchanges if one.method == "PUT")
    assert b'"FMSPENT":74.70' in put.request_body


def test_an_audience_without_room_for_our_fields_keeps_the_rest(stage: Stage) -> None:
    full = {f"F{number}": {"tag": f"F{number}", "name": "x", "type": "text"} for number in range(29)}
    stage.stand_in.state["fields"] = {"FNAME": {"tag": "FNAME", "name": "x", "type": "text"}, **full}
    assert told(stage)["merge_fields"] == {"FNAME": "Ada King"}


def test_half_an_address_is_left_out(stage: Stage) -> None:
    assert "ADDRESS" not in told(stage, address=Address(city="Berlin", country="DE"))["merge_fields"]


@pytest.mark.parametrize(
    ("accepts", "is_double", "status"),
    [
        (True, False, "subscribed"), (True, True, "pending"), (None, False, "transactional"),
        (None, True, "transactional"), (False, False, "transactional"),
    ],
)  # fmt: skip
def test_the_status_of_somebody_new_follows_what_they_said(
    stage: Stage, accepts: bool | None, is_double: bool, status: str
) -> None:
    stage.stand_in.state["double_optin"] = is_double
    assert told(stage, accepts_email=accepts)["status"] == status


def test_who_said_nothing_first_and_agrees_then_is_subscribed(stage: Stage) -> None:
    told(stage, accepts_email=None)
    assert told(stage)["status"] == "subscribed"


def test_who_withdraws_is_unsubscribed_and_who_agrees_again_is_subscribed_again(stage: Stage) -> None:
    told(stage)
    member = told(stage, accepts_email=False, segments=())
    assert (member["status"], member["tags"]) == ("unsubscribed", ["The Final Market: withdrawn"])
    member = told(stage)
    assert member["status"] == "subscribed"
    assert sorted(member["tags"]) == ["The Final Market: tea", "The Final Market: vip"]


def test_nobody_is_unsubscribed_before_it_shows_that_it_was_us() -> None:
    with staged(case(), faults=Faults()) as stage:
        told(stage)
        stage.stand_in.faults.then(Fault.NOT_APPLIED)
        with pytest.raises(RetryLater, match="does not show a tag"):
            told(stage, accepts_email=False)
        for accepts, status in ((False, "unsubscribed"), (True, "subscribed")):
            assert told(stage, accepts_email=accepts)["status"] == status


def test_what_somebody_told_mailchimp_itself_our_older_word_does_not_overrule(stage: Stage) -> None:
    told(stage)
    stage.stand_in.leave("ada@example.org")
    assert told(stage, order_count=4)["status"] == "unsubscribed"


@pytest.mark.parametrize("status", ["cleaned", "archived", "pending"])
def test_some_statuses_are_left_as_they_are(stage: Stage, status: str) -> None:
    told(stage)["status"] = status
    assert told(stage, order_count=4)["status"] == status


def test_a_segment_that_somebody_left_is_taken_away_and_other_tags_stay(stage: Stage) -> None:
    told(stage)["tags"].append("A tag of the merchant's")
    assert sorted(told(stage, segments=("tea",))["tags"]) == ["A tag of the merchant's", "The Final Market: tea"]


def test_of_a_member_with_many_tags_all_are_looked_at(stage: Stage) -> None:
    member = told(stage)
    member["tags"][:0] = [f"Tag {number}" for number in range(60)]
    assert "The Final Market: vip" not in told(stage, segments=("tea",))["tags"]


def test_somebody_without_an_address_is_rejected_here() -> None:
    with pytest.raises(Rejected) as caught:
        on_a_double(case(), always(500)).push_customer(replace(ADA, email=""))
    assert caught.value.key == "customer-1"


def test_an_address_that_mailchimp_does_not_take_is_rejected_with_its_reason(stage: Stage) -> None:
    with pytest.raises(Rejected, match="email_address This value") as caught:
        stage.connector.push_customer(replace(ADA, email="ada@nowhere"))
    assert (caught.value.key, caught.value.code) == ("customer-1", "Invalid Resource")


# Members come in.


def pulled(connector: Any, cursor: str = "", since: datetime | None = None) -> list[Any]:
    return [record for page in connector.pull_customers(cursor, since) for record in page.records]


@pytest.mark.parametrize(
    ("status", "accepts", "is_deleted"),
    [
        ("subscribed", True, False), ("unsubscribed", False, False), ("cleaned", False, False),
        ("pending", None, False), ("transactional", None, False), ("archived", None, True),
    ],
)  # fmt: skip
def test_what_a_status_says_of_mail(stage: Stage, status: str, accepts: bool | None, is_deleted: bool) -> None:
    stage.stand_in.sign_up("ada@example.org", FNAME="Ada", LNAME="Lovelace", PHONE="+49 30 1", ADDRESS={
        "addr1": "Hauptstr. 1", "city": "Berlin", "zip": "10115", "country": "DE",
    })  # fmt: skip
    stage.stand_in.change_by_hand("ada@example.org", status=status)
    (record,) = pulled(stage.connector)
    assert (record.external_id, record.name, record.email) == (NAME, "Ada Lovelace", "ada@example.org")
    assert (record.accepts_email, record.is_deleted) == (accepts, is_deleted)
    assert (record.address.street, record.address.postcode, record.address.country) == ("Hauptstr. 1", "10115", "DE")


def test_more_members_of_one_second_than_fit_on_a_page_are_all_read(stage: Stage) -> None:
    for number in range(1_203):
        stage.stand_in.sign_up(f"reader-{number}@example.org", at=START - MINUTE)
    assert len({record.external_id for record in pulled(stage.connector)}) == 1_203


def test_a_page_never_ends_within_a_second(stage: Stage) -> None:
    seed_customers(stage.stand_in, 495)
    for number in range(10):
        stage.stand_in.sign_up(f"late-{number}@example.org", at=START)
    first, *_ = list(stage.connector.pull_customers("", None))
    assert len(first.records) == 495
    assert not any(record.email.startswith("late-") for record in first.records)
    assert len({record.external_id for record in pulled(stage.connector)}) == 505


def test_members_of_another_time_than_was_asked_for_are_not_believed() -> None:
    member = {"id": "1", "last_changed": "2020-01-01T00:00:00+00:00"}
    body = json.dumps({"members": [member], "total_items": 1}).encode()
    with pytest.raises(Unintelligible, match="another time"):
        pulled(on_a_double(case(), always(200, body)), "", START)


# What they do.


def done(connector: Any, cursor: str = "") -> list[Any]:
    return [record for page in connector.pull_interactions(cursor, None) for record in page.records]


def test_what_a_member_did_comes_in_with_campaign_and_link(stage: Stage) -> None:
    stage.stand_in.sign_up("ada@example.org")
    stage.stand_in.act("ada@example.org", "open", at=START - 2 * MINUTE)
    stage.stand_in.act("ada@example.org", "click", at=START - MINUTE, link_clicked="https://shop.example.org/tea")
    stage.stand_in.act("ada@example.org", "sent", at=START - 3 * MINUTE)
    opened, clicked = done(stage.connector)
    assert (opened.kind, opened.at, opened.email) == ("email_open", START - 2 * MINUTE, "ada@example.org")
    assert (clicked.kind, clicked.url, clicked.subject) == (
        "email_click", "https://shop.example.org/tea", "The news of June",
    )  # fmt: skip
    assert opened.customer_id == NAME


def test_only_a_bounce_for_good_says_that_the_address_is_none(stage: Stage) -> None:
    stage.stand_in.sign_up("ada@example.org")
    stage.stand_in.act("ada@example.org", "open", at=START - 3 * MINUTE)
    for kind in ("soft", "hard"):
        stage.stand_in.act("ada@example.org", "bounce", at=START - MINUTE, bounce_type=kind)
        stage.stand_in.state["activity"][NAME][-1]["created_at_timestamp"] = (
            START - MINUTE if kind == "hard" else START - 2 * MINUTE
        ).isoformat()
    assert [(one.kind, one.unknown) for one in done(stage.connector)] == [
        ("email_open", ()), ("unknown", ()), ("email_bounce", ()),
    ]  # fmt: skip


def test_who_never_opened_anything_is_not_asked_for(stage: Stage) -> None:
    seed_customers(stage.stand_in, 5)
    assert done(stage.connector) == []
    assert [one.path for one in stage.watched.exchanges] == [f"/3.0/lists/{LIST}/members"]


def test_who_left_lately_is_asked_for_and_who_left_long_ago_is_not(stage: Stage) -> None:
    for email in ("ada@example.org", "bob@example.org"):
        stage.stand_in.sign_up(email)
    stage.stand_in.leave("ada@example.org")
    *_, last = stage.connector.pull_interactions("", None)
    stage.time.advance(timedelta(days=5))
    *_, last = stage.connector.pull_interactions(last.cursor, None)
    stage.stand_in.leave("bob@example.org")
    asked = len(stage.watched.exchanges)
    assert [(one.kind, one.email) for one in done(stage.connector, last.cursor)] == [
        ("unsubscribe", "bob@example.org")
    ]  # fmt: skip
    assert sum("activity-feed" in one.path for one in stage.watched.exchanges[asked:]) == 1


def test_a_member_who_goes_between_two_pages_makes_no_other_be_passed_over(stage: Stage) -> None:
    emails = [f"reader-{number:02d}@example.org" for number in range(30)]
    for number, email in enumerate(emails):
        stage.stand_in.sign_up(email, at=START - timedelta(hours=30 - number))
        stage.stand_in.act(email, "open", at=START - MINUTE)
    seen: set[str] = set()
    for page in stage.connector.pull_interactions("", None):
        seen |= {record.email for record in page.records}
        stage.stand_in.state["members"].pop(member_id(emails[0]), None)
    assert seen == set(emails)


# Orders.


def kept(stage: Stage, content: Any) -> Any:
    stage.connector.push_order(content)
    return stage.stand_in.orders()[content.number]


def test_an_order_stands_in_the_store_of_its_currency_with_what_it_needs(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    assert (names.external_id, dict(names.lines)) == (content.number, {"1": "1", "2": "2"})
    (store,) = stage.stand_in.state["stores"].values()
    assert (store["id"], store["currency_code"], store["list_id"]) == ("finalmarket-eur", "EUR", LIST)
    assert [product["title"] for product in store["products"].values()] == ["Tea", "Cup"]
    assert store["customers"][NAME]["email_address"] == "ada@example.org"
    order = store["orders"][content.number]
    assert (order["order_total"], order["tax_total"], order["shipping_total"]) == (30.9, 4.93, 3.9)
    assert [(line["quantity"], line["price"], line["discount"]) for line in order["lines"]] == [(2, 10.5, 0), (1, 7, 1)]
    assert (order["financial_status"], "fulfillment_status" in order) == ("pending", False)


def test_a_product_that_mailchimp_only_said_to_have_made_is_made_for_the_order(stage: Stage) -> None:
    kept(stage, order_content(stage.stand_in))  # the store is there
    (store,) = stage.stand_in.state["stores"].values()
    store["products"].clear()
    content = order_content(stage.stand_in)
    stage.stand_in.faults.then(Fault.NOT_APPLIED)
    stage.connector.push_order(content)
    assert stage.stand_in.faults.counts[Fault.NOT_APPLIED] == 1
    assert sorted(product["title"] for product in store["products"].values()) == ["Cup", "Tea"]
    assert content.number in store["orders"]


def test_an_order_never_subscribes_anybody(stage: Stage) -> None:
    kept(stage, order_content(stage.stand_in))
    assert stage.stand_in.state["members"][NAME]["status"] == "transactional"


def test_each_currency_has_a_store_and_an_order_is_found_in_any(stage: Stage) -> None:
    euros, dollars = order_content(stage.stand_in), replace(order_content(stage.stand_in), currency="USD")
    for content in (euros, dollars):
        stage.connector.push_order(content)
    assert sorted(stage.stand_in.state["stores"]) == ["finalmarket-eur", "finalmarket-usd"]
    assert stage.connector.find_order(dollars.number).external_id == dollars.number


def test_stores_of_others_are_not_looked_into(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    kept(stage, content)
    stores = stage.stand_in.state["stores"]
    stores["the-other-shop"] = {**stores.pop("finalmarket-eur"), "id": "the-other-shop"}
    assert stage.connector.find_order(content.number) is None


def test_what_became_of_an_order_is_told(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    kept(stage, content)
    order = kept(
        stage, replace(content, payment_state="paid", state="fulfilled", tracking_number="T1", carrier="DHL")
    )  # fmt: skip
    assert (order["financial_status"], order["fulfillment_status"]) == ("paid", "shipped")
    assert (order["tracking_number"], order["tracking_carrier"]) == ("T1", "DHL")
    order = kept(stage, replace(content, payment_state="partly_refunded", refunded=Decimal("10.90")))
    assert (order["financial_status"], order["order_total"]) == ("partially_refunded", 20)
    order = kept(stage, replace(content, state="cancelled"))
    assert (order["financial_status"], order["cancelled_at_foreign"]) == ("cancelled", START.isoformat())
    assert len(order["lines"]) == 2


def test_lines_follow_what_is_still_wanted(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    kept(stage, content)
    tea, cup, postage = content.lines
    part = replace(content, lines=(replace(tea, cancelled_quantity=1), replace(cup, cancelled_quantity=1), postage))
    assert [(line["id"], line["quantity"]) for line in kept(stage, part)["lines"]] == [("1", 1)]
    more = replace(content, lines=(*content.lines, replace(tea, line_id="4", sku="POT", title="Pot", quantity=1)))
    assert [(line["id"], line["quantity"]) for line in kept(stage, more)["lines"]] == [("1", 2), ("2", 1), ("4", 1)]


def test_a_product_that_is_there_is_left_as_it_is(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    kept(stage, content)
    (store,) = stage.stand_in.state["stores"].values()
    store["products"]["TEA"]["title"] = "Finest tea"
    kept(stage, order_content(stage.stand_in))
    assert store["products"]["TEA"]["title"] == "Finest tea"


@pytest.mark.parametrize("changes", [{"email": ""}, {"lines": ()}])
def test_an_order_that_mailchimp_has_no_place_for_is_rejected_here(changes: dict[str, Any]) -> None:
    with staged(case()) as stage:
        content = replace(order_content(stage.stand_in), **changes)
    with pytest.raises(Rejected) as caught:
        on_a_double(case(), always(500)).push_order(content)
    assert caught.value.key == content.key
