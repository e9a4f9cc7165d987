"""Oracle Fusion, connector and stand-in, over HTTP; every exchange is judged by what the prose of its guides says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.books import OrderContentLine
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.faults import Fault, Faults
from tests.connectors.cases.oracle import (
    case,
    fulfilment,
    movements,
    order_content,
    seed_customers,
    seed_listings,
    told_order,
)
from tests.connectors.conformance.stage import NthCall, Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def sent(stage: Stage, method: str, path: str) -> list[Any]:
    """The bodies of such requests; amounts as they were written."""
    return [
        json.loads(one.request_body, parse_float=Decimal)
        for one in stage.watched.exchanges if one.method == method and path in one.path and one.request_body
    ]  # fmt: skip


def in_stock(stage: Stage, item: str) -> dict[str, int]:
    """The units of an item by organisation and subinventory."""
    return {
        f"{code}/{place}": units for (one, code, place), units in stage.stand_in.state["stock"].items() if one == item
    }


# Who we are, and how we are let in.


def test_nobody_is_told_that_it_was_verified(stage: Stage) -> None:
    assert stage.connector.checked_against.what == "derived"


def test_an_account_with_a_token_address_is_let_in_by_oauth(stage: Stage) -> None:
    account = stage.connector.account
    settings = {**account.settings, "token_url": "https://identity.example.org/oauth2/v1/token"}
    connector = stage.with_account(replace(account, settings=settings))
    assert "Seattle Manufacturing" in connector.check()
    assert stage.watched.exchanges[-1].request_headers["authorization"].startswith("Bearer ")


def test_an_organisation_that_is_not_there_needs_attention(stage: Stage) -> None:
    account = stage.connector.account
    connector = stage.with_account(replace(account, settings={**account.settings, "organization": "M9"}))
    with pytest.raises(NeedsAttention, match="M9"):
        connector.check()


# What comes in.


def test_items_come_with_their_titles_and_without_a_price(stage: Stage) -> None:
    stage.stand_in.add_listing("O'TEA", "Green tea", Decimal("12.50"), 3)
    stage.stand_in.add_listing("CUP", "Cup", Decimal("3.00"), 3)
    stage.stand_in.state["items"]["CUP"]["ItemStatusValue"] = "Obsolete"
    (page,) = stage.connector.pull_listings("")
    assert [(one.ref.sku, one.title, one.is_available, one.price) for one in page.records] == [
        ("CUP", "Cup", False, None), ("O'TEA", "Green tea", True, None),
    ]  # fmt: skip


def test_stock_is_told_by_place_and_for_a_whole_organisation(stage: Stage) -> None:
    tea, cup = seed_listings(stage.stand_in, 2)
    stage.stand_in._move(tea.key, "M1", "Front", 2)
    stage.stand_in._move(tea.key, "M2", "Stores", 9)
    found = stage.connector.pull_stock([tea, cup])
    assert {(one.key, one.location): one.quantity for one in found} == {
        (tea.key, "M1/Stores"): 5, (tea.key, "M1/Front"): 2, (cup.key, "M1/Stores"): 5,
    }  # fmt: skip
    assert [one.quantity for one in stage.connector.pull_stock([tea], "M2")] == [9]
    assert [one.quantity for one in stage.connector.pull_stock([tea], "M1")] == [7]


def test_long_lists_of_stock_are_read_to_their_end(stage: Stage) -> None:
    (tea,) = seed_listings(stage.stand_in, 1)
    for number in range(1_100):
        stage.stand_in._move(tea.key, "M1", f"SUB{number:05d}", 1)
    assert sum(one.quantity for one in stage.connector.pull_stock([tea])) == 1_105


def test_people_come_in_again_when_they_change(stage: Stage) -> None:
    names = seed_customers(stage.stand_in, 3)
    *_, page = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(minutes=10))
    stage.stand_in.state["people"][names[0]]["LastUpdateDate"] = stage.stand_in.now().isoformat(timespec="milliseconds")
    later = [one.external_id for page in stage.connector.pull_customers(page.cursor, None) for one in page.records]
    assert later[-1] == names[0]


# People go out.


def test_a_new_person_is_made_once_under_a_number_of_ours(stage: Stage) -> None:
    address = Address(name="Ada Lovelace", street="Hauptstr. 1", city="Berlin", postcode="10115", country="DE")
    content = CustomerContent(key="c-1", name="Ada Lovelace", email="ada@example.com", phone="030 1", address=address)
    made = stage.connector.push_customer(content)
    assert stage.connector.push_customer(content) == made
    record = stage.connector.pull_customer(made)
    assert record is not None
    assert (record.name, record.email, record.phone) == ("Ada Lovelace", "ada@example.com", "030 1")
    assert (record.address.street, record.address.city, record.address.country) == ("Hauptstr. 1", "Berlin", "DE")
    assert stage.effects()["person"] == 1


def test_a_known_person_is_changed_and_one_who_is_gone_rejected(stage: Stage) -> None:
    (known,) = seed_customers(stage.stand_in, 1)
    assert stage.connector.push_customer(CustomerContent(key="c", external_id=known, name="Ada King")) == known
    assert stage.stand_in.state["people"][known]["LastName"] == "King"
    with pytest.raises(Rejected):
        stage.connector.push_customer(CustomerContent(key="c", external_id="4711", name="Ada King"))


# Orders go out.


def test_an_order_goes_out_with_frozen_prices_without_tax(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    (body,) = sent(stage, "POST", "/salesOrdersForOrderHub")
    tea, cup, freight = body["lines"]
    assert body["FreezePriceFlag"] is True
    assert [line["OrderedQuantity"] for line in body["lines"]] == [2, 2, 1]
    extended = [line["charges"][0]["chargeComponents"][1]["HeaderCurrencyExtendedAmount"] for line in body["lines"]]
    assert extended == [Decimal("16.72"), Decimal("7.53"), Decimal("3.86")]
    assert tea["charges"][0]["GSAUnitPrice"] == Decimal("8.36")
    assert cup["charges"][0]["GSAUnitPrice"] == Decimal("3.765")
    assert freight["ProductNumber"] == "FREIGHT"
    assert names.lines == {line.line_id: str(position) for position, line in enumerate(content.lines, start=1)}


def test_an_order_told_again_is_not_written_again(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    first = stage.connector.push_order(content)
    before = stage.effects()
    assert stage.connector.push_order(content) == first == stage.connector.find_order(content.number)
    assert stage.effects() == before


def test_a_lost_answer_leaves_doubt_and_the_order_is_found_by_its_number() -> None:
    with staged(case(), faults=Faults()) as stage:
        content = order_content(stage.stand_in)
        stage.stand_in.faults.then(Fault.RESET_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_order(content)
        found = stage.connector.find_order(content.number)
        assert found is not None
        assert stage.connector.push_order(content) == found
        assert stage.effects()["order"] == 1


def test_units_cancelled_later_are_taken_off_with_a_reason(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(content)
    tea, cup, shipping = content.lines
    stage.connector.push_order(replace(content, lines=(tea, replace(cup, cancelled_quantity=2), shipping)))
    stage.connector.push_order(replace(content, state="cancelled"))
    (order,) = stage.stand_in.state["orders"].values()
    assert [line["OrderedQuantity"] for line in order["lines"]] == [0, 0, 0]
    fewer, none = sent(stage, "PATCH", "/salesOrdersForOrderHub/")
    assert [(line["OrderedQuantity"], line.get("CancelReason")) for line in fewer["lines"]] == [(1, None)]
    assert {line["CancelReason"] for line in none["lines"]} == {"OTHER"}


def test_a_line_that_is_added_later_is_added_once(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(content)
    extra = OrderContentLine(line_id="extra", sku=content.lines[0].sku, quantity=1, unit_price=Decimal("9.95"))
    longer = replace(content, lines=(*content.lines, extra), total=content.total + extra.unit_price)
    for _ in range(2):
        assert stage.connector.push_order(longer).lines["extra"] == "4"
    assert stage.effects()["order_line"] == 1


def test_a_closed_order_takes_no_change(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    (order,) = stage.stand_in.state["orders"].values()
    order["StatusCode"] = "CLOSED"
    assert stage.connector.push_order(content) == names
    with pytest.raises(Rejected, match="closed"):
        stage.connector.push_order(replace(content, state="cancelled"))


def test_an_order_that_cannot_be_booked_says_what_is_missing(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    bare = {"host": "h.example.org", "business_unit": "Vision Operations", "organization": "M1"}
    poor = stage.with_account(replace(stage.connector.account, settings=bare))
    for wrong, words, connector in (
        (replace(content, lines=(replace(content.lines[0], sku="NO-SUCH", item_id=""),)), "NO-SUCH", stage.connector),
        (replace(content, number="F" * 51), "longer", stage.connector),
        (replace(content, customer_id=""), "customer", poor),
        (content, "shipping", poor),
    ):
        with pytest.raises(Rejected, match=words):
            connector.push_order(wrong)
    assert stage.stand_in.state["orders"] == {}


# Parcels go out.


def test_a_parcel_ships_its_units_once_from_its_place(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    first = stage.connector.push_fulfilment(notice)
    assert stage.connector.push_fulfilment(notice) == first
    (row,) = stage.stand_in.state["shipment_lines"]
    assert (row["ShippedQuantity"], row["RequestedQuantity"]) == (1, 1)
    assert in_stock(stage, row["Item"]) == {"M1/Stores": 4}
    (body,) = sent(stage, "POST", "/shipmentTransactionRequests")
    packed = body["shipments"][0]["outerPackingUnits"][0]["packedLines"]
    assert [line["TrackingNumber"] for line in packed] == [notice.tracking_number]


def test_a_parcel_whose_answer_is_lost_is_found_by_its_name() -> None:
    with staged(case(), faults=NthCall(Fault.ERROR_AFTER, 1, writes=True)) as stage:
        notice = fulfilment(stage.stand_in)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_fulfilment(notice)
        stage.connector.push_fulfilment(notice)
        assert stage.effects()["shipment"] == 1


def test_a_parcel_with_too_much_or_with_nothing_of_the_order_is_rejected(stage: Stage) -> None:
    order, line = told_order(stage.stand_in)
    notice = replace(fulfilment(stage.stand_in), order_id=order)
    for lines in (((line, 3),), (("9", 1),)):
        with pytest.raises(Rejected, match="no"):
            stage.connector.push_fulfilment(replace(notice, lines=lines))


def test_what_oracle_says_in_an_answer_that_looks_well_is_a_refusal(stage: Stage) -> None:
    notice = replace(fulfilment(stage.stand_in), location="M9/Stores")
    with pytest.raises(Rejected, match="not valid"):
        stage.connector.push_fulfilment(notice)


# Movements go out.


def test_movements_move_just_so_many_units(stage: Stage) -> None:
    told = movements(stage.stand_in, 6)
    assert list(stage.connector.push_movements(told)) == []
    assert {notice.kind: in_stock(stage, notice.sku) for notice in told} == {
        "receive": {"M1/Stores": 9}, "loss": {"M1/Stores": 4}, "transfer": {"M1/Stores": 3, "M2/Stores": 2},
        "adjust": {"M1/Stores": 3}, "sale": {"M1/Stores": 4}, "return": {"M1/Stores": 6},
    }  # fmt: skip


def test_a_movement_whose_answer_is_lost_is_in_doubt_and_counts_once() -> None:
    with staged(case(), faults=Faults()) as stage:
        told = movements(stage.stand_in, 3)
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_movements(told)
        assert list(stage.connector.push_movements(told)) == []
        assert stage.effects()["transaction"] == 3


def test_a_movement_that_fails_in_processing_is_refused_and_leaves_nothing_staged(stage: Stage) -> None:
    first, second = movements(stage.stand_in, 2)
    too_many = replace(second, quantity=-900)
    refused = stage.connector.push_movements([first, too_many])
    assert [(error.key, error.reason) for error in refused] == [(second.key, "Negative balances are not allowed")]
    assert stage.stand_in.state["staged"] == {}
    assert list(stage.connector.push_movements([second])) == [], "the same key, put right, is posted"


def test_a_failed_movement_of_which_no_news_came_is_refused_when_it_is_told_again() -> None:
    with staged(case(), faults=Faults()) as stage:
        (told,) = movements(stage.stand_in, 1)
        wrong = replace(told, sku="NO-SUCH", item_id="")
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_movements([wrong])
        (refused,) = stage.connector.push_movements([wrong])
        assert "NO-SUCH" in refused.reason
        assert stage.stand_in.state["staged"] == {}


def test_movements_of_nothing_or_nowhere_come_back_by_their_keys(stage: Stage) -> None:
    first, last = movements(stage.stand_in, 2)
    wrong = [replace(first, key="zero", quantity=0), replace(first, key="nowhere", location="M9/Stores")]
    refused = stage.connector.push_movements([first, *wrong, last])
    assert [error.key for error in refused] == ["zero", "nowhere"]
    assert stage.effects()["transaction"] == 2
