"""Shopify: webhooks. They are hints: what a delivery names is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from finalmarket.connectors.contract import ReceivesWebhooks
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import NeedsAttention, Rejected, WebhookRefused
from finalmarket.connectors.platforms.shopify.entrance import Entrance, refuse
from finalmarket.connectors.platforms.shopify.orders import moment
from finalmarket.connectors.platforms.shopify.words import gid
from finalmarket.connectors.records import Delivery, Event
from finalmarket.connectors.signing import hmac_base64, require_signature

# What a topic concerns, what it names, and where its body has the id of that.
TOPICS: Mapping[str, tuple[str, str, str]] = {
    "orders/create": ("orders", "Order", "id"),
    "orders/updated": ("orders", "Order", "id"),
    "orders/cancelled": ("orders", "Order", "id"),
    "refunds/create": ("orders", "Order", "order_id"),
    "inventory_levels/update": ("stock", "InventoryItem", "inventory_item_id"),
    "products/update": ("listings", "ProductVariant", "id"),
    "customers/create": ("customers", "Customer", "id"),
    "customers/update": ("customers", "Customer", "id"),
    "app/uninstalled": ("uninstalled", "", ""),
}
# Set up with the app itself, not by subscription. A request for data is no order to erase: the topic tells which it is.
DATA_REQUEST = "customers/data_request"
PRIVACY_TOPICS = frozenset({DATA_REQUEST, "customers/redact", "shop/redact"})


class Webhooks(Entrance, ReceivesWebhooks):
    """Receives what Shopify tells by itself."""

    webhook_topics = tuple(TOPICS)
    webhook_secrets = ("client_secret",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Deliveries are signed with the app's secret, which is known already."""
        nodes = self.ask("Subscriptions", {"uri": url})["webhookSubscriptions"]["nodes"]
        there = {node["topic"] for node in nodes if node["uri"] == url}
        for topic in TOPICS:
            name = topic.upper().replace("/", "_")
            if name in there:
                continue
            asked = {"topic": name, "subscription": {"uri": url, "format": "JSON"}}
            try:
                refuse(self.change("Subscribe", asked, repeatable=True), topic)
            except Rejected as error:
                if "already been taken" not in error.reason:  # a first try came through unnoticed
                    raise
        return {}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. One app has one secret for all shops: a delivery for another shop is refused too."""
        signature = delivery.header("X-Shopify-Hmac-Sha256")
        require_signature([signature], self.webhook_secret(), delivery.body, hmac_base64)
        try:
            ours = self.shop()
        except NeedsAttention:
            raise WebhookRefused("this account names no shop: enter it in the integration's settings") from None
        if delivery.header("X-Shopify-Shop-Domain").strip().lower() != ours:
            raise WebhookRefused("the delivery is for another shop")

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. A product's event names each of its variants, for these are the listings."""
        topic = delivery.header("X-Shopify-Topic").strip().lower()
        given = delivery.header("X-Shopify-Webhook-Id")
        event_id = given or hashlib.sha256(topic.encode() + delivery.body).hexdigest()
        found, occurred_at = read_delivery(
            delivery,
            lambda body: (list(named_in(topic, body if isinstance(body, dict) else {})), _occurred_at(delivery)),
        )
        return [
            Event(
                event_id=event_id if number == 0 else f"{event_id}/{number}", topic=topic, kind=kind,
                external_id=external_id, occurred_at=occurred_at,
            )
            for number, (kind, external_id) in enumerate(found)
        ]  # fmt: skip


def named_in(topic: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a delivery is about: kinds with GraphQL ids."""
    if topic in PRIVACY_TOPICS:
        person = (body.get("customer") or {}).get("id")
        yield "data_request" if topic == DATA_REQUEST else "erase", gid("Customer", person) if person else ""
    elif topic == "products/update":
        variants = [one["admin_graphql_api_id"] for one in body.get("variant_gids") or body.get("variants") or ()]
        yield from (("listings", gid("ProductVariant", one)) for one in variants)
        if not variants:
            yield "listings", ""
    elif topic in TOPICS:
        kind, thing, field = TOPICS[topic]
        yield kind, gid(thing, body[field]) if field else ""
    else:
        yield "unknown", ""


def _occurred_at(delivery: Delivery) -> datetime | None:
    text = delivery.header("X-Shopify-Triggered-At")
    return moment(text) if text else None
