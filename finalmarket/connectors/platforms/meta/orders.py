"""Orders that were paid on Facebook or Instagram, and their parcels.

The description names the nodes and edges; what stands in their objects (items, amounts, addresses) is told in Meta's
order guides only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.keyset import LONG_AGO, place_of
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.people import read_address
from finalmarket.connectors.platforms.meta.graph import name_of
from finalmarket.connectors.records import (
    ZERO,
    Address,
    FulfilmentNotice,
    FulfilmentRecord,
    OrderLine,
    OrderRecord,
    Raw,
    Tender,
)

PAGE = 25
# One that Facebook is still looking at may never become an order: it is not asked for.
STATES = ("CREATED", "IN_PROGRESS", "COMPLETED")
FIELDS = (
    "id,order_status,created,last_updated,is_test_order,channel,merchant_order_id,ship_by_date,"
    "items{id,retailer_id,product_id,product_name,quantity,price_per_unit,tax_details},selected_shipping_option,"
    "shipping_address,estimated_payment_details,buyer_details,cancellations,refunds,shipments"
)
CARRIERS = ("DHL", "FEDEX", "UPS", "USPS", "ROYAL_MAIL", "DPD", "GLS", "TNT", "ONTRAC", "CANADA_POST")
Rows = Callable[[str, Mapping[str, Any]], Iterator[Raw]]


def changed(rows: Rows, path: str, cursor: str, since: datetime | None) -> Iterator[Raw]:
    """The orders that changed since the place of a cursor, in Facebook's order."""
    begin = place_of(cursor, since).at
    asked = {"fields": FIELDS, "state": ",".join(STATES), "limit": PAGE}
    yield from rows(path, {**asked, **({"updated_after": int(begin.timestamp()) - 1} if begin > LONG_AGO else {})})


def order_of(raw: Raw) -> OrderRecord:
    """An order as it stands there. What cannot be told from it (cancellations without their items, refunds, whose form
    is not published) is named as unknown, for a person to look at."""
    payment, state = raw["estimated_payment_details"], str(raw["order_status"]["state"])
    total, currency = _amount(payment["total_amount"]), str(payment["total_amount"]["currency"]).upper()
    unknown = [] if state in STATES or state == "FB_PROCESSING" else [state]
    cancelled, unclear = _cancelled(_rows(raw, "cancellations"))
    unknown += unclear + [f"refund {name_of(row)}" for row in _rows(raw, "refunds")]
    goods = [_line(row, cancelled) for row in raw["items"]["data"]]
    at = zoned(raw["last_updated"])
    return OrderRecord(
        external_id=name_of(raw), version=at.isoformat(), placed_at=zoned(raw["created"]), updated_at=at,
        currency=currency, lines=(*goods, *_shipping(raw.get("selected_shipping_option"))), number=name_of(raw),
        is_test=raw.get("is_test_order") is True, place=str(raw.get("channel") or ""),
        is_cancelled=bool(goods) and all(line.cancelled_quantity >= line.quantity for line in goods),
        tenders=(Tender(external_id=f"{name_of(raw)}-payment", tender="platform", amount=total),),
        fulfilments=tuple(_parcel(row) for row in _rows(raw, "shipments")),
        shipping_address=_address(raw.get("shipping_address") or {}), tax_included=False,
        tax=_amount(payment["tax"]) if payment.get("tax") else None, total=total, unknown=tuple(unknown), raw=raw,
        name=str((raw.get("buyer_details") or {}).get("name") or ""),
        email=str((raw.get("buyer_details") or {}).get("email") or ""),
    )  # fmt: skip


def _amount(told: Raw) -> Decimal:
    amount = told["amount"]
    if not isinstance(amount, (str, int, Decimal)) or isinstance(amount, bool):
        raise ValueError(f"{amount!r} is no amount")
    exact = Decimal(amount)
    if not exact.is_finite():
        raise ValueError(f"{amount!r} is no amount")
    return exact


def _rows(raw: Raw, edge: str) -> list[Raw]:
    return list((raw.get(edge) or {}).get("data") or [])


def _line(raw: Raw, cancelled: dict[str, int]) -> OrderLine:
    units, retailer = int(raw["quantity"]), str(raw.get("retailer_id") or "")
    gone = min(units, cancelled.get(retailer, 0))
    cancelled[retailer] = cancelled.get(retailer, 0) - gone
    tax = (raw.get("tax_details") or {}).get("estimated_tax")
    return OrderLine(
        external_id=name_of(raw), title=str(raw.get("product_name") or ""), sku=retailer, listing_id=retailer,
        quantity=units, unit_price=_amount(raw["price_per_unit"]), tax=_amount(tax) if tax else None,
        cancelled_quantity=gone,
    )  # fmt: skip


def _shipping(told: Raw | None) -> tuple[OrderLine, ...]:
    if not told or not told.get("price") or _amount(told["price"]) == ZERO:
        return ()
    tax = told.get("calculated_tax")
    return (
        OrderLine(
            external_id="shipping", title=str(told.get("name") or "Shipping"), kind="shipping",
            unit_price=_amount(told["price"]), tax=_amount(tax) if tax else None,
        ),
    )  # fmt: skip


def _cancelled(rows: list[Raw]) -> tuple[dict[str, int], list[str]]:
    """The units that were cancelled, by article number, and the cancellations that do not say of what."""
    units: dict[str, int] = {}
    unclear = []
    for row in rows:
        items = [one for one in _rows(row, "items") if one.get("retailer_id") and one.get("quantity") is not None]
        for one in items:
            units[str(one["retailer_id"])] = units.get(str(one["retailer_id"]), 0) + int(one["quantity"])
        unclear += [] if items else [f"cancellation {name_of(row)}"]
    return units, unclear


def _parcel(raw: Raw) -> FulfilmentRecord:
    tracking = raw.get("tracking_info") or {}
    return FulfilmentRecord(
        external_id=name_of(raw), carrier=str(tracking.get("carrier") or ""),
        tracking_number=str(tracking.get("tracking_number") or ""),
    )  # fmt: skip


def _address(told: Raw) -> Address:
    return read_address(told, {
        "name": "name", "street": "street1", "street2": "street2", "postcode": "postal_code", "city": "city",
        "region": "state", "country": "country",
    })  # fmt: skip


def shipment_of(notice: FulfilmentNotice) -> Raw:
    """A parcel, under our key."""
    told: dict[str, Any] = {
        "idempotency_key": notice.key, "external_shipment_id": notice.key,
        "items": [{"item_id": line, "quantity": units} for line, units in notice.lines],
    }  # fmt: skip
    if notice.tracking_number:
        word = notice.carrier.strip().upper().replace(" ", "_").replace("-", "_")
        carrier = word if word in CARRIERS else "OTHER"
        told["tracking_info"] = {"tracking_number": notice.tracking_number, "carrier": carrier}
        if notice.carrier:
            told["tracking_info"]["shipping_method_name"] = notice.carrier
    return told
