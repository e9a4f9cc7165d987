"""From Shopify's words to ours and back: listings, customers, and the small change of ids, amounts and keys."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.platforms.shopify.documents import DOCUMENTS
from finalmarket.connectors.platforms.shopify.words import (
    customer_record,
    gid,
    handle_of,
    html_of,
    key_of,
    listing_record,
    search_text,
    written,
)


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


def test_keys_tell_their_parts_apart() -> None:
    assert key_of("stock", "a", "bc") != key_of("stock", "ab", "c")


def test_every_document_holds_the_fragments_that_it_uses_and_no_others() -> None:
    for document in DOCUMENTS.values():
        used = set(re.findall(r"\.\.\.(\w+)", document.text))
        assert used == set(re.findall(r"^fragment (\w+)", document.text, re.MULTILINE)), document.name
