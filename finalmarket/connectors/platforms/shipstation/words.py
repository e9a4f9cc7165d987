"""From ShipStation's words to ours, and back: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import OrderContent, OrderNames
from finalmarket.connectors.drafts import shows
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.moments import utc
from finalmarket.connectors.own_keys import plain_or_digest
from finalmarket.connectors.people import address_fields as address_words
from finalmarket.connectors.records import ZERO, Address, Event, Raw
from finalmarket.connectors.shipping import Label, Shipment, ShippedItem, ShippingRate, TrackingRecord, TrackingStep
from finalmarket.connectors.vocabulary import filled

MOST_LETTERS_OF_NAME = 50  # external_shipment_id
MOST_LETTERS_OF_ARTICLE = 100
ADDRESS: Mapping[str, str] = {
    "name": "name", "company": "company_name", "street": "address_line1", "street2": "address_line2",
    "postcode": "postal_code", "city": "city_locality", "region": "state_province", "country": "country_code",
    "phone": "phone",
}  # fmt: skip
NEEDED_OF_ADDRESS = ("name", "phone", "address_line1", "city_locality", "country_code")
LABEL_STATES = {"completed": "bought", "processing": "bought", "voided": "voided"}
# The status of a parcel: two letters, and beside them or instead of them the words of the newer lists.
STATES: Mapping[str, str] = {
    "UN": "unknown", "AC": "under_way", "IT": "under_way", "DE": "delivered", "EX": "failed", "AT": "under_way",
    "NY": "label_made", "SP": "waiting_for_pickup", "DL_SP": "waiting_for_pickup",
    **dict.fromkeys(("AWAITING_DESPATCH", "COLLECTION_REQUESTED", "COLLECTION_FAILED", "ELEC_ADVICE_RECD_BY_CARRIER",
                     "NOT_YET_RECEIVED_BY_CARRIER", "AWAITING_ELECTRONIC_ADVICE"), "label_made"),
    **dict.fromkeys(("DESPATCHED", "COLLECTION_MADE", "ATTEMPTED_DELIVERY", "ATTEMPTED_DELIVERY_2ND",
                     "ATTEMPTED_DELIVERY_3RD", "CUSTOMER_CARDED", "CUSTOMER_IDENTIFICATION_FAILED",
                     "COD_AMOUNT_NOT_PAID", "COD_AMOUNT_PAID", "INVALID_METHOD_OF_PAYMENT",
                     "NO_ACCESS_TO_RECIPIENTS_ADDRESS", "ADDRESS_QUERY", "CARRIER_DELAYS", "CUSTOMS_CLEARED",
                     "CUSTOMS_PROCESSING", "DELAYED_NOT_CARRIER", "DELIVERY_ARRANGED_WITH_RECIPIENT",
                     "HELD_BY_CARRIER", "HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING", "HELD_BY_CUSTOMS",
                     "HELD_BY_EXPORT_CUSTOMS", "HELD_BY_IMPORT_CUSTOMS", "HUB_SCAN_OUT", "IN_TRANSIT",
                     "INCORRECT_DECLARATION", "MISSORTED", "PARCEL_OVER_LABELLED", "PARCEL_REPACKED",
                     "RECEIVED_BY_CARRIER", "RECEIVED_LOCAL_DELIVERY_DEPOT", "ROUTING_ERROR",
                     "SUB_CONTRACTOR_EVENT", "SUB_CONTRACTOR_RECEIVED", "RECD_BY_CARRIER_NO_ELEC_ADVICE",
                     "DELIVERED_IN_PART"), "under_way"),
    "OUT_FOR_DELIVERY": "out_for_delivery",
    **dict.fromkeys(("DELIVERED", "DELIVERED_DAMAGED", "DELIVERED_SPECIFIED_SAFE_PLACE",
                     "DELIVERED_TO_ALTERNATIVE_DELIVERY_LOCATION", "DELIVERED_TO_NEIGHBOUR", "DELIVERED_TO_PO_BOX",
                     "PARCEL_COLLECTED_FROM_PICKUP_POINT", "PROOF_OF_DELIVERY"), "delivered"),
    **dict.fromkeys(("AWAITING_COLLECTION_FROM_PICKUP_POINT", "COLLECT_AT_LOCAL_PO", "CUSTOMER_TO_COLLECT_FROM_CARRIER",
                     "DELIVERED_TO_LOCKER_COLLECTION_POINT"), "waiting_for_pickup"),
    **dict.fromkeys(("RETURN_TO_SENDER", "NOT_COLLECTED_FROM_PICKUP_POINT"), "returned"),
    **dict.fromkeys(("CANCELLED", "CANCELLED_BEFORE_DESPATCH", "CUSTOMER_MOVED", "HAZARDOUS_PROHIBITED",
                     "NOT_DELIVERED", "NOT_DELIVERED_ADDRESSEE_DECEASED", "PARCEL_DAMAGED", "PARCEL_DISPOSED",
                     "PARCEL_LOST", "PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY", "REFUSED_BY_CUSTOMER"), "failed"),
    **dict.fromkeys(("INFORMATION", "PARCEL_UPDATE_NOTIFICATION_VIA_EMAIL", "PARCEL_UPDATE_NOTIFICATION_VIA_SMS",
                     "CARRIER_STATUS_NOT_MAPPED", "POST_TRANSIT_STATUS"), "unknown"),
}  # fmt: skip


# Parcels and orders, as Shipments.


def name_of(prefix: str, key: str, number: int) -> str:
    """What a Shipment is called: our key, or its digest where it is long or odd, and which draft of it this is."""
    most = MOST_LETTERS_OF_NAME - len(f"{prefix}-{number}")
    return f"{prefix}{plain_or_digest(key, f'[A-Za-z0-9_.:-]{{1,{most}}}', 32)}-{number}"


def parcel_fields(shipment: Shipment) -> dict[str, Any]:
    """A Shipment for one parcel, without its name. Weights and lengths go as grams and centimetres, exactly.

    Raises Rejected for what no carrier would take.
    """
    size = shipment.size
    if size.weight_g <= 0:
        raise Rejected("a parcel needs a weight", key=shipment.key)
    package: dict[str, Any] = {"weight": grams(size.weight_g)}
    lengths = {"length": size.length_mm, "width": size.width_mm, "height": size.height_mm}
    if all(lengths.values()):
        centimetres = {side: Decimal(millimetres) / 10 for side, millimetres in lengths.items()}
        package["dimensions"] = {"unit": "centimeter", **centimetres}
    if shipment.sender.country != shipment.receiver.country:
        package["products"] = [customs_fields(shipment, item) for item in shipment.items]
        if not package["products"]:
            raise Rejected("customs ask for the articles in the parcel", key=shipment.key)
    return {
        "ship_to": address_fields(
            shipment.receiver, phone=shipment.sender.phone, email=shipment.receiver_email, key=shipment.key
        ),
        "ship_from": address_fields(shipment.sender, key=shipment.key),
        "packages": [package],
    }  # fmt: skip


def customs_fields(shipment: Shipment, item: ShippedItem) -> dict[str, Any]:
    """What customs are told of one article: value and weight of each piece. Raises Rejected where that is unknown."""
    if item.weight_g <= 0 or not item.origin or not shipment.currency:
        raise Rejected(f"customs ask for the weight, the value and the origin of {item.sku}", key=shipment.key)
    return {
        "description": (item.title or item.sku)[:MOST_LETTERS_OF_ARTICLE], "quantity": item.quantity,
        "value": money(item.unit_value, shipment.currency), "weight": grams(item.weight_g),
        "country_of_origin": item.origin, "sku": item.sku,
        **({"harmonized_tariff_code": item.hs_code} if item.hs_code else {}),
    }  # fmt: skip


def order_fields(content: OrderContent, origin: Raw, store_id: str) -> dict[str, Any]:
    """A Shipment for an order that is to be packed, without its name. Raises Rejected for one without an address."""
    goods = [line for line in content.lines if line.kind == "goods" and line.quantity > line.cancelled_quantity]
    shipping = sum((line.unit_price * line.quantity for line in content.lines if line.kind == "shipping"), ZERO)
    return {
        "create_sales_order": True,
        "ship_to": address_fields(
            content.shipping_address, phone=content.phone or str(origin.get("phone") or ""), email=content.email,
            key=content.key,
        ),
        "ship_from": dict(origin),
        "items": [
            {"name": line.title or line.sku, "sku": line.sku, "quantity": line.quantity - line.cancelled_quantity,
             "unit_price": line.unit_price, "external_order_id": content.number, "external_order_item_id": line.line_id}
            for line in goods
        ],
        "amount_paid": money(content.total, content.currency), "shipping_paid": money(shipping, content.currency),
        "tax_paid": money(content.tax, content.currency), **({"store_id": store_id} if store_id else {}),
    }  # fmt: skip


def address_fields(address: Address, *, key: str, phone: str = "", email: str = "") -> dict[str, str]:
    """An address. ShipStation asks for a telephone number and a region of everybody: who has none gets `phone` (the
    sender's), and the city for a region. Raises Rejected where more is missing."""
    whole = replace(
        address, name=address.name or address.company, phone=address.phone or phone,
        region=address.region or address.city,
    )  # fmt: skip
    fields = {"postal_code": "", **address_words(whole, ADDRESS), **filled({"email": email})}
    missing = [name for name in NEEDED_OF_ADDRESS if name not in fields]
    if missing:
        raise Rejected(f"the address of {whole.name or 'nobody'} has no {', '.join(missing)}", key=key)
    return {**fields, "address_residential_indicator": "unknown"}


def grams(weight: int) -> dict[str, Any]:
    """A weight."""
    return {"value": weight, "unit": "gram"}


def money(amount: Decimal, currency: str) -> dict[str, Any]:
    """An amount, at least nothing."""
    return {"currency": currency.lower(), "amount": max(amount, ZERO)}


def is_standing(shown: Raw, wanted: Mapping[str, Any]) -> bool:
    """Whether a Shipment is as it is wanted; it may hold more. One that was cancelled does not stand any more, whatever
    it says: it is not on the desk."""
    return shown.get("shipment_status") != "cancelled" and shows(shown, wanted, _is_same)


def _is_same(shown: Any, wanted: Any) -> bool:
    if isinstance(wanted, (int, Decimal)) and not isinstance(wanted, bool):
        return isinstance(shown, (int, Decimal)) and Decimal(shown) == wanted
    return bool(shown == wanted)


def order_names(raw: Raw) -> OrderNames:
    """What an order is called there, and its lines."""
    lines = {
        str(item["external_order_item_id"]): str(item.get("sales_order_item_id") or item["external_order_item_id"])
        for item in raw.get("items") or ()
        if item.get("external_order_item_id")
    }
    return OrderNames(external_id=str(raw["shipment_id"]), lines=lines)


# Rates, labels, tracking.


def shipping_rate(raw: Raw, shipment_id: str) -> ShippingRate:
    """A rate: all that would be charged for the label. Its `tax_amount` is none of that: it is what customs would take
    for the goods, and the four parts are what ShipStation calls the total price of a purchase."""
    parts = [raw[f"{part}_amount"] for part in ("shipping", "insurance", "confirmation", "other")]
    days = raw.get("delivery_days")
    return ShippingRate(
        rate_id=str(raw["rate_id"]), carrier=str(raw["carrier_code"]), service=str(raw["service_code"]),
        amount=sum((Decimal(part["amount"]) for part in parts), ZERO), currency=str(parts[0]["currency"]).upper(),
        days=None if days is None else int(days), shipment_id=shipment_id,
    )  # fmt: skip


def label_of(raw: Raw) -> Label:
    """A label. What its insurance costs is charged beside the costs of shipping."""
    costs = [raw.get(name) or {} for name in ("shipment_cost", "insurance_cost")]
    download = raw.get("label_download") or {}
    state = "voided" if raw.get("voided") else LABEL_STATES.get(str(raw["status"]), "unknown")
    return Label(
        label_id=str(raw["label_id"]), carrier=str(raw.get("carrier_code") or ""),
        service=str(raw.get("service_code") or ""), tracking_number=str(raw.get("tracking_number") or ""),
        tracking_url=str(raw.get("tracking_url") or ""),
        label_url=str(download.get("href") or download.get("pdf") or ""),
        amount=sum((Decimal(cost.get("amount", 0)) for cost in costs), ZERO),
        currency=str(costs[0].get("currency", "")).upper(), state=state, raw=raw,
    )  # fmt: skip


def tracking_record(raw: Raw, label_id: str = "") -> TrackingRecord:
    """Where a parcel is. The finer of the two codes is read, unless it says nothing."""
    codes = [str(raw[name]) for name in ("status_detail_code", "status_code") if raw.get(name)]
    known = [STATES[code] for code in codes if code in STATES]
    state = next((word for word in known if word != "unknown"), "unknown")
    steps = tuple(sorted((tracking_step(one) for one in raw.get("events") or ()), key=lambda step: step.at))
    latest = steps[-1].at if steps else datetime(1970, 1, 1, tzinfo=UTC)
    arrived = raw.get("actual_delivery_date")
    expected, shipped = raw.get("estimated_delivery_date"), raw.get("ship_date")
    is_moving = state not in ("label_made", "unknown")
    return TrackingRecord(
        tracking_number=str(raw["tracking_number"]), carrier=str(raw.get("carrier_code") or ""),
        version=f"{latest:%Y-%m-%dT%H:%M:%S.%fZ}-{len(steps):04d}", state=state, label_id=label_id,
        shipped_at=utc(shipped) if shipped and is_moving else None,
        delivered_at=utc(arrived) if arrived and state == "delivered" else None,
        expected_at=utc(expected) if expected else None, steps=steps,
        tracking_url=str(raw.get("tracking_url") or ""),
        unknown=tuple(code for code in codes if code not in STATES), raw=raw,
    )  # fmt: skip


def tracking_step(raw: Raw) -> TrackingStep:
    """One thing that happened to a parcel."""
    place = ", ".join(str(raw[part]) for part in ("city_locality", "state_province", "country_code") if raw.get(part))
    words = raw.get("description") or raw.get("carrier_status_description") or raw.get("status_description") or ""
    return TrackingStep(at=utc(raw["occurred_at"]), words=str(words), place=place)


def label_in(url: str) -> str:
    """The id of the label whose address this is; "" for none."""
    found = re.search(r"/labels/(se-[a-z0-9-]+)", url)
    return found[1] if found else ""


def event_of(raw: Raw, event_id: str, at: datetime) -> Event:
    """What a webhook tells. ShipStation gives events no id: `event_id` is made of the body."""
    topic = str(raw["resource_type"])
    if topic != "API_TRACK":
        return Event(event_id=event_id, topic=topic, kind="unknown", occurred_at=at)
    told = raw["data"]
    record = tracking_record(told, label_in(str(told.get("label_url") or "")))
    return Event(
        event_id=event_id, topic=topic, kind="tracking", external_id=record.tracking_number, occurred_at=at,
        record=record,
    )  # fmt: skip
