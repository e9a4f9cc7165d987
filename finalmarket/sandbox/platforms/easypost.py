"""An EasyPost account: drafts of parcels with rates, labels that are bought and given back, carriers that move parcels,
and signed events of all of it (https://docs.easypost.com/docs).

Kept as EasyPost keeps it: a Shipment is found by its id or its reference, cannot be changed, and is bought once.
"""

from __future__ import annotations

import base64
import hmac
import json
import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.abilities import PaidLabel
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

KEY = "EZTK-sandbox-key-of-the-account"
LET_IN = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
USPS_MOST_OUNCES = Decimal(70 * 16)
# Carrier, service, days, price of the label, price of a pound.
SERVICES = (
    ("USPS", "GroundAdvantage", 3, "4.10", "0.85"),
    ("USPS", "Priority", 2, "7.42", "1.10"),
    ("USPS", "Express", 1, "28.75", "2.40"),
    ("UPSDAP", "Ground", 4, "9.60", "0.60"),
    ("FedExDefault", "FEDEX_INTERNATIONAL_PRIORITY", 3, "48.00", "4.00"),
)  # fmt: skip
Object = dict[str, Any]


def refusal(status: int, code: str, message: str, *errors: Mapping[str, str]) -> Refused:
    """An error as EasyPost words it."""
    return Refused(Reply(status, {"error": {"code": code, "message": message, "errors": list(errors)}}))


