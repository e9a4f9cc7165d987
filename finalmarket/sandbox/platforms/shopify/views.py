"""What a shop's things look like from outside: objects with all the fields that our documents may ask for."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.platforms.shopify.query_language import QueryFault
from finalmarket.sandbox.platforms.shopify.shop import (
    Shop,
    Thing,
    financial_status,
    fulfilment_status,
    shipped,
    tax_of,
    total_of,
    waiting,
)

View = dict[str, Any]
MOST_OF_A_PAGE = 250


def moment(at: datetime | None) -> str | None:
    """A moment as Shopify writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def number(gid: str) -> str:
    """The bare number of an id."""
    return gid.rpartition("/")[2]


def money(amount: Decimal, currency: str) -> View:
    """MoneyV2."""
    return {"__typename": "MoneyV2", "amount": format(amount.quantize(Decimal("0.01")), "f"), "currencyCode": currency}


def bag(amount: Decimal, shop: Shop, order: Thing) -> View:
    """MoneyBag: the shop's money and the buyer's."""
    return {
        "__typename": "MoneyBag",
        "shopMoney": money(amount, shop.currency),
        "presentmentMoney": money(amount * order["rate"], order["presentment"]),
    }


def connection(nodes: Sequence[View]) -> Callable[[View], View]:
    """A list within an object; its cursors count places."""

    def page(asked: View) -> View:
        first = page_size(asked)
        start = int(read_cursor(asked["after"])) + 1 if asked.get("after") else 0
        there = list(nodes[start : start + first])
        return {
            "nodes": there,
            "pageInfo": page_info(start + first < len(nodes), write_cursor(str(start + len(there) - 1))),
        }

    return page


def page_size(asked: View) -> int:
    """How many nodes are asked for. Raises QueryFault where that is none of 1 to 250."""
    first = asked.get("first")
    if not isinstance(first, int) or not 1 <= first <= MOST_OF_A_PAGE:
        raise QueryFault(f"you must provide one of first or last, up to {MOST_OF_A_PAGE}")
    return first


def page_info(more: bool, cursor: str | None) -> View:
    """PageInfo."""
    return {"__typename": "PageInfo", "hasNextPage": more, "endCursor": cursor}


def write_cursor(place: str) -> str:
    """A cursor, as opaque as Shopify's."""
    return urlsafe_b64encode(place.encode()).decode()


def read_cursor(text: str) -> str:
    """The place that a cursor names. Raises QueryFault for another text."""
    try:
        return urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        raise INVALID_CURSOR from None


INVALID_CURSOR = QueryFault("Invalid cursor for current pagination sort.")


def address(given: Thing | None) -> View | None:
    """MailingAddress."""
    if given is None:
        return None
    names = ("name", "company", "address1", "address2", "city", "province", "provinceCode", "zip", "countryCodeV2",
             "phone")  # fmt: skip
    return {"__typename": "MailingAddress", "id": given.get("id"), **{name: given.get(name) for name in names}}


# Orders.


def order(shop: Shop, one: Thing) -> View:
    """Order."""
    customer = shop.customers.get(one["customer"] or "")
    view = {
        "__typename": "Order",
        "id": one["id"],
        "name": one["name"],
        "createdAt": moment(one["created"]),
        "updatedAt": moment(one["updated"]),
        "processedAt": moment(one["processed"]),
        "cancelledAt": moment(one["cancelled"]),
        "cancelReason": one["cancel_reason"],
        "test": one["test"],
        "sourceName": one["source"],
        "currencyCode": shop.currency,
        "presentmentCurrencyCode": one["presentment"],
        "taxesIncluded": one["taxes_included"],
        "dutiesIncluded": False,
        "displayFinancialStatus": financial_status(one),
        "displayFulfillmentStatus": fulfilment_status(one),
        "email": one["email"],
        "phone": one["phone"],
        "customerLocale": one["locale"],
        "customer": {"__typename": "Customer", "id": customer["id"], "displayName": full_name(customer)}
        if customer
        else None,
        "retailLocation": location_link(one["retail_location"]),
        "shippingAddress": address(one["shipping"]),
        "billingAddress": address(one["billing"]),
        "totalPriceSet": bag(total_of(one), shop, one),
        "totalTaxSet": bag(tax_of(one), shop, one),
        "totalTipReceivedSet": bag(one["tip"], shop, one),
        "additionalFees": [fee(shop, one, each) for each in one["fees"]],
        "lineItems": connection([line(shop, one, each) for each in one["lines"]]),
        "shippingLines": connection([shipping_line(shop, one, each) for each in one["shipping_lines"]]),
        "transactions": [transaction(shop, one, each) for each in one["transactions"]],
        "refunds": [refund(shop, one, each) for each in one["refunds"]],
        "fulfillments": [fulfilment(each) for each in one["fulfillments"]],
        "fulfillmentOrders": connection([fulfilment_order(each) for each in one["fulfillment_orders"]]),
    }
    return {**view, **one["said"]}


