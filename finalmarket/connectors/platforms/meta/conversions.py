"""Events of customers, told to a dataset (pixel) by the Conversions API: only of people who agreed to advertising, and
with nothing of theirs but pseudonyms, hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import in_parts
from finalmarket.connectors.records import ZERO, Raw
from finalmarket.connectors.refusals import tell_in_halves
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.connectors.vocabulary import filled
from finalmarket.kernel import clock

BATCH = 1000
# Meta's standard events; others go under their own names.
NAMES = {
    "page_view": "PageView", "view_item": "ViewContent", "search": "Search", "add_to_cart": "AddToCart",
    "begin_checkout": "InitiateCheckout", "purchase": "Purchase", "sign_up": "CompleteRegistration",
    "generate_lead": "Lead",
}  # fmt: skip


def send(
    call: Callable[..., Answer], path: str, events: Sequence[AnalyticsEvent], most_age: timedelta
) -> list[Rejected]:
    """Tell these events, each known again by its key and name; those that were refused."""
    oldest, told, refused = clock.now() - most_age, [], []
    for event in events:
        if not event.allows_ads:
            refused.append(Rejected("the person did not agree to advertising: Meta is not told", key=event.key))
        elif event.at < oldest:
            refused.append(Rejected(f"Meta takes no event older than {most_age.days} days", key=event.key))
        else:
            told.append(event)

    def tell(some: Sequence[AnalyticsEvent]) -> None:
        answer = call("POST", path, exact={"data": [event_of(event) for event in some]}, repeatable=True)
        if fields_in(answer).get("events_received") != len(some):
            raise Unintelligible("Meta does not say that it took all events")

    for some in in_parts(told, BATCH):  # one bad event makes Meta refuse all; what came twice counts once
        refused += tell_in_halves(some, tell, lambda event: event.key, _is_about_events)
    return refused


def _is_about_events(error: Rejected) -> bool:
    return error.code.startswith("100") and error.code != "100/33"


def event_of(event: AnalyticsEvent) -> Raw:
    """One event as Meta takes it."""
    people = dict.fromkeys(hashed(name) for name in (event.user_id, event.client_id) if name)
    return {
        "event_name": NAMES.get(event.name, event.name), "event_time": int(event.at.timestamp()),
        "event_id": event.key, "action_source": "physical_store" if event.channel in ("pos", "store") else "other",
        "user_data": {"external_id": list(people)}, "custom_data": _data(event),
    }  # fmt: skip


def _data(event: AnalyticsEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if event.amount is not None and event.currency:
        data |= {"value": event.amount, "currency": event.currency.upper()}
    if event.order_number:
        data["order_id"] = event.order_number
    if event.items:
        data |= {
            "content_type": "product", "content_ids": [item.sku for item in event.items],
            "contents": [_content(item) for item in event.items],
            "num_items": sum(item.quantity for item in event.items),
        }  # fmt: skip
    term = event.values.get("search_term") or event.values.get("query")
    return {**data, **({"search_string": term} if term else {})}


def _content(item: EventItem) -> dict[str, Any]:
    price: dict[str, Decimal] = {"item_price": item.unit_price} if item.unit_price > ZERO else {}
    named = filled({"title": item.title, "brand": item.brand, "category": item.category})
    return {"id": item.sku, "quantity": str(item.quantity), **price, **named}


def hashed(name: str) -> str:
    """A name as Meta matches it: SHA-256 of its trimmed lower case, in hexadecimal digits."""
    return hashlib.sha256(name.strip().lower().encode()).hexdigest()
