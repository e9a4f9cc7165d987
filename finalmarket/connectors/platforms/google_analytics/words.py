"""From our events to Google's, and from its reports to our figures: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import ZERO, Raw
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, FigureRecord
from finalmarket.connectors.vocabulary import cut

NAMES = {"product_view": "view_item", "checkout_start": "begin_checkout"}
# What Google asks of its recommended events, by its own schema of them.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "purchase": ("transaction_id", "value", "items"), "refund": ("transaction_id", "value"),
    "add_to_cart": ("value", "items"), "remove_from_cart": ("value", "items"), "view_item": ("value", "items"),
    "begin_checkout": ("value", "items"), "view_cart": ("value", "items"), "add_to_wishlist": ("value", "items"),
    "add_shipping_info": ("value", "items"), "add_payment_info": ("value", "items"), "view_item_list": ("items",),
    "select_item": ("items",), "generate_lead": ("value",), "search": ("search_term",),
}  # fmt: skip
# Names that only Google's own tags may send.
RESERVED = frozenset(
    {
        "ad_activeview", "ad_click", "ad_exposure", "ad_query", "ad_reward", "adunit_exposure", "app_clear_data",
        "app_exception", "app_remove", "app_store_refund", "app_store_subscription_cancel",
        "app_store_subscription_convert", "app_store_subscription_renew", "app_update", "app_upgrade",
        "dynamic_link_app_open", "dynamic_link_app_update", "dynamic_link_first_open", "error", "firebase_campaign",
        "first_open", "first_visit", "in_app_purchase", "notification_dismiss", "notification_foreground",
        "notification_open", "notification_receive", "notification_send", "os_update", "session_start",
        "user_engagement",
    }
)  # fmt: skip
NAME = re.compile(r"(?!ga_|google_|firebase_)[A-Za-z][A-Za-z0-9_]{0,39}")
SEARCHED = ("search_term", "query", "q")
DEVICES = ("desktop", "mobile", "tablet")
MOST_PARAMS = 25
MOST_ITEMS = 200
MOST_LETTERS = 100
LEAST_MILLISECONDS = 1  # of engagement: without any, a visitor does not count as active


def payload_of(events: Sequence[AnalyticsEvent], currency: str) -> dict[str, Any]:
    """One request: events of one person, device and consent."""
    first = events[0]
    answer = "GRANTED" if first.allows_ads else "DENIED"
    return {
        "client_id": first.client_id, **({"user_id": first.user_id} if first.user_id else {}),
        "consent": {"ad_user_data": answer, "ad_personalization": answer},
        **({"device": {"category": first.device}} if first.device in DEVICES else {}),
        "events": [event_fields(event, currency) for event in events],
    }  # fmt: skip


def event_fields(event: AnalyticsEvent, currency: str) -> dict[str, Any]:
    """One event, with its own moment. Raises Rejected for one that Google would pass over in silence."""
    name = NAMES.get(event.name, event.name)
    if not NAME.fullmatch(name) or name in RESERVED:
        raise Rejected(f"Google takes no event of the name {name[:60]!r}", key=event.key)
    params = params_of(event, name, currency)
    missing = [param for param in REQUIRED.get(name, ()) if param not in params]
    if missing:
        raise Rejected(f"Google counts no {name} without {' and '.join(missing)}", key=event.key)
    return {"name": name, "params": params, "timestamp_micros": micros(event.at)}


def params_of(event: AnalyticsEvent, name: str, currency: str) -> dict[str, Any]:
    """What is told of an event: Google's words first, then as many of our values as there is room for."""
    amount = event.amount
    if amount is None and "value" in REQUIRED.get(name, ()) and event.name != "refund":
        amount = sum((item.unit_price * item.quantity for item in event.items), ZERO)
    term = next((event.values[word] for word in SEARCHED if event.values.get(word)), "")
    known: dict[str, Any] = {
        "event_id": event.key, "session_id": event.session_id, "transaction_id": event.order_number,
        "affiliation": event.channel, "search_term": term if name == "search" else "",
        "items": [item_fields(item) for item in event.items[:MOST_ITEMS]],
    }  # fmt: skip
    params = {param: part if param == "items" else part[:MOST_LETTERS] for param, part in known.items() if part}
    params["engagement_time_msec"] = LEAST_MILLISECONDS
    if amount is not None:
        params |= {"value": amount, "currency": event.currency or currency}
    params |= {param: part for param, part in (("tax", event.tax), ("shipping", event.shipping)) if part is not None}
    for param, value in event.values.items():
        if len(params) < MOST_PARAMS and param not in (*params, *SEARCHED) and NAME.fullmatch(param) and value:
            params[param] = value[:MOST_LETTERS]
    return params


def item_fields(item: EventItem) -> dict[str, Any]:
    """One article."""
    texts = {
        "item_id": item.sku, "item_name": item.title, "item_brand": item.brand, "item_category": item.category,
    }  # fmt: skip
    return {**cut(texts, MOST_LETTERS), "price": item.unit_price, "quantity": item.quantity}


def micros(at: datetime) -> int:
    """A moment in microseconds since 1970."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def figures_of(report: Raw) -> list[FigureRecord]:
    """The rows of a report on date and source; columns are found by their names."""
    dimensions = [str(one["name"]) for one in report.get("dimensionHeaders") or ()]
    metrics = [str(one["name"]) for one in report.get("metricHeaders") or ()]
    currency = str((report.get("metadata") or {}).get("currencyCode") or "").upper()
    found = []
    for row in report.get("rows") or ():
        where = dict(zip(dimensions, (str(one["value"]) for one in row["dimensionValues"]), strict=True))
        counted = dict(zip(metrics, (str(one["value"]) for one in row["metricValues"]), strict=True))
        found.append(
            FigureRecord(
                day=date.fromisoformat(where["date"]), source=where["sessionSourceMedium"],
                sessions=int(counted["sessions"]), users=int(counted["totalUsers"]),
                purchases=int(counted["ecommercePurchases"]), revenue=Decimal(counted["purchaseRevenue"]),
                currency=currency,
            )
        )  # fmt: skip
    return found
