"""Square under the conformance suite."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.square import Square
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef, RefundNotice
from finalmarket.sandbox.platforms import square as stand_in
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi, vendor_apis

HOOK_URL = "https://hub.example/hooks/square-1"
SIGNATURE_KEY = "signature-key-of-the-tests"
ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}}},
}
ERROR_CODES = "#/components/schemas/ErrorCode/enum"
# The list of error codes leaves out the one that the same file promises for an outdated version
# (RefundPaymentRequest.payment_version_token).
MISSING_CODES = ["VERSION_MISMATCH"]


@cache
def describe() -> Description:
    """The published description. It describes successes; errors all have one form."""
    published = json.loads((vendor_apis() / "square" / "api.json").read_text())
    codes = published["components"]["schemas"]["ErrorCode"]["enum"]
    return openapi("square", "api.json", undescribed_errors=ERRORS, overrides={ERROR_CODES: [*codes, *MISSING_CODES]})


def account(address: str) -> Account:
    """An account connected by OAuth, with the application's own token for webhooks."""
    given = stand_in.CREDENTIALS
    names = {*Square.secrets, *Square.optional_secrets}
    secrets = {name: value for name, value in given.items() if name in names}
    settings = {name: value for name, value in given.items() if name not in names}
    return Account({**secrets, "webhook_signature_key": SIGNATURE_KEY}, settings, base_url=address)


def later(shop: Any) -> None:
    """A second passes there."""
    shop.world.clock.advance(timedelta(seconds=1))


def seed_listings(shop: Any, count: int) -> Sequence[ListingRef]:
    """Variations with a stock of 5, for 10.00."""
    refs = []
    for _ in range(count):
        number = len(shop.state.items) + 1
        key = shop.add_listing(f"SKU-{number}", f"Thing {number}", Decimal("10.00"), 5, barcode=f"{number:012d}")
        refs.append(ListingRef(key=key, sku=f"SKU-{number}", ids={"item": shop.state.owners[key]}))
    return refs


def sku_of(shop: Any) -> str:
    """Something to sell, of which there is plenty."""
    if "PLENTY" not in shop.listings():
        shop.add_listing("PLENTY", "Plenty", Decimal("10.00"), 100_000)
    return "PLENTY"


def seed_orders(shop: Any, count: int) -> Sequence[str]:
    """Sales at the till and online, by turns."""
    made = []
    for number in range(count):
        later(shop)
        made.append(shop.order((sku_of(shop), 1 + number % 3), online=number % 2 == 1))
    return made


def seed_customers(shop: Any, count: int) -> Sequence[str]:
    """Customers."""
    made = []
    for number in range(count):
        later(shop)
        told = {"given_name": "Ann", "family_name": f"Able {number}", "email_address": f"ann{number}@example.org"}
        made.append(shop.new_customer(told)["id"])
    return made


def seed_unknown_order(shop: Any) -> tuple[str, str]:
    """A sale paid in a way that nobody knows yet."""
    order = shop.order((sku_of(shop), 1))
    shop.state.orders[order]["tenders"][0]["type"] = "SHELLS"
    return order, "SHELLS"


def stock_of(shop: Any, ref: ListingRef) -> int:
    """The units in stock at the main location."""
    return int(shop.count_of(ref.key, stand_in.MAIN).units)


def price_of(shop: Any, ref: ListingRef) -> Decimal:
    """The price, in euros."""
    return Decimal(shop.variation(ref.key)["item_variation_data"]["price_money"]["amount"]) / 100


def new_listings(shop: Any, count: int) -> Sequence[ListingContent]:
    """Listings that Square does not have yet."""
    shop.state.number += 1
    names = [f"NEW-{shop.state.number}-{number}" for number in range(count)]
    return [
        ListingContent(
            ref=ListingRef(key=name, sku=name), key=f"listing-{name}", title=f"New {name}", description="Made of wool.",
            barcode="012345678905", price=Decimal("19.95"), currency="EUR",
        )
        for name in names
    ]  # fmt: skip


def online_order(shop: Any) -> Mapping[str, Any]:
    """A sale that waits to be shipped."""
    later(shop)
    found: Mapping[str, Any] = shop.state.orders[shop.order((sku_of(shop), 2), online=True)]
    return found


def fulfilment(shop: Any) -> FulfilmentNotice:
    """A parcel with all goods of an order."""
    order = online_order(shop)
    return FulfilmentNotice(
        key=f"parcel-of-{order['id']}", order_id=order["id"], lines=((order["line_items"][0]["uid"], 2),),
        shipped_at=shop.now(), carrier="An Post", tracking_number="CE123456789IE",
        tracking_url="https://www.anpost.example/track/CE123456789IE", location=stand_in.MAIN,
    )  # fmt: skip


def refund(shop: Any) -> RefundNotice:
    """A part of a payment."""
    later(shop)
    order = shop.state.orders[shop.order((sku_of(shop), 2))]
    return RefundNotice(
        key=f"refund-of-{order['id']}", order_id=order["id"], payment_id=order["tenders"][0]["payment_id"],
        amount=Decimal("5.00"), currency="EUR", reason="came broken",
    )  # fmt: skip


def cancellable_order(shop: Any) -> str:
    """An order that nobody has shipped."""
    return str(online_order(shop)["id"])


ABOUT: Mapping[str, Any] = {
    "payment": {"payment": {"id": "PAY1", "order_id": "ORDER1"}},
    "refund": {"refund": {"id": "PAY1_REF1", "payment_id": "PAY1", "order_id": "RETURN1"}},
    "inventory": {"inventory_counts": [{"catalog_object_id": "VAR1", "location_id": "L1", "quantity": "3"}]},
    "customer": {"customer": {"id": "CUSTOMER1", "version": 3}},
}


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery as Square signs it: over the address and the body."""
    event = {
        "merchant_id": "MLSANDBOX0001", "type": topic, "event_id": "6a8f5f28-54a1-4eb0-a98a-3111513fd4fc",
        "created_at": sent_at.isoformat(),
        "data": {"type": topic.partition(".")[0], "id": "THING1", "object": ABOUT.get(topic.partition(".")[0], {})},
    }  # fmt: skip
    body = json.dumps(event).encode()
    key = account.secrets.get("webhook_signature_key", "").encode()
    signed = b64encode(hmac.digest(key, HOOK_URL.encode() + body, "sha256")).decode()
    headers = {"Content-Type": "application/json", "X-Square-HmacSha256-Signature": signed}
    return Delivery(HOOK_URL, headers, body, sent_at)


def case() -> Case:
    """Square."""
    return Case(
        connector=Square, stand_in=stand_in.Square, account=account, describe=describe,
        page_sizes={"orders": 100, "listings": 100, "customers": 100},
        seed_orders=seed_orders, seed_customers=seed_customers, seed_listings=seed_listings,
        seed_unknown_order=seed_unknown_order, location=stand_in.MAIN,
        missing_ref=ListingRef(key="NOSUCHVARIATION", sku="NO-SUCH-SKU", ids={"item": "NOSUCHITEM"}),
        stock_of=stock_of, price_of=price_of, new_listings=new_listings,
        bad_listing=ListingContent(
            ref=ListingRef(key="BAD", sku="BAD"), key="listing-bad", title="", price=Decimal("1.00"), currency="EUR"
        ),
        fulfilment=fulfilment, refund=refund, cancellable_order=cancellable_order, deliver=deliver,
        unknown_topic="weather.changed", signature_headers=("X-Square-HmacSha256-Signature",),
    )  # fmt: skip
