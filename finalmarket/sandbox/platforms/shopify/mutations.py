"""What can be changed in a shop: the mutations that a hub uses, with what Shopify refuses."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from finalmarket.sandbox.platforms.shopify import order_mutations, views
from finalmarket.sandbox.platforms.shopify.house import House, wrong
from finalmarket.sandbox.platforms.shopify.shop import Shop, Thing
from finalmarket.sandbox.platforms.shopify.views import View

MOST_QUANTITY = 1_000_000_000
Mutation = Callable[[House, View], View]


# Stock and prices.


def set_quantities(house: House, asked: View) -> View:
    """inventorySetQuantities: all of it or nothing."""
    given = asked["input"]
    errors = []
    if given["name"] not in ("available", "on_hand"):
        errors.append(wrong("The quantity name must be available or on_hand.", "input", "name", code="INVALID_NAME"))
    for index, one in enumerate(given["quantities"]):
        errors += _quantity_errors(house.state, one, "input", "quantities", index)
    if errors:
        return {"inventoryAdjustmentGroup": None, "userErrors": errors}
    for one in given["quantities"]:
        _set_quantity(house, one["inventoryItemId"], one["locationId"], one["quantity"])
    group = {"__typename": "InventoryAdjustmentGroup", "id": house.state.new_id("InventoryAdjustmentGroup")}
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _quantity_errors(shop: Shop, one: View, *field: object) -> list[View]:
    item = shop.items.get(one["inventoryItemId"])
    if item is None:
        message = "The specified inventory item could not be found."
        return [wrong(message, *field, "inventoryItemId", code="INVALID_INVENTORY_ITEM")]
    if one["locationId"] not in shop.locations:
        message = "The specified location could not be found."
        return [wrong(message, *field, "locationId", code="INVALID_LOCATION")]
    level = item["levels"].get(one["locationId"])
    if level is None:
        message = "The specified inventory item is not stocked at the location."
        return [wrong(message, *field, "locationId", code="ITEM_NOT_STOCKED_AT_LOCATION")]
    if not -MOST_QUANTITY <= one["quantity"] <= MOST_QUANTITY:
        message = "The total quantity can't be higher than 1,000,000,000."
        return [wrong(message, *field, "quantity", code="INVALID_QUANTITY_TOO_HIGH")]
    if "changeFromQuantity" not in one:
        message = "The changeFromQuantity argument must be given to each quantity."
        return [wrong(message, *field, "changeFromQuantity", code="COMPARE_QUANTITY_REQUIRED")]
    if one["changeFromQuantity"] not in (None, level["available"]):
        message = "The changeFromQuantity argument no longer matches the persisted quantity."
        return [wrong(message, *field, "changeFromQuantity", code="CHANGE_FROM_QUANTITY_STALE")]
    return []


def _set_quantity(house: House, item_id: str, location: str, quantity: int) -> None:
    item = house.state.items[item_id]
    level = house.state.level(item, location)
    was, level["available"], level["updated"] = level["available"], quantity, house.now()
    if was != quantity:
        variant = house.state.variants[item["variant"]]
        house.effect(
            "stock", key=variant["id"], sku=variant["sku"], location=location, quantity=quantity, was=was
        )  # fmt: skip
        house.tell_stock(item, location)


def activate(house: House, asked: View) -> View:
    """inventoryActivate"""
    item = house.state.items.get(asked["inventoryItemId"])
    if item is None or asked["locationId"] not in house.state.locations:
        return {"inventoryLevel": None, "userErrors": [wrong("The item or the location could not be found.")]}
    if asked["locationId"] in item["levels"] and asked.get("available") is not None:
        message = "Not allowed to set available quantity when the item is already active at the location."
        return {"inventoryLevel": None, "userErrors": [wrong(message, "available")]}
    level = house.state.level(item, asked["locationId"])
    _set_quantity(house, item["id"], asked["locationId"], asked.get("available") or 0)
    return {"inventoryLevel": views.inventory_level(level), "userErrors": []}


def update_variants(house: House, asked: View) -> View:
    """productVariantsBulkUpdate, with allowPartialUpdates"""
    product = house.state.products.get(asked["productId"])
    if product is None:
        errors = [wrong("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")]
        return {"product": None, "productVariants": None, "userErrors": errors}
    errors, good = [], []
    for index, given in enumerate(asked["variants"]):
        found = _variant_errors(product, given, "variants", index)
        errors += found
        if not found:
            good.append(given)
    if errors and not asked.get("allowPartialUpdates"):
        good = []
    changed = [_change_variant(house, given) for given in good]
    if any(changed):
        house.tell_product(product)
    made = [views.variant(house.state, house.state.variants[given["id"]]) for given in good]
    return {"product": views.product(house.state, product), "productVariants": made, "userErrors": errors}


def _variant_errors(product: Thing, given: View, *field: object) -> list[View]:
    if given["id"] not in product["variants"]:
        return [wrong("Product variant does not exist", *field, "id", code="PRODUCT_VARIANT_DOES_NOT_EXIST")]
    price = _decimal(given.get("price", "0"))
    if price is None or price < 0:
        return [wrong("Price must be greater than or equal to 0", *field, "price", code="GREATER_THAN_OR_EQUAL_TO")]
    return []


def _decimal(text: Any) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _change_variant(house: House, given: View) -> bool:
    """Take over what is given; whether anything changed by it."""
    variant = house.state.variants[given["id"]]
    before = dict(variant)
    if "price" in given:
        variant["price"] = Decimal(given["price"])
        if variant["price"] != before["price"]:
            house.effect("price", key=variant["id"], sku=variant["sku"], amount=given["price"])
    variant["barcode"] = given.get("barcode", variant["barcode"])
    variant["sku"] = (given.get("inventoryItem") or {}).get("sku", given.get("sku", variant["sku"]))
    if {**variant, "price": 0} != {**before, "price": 0}:
        house.effect("listing", key=variant["id"], sku=variant["sku"])
    return variant != before


# Listings.

PRODUCT_FIELDS = {
    "title": "title", "descriptionHtml": "description", "vendor": "vendor", "productType": "type", "status": "status",
}  # fmt: skip


def set_product(house: House, asked: View) -> View:
    """productSet, of a product with one variant; one with that handle is changed"""
    shop, given = house.state, asked["input"]
    handle = asked["identifier"]["handle"]
    product = next((one for one in shop.products.values() if one["handle"] == handle), None)
    if product is None and not (given.get("title") or "").strip():
        message = "Title can't be blank"
        return {"product": None, "userErrors": [wrong(message, "input", "title", code="MISSING_FIELD_REQUIRED")]}
    for index, one in enumerate(given["variants"]):
        price = _decimal(one.get("price", "0"))
        if price is None or price < 0:
            field = ("input", "variants", index, "price")
            return {
                "product": None,
                "userErrors": [wrong("Price must be greater than or equal to 0", *field, code="INVALID_VARIANT")],
            }
    is_new = product is None
    if product is None:
        product = shop.add_product(house.now(), handle=handle)
    _take_over(product, given)
    for one in given["variants"]:
        facts = {"price": Decimal(one.get("price", "0")), "sku": one.get("sku", ""), "barcode": one.get("barcode", "")}
        if is_new:
            variant = shop.add_variant(product, **facts)
            house.effect("listing", key=variant["id"], sku=variant["sku"])
        else:
            shop.variants[product["variants"][0]].update(facts)
    house.tell_product(product)
    return {"product": views.product(shop, product), "userErrors": []}


def update_product(house: House, asked: View) -> View:
    """productUpdate"""
    product = house.state.products.get(asked["product"].get("id", ""))
    if product is None:
        return {"product": None, "userErrors": [wrong("Product does not exist", "product", "id")]}
    if asked["product"].get("title") == "":
        return {"product": None, "userErrors": [wrong("Title can't be blank", "product", "title")]}
    before = dict(product)
    _take_over(product, asked["product"])
    if product != before:
        house.effect("listing", key=product["variants"][0], product=product["id"])
        house.tell_product(product)
    return {"product": views.product(house.state, product), "userErrors": []}


def _take_over(product: Thing, given: View) -> None:
    for theirs, ours in PRODUCT_FIELDS.items():
        if theirs in given:
            product[ours] = given[theirs]


def publish(house: House, asked: View) -> View:
    """publishablePublish"""
    product = house.state.products.get(asked["id"])
    if product is None:
        return {"userErrors": [wrong("Resource not found", "id")]}
    for one in asked["input"]:
        if one["publicationId"] not in house.state.publications:
            return {"userErrors": [wrong("Publication does not exist", "input")]}
        if one["publicationId"] not in product["publications"]:
            product["publications"].append(one["publicationId"])
            house.effect("publication", product=product["id"], publication=one["publicationId"])
    return {"userErrors": []}


MUTATIONS: dict[str, Mutation] = {
    "inventorySetQuantities": set_quantities,
    "inventoryActivate": activate,
    "productVariantsBulkUpdate": update_variants,
    "productSet": set_product,
    "productUpdate": update_product,
    "publishablePublish": publish,
    "fulfillmentCreate": order_mutations.fulfil,
    "refundCreate": order_mutations.refund,
    "orderCancel": order_mutations.cancel,
    "customerSet": order_mutations.set_customer,
    "customerAddressCreate": order_mutations.set_address,
    "customerAddressUpdate": order_mutations.set_address,
    "customerEmailMarketingConsentUpdate": order_mutations.set_consent,
    "customerRequestDataErasure": order_mutations.erase_customer,
    "webhookSubscriptionCreate": order_mutations.subscribe,
}
# Those that must be sent under a key, with the object that they make: asked again, it is shown as it stands then.
UNDER_A_KEY = {
    "inventorySetQuantities": "inventoryAdjustmentGroup", "inventoryActivate": "inventoryLevel",
    "refundCreate": "refund",
}  # fmt: skip
