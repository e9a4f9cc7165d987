"""From EasyPost's words to ours, and back: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from finalmarket.connectors.drafts import shows
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.moments import utc
from finalmarket.connectors.own_keys import plain_or_digest
from finalmarket.connectors.people import address_fields
from finalmarket.connectors.records import Event, Raw
from finalmarket.connectors.shipping import Label, Shipment, ShippingRate, TrackingRecord, TrackingStep
from finalmarket.connectors.vocabulary import filled

GRAMS_OF_OUNCE = Decimal("28.349523125")  # the international avoirdupois ounce
MILLIMETRES_OF_INCH = Decimal("25.4")
EXPORT_WITHOUT_FILING = "NOEEI 30.37(a)"  # 15 CFR 30.37(a): up to 2,500 dollars of one kind of goods
ADDRESS: Mapping[str, str] = {
    "name": "name", "company": "company", "street": "street1", "street2": "street2", "postcode": "zip", "city": "city",
    "region": "state", "country": "country", "phone": "phone",
}  # fmt: skip
STATES = {
    "unknown": "unknown", "pre_transit": "label_made", "in_transit": "under_way",
    "out_for_delivery": "out_for_delivery", "delivered": "delivered", "available_for_pickup": "waiting_for_pickup",
    "return_to_sender": "returned", "failure": "failed", "cancelled": "failed", "error": "unknown",
}  # fmt: skip
LABEL_STATES = {"submitted": "voiding", "refunded": "voided", "rejected": "bought", "not_applicable": "bought"}


def shipment_fields(shipment: Shipment, settings: Mapping[str, str]) -> dict[str, Any]:
    """A Shipment to be made, without its reference. Raises Rejected for what no carrier would take."""
    size = shipment.size
    if size.weight_g <= 0:
        raise Rejected("a parcel needs a weight", key=shipment.key)
    lengths = {"length": size.length_mm, "width": size.width_mm, "height": size.height_mm}
    known = {name: inches(length) for name, length in lengths.items()} if all(lengths.values()) else {}
    fields: dict[str, Any] = {
        "to_address": {**address_fields(shipment.receiver, ADDRESS), **filled({"email": shipment.receiver_email})},
        "from_address": address_fields(shipment.sender, ADDRESS),
        "parcel": {**known, "weight": ounces(size.weight_g)},
        "options": {
            "label_format": settings.get("label_format") or "PDF",
            "invoice_number": shipment.order_number,
        },
    }  # fmt: skip
    if shipment.sender.country != shipment.receiver.country:
        fields["customs_info"] = customs_fields(shipment)
    accounts = [name.strip() for name in settings.get("carrier_accounts", "").split(",") if name.strip()]
    return {**fields, "carrier_accounts": accounts} if accounts else fields


def customs_fields(shipment: Shipment) -> dict[str, Any]:
    """What customs are told: of each article its whole value and weight. Raises Rejected where that is not known."""
    items = []
    for item in shipment.items:
        if item.weight_g <= 0 or not item.origin:
            raise Rejected(f"customs ask for the weight and the origin of {item.sku}", key=shipment.key)
        fields = {
            "description": item.title or item.sku, "quantity": str(item.quantity),
            "value": format(item.unit_value * item.quantity, "f"), "weight": ounces(item.weight_g * item.quantity),
            "origin_country": item.origin, "hs_tariff_number": item.hs_code, "code": item.sku,
            "currency": shipment.currency,
        }  # fmt: skip
        items.append(filled(fields))
    if not items:
        raise Rejected("customs ask for the articles in the parcel", key=shipment.key)
    filing = {"eel_pfc": EXPORT_WITHOUT_FILING} if shipment.sender.country == "US" else {}
    return {
        **filing, "customs_certify": True, "customs_signer": shipment.sender.name or shipment.sender.company,
        "contents_type": "merchandise", "restriction_type": "none", "non_delivery_option": "return",
        "customs_items": items,
    }  # fmt: skip


def ounces(grams: int) -> str:
    """Grams in ounces, to the next hundredth up: a label for less than the parcel weighs is refused on the way."""
    return _text((Decimal(grams) / GRAMS_OF_OUNCE).quantize(Decimal("0.01"), ROUND_CEILING))


def inches(millimetres: int) -> str:
    """Millimetres in inches, to the next hundredth up."""
    return _text((Decimal(millimetres) / MILLIMETRES_OF_INCH).quantize(Decimal("0.01"), ROUND_CEILING))


def reference_of(key: str, number: int) -> str:
    """What a parcel's draft is called: our key, or its digest where it is long or odd, and which draft it is."""
    return f"fm-{plain_or_digest(key, '[A-Za-z0-9_.:-]{1,80}', 40)}-{number}"


