"""eBay under the conformance suite."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.ebay import Ebay
from finalmarket.connectors.platforms.ebay.notifications import kept_key
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef, RefundNotice
from finalmarket.sandbox.platforms.ebay import Ebay as StandIn
from finalmarket.sandbox.platforms.ebay.account import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SELLER, compact, written
from finalmarket.sandbox.platforms.ebay.desk import public_key, signature
from finalmarket.sandbox.platforms.ebay.shelf import ship_to_home
from finalmarket.sandbox.world import World
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi

FILES = (
    "sell_inventory_v1_oas3.json", "sell_fulfillment_v1_oas3.json", "commerce_notification_v1_oas3.json",
    "commerce_identity_v1_oas3.json",
)  # fmt: skip
ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "array", "items": {"type": "object", "required": ["errorId", "message"]}}},
}
OVERRIDES = {
    # Called a text, but described as "the endpoints and verification tokens": what DestinationRequest has.
    "#/components/schemas/Destination/properties/deliveryConfig": {"$ref": "#/components/schemas/DeliveryConfig"},
    # Called a text, but its own example is an object of lists.
    "#/components/schemas/Product/properties/aspects": {
        "type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
}  # fmt: skip
SECOND = timedelta(seconds=1)
TEN = Decimal("10.00")
_keys: dict[str, tuple[ec.EllipticCurvePrivateKey, str]] = {}


@cache
def describe() -> Description:
    """The published descriptions. They list errors by number, and show the form of none."""
    return openapi("ebay", *FILES, overrides=OVERRIDES, undescribed_errors=ERRORS)


def made_up_secret(words: str) -> str:
    """A public key as the connector keeps it, made of these words; its private half is remembered for `deliver`."""
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:31], "big")
    key, name = ec.derive_private_key(number, ec.SECP256R1()), str(uuid.uuid5(uuid.NAMESPACE_OID, words))
    kept = kept_key(name, {"key": public_key(key), "digest": "SHA1"})
    _keys[kept] = key, name
    return kept


def account(address: str) -> Account:
    """An account that the stand-in lets in, with a public key of eBay's at hand."""
    given = StandIn(World()).credentials()
    secrets = {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN,
        "notification_key": made_up_secret("the key of the case"),
    }  # fmt: skip
    return Account(secrets, {name: value for name, value in given.items() if name not in secrets}, base_url=address)


def later(shop: Any) -> None:
    """A second passes there."""
    shop.world.clock.advance(SECOND)


def ref_of(shop: Any, sku: str) -> ListingRef:
    """What the connector calls a listing."""
    return ListingRef(key=sku, sku=sku, ids={"offer": shop.offer_of(sku)["offerId"]})


def seed_listings(shop: Any, count: int) -> Sequence[ListingRef]:
    """Listings at 10.00, five of each."""
    first = len(shop.state["items"])
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    for sku in skus:
        shop.add_listing(sku, f"Shirt {sku}", TEN, 5, barcode="4006381333931")
    return [ref_of(shop, sku) for sku in skus]


def plenty(shop: Any) -> str:
    """Something to sell, of which there is plenty."""
    if "PLENTY" not in shop.state["items"]:
        shop.add_listing("PLENTY", "Plenty", TEN, 100_000)
    return "PLENTY"


def seed_orders(shop: Any, count: int) -> Sequence[str]:
    """Orders, one a second."""
    ids = []
    for number in range(count):
        later(shop)
        ids.append(shop.order((plenty(shop), 1 + number % 3)))
    return ids


def seed_unknown_order(shop: Any) -> tuple[str, str]:
    """An order paid in a way that nobody knows yet."""
    (number,) = seed_orders(shop, 1)
    shop.state["orders"][number]["paymentSummary"]["payments"][0]["paymentMethod"] = "SHELLS"
    return number, "SHELLS"


def new_listings(shop: Any, count: int) -> Sequence[ListingContent]:
    """Contents that eBay takes."""
    names = [f"NEW-{shop.next_number()}-{number}" for number in range(count)]
    return [
        ListingContent(
            ref=ListingRef(key=name, sku=name), key=f"content-{name}", title=f"New {name}", description="Of wool.",
            barcode="4006381333931", brand="Woolly", price=TEN, currency="EUR", attributes={"Color": "red"},
        )
        for name in names
    ]  # fmt: skip


def line_of(shop: Any, order: str) -> str:
    """The first line of an order."""
    return str(shop.state["orders"][order]["lineItems"][0]["lineItemId"])


def fulfilment(shop: Any) -> FulfilmentNotice:
    """A parcel for a new order."""
    (order,) = seed_orders(shop, 1)
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((line_of(shop, order), 1),), shipped_at=shop.now(),
        carrier="dhl", tracking_number=f"JJD {order}",
    )  # fmt: skip


def refund(shop: Any) -> RefundNotice:
    """A part of what a new order cost."""
    (order,) = seed_orders(shop, 1)
    return RefundNotice(
        key=f"refund-{order}", order_id=order, payment_id=f"PAY-{order}", amount=Decimal("4.00"), currency="EUR",
        reason="return",
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A notification of that topic, signed by the key that the account knows."""
    kept = account.secrets.get("notification_key") or made_up_secret("the key of nobody")
    key, name = _keys[kept]
    data = {"username": SELLER, "userId": "sandbox-user-id", "orderId": "01-00001-36441"}
    body = compact(
        {
            "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
            "notification": {
                "notificationId": f"notification-of-{topic}", "eventDate": written(sent_at),
                "publishDate": written(sent_at), "publishAttemptCount": 1, "data": data,
            },
        }
    )  # fmt: skip
    headers = {"Content-Type": "application/json", "X-EBAY-SIGNATURE": signature(body, key, name)}
    return Delivery("https://hub.example/hooks/ebay-1", headers, body, sent_at)


def case() -> Case:
    """eBay under the suite."""
    return Case(
        connector=Ebay,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/identity/v1/oauth2/token", "/oauth2/authorize"),
        page_sizes={"orders": 200, "listings": 25},
        seed_orders=seed_orders,
        seed_unknown_order=seed_unknown_order,
        seed_listings=seed_listings,
        missing_ref=ListingRef(key="NO-SUCH-SKU", sku="NO-SUCH-SKU", ids={"offer": "7999999999"}),
        stock_of=lambda shop, ref: int(ship_to_home(shop.state["items"][ref.key])["quantity"]),
        price_of=lambda shop, ref: Decimal(shop.offer_of(ref.key)["pricingSummary"]["price"]["value"]),
        new_listings=new_listings,
        bad_listing=ListingContent(
            ref=ListingRef(key="BAD", sku="BAD"), key="content-bad", title="long " * 20, price=TEN, currency="EUR"
        ),
        fulfilment=fulfilment,
        refund=refund,
        deliver=deliver,
        made_up_secret=made_up_secret,
        unknown_topic="WEATHER_CHANGE",
        signature_headers=("X-EBAY-SIGNATURE",),
    )
