"""Orders by hand, in the shape of the fragment WholeOrder: everything that a test does not say is as usual."""

from __future__ import annotations

from typing import Any

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
