"""From Shopify's words to ours, on orders with all the mess of real ones."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.connectors.platforms.shopify.orders import order_record
from finalmarket.connectors.records import OrderRecord
from tests.connectors.shopify_orders import LINE, OTHER, bag, child_of, line, nodes, order, parcel, payment, refund, tax


def parts_of(record: OrderRecord) -> Decimal:
    """What the parts of an order come to, prices holding their taxes."""
    lines = sum((each.quantity * each.unit_price - each.discount for each in record.lines), Decimal(0))
    return lines + record.tip


# The order as a whole.


def test_an_order_is_read_to_the_cent() -> None:
    record = order_record(order())
    goods, shipping = record.lines
    assert (goods.kind, goods.sku, goods.quantity, goods.unit_price) == ("goods", "SHIRT-M-RED", 2, Decimal("29.90"))
    assert goods.title == "Linen shirt - M / red"
    assert goods.listing_id == "gid://shopify/ProductVariant/21"
    assert (shipping.kind, shipping.unit_price, shipping.tax) == ("shipping", Decimal("4.90"), Decimal("0.78"))
    assert (record.total, record.tax, parts_of(record)) == (Decimal("64.70"), Decimal("10.33"), Decimal("64.70"))
    assert (record.place, record.location) == ("web", "gid://shopify/Location/71")
    assert (record.name, record.email, record.language) == ("Ada Lovelace", "ada@example.org", "de-DE")
    assert record.shipping_address.region == "BE"
    assert not (record.is_test or record.is_cancelled or record.handed_over)
    assert record.unknown == ()


def test_moments_are_in_utc_whatever_zone_shopify_writes() -> None:
    record = order_record(order())
    assert record.updated_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert record.version == "2026-03-01T09:30:00+00:00"


def test_a_later_state_has_the_greater_version() -> None:
    assert order_record(order(updatedAt="2026-03-01T09:30:01Z")).version > order_record(order()).version


def test_an_order_paid_in_the_buyers_currency_is_booked_in_the_shops() -> None:
    raw = order(
        presentmentCurrencyCode="JPY",
        lineItems=nodes(line(originalUnitPriceSet=bag("29.90", buyer=("4850", "JPY")))),
        totalPriceSet=bag("64.70", buyer=("10495", "JPY")),
        transactions=[payment(91, "SALE", "64.70", amountSet=bag("64.70", buyer=("10495", "JPY")))],
    )
    record = order_record(raw)
    assert (record.currency, record.total) == ("EUR", Decimal("64.70"))
    assert record.lines[0].unit_price == Decimal("29.90")
    assert [tender.amount for tender in record.tenders] == [Decimal("64.70")]


def test_line_and_order_discounts_come_off_the_lines_that_they_were_allotted_to() -> None:
    allotted = [{"allocatedAmountSet": bag("5.98")}, {"allocatedAmountSet": bag("1.02")}]
    record = order_record(order(lineItems=nodes(line(discountAllocations=allotted)), totalPriceSet=bag("57.70")))
    assert record.lines[0].discount == Decimal("7.00")
    assert parts_of(record) == record.total


def test_a_test_order_says_so() -> None:
    assert order_record(order(test=True)).is_test


def test_a_cancelled_order_says_so() -> None:
    assert order_record(order(cancelledAt="2026-03-01T09:00:00Z", cancelReason="CUSTOMER")).is_cancelled


def test_an_order_of_a_person_whose_data_we_may_not_see_is_read_all_the_same() -> None:
    hidden = order(customer=None, shippingAddress=None, billingAddress=None, email=None, customerLocale=None)
    record = order_record(hidden)
    assert (record.name, record.email, record.customer_id, record.language) == ("", "", "", "")


# Lines that are no plain goods.


def test_a_tip_among_the_lines_is_counted_once() -> None:
    tip = line(
        OTHER, title="Tip", variantTitle=None, sku=None, variant=None, product=None, quantity=1, requiresShipping=False,
        originalUnitPriceSet=bag("3.00"), taxLines=[],
    )  # fmt: skip
    record = order_record(
        order(lineItems=nodes(line(), tip), totalTipReceivedSet=bag("3.00"), totalPriceSet=bag("67.70"))
    )
    assert record.tip == Decimal("3.00")
    assert [each.kind for each in record.lines] == ["goods", "shipping"]
    assert parts_of(record) == record.total


def test_a_tip_beside_the_lines_is_counted_too() -> None:
    record = order_record(order(totalTipReceivedSet=bag("3.00"), totalPriceSet=bag("67.70")))
    assert parts_of(record) == record.total == Decimal("67.70")


def test_goods_that_are_called_tip_stay_goods() -> None:
    cigar = line(title="Tip", originalUnitPriceSet=bag("3.00"), quantity=1)
    record = order_record(order(lineItems=nodes(cigar), totalTipReceivedSet=bag("3.00")))
    assert record.lines[0].kind == "goods"


def test_duties_and_further_fees_are_fees() -> None:
    duty = {"id": "gid://shopify/Duty/1", "price": bag("6.00"), "taxLines": [tax("0.96")]}
    fee = {"id": "gid://shopify/AdditionalFee/1", "name": "Bottle deposit", "price": bag("0.25"), "taxLines": []}
    record = order_record(order(lineItems=nodes(line(duties=[duty])), additionalFees=[fee], totalPriceSet=bag("70.95")))
    fees = [(each.title, each.unit_price, each.tax) for each in record.lines if each.kind == "fee"]
    assert fees == [
        ("Import duty on Linen shirt", Decimal("6.00"), Decimal("0.96")),
        ("Bottle deposit", Decimal("0.25"), Decimal(0)),
    ]
    assert parts_of(record) == record.total


def test_duties_that_the_prices_hold_already_are_not_added() -> None:
    duty = {"id": "gid://shopify/Duty/1", "price": bag("6.00"), "taxLines": []}
    record = order_record(order(lineItems=nodes(line(duties=[duty])), dutiesIncluded=True))
    assert [each.kind for each in record.lines] == ["goods", "shipping"]


def test_a_gift_card_is_money_in_advance_and_takes_nothing_from_a_shelf() -> None:
    card = line(OTHER, title="Gift card", isGiftCard=True, sku=None, requiresShipping=False)
    record = order_record(order(lineItems=nodes(card)))
    assert record.lines[0].kind == "fee"
    assert order_record(order(lineItems=nodes({**card, "sku": "CARD-25"}))).lines[0].kind == "goods"


def test_a_line_without_sku_is_found_by_its_listing() -> None:
    record = order_record(order(lineItems=nodes(line(sku=None))))
    assert (record.lines[0].sku, record.lines[0].listing_id) == ("", "gid://shopify/ProductVariant/21")


def test_a_line_of_a_deleted_variant_keeps_its_sku() -> None:
    record = order_record(order(lineItems=nodes(line(variant=None, product=None))))
    assert (record.lines[0].sku, record.lines[0].listing_id) == ("SHIRT-M-RED", "")


# Units that were taken off.


def cancelled_of(**changes: Any) -> int:
    return order_record(order(**changes)).lines[0].cancelled_quantity


def test_units_cancelled_before_they_left_are_taken_off() -> None:
    part = line(quantity=3, currentQuantity=2, unfulfilledQuantity=2)
    assert cancelled_of(lineItems=nodes(part), refunds=[refund("29.90", (LINE, 1, "CANCEL"))]) == 1


def test_units_removed_by_editing_the_order_are_taken_off() -> None:
    assert cancelled_of(lineItems=nodes(line(quantity=3, currentQuantity=1, unfulfilledQuantity=1))) == 2


def test_what_came_back_after_it_had_left_is_a_return_and_not_taken_off() -> None:
    part = line(quantity=3, currentQuantity=2, unfulfilledQuantity=0)
    changes = {
        "lineItems": nodes(part), "fulfillments": [parcel((LINE, 3))],
        "refunds": [refund("29.90", (LINE, 1, "RETURN"))],
    }  # fmt: skip
    assert cancelled_of(**changes) == 0


@pytest.mark.parametrize(
    ("shipped", "waiting", "taken_off"),
    [(1, 0, 2), (1, 2, 0), (3, 0, 0), (0, 1, 2)],
    ids=["never left", "still waits", "left long ago", "nothing left"],
)
def test_units_refunded_without_a_word_on_the_shelf_are_told_apart_by_what_left(
    shipped: int, waiting: int, taken_off: int
) -> None:
    part = line(quantity=3, currentQuantity=1, unfulfilledQuantity=waiting)
    gone = [parcel((LINE, shipped))] if shipped else []
    changes = {"lineItems": nodes(part), "fulfillments": gone, "refunds": [refund("59.80", (LINE, 2, "NO_RESTOCK"))]}
    assert cancelled_of(**changes) == taken_off


@given(
    quantity=st.integers(1, 50),
    removed=st.integers(0, 50),
    shipped=st.integers(0, 50),
    refunds=st.lists(
        st.tuples(st.sampled_from(["CANCEL", "RETURN", "NO_RESTOCK", "LEGACY_RESTOCK"]), st.integers(1, 20)),
        max_size=4,
    ),
)
def test_never_more_is_taken_off_than_was_removed(
    quantity: int, removed: int, shipped: int, refunds: list[tuple[str, int]]
) -> None:
    removed, shipped = min(removed, quantity), min(shipped, quantity)
    part = line(quantity=quantity, currentQuantity=quantity - removed, unfulfilledQuantity=quantity - shipped)
    changes = {
        "lineItems": nodes(part), "fulfillments": [parcel((LINE, shipped))] if shipped else [],
        "refunds": [refund("1.00", *((LINE, count, kind) for kind, count in refunds))],
    }  # fmt: skip
    assert 0 <= cancelled_of(**changes) <= removed


# Money.


def tenders_of(*transactions: dict[str, Any]) -> list[tuple[str, str, Decimal]]:
    record = order_record(order(transactions=list(transactions)))
    return [(each.tender, each.state, each.amount) for each in record.tenders]


def test_an_authorisation_waits_until_it_is_captured() -> None:
    held = payment(91, "AUTHORIZATION", "64.70")
    taken = payment(92, "CAPTURE", "64.70", parentTransaction=child_of(91))
    assert tenders_of(held) == [("card", "authorised", Decimal("64.70"))]
    assert tenders_of(held, taken) == [("card", "captured", Decimal("64.70"))]


def test_of_an_authorisation_counts_what_was_captured() -> None:
    held = payment(91, "AUTHORIZATION", "64.70")
    parts = [payment(92 + n, "CAPTURE", "20.00", parentTransaction=child_of(91)) for n in range(2)]
    failed = payment(95, "CAPTURE", "24.70", parentTransaction=child_of(91), status="FAILURE")
    assert tenders_of(held, *parts, failed) == [("card", "captured", Decimal("40.00"))]


def test_a_voided_authorisation_is_let_go() -> None:
    void = payment(92, "VOID", "64.70", parentTransaction=child_of(91))
    assert tenders_of(payment(91, "AUTHORIZATION", "64.70"), void) == [("card", "voided", Decimal("64.70"))]


def test_change_goes_off_the_cash_that_was_given() -> None:
    cash = payment(91, "SALE", "70.00", gateway="cash")
    change = payment(92, "CHANGE", "5.30", gateway="cash", parentTransaction=child_of(91))
    assert tenders_of(cash, change) == [("cash", "captured", Decimal("64.70"))]


def test_an_order_paid_by_gift_card_and_by_card_has_two_tenders() -> None:
    sales = (payment(91, "SALE", "25.00", gateway="gift_card"), payment(92, "SALE", "39.70"))
    assert [tender for tender, _, _ in tenders_of(*sales)] == ["gift_card", "card"]


def test_what_failed_or_still_runs_is_no_money_yet() -> None:
    states = ("FAILURE", "ERROR", "PENDING", "AWAITING_RESPONSE", "UNKNOWN")
    sales = [payment(91 + n, "SALE", "64.70", status=state) for n, state in enumerate(states)]
    assert [state for _, state, _ in tenders_of(*sales)] == ["failed", "failed", "pending", "pending", "pending"]


def test_refunds_are_no_tenders() -> None:
    back = payment(92, "REFUND", "10.00", parentTransaction=child_of(91))
    assert len(tenders_of(payment(91, "SALE", "64.70"), back)) == 1


def test_a_provider_that_we_have_no_word_for_keeps_its_own() -> None:
    assert tenders_of(payment(91, "SALE", "64.70", gateway="Klarna"))[0][0] == "klarna"
    assert tenders_of(payment(91, "SALE", "64.70", gateway=None))[0][0] == "platform"
    assert len(tenders_of(payment(91, "SALE", "64.70", gateway="x" * 90))[0][0]) == 30


def test_money_that_went_back_is_a_refund_and_a_mere_restock_is_none() -> None:
    money = refund("29.90", (LINE, 1, "RETURN"))
    restock = refund("0.0", (LINE, 1, "CANCEL"), id="gid://shopify/Refund/52")
    record = order_record(order(refunds=[money, restock]))
    assert [(each.amount, each.reason) for each in record.refunds] == [(Decimal("29.90"), "did not fit")]


# Parcels and places.


def test_parcels_carry_what_is_in_them_and_where_they_left() -> None:
    (sent,) = order_record(order(fulfillments=[parcel((LINE, 2))])).fulfilments
    assert (sent.lines, sent.carrier, sent.tracking_number) == (((LINE, 2),), "DHL", "JD014")
    assert (sent.location, sent.shipped_at) == ("gid://shopify/Location/71", datetime(2026, 3, 2, 10, tzinfo=UTC))


def test_a_parcel_that_was_called_back_did_not_leave() -> None:
    assert order_record(order(fulfillments=[parcel((LINE, 2), status="CANCELLED")])).fulfilments == ()


def test_a_parcel_without_tracking_is_one_too() -> None:
    (sent,) = order_record(order(fulfillments=[parcel((LINE, 2), trackingInfo=[], location=None)])).fulfilments
    assert (sent.tracking_number, sent.location) == ("", "")


def test_a_sale_at_the_till_is_handed_over_and_names_its_store() -> None:
    till = {"id": "gid://shopify/Location/72"}
    sale = order(
        sourceName="pos", retailLocation=till, displayFulfillmentStatus="FULFILLED", fulfillmentOrders=nodes(),
        fulfillments=[parcel((LINE, 2), location=till, trackingInfo=[])],
    )  # fmt: skip
    record = order_record(sale)
    assert record.handed_over
    assert (record.place, record.location) == (till["id"], till["id"])


def test_a_sale_at_the_till_that_is_sent_home_is_not_handed_over() -> None:
    record = order_record(order(sourceName="pos", retailLocation={"id": "gid://shopify/Location/72"}))
    assert not record.handed_over
    assert (record.place, record.location) == ("gid://shopify/Location/72", "gid://shopify/Location/71")


def test_the_open_fulfilment_order_says_where_an_order_is_served_from() -> None:
    def waiting(number: int, status: str) -> dict[str, Any]:
        place = {"location": {"id": f"gid://shopify/Location/{number}"}}
        return {"id": f"gid://shopify/FulfillmentOrder/{number}", "status": status, "assignedLocation": place}

    record = order_record(order(fulfillmentOrders=nodes(waiting(1, "CLOSED"), waiting(2, "OPEN"))))
    assert record.location == "gid://shopify/Location/2"


# What no documentation knows.


@pytest.mark.parametrize(
    "strange",
    [
        {"displayFinancialStatus": "PAID_IN_SHELLS"},
        {"displayFulfillmentStatus": "PAID_IN_SHELLS"},
        {"cancelReason": "PAID_IN_SHELLS"},
        {"transactions": [payment(91, "PAID_IN_SHELLS", "64.70")]},
        {"transactions": [payment(91, "SALE", "64.70", status="PAID_IN_SHELLS")]},
        {"fulfillments": [parcel((LINE, 1), status="PAID_IN_SHELLS")]},
        {"refunds": [refund("1.00", (LINE, 1, "PAID_IN_SHELLS"))]},
    ],
    ids=["financial", "fulfilment", "cancel reason", "transaction", "status", "parcel", "restock"],
)
def test_an_unknown_word_has_a_name_and_the_order_stands(strange: dict[str, Any]) -> None:
    record = order_record(order(**strange))
    assert record.unknown == ("PAID_IN_SHELLS",)
    assert record.total == Decimal("64.70")


def test_a_parcel_in_an_unknown_state_is_not_taken_for_sent() -> None:
    assert order_record(order(fulfillments=[parcel((LINE, 1), status="TELEPORTED")])).fulfilments == ()


def test_the_raw_order_travels_along_unchanged() -> None:
    raw = order()
    before = deepcopy(raw)
    assert order_record(raw).raw == before == raw
