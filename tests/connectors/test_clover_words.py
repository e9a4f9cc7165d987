"""How an order of Clover's is read, and adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.platforms.clover import words
from finalmarket.connectors.records import ZERO, OrderRecord

MERCHANT = "PRACTICE00001"


def _order(**told: Any) -> OrderRecord:
    raw = {
        "id": "ORDER00000001", "currency": "USD", "createdTime": 1_780_315_200_000, "modifiedTime": 1_780_315_260_000,
        "total": 0, "paymentState": "OPEN", **told,
    }  # fmt: skip
    return words.order_record(raw, MERCHANT)


def _line(price: int, **told: Any) -> dict[str, Any]:
    return {"id": "LINE000000001", "name": "Thing", "price": price, "item": {"id": "ITEM000000001"}, **told}


def _net(record: OrderRecord) -> Decimal:
    return sum((line.quantity * line.unit_price - line.discount for line in record.lines), ZERO)


def test_clovers_own_example_of_two_salads_adds_up_to_22_dollars() -> None:
    extras = {"elements": [{"name": "Avocado", "amount": 100}, {"name": "Tofu", "amount": 100}]}
    caesar = _line(1200, modifications=extras, discounts={"elements": [{"name": "Lunch deal", "amount": -100}]})
    greek = _line(
        1000, modifications=extras, discounts={"elements": [{"name": "25% off select salads", "percentage": 25}]}
    )
    record = _order(lineItems={"elements": [caesar, greek]}, total=2200)
    assert [(line.unit_price, line.discount) for line in record.lines] == [
        (Decimal("14.00"), Decimal("1.00")), (Decimal("12.00"), Decimal("3.00")),
    ]  # fmt: skip
    assert record.lines[0].title == "Thing (Avocado, Tofu)"
    assert (_net(record), record.tax) == (Decimal("22.00"), Decimal("0.00"))


def test_lists_may_come_bare_as_well() -> None:
    assert _order(lineItems=[_line(500)], total=500).lines[0].unit_price == Decimal("5.00")


def test_an_orders_own_discounts_take_percents_off_first() -> None:
    discounts = [{"name": "Staff", "percentageDecimal": 125_000}, {"name": "Coupon", "amount": -200}]
    record = _order(lineItems=[_line(1999)], discounts=discounts, total=1549)
    (off,) = [line for line in record.lines if line.kind == "discount"]
    assert (off.title, off.discount, off.unit_price) == ("Staff, Coupon", Decimal("4.50"), ZERO)
    assert _net(record) == Decimal("15.49")


def test_a_discount_never_takes_more_than_there_is() -> None:
    record = _order(lineItems=[_line(300, discounts=[{"name": "Gift", "amount": -900}])], total=0)
    assert record.lines[0].discount == Decimal("3.00")


def test_service_and_delivery_charges_are_lines_of_their_own() -> None:
    record = _order(
        lineItems=[_line(1000)], serviceCharge={"name": "Service", "percentageDecimal": 180_000},
        additionalCharges=[{"id": "CHARGE0000001", "type": "DELIVERY_FEE", "amount": 399}], total=1579,
    )  # fmt: skip
    kinds = {line.kind: line.unit_price for line in record.lines}
    assert kinds == {"goods": Decimal("10.00"), "shipping": Decimal("3.99"), "fee": Decimal("1.80")}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({}, "goods"), ({"item": None}, "fee"), ({"isRevenue": False}, "fee"), ({"isOrderFee": True}, "fee"),
    ],
)  # fmt: skip
def test_only_what_lies_on_a_shelf_is_goods(told: dict[str, Any], kind: str) -> None:
    assert _order(lineItems=[_line(500, **told)], total=500).lines[0].kind == kind


def test_three_by_the_unit_are_three_and_a_weight_is_one_piece_at_the_price_of_the_whole() -> None:
    whole = _order(lineItems=[_line(250, unitQty=3000)], total=750)
    assert (whole.lines[0].quantity, whole.lines[0].unit_price, whole.unknown) == (3, Decimal("2.50"), ())
    weighed = _order(lineItems=[_line(599, unitQty=1700)], total=1018)
    assert (weighed.lines[0].quantity, weighed.lines[0].unit_price) == (1, Decimal("10.18"))
    assert weighed.unknown == ("quantity 1.7 of Thing",)


def _payment(**told: Any) -> dict[str, Any]:
    return {"id": "PAYMENT000001", "amount": 1083, "taxAmount": 83, "result": "SUCCESS", **told}


def test_a_paid_order_tells_tax_tip_and_tender() -> None:
    tender = {"labelKey": "com.clover.tender.credit_card", "label": "Credit Card"}
    record = _order(
        lineItems=[_line(1000)], total=1083, paymentState="PAID", payments=[_payment(tipAmount=200, tender=tender)]
    )
    assert (record.tax, record.tip, record.total, record.tax_included) == (
        Decimal("0.83"), Decimal("2.00"), Decimal("12.83"), False,
    )  # fmt: skip
    (paid,) = record.tenders
    assert (paid.tender, paid.amount, paid.state) == ("card", Decimal("12.83"), "captured")
    assert record.handed_over
    assert _net(record) + (record.tax or ZERO) + record.tip == record.total


def test_a_payment_that_was_voided_counts_for_nothing() -> None:
    void = _payment(id="PAYMENT000002", result="VOIDED", tipAmount=500)
    record = _order(lineItems=[_line(1000)], total=1083, paymentState="PAID", payments=[_payment(), void])
    assert (record.tax, record.tip, record.total) == (Decimal("0.83"), ZERO, Decimal("10.83"))
    assert [tender.state for tender in record.tenders] == ["captured", "voided"]


def test_the_tax_of_an_unpaid_order_is_what_the_total_holds_beside_the_lines() -> None:
    assert _order(lineItems=[_line(1000)], total=1083).tax == Decimal("0.83")
    included = _order(lineItems=[_line(1000)], total=1000, isVat=True)
    assert (included.tax, included.tax_included) == (None, True)


def test_refunds_and_credits_by_hand_are_given_back_and_failed_ones_are_not() -> None:
    record = _order(
        lineItems=[_line(1000)], total=1000, paymentState="PARTIALLY_REFUNDED",
        refunds={"elements": [
            {"id": "REFUND0000001", "amount": 300, "reason": "broken"},
            {"id": "REFUND0000002", "amount": 300, "status": "FAIL"},
            {"id": "REFUND0000003", "amount": 300, "voided": True},
        ]},
        credits=[{"id": "CREDIT0000001", "amount": 100}],
    )  # fmt: skip
    assert [(refund.external_id, refund.amount) for refund in record.refunds] == [
        ("REFUND0000001", Decimal("3.00")), ("CREDIT0000001", Decimal("1.00")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "handed_over", "is_cancelled", "unknown"),
    [
        ("CONFIRMED", False, False, ()), ("FULFILLED", True, False, ()), ("CANCELLED", False, True, ()),
        ("REJECTED", False, True, ()), ("BEAMED_UP", False, False, ("BEAMED_UP",)),
    ],
)  # fmt: skip
def test_an_online_order_is_handed_over_when_it_is_fulfilled(
    state: str, handed_over: bool, is_cancelled: bool, unknown: tuple[str, ...]
) -> None:
    record = _order(lineItems=[_line(100)], total=100, paymentState="PAID", onlineOrder={"orderState": state})
    assert (record.handed_over, record.is_cancelled, record.unknown) == (handed_over, is_cancelled, unknown)


def test_yen_have_no_hundredths() -> None:
    record = _order(currency="JPY", lineItems=[_line(1999, discounts=[{"name": "Off", "percentage": 15}])], total=1699)
    assert (record.lines[0].unit_price, record.lines[0].discount) == (Decimal(1999), Decimal(300))


def test_an_item_with_an_open_price_has_none_and_a_hidden_one_is_not_on_sale() -> None:
    item = {"id": "ITEM000000001", "name": "Cut", "price": 0, "priceType": "VARIABLE", "hidden": True}
    record = words.listing_record(item, "USD")
    assert (record.price, record.is_available) == (None, False)
