"""What the conformance suite needs to know of Amazon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.amazon import Amazon
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef
from finalmarket.sandbox.platforms.amazon import Amazon as AmazonStandIn
from finalmarket.sandbox.platforms.amazon.account import (
    APPLICATION_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    MAIN_SHOP,
    REFRESH_TOKEN,
    SELLER_ID,
    WEBHOOK_SECRET,
)
from finalmarket.sandbox.platforms.amazon.notices import SECRET_HEADER, letter
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi

SECOND = timedelta(seconds=1)
TOKENS, UPLOADS = r"/auth/o2/token", r"/(uploads|downloads)/"


def describe() -> Description:
    """The models of all operations that are called."""
    return openapi(
        "amazon",
        "orders_2026-01-01.json",
        "ordersV0.json",
        "listingsItems_2021-08-01.json",
        "feeds_2021-06-30.json",
        "fbaInventory.json",
        "notifications.json",
        "sellers.json",
    )


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "webhook_secret": WEBHOOK_SECRET,
    }
    settings = {
        "region": "eu",
        "seller_id": SELLER_ID,
        "marketplace_ids": MAIN_SHOP,
        "application_id": APPLICATION_ID,
        "aws_account_id": "123456789012",
        "aws_region": "eu-central-1",
        "sqs_queue_arn": "arn:aws:sqs:eu-central-1:123456789012:amazon",
    }
    return Account(secrets, settings, base_url=address)


def ref_of(shop: AmazonStandIn, sku: str) -> ListingRef:
    """A listing as it is known after it was pulled."""
    one = shop.state["listings"][sku]
    ids = {"asin": one["asin"], "product_type": one["product_type"], "marketplaces": ",".join(one["places"])}
    if one["channel"] != "DEFAULT":
        ids["fulfillment_channel"] = one["channel"]
    return ListingRef(key=sku, sku=sku, ids=ids)


def seed_listings(shop: AmazonStandIn, count: int) -> Sequence[ListingRef]:
    """Listings at 10.00, five of each."""
    first = len(shop.listings())
    skus = [f"SKU {number:05d}" for number in range(first, first + count)]
    for sku in skus:
        shop.add_listing(sku, f"Shirt {sku}", Decimal("10.00"), 5, barcode=f"40000000{len(sku):05d}", brand="Ada")
    return [ref_of(shop, sku) for sku in skus]


def seed_orders(shop: AmazonStandIn, count: int) -> Sequence[str]:
    """Orders, one a second."""
    (ref,) = seed_listings(shop, 1)
    numbers = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        numbers.append(shop.order((ref.sku, 1)))
    return numbers


def seed_unknown_order(shop: AmazonStandIn) -> tuple[str, str]:
    """An order with proceeds of a category that no documentation knows."""
    (ref,) = seed_listings(shop, 1)
    return shop.order((ref.sku, 1), extra={"STARLIGHT_FEE": "1.25"}), "STARLIGHT_FEE"


def new_listings(shop: AmazonStandIn, count: int) -> Sequence[ListingContent]:
    """Contents with all that a listing of the usual kind needs."""
    first = len(shop.listings())
    return [
        ListingContent(
            ref=ListingRef(key=f"NEW/{number}", sku=f"NEW/{number}"),
            key=f"content-{number}",
            title=f"Kettle {number}",
            description="Boils water.",
            barcode="4006381333931",
            brand="Ada",
            price=Decimal("24.90"),
            currency="EUR",
            attributes={"color": "red"},
        )
        for number in range(first, first + count)
    ]


def fulfilment(shop: AmazonStandIn) -> FulfilmentNotice:
    """A parcel for a new order."""
    (ref,) = seed_listings(shop, 1)
    number = shop.order((ref.sku, 2))
    (item,) = shop.state["orders"][number]["orderItems"]
    return FulfilmentNotice(
        key=f"parcel-{number}",
        order_id=number,
        lines=((item["orderItemId"], 2),),
        shipped_at=shop.now(),
        carrier="DHL",
        tracking_number="00340434161094042557",
    )


# Without a barcode, which Amazon asks for.
BAD_LISTING = ListingContent(
    ref=ListingRef(key="BAD", sku="BAD"), key="content-bad", title="Kettle", price=Decimal(10), currency="EUR"
)
PAYLOADS: dict[str, dict[str, Any]] = {
    "ORDER_CHANGE": {"OrderChangeNotification": {"SellerId": SELLER_ID, "AmazonOrderId": "303-0000001-0007919"}},
    "FEED_PROCESSING_FINISHED": {
        "FeedProcessingFinishedNotification": {
            "SellerId": SELLER_ID,
            "FeedId": "50000000001",
            "ProcessingStatus": "DONE",
        }
    },
    "FBA_INVENTORY_AVAILABILITY_CHANGES": {"SellerId": SELLER_ID, "SKU": "SKU 00001"},
}


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A notification as AWS hands it on."""
    payload = PAYLOADS.get(topic, {"SellerId": SELLER_ID, "Sku": "SKU 00001"})
    secret = account.secrets.get("webhook_secret", "")
    sent = letter("https://hub.example/hooks/1", secret, topic, payload, sent_at, "notification-1")
    return Delivery(sent.url, sent.headers, sent.body, received_at=sent_at)


def case() -> Case:
    """Amazon under the suite."""
    return Case(
        connector=Amazon,
        stand_in=AmazonStandIn,
        account=account,
        describe=describe,
        ignore=(TOKENS, UPLOADS),
        page_sizes={"orders": 100, "listings": 20},
        seed_orders=seed_orders,
        seed_listings=seed_listings,
        seed_unknown_order=seed_unknown_order,
        missing_ref=ListingRef(key="NO SUCH SKU", sku="NO SUCH SKU"),
        stock_of=lambda shop, ref: shop.shown_stock()[ref.sku],
        price_of=lambda shop, ref: shop.shown_price(ref.sku),
        new_listings=new_listings,
        bad_listing=BAD_LISTING,
        fulfilment=fulfilment,
        deliver=deliver,
        unknown_topic="WEATHER_CHANGE",
        signature_headers=(SECRET_HEADER,),
        signs_body=False,  # the secret in the header is all the proof there is
    )
