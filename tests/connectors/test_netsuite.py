"""NetSuite, connector and stand-in, over HTTP; every exchange is judged by the published description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.connectors.books import OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.netsuite import NetSuite
from finalmarket.connectors.platforms.netsuite.words import named
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.faults import Fault, Faults
from tests.connectors.cases.netsuite import case, fulfilment, movements, order_content, seed_listings, told_order
from tests.connectors.conformance.stage import Stage, changed, staged

RECORD = "/services/rest/record/v1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def sent(stage: Stage, method: str, path: str) -> dict[str, Any]:
    """The body of the last such request; amounts as they were written."""
    bodies = [one.request_body for one in stage.watched.exchanges if one.method == method and path in one.path]
    body: dict[str, Any] = json.loads(bodies[-1], parse_float=Decimal)
    return body


def on_hand(stage: Stage, item: str) -> dict[str, int]:
    """The units of an item by location."""
    return dict(stage.stand_in.state["items"][item]["stock"])


# How we are let in.


def test_a_token_is_asked_for_once_and_renewed_when_it_ends(stage: Stage) -> None:
    stage.connector.check()
    stage.connector.check()
    assert len(stage.stand_in.state["tokens"]) == 1
    stage.time.advance(timedelta(hours=1))
    stage.connector.check()
    assert len(stage.stand_in.state["tokens"]) == 2


def test_a_kept_token_serves_the_next_process(stage: Stage) -> None:
    kept: dict[str, str] = {}
    account = replace(stage.connector.account, keep=kept.update)
    stage.with_account(account).check()
    stage.with_account(replace(account, secrets={**account.secrets, **kept})).check()
    assert len(stage.stand_in.state["tokens"]) == 1


def test_a_key_that_is_not_the_accounts_needs_attention(stage: Stage) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for wrong in ({"private_key": pem}, {"certificate_id": "another-one"}, {"client_id": "another-client"}):
        with pytest.raises(NeedsAttention):
            stage.with_account(changed(stage.connector.account, **wrong)).check()


@pytest.mark.parametrize(("given_id", "host"), [("1234567", "1234567"), (" 1234567_SB1 ", "1234567-sb1")])
def test_the_account_id_names_the_host(given_id: str, host: str) -> None:
    connector = NetSuite(Account({}, {"account": given_id}))
    assert connector.address(connector.base_url) == f"https://{host}.suitetalk.api.netsuite.com"


@pytest.mark.parametrize("wrong", ["", "evil.example.com/", "1234567.app.netsuite.com", "a b", "-1"])
def test_an_account_id_that_is_none_sends_nothing_anywhere(wrong: str) -> None:
    connector = NetSuite(Account({}, {"account": wrong}))
    with pytest.raises(NeedsAttention, match="account ID"):
        connector.check()


# What comes in.


def test_items_come_with_sku_barcode_and_the_price_of_the_chosen_level(stage: Stage) -> None:
    item = stage.stand_in.add_listing("TEA", "Green tea", Decimal("12.50"), 3, barcode="4006381333931")
    stage.stand_in.state["items"][item]["isInactive"] = True
    (page,) = stage.connector.pull_listings("")
    (record,) = page.records
    assert (record.ref.key, record.ref.sku, record.barcode) == (item, "TEA", "4006381333931")
    assert (record.title, record.price, record.currency) == ("Green tea", Decimal("12.50"), "EUR")
    assert not record.is_available


def test_no_prices_are_asked_for_where_no_level_is_chosen(stage: Stage) -> None:
    stage.stand_in.add_listing("TEA", "Green tea", Decimal("12.50"), 3)
    account = stage.connector.account
    connector = stage.with_account(replace(account, settings={**account.settings, "price_level": ""}))
    (page,) = connector.pull_listings("")
    assert [record.price for record in page.records] == [None]


def test_a_price_that_cannot_be_read_sets_its_item_aside_and_no_other(stage: Stage) -> None:
    bad, good = seed_listings(stage.stand_in, 2)
    stage.stand_in.state["items"][bad.key]["price"] = "ten"
    (page,) = stage.connector.pull_listings("")
    assert [record.ref.key for record in page.records] == [good.key]
    assert [one.external_id for one in page.unreadable] == [bad.key]


def test_what_only_groups_variants_is_no_item_to_sell(stage: Stage) -> None:
    parent, child = seed_listings(stage.stand_in, 2)
    stage.stand_in.state["items"][parent.key]["matrix"] = "PARENT"
    stage.stand_in.state["items"][child.key]["matrix"] = "CHILD"
    assert [record.ref.key for page in stage.connector.pull_listings("") for record in page.records] == [child.key]


def test_stock_is_told_by_location_with_the_moment_of_counting(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.state["items"][ref.key]["stock"]["2"] = 7
    before = stage.world.clock.now()
    found = stage.connector.pull_stock([ref])
    assert {(record.location, record.quantity) for record in found} == {("1", 5), ("2", 7)}
    assert all(before <= record.counted_at <= stage.world.clock.now() for record in found)


def test_available_stock_is_without_what_is_committed(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.state["items"][ref.key]["committed"]["1"] = 2
    account = stage.connector.account
    connector = stage.with_account(replace(account, settings={**account.settings, "stock_number": "available"}))
    (record,) = connector.pull_stock([ref], "1")
    assert record.quantity == 3


def test_a_clock_that_is_ahead_there_makes_no_number_newer_than_our_question() -> None:
    with staged(case(), faults=Faults()) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        stage.connector.check()
        stage.stand_in.faults.then(Fault.CLOCK_SKEW)
        (record,) = stage.connector.pull_stock([ref], "1")
        assert record.counted_at <= stage.world.clock.now()


def test_an_old_number_says_that_it_is_old() -> None:
    with staged(case(), faults=Faults()) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        stage.connector.check()
        stage.stand_in.remember()
        old = stage.world.clock.now()
        stage.time.advance(timedelta(minutes=30))
        stage.stand_in._move(ref.key, "1", -2)
        stage.stand_in.faults.then(Fault.STALE_READ)
        (record,) = stage.connector.pull_stock([ref], "1")
        assert record.quantity == 5
        assert record.counted_at <= old


def test_a_company_and_a_person_are_told_apart(stage: Stage) -> None:
    stage.stand_in.sign_up({"isPerson": False, "companyName": "Tea & Sons", "email": "tea@example.com"})
    stage.stand_in.sign_up(
        {"firstName": "Ada", "lastName": "Lovelace", "address": {"addr1": "Hauptstr. 1", "city": "Berlin",
         "zip": "10115", "country": "DE"}}
    )  # fmt: skip
    company, person = (record for page in stage.connector.pull_customers("", None) for record in page.records)
    assert (company.name, company.email) == ("Tea & Sons", "tea@example.com")
    assert (person.name, person.address.city, person.address.country) == ("Ada Lovelace", "Berlin", "DE")


def test_an_id_that_is_no_number_never_gets_into_a_query(stage: Stage) -> None:
    with pytest.raises(Rejected, match="no internal id"):
        stage.connector.pull_customer("1 OR 1=1")
    assert stage.watched.exchanges == []


# Customers go out.


def test_a_new_customer_is_made_whole_and_a_known_one_keeps_its_addresses(stage: Stage) -> None:
    address = Address(name="Ada Lovelace", street="Hauptstr. 1", city="Berlin", postcode="10115", country="DE")
    content = CustomerContent(key="c-1", name="Ada Lovelace", email="ada@example.com", address=address)
    made = stage.connector.push_customer(content)
    assert stage.stand_in.state["customers"][made]["address"]["city"] == "Berlin"
    changed_one = replace(content, key="c-2", external_id=made, name="Ada King", email="king@example.com")
    assert stage.connector.push_customer(changed_one) == made
    held = stage.stand_in.state["customers"][made]
    assert (held["firstName"], held["lastName"], held["email"]) == ("Ada", "King", "king@example.com")
    assert "addressbook" not in sent(stage, "PATCH", "/customer/")


def test_a_customer_of_one_word_is_a_company(stage: Stage) -> None:
    made = stage.connector.push_customer(CustomerContent(key="c-1", name="Teahouse", email="t@example.com"))
    assert stage.stand_in.state["customers"][made]["companyName"] == "Teahouse"


def test_a_customer_who_is_gone_there_is_rejected(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.push_customer(CustomerContent(key="c-1", external_id="4711", name="Ada Lovelace"))


# Orders go out.


def test_an_order_is_booked_without_tax_and_without_what_was_cancelled(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    body = sent(stage, "PUT", "/salesOrder/")
    tea, cup = body["item"]["items"]
    assert (tea["quantity"], tea["amount"]) == (2, Decimal("16.72"))
    assert (cup["quantity"], cup["amount"]) == (2, Decimal("7.53"))  # two of three: 2/3 of 13.45 - 2.15
    assert (body["shippingCost"], body["shipMethod"]) == (Decimal("3.86"), {"id": "90"})
    assert (body["currency"], body["entity"]) == ({"id": "1"}, {"id": content.customer_id})
    assert names.lines == {content.lines[0].line_id: "1", content.lines[1].line_id: "2"}


def test_days_are_those_of_the_channel(stage: Stage) -> None:
    there: dict[str, Any] = {"time_zone": "America/Los_Angeles"}
    evening = datetime(2027, 1, 1, 1, tzinfo=UTC)  # 17:00 of 31 December in Los Angeles
    stage.connector.push_order(replace(order_content(stage.stand_in), placed_at=evening, **there))
    assert sent(stage, "PUT", "/salesOrder/")["tranDate"] == "2026-12-31"
    (moved,) = movements(stage.stand_in, 1)
    stage.connector.push_movements([replace(moved, at=evening, **there)])
    assert sent(stage, "PUT", "/inventoryAdjustment/")["tranDate"] == "2026-12-31"


def test_prices_without_tax_stay_as_they_are(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(replace(content, total=content.total + content.tax))
    assert [row["amount"] for row in sent(stage, "PUT", "/salesOrder/")["item"]["items"]] == [
        Decimal("19.90"), Decimal("8.97"),
    ]  # fmt: skip


def test_an_order_told_again_is_not_written_again(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    first = stage.connector.push_order(content)
    before, writes = stage.effects(), [one.method for one in stage.watched.exchanges].count("PUT")
    assert stage.connector.push_order(replace(content, key="another-try")) == first
    assert stage.connector.find_order(content.number) == first
    assert stage.effects() == before
    assert [one.method for one in stage.watched.exchanges].count("PUT") == writes


def test_an_order_that_is_not_there_is_not_found(stage: Stage) -> None:
    assert stage.connector.find_order("FM-unknown") is None


def test_units_that_are_cancelled_later_are_taken_off_and_a_cancelled_order_is_closed(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    tea, cup, shipping = content.lines
    fewer = replace(content, lines=(tea, replace(cup, cancelled_quantity=2), shipping))
    assert stage.connector.push_order(fewer) == names
    held = stage.stand_in.state["orders"][names.external_id]
    assert [(row["quantity"], row["isClosed"]) for row in held["lines"]] == [(2, False), (1, False)]
    stage.connector.push_order(replace(fewer, state="cancelled"))
    assert [row["isClosed"] for row in held["lines"]] == [True, True]


def test_a_line_that_is_added_later_is_added_once(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(content)
    extra = OrderContentLine(line_id="extra", sku=content.lines[0].sku, quantity=1, unit_price=Decimal("9.95"))
    longer = replace(content, lines=(*content.lines, extra), total=content.total + extra.unit_price)
    names = stage.connector.push_order(longer)
    assert names.lines["extra"] == "3"
    assert stage.connector.push_order(longer) == names


def test_an_added_line_whose_answer_is_lost_is_asked_for_and_not_added_twice() -> None:
    with staged(case(), faults=Faults()) as stage:
        content = order_content(stage.stand_in)
        stage.connector.push_order(content)
        extra = OrderContentLine(line_id="extra", sku=content.lines[0].sku, quantity=1, unit_price=Decimal("9.95"))
        longer = replace(content, lines=(*content.lines, extra), total=content.total + extra.unit_price)
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_order(longer)
        names = stage.connector.find_order(content.number)
        assert names is not None
        assert names.lines["extra"] == "3"
        assert stage.connector.push_order(longer) == names


def test_an_order_whose_answer_is_lost_stands_once() -> None:
    with staged(case(), faults=Faults()) as stage:
        content = order_content(stage.stand_in)
        for fault in (Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT):
            stage.stand_in.faults.then(fault)
        for _ in range(3):
            try:
                stage.connector.push_order(content)
            except RetryLater:
                continue
        assert len(stage.stand_in.state["orders"]) == 1
        assert stage.effects()["order"] == 1


@pytest.mark.parametrize("status", ["G", "H"])
def test_a_settled_order_is_left_alone_and_a_change_of_it_rejected(stage: Stage, status: str) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    stage.stand_in.state["orders"][names.external_id]["status"] = {"id": status}
    assert stage.connector.push_order(content) == names
    with pytest.raises(Rejected, match="cannot be changed"):
        stage.connector.push_order(replace(content, state="cancelled"))


def test_an_address_that_changed_is_written_and_the_same_one_is_not(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    moved = replace(content, shipping_address=replace(content.shipping_address, street="Nebenstr. 2"))
    stage.connector.push_order(moved)
    held = stage.stand_in.state["orders"][names.external_id]
    assert held["shippingAddress"]["addr1"] == "Nebenstr. 2"
    assert "item" not in sent(stage, "PATCH", "/salesOrder/")


def test_an_order_that_cannot_be_booked_says_what_is_missing(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    strange = replace(content.lines[0], sku="NO-SUCH", item_id="")
    without = replace(stage.connector.account, settings={"account": "1234567_SB1"})
    for wrong, words, connector in (
        (replace(content, lines=(strange,)), "NO-SUCH", stage.connector),
        (replace(content, currency="CHF"), "CHF", stage.connector),
        (replace(content, customer_id=""), "customer", stage.with_account(without)),
        (content, "shipping", stage.with_account(without)),
    ):
        with pytest.raises(Rejected, match=words):
            connector.push_order(wrong)
    assert stage.stand_in.state["orders"] == {}


# Parcels go out.


def test_only_what_is_in_the_parcel_is_shipped(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    stage.connector.push_fulfilment(notice)
    order = stage.stand_in.state["orders"][notice.order_id]
    assert [row["quantityFulfilled"] for row in order["lines"]] == [1, 0]
    assert order["status"]["id"] == "D"
    assert on_hand(stage, order["lines"][0]["item"]["id"]) == {"1": 4, "2": 0}
    body = sent(stage, "POST", "/!transform/itemFulfillment")
    assert body["package"]["items"][0]["packageTrackingNumber"] == notice.tracking_number


def test_a_parcel_that_netsuite_only_said_to_have_made_leaves_doubt_and_is_made() -> None:
    with staged(case(), faults=Faults()) as stage:
        notice = fulfilment(stage.stand_in)
        stage.stand_in.faults.then(Fault.NOT_APPLIED)
        with pytest.raises(Unintelligible, match="is not there"):
            stage.connector.push_fulfilment(notice)
        assert stage.connector.push_fulfilment(notice) != ""
        assert stage.effects()["fulfilment"] == 1


def test_a_parcel_told_twice_is_one_and_has_one_name(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    assert stage.connector.push_fulfilment(notice) == stage.connector.push_fulfilment(notice) != ""
    assert stage.effects()["fulfilment"] == 1


def test_a_parcel_with_too_much_or_of_another_order_is_rejected(stage: Stage) -> None:
    order, (first, _) = told_order(stage.stand_in)
    notice = replace(fulfilment(stage.stand_in), order_id=order)
    for lines in (((first, 3),), (("99", 1),)):
        with pytest.raises(Rejected):
            stage.connector.push_fulfilment(replace(notice, lines=lines))
    assert stage.effects()["fulfilment"] == 0


# Movements go out.


def test_movements_move_just_so_many_units(stage: Stage) -> None:
    told = movements(stage.stand_in, 6)
    assert list(stage.connector.push_movements(told)) == []
    found = {notice.kind: on_hand(stage, ref) for notice, ref in zip(told, stage.stand_in.state["items"], strict=True)}
    assert {kind: (units["1"], units["2"]) for kind, units in found.items()} == {
        "receive": (9, 0), "loss": (4, 0), "transfer": (3, 2), "adjust": (3, 0), "sale": (4, 0), "return": (6, 0),
    }  # fmt: skip


def test_a_movement_told_twice_counts_once(stage: Stage) -> None:
    (told,) = movements(stage.stand_in, 1)
    for _ in range(2):
        assert list(stage.connector.push_movements([told])) == []
    assert stage.effects()["adjustment"] == 1
    assert stage.stand_in.shown_stock() == {told.sku: 9}


def test_movements_whose_answers_are_lost_count_once() -> None:
    with staged(case(), faults=Faults()) as stage:
        told = movements(stage.stand_in, 3)
        stage.stand_in.faults.then(Fault.ERROR_AFTER, Fault.RESET_AFTER)
        for _ in range(3):
            try:
                assert list(stage.connector.push_movements(told)) == []
            except RetryLater:
                continue
        assert stage.effects()["adjustment"] == 3


def test_a_movement_that_is_refused_comes_back_by_its_key_and_the_others_stand(stage: Stage) -> None:
    first, last = movements(stage.stand_in, 2)
    nowhere = replace(first, key="nowhere", location="77")
    nothing = replace(first, key="nothing", sku="NO-SUCH", item_id="")
    refused = stage.connector.push_movements([first, nowhere, nothing, last])
    assert [(error.key, bool(error.reason)) for error in refused] == [("nowhere", True), ("nothing", True)]
    assert stage.effects()["adjustment"] == 2
    assert list(stage.connector.push_movements([])) == []


# Its words.


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_names_never_become_one_external_id(one: str, other: str) -> None:
    assert (named(one) == named(other)) == (one == other)
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in named(one))


def test_errors_are_read_in_the_present_and_in_the_older_form(stage: Stage) -> None:
    older = {"title": "Bad", "status": 400, "o:errorCode": "USER_ERROR", "detail": "No subsidiary"}
    present = {"title": "Bad", "o:errorDetails": [{"o:errorCode": "USER_ERROR", "detail": "No subsidiary"}]}
    for data in (older, present):
        assert stage.connector.error_code(Answer(400, {}, b"", data)) == ("USER_ERROR", "No subsidiary")