def location_link(location: str | None) -> View | None:
    """Location, its id only."""
    return {"__typename": "Location", "id": location} if location else None


def taxes(shop: Shop, one: Thing, part: Thing) -> list[View]:
    """TaxLine of a part of an order."""
    return [
        {"__typename": "TaxLine", "title": title, "priceSet": bag(amount, shop, one)} for title, amount in part["taxes"]
    ]


def discounts(shop: Shop, one: Thing, part: Thing) -> list[View]:
    """DiscountAllocation of a part of an order."""
    return [
        {"__typename": "DiscountAllocation", "allocatedAmountSet": bag(amount, shop, one)}
        for amount in part["discounts"]
    ]


def line(shop: Shop, one: Thing, each: Thing) -> View:
    """LineItem."""
    return {
        "__typename": "LineItem",
        "id": each["id"],
        "title": each["title"],
        "variantTitle": each["variant_title"],
        "sku": each["sku"],
        "quantity": each["quantity"],
        "currentQuantity": each["current"],
        "unfulfilledQuantity": waiting(one, each["id"]),
        "fulfilledQuantity": shipped(one, each["id"]),
        "requiresShipping": each["requires_shipping"],
        "isGiftCard": each["gift_card"],
        "variant": {"__typename": "ProductVariant", "id": each["variant"]} if each["variant"] else None,
        "product": {"__typename": "Product", "id": each["product"]} if each["product"] else None,
        "originalUnitPriceSet": bag(each["price"], shop, one),
        "discountAllocations": discounts(shop, one, each),
        "taxLines": taxes(shop, one, each),
        "duties": [
            {"__typename": "Duty", "id": duty["id"], "price": bag(duty["price"], shop, one),
             "taxLines": taxes(shop, one, duty)}
            for duty in each["duties"]
        ],
    }  # fmt: skip


def shipping_line(shop: Shop, one: Thing, each: Thing) -> View:
    """ShippingLine."""
    return {
        "__typename": "ShippingLine",
        "id": each["id"],
        "title": each["title"],
        "originalPriceSet": bag(each["price"], shop, one),
        "discountAllocations": discounts(shop, one, each),
        "taxLines": taxes(shop, one, each),
    }


def fee(shop: Shop, one: Thing, each: Thing) -> View:
    """AdditionalFee."""
    price = bag(each["price"], shop, one)
    return {
        "__typename": "AdditionalFee", "id": each["id"], "name": each["name"], "price": price,
        "taxLines": taxes(shop, one, each),
    }  # fmt: skip


def transaction(shop: Shop, one: Thing, each: Thing) -> View:
    """OrderTransaction."""
    return {
        "__typename": "OrderTransaction",
        "id": each["id"],
        "kind": each["kind"],
        "status": each["status"],
        "gateway": each["gateway"],
        "amountSet": bag(each["amount"], shop, one),
        "parentTransaction": {"__typename": "OrderTransaction", "id": each["parent"]} if each["parent"] else None,
    }


def refund(shop: Shop, one: Thing, each: Thing) -> View:
    """Refund."""
    lines = [
        {"__typename": "RefundLineItem", "quantity": entry["quantity"], "restockType": entry["restock"],
         "lineItem": {"__typename": "LineItem", "id": entry["line"]}}
        for entry in each["lines"]
    ]  # fmt: skip
    return {
        "__typename": "Refund", "id": each["id"], "note": each["note"],
        "totalRefundedSet": bag(each["amount"], shop, one), "refundLineItems": connection(lines),
    }  # fmt: skip


