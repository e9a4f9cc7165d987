"""Events of customers, told to a pixel by TikTok's Business API: of people who agreed to advertising alone, under
pseudonyms that are hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.paging import in_parts
from finalmarket.connectors.platforms.tiktok.doors import Call, data_of
from finalmarket.connectors.records import ZERO, Raw
from finalmarket.connectors.refusals import tell_in_halves
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.connectors.vocabulary import filled

BATCH = 50
BAD_REQUEST = "40002"
# TikTok's standard events; others go under their own names.
NAMES = {
    "page_view": "Pageview", "view_item": "ViewContent", "search": "Search", "add_to_cart": "AddToCart",
    "begin_checkout": "InitiateCheckout", "purchase": "CompletePayment", "sign_up": "CompleteRegistration",
    "generate_lead": "SubmitForm",
}  # fmt: skip


def send(call: Call, url: str, token: str, pixel: str, events: Sequence[AnalyticsEvent]) -> list[Rejected]:
    """Tell these events, each known again by its key and name; those that were refused."""
    told = [event for event in events if event.allows_ads]
    words = "the person did not agree to advertising: TikTok is not told"
    refused = [Rejected(words, key=event.key) for event in events if not event.allows_ads]
    headers = {"Access-Token": token}

    def tell(some: Sequence[AnalyticsEvent]) -> None:
        body = {"pixel_code": pixel, "batch": [event_of(event) for event in some]}
        data_of(call("POST", url, exact=body, headers=headers, is_authorized=False, repeatable=True))

    for some in in_parts(told, BATCH):
        refused += tell_in_halves(some, tell, lambda event: event.key, lambda error: error.code == BAD_REQUEST)
    return refused


def event_of(event: AnalyticsEvent) -> Raw:
    """One event as TikTok takes it."""
    person = hashlib.sha256((event.user_id or event.client_id).strip().lower().encode()).hexdigest()
    properties: dict[str, Any] = {}
    if event.amount is not None and event.currency:
        properties |= {"value": event.amount, "currency": event.currency.upper()}
    if event.items:
        properties["contents"] = [_content(item) for item in event.items]
    term = event.values.get("search_term") or event.values.get("query")
    return {
        "type": "track", "event": NAMES.get(event.name, event.name), "event_id": event.key,
        "timestamp": event.at.astimezone(UTC).isoformat(), "context": {"user": {"external_id": person}},
        "properties": {**properties, **({"query": term} if term else {})},
    }  # fmt: skip


def _content(item: EventItem) -> Raw:
    named = filled({"content_name": item.title, "content_category": item.category})
    price = {"price": item.unit_price} if item.unit_price > ZERO else {}
    return {
        "content_id": item.sku, "content_type": "product", "quantity": item.quantity, **price,
        **named,
    }  # fmt: skip
