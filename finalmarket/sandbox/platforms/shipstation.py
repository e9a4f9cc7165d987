"""A ShipStation account: a parcel desk with orders, carriers with rates and labels, parcels that move, and webhooks
that are signed with a key pair (https://docs.shipstation.com, version 2 of the API).

Kept as ShipStation keeps it: a Shipment cannot be changed, only cancelled; its external id is unique; buying a label
twice buys two.
"""

from __future__ import annotations

import hmac
import json
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from finalmarket.sandbox.abilities import KeptOrder, PaidLabel
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

KEY = "sandbox-key-of-the-parcel-desk"
KEY_ID = "sandbox-signing-key"
PLACE = "https://api.shipstation.invalid"
MOST_GRAMS = Decimal(31_750)  # 70 pounds
DUTIES = Decimal("5.00")  # what customs take for the goods; nothing of it is charged for a label
WAREHOUSE: Mapping[str, Any] = {
    "name": "The Shop", "phone": "415 333 4445", "email": None, "company_name": "Shop Inc.",
    "address_line1": "417 Montgomery Street", "address_line2": "5th Floor", "address_line3": None,
    "city_locality": "San Francisco", "state_province": "CA", "postal_code": "94104", "country_code": "US",
    "address_residential_indicator": "no",
}  # fmt: skip
# Carrier id and code, service, days, price of the label, price of a kilogram, whether it goes abroad.
SERVICES = (
    ("se-101", "stamps_com", "usps_ground_advantage", 4, "4.10", "1.85", False),
    ("se-101", "stamps_com", "usps_priority_mail", 2, "7.42", "2.40", False),
    ("se-102", "ups", "ups_ground", 3, "9.60", "1.30", False),
    ("se-102", "ups", "ups_worldwide_express", 3, "52.00", "8.00", True),
)  # fmt: skip
ABROAD = {service for *_, service, _, _, _, goes_abroad in SERVICES if goes_abroad}
NAMES = {"se-101": "Stamps.com", "se-102": "UPS"}
Object = dict[str, Any]


def refusal(status: int, code: str, message: str, *, kind: str = "validation") -> Refused:
    """An error as ShipStation words it."""
    error = {"error_source": "ShipStation", "error_type": kind, "error_code": code, "message": message}
    return Refused(Reply(status, {"request_id": str(uuid.uuid4()), "errors": [error]}))


