"""ShipStation under the conformance suite."""

from __future__ import annotations

import copy
import itertools
import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.shipstation import ShipStation
from finalmarket.connectors.records import Address, Delivery
from finalmarket.connectors.shipping import ParcelSize, Shipment, ShippedItem
from finalmarket.sandbox.platforms.shipstation import KEY
from finalmarket.sandbox.platforms.shipstation import ShipStation as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import vendor_apis
from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.files import read_description
from tests.connectors.descriptions.resources import Resources

KEY_ID = "key-of-the-case"
ERRORS = {"$ref": "#/components/schemas/error_response_body"}
TEA = ShippedItem(sku="TEA", title="Tea", quantity=2, unit_value=Decimal("10.50"), weight_g=700, origin="LK")
SENDER = Address(
    name="The Shop", company="Shop Inc.", street="417 Montgomery Street", street2="5th Floor", postcode="94104",
    city="San Francisco", region="CA", country="US", phone="415 333 4445",
)  # fmt: skip
RECEIVER = Address(
    name="Ada Lovelace", street="179 N Harbor Dr", postcode="90277", city="Redondo Beach", region="CA", country="US",
    phone="857 387 5756",
)  # fmt: skip
_count = itertools.count(1)


# ShipStation signs with a key pair: a secret of the account is its public half, and this is where the private half is.


@cache
def private_key(words: str) -> RSAPrivateKey:
    """The key pair made of these words: the same for the same words."""
    return generate_private_key(65537, 2048)


@cache
def public_keys(words: str) -> str:
    """The public half, as ShipStation publishes it."""
    numbers = private_key(words).public_key().public_numbers()
    parts = {"n": _coded(numbers.n), "e": _coded(numbers.e)}
    text = json.dumps({"keys": [{"kty": "RSA", "kid": KEY_ID, "use": "sig", "alg": "RS256", **parts}]})
    _SIGNERS[text] = words
    return text


_SIGNERS: dict[str, str] = {}


def _coded(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"api_key": KEY, "webhook_keys": public_keys("the case")}, base_url=address)


@cache
def description() -> Resources:
    """The published description, put right where it contradicts itself."""
    contents = copy.deepcopy(read_description(vendor_apis() / "shipstation" / "openapi.yaml"))
    _open_parts(contents)
    schemas = contents["components"]["schemas"]
    # A Shipment is rated by its id or as a whole; both at once are asked for.
    rated = schemas["calculate_rates_request_body"]
    branches = (*rated["allOf"], *rated["oneOf"])
    fields = {name: part for branch in branches for name, part in branch["properties"].items()}
    schemas["calculate_rates_request_body"] = {"type": "object", "properties": fields, "required": ["rate_options"]}
    # An answer 204 has no body, whatever is said of it.
    contents["components"]["responses"]["NoContent"] = {"description": "done"}
    # Of all answers 404, this one alone is to be an empty text.
    contents["paths"]["/v2/labels/{label_id}"]["get"]["responses"]["404"] = {"$ref": "#/components/responses/NotFound"}
    # A moment cannot be an id as well.
    schemas["rates_information"]["properties"]["created_at"].pop("allOf")
    # Beside `minimum: 0` stand bounds that no unit is said of: a parcel of one pound would be too light, and an order
    # that nobody has packed yet weighs nothing.
    for name in ("weight", "weigth"):
        schemas[name]["properties"]["value"].pop("exclusiveMinimum")
    return Resources([Document(contents)], ERRORS)


