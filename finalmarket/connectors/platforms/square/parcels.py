"""What a fulfilment of an order is told about our parcels. Pure functions, no calls.

Square knows one fulfilment with one tracking number for many parcels. What each parcel held is noted in the
fulfilment's metadata, so that a parcel told twice counts once, and the last one completes the fulfilment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.platforms.square.calls import name_of
from finalmarket.connectors.platforms.square.words import SENT_OR_FETCHED, order_lines, parcel_lines
from finalmarket.connectors.records import FulfilmentNotice, OrderLine, Raw

OVER = frozenset({"COMPLETED", "CANCELED", "FAILED"})
MOST_LETTERS_A_NOTE = 255
OUR_NOTES = "fm-"


def parcel_told(order: Raw, notice: FulfilmentNotice) -> tuple[str, dict[str, Any] | None]:
    """The uid of the fulfilment that the parcel belongs to, and what to tell of it; None: that is known already.

    Raises Rejected where no fulfilment is open for these goods.
    """
    lines = order_lines(order, [])
    name = name_of(notice.key)
    parcels = [one for one in order.get("fulfillments") or () if one.get("type") in SENT_OR_FETCHED and one.get("uid")]
    for parcel in parcels:
        if name in (parcel.get("metadata") or {}):
            return str(parcel["uid"]), None
    wanted = {line_id for line_id, _ in notice.lines}
    holding = [one for one in parcels if wanted <= dict(parcel_lines(one, lines)).keys()]
    opened = [one for one in holding if one.get("state") not in OVER]
    if opened:
        return str(opened[0]["uid"]), _fields(opened[0], notice, name, lines)
    done = [one for one in holding if one.get("state") == "COMPLETED"]
    if done:
        return str(done[0]["uid"]), None  # somebody marked it there: it has left, as we say
    raise Rejected("the order has no open fulfilment of these goods", key=notice.key)


def _fields(parcel: Raw, notice: FulfilmentNotice, name: str, lines: Sequence[OrderLine]) -> dict[str, Any]:
    places = {line.external_id: number for number, line in enumerate(lines)}
    note = ",".join(f"{places[line_id]}:{units}" for line_id, units in notice.lines if line_id in places)
    if len(note) > MOST_LETTERS_A_NOTE:
        raise Rejected("the parcel holds more different lines than Square can note", key=notice.key)
    told: dict[str, Any] = {"uid": parcel["uid"], "metadata": {name: note}}
    left = dict(parcel_lines(parcel, lines))
    for one in (*_our_notes(parcel), note):
        for place, units in _units(one):
            if place < len(lines):
                left[lines[place].external_id] = left.get(lines[place].external_id, 0) - units
    if all(units <= 0 for units in left.values()):
        told["state"] = "COMPLETED"
    elif parcel.get("state") == "PROPOSED":
        told["state"] = "RESERVED"
    if parcel.get("type") == "SHIPMENT":
        tracking = {
            "carrier": notice.carrier[:50], "tracking_number": notice.tracking_number[:100],
            "tracking_url": notice.tracking_url[:2000],
        }  # fmt: skip
        told["shipment_details"] = {field: value for field, value in tracking.items() if value}
    return told


def _our_notes(parcel: Raw) -> list[str]:
    metadata: Mapping[str, Any] = parcel.get("metadata") or {}
    return [str(note) for name, note in metadata.items() if name.startswith(OUR_NOTES)]


def _units(note: str) -> list[tuple[int, int]]:
    pairs = [pair.partition(":") for pair in note.split(",") if pair]
    return [(int(place), int(units)) for place, _, units in pairs if place.isdigit() and units.isdigit()]


def cancelled_parcels(order: Raw, reason: str) -> list[dict[str, Any]]:
    """What the open fulfilments of a cancelled order are told."""
    return [
        {
            "uid": parcel["uid"], "state": "CANCELED",
            f"{parcel['type'].lower()}_details": {"cancel_reason": (reason or "cancelled")[:100]},
        }
        for parcel in order.get("fulfillments") or ()
        if parcel.get("type") in SENT_OR_FETCHED and parcel.get("uid") and parcel.get("state") not in OVER
    ]  # fmt: skip