class ShipStation(StandIn):
    """One account."""

    slug = "shipstation"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (200 / 60, 200.0)}

    # ShipStation says.

    def fresh_state(self) -> Any:
        return {"count": 1000, "shipments": {}, "rates": {}, "labels": {}, "parcels": {}, "webhooks": {}, "key": ""}

    def credentials(self) -> dict[str, str]:
        return {"api_key": KEY}

    def let_in(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("api-key", ""), KEY):
            raise refusal(401, "unauthorized", "The API key is not valid.", kind="security")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(429, "rate_limit_exceeded", "Too many requests.", kind="system").reply
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return refusal(500, "unspecified", "Something went wrong on our side.", kind="system").reply

    def token_expired(self) -> Reply:
        return refusal(401, "unauthorized", "The API key is not valid.", kind="security").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(404, "unspecified", f"There is no {request.path}.").reply

    # The account.

    @route("GET", "/v2/carriers")
    def list_carriers(self, request: Request) -> Reply:
        carriers = [
            {"carrier_id": name, "carrier_code": code, "account_number": "A1", "requires_funded_amount": False,
             "balance": 0, "nickname": NAMES[name], "friendly_name": NAMES[name], "primary": True,
             "has_multi_package_supporting_services": False, "supports_label_messages": True}
            for name, code in sorted({(name, code) for name, code, *_ in SERVICES})
        ]  # fmt: skip
        return Reply(200, {"carriers": carriers, "request_id": str(uuid.uuid4()), "errors": []})

    @route("GET", "/v2/warehouses")
    def list_warehouses(self, request: Request) -> Reply:
        house = {
            "warehouse_id": "se-501", "is_default": True, "name": "Main", "created_at": "2025-01-01T00:00:00Z",
            "origin_address": dict(WAREHOUSE), "return_address": dict(WAREHOUSE),
        }  # fmt: skip
        return Reply(200, {"warehouses": [house]})

    # Shipments.

    @route("POST", "/v2/shipments")
    def make_shipments(self, request: Request) -> Reply:
        told = _told(request).get("shipments")
        if not isinstance(told, list) or not told:
            raise refusal(400, "field_value_required", "shipments is required.")
        made = [self._made(one) for one in told]
        return Reply(200, {"has_errors": any("errors" in one for one in made), "shipments": made})

    def _made(self, told: Object) -> Object:
        shipment = self._new_shipment(told)
        name = shipment["external_shipment_id"]
        if name and any(one["external_shipment_id"] == name for one in self.state["shipments"].values()):
            return {**shipment, "errors": [f"external_shipment_id {name} is in use already"]}
        self.state["shipments"][shipment["shipment_id"]] = shipment
        if shipment["create_sales_order"]:  # a parcel that is only priced changes nothing for anybody
            self.effect("sales order", id=shipment["shipment_id"], external=name)
        return {part: value for part, value in shipment.items() if part != "create_sales_order"}

    def _new_shipment(self, told: Object) -> Object:
        packages = told.get("packages") or [{"weight": {"value": 0, "unit": "gram"}}]
        items = [
            {**item, "sales_order_item_id": str(self._next())} if told.get("create_sales_order") else dict(item)
            for item in told.get("items") or ()
        ]
        weight = sum((Decimal(str(one["weight"]["value"])) for one in packages), Decimal(0))
        return {
            "shipment_id": self._new_id(), "external_shipment_id": told.get("external_shipment_id") or "",
            "shipment_number": told.get("external_shipment_id") or "", "created_at": self._stamp(),
            "modified_at": self._stamp(), "shipment_status": "pending", "ship_to": told["ship_to"],
            "ship_from": told["ship_from"], "return_to": told["ship_from"], "confirmation": "none",
            "ship_date": self._stamp(), "advanced_options": {}, "insurance_provider": "none", "tags": [],
            "items": items, "is_return": False, "total_weight": {"value": float(weight), "unit": "gram"},
            "packages": [{"shipment_package_id": self._new_id(), "package_code": "package", **one} for one in packages],
            "create_sales_order": bool(told.get("create_sales_order")),
            **{name: told[name] for name in ("amount_paid", "shipping_paid", "tax_paid", "store_id") if name in told},
        }  # fmt: skip

    @route("GET", "/v2/shipments/external_shipment_id/{name}")
    def read_by_external_id(self, request: Request, name: str) -> Reply:
        found = next((one for one in self.state["shipments"].values() if one["external_shipment_id"] == name), None)
        if found is None:
            raise refusal(404, "unspecified", f"There is no shipment {name}.")
        return Reply(200, _shown(found))

    @route("PUT", "/v2/shipments/{name}/cancel")
    def cancel(self, request: Request, name: str) -> Reply:
        shipment = self._shipment(name)
        if shipment["shipment_status"] == "label_purchased":
            raise refusal(400, "invalid_status", "The label has to be voided first.", kind="business_rules")
        if shipment["shipment_status"] != "cancelled":
            shipment |= {"shipment_status": "cancelled", "modified_at": self._stamp()}
            self.effect("cancellation", id=name)
        return Reply(204, b"")

    # Rates and labels.

    @route("POST", "/v2/rates", is_write=False)
    def rate(self, request: Request) -> Reply:
        told = _told(request)
        shipment = self._shipment(str(told.get("shipment_id") or ""))
        wanted = (told.get("rate_options") or {}).get("carrier_ids") or []
        if not wanted:
            raise refusal(400, "field_value_required", "rate_options.carrier_ids is required.")
        rates, errors = self._rates(shipment, wanted)
        response = {
            "rates": rates, "invalid_rates": [], "rate_request_id": self._new_id(),
            "shipment_id": shipment["shipment_id"], "created_at": self._stamp(), "errors": errors,
            "status": "error" if not rates else "partial" if errors else "completed",
        }  # fmt: skip
        customs = {"contents": "merchandise", "non_delivery": "return_to_sender", "customs_items": []}
        return Reply(200, {**_shown(shipment), "customs": customs, "rate_response": response})

    def _rates(self, shipment: Object, wanted: list[str]) -> tuple[list[Object], list[Object]]:
        abroad = shipment["ship_from"]["country_code"] != shipment["ship_to"]["country_code"]
        weight = Decimal(str(shipment["total_weight"]["value"]))
        rates: list[Object] = []
        errors: list[Object] = []
        for carrier_id, code, service, days, base, kilogram, goes_abroad in SERVICES:
            if carrier_id not in wanted or goes_abroad is not abroad:
                continue
            if abroad and not shipment["packages"][0].get("products"):
                errors.append(_carrier_error("customs_items_required", "customs items are required"))
            elif not 0 < weight <= MOST_GRAMS:
                errors.append(_carrier_error("invalid_field_value", f"{code}: the weight is to be within 70 pounds"))
            else:
                price = (Decimal(base) + Decimal(kilogram) * weight / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)
                rates.append(self._new_rate(shipment["shipment_id"], carrier_id, code, service, days, price))
        return rates, errors

    def _new_rate(
        self, shipment_id: str, carrier_id: str, code: str, service: str, days: int, price: Decimal
    ) -> Object:
        rate = {
            "rate_id": self._new_id(), "rate_type": "shipment", "carrier_id": carrier_id,
            "shipping_amount": _money(price), "insurance_amount": _money(self.state.get("insurance", Decimal(0))),
            "confirmation_amount": _money(Decimal(0)), "other_amount": _money(Decimal(0)),
            "tax_amount": _money(DUTIES if service in ABROAD else Decimal(0)),
            "zone": 4, "package_type": "package", "delivery_days": days, "guaranteed_service": False,
            "negotiated_rate": False, "service_type": service.replace("_", " ").title(), "service_code": service,
            "trackable": True, "carrier_code": code, "carrier_nickname": NAMES[carrier_id],
            "carrier_friendly_name": NAMES[carrier_id], "validation_status": "valid", "warning_messages": [],
            "error_messages": [],
        }  # fmt: skip
        self.state["rates"][rate["rate_id"]] = {**rate, "shipment_id": shipment_id}
        return rate

    @route("POST", "/v2/labels/rates/{name}")
    def buy(self, request: Request, name: str) -> Reply:
        rate, told = self.state["rates"].get(name), _told(request)
        if rate is None:
            raise refusal(404, "unspecified", f"There is no rate {name}.")
        label = self._new_label(self._shipment(rate["shipment_id"]), rate, told.get("label_format") or "pdf")
        return Reply(200, label)

    def _new_label(self, shipment: Object, rate: Object, form: str) -> Object:
        name, number = self._new_id(), f"1Z{self._next():016d}"
        url = f"{PLACE}/v2/downloads/10/{name}/label.{form}"
        label = {
            "label_id": name, "status": "completed", "shipment_id": shipment["shipment_id"],
            "external_shipment_id": shipment["external_shipment_id"], "ship_date": self._stamp(),
            "created_at": self._stamp(), "shipment_cost": rate["shipping_amount"],
            "insurance_cost": rate["insurance_amount"], "tracking_number": number, "is_return_label": False,
            "is_international": False, "carrier_id": rate["carrier_id"], "charge_event": "carrier_default",
            "service_code": rate["service_code"], "package_code": "package", "voided": False, "label_format": form,
            "display_scheme": "label", "label_layout": "4x6", "trackable": True, "carrier_code": rate["carrier_code"],
            "tracking_status": "unknown", "label_download": {"href": url, form: url}, "packages": [],
            "tracking_url": f"https://track.invalid/{number}", "ship_to": shipment["ship_to"],
        }  # fmt: skip
        self.state["labels"][name] = label
        self.state["parcels"][name] = []
        shipment |= {"shipment_status": "label_purchased", "modified_at": self._stamp()}
        self.effect("label", id=name, amount=rate["shipping_amount"]["amount"])
        return label

    @route("GET", "/v2/labels")
    def list_labels(self, request: Request) -> Reply:
        asked = {name: request.query[name] for name in ("shipment_id", "tracking_number") if name in request.query}
        found = [
            label for label in self.state["labels"].values() if all(label[name] == part for name, part in asked.items())
        ]
        if request.query.get("sort_dir", "desc") == "desc":
            found.reverse()
        here = {"href": f"{PLACE}/v2/labels"}
        links = {"first": here, "last": here, "prev": {}, "next": {}}
        return Reply(200, {"labels": found[:25], "total": len(found), "page": 1, "pages": 1, "links": links})

    @route("GET", "/v2/labels/{name}")
    def read_label(self, request: Request, name: str) -> Reply:
        return Reply(200, self._label(name))

    @route("PUT", "/v2/labels/{name}/void")
    def void(self, request: Request, name: str) -> Reply:
        label = self._label(name)
        if label["voided"]:
            return _void_refused("label_already_voided", "The label was voided before.")
        if self.state["parcels"][name]:
            return _void_refused("label_already_used", "The carrier has the parcel already.")
        label |= {"voided": True, "status": "voided", "voided_at": self._stamp()}
        self.effect("void", id=name)
        return Reply(200, {"approved": True, "message": "The label was voided."})

    # Tracking.

    @route("GET", "/v2/labels/{name}/track")
    def track(self, request: Request, name: str) -> Reply:
        return Reply(200, self._tracking(self._label(name)))

    def _tracking(self, label: Object) -> Object:
        events = self.state["parcels"][label["label_id"]]
        code = events[-1]["status_code"] if events else "NOT_YET_RECEIVED_BY_CARRIER"
        arrived = next((one["occurred_at"] for one in events if one["status_code"] == "DELIVERED"), None)
        expected = self.now() + timedelta(days=3)
        return {
            "tracking_number": label["tracking_number"], "tracking_url": label["tracking_url"], "status_code": code,
            "status_detail_code": code, "carrier_code": label["carrier_code"], "status_description": code.title(),
            "carrier_status_code": code[:2], "ship_date": label["created_at"],
            "estimated_delivery_date": f"{expected:%Y-%m-%d}T00:00:00Z",
            **({"actual_delivery_date": arrived} if arrived else {}), "events": list(events),
        }  # fmt: skip

    # Webhooks.

    @route("GET", "/jwks", is_open=True)
    def read_keys(self, request: Request) -> Reply:
        numbers = self._signing_key().public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": KEY_ID,
            "use": "sig",
            "alg": "RS256",
            "n": _coded(numbers.n),
            "e": _coded(numbers.e),
        }
        return Reply(200, {"keys": [key]})

    @route("GET", "/v2/environment/webhooks")
    def list_webhooks(self, request: Request) -> Reply:
        return Reply(200, list(self.state["webhooks"].values()))

    @route("POST", "/v2/environment/webhooks")
    def make_webhook(self, request: Request) -> Reply:
        told = _told(request)
        if urlsplit(str(told.get("url") or "")).scheme not in ("http", "https"):
            raise refusal(400, "invalid_field_value", "url is to be an address.")
        if any((one["url"], one["event"]) == (told["url"], told["event"]) for one in self.state["webhooks"].values()):
            raise refusal(409, "webhook_event_type_conflict", "There is such a webhook already.")
        hook = {"webhook_id": self._new_id(), "url": told["url"], "event": told["event"], "headers": []}
        self.state["webhooks"][hook["webhook_id"]] = hook
        self.effect("webhook", url=hook["url"])
        return Reply(200, hook)

    def _signing_key(self) -> RSAPrivateKey:
        if not self.state["key"]:
            fresh = generate_private_key(65537, 2048)
            self.state["key"] = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cast(RSAPrivateKey, load_pem_private_key(self.state["key"], None))

    def _tell(self, label: Object) -> None:
        """Send the news of a parcel, signed."""
        place = f"{PLACE}/v2/labels/{label['label_id']}"
        told = {
            "resource_url": f"{place}/track", "resource_type": "API_TRACK",
            "data": {"label_url": place, **self._tracking(label)},
        }  # fmt: skip
        body, stamp = json.dumps(told).encode(), f"{self.now():%Y-%m-%dT%H:%M:%S.%fZ}"
        for hook in self.state["webhooks"].values():
            signed = self._signing_key().sign(stamp.encode() + b"." + body, PKCS1v15(), SHA256())
            headers = {
                "Content-Type": "application/json", "x-shipengine-rsa-sha256-key-id": KEY_ID,
                "x-shipengine-rsa-sha256-signature": b64encode(signed).decode(), "x-shipengine-timestamp": stamp,
            }  # fmt: skip
            self.sender.send(Letter(hook["url"], headers, body, "API_TRACK"))

    # The house of the platform.

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    def _new_id(self) -> str:
        return f"se-{self._next()}"

    def _stamp(self) -> str:
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"

    def _shipment(self, name: str) -> Object:
        return _one(self.state["shipments"], name, "shipment")

    def _label(self, name: str) -> Object:
        return _one(self.state["labels"], name, "label")

    # The desk, carriers, and what a test arranges.

    def pack(self, external_id: str) -> Object:
        """Somebody at the desk packs an order and buys a label for it."""
        shipment = next(one for one in self.state["shipments"].values() if one["external_shipment_id"] == external_id)
        rate = self._new_rate(shipment["shipment_id"], "se-102", "ups", "ups_ground", 3, Decimal("9.60"))
        return self._new_label(shipment, rate, "pdf")

    def move(self, number: str, code: str, words: str, *, city: str = "Kenly") -> None:
        """A carrier does something with a parcel."""
        label = next(one for one in self.state["labels"].values() if one["tracking_number"] == number)
        self.state["parcels"][label["label_id"]].append(
            {"occurred_at": self._stamp(), "carrier_occurred_at": self._stamp(), "description": words,
             "city_locality": city, "state_province": "NC", "postal_code": "27542", "country_code": "US",
             "carrier_detail_code": code, "status_code": code, "status_description": words,
             "carrier_status_code": code[:2], "carrier_status_description": words}
        )  # fmt: skip
        self._tell(label)

    def paid_labels(self) -> dict[str, PaidLabel]:
        """See MovesParcels."""
        return {name: PaidLabel(one["tracking_number"], one["voided"]) for name, one in self.state["labels"].items()}

    def carry(self, number: str) -> None:
        """See MovesParcels."""
        self.move(number, "IN_TRANSIT", "Arrived at the post office")

    def hand_over(self, number: str) -> None:
        """See MovesParcels."""
        self.move(number, "DELIVERED", "Left with the neighbour")

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders. An order that changed has been taken off the desk and laid on it anew: what was taken off
        counts only where nothing else is left of it."""
        found: dict[str, list[KeptOrder]] = {}
        for one in self.state["shipments"].values():
            if one["create_sales_order"] and one["items"]:
                number, state = one["items"][0]["external_order_id"], one["shipment_status"]
                units = sum(int(item["quantity"]) for item in one["items"])
                kept = KeptOrder(number, units, state == "cancelled", is_waiting=state == "pending")
                found.setdefault(number, []).append(kept)
        return [kept for rows in found.values() for kept in [row for row in rows if not row.is_cancelled] or rows[-1:]]


def _one(among: Mapping[str, Object], name: str, kind: str) -> Object:
    if name not in among:
        raise refusal(404, "unspecified", f"There is no {kind} {name}.")
    return among[name]


def _told(request: Request) -> Object:
    """The object in a body."""
    try:
        told = request.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise refusal(400, "request_body_required", "A body in JSON is required.")
    return told


def _shown(shipment: Object) -> Object:
    return {name: part for name, part in shipment.items() if name != "create_sales_order"}


def _money(amount: Decimal) -> Object:
    return {"currency": "usd", "amount": float(amount)}


def _carrier_error(code: str, message: str) -> Object:
    return {"error_source": "carrier", "error_type": "business_rules", "error_code": code, "message": message}


def _void_refused(code: str, message: str) -> Reply:
    return Reply(200, {"approved": False, "message": message, "reason_code": code})


def _coded(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
