"""eBay's orders in our words: amounts that add up, and words that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.platforms.ebay.orders import order_record
from finalmarket.connectors.records import Address


def eur(value: str) -> dict[str, str]:
    return {"value": value, "currency": "EUR"}


def whole_order() -> dict[str, Any]:
    """An order with all that can be in one: 2 x 12.50 less 2.50, 1 x 9.99, delivery 4.90 less 1.90, tax 6.17, fee 0.30,
    an adjustment of -1.00."""
    return {
        "orderId": "12-34567-89012", "creationDate": "2026-05-01T10:00:00.000Z",
        "lastModifiedDate": "2026-05-02T11:30:00.250Z", "orderFulfillmentStatus": "NOT_STARTED",
        "orderPaymentStatus": "PARTIALLY_REFUNDED", "ebayCollectAndRemitTax": True,
        "buyer": {
            "username": "ada",
            "buyerRegistrationAddress": {
                "fullName": "Ada Lovelace", "email": "ada@example.org", "contactAddress": {"countryCode": "GB"},
            },
        },
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "pricingSummary": {
            "priceSubtotal": eur("34.99"), "priceDiscount": eur("-2.50"), "deliveryCost": eur("4.90"),
            "deliveryDiscount": eur("-1.90"), "tax": eur("6.17"), "fee": eur("0.30"), "adjustment": eur("-1.00"),
            "total": eur("40.96"),
        },
        "paymentSummary": {
            "payments": [
                {"paymentMethod": "EBAY", "paymentReferenceId": "P1", "paymentStatus": "PAID", "amount": eur("40.96")}
            ],
            "refunds": [
                {"refundReferenceId": "ref-1", "refundStatus": "REFUNDED", "amount": eur("5.00")},
                {"refundId": "own-2", "refundStatus": "PENDING", "amount": eur("1.00")},
                {"refundId": "own-3", "refundStatus": "FAILED", "amount": eur("2.00")},
            ],
        },
        "fulfillmentStartInstructions": [
            {
                "fulfillmentInstructionsType": "SHIP_TO",
                "shippingStep": {
                    "shipTo": {
                        "fullName": "Ada L.", "email": "relay@members.ebay.com",
                        "primaryPhone": {"phoneNumber": "+44 20 7946 0000"},
                        "contactAddress": {
                            "addressLine1": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4JH",
                            "stateOrProvince": "London", "countryCode": "GB",
                        },
                    }
                },
            }
        ],
        "lineItems": [
            {
                "lineItemId": "1", "sku": "TEA", "title": "Tea", "quantity": 2, "legacyItemId": "110",
                "lineItemCost": eur("25.00"), "discountedLineItemCost": eur("22.50"),
                "purchaseMarketplaceId": "EBAY_GB", "taxes": [{"amount": eur("4.50")}],
                "ebayCollectAndRemitTaxes": [{"amount": eur("4.50")}],
                "refunds": [{"refundId": "own-1", "refundReferenceId": "ref-1", "amount": eur("5.00")}],
            },
            {
                "lineItemId": "2", "title": "Cup", "quantity": 1, "legacyItemId": "111", "lineItemCost": eur("9.99"),
                "purchaseMarketplaceId": "EBAY_GB", "taxes": [],
                "ebayCollectAndRemitTaxes": [{"amount": eur("1.67")}],
            },
        ],
    }  # fmt: skip


def test_the_parts_of_an_order_add_up_to_its_total() -> None:
    record = order_record(whole_order(), [])
    goods = sum(line.unit_price * line.quantity - line.discount for line in record.lines)
    assert record.total == Decimal("40.96")
    assert goods + Decimal("6.17") == record.total
    assert (record.tax, record.tax_included) == (Decimal("6.17"), False)
    assert [(line.kind, line.unit_price, line.discount) for line in record.lines] == [
        ("goods", Decimal("12.50"), Decimal("2.50")),
        ("goods", Decimal("9.99"), Decimal("0.00")),
        ("shipping", Decimal("4.90"), Decimal("1.90")),
        ("fee", Decimal("0.30"), Decimal(0)),
        ("adjustment", Decimal("-1.00"), Decimal(0)),
    ]
    assert [line.tax for line in record.lines[:2]] == [Decimal("4.50"), Decimal("1.67")]


def test_a_discount_that_no_line_tells_of_is_a_line_of_its_own() -> None:
    raw = whole_order()
    raw["pricingSummary"]["priceDiscount"] = eur("-4.00")
    record = order_record(raw, [])
    assert [(line.kind, line.discount) for line in record.lines if line.kind == "discount"] == [
        ("discount", Decimal("1.50"))
    ]


def test_a_cost_that_does_not_divide_keeps_its_sum() -> None:
    raw = whole_order()
    raw["lineItems"][0] |= {"quantity": 3, "lineItemCost": eur("10.00"), "discountedLineItemCost": None}
    line = order_record(raw, []).lines[0]
    assert (line.unit_price, line.discount) == (Decimal("3.34"), Decimal("0.02"))
    assert line.unit_price * line.quantity - line.discount == Decimal("10.00")


def test_who_bought_where_and_when() -> None:
    record = order_record(whole_order(), [])
    assert record.placed_at == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert (record.version, record.place, record.customer_id) == ("2026-05-02T11:30:00.250Z", "EBAY_GB", "ada")
    assert (record.name, record.email) == ("Ada L.", "relay@members.ebay.com")
    assert record.shipping_address == Address(
        name="Ada L.", street="12 St James's Square", city="London", postcode="SW1Y 4JH", region="London",
        country="GB", phone="+44 20 7946 0000",
    )  # fmt: skip
    assert [(line.sku, line.listing_id) for line in record.lines[:2]] == [("TEA", "TEA"), ("", "111")]
    assert record.unknown == ()


def test_refunds_bear_the_name_under_which_they_were_asked_for_and_failed_ones_are_none() -> None:
    record = order_record(whole_order(), [])
    assert [(one.external_id, one.amount) for one in record.refunds] == [
        ("own-1", Decimal("5.00")),
        ("own-2", Decimal("1.00")),
    ]


def wholly_refunded(*refunds: dict[str, Any]) -> list[tuple[str, str]]:
    """What an order of 40.96, of which eBay collected 6.17, says of its refunds when all went back."""
    raw = whole_order()
    raw["orderPaymentStatus"] = "FULLY_REFUNDED"
    raw["paymentSummary"]["refunds"] = list(refunds)
    return [(one.external_id, str(one.amount)) for one in order_record(raw, []).refunds]


def refund(name: str, value: str, day: int = 0, state: str = "REFUNDED") -> dict[str, Any]:
    told = {"refundId": name, "refundStatus": state, "amount": eur(value)}
    return {**told, "refundDate": f"2026-05-{day:02d}T08:00:00.000Z"} if day else told


def test_where_all_went_back_the_latest_refund_is_of_what_ebay_does_not_tell() -> None:
    assert wholly_refunded(refund("a", "34.79", 3)) == [("a", "40.96")]
    assert wholly_refunded(refund("b", "4.79", 4), refund("a", "30.00", 3)) == [("b", "10.96"), ("a", "30.00")]
    assert wholly_refunded(refund("b", "4.79"), refund("a", "30.00", 3)) == [("b", "10.96"), ("a", "30.00")]


def test_nothing_is_added_to_refunds_that_are_all_that_was_paid_or_that_failed() -> None:
    assert wholly_refunded(refund("a", "40.96", 3)) == [("a", "40.96")]
    assert wholly_refunded(refund("a", "41.00", 3)) == [("a", "41.00")]
    assert wholly_refunded(refund("a", "34.79", 3, "FAILED")) == []
    assert wholly_refunded(refund("a", "34.79", 3), refund("b", "34.79", 4, "FAILED")) == [("a", "40.96")]
    assert wholly_refunded() == []


def test_what_is_on_its_way_back_to_the_last_cent_of_the_sellers_is_of_the_tax_already() -> None:
    for state, value, told in (
        ("PENDING", "34.79", "40.96"), ("PENDING", "34.78", "34.78"), ("REFUNDED", "34.79", "34.79"),
    ):  # fmt: skip
        raw = whole_order()
        raw["paymentSummary"]["refunds"] = [refund("a", value, 3, state)]
        assert [str(one.amount) for one in order_record(raw, []).refunds] == [told]


def test_what_ebay_itself_sent_was_handed_over() -> None:
    raw = whole_order()
    raw |= {"program": {"fulfillmentProgram": {"fulfilledBy": "EBAY"}}, "orderFulfillmentStatus": "FULFILLED"}
    record = order_record(raw, [])
    assert (record.location, record.handed_over) == ("EBAY", True)


def test_words_that_nobody_knows_are_named_once() -> None:
    raw = whole_order()
    raw["orderFulfillmentStatus"] = "TELEPORTED"
    raw["paymentSummary"]["payments"] += [{"paymentMethod": "SHELLS"}, {"paymentMethod": "SHELLS"}]
    record = order_record(raw, [])
    assert record.unknown == ("orderFulfillmentStatus: TELEPORTED", "paymentMethod: SHELLS")
