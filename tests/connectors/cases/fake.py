"""What the conformance suite needs to know of the practice platform."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef, RefundNotice
from finalmarket.sandbox.platforms.fake import PAGE, TOKEN
from finalmarket.sandbox.platforms.fake import Fake as FakeStandIn
from tests.connectors.cases import Authorised, Case

SECOND = timedelta(seconds=1)
TEN = Decimal("10.00")


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"token": TOKEN, "webhook_secret": "practice-webhook-secret-0"}, base_url=address)


def ref_of(key: str, sku: str) -> ListingRef:
    """What the platform calls a listing."""
    return ListingRef(key=key, sku=sku, ids={"key": key})


def seed_listings(shop: FakeStandIn, count: int) -> Sequence[ListingRef]:
    """Listings at 10.00, five of each."""
    first = len(shop.listings())
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    return [ref_of(shop.add_listing(sku, f"Shirt {sku}", TEN, 5), sku) for sku in skus]


def seed_orders(shop: FakeStandIn, count: int) -> Sequence[str]:
    """Orders, one a second."""
    (ref,) = seed_listings(shop, 1)
    ids = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        ids.append(shop.order((ref.sku, 1)))
    return ids


def seed_customers(shop: FakeStandIn, count: int) -> Sequence[str]:
    """Customers, one a second."""
    ids = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        told = {"name": "A. Shopper", "email": f"shopper{len(shop.state['customers'])}@example.com", "phone": ""}
        ids.append(str(shop._customer(told).body["id"]))
    return ids


def seed_payments(shop: FakeStandIn, count: int) -> Sequence[str]:
    """Payments, one a second."""
    ids = []
    for _ in range(count):
        shop.world.clock.advance(SECOND)
        ids.append(shop.add_payment(TEN, state="captured"))
    return ids


def fulfilment(shop: FakeStandIn) -> FulfilmentNotice:
    """A parcel for a new order."""
    (order,) = seed_orders(shop, 1)
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((f"{order}-1", 1),), shipped_at=shop.now(), carrier="DHL",
        tracking_number=f"TRACK-{order}",
    )  # fmt: skip


def refund(shop: FakeStandIn) -> RefundNotice:
    """A part of what a new order cost."""
    (order,) = seed_orders(shop, 1)
    return RefundNotice(
        key=f"refund-{order}", order_id=order, payment_id=f"{order}-P", amount=Decimal("4.00"), currency="EUR"
    )  # fmt: skip


def new_listings(shop: FakeStandIn, count: int) -> Sequence[ListingContent]:
    """Contents that the platform takes."""
    return [
        ListingContent(
            ref=ListingRef(key="", sku=f"NEW-{number}"), key=f"content-{number}", title=f"New {number}", price=TEN,
            currency="EUR",
        )
        for number in range(count)
    ]  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A webhook as the platform signs it."""
    event = {"event": f"E-{topic}-{sent_at.timestamp()}", "topic": topic, "id": "O1", "at": sent_at.isoformat()}
    body, seconds = json.dumps(event).encode(), str(int(sent_at.timestamp()))
    secret = account.secrets.get("webhook_secret", "").encode()
    signed = hmac.digest(secret, f"{seconds}.".encode() + body, "sha256")
    headers = {"Fake-Time": seconds, "Fake-Signature": b64encode(signed).decode()}
    return Delivery("https://hub.example/hooks/1", headers, body, received_at=sent_at)


def case() -> Case:
    """The practice platform under the suite."""
    return Case(
        connector=Fake,
        stand_in=FakeStandIn,
        account=account,
        describe=None,
        page_sizes=dict.fromkeys(("orders", "customers", "payments", "listings"), PAGE),
        seed_orders=seed_orders,
        seed_customers=seed_customers,
        seed_payments=seed_payments,
        seed_listings=seed_listings,
        wordless=("orders", "payments"),
        location="main",
        missing_ref=ref_of("L0", "NO-SUCH-SKU"),
        stock_of=lambda shop, ref: int(shop.state["listings"][ref.key]["stock"]["main"]),
        price_of=lambda shop, ref: Decimal(shop.state["listings"][ref.key]["price"]),
        new_listings=new_listings,
        bad_listing=ListingContent(ref=ListingRef(key="bad", sku="BAD"), key="content-bad", title=""),
        fulfilment=fulfilment,
        refund=refund,
        cancellable_order=lambda shop: seed_orders(shop, 1)[0],
        authorised_payment=lambda shop: Authorised(payment_id=shop.add_payment(TEN), amount=TEN, currency="EUR"),
        deliver=deliver,
        signature_headers=("Fake-Time", "Fake-Signature"),
        signs_time=True,
    )
