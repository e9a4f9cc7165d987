"""Facebook under the conformance suite."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.meta import Facebook
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingContent, ListingRef
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.sandbox.platforms.meta import Facebook as StandIn
from finalmarket.sandbox.platforms.meta import facebook as ids
from tests.connectors.cases import Case
from tests.connectors.descriptions.resources import Resources
from tests.connectors.meta_description import facebook

HOOK_URL = "https://hub.example/hooks/facebook-1"
TEN = Decimal("10.00")
_count = itertools.count(1)


def describe() -> Resources:
    """The published description."""
    return facebook(ids.CATALOG, ids.COMMERCE, ids.PIXEL, ids.PAGE, ids.APP_ID)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"access_token": ids.TOKEN, "app_secret": ids.APP_SECRET}
    settings = {
        "app_id": ids.APP_ID, "catalog_id": ids.CATALOG, "commerce_id": ids.COMMERCE, "pixel_id": ids.PIXEL,
        "page_id": ids.PAGE, "link": "https://shop.example.org/p/{sku}",
    }  # fmt: skip
    return Account(secrets, settings, base_url=address)


def ref_of(sku: str) -> ListingRef:
    """What an item is called there."""
    return ListingRef(key=sku, sku=sku, ids={"retailer_id": sku})


def seed_listings(stand_in: Any, count: int) -> Sequence[ListingRef]:
    """Items with 5 units, for 10.00."""
    return [ref_of(stand_in.add_listing(f"SKU-{next(_count)}", "Thing", TEN, 5)) for _ in range(count)]


def an_order(stand_in: Any) -> str:
    """Somebody buys two of what is there in plenty."""
    if "PLENTY" not in stand_in.listings():
        stand_in.add_listing("PLENTY", "Plenty", TEN, 100_000)
    stand_in.world.clock.advance(timedelta(seconds=1))
    return str(stand_in.order([("PLENTY", 2)]))


def seed_orders(stand_in: Any, count: int) -> Sequence[str]:
    """Orders, each a second after the other."""
    return [an_order(stand_in) for _ in range(count)]


def seed_unknown_order(stand_in: Any) -> tuple[str, str]:
    """An order in a state that nobody knows yet."""
    name = an_order(stand_in)
    stand_in.state["orders"][name]["order_status"] = {"state": "GIFTED"}
    return name, "GIFTED"


def content(name: str, **more: Any) -> ListingContent:
    """An item that is not there yet."""
    pictures = {"images": [f"https://shop.example.org/{name}.jpg"]}
    return ListingContent(
        ref=ListingRef(key=name, sku=name), key=f"listing-{name}", title=f"New {name}", description="Made of wool.",
        brand="Hills", price=Decimal("19.95"), currency="EUR", attributes=pictures if not more else {},
    )  # fmt: skip


def new_listings(stand_in: Any, count: int) -> Sequence[ListingContent]:
    """Items that are not there yet."""
    return [content(f"NEW-{next(_count)}") for _ in range(count)]


def fulfilment(stand_in: Any) -> FulfilmentNotice:
    """A parcel with all goods of an order."""
    name = an_order(stand_in)
    line = stand_in.state["orders"][name]["items"]["data"][0]["id"]
    return FulfilmentNotice(
        key=f"parcel-of-{name}", order_id=name, lines=((line, 2),), shipped_at=stand_in.now(), carrier="DHL",
        tracking_number="00340434161094042557",
    )  # fmt: skip


def analytics_events(stand_in: Any, count: int) -> list[AnalyticsEvent]:
    """Purchases of one visitor who agreed to advertising."""
    tea = EventItem(sku="TEA", title="Tea", quantity=2, unit_price=Decimal("10.50"), brand="Hills", category="Drinks")
    return [
        AnalyticsEvent(
            key=f"event-{number}", name="purchase", at=stand_in.now() - timedelta(minutes=1), client_id="visitor-1",
            channel="web", order_number=f"FM-{number}", amount=Decimal("24.90"), currency="EUR", items=(tea,),
            allows_ads=True,
        )
        for number in itertools.islice(_count, count)
    ]  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery as Meta signs it."""
    at = int(sent_at.timestamp())
    value = {"item": "comment", "verb": "add", "comment_id": "940001_7", "message": "Nice", "created_time": at,
             "from": {"id": "777", "name": "Ada"}, "post_id": "940001_1"}  # fmt: skip
    entry = {"id": ids.PAGE, "time": at, "changes": [{"field": topic, "value": value}]}
    body = json.dumps({"object": "page", "entry": [entry]}).encode()
    signed = hmac.digest(account.secrets.get("app_secret", "").encode(), body, "sha256").hex()
    return Delivery(HOOK_URL, {"X-Hub-Signature-256": f"sha256={signed}"}, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Facebook, stand_in=StandIn, account=account, describe=describe,
        ignore=("/v25.0/oauth/",),
        page_sizes={"orders": 25, "listings": 100}, seed_orders=seed_orders, seed_listings=seed_listings,
        seed_unknown_order=seed_unknown_order, missing_ref=ref_of("NO-SUCH-SKU"),
        stock_of=lambda stand_in, ref: stand_in.shown_stock()[ref.key],
        price_of=lambda stand_in, ref: Decimal(stand_in.state["items"][ref.key]["price"].split()[0]),
        new_listings=new_listings, bad_listing=content("WITHOUT-A-PICTURE", without="picture"), fulfilment=fulfilment,
        analytics_events=analytics_events, deliver=deliver, signature_headers=("X-Hub-Signature-256",),
        unknown_topic="weather",
    )  # fmt: skip
