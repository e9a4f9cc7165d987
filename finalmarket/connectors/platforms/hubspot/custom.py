"""The properties of our own that HubSpot's records get: what they are, and that they are there before we write to them.

A record of ours is known again by a property whose values are unique: HubSpot itself refuses a second record of the
same value, and reads and upserts by it. Published source: https://developers.hubspot.com/docs/api/crm/properties
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finalmarket.connectors.answers import rows_in
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.http import Http

GROUP = "finalmarket"
KEY, NUMBER, LINE = "finalmarket_key", "finalmarket_number", "finalmarket_line"
Property = dict[str, Any]


def _text(name: str, label: str, *, is_unique: bool = False, is_long: bool = False) -> Property:
    return {
        "name": name, "label": label, "type": "string", "fieldType": "textarea" if is_long else "text",
        "groupName": GROUP, **({"hasUniqueValue": True} if is_unique else {}),
    }  # fmt: skip


def _number(name: str, label: str) -> Property:
    return {"name": name, "label": label, "type": "number", "fieldType": "number", "groupName": GROUP}


def _moment(name: str, label: str) -> Property:
    return {"name": name, "label": label, "type": "datetime", "fieldType": "date", "groupName": GROUP}


_OF_AN_ORDER = (
    _text(NUMBER, "Order number", is_unique=True), _text("finalmarket_payment", "Payment state"),
    _number("finalmarket_tax", "Tax"), _number("finalmarket_refunded", "Refunded"),
    _moment("finalmarket_placed_at", "Ordered at"), _text("finalmarket_channel", "Sales channel"),
    _text("finalmarket_buyer", "Buyer"), _text("finalmarket_carrier", "Carrier"),
)  # fmt: skip
PROPERTIES: Mapping[str, tuple[Property, ...]] = {
    "contacts": (
        _text(KEY, "Key in The Final Market", is_unique=True), _text("finalmarket_segments", "Segments"),
        _text("finalmarket_agreed", "Agreed to", is_long=True),
        _text("finalmarket_refused", "Did not agree to", is_long=True),
        _number("finalmarket_order_count", "Orders"), _number("finalmarket_spent", "Spent"),
        _text("finalmarket_currency", "Currency of what was spent"), _moment("finalmarket_last_order_at", "Last order"),
    ),
    "orders": _OF_AN_ORDER,
    "deals": (
        *_OF_AN_ORDER, _text("finalmarket_tracking_number", "Tracking number"),
        _text("finalmarket_ship_to", "Shipped to", is_long=True),
    ),
    "line_items": (
        _text(LINE, "Line in The Final Market", is_unique=True), _text("finalmarket_kind", "Kind of line"),
        _number("finalmarket_tax", "Tax"), _number("finalmarket_cancelled", "Cancelled units"),
    ),
    "tickets": (
        _text(KEY, "Key in The Final Market", is_unique=True), _text("finalmarket_order", "Order number"),
        _text("finalmarket_context", "What it is about", is_long=True), _text("finalmarket_from", "From"),
        _text("finalmarket_tags", "Tags"),
    ),
}  # fmt: skip


def missing_properties(http: Http, kind: str) -> list[Property]:
    """Our properties of a kind of record that the account does not have (yet)."""
    wanted = PROPERTIES[kind]
    inputs = [{"name": one["name"]} for one in wanted]
    answer = http.call(
        "POST", f"/crm/v3/properties/{kind}/batch/read", json={"archived": False, "inputs": inputs}, repeatable=True
    )
    there = {str(one.get("name")) for one in rows_in(answer, "results")}
    return [one for one in wanted if one["name"] not in there]


def make_properties(http: Http, kind: str) -> None:
    """Have all our properties of a kind of record there. What another of us makes at the same time is there, too."""
    missing = missing_properties(http, kind)
    if not missing:
        return
    for path, body in (
        ("groups", {"name": GROUP, "label": "The Final Market"}), ("batch/create", {"inputs": missing}),
    ):  # fmt: skip
        try:
            http.call("POST", f"/crm/v3/properties/{kind}/{path}", json=body, repeatable=True)
        except Rejected as error:
            if error.status != 409:
                raise
    left = missing_properties(http, kind)
    if left:
        raise Rejected(f"HubSpot did not make the property {left[0]['name']} of {kind}")
