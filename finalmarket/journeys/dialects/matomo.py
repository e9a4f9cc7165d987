"""Matomo's tracking API (https://developer.matomo.org/api-reference/tracking-api). The site id is the write key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from finalmarket.journeys.dialects.heard import (
    NO_SHIFT,
    Call,
    Heard,
    Reading,
    Unreadable,
    Who,
    an_object,
    details,
    fields,
    happened,
    listed,
    message_id,
    parsed,
    person_id,
    read_all,
    text,
)
from finalmarket.journeys.dialects.names import kind_of

NAME = "matomo"
MOST_FIELDS_OF_AN_EVENT = 100
NO_DEED = ("ping", "link", "download", "_cip")
"""Requests that say that somebody is still there, or left by a link: nothing that the house counts."""


def read(call: Call) -> Reading:
    """What a request to /matomo.php says. Raises Unreadable where the whole of it cannot be taken."""
    if call.body.lstrip()[:1] == b"{":
        told = an_object(parsed(call.body), "the body")
        batch = [_unpacked(one) for one in listed(told.get("requests"), '"requests"')]
    else:
        batch = [{**call.query, **call.form}]
    first = batch[0] if batch and type(batch[0]) is dict else {}
    return read_all(Reading(call.key or text(first.get("idsite"))), batch, _heard, call.received_at)


def _unpacked(one: Any) -> Any:
    """One event of a batch, which comes as an address; one that cannot be read stays as it came, for `_heard`."""
    try:
        return fields(one.lstrip("?"), MOST_FIELDS_OF_AN_EVENT) if type(one) is str else one
    except Unreadable:
        return one


def _heard(raw: Any, received_at: datetime) -> Heard:
    if type(raw) is str:
        raise Unreadable(f"it has more than {MOST_FIELDS_OF_AN_EVENT} fields")
    get = an_object(raw).get
    account = person_id(get("uid"))
    device = person_id(get("cid")) or person_id(get("_id"))
    if not account and not device:
        raise Unreadable("it names nobody: neither uid nor _id is an id")
    name, kind, properties = _deed(raw)
    at = happened(get("cdt") or None, NO_SHIFT, received_at)
    kept = {} if kind == "" else details(name, properties, get("url"), get("ua"), referrer=text(get("urlref"), 1_000))
    return Heard(Who(account, device), kind, name, message_id(None), at, kept)


def _deed(raw: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Any]]:
    """Its name, which of the sixteen it is, and its details."""
    get = raw.get
    if get("ec_id") or (get("idgoal") == "0" and get("revenue")):
        if not get("ec_id"):
            return "Cart Updated", "", {}
        order = {
            "order_id": text(get("ec_id"), 100),
            "total": text(get("revenue"), 40),
            "products": _items(get("ec_items")),
        }
        return "Order Completed", "checkout_complete", order
    if get("search"):
        return "Products Searched", "search", {"query": text(get("search"))}
    if get("e_c") or get("e_a"):
        name = text(get("e_a") or get("e_c"), 200)
        return name, kind_of(name), {"category": text(get("e_c")), "label": text(get("e_n")), "value": text(get("e_v"))}
    sku = get("_pks")
    if sku:
        return "Product Viewed", "product_view", {"sku": text(sku, 100), "name": text(get("_pkn"))}
    if any(get(word) for word in NO_DEED):
        return "ping", "", {}
    return text(get("action_name"), 200) or "page", "page_view", {}


def _items(told: Any) -> list[dict[str, Any]]:
    """The lines of an order: SKU, name, category, price, quantity."""
    try:
        lines = orjson.loads(told) if type(told) is str else told
        return [{"sku": line[0], "name": line[1], "price": line[3], "quantity": line[4]} for line in lines or []]
    except (orjson.JSONDecodeError, TypeError, IndexError, KeyError):
        return []
