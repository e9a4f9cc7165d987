"""What the conformance suite needs to know of Example."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.connectors.platforms.example import PAGE_SIZE, Example
from finalmarket.sandbox.platforms.example import ACCESS_TOKEN, WEBHOOK_SECRET, ExampleStandIn, letter

from finalmarket.connectors.contract import Account
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingRef
from tests.connectors.cases import Case

SECOND = timedelta(seconds=1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"access_token": ACCESS_TOKEN, "webhook_secret": WEBHOOK_SECRET}, base_url=address)


def seed_listings(shop: ExampleStandIn, count: int) -> Sequence[ListingRef]:
    """Listings at 10.00, five of each."""
    first = len(shop.state.listings)
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    for sku in skus:
        shop.add_listing(sku, f"Shirt {sku}", Decimal("10.00"), 5)
    return [ListingRef(key=sku, sku=sku, ids={"sku": sku}) for sku in skus]


def seed_orders(shop: ExampleStandIn, count: int) -> Sequence[str]:
    """Orders, one a second."""
    (ref,) = seed_listings(shop, 1)
    ids = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        ids.append(str(shop.add_order(ref.sku, 1)["id"]))
    return ids


def seed_unknown_order(shop: ExampleStandIn) -> tuple[str, str]:
    """An order in a state that no documentation knows."""
    (ref,) = seed_listings(shop, 1)
    return str(shop.add_order(ref.sku, 1, state="levitating")["id"]), "levitating"


def fulfilment(shop: ExampleStandIn) -> FulfilmentNotice:
    """A parcel for a new order."""
    (ref,) = seed_listings(shop, 1)
    order = shop.add_order(ref.sku, 1)
    return FulfilmentNotice(
        key=f"parcel-{order['id']}", order_id=order["id"], lines=((order["lines"][0]["id"], 1),),
        shipped_at=shop.now(), carrier="DHL", tracking_number="00340434161094042557",
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A webhook as Example signs it."""
    headers, body = letter(account.secrets.get("webhook_secret", ""), topic, "ord_000001", sent_at)
    return Delivery("https://hub.example.org/hooks/1", headers, body, received_at=sent_at)


def case() -> Case:
    """Example under the suite."""
    return Case(
        connector=Example,
        stand_in=ExampleStandIn,
        account=account,
        describe=None,
        page_sizes={"orders": PAGE_SIZE, "listings": PAGE_SIZE},
        seed_orders=seed_orders,
        seed_listings=seed_listings,
        seed_unknown_order=seed_unknown_order,
        missing_ref=ListingRef(key="NO-SUCH-SKU", sku="NO-SUCH-SKU"),
        stock_of=lambda shop, ref: int(shop.state.stock[ref.key]),
        fulfilment=fulfilment,
        deliver=deliver,
        signature_headers=("Signature", "Sent-At"),
        signs_time=True,
    )
