"""Etsy under the conformance suite."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.etsy import Etsy
from finalmarket.connectors.platforms.etsy.inventory import key_of
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef
from finalmarket.sandbox.platforms.etsy import Etsy as StandIn
from finalmarket.sandbox.platforms.etsy.account import KEYSTRING, REFRESH_TOKEN, SHARED_SECRET, event, signed_headers
from finalmarket.sandbox.world import World
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi

SECOND = timedelta(seconds=1)
TEN = Decimal("10.00")
WEBHOOK_SECRET = "whsec_" + b64encode(b"the secret of the case").decode()


@cache
def describe() -> Description:
    """The published description. It leaves out what is answered to one call too many."""
    return openapi("etsy", "oas-3.0.0.json", undescribed_errors={"$ref": "#/components/schemas/ErrorSchema"})


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    given = StandIn(World()).credentials()
    secrets = {
        "keystring": KEYSTRING, "shared_secret": SHARED_SECRET, "refresh_token": REFRESH_TOKEN,
        "webhook_secret": WEBHOOK_SECRET,
    }  # fmt: skip
    return Account(secrets, {name: value for name, value in given.items() if name not in secrets}, base_url=address)


def later(shop: Any) -> None:
    """A second passes there."""
    shop.world.clock.advance(SECOND)


def ref_of(listing_id: str, sku: str) -> ListingRef:
    """What the connector calls a listing without variations."""
    return ListingRef(key=listing_id, sku=sku, ids={"listing": listing_id})


def seed_listings(shop: Any, count: int) -> Sequence[ListingRef]:
    """Listings at 10.00, five of each."""
    first = len(shop.state["listings"])
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    return [ref_of(shop.add_listing(sku, f"Shirt {sku}", TEN, 5), sku) for sku in skus]


def shirts(stage: Any) -> tuple[str, dict[str, ListingRef]]:
    """A listing in two sizes, four of the one and six of the other; its id, and what they are called by SKU."""
    name = stage.stand_in.add_variations("Shirt", TEN, {"S": ("SHIRT-S", 4), "M": ("SHIRT-M", 6)})
    found = [record.ref for page in stage.connector.pull_listings("") for record in page.records]
    return name, {ref.sku: ref for ref in found}


def plenty(shop: Any) -> str:
    """Something to sell, of which there is plenty."""
    if "PLENTY" not in shop.listings():
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
    """An order in a state that nobody knows yet."""
    (number,) = seed_orders(shop, 1)
    shop.state["receipts"][int(number)]["status"] = "teleported"
    return number, "teleported"


def offering_of(shop: Any, ref: ListingRef) -> Any:
    """The offering of a product, by the connector's name of it."""
    return next(
        product["offerings"][0]
        for listing, product in shop.products()
        if key_of(listing["listing_id"], product["property_values"]) == ref.key
    )


def new_listings(shop: Any, count: int) -> Sequence[ListingContent]:
    """Contents that Etsy takes."""
    names = [f"NEW-{shop.next_number()}-{number}" for number in range(count)]
    return [
        ListingContent(
            ref=ListingRef(key=name, sku=name), key=f"content-{name}", title=f"New {name}", description="Of wool.",
            price=TEN, currency="EUR",
        )
        for name in names
    ]  # fmt: skip


def fulfilment(shop: Any) -> FulfilmentNotice:
    """A parcel for a new order."""
    (order,) = seed_orders(shop, 1)
    line = shop.state["receipts"][int(order)]["transactions"][0]
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((str(line["transaction_id"]), line["quantity"]),),
        shipped_at=shop.now(), carrier="DHL", tracking_number=f"JJD{order}",
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A webhook as Etsy signs it."""
    body = event(topic, 3_000_000_001)
    secret = account.secrets.get("webhook_secret", "")
    headers = signed_headers(secret, f"msg_of_{topic}", int(sent_at.timestamp()), body)
    return Delivery("https://hub.example/hooks/etsy-1", headers, body, sent_at)


def case() -> Case:
    """Etsy under the suite."""
    return Case(
        connector=Etsy,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/v3/public/oauth/token", "/oauth/connect"),
        page_sizes={"orders": 100, "listings": 100},
        seed_orders=seed_orders,
        seed_unknown_order=seed_unknown_order,
        seed_listings=seed_listings,
        missing_ref=ref_of("999999", "NO-SUCH-SKU"),
        stock_of=lambda shop, ref: int(offering_of(shop, ref)["quantity"]),
        price_of=lambda shop, ref: Decimal(offering_of(shop, ref)["price"]["amount"]) / 100,
        new_listings=new_listings,
        bad_listing=ListingContent(
            ref=ListingRef(key="BAD", sku="BAD"), key="content-bad", title="long " * 40, price=TEN, currency="EUR"
        ),
        fulfilment=fulfilment,
        deliver=deliver,
        unknown_topic="weather.changed",
        signature_headers=("webhook-id", "webhook-timestamp", "webhook-signature"),
        signs_time=True,
        subscribes_by_hand=True,
    )
