"""What the conformance suite needs to know of Shopify."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.shopify import Shopify
from finalmarket.connectors.platforms.shopify.incoming import CUSTOMERS_A_PAGE, ORDERS_A_PAGE, VARIANTS_A_PAGE
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef, RefundNotice
from finalmarket.sandbox.platforms.shopify import ShopifyStandIn
from finalmarket.sandbox.platforms.shopify.letters import letter
from finalmarket.sandbox.platforms.shopify.server import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from finalmarket.sandbox.platforms.shopify.shop import Shop
from tests.connectors.cases import Case
from tests.connectors.descriptions import graphql

SECOND = timedelta(seconds=1)
DOMAIN = Shop().domain
MAIN_LOCATION = "gid://shopify/Location/7000000001"  # the first thing of every fresh shop
TOKEN_PATH = r"/admin/oauth/access_token"
# What a webhook says, by the thing that its topic is about.
BODIES: dict[str, dict[str, Any]] = {
    "orders": {"id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001"},
    "refunds": {"id": 6001, "order_id": 5001},
    "inventory_levels": {"inventory_item_id": 4001, "location_id": 1, "available": 3},
    "products": {
        "id": 3001,
        "variants": [
            {"id": 3101, "admin_graphql_api_id": "gid://shopify/ProductVariant/3101"},
            {"id": 3102, "admin_graphql_api_id": "gid://shopify/ProductVariant/3102"},
        ],
    },
    "customers": {"id": 2001, "admin_graphql_api_id": "gid://shopify/Customer/2001"},
    "app": {"id": 1, "myshopify_domain": DOMAIN},
}


def account(address: str) -> Account:
    """An account that the stand-in lets in, with a token that is renewed."""
    secrets = {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "access_token": ACCESS_TOKEN,
        "refresh_token": REFRESH_TOKEN,
    }  # fmt: skip
    return Account(secrets, {"shop": DOMAIN}, base_url=address)


def ref_of(shop: ShopifyStandIn, variant_id: str) -> ListingRef:
    """What a pull would say of a variant."""
    variant = shop.state.variants[variant_id]
    return ListingRef(
        key=variant_id, sku=variant["sku"], ids={"product": variant["product"], "item": variant["item"]}
    )  # fmt: skip


def seed_listings(shop: ShopifyStandIn, count: int) -> Sequence[ListingRef]:
    """Products with one variant at 10.00, five of each."""
    first = len(shop.state.variants)
    made = [
        shop.add_listing(f"SKU-{number:05d}", f"Shirt {number}", Decimal("10.00"), 5)
        for number in range(first, first + count)
    ]
    return [ref_of(shop, variant_id) for variant_id in made]


def seed_orders(shop: ShopifyStandIn, count: int) -> Sequence[str]:
    """Orders, one a second."""
    (ref,) = seed_listings(shop, 1)
    made = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        made.append(shop.order((ref.sku, 1)))
    return made


def seed_customers(shop: ShopifyStandIn, count: int) -> Sequence[str]:
    """Customers, one a second."""
    first = len(shop.state.customers)
    made = []
    for number in range(first, first + count):
        shop.world.clock.advance(SECOND)
        email = f"customer-{number}@example.com"
        made.append(shop.state.add_customer(shop.now(), first="Kim", last=f"Nr {number}", email=email)["id"])
    return made


def seed_unknown_order(shop: ShopifyStandIn) -> tuple[str, str]:
    """An order in a state that the schema does not know."""
    (ref,) = seed_listings(shop, 1)
    return shop.order((ref.sku, 1), said={"displayFinancialStatus": "PAID_IN_SHELLS"}), "PAID_IN_SHELLS"


def fulfilment(shop: ShopifyStandIn) -> FulfilmentNotice:
    """A parcel for a new order."""
    (ref,) = seed_listings(shop, 1)
    order = shop.state.orders[shop.order((ref.sku, 2))]
    return FulfilmentNotice(
        key=f"parcel-{order['id']}", order_id=order["id"], lines=((order["lines"][0]["id"], 2),),
        shipped_at=shop.now(), carrier="DHL", tracking_number=f"JD{order['id'][-8:]}",
        tracking_url="https://www.dhl.de/track",
    )  # fmt: skip


def refund(shop: ShopifyStandIn) -> RefundNotice:
    """Half of a new order's money."""
    (ref,) = seed_listings(shop, 1)
    order = shop.state.orders[shop.order((ref.sku, 2))]
    return RefundNotice(
        key=f"refund-{order['id']}", order_id=order["id"], payment_id=order["transactions"][0]["id"],
        amount=Decimal("10.00"), currency="EUR", reason="came back damaged", lines=((order["lines"][0]["id"], 1),),
    )  # fmt: skip


def cancellable_order(shop: ShopifyStandIn) -> str:
    """A new order."""
    (ref,) = seed_listings(shop, 1)
    return shop.order((ref.sku, 1))


def new_listings(shop: ShopifyStandIn, count: int) -> Sequence[ListingContent]:
    """Contents that the shop does not have yet."""
    return [
        ListingContent(
            ref=ListingRef(key=f"NEW-{number}", sku=f"NEW-{number}"), key=f"listing-{number}", title=f"Mug {number}",
            description="A mug.\nFor tea.", barcode=f"400638133393{number}", brand="Potter", price=Decimal("12.90"),
            currency="EUR",
        )
        for number in range(count)
    ]  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A webhook as Shopify signs it."""
    body = BODIES.get(topic.partition("/")[0], {"id": 1})
    headers, written = letter(account.secrets.get("client_secret", ""), DOMAIN, topic, body, sent_at, 1)
    return Delivery("https://hub.example/hooks/1", headers, written, received_at=sent_at)


def case() -> Case:
    """Shopify under the suite."""
    return Case(
        connector=Shopify,
        stand_in=ShopifyStandIn,
        account=account,
        describe=lambda: graphql("shopify", "admin_2026-07.graphql"),
        ignore=(TOKEN_PATH,),
        page_sizes={"orders": ORDERS_A_PAGE, "listings": VARIANTS_A_PAGE, "customers": CUSTOMERS_A_PAGE},
        seed_orders=seed_orders,
        seed_customers=seed_customers,
        seed_listings=seed_listings,
        seed_unknown_order=seed_unknown_order,
        location=MAIN_LOCATION,
        missing_ref=ListingRef(
            key="gid://shopify/ProductVariant/1", sku="NO-SUCH-SKU",
            ids={"product": "gid://shopify/Product/1", "item": "gid://shopify/InventoryItem/1"},
        ),
        stock_of=lambda shop, ref: int(shop.state.available(shop.state.variants[ref.key])),
        price_of=lambda shop, ref: Decimal(shop.state.variants[ref.key]["price"]),
        new_listings=new_listings,
        bad_listing=ListingContent(ref=ListingRef(key="BAD", sku="BAD-1"), key="listing-bad", title=""),
        fulfilment=fulfilment,
        refund=refund,
        cancellable_order=cancellable_order,
        deliver=deliver,
        signature_headers=("X-Shopify-Hmac-Sha256", "X-Shopify-Shop-Domain"),
    )  # fmt: skip