def _open_parts(node: Any) -> None:
    """Take `additionalProperties: false` from all schemas: beside allOf, and in the parts of an allOf, it forbids the
    fields of the other parts, and nothing could be right. The judge itself lets no request have unknown fields."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        for part in node.values():
            _open_parts(part)
    if isinstance(node, list):
        for part in node:
            _open_parts(part)


def shipment(stand_in: Any) -> Shipment:
    """A parcel within the country; another one at every call."""
    number = next(_count)
    return Shipment(
        key=f"parcel-key-{number}", order_number=f"ORD-{number}", sender=SENDER, receiver=RECEIVER, currency="USD",
        size=ParcelSize(weight_g=1500, length_mm=305, width_mm=200, height_mm=100), items=(TEA,),
        receiver_email="ada@example.org",
    )  # fmt: skip


def order_content(stand_in: Any) -> OrderContent:
    """An order of two articles with shipping; another one at every call."""
    number, at = next(_count), datetime(2026, 6, 1, 10, tzinfo=UTC)
    lines = (
        OrderContentLine(line_id="1", sku="TEA", title="Tea", quantity=2, unit_price=Decimal("10.50")),
        OrderContentLine(line_id="2", sku="CUP", title="A cup", quantity=1, unit_price=Decimal("8.00")),
        OrderContentLine(line_id="3", title="Shipping", unit_price=Decimal("4.90"), kind="shipping"),
    )
    return OrderContent(
        key=f"order-key-{number}", number=f"ORD-{number}", placed_at=at, updated_at=at, currency="USD",
        total=Decimal("33.90"), lines=lines, payment_state="paid", name="Ada Lovelace", email="ada@example.org",
        shipping_address=RECEIVER,
    )  # fmt: skip


def _seed_unknown_parcel(stand_in: Any) -> tuple[str, str, str, str]:
    made = stand_in._new_shipment({"ship_to": {}, "ship_from": {}})
    stand_in.state["shipments"][made["shipment_id"]] = made | {"external_shipment_id": "a-strange-parcel"}
    label = stand_in.pack("a-strange-parcel")
    stand_in.move(label["tracking_number"], "TELEPORTED", "Beamed up")
    return label["label_id"], label["tracking_number"], label["carrier_code"], "TELEPORTED"


def tracking(at: datetime) -> dict[str, Any]:
    """A parcel on its way."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    step = {
        "occurred_at": stamp, "description": "Arrived at a hub", "city_locality": "Kenly", "state_province": "NC",
        "postal_code": "27542", "country_code": "US", "status_code": "IT", "status_description": "In Transit",
        "carrier_detail_code": "IT", "carrier_status_code": "IT", "carrier_status_description": "In Transit",
    }  # fmt: skip
    return {
        "label_url": "https://api.shipstation.com/v2/labels/se-77", "tracking_number": "1Z77", "status_code": "IT",
        "status_detail_code": "IN_TRANSIT", "carrier_code": "ups", "estimated_delivery_date": "2026-06-03T00:00:00Z",
        "ship_date": stamp, "actual_delivery_date": None, "events": [step],
    }  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """An event of that topic, signed with the private half of the account's keys."""
    told: dict[str, Any] = {"resource_url": "https://api.shipstation.com/v2/labels/se-77/track", "resource_type": topic}
    body = json.dumps({**told, "data": tracking(sent_at) if topic == "API_TRACK" else {}}).encode()
    stamp = f"{sent_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    key = private_key(_SIGNERS.get(account.secrets.get("webhook_keys", ""), "somebody else"))
    signed = key.sign(stamp.encode() + b"." + body, PKCS1v15(), SHA256())
    headers = {
        "Content-Type": "application/json", "x-shipengine-rsa-sha256-key-id": KEY_ID,
        "x-shipengine-rsa-sha256-signature": b64encode(signed).decode(), "x-shipengine-timestamp": stamp,
    }  # fmt: skip
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=ShipStation,
        stand_in=StandIn,
        account=account,
        describe=description,
        ignore=("/jwks",),  # of another host, and in no description
        currency="USD",
        shipment=shipment,
        order_content=order_content,
        seed_unknown_parcel=_seed_unknown_parcel,
        deliver=deliver,
        made_up_secret=public_keys,
        unknown_topic="API_BATCH",
        signature_headers=(
            "x-shipengine-rsa-sha256-key-id", "x-shipengine-rsa-sha256-signature", "x-shipengine-timestamp",
        ),
        signs_time=True,
    )  # fmt: skip
