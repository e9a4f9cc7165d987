"""SAP S/4HANA, connector and stand-in, over HTTP; every exchange is judged by SAP's own files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.books import OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.own_keys import capital_mark
from finalmarket.connectors.platforms.sap import PAGE, Sap
from finalmarket.connectors.platforms.sap.odata import json_day, read_moment, text
from finalmarket.connectors.platforms.sap.words import price_of
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.faults import Fault, Faults
from tests.connectors.cases.sap import (
    case,
    fulfilment,
    movements,
    order_content,
    seed_customers,
    seed_listings,
    told_order,
)
from tests.connectors.conformance.stage import NthCall, Stage, always, on_a_double, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def sent(stage: Stage, method: str, path: str) -> list[Any]:
    """The bodies of such requests."""
    return [
        json.loads(one.request_body)
        for one in stage.watched.exchanges if one.method == method and path in one.path and one.request_body
    ]  # fmt: skip


def in_stock(stage: Stage, product: str) -> dict[str, int]:
    """The freely usable units of a product by storage location."""
    return {storage: units for (storage, kind), units in stage.stand_in.state["stock"][product].items() if kind == "01"}


# How we are let in.


def tokens_asked_for(stage: Stage) -> int:
    return sum("x-csrf-token" in one.request_headers and one.method == "GET" for one in stage.watched.exchanges)


def test_a_csrf_token_is_asked_for_once_and_again_when_it_has_ended(stage: Stage) -> None:
    for told in movements(stage.stand_in, 2):
        stage.connector.push_movements([told])
    assert tokens_asked_for(stage) == 1
    stage.stand_in.state["csrf_round"] += 1
    assert list(stage.connector.push_movements(movements(stage.stand_in, 1))) == []
    assert tokens_asked_for(stage) == 2
    assert stage.effects()["material_document"] == 3


def test_a_write_that_is_refused_under_a_new_token_too_is_put_off() -> None:
    headers = {"x-csrf-token": "Required"}
    connector = on_a_double(case(), always(403, b'{"error": {"code": "x", "message": {"value": "CSRF"}}}', headers))
    connector._tokens["API_MATERIAL_DOCUMENT_SRV"] = "an-old-token"
    with pytest.raises(RetryLater):
        connector._write("POST", "API_MATERIAL_DOCUMENT_SRV", "A_MaterialDocumentHeader", {})


def test_rights_that_are_missing_are_no_matter_of_tokens() -> None:
    connector = on_a_double(case(), always(403, b'{"error": {"code": "x", "message": {"value": "No rights"}}}'))
    with pytest.raises(NeedsAttention):
        connector.check()


def test_an_account_with_a_token_address_is_let_in_by_oauth(stage: Stage) -> None:
    account = stage.connector.account
    settings = {**account.settings, "token_url": "https://auth.example.org/oauth/token"}
    connector = stage.with_account(replace(account, settings=settings))
    assert connector.check()
    assert stage.watched.exchanges[-1].request_headers["authorization"].startswith("Bearer ")
    stage.time.advance(timedelta(hours=2))
    assert connector.check()
    assert len(stage.stand_in.state["tokens"]) == 2
    plain = replace(account, settings={**settings, "token_url": "http://auth.example.org/oauth/token"})
    with pytest.raises(NeedsAttention, match="https"):
        stage.with_account(plain).check()


@pytest.mark.parametrize("host", ["", "a/b", "user@evil.example.com", "evil.example.com?x=", "a b"])
def test_a_host_that_is_none_gets_no_password(host: str) -> None:
    def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"asked {request.url}")

    connector = Sap(
        Account({"user": "user", "password": "password"}, {"host": host}), transport=httpx2.MockTransport(never)
    )
    with pytest.raises(NeedsAttention):
        connector.check()


# What comes in.


def test_products_come_with_title_barcode_and_price(stage: Stage) -> None:
    stage.stand_in.add_listing("TEA", "Green tea", Decimal("12.50"), 3, barcode="4006381333931")
    product = stage.stand_in.state["products"]["TEA"]
    product["to_Description"].insert(0, {"Product": "TEA", "Language": "DE", "ProductDescription": "Grüner Tee"})
    product["IsMarkedForDeletion"] = True
    (page,) = stage.connector.pull_listings("")
    (record,) = page.records
    assert (record.ref.sku, record.title, record.barcode) == ("TEA", "Green tea", "4006381333931")
    assert (record.price, record.currency, record.is_available) == (Decimal("12.50"), "EUR", False)


def test_a_price_for_a_hundred_is_a_price_for_one() -> None:
    record = {"ConditionRateValue": "1250.00", "ConditionRateValueUnit": "EUR", "ConditionQuantity": "100"}
    assert price_of({"Material": "TEA", "to_SlsPrcgConditionRecord": record}) == (Decimal("12.5"), "EUR")


def test_only_stock_that_may_be_used_freely_is_told(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.state["stock"][ref.key] |= {("101A", "07"): 40, ("101B", "01"): 2}  # 07 is blocked
    by_place = {record.location: record.quantity for record in stage.connector.pull_stock([ref])}
    assert by_place == {"1010/101A": 5, "1010/101B": 2}
    assert [record.quantity for record in stage.connector.pull_stock([ref], "1010")] == [7]


def test_customers_come_in_the_order_of_making_and_changing_over_all_pages(stage: Stage) -> None:
    names = seed_customers(stage.stand_in, 2 * PAGE + 5)
    stage.time.advance(timedelta(hours=1))
    changed = names[3:40:4]
    for name in changed:
        stage.time.advance(timedelta(seconds=1))
        stage.stand_in._touch((name,))
    pages = list(stage.connector.pull_customers("", None))
    records = [record for page in pages for record in page.records]
    last_seen = {record.external_id: record.version for record in records}
    assert set(last_seen) == set(names)
    assert [record.external_id for record in records][-len(changed) :] == changed
    stage.time.advance(timedelta(minutes=10))
    for still_young in (changed, []):
        pages = list(stage.connector.pull_customers(pages[-1].cursor, None))
        assert [record.external_id for page in pages for record in page.records] == still_young


def test_who_is_no_customer_does_not_come_in(stage: Stage) -> None:
    stage.stand_in.sign_up({"OrganizationBPName1": "A supplier", "BusinessPartnerCategory": "2"}, is_customer=False)
    assert [record for page in stage.connector.pull_customers("", None) for record in page.records] == []


# Customers go out.


def test_a_new_customer_is_made_once_with_address_and_mail(stage: Stage) -> None:
    address = Address(name="Ada Lovelace", street="Hauptstr. 1", city="Berlin", postcode="10115", country="DE")
    content = CustomerContent(
        key="c-1", name="Ada Lovelace", email="ada@example.com", phone="+49 30 1", address=address
    )
    made = stage.connector.push_customer(content)
    assert stage.connector.push_customer(content) == made
    record = stage.connector.pull_customer(made)
    assert record is not None
    assert (record.name, record.email, record.phone) == ("Ada Lovelace", "ada@example.com", "+49 30 1")
    assert record.address.city == "Berlin"


def test_a_known_customer_is_changed_where_something_differs(stage: Stage) -> None:
    (known,) = seed_customers(stage.stand_in, 1)
    content = CustomerContent(key="c-2", external_id=known, name="Ada King", email="king@example.com", phone="030 1")
    for _ in range(2):
        assert stage.connector.push_customer(content) == known
    record = stage.connector.pull_customer(known)
    assert record is not None
    assert (record.name, record.email, record.phone) == ("Ada King", "king@example.com", "030 1")
    assert stage.effects()["change"] == 2, "the name and the address of mail, once each"
    assert stage.effects()["reach"] == 1


def test_one_word_is_a_company_and_a_mail_alone_gets_the_house_country(stage: Stage) -> None:
    made = stage.connector.push_customer(CustomerContent(key="c-1", name="Teahouse", email="t@example.com"))
    held = stage.stand_in.state["partners"][made]
    assert (held["BusinessPartnerCategory"], held["OrganizationBPName1"]) == ("2", "Teahouse")
    assert held["to_BusinessPartnerAddress"][0]["Country"] == "DE"


def test_a_customer_who_is_gone_there_is_rejected(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.push_customer(CustomerContent(key="c-1", external_id="4711", name="Ada Lovelace"))


# Orders go out.


def test_an_order_is_told_without_tax_and_without_what_was_cancelled(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    (body,) = sent(stage, "POST", "/A_SalesOrder")
    tea, cup = body["to_Item"]["results"]
    price = tea["to_PricingElement"]["results"][0]
    assert (tea["RequestedQuantity"], price["ConditionRateValue"], price["ConditionQuantity"]) == ("2", "16.72", "2")
    assert cup["RequestedQuantity"] == "2"
    assert cup["to_PricingElement"]["results"][0]["ConditionRateValue"] == "7.53"
    (freight,) = body["to_PricingElement"]["results"]
    assert (freight["ConditionType"], freight["ConditionRateValue"]) == ("HD00", "3.86")
    (ship_to,) = body["to_Partner"]["results"]
    assert ship_to["to_Address"]["results"][0]["CityName"] == "Berlin"
    assert names.lines == {content.lines[0].line_id: "10", content.lines[1].line_id: "20"}


def test_days_are_those_of_the_channel(stage: Stage) -> None:
    there: dict[str, Any] = {"time_zone": "America/Los_Angeles"}
    evening = datetime(2027, 1, 1, 1, tzinfo=UTC)  # 17:00 of 31 December in Los Angeles
    stage.connector.push_order(replace(order_content(stage.stand_in), placed_at=evening, **there))
    (order,) = sent(stage, "POST", "/A_SalesOrder")
    (moved,) = movements(stage.stand_in, 1)
    stage.connector.push_movements([replace(moved, at=evening, **there)])
    (document,) = sent(stage, "POST", "/A_MaterialDocumentHeader")
    assert {order["CustomerPurchaseOrderDate"], document["PostingDate"], document["DocumentDate"]} == {
        json_day(date(2026, 12, 31))
    }  # fmt: skip


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


def test_units_cancelled_later_are_taken_off_and_a_cancelled_order_is_rejected_item_by_item(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    tea, cup, shipping = content.lines
    fewer = replace(content, lines=(tea, replace(cup, cancelled_quantity=2), shipping))
    assert stage.connector.push_order(fewer) == names
    items = stage.stand_in.state["orders"][names.external_id]["to_Item"]
    assert [Decimal(item["RequestedQuantity"]) for item in items] == [2, 1]
    stage.connector.push_order(replace(fewer, state="cancelled"))
    assert [item["SalesDocumentRjcnReason"] for item in items] == ["61", "61"]
    stage.connector.push_order(fewer)
    assert [item["SalesDocumentRjcnReason"] for item in items] == ["", ""]


def test_a_line_that_is_added_later_is_added_once(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    stage.connector.push_order(content)
    extra = OrderContentLine(line_id="extra", sku=content.lines[0].sku, quantity=1, unit_price=Decimal("9.95"))
    longer = replace(content, lines=(*content.lines, extra), total=content.total + extra.unit_price)
    assert stage.connector.push_order(longer).lines["extra"] == "30"
    stage.connector.push_order(longer)
    assert stage.effects()["order_item"] == 1


def test_what_somebody_changed_meanwhile_is_looked_at_again(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    item = stage.stand_in.state["orders"][names.external_id]["to_Item"][0]
    stage.connector._order(content.number)
    old = item["__metadata"]["etag"]
    item["__metadata"] = {"etag": 'W/"another"'}
    with pytest.raises(RetryLater):
        stage.connector._change(
            "API_SALES_ORDER_SRV", f"A_SalesOrderItem(SalesOrder='{names.external_id}',SalesOrderItem='10')",
            {"RequestedQuantity": "1"}, old,
        )  # fmt: skip
    stage.connector.push_order(replace(content, state="cancelled"))
    assert item["SalesDocumentRjcnReason"] == "61"


def test_an_order_that_cannot_be_booked_says_what_is_missing(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    bare = replace(stage.connector.account, settings={"host": "h.example.org", "sales_organization": "1010"})
    for wrong, words, connector in (
        (replace(content, lines=(replace(content.lines[0], sku="NO-SUCH", item_id=""),)), "NO-SUCH", stage.connector),
        (replace(content, number="F" * 36), "longer", stage.connector),
        (replace(content, customer_id=""), "customer", stage.with_account(bare)),
        (content, "shipping", stage.with_account(bare)),
    ):
        with pytest.raises(Rejected, match=words):
            connector.push_order(wrong)
    assert stage.stand_in.state["orders"] == {}


# Parcels go out.


def test_a_parcel_is_delivered_picked_and_issued_once(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    first = stage.connector.push_fulfilment(notice)
    assert stage.connector.push_fulfilment(notice) == first
    product = stage.stand_in.state["orders"][notice.order_id]["to_Item"][0]["Material"]
    assert in_stock(stage, product) == {"101A": 4, "101B": 0}
    assert stage.stand_in.state["deliveries"][first]["BillOfLading"] == notice.tracking_number
    assert {name: stage.effects()[name] for name in ("delivery", "picking", "goods_issue")} == {
        "delivery": 1, "picking": 1, "goods_issue": 1,
    }  # fmt: skip


def test_a_parcel_that_broke_off_between_its_steps_is_carried_on() -> None:
    for step, fault in itertools.product((1, 2, 3), (Fault.ERROR_BEFORE, Fault.ERROR_AFTER)):
        with staged(case(), faults=NthCall(fault, step, writes=True)) as stage:
            notice = fulfilment(stage.stand_in)
            with pytest.raises((OutcomeUnknown, RetryLater)):
                stage.connector.push_fulfilment(notice)
            stage.connector.push_fulfilment(notice)
            assert stage.effects()["delivery"] == stage.effects()["goods_issue"] == 1, (step, fault)


def test_a_delivery_that_sap_only_said_to_have_made_leaves_doubt_and_is_made() -> None:
    with staged(case(), faults=Faults()) as stage:
        notice = fulfilment(stage.stand_in)
        stage.stand_in.faults.then(Fault.NOT_APPLIED)
        with pytest.raises(Unintelligible, match="is not there"):
            stage.connector.push_fulfilment(notice)
        stage.connector.push_fulfilment(notice)
        assert stage.effects()["delivery"] == stage.effects()["goods_issue"] == 1


def test_a_delivery_that_sap_only_said_to_have_picked_is_picked_again() -> None:
    with staged(case(), faults=NthCall(Fault.NOT_APPLIED, 2, writes=True)) as stage:
        notice = fulfilment(stage.stand_in)
        with pytest.raises(RetryLater, match="was not picked"):
            stage.connector.push_fulfilment(notice)
        stage.connector.push_fulfilment(notice)
        assert stage.effects()["picking"] == stage.effects()["goods_issue"] == 1


def test_a_parcel_with_more_than_was_ordered_is_rejected(stage: Stage) -> None:
    order, item = told_order(stage.stand_in)
    notice = replace(fulfilment(stage.stand_in), order_id=order)
    for lines in (((item, 3),), (("990", 1),)):
        with pytest.raises(Rejected):
            stage.connector.push_fulfilment(replace(notice, lines=lines))


# Movements go out.


def test_movements_move_just_so_many_units(stage: Stage) -> None:
    told = movements(stage.stand_in, 6)
    assert list(stage.connector.push_movements(told)) == []
    assert {notice.kind: tuple(in_stock(stage, notice.sku).values()) for notice in told} == {
        "receive": (9, 0), "loss": (4, 0), "transfer": (3, 2), "adjust": (3, 0), "sale": (4, 0), "return": (6, 0),
    }  # fmt: skip


def test_a_movement_whose_answer_is_lost_is_in_doubt_and_counts_once() -> None:
    with staged(case(), faults=Faults()) as stage:
        told = movements(stage.stand_in, 3)
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_movements(told)
        assert list(stage.connector.push_movements(told)) == []
        assert stage.effects()["material_document"] == 3


def test_movements_that_are_refused_come_back_by_their_keys_and_the_others_stand(stage: Stage) -> None:
    first, last = movements(stage.stand_in, 2)
    wrong = [
        replace(first, key="nowhere", location=""), replace(first, key="other-plant", location="9999/101A"),
        replace(first, key="nothing", item_id="", sku="NO-SUCH"), replace(last, key="too-many", quantity=-900),
        replace(first, key="sign", quantity=-1), replace(first, key="zero", quantity=0),
    ]  # fmt: skip
    refused = stage.connector.push_movements([first, *wrong, last])
    assert [error.key for error in refused] == [notice.key for notice in wrong]
    assert stage.effects()["material_document"] == 2


# Its words.


def test_moments_are_read_with_their_time_of_day() -> None:
    assert read_moment("/Date(1780272000000)/", "PT09H05M07S") == datetime(2026, 6, 1, 9, 5, 7, tzinfo=UTC)
    assert read_moment("/Date(-86400000+0000)/") == datetime(1969, 12, 31, tzinfo=UTC)
    for wrong in (("2026-06-01", ""), ("/Date(1)/", "09:05")):
        with pytest.raises(ValueError, match="no moment"):
            read_moment(*wrong)


def test_quotes_in_texts_are_doubled_and_references_are_short_and_apart() -> None:
    assert text("O'Neill") == "'O''Neill'"
    assert len(capital_mark("a key", 16)) == 16
    assert capital_mark("a key", 16) != capital_mark("another key", 16)
