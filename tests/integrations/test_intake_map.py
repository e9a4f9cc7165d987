"""From a platform's order to a draft: what platforms leave out, double or misplace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.records import (
    Address,
    FulfilmentRecord,
    OrderLine,
    OrderRecord,
    RefundRecord,
    Tender,
)
from finalmarket.integrations.intake_map import Seat, is_past, order_draft, units_left
from finalmarket.orders.drafts import InvalidDraft, OrderDraft, check

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINE = OrderLine(external_id="L1", sku="TEA", title="Tea", listing_id="K1", quantity=2, unit_price=Decimal("5.00"))
ORDER = OrderRecord(external_id="O1", version="1", placed_at=AT, currency="EUR", lines=(LINE,))


def draft(record: OrderRecord = ORDER, **changes: Any) -> OrderDraft:
    """The draft of an order, of the account 7 and the channel 3."""
    words: dict[str, Any] = {"integration_id": 7, "seat": Seat(3), "variants": {}, **changes}
    return order_draft(record, **words)


def with_lines(*lines: OrderLine) -> OrderDraft:
    return draft(replace(ORDER, lines=lines))


def test_a_platforms_sale_is_a_fact_of_its_account() -> None:
    made = draft(seat=Seat(3, location_id=9))
    assert (made.channel_id, made.location_id, made.source) == (3, 9, "integration:7")
    assert made.happened is True
    assert made.number == ""
    check(made)


def test_a_listing_that_is_linked_goes_before_the_sku() -> None:
    assert draft(variants={"K1": 42}).lines[0].variant_id == 42
    assert draft(variants={"K2": 42}).lines[0].variant_id is None


@pytest.mark.parametrize(
    ("line", "sku"),
    [
        (replace(LINE, sku=" TEA "), "TEA"),
        (replace(LINE, sku=""), "K1"),
        (replace(LINE, sku="", listing_id=""), "L1"),
        (replace(LINE, sku="\x00", listing_id="", external_id=""), "Tea"),
        (OrderLine(external_id=""), "?"),
        (replace(LINE, sku="S" * 300), "S" * 100),
    ],
)
def test_goods_without_a_sku_go_by_what_a_person_can_find_them_by(line: OrderLine, sku: str) -> None:
    made = with_lines(line)
    assert made.lines[0].sku == sku
    check(made)


def test_lines_of_no_units_are_a_memory_of_what_was_taken_off() -> None:
    made = with_lines(LINE, replace(LINE, external_id="L2", quantity=0))
    assert [line.external_id for line in made.lines] == ["L1"]


def test_lines_of_one_name_are_told_apart() -> None:
    made = with_lines(LINE, LINE, replace(LINE, external_id="L1#2"), replace(LINE, external_id=""))
    assert [line.external_id for line in made.lines] == ["L1", "L1#2", "L1#2#2", ""]
    check(made)


@pytest.mark.parametrize("price", [Decimal("3.00"), Decimal("-3.00")])
def test_a_discount_line_takes_off_whatever_its_sign(price: Decimal) -> None:
    made = with_lines(LINE, OrderLine(external_id="D", kind="discount", quantity=1, unit_price=price))
    assert (made.lines[1].unit_price, made.lines[1].discount) == (Decimal(0), Decimal("3.00"))
    check(made)


def test_tenders_have_names_that_make_them_happen_once() -> None:
    tenders = (
        Tender(external_id="", tender="card", amount=Decimal(1)), Tender(external_id="", tender="", amount=Decimal(2)),
        Tender(external_id="P", tender="card", amount=Decimal(3)),
        Tender(external_id="P", tender="card", amount=Decimal(4)),
        Tender(external_id="P", tender="a very long name of a way to pay", amount=Decimal(5)),
    )  # fmt: skip
    made = draft(replace(ORDER, tenders=tenders))
    assert [(tender.tender, tender.external_id) for tender in made.tenders] == [
        ("card", "1"), ("platform", "2"), ("card", "P"), ("card", "P#2"), ("a very long name of a way to p", "P"),
    ]  # fmt: skip
    check(made)


def test_refunds_of_nothing_and_those_that_we_asked_for_are_left_out() -> None:
    refunds = (
        RefundRecord(external_id="R1", amount=Decimal(1)), RefundRecord(external_id="R2", amount=Decimal(0)),
        RefundRecord(external_id="R3", amount=Decimal(2)), RefundRecord(external_id="", amount=Decimal(3)),
    )  # fmt: skip
    made = draft(replace(ORDER, refunds=refunds), ours={"R3"})
    assert [(refund.external_id, refund.amount) for refund in made.refunds] == [
        ("R1", Decimal(1)), ("O1-refund-4", Decimal(3)),
    ]  # fmt: skip


def test_the_number_of_the_address_stands_in_and_codes_are_in_capitals() -> None:
    made = draft(replace(ORDER, currency=" eur ", shipping_address=Address(phone="+4930123456", city="Berlin")))
    assert (made.currency, made.phone, made.shipping_address.city) == ("EUR", "+4930123456", "Berlin")


def test_a_customer_is_known_by_the_account_and_nobody_by_nothing() -> None:
    assert draft(replace(ORDER, customer_id="C1")).account == "integration:7:C1"
    assert draft().account == ""


@pytest.mark.parametrize(
    "record",
    [
        replace(ORDER, lines=(replace(LINE, quantity=-1),)),
        replace(ORDER, lines=(replace(LINE, kind="gift wrap"),)),
        replace(ORDER, lines=(replace(LINE, discount=Decimal(11)),)),
        replace(ORDER, placed_at=datetime(2026, 3, 1)),  # noqa: DTZ001  what a platform must not send
        replace(ORDER, currency="XXQ"),
        replace(ORDER, lines=()),
        replace(ORDER, total=Decimal("NaN")),
    ],
)
def test_what_contradicts_itself_is_refused_and_not_mended(record: OrderRecord) -> None:
    with pytest.raises(InvalidDraft):
        check(draft(record))


def test_a_parcel_without_lines_holds_the_whole_order() -> None:
    two = (LINE, replace(LINE, external_id="L2", quantity=3, cancelled_quantity=1))
    assert units_left(replace(ORDER, lines=two, fulfilments=(FulfilmentRecord(external_id="F"),))) == {"L1": 2, "L2": 2}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"is_cancelled": True}, True),
        ({"handed_over": True}, True),
        ({"fulfilments": (FulfilmentRecord(external_id="F", lines=(("L1", 2),)),)}, True),
        ({"fulfilments": (FulfilmentRecord(external_id="F", lines=(("L1", 1),)),)}, False),
        ({"lines": (replace(LINE, cancelled_quantity=2),)}, True),
        ({"lines": ()}, False),
    ],
)
def test_an_order_was_over_when_all_of_it_had_left_or_was_taken_off(changes: dict[str, Any], expected: bool) -> None:
    record = replace(ORDER, **changes)
    assert is_past(record, AT + timedelta(days=1)) is expected
    assert is_past(record, AT + timedelta(seconds=59)) is False
    assert is_past(record, None) is False