def fulfilment(each: Thing) -> View:
    """Fulfillment."""
    lines = [
        {"__typename": "FulfillmentLineItem", "quantity": units, "lineItem": {"__typename": "LineItem", "id": line_id}}
        for line_id, units in each["lines"]
    ]
    tracking = each["tracking"]
    return {
        "__typename": "Fulfillment",
        "id": each["id"],
        "status": each["status"],
        "createdAt": moment(each["created"]),
        "location": location_link(each["location"]),
        "trackingInfo": [{"__typename": "FulfillmentTrackingInfo", **tracking}] if tracking else [],
        "fulfillmentLineItems": connection(lines),
    }


def fulfilment_order(each: Thing) -> View:
    """FulfillmentOrder."""
    lines = [
        {"__typename": "FulfillmentOrderLineItem", "id": entry["id"], "totalQuantity": entry["total"],
         "remainingQuantity": entry["remaining"], "lineItem": {"__typename": "LineItem", "id": entry["line"]}}
        for entry in each["lines"]
    ]  # fmt: skip
    place = {"__typename": "FulfillmentOrderAssignedLocation", "location": location_link(each["location"])}
    return {
        "__typename": "FulfillmentOrder", "id": each["id"], "status": each["status"], "assignedLocation": place,
        "lineItems": connection(lines),
    }  # fmt: skip


# Products, stock, customers.


def product(shop: Shop, one: Thing) -> View:
    """Product."""
    return {
        "__typename": "Product",
        "id": one["id"],
        "title": one["title"],
        "description": one["description"],
        "vendor": one["vendor"],
        "productType": one["type"],
        "status": one["status"],
        "handle": one["handle"],
        "variants": lambda asked: connection([variant(shop, shop.variants[each]) for each in one["variants"]])(asked),
    }


def variant(shop: Shop, one: Thing) -> View:
    """ProductVariant."""
    item = shop.items[one["item"]]
    return {
        "__typename": "ProductVariant",
        "id": one["id"],
        "title": one["title"],
        "sku": one["sku"] or None,
        "barcode": one["barcode"] or None,
        "price": format(one["price"].quantize(Decimal("0.01")), "f"),
        "selectedOptions": [
            {"__typename": "SelectedOption", "name": name, "value": value} for name, value in one["options"]
        ],
        "inventoryItem": {"__typename": "InventoryItem", "id": item["id"], "tracked": item["tracked"]},
        "product": product(shop, shop.products[one["product"]]),
    }


def inventory_item(shop: Shop, one: Thing) -> View:
    """InventoryItem."""

    def level(asked: View) -> View | None:
        if asked["locationId"] not in shop.locations:
            raise QueryFault(f"Invalid id: {asked['locationId']}", "RESOURCE_NOT_FOUND")
        found = one["levels"].get(asked["locationId"])
        return inventory_level(found) if found else None

    variant_sku = shop.variants[one["variant"]]["sku"]
    return {
        "__typename": "InventoryItem", "id": one["id"], "sku": variant_sku or None, "tracked": one["tracked"],
        "inventoryLevel": level,
    }  # fmt: skip


def inventory_level(level: Thing) -> View:
    """InventoryLevel."""

    def quantities(asked: View) -> list[View]:
        held = {
            "available": level["available"], "committed": level["committed"],
            "on_hand": level["available"] + level["committed"],
        }  # fmt: skip
        return [
            {"__typename": "InventoryQuantity", "name": name, "quantity": held[name]}
            for name in asked["names"]
            if name in held
        ]

    return {"__typename": "InventoryLevel", "id": level["id"], "quantities": quantities}


def full_name(one: Thing) -> str:
    """A customer's name."""
    return f"{one['first']} {one['last']}".strip() or one["email"] or ""


def customer(one: Thing) -> View:
    """Customer."""
    email = {"__typename": "CustomerEmailAddress", "emailAddress": one["email"], "marketingState": one["consent"]}
    return {
        "__typename": "Customer",
        "id": one["id"],
        "createdAt": moment(one["created"]),
        "updatedAt": moment(one["updated"]),
        "displayName": full_name(one),
        "firstName": one["first"] or None,
        "lastName": one["last"] or None,
        "locale": one["locale"],
        "defaultEmailAddress": email if one["email"] else None,
        "defaultPhoneNumber": {"__typename": "CustomerPhoneNumber", "phoneNumber": one["phone"]}
        if one["phone"]
        else None,
        "defaultAddress": address(one["addresses"][0]) if one["addresses"] else None,
    }
