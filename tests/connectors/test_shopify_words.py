"""From Shopify's words to ours, on orders with all the mess of real ones."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.connectors.platforms.shopify.documents import DOCUMENTS
from finalmarket.connectors.platforms.shopify.orders import order_record
from finalmarket.connectors.platforms.shopify.words import (
    customer_record,
    gid,
    handle_of,
    html_of,
    key_of,
    listing_record,
    search_text,
    split_name,
    written,
)
from finalmarket.connectors.records import OrderRecord

LINE, OTHER = "gid://shopify/LineItem/11", "gid://shopify/LineItem/12"
NO_MORE = {"hasNextPage": False, "endCursor": None}


def bag(amount: str, currency: str = "EUR", buyer: tuple[str, str] | None = None) -> dict[str, Any]:
    shown = buyer or (amount, currency)
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": shown[0], "currencyCode": shown[1]},
    }


def nodes(*items: Any) -> dict[str, Any]:
    return {"nodes": list(items), "pageInfo": NO_MORE}


def line(line_id: str = LINE, **changes: Any) -> dict[str, Any]:
    return {
        "id": line_id, "title": "Linen shirt", "variantTitle": "M / red", "sku": "SHIRT-M-RED", "quantity": 2,
        "currentQuantity": 2, "unfulfilledQuantity": 2, "requiresShipping": True, "isGiftCard": False,
        "variant": {"id": "gid://shopify/ProductVariant/21"}, "product": {"id": "gid://shopify/Product/31"},
        "originalUnitPriceSet": bag("29.90"), "discountAllocations": [], "taxLines": [tax("9.55")], "duties": [],
        **changes,
    }  # fmt: skip


def tax(amount: str) -> dict[str, Any]:
    return {"title": "MwSt", "priceSet": bag(amount)}


def payment(number: int, kind: str, amount: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/OrderTransaction/{number}", "kind": kind, "status": "SUCCESS",
        "gateway": "shopify_payments", "amountSet": bag(amount), "parentTransaction": None, **changes,
    }  # fmt: skip


def child_of(number: int) -> dict[str, str]:
    return {"id": f"gid://shopify/OrderTransaction/{number}"}


def refund(amount: str, *units: tuple[str, int, str], **changes: Any) -> dict[str, Any]:
    lines = [{"quantity": count, "restockType": kind, "lineItem": {"id": of}} for of, count, kind in units]
    return {
        "id": "gid://shopify/Refund/51", "note": "did not fit", "totalRefundedSet": bag(amount),
        "refundLineItems": nodes(*lines), **changes,
    }  # fmt: skip


def parcel(*units: tuple[str, int], **changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Fulfillment/61", "status": "SUCCESS", "createdAt": "2026-03-02T10:00:00Z",
        "location": {"id": "gid://shopify/Location/71"},
        "trackingInfo": [{"company": "DHL", "number": "JD014", "url": "https://dhl.example/JD014"}],
        "fulfillmentLineItems": nodes(*({"quantity": count, "lineItem": {"id": of}} for of, count in units)),
        **changes,
    }  # fmt: skip


def order(**changes: Any) -> dict[str, Any]:
    home = {
        "name": "Ada Lovelace", "company": None, "address1": "Hauptstr. 1", "address2": None, "city": "Berlin",
        "province": "Berlin", "provinceCode": "BE", "zip": "10115", "countryCodeV2": "DE", "phone": None,
    }  # fmt: skip
    return {
        "id": "gid://shopify/Order/1", "name": "#1001", "createdAt": "2026-03-01T08:00:00Z",
        "updatedAt": "2026-03-01T10:30:00+01:00", "processedAt": "2026-03-01T08:00:00Z", "cancelledAt": None,
        "cancelReason": None, "test": False, "sourceName": "web", "currencyCode": "EUR",
        "presentmentCurrencyCode": "EUR", "taxesIncluded": True, "dutiesIncluded": False,
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED", "email": "ada@example.org",
        "phone": None, "customerLocale": "de-DE",
        "customer": {"id": "gid://shopify/Customer/41", "displayName": "Ada L."}, "retailLocation": None,
        "shippingAddress": home, "billingAddress": home, "totalPriceSet": bag("64.70"), "totalTaxSet": bag("10.33"),
        "totalTipReceivedSet": bag("0.0"), "additionalFees": [], "lineItems": nodes(line()),
        "shippingLines": nodes(
            {"id": "gid://shopify/ShippingLine/81", "title": "Standard", "originalPriceSet": bag("4.90"),
             "discountAllocations": [], "taxLines": [tax("0.78")]}
        ),
        "transactions": [payment(91, "SALE", "64.70")], "refunds": [], "fulfillments": [],
        "fulfillmentOrders": nodes(
            {"id": "gid://shopify/FulfillmentOrder/95", "status": "OPEN",
             "assignedLocation": {"location": {"id": "gid://shopify/Location/71"}}}
        ),
        **changes,
    }  # fmt: skip


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


# Listings, customers, small words.


def variant(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/ProductVariant/21", "title": "M / red", "sku": "SHIRT-M-RED", "barcode": None,
        "price": "29.90", "selectedOptions": [{"name": "Size", "value": "M"}, {"name": "Colour", "value": "red"}],
        "inventoryItem": {"id": "gid://shopify/InventoryItem/22", "tracked": True},
        "product": {"id": "gid://shopify/Product/31", "handle": "linen-shirt", "title": "Linen shirt",
                    "description": "Light.", "vendor": "Weaver", "productType": "Shirts", "status": "ACTIVE"},
        **changes,
    }  # fmt: skip


def test_a_variant_is_a_listing_with_its_options() -> None:
    record = listing_record(variant(), "EUR")
    assert record.ref.ids == {"product": "gid://shopify/Product/31", "item": "gid://shopify/InventoryItem/22"}
    assert record.title == "Linen shirt - M / red"
    assert record.attributes == {"brand": "Weaver", "type": "Shirts", "size": "M", "colour": "red"}
    assert (record.price, record.currency, record.is_available) == (Decimal("29.90"), "EUR", True)


def test_the_only_variant_of_a_product_has_the_products_title() -> None:
    only = variant(title="Default Title", selectedOptions=[{"name": "Title", "value": "Default Title"}], sku=None)
    record = listing_record(only, "EUR")
    assert (record.title, record.ref.sku) == ("Linen shirt", "")
    assert "title" not in record.attributes


def test_a_draft_is_not_on_sale() -> None:
    draft = variant()
    draft["product"]["status"] = "DRAFT"
    assert not listing_record(draft, "EUR").is_available


def customer(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Customer/41", "updatedAt": "2026-03-01T09:30:00Z", "displayName": "Ada Lovelace",
        "firstName": "Ada", "lastName": "Lovelace", "locale": "en",
        "defaultEmailAddress": {"emailAddress": "ada@example.org", "marketingState": "SUBSCRIBED"},
        "defaultPhoneNumber": {"phoneNumber": "+4930123456"}, "defaultAddress": None, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "accepts"),
    [("SUBSCRIBED", True), ("UNSUBSCRIBED", False), ("NOT_SUBSCRIBED", None), ("PENDING", None), ("INVALID", None)],
)
def test_consent_is_what_was_said_and_nothing_else(state: str, accepts: bool | None) -> None:
    email = {"emailAddress": "ada@example.org", "marketingState": state}
    assert customer_record(customer(defaultEmailAddress=email)).accepts_email is accepts


def test_a_customer_without_contact_is_read_all_the_same() -> None:
    record = customer_record(customer(defaultEmailAddress=None, defaultPhoneNumber=None, firstName=None, lastName=None))
    assert (record.name, record.email, record.phone, record.accepts_email) == ("Ada Lovelace", "", "", None)


def test_an_id_is_the_same_from_both_apis() -> None:
    assert gid("Order", 5001) == gid("Order", "5001") == gid("Order", "gid://shopify/Order/5001")


def test_amounts_are_written_without_an_exponent() -> None:
    assert [written(Decimal(text)) for text in ("1E+3", "0.10", "12.9")] == ["1000", "0.10", "12.9"]


def test_a_handle_is_the_same_for_the_same_sku_and_another_for_another() -> None:
    assert handle_of("Crème brûlée", "Y 1") == handle_of("Crème brûlée", "Y 1")
    assert handle_of("Mug", "a-1") != handle_of("Mug", "a 1")
    assert handle_of("Crème brûlée", "Y 1").startswith("creme-brulee-y-1-")


def test_a_quote_in_a_sku_does_not_end_the_search() -> None:
    assert search_text("O'Neill \\ 5") == "'O\\'Neill \\\\ 5'"


def test_plain_text_keeps_its_lines_and_html_stays_html() -> None:
    assert html_of("a < b\nand c") == "a &lt; b<br>and c"
    assert html_of("<p>a</p>") == "<p>a</p>"


def test_a_name_is_split_at_its_last_word() -> None:
    assert split_name("Ada King Lovelace") == ("Ada King", "Lovelace")
    assert split_name("Madonna") == ("Madonna", "")


def test_keys_tell_their_parts_apart() -> None:
    assert key_of("stock", "a", "bc") != key_of("stock", "ab", "c")


def test_every_document_holds_the_fragments_that_it_uses_and_no_others() -> None:
    for document in DOCUMENTS.values():
        used = set(re.findall(r"\.\.\.(\w+)", document.text))
        assert used == set(re.findall(r"^fragment (\w+)", document.text, re.MULTILINE)), document.name
