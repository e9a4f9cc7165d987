"""What Square says, in our words: orders as they come from tills and shops, with all that is odd about them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.platforms.square.amounts import changed_at
from finalmarket.connectors.platforms.square.returns import refund_record, refunds_by_sale
from finalmarket.connectors.platforms.square.words import (
    customer_record,
    is_order,
    listing_record,
    order_record,
    sold_variations,
    stock_record,
)
from finalmarket.connectors.records import OrderRecord
from finalmarket.orders.amounts import parts_of
from tests.connectors.descriptions import vendor_apis


def euros(cents: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": cents, "currency": currency}


def line(uid: str, price: int, quantity: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "uid": uid, "name": "Coffee", "variation_name": "Regular", "quantity": quantity, "item_type": "ITEM",
        "catalog_object_id": f"VAR-{uid}", "base_price_money": euros(price), **more,
    }  # fmt: skip


def sale(*lines: dict[str, Any], total: int, **more: Any) -> dict[str, Any]:
    return {
        "id": "SALE1", "location_id": "L1", "state": "COMPLETED", "line_items": list(lines),
        "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:00:05.5Z",
        "total_money": euros(total), **more,
    }  # fmt: skip


def summed(record: OrderRecord) -> Decimal:
    """What the house makes of the parts of an order."""
    lines: Any = record.lines
    parts = parts_of(lines, tip=record.tip, tax=record.tax, tax_included=record.tax_included, currency=record.currency)
    return parts.total


# Money.


def test_a_till_sale_with_extras_discount_tip_and_rounding_adds_up() -> None:
    coffee = line(
        "a", 300, "2", total_discount_money=euros(50), total_tax_money=euros(121),
        variation_total_price_money=euros(600), gross_sales_money=euros(1),
        modifiers=[{"name": "Oat milk", "base_price_money": euros(50), "total_price_money": euros(100)}],
        applied_taxes=[{"tax_uid": "vat", "applied_money": euros(121)}],
    )  # fmt: skip
    raw = sale(
        coffee, total=855, total_tip_money=euros(200), total_tax_money=euros(121),
        taxes=[{"uid": "vat", "type": "INCLUSIVE", "applied_money": euros(121)}],
        rounding_adjustment={"amount_money": euros(5)},
        tenders=[
            {"id": "t1", "type": "CARD", "amount_money": euros(455), "card_details": {"status": "CAPTURED"}},
            {"id": "t2", "type": "CASH", "amount_money": euros(400)},
            {"id": "t3", "type": "NO_SALE", "amount_money": euros(0)},
        ],
    )  # fmt: skip
    record = order_record(raw)
    assert summed(record) == record.total == Decimal("8.55")
    assert record.tax_included
    bought = record.lines[0]
    assert (bought.title, bought.quantity, bought.unit_price) == ("Coffee (Oat milk)", 2, Decimal("3.50"))
    assert (bought.discount, bought.tax, bought.listing_id) == (Decimal("0.50"), Decimal("1.21"), "VAR-a")
    assert [(one.kind, one.unit_price) for one in record.lines[1:]] == [("adjustment", Decimal("0.05"))]
    assert [(one.tender, one.amount) for one in record.tenders] == [
        ("card", Decimal("4.55")),
        ("cash", Decimal("4.00")),
    ]
    assert sum(one.amount for one in record.tenders) == record.total


def test_added_taxes_stand_on_top_of_the_prices() -> None:
    raw = sale(
        line("a", 1000, total_tax_money=euros(88)), total=1088, total_tax_money=euros(88),
        taxes=[{"uid": "x", "type": "ADDITIVE", "applied_money": euros(88)}],
    )  # fmt: skip
    record = order_record(raw)
    assert not record.tax_included
    assert summed(record) == Decimal("10.88")


def test_an_order_with_added_and_included_taxes_adds_up_all_the_same() -> None:
    raw = sale(
        line("a", 1000, total_tax_money=euros(80)), line("b", 1230, total_tax_money=euros(230)), total=2310,
        total_tax_money=euros(310),
        taxes=[
            {"uid": "x", "type": "ADDITIVE", "applied_money": euros(80)},
            {"uid": "y", "type": "INCLUSIVE", "applied_money": euros(230)},
        ],
    )  # fmt: skip
    record = order_record(raw)
    assert summed(record) == record.total == Decimal("23.10")


def test_service_charges_are_fees_and_shipping_is_shipping() -> None:
    charges = [
        {"uid": "c1", "name": "Service", "applied_money": euros(150), "total_tax_money": euros(0)},
        {"uid": "c2", "name": "Standard Shipping", "applied_money": euros(490)},
        {"applied_money": euros(10)},
    ]
    record = order_record(sale(line("a", 1000), total=1650, service_charges=charges))
    assert [(one.kind, one.title, one.unit_price) for one in record.lines[1:]] == [
        ("fee", "Service", Decimal("1.50")),
        ("shipping", "Standard Shipping", Decimal("4.90")),
        ("fee", "Service charge", Decimal("0.10")),
    ]
    assert summed(record) == Decimal("16.50")


def test_custom_amounts_and_gift_cards_are_no_goods() -> None:
    custom = {"uid": "c", "quantity": "1", "item_type": "CUSTOM_AMOUNT", "base_price_money": euros(700)}
    card = {"uid": "g", "name": "Gift card", "quantity": "1", "item_type": "GIFT_CARD", "base_price_money": euros(2000)}
    record = order_record(sale(line("a", 1000), custom, card, total=3700))
    assert [one.kind for one in record.lines] == ["goods", "fee", "fee"]
    assert summed(record) == Decimal("37.00")


def test_goods_by_weight_become_one_piece_at_the_price_of_the_whole() -> None:
    raw = sale(line("a", 1250, "1.70000", variation_total_price_money=euros(2125)), total=2125)
    record = order_record(raw)
    (weighed,) = record.lines
    assert (weighed.quantity, weighed.unit_price, weighed.title) == (1, Decimal("21.25"), "1.7 Coffee")
    assert any("1.70000" in word for word in record.unknown)


@pytest.mark.parametrize(("currency", "amount", "total"), [("JPY", 1980, "1980"), ("KWD", 1980, "1.980")])
def test_amounts_have_the_digits_of_their_currency(currency: str, amount: int, total: str) -> None:
    raw = sale(line("a", 0), total=0) | {"total_money": euros(amount, currency)}
    raw["line_items"][0]["base_price_money"] = euros(amount, currency)
    record = order_record(raw)
    assert (record.currency, str(record.total), str(record.lines[0].unit_price)) == (currency, total, total)


def test_nulls_wherever_square_allows_them_are_nothing() -> None:
    unnamed = dict.fromkeys(("uid", "name", "variation_name", "catalog_object_id", "modifiers"))
    bare = {**unnamed, "quantity": "1", "base_price_money": euros(500), "total_discount_money": {"amount": None}}
    nothing = dict.fromkeys(
        ("reference_id", "customer_id", "ticket_name", "metadata", "taxes", "service_charges", "fulfillments",
         "tenders", "refunds", "returns", "rounding_adjustment", "total_tip_money"),
    )  # fmt: skip
    record = order_record(sale(bare, total=500, **nothing))
    assert (record.lines[0].external_id, record.lines[0].unit_price) == ("line-1", Decimal("5.00"))
    assert (record.name, record.customer_id, record.tenders, record.unknown) == ("", "", (), ())


# States.


def test_a_sale_at_the_till_left_with_the_buyer_and_a_shipped_one_did_not() -> None:
    assert order_record(sale(line("a", 100), total=100)).handed_over
    assert not order_record(sale(line("a", 100), total=100, state="OPEN")).handed_over
    parcel = {"uid": "f", "type": "SHIPMENT", "state": "COMPLETED", "shipment_details": {"carrier": "An Post"}}
    assert not order_record(sale(line("a", 100), total=100, fulfillments=[parcel])).handed_over


def test_what_was_shipped_or_fetched_is_told_with_its_units() -> None:
    parcels = [
        {
            "uid": "f1", "type": "SHIPMENT", "state": "COMPLETED", "line_item_application": "ENTRY_LIST",
            "entries": [{"line_item_uid": "a", "quantity": "2"}, {"line_item_uid": "a", "quantity": "1"}],
            "shipment_details": {
                "carrier": "An Post", "tracking_number": "CE1IE", "shipped_at": "2026-03-02T08:00:00+01:00",
                "recipient": {"display_name": "Ann Able", "address": {"address_line_1": "1 Main St", "country": "IE"}},
            },
        },
        {
            "uid": "f2", "type": "PICKUP", "state": "COMPLETED",
            "pickup_details": {"picked_up_at": "2026-03-02T09:00:00Z"},
        },
        {"uid": "f3", "type": "DELIVERY", "state": "PREPARED", "delivery_details": {}},
    ]  # fmt: skip
    record = order_record(sale(line("a", 100, "4"), line("b", 50), total=450, state="OPEN", fulfillments=parcels))
    shipped, fetched = record.fulfilments
    assert (shipped.lines, shipped.carrier, shipped.tracking_number) == ((("a", 3),), "An Post", "CE1IE")
    assert shipped.shipped_at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert fetched.lines == (("a", 4), ("b", 1))
    assert (record.name, record.shipping_address.street, record.shipping_address.country) == (
        "Ann Able",
        "1 Main St",
        "IE",
    )


def test_a_paid_order_whose_fulfilments_are_all_cancelled_is_cancelled() -> None:
    cancelled = {"uid": "f", "type": "SHIPMENT", "state": "CANCELED"}
    opened = {"uid": "g", "type": "SHIPMENT", "state": "PROPOSED"}
    assert order_record(sale(line("a", 100), total=100, state="OPEN", fulfillments=[cancelled])).is_cancelled
    assert not order_record(
        sale(line("a", 100), total=100, state="OPEN", fulfillments=[cancelled, opened])
    ).is_cancelled
    assert order_record(sale(line("a", 100), total=100, state="CANCELED")).is_cancelled


def test_drafts_opened_drawers_and_mere_returns_are_no_sales() -> None:
    drawer = {"id": "D", "state": "COMPLETED", "total_money": euros(0), "tenders": [{"type": "NO_SALE"}]}
    assert not is_order(drawer)
    assert not is_order(sale(line("a", 100), total=100, state="DRAFT"))
    assert not is_order({"id": "R", "state": "COMPLETED", "returns": [{"source_order_id": "S"}]})
    assert is_order(sale(line("a", 100), total=100, returns=[{"source_order_id": "S"}]))


def test_words_that_nobody_knows_yet_are_kept_and_stop_nothing() -> None:
    raw = sale(
        line("a", 100, item_type="HOLOGRAM"), total=100, state="PONDERING",
        tenders=[{"id": "t", "type": "SHELLS", "amount_money": euros(100), "shell_details": {"status": "SINGING"}}],
        taxes=[{"uid": "x", "type": "TITHE", "applied_money": euros(10)}], total_tax_money=euros(10),
        fulfillments=[{"uid": "f", "type": "TELEPORT", "state": "MIDWAY"}],
    )  # fmt: skip
    told = " ".join(order_record(raw).unknown)
    for word in ("HOLOGRAM", "PONDERING", "SHELLS", "SINGING", "TITHE", "TELEPORT", "MIDWAY"):
        assert word in told


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.001Z"),
        ("2026-03-01T10:00:00.9Z", "2026-03-01T10:00:01Z"),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:01Z"),
    ],
)
def test_the_later_change_has_the_greater_version_however_it_is_written(older: str, newer: str) -> None:
    assert changed_at({"updated_at": older}) < changed_at({"updated_at": newer})
    one, other = (order_record(sale(line("a", 1), total=1) | {"updated_at": at}) for at in (older, newer))
    assert one.version < other.version


# Money back.


def money_back(**more: Any) -> dict[str, Any]:
    refund = {"id": "REF1", "tender_id": "PAY1", "amount_money": euros(500), "status": "APPROVED", "reason": "broken"}
    return {
        "id": "RET1", "location_id": "L1", "state": "COMPLETED", "returns": [{"uid": "r1", "source_order_id": "SALE1"}],
        "return_amounts": {"total_money": euros(500)}, "refunds": [refund], "created_at": "2026-03-05T10:00:00Z",
        **more,
    }  # fmt: skip


def test_a_refund_goes_to_the_sale_that_it_names_and_makes_it_newer() -> None:
    given = refunds_by_sale(money_back())
    (refund,) = given["SALE1"]
    assert (refund.external_id, refund.amount, refund.reason) == ("REF1", Decimal("5.00"), "broken")
    record = order_record(sale(line("a", 1000), total=1000), given["SALE1"], changed_at(money_back()))
    assert record.refunds == (refund,)
    assert record.version > order_record(sale(line("a", 1000), total=1000)).version


def test_one_refund_has_one_name_in_orders_and_in_payments() -> None:
    in_payments = {"id": "PAY1_REF1", "payment_id": "PAY1", "amount_money": euros(500), "status": "COMPLETED"}
    assert refund_record(in_payments).external_id == refund_record(money_back()["refunds"][0]).external_id == "REF1"
    assert refund_record({"id": "PAY_X", "amount_money": euros(5)}).external_id == "PAY_X"


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "FAILED"])
def test_money_that_was_not_given_back_yet_is_no_refund(status: str) -> None:
    raw = money_back()
    raw["refunds"][0]["status"] = status
    assert refunds_by_sale(raw) == {"SALE1": ()}


def test_money_back_that_names_no_sale_belongs_to_none() -> None:
    with pytest.raises(ValueError, match="without naming the sale"):
        refunds_by_sale(money_back(returns=[{"uid": "r1", "source_order_id": None}]))


def test_what_came_back_in_exchange_pays_for_the_new_goods_and_is_given_back_on_the_old_sale() -> None:
    exchange = sale(line("a", 1500), total=1500) | {
        "id": "EXCH1", "returns": [{"uid": "r1", "source_order_id": "SALE1"}],
        "return_amounts": {"total_money": euros(1000)},
        "tenders": [{"id": "t1", "type": "CASH", "amount_money": euros(500)}],
    }  # fmt: skip
    record = order_record(exchange)
    assert [(one.tender, one.amount) for one in record.tenders] == [
        ("cash", Decimal("5.00")),
        ("exchange", Decimal("10.00")),
    ]
    assert sum(one.amount for one in record.tenders) == record.total
    (credit,) = refunds_by_sale(exchange)["SALE1"]
    assert (credit.amount, credit.reason) == (Decimal("10.00"), "exchanged")


def test_a_return_of_two_sales_gives_each_the_worth_of_its_own() -> None:
    raw = money_back(
        returns=[
            {"uid": "r1", "source_order_id": "SALE1", "return_amounts": {"total_money": euros(300)}},
            {"uid": "r2", "source_order_id": "SALE2", "return_amounts": {"total_money": euros(200)}},
        ]
    )
    given = {name: [refund.amount for refund in refunds] for name, refunds in refunds_by_sale(raw).items()}
    assert given == {"SALE1": [Decimal("3.00")], "SALE2": [Decimal("2.00")]}


# Customers, listings, stock.


def test_a_customer_who_unsubscribed_did_so_and_the_others_said_nothing() -> None:
    raw = {
        "id": "C1", "given_name": "Ann", "family_name": None, "company_name": "Able Ltd",
        "email_address": "ann@example.org",
        "updated_at": "2026-03-01T10:00:00Z", "preferences": {"email_unsubscribed": True},
        "address": {
            "address_line_1": "1 Main St", "address_line_2": "Flat 2", "address_line_3": "Rear", "locality": "Cork",
            "administrative_district_level_1": "Co. Cork", "postal_code": "T12", "country": "IE",
        },
    }  # fmt: skip
    record = customer_record(raw)
    assert (record.name, record.address.company, record.address.street2) == ("Ann", "Able Ltd", "Flat 2, Rear")
    assert record.accepts_email is False
    assert customer_record(raw | {"preferences": {"email_unsubscribed": False}}).accepts_email is None


def item(*variations: dict[str, Any], **about: Any) -> dict[str, Any]:
    return {"type": "ITEM", "id": "I1", "item_data": {"name": "Shirt", "variations": list(variations), **about}}


def variation(key: str, **data: Any) -> dict[str, Any]:
    return {
        "type": "ITEM_VARIATION", "id": key,
        "item_variation_data": {"name": "Regular", "sku": f"SKU-{key}", "pricing_type": "FIXED_PRICING",
                                "price_money": euros(1999), **data},
    }  # fmt: skip


def test_each_variation_is_a_listing_named_by_its_id() -> None:
    pairs = sold_variations(item(variation("V1", name="Blue", upc="012345678905"), variation("V2", name="Red")))
    blue, red = (listing_record(*pair) for pair in pairs)
    assert (blue.ref.key, blue.ref.sku, dict(blue.ref.ids)) == ("V1", "SKU-V1", {"item": "I1"})
    assert (blue.title, blue.barcode, blue.price, blue.currency) == (
        "Shirt - Blue",
        "012345678905",
        Decimal("19.99"),
        "EUR",
    )
    assert red.attributes == {"variation": "Red"}


def test_a_price_asked_at_the_till_is_no_price() -> None:
    (pair,) = sold_variations(item(variation("V1", pricing_type="VARIABLE_PRICING", price_money=None)))
    record = listing_record(*pair)
    assert (record.title, record.price, record.currency) == ("Shirt", None, "")


@pytest.mark.parametrize("about", [{"is_archived": True}, {"data": {"sellable": False}}])
def test_what_is_archived_or_not_sellable_is_not_on_sale(about: dict[str, Any]) -> None:
    data = about.pop("data", {})
    (pair,) = sold_variations(item(variation("V1", **data), **about))
    assert not listing_record(*pair).is_available


def test_services_and_gift_cards_are_no_listings() -> None:
    kinds = ("APPOINTMENTS_SERVICE", "GIFT_CARD")
    assert not any(sold_variations(item(variation("V1"), product_type=kind)) for kind in kinds)


@pytest.mark.parametrize("about", ["oops", {"product_type": {"oops": [True]}}, {"variations": 7}])
def test_an_item_that_cannot_be_read_does_not_stop_the_page(about: Any) -> None:
    with pytest.raises(READING_ERRORS):
        sold_variations({"type": "ITEM", "id": "I1", "item_data": about})


@pytest.mark.parametrize(("told", "units"), [("7", 7), ("7.9", 7), ("-2", -2), ("-0.5", -1), ("0", 0)])
def test_stock_in_parts_of_a_unit_shows_its_whole_units(told: str, units: int) -> None:
    raw = {"catalog_object_id": "V1", "location_id": "L1", "quantity": told}
    assert stock_record(raw, "SKU").quantity == units


# Square's own examples.


def published(name: str) -> Any:
    """The example of an answer in the published description."""
    file = vendor_apis() / "square" / "api.json"
    return json.loads(file.read_text(), parse_float=Decimal)["components"]["schemas"][name]["example"]


@pytest.mark.parametrize("name", ["BatchRetrieveOrdersResponse", "CreateOrderResponse", "RetrieveOrderResponse"])
def test_squares_own_orders_are_read_and_add_up(name: str) -> None:
    told = published(name)
    for raw in told.get("orders") or [told["order"]]:
        record = order_record({"created_at": "2020-01-01T00:00:00Z", **raw})
        assert record.external_id == raw["id"]
        assert summed(record) == record.total == Decimal(raw["total_money"]["amount"]) / 100


def test_squares_own_customers_catalogue_and_counts_are_read() -> None:
    assert [customer_record(raw).external_id for raw in published("SearchCustomersResponse")["customers"]]
    pairs = [pair for one in published("SearchCatalogItemsResponse")["items"] for pair in sold_variations(one)]
    assert [listing_record(*pair).ref.key for pair in pairs]
    (count, *_) = published("BatchRetrieveInventoryCountsResponse")["counts"]
    assert stock_record(count).quantity == int(count["quantity"])
    assert refund_record(published("RefundPaymentResponse")["refund"]).amount == Decimal("10.00")