class EasyPost(StandIn):
    """One account in test mode."""

    slug = "easypost"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (10.0, 20.0), "list": (5.0, 5.0)}

    # EasyPost says.

    def fresh_state(self) -> Any:
        return {"count": 0, "shipments": {}, "trackers": {}, "webhooks": {}, "secrets": {}, "parcels": {}}

    def credentials(self) -> dict[str, str]:
        return {"api_key": KEY}

    def let_in(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", ""), LET_IN):
            raise refusal(401, "APIKEY.INACTIVE", "This api key is no longer active.")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(429, "RATE_LIMITED", "Too many requests: please try again later.").reply
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return refusal(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.").reply

    def token_expired(self) -> Reply:
        return refusal(401, "APIKEY.INACTIVE", "This api key is no longer active.").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(404, "NOT_FOUND", "The requested resource could not be found.").reply

    # Shipments.

    @route("POST", "/v2/shipments")
    def make_shipment(self, request: Request) -> Reply:
        told = _told(request, "shipment")
        for name in ("to_address", "from_address", "parcel"):
            if not isinstance(told.get(name), dict):
                raise refusal(
                    422, "PARAMETER.REQUIRED", "Missing required parameter.",
                    {"field": name, "message": "cannot be blank"},
                )  # fmt: skip
        shipment = self._new_shipment(told)
        self.state["shipments"][shipment["id"]] = shipment
        self._rate(shipment)  # no effect yet: a parcel that is only priced changes nothing for anybody
        return Reply(201, shipment)

    def _new_shipment(self, told: Object) -> Object:
        sender, receiver = (self._new_address(told[name]) for name in ("from_address", "to_address"))
        customs = told.get("customs_info")
        return {
            **self._born("shp", "Shipment"), "is_return": False, "messages": [], "mode": "test",
            "options": {**(told.get("options") or {}), "currency": "USD", "payment": {"type": "SENDER"},
                        "date_advance": 0},
            "reference": told.get("reference"), "status": "unknown", "tracking_code": None, "batch_id": None,
            "batch_status": None, "batch_message": None, "from_address": sender, "to_address": receiver,
            "return_address": sender, "buyer_address": receiver, "insurance": None, "order_id": None,
            "customs_info": self._new_customs(customs) if customs else None, "parcel": self._new_parcel(told["parcel"]),
            "postage_label": None, "rates": [], "refund_status": None, "scan_form": None, "selected_rate": None,
            "tracker": None, "usps_zone": 4, "forms": [], "fees": [],
        }  # fmt: skip

    def _new_address(self, told: Object) -> Object:
        if len(str(told.get("country") or "")) != 2:
            raise refusal(422, "ADDRESS.COUNTRY.INVALID", "Invalid country, two letters of ISO 3166 are wanted.")
        names = ("name", "company", "street1", "street2", "city", "state", "zip", "country", "phone", "email")
        return {
            **self._born("adr", "Address"), **{name: told.get(name) for name in names}, "mode": "test",
            "carrier_facility": None, "residential": None, "federal_tax_id": None, "state_tax_id": None,
            "verifications": {},
        }  # fmt: skip

    def _new_parcel(self, told: Object) -> Object:
        weight = _number(told, "weight")
        if weight is None or weight <= 0:
            raise refusal(
                422, "PARCEL.INVALID", "Invalid parcel.", {"field": "weight", "message": "must be greater than 0"}
            )
        sides = {side: _number(told, side) for side in ("length", "width", "height")}
        return {
            **self._born("prcl", "Parcel"), **{side: None if size is None else float(size) for side, size in
                                               sides.items()},
            "predefined_package": None, "weight": float(weight), "mode": "test",
        }  # fmt: skip

    def _new_customs(self, told: Object) -> Object:
        items = [
            {**self._born("cstitem", "CustomsItem"), "description": one["description"],
             "hs_tariff_number": one.get("hs_tariff_number"), "origin_country": one["origin_country"],
             "quantity": int(one["quantity"]), "value": str(one["value"]), "weight": float(one["weight"]),
             "code": one.get("code"), "mode": "test", "manufacturer": None, "currency": one.get("currency"),
             "eccn": None, "printed_commodity_identifier": None}
            for one in told["customs_items"]
        ]  # fmt: skip
        return {
            **self._born("cstinfo", "CustomsInfo"), "contents_explanation": told.get("contents_explanation") or "",
            "contents_type": told["contents_type"], "customs_certify": told["customs_certify"] in (True, "true"),
            "customs_signer": told["customs_signer"], "eel_pfc": told.get("eel_pfc"),
            "non_delivery_option": told["non_delivery_option"], "restriction_comments": None,
            "restriction_type": told["restriction_type"], "mode": "test", "declaration": None, "customs_items": items,
        }  # fmt: skip

    def _rate(self, shipment: Object) -> None:
        """Ask the carriers; those that do not take the parcel say why."""
        shipment["rates"], shipment["messages"] = [], []
        weight = Decimal(str(shipment["parcel"]["weight"]))
        abroad = shipment["from_address"]["country"] != shipment["to_address"]["country"]
        for carrier, service, days, base, pound in SERVICES:
            if abroad is not service.startswith("FEDEX_INTERNATIONAL"):
                continue
            if abroad and not shipment["customs_info"]:
                self._complain(shipment, carrier, "customs_info is required for international shipments")
            elif carrier == "USPS" and weight > USPS_MOST_OUNCES:
                self._complain(shipment, carrier, "the maximum weight is 70 pounds")
            elif weight > 2 * USPS_MOST_OUNCES:
                self._complain(shipment, carrier, "the maximum weight is 150 pounds")
            else:
                price = (Decimal(base) + Decimal(pound) * weight / 16).quantize(Decimal("0.01"), ROUND_HALF_UP)
                shipment["rates"].append(self._new_rate(shipment["id"], carrier, service, days, price))

    def _complain(self, shipment: Object, carrier: str, words: str) -> None:
        shipment["messages"].append(
            {"carrier": carrier, "type": "rate_error", "message": words, "carrier_account_id": f"ca_{carrier.lower()}"}
        )

    def _new_rate(self, shipment_id: str, carrier: str, service: str, days: int, price: Decimal) -> Object:
        dear = str(price + Decimal("2.00"))
        return {
            **self._born("rate", "Rate"), "mode": "test", "service": service, "carrier": carrier, "rate": str(price),
            "currency": "USD", "retail_rate": dear, "retail_currency": "USD", "list_rate": dear,
            "list_currency": "USD", "billing_type": "easypost", "delivery_days": days, "delivery_date": None,
            "delivery_date_guaranteed": False, "est_delivery_days": days, "shipment_id": shipment_id,
            "carrier_account_id": f"ca_{carrier.lower()}",
        }  # fmt: skip

    @route("GET", "/v2/shipments/{name}")
    def read_shipment(self, request: Request, name: str) -> Reply:
        return Reply(200, self._shipment(name))

    @route("POST", "/v2/shipments/{name}/rerate")
    def rate_again(self, request: Request, name: str) -> Reply:
        shipment = self._shipment(name)
        if shipment["postage_label"]:
            raise refusal(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        self._rate(shipment)
        return Reply(200, {"rates": shipment["rates"]})

    @route("POST", "/v2/shipments/{name}/buy")
    def buy(self, request: Request, name: str) -> Reply:
        shipment, wanted = self._shipment(name), _told(request, "rate")
        if shipment["postage_label"]:
            raise refusal(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        rate = next((one for one in shipment["rates"] if one["id"] == wanted.get("id")), None)
        if rate is None:
            raise refusal(404, "NOT_FOUND", "The requested rate could not be found.")
        number = f"94001000000{self._next():011d}"
        kind = str(shipment["options"].get("label_format") or "PNG").lower()
        url = f"https://easypost-files.invalid/{shipment['id']}.{kind}"
        shipment["postage_label"] = {
            **self._born("pl", "PostageLabel"), "date_advance": 0, "integrated_form": "none",
            "label_date": self._stamp(), "label_resolution": 300, "label_size": "4x6", "label_type": "default",
            "label_file_type": "application/pdf" if kind == "pdf" else f"image/{kind}", "label_url": url,
            "label_pdf_url": None, "label_zpl_url": None, "label_epl2_url": None, "label_file": None,
        }  # fmt: skip
        shipment |= {"selected_rate": rate, "tracking_code": number, "updated_at": self._stamp()}
        shipment["fees"] = [
            {"object": "Fee", "type": "PostageFee", "amount": f"{rate['rate']}000", "charged": True, "refunded": False}
        ]
        shipment["tracker"] = self._new_tracker(number, rate["carrier"], shipment["id"])
        self.effect("label", id=shipment["id"], amount=rate["rate"])
        self._tell("tracker.created", shipment["tracker"])
        return Reply(200, shipment)

    @route("POST", "/v2/shipments/{name}/refund")
    def refund(self, request: Request, name: str) -> Reply:
        shipment = self._shipment(name)
        if not shipment["postage_label"]:
            raise refusal(422, "SHIPMENT.POSTAGE.REQUIRED", "No postage was bought for this shipment.")
        if shipment["refund_status"] in ("submitted", "refunded"):
            raise refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "A refund was asked for already.")
        if shipment["tracker"]["status"] not in ("unknown", "pre_transit"):
            raise refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "The label was used.")
        shipment |= {"refund_status": "submitted", "updated_at": self._stamp()}
        self.effect("refund", id=shipment["id"])
        return Reply(200, shipment)

    # Trackers.

    @route("POST", "/v2/trackers")
    def make_tracker(self, request: Request) -> Reply:
        told = _told(request, "tracker")
        code = str(told.get("tracking_code") or "")
        known = next((one for one in self.state["trackers"].values() if one["tracking_code"] == code), None)
        if known is None:
            if code not in self.state["parcels"]:
                raise refusal(422, "TRACKER.CREATE.ERROR", "No carrier knows this tracking code.")
            known = self._new_tracker(code, self.state["parcels"][code], None)
            self.effect("tracker", code=code)
            self.move(code, "pre_transit", "Shipping Label Created")
        return Reply(200, known)

    def _new_tracker(self, code: str, carrier: str, shipment_id: str | None) -> Object:
        tracker = {
            **self._born("trk", "Tracker"), "mode": "test", "tracking_code": code, "status": "unknown",
            "status_detail": "unknown", "signed_by": None, "weight": None, "est_delivery_date": None,
            "shipment_id": shipment_id, "carrier": carrier, "tracking_details": [], "fees": [], "carrier_detail": None,
            "finalized": False, "is_return": False, "public_url": f"https://track.easypost.invalid/{code}",
        }  # fmt: skip
        self.state["trackers"][tracker["id"]] = tracker
        return tracker

    # Webhooks.

    @route("GET", "/v2/webhooks", bucket="list")
    def list_webhooks(self, request: Request) -> Reply:
        return Reply(200, {"webhooks": list(self.state["webhooks"].values())})

    @route("POST", "/v2/webhooks")
    def make_webhook(self, request: Request) -> Reply:
        told = _told(request, "webhook")
        if not str(told.get("url") or "").startswith("http"):
            raise refusal(422, "PARAMETER.INVALID", "The url is not valid.")
        hook = {
            **self._born("hook", "Webhook"), "mode": "test", "url": told["url"], "disabled_at": None,
            "custom_headers": told.get("custom_headers") or [],
        }  # fmt: skip
        del hook["updated_at"]
        self.state["webhooks"][hook["id"]] = hook
        self.state["secrets"][hook["id"]] = told.get("webhook_secret") or ""
        self.effect("webhook", url=hook["url"])
        return Reply(201, hook)

    @route("PATCH", "/v2/webhooks/{name}")
    def change_webhook(self, request: Request, name: str) -> Reply:
        hook, told = self.state["webhooks"].get(name), request.json() or {}
        if hook is None:
            raise refusal(404, "NOT_FOUND", "The requested resource could not be found.")
        if told.get("webhook_secret"):
            self.state["secrets"][name] = told["webhook_secret"]
            self.effect("webhook secret", id=name)
        return Reply(201, hook)

    def _tell(self, description: str, result: Object) -> None:
        """Send an event to every address, signed with its secret."""
        event = {
            **self._born("evt", "Event"), "description": description, "mode": "test", "previous_attributes": {},
            "pending_urls": [], "completed_urls": [], "status": "pending", "user_id": "user_1", "result": result,
        }  # fmt: skip
        body = json.dumps(event).encode()
        for hook in self.state["webhooks"].values():
            headers = {"Content-Type": "application/json"}
            secret = unicodedata.normalize("NFKD", self.state["secrets"][hook["id"]])
            if secret:
                signed = hmac.new(secret.encode(), body, "sha256").hexdigest()
                headers["X-Hmac-Signature"] = f"hmac-sha256-hex={signed}"
            self.sender.send(Letter(hook["url"], headers, body, description))

    # The house of the platform.

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    def _stamp(self) -> str:
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"

    def _born(self, prefix: str, kind: str) -> Object:
        """What every object has."""
        name = f"{prefix}_{self._next():032x}"
        return {"id": name, "object": kind, "created_at": self._stamp(), "updated_at": self._stamp()}

    def _shipment(self, name: str) -> Object:
        """A Shipment by its id, or by its reference."""
        found: Object | None = self.state["shipments"].get(name)
        if found is None:
            found = next((one for one in self.state["shipments"].values() if one["reference"] == name), None)
        if found is None:
            raise refusal(404, "NOT_FOUND", "The requested resource could not be found.")
        return found

    # Carriers, and what a test arranges.

    def add_parcel(self, code: str, carrier: str) -> None:
        """A parcel whose label was bought elsewhere."""
        self.state["parcels"][code] = carrier

    def move(self, code: str, status: str, words: str, *, city: str = "") -> None:
        """A carrier does something with a parcel."""
        tracker = next(one for one in self.state["trackers"].values() if one["tracking_code"] == code)
        where = {"object": "TrackingLocation", "city": city or None, "state": None, "country": None, "zip": None}
        tracker["tracking_details"].append(
            {"object": "TrackingDetail", "message": words, "description": words, "status": status,
             "status_detail": "status_update", "datetime": self._stamp(), "source": tracker["carrier"],
             "carrier_code": None, "tracking_location": where, "est_delivery_date": None}
        )  # fmt: skip
        tracker |= {"status": status, "status_detail": "status_update", "updated_at": self._stamp()}
        if tracker["shipment_id"]:
            shipment = self.state["shipments"][tracker["shipment_id"]]
            shipment |= {"status": status, "tracker": tracker}
        self._tell("tracker.updated", tracker)

    def paid_labels(self) -> dict[str, PaidLabel]:
        """See MovesParcels."""
        return {
            name: PaidLabel(one["tracking_code"], one["refund_status"] in ("submitted", "refunded"))
            for name, one in self.state["shipments"].items()
            if one["postage_label"]
        }

    def carry(self, number: str) -> None:
        """See MovesParcels."""
        self.move(number, "in_transit", "Arrived at the post office")

    def hand_over(self, number: str) -> None:
        """See MovesParcels."""
        self.move(number, "delivered", "Left with the neighbour")

    def settle_refund(self, name: str, *, accepted: bool) -> None:
        """The carrier says yes or no to a label that was given back."""
        shipment = self._shipment(name)
        shipment["refund_status"] = "refunded" if accepted else "rejected"
        if accepted:
            told = {
                **self._born("rfnd", "Refund"), "tracking_code": shipment["tracking_code"],
                "confirmation_number": None, "status": "refunded", "carrier": shipment["selected_rate"]["carrier"],
                "shipment_id": shipment["id"],
            }  # fmt: skip
            self._tell("refund.successful", told)


def _told(request: Request, name: str) -> Object:
    """The object of that name in a body."""
    try:
        told = request.json()
    except ValueError:
        raise refusal(400, "BAD_REQUEST", "The body is not JSON.") from None
    if not isinstance(told, dict) or not isinstance(told.get(name), dict) or not told[name]:
        raise refusal(
            422, "PARAMETER.REQUIRED", "Missing required parameter.", {"field": name, "message": "cannot be blank"}
        )
    found: Object = told[name]
    return found


def _number(told: Object, name: str) -> Decimal | None:
    """A number that may be written as text."""
    if told.get(name) is None:
        return None
    try:
        return Decimal(str(told[name]))
    except ArithmeticError:
        raise refusal(422, "PARAMETER.INVALID", "Not a number.", {"field": name, "message": "is invalid"}) from None