def is_draft_of(shown: Raw, wanted: Raw) -> bool:
    """Whether a Shipment that stands there is the wanted one. Which carriers were asked does not show in it."""
    return shows(shown, {name: part for name, part in wanted.items() if name != "carrier_accounts"}, _is_same)


def _is_same(shown: Any, wanted: Any) -> bool:
    """Values may be written another way there."""
    if isinstance(shown, (int, Decimal)) and not isinstance(shown, bool):
        return Decimal(wanted) == shown
    return _plain(shown) == _plain(wanted) or _number(shown) == _number(wanted) is not None


def _plain(value: Any) -> str:
    return re.sub(r"[\W_]+", "", str(value)).casefold()


def _number(value: Any) -> Decimal | None:
    text = str(value)
    return Decimal(text) if re.fullmatch(r"\d{1,20}(\.\d{1,10})?", text) else None


def shipping_rate(raw: Raw) -> ShippingRate:
    """A Rate."""
    days = raw.get("delivery_days")
    return ShippingRate(
        rate_id=str(raw["id"]), carrier=str(raw["carrier"]), service=str(raw["service"]), amount=Decimal(raw["rate"]),
        currency=str(raw["currency"]).upper(), days=None if days is None else int(days),
        shipment_id=str(raw["shipment_id"]),
    )  # fmt: skip


def carrier_words(raw: Raw) -> str:
    """What carriers say against a parcel, in the messages of a Shipment."""
    said = (f"{message.get('carrier', '')}: {message['message']}" for message in raw.get("messages") or ())
    return "; ".join(said)


def label_of(raw: Raw) -> Label:
    """The label of a Shipment that was bought."""
    printed, rate, tracker = raw["postage_label"], raw["selected_rate"], raw.get("tracker") or {}
    said = raw.get("refund_status")
    return Label(
        label_id=str(raw["id"]), carrier=str(rate["carrier"]), service=str(rate["service"]),
        tracking_number=str(raw.get("tracking_code") or ""), tracking_url=str(tracker.get("public_url") or ""),
        label_url=str(printed["label_url"]), amount=Decimal(rate["rate"]), currency=str(rate["currency"]).upper(),
        state="bought" if said is None else LABEL_STATES.get(said, "unknown"), raw=raw,
    )  # fmt: skip


def tracking_record(raw: Raw) -> TrackingRecord:
    """A Tracker. One of a label of ours that no carrier has seen yet counts as label_made.

    Steps are only ever added, so their number says what is newer before the time does: a clock may be set back.
    """
    said, details = str(raw["status"]), [one for one in raw.get("tracking_details") or () if one.get("datetime")]
    label_id = str(raw.get("shipment_id") or "")
    state = "label_made" if said == "unknown" and label_id and not details else STATES.get(said, "unknown")
    moved = [utc(one["datetime"]) for one in details if one.get("status") not in ("pre_transit", "unknown")]
    arrived = [utc(one["datetime"]) for one in details if one.get("status") == "delivered"]
    changed = utc(raw["updated_at"])
    return TrackingRecord(
        tracking_number=str(raw["tracking_code"]), carrier=str(raw.get("carrier") or ""),
        version=f"{len(details):04d}-{changed:%Y-%m-%dT%H:%M:%S.%fZ}", state=state, label_id=label_id,
        shipped_at=min(moved, default=None), delivered_at=max(arrived, default=None) if said == "delivered" else None,
        expected_at=utc(raw["est_delivery_date"]) if raw.get("est_delivery_date") else None,
        steps=tuple(tracking_step(one) for one in details), tracking_url=str(raw.get("public_url") or ""),
        unknown=() if said in STATES else (said,), raw=raw,
    )  # fmt: skip


def tracking_step(raw: Raw) -> TrackingStep:
    """One TrackingDetail."""
    where = raw.get("tracking_location") or {}
    place = ", ".join(str(where[part]) for part in ("city", "state", "country") if where.get(part))
    return TrackingStep(at=utc(raw["datetime"]), words=str(raw.get("message") or ""), place=place)


def event_of(raw: Raw, topics: Sequence[str]) -> Event:
    """An Event; those of parcels carry their Tracker."""
    topic = str(raw["description"])
    at = utc(raw["created_at"]) if raw.get("created_at") else None
    if topic not in topics:
        return Event(event_id=str(raw["id"]), topic=topic, kind="unknown", occurred_at=at)
    record = tracking_record(raw["result"])
    return Event(
        event_id=str(raw["id"]), topic=topic, kind="tracking", external_id=record.tracking_number, occurred_at=at,
        record=record,
    )  # fmt: skip


def _text(number: Decimal) -> str:
    return format(number.normalize(), "f")
