"""Webhooks as Shopify writes them: bodies in the shape of its older API, signed with the app's secret."""

from __future__ import annotations

import hmac
import json
import uuid
from base64 import b64encode
from datetime import datetime
from typing import Any

from finalmarket.sandbox.platforms.shopify.shop import Shop, Thing, financial_status, total_of
from finalmarket.sandbox.platforms.shopify.views import full_name, moment, number

VERSION = "2026-07"
WEBHOOK_IDS = uuid.UUID("0d5f6f0a-6c1b-5b5e-9c1a-3b0f5a5a9b11")


def letter(
    secret: str, domain: str, topic: str, body: dict[str, Any], at: datetime, count: int
) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery; `count` tells deliveries apart."""
    written = json.dumps(body, ensure_ascii=False).encode()
    signature = b64encode(hmac.digest(secret.encode(), written, "sha256")).decode()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-API-Version": VERSION,
        "X-Shopify-Webhook-Id": str(uuid.uuid5(WEBHOOK_IDS, f"webhook {count}")),
        "X-Shopify-Event-Id": str(uuid.uuid5(WEBHOOK_IDS, f"event {count}")),
        "X-Shopify-Triggered-At": at.isoformat().replace("+00:00", "Z"),
    }, written


def order_body(shop: Shop, order: Thing) -> dict[str, Any]:
    """orders/create, orders/updated, orders/cancelled."""
    return {
        "id": int(number(order["id"])), "admin_graphql_api_id": order["id"], "name": order["name"],
        "created_at": moment(order["created"]), "updated_at": moment(order["updated"]),
        "cancelled_at": moment(order["cancelled"]), "financial_status": financial_status(order).lower(),
        "currency": shop.currency, "total_price": str(total_of(order)), "test": order["test"],
        "line_items": [
            {"id": int(number(line["id"])), "admin_graphql_api_id": line["id"], "sku": line["sku"],
             "quantity": line["quantity"], "current_quantity": line["current"]}
            for line in order["lines"]
        ],
    }  # fmt: skip


def refund_body(order: Thing, refund: Thing) -> dict[str, Any]:
    """refunds/create."""
    return {
        "id": int(number(refund["id"])), "admin_graphql_api_id": refund["id"], "order_id": int(number(order["id"])),
        "note": refund["note"],
    }  # fmt: skip


def level_body(item: Thing, location: str, at: datetime) -> dict[str, Any]:
    """inventory_levels/update."""
    item_number = number(item["id"])
    level = item["levels"][location]
    return {
        "inventory_item_id": int(item_number), "location_id": int(number(location)), "available": level["available"],
        "updated_at": moment(at), "admin_graphql_api_id": f"{level['id']}?inventory_item_id={item_number}",
    }  # fmt: skip


def product_body(shop: Shop, product: Thing) -> dict[str, Any]:
    """products/update."""
    variants = [shop.variants[each] for each in product["variants"]]
    return {
        "id": int(number(product["id"])), "admin_graphql_api_id": product["id"], "title": product["title"],
        "status": product["status"].lower(), "vendor": product["vendor"], "updated_at": moment(product["updated"]),
        "variants": [
            {"id": int(number(each["id"])), "admin_graphql_api_id": each["id"], "sku": each["sku"],
             "price": str(each["price"]), "inventory_item_id": int(number(each["item"]))}
            for each in variants
        ],
    }  # fmt: skip


def customer_body(customer: Thing) -> dict[str, Any]:
    """customers/create, customers/update."""
    return {
        "id": int(number(customer["id"])), "admin_graphql_api_id": customer["id"], "email": customer["email"],
        "phone": customer["phone"], "first_name": customer["first"], "last_name": customer["last"],
        "updated_at": moment(customer["updated"]), "name": full_name(customer),
    }  # fmt: skip


def privacy_body(shop: Shop, customer: Thing | None) -> dict[str, Any]:
    """customers/data_request, customers/redact, shop/redact."""
    body: dict[str, Any] = {"shop_id": 1, "shop_domain": shop.domain}
    if customer is not None:
        orders = [int(number(one["id"])) for one in shop.orders.values() if one["customer"] == customer["id"]]
        body |= {
            "customer": {"id": int(number(customer["id"])), "email": customer["email"], "phone": customer["phone"]},
            "orders_to_redact": orders,
        }
    return body
