"""EasyPost under the conformance suite. It publishes no description: what its own documentation shows is the judge."""

from __future__ import annotations

import hmac
import itertools
import json
import unicodedata
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.easypost import EasyPost
from finalmarket.connectors.records import Address, Delivery
from finalmarket.connectors.shipping import ParcelSize, Shipment, ShippedItem
from finalmarket.sandbox.platforms.easypost import KEY
from finalmarket.sandbox.platforms.easypost import EasyPost as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import vendor_apis
from tests.connectors.descriptions.examples import Example, Examples, example

WEBHOOK_SECRET = "a-sécret-of-the-case"
PLACE = "https://api.easypost.com/v2"
TEA = ShippedItem(sku="TEA", title="Tea", quantity=2, unit_value=Decimal("10.50"), weight_g=700, origin="LK")
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"api_key": KEY, "webhook_secret": WEBHOOK_SECRET}, base_url=address)


@cache
def description() -> Examples:
    """What the documentation of EasyPost shows, with what is only in its recorded traffic and in its fixtures."""
    folder = vendor_apis() / "easypost"
    asked = json.loads((folder / "documented-requests.json").read_text())["requests"]
    found: list[Example] = []
    for name, calls in asked.items():
        group, _, verb = name.removeprefix("current/").partition("/")
        file = folder / "responses" / group / f"{group}-{verb}.json"
        answer = json.loads(file.read_text()) if file.is_file() else None
        for call in calls:
            body = None if "_unparsed" in (call["body"] or {}) else call["body"]
            found.append(example(call["method"], call["url"], body, answer))
    fixtures = json.loads((folder / "fixtures" / "client-library-fixtures.json").read_text())
    snippets = json.loads((folder / "fixtures" / "example-snippet-fixtures.json").read_text())
    bought = json.loads((folder / "responses" / "shipments" / "shipments-buy.json").read_text())
    error = {"error": {"code": "A", "message": "b", "errors": [{"field": "c", "message": "d"}]}}
    return Examples([*found, *_recorded(fixtures, snippets, bought)], error)


def _recorded(fixtures: Any, snippets: Any, bought: Any) -> list[Example]:
    """Calls that the documentation leaves out, or writes with a comma too many."""
    full = fixtures["shipments"]["full"]
    priced = {**snippets["customs_item"]["create"], "currency": "USD"}
    hook = {"webhook_secret": "A1B2C3", "custom_headers": [{"name": "X-Header-Name", "value": "header_value"}]}
    parcel = {"shipment": {"customs_info": {"customs_items": [priced]}}}
    options = {**bought["options"], **full["options"]}
    company = {"shipment": dict.fromkeys(("to_address", "from_address"), snippets["address"]["create"])}
    return [
        example("POST", f"{PLACE}/shipments", {"shipment": full}),
        example("POST", f"{PLACE}/shipments", parcel),
        example("POST", f"{PLACE}/shipments", company),
        example("POST", f"{PLACE}/shipments/shp_.../refund", {}, bought),
        example("GET", f"{PLACE}/shipments/shp_...", None, {**bought, "options": options}),
        example("POST", f"{PLACE}/webhooks", {"webhook": {"url": "http://example.com", **hook}}),
        example("PATCH", f"{PLACE}/webhooks/hook_...", hook),
    ]


def shipment(stand_in: Any) -> Shipment:
    """A parcel within the country; another one at every call."""
    number = next(_count)
    sender = Address(
        name="The Shop", company="Shop Inc.", street="417 Montgomery Street", street2="5th Floor",
        postcode="94104", city="San Francisco", region="CA", country="US", phone="4153334445",
    )  # fmt: skip
    receiver = Address(
        name="Ada Lovelace", street="179 N Harbor Dr", postcode="90277", city="Redondo Beach", region="CA",
        country="US", phone="8573875756",
    )  # fmt: skip
    return Shipment(
        key=f"parcel-key-{number}", order_number=f"ORD-{number}", sender=sender, receiver=receiver,
        size=ParcelSize(weight_g=1500, length_mm=300, width_mm=200, height_mm=100), currency="USD",
        items=(TEA,),
        receiver_email="ada@example.org",
    )  # fmt: skip


def _seed_unknown_parcel(stand_in: Any) -> tuple[str, str, str, str]:
    stand_in.add_parcel("EZ4711", "UPS")
    made = stand_in._new_tracker("EZ4711", "UPS", None)
    stand_in.move("EZ4711", "teleported", "Beamed up")
    return "", made["tracking_code"], "UPS", "teleported"


def tracker(code: str, at: datetime) -> dict[str, Any]:
    """A parcel on its way."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    where = {"object": "TrackingLocation", "city": "KENLY", "state": "NC", "country": "US", "zip": "27542"}
    step = {
        "object": "TrackingDetail", "message": "On the way", "description": "On the way", "status": "in_transit",
        "status_detail": "unknown", "datetime": stamp, "source": "FedEx", "carrier_code": "IT",
        "tracking_location": where,
    }  # fmt: skip
    return {
        "id": "trk_1", "object": "Tracker", "mode": "test", "tracking_code": code, "status": "in_transit",
        "status_detail": "unknown", "created_at": stamp, "updated_at": stamp, "signed_by": None, "weight": 614.4,
        "est_delivery_date": "2026-06-03T00:00:00Z", "shipment_id": None, "carrier": "FedEx",
        "tracking_details": [step], "public_url": "https://track.easypost.com/1",
    }  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """An event of that topic, signed with the account's webhook secret."""
    result = tracker("EZ1", sent_at) if topic.startswith("tracker.") else {"object": "Weather"}
    event = {
        "description": topic, "mode": "test", "previous_attributes": {}, "created_at": f"{sent_at:%Y-%m-%dT%H:%M:%SZ}",
        "pending_urls": [], "completed_urls": [], "id": f"evt_of_{topic}", "user_id": "user_1", "status": "pending",
        "object": "Event", "result": result,
    }  # fmt: skip
    body = json.dumps(event).encode()
    secret = unicodedata.normalize("NFKD", account.secrets.get("webhook_secret", ""))
    signed = hmac.new(secret.encode(), body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json", "X-Hmac-Signature": f"hmac-sha256-hex={signed}"}
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=EasyPost,
        stand_in=StandIn,
        account=account,
        describe=description,
        currency="USD",
        shipment=shipment,
        seed_unknown_parcel=_seed_unknown_parcel,
        deliver=deliver,
        unknown_topic="weather.changed",
        signature_headers=("X-Hmac-Signature",),
    )
