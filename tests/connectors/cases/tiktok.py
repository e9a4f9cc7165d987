"""TikTok under the conformance suite."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.tiktok import TOPICS, TikTok
from finalmarket.connectors.records import Delivery, FulfilmentNotice, ListingRef
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.sandbox.platforms import tiktok as stand_in
from tests.connectors.cases import Case
from tests.connectors.descriptions import openapi, vendor_apis
from tests.connectors.descriptions.resources import Resources

HOOK_URL = "https://hub.example/hooks/tiktok-1"
ERRORS = {"type": "object", "required": ["code", "message", "request_id"]}
TEN = Decimal("10.00")
_count = itertools.count(1)


@cache
def describe() -> Resources:
    """The published description of the shop, and the body of events as the library of the Business API has it."""
    events = json.loads((vendor_apis() / "tiktok" / "business-pixel-track.derived.schema.json").read_text())["$defs"]
    events = json.loads(json.dumps(events).replace("#/$defs/", "#/components/schemas/"))
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/PixelBatchBody"}}}
    header = {"name": "Access-Token", "in": "header", "required": True, "schema": {"type": "string"}}
    batch = {
        "parameters": [header], "requestBody": {"required": True, "content": body},
        "responses": {"200": {"description": "done", "content": {"application/json": {"schema": ERRORS}}}},
    }  # fmt: skip
    pixel = {
        "openapi": "3.1.0", "info": {"title": "Events", "version": "1.3"}, "components": {"schemas": events},
        "paths": {"/open_api/v1.3/pixel/batch/": {"post": batch}},
    }  # fmt: skip
    return openapi("tiktok", "tiktok-shop.derived.openapi.json", undescribed_errors=ERRORS, beside=[pixel])


def account(address: str) -> Account:
    """An account that the stand-in lets in, with a token that is good."""
    secrets = {
        "app_key": stand_in.APP_KEY, "app_secret": stand_in.APP_SECRET, "refresh_token": stand_in.REFRESH,
        "access_token": stand_in.TOKEN, "events_token": stand_in.EVENTS_TOKEN,
    }  # fmt: skip
    return Account(secrets, {"pixel_code": stand_in.PIXEL, "shop_id": stand_in.SHOP}, base_url=address)


def seed_listings(shop: Any, count: int) -> Sequence[ListingRef]:
    """SKUs with 5 units, for 10.00."""
    refs = []
    for number in itertools.islice(_count, count):
        name = shop.add_listing(f"SKU-{number}", f"Thing {number}", TEN, 5)
        refs.append(ListingRef(key=name, sku=f"SKU-{number}", ids={"product": shop.sku(name)[1]["id"]}))
    return refs


def an_order(shop: Any, units: int = 2) -> str:
    """Somebody buys of what is there in plenty."""
    if "PLENTY" not in shop.listings():
        shop.add_listing("PLENTY", "Plenty", TEN, 90_000)
    shop.world.clock.advance(timedelta(seconds=1))
    return str(shop.order([("PLENTY", units)]))


def seed_unknown_order(shop: Any) -> tuple[str, str]:
    """An order in a state that nobody knows yet."""
    name = an_order(shop)
    shop.state["orders"][name]["status"] = "GIFTED"
    return name, "GIFTED"


def fulfilment(shop: Any) -> FulfilmentNotice:
    """A parcel with all goods of an order."""
    name = an_order(shop)
    lines = tuple((line["id"], 1) for line in shop.state["orders"][name]["line_items"])
    return FulfilmentNotice(
        key=f"parcel-of-{name}", order_id=name, lines=lines, shipped_at=shop.now(), carrier="An Post",
        tracking_number=f"CE{name[-6:]}IE",
    )  # fmt: skip


def analytics_events(shop: Any, count: int) -> list[AnalyticsEvent]:
    """Purchases of one visitor who agreed to advertising."""
    tea = EventItem(sku="TEA", title="Tea", quantity=2, unit_price=Decimal("10.50"), category="Drinks")
    return [
        AnalyticsEvent(
            key=f"event-{number}", name="purchase", at=shop.now() - timedelta(minutes=1), client_id="visitor-1",
            order_number=f"FM-{number}", amount=Decimal("24.90"), currency="EUR", items=(tea,), allows_ads=True,
        )
        for number in itertools.islice(_count, count)
    ]  # fmt: skip


def spoil_listing(shop: Any, name: str) -> None:
    """A SKU without a price that could be read."""
    shop.sku(name)[0]["price"] = {"oops": "1"}


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery as TikTok signs it."""
    numbers = {name: number for number, (name, _, _) in TOPICS.items()}
    told = {
        "type": numbers.get(topic, 99), "tts_notification_id": "7327112393057371910", "shop_id": stand_in.SHOP,
        "timestamp": int(sent_at.timestamp()), "data": {"order_id": "576486316948490001"},
    }  # fmt: skip
    body = json.dumps(told).encode()
    key, message = account.secrets.get("app_secret", "").encode(), account.secrets["app_key"].encode() + body
    return Delivery(HOOK_URL, {"Authorization": hmac.digest(key, message, "sha256").hex()}, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=TikTok, stand_in=stand_in.TikTok, account=account, describe=describe, ignore=("/api/v2/token",),
        page_sizes={"orders": 50, "listings": 100},
        seed_orders=lambda shop, count: [an_order(shop) for _ in range(count)],
        seed_listings=seed_listings, seed_unknown_order=seed_unknown_order, spoil={"listings": spoil_listing},
        location=stand_in.HOUSE, missing_ref=ListingRef(key="1", sku="NO-SUCH", ids={"product": "1"}),
        stock_of=lambda shop, ref: shop.sku(ref.key)[0]["inventory"][0]["quantity"],
        price_of=lambda shop, ref: Decimal(shop.sku(ref.key)[0]["price"]["tax_exclusive_price"]),
        fulfilment=fulfilment, cancellable_order=an_order, analytics_events=analytics_events, deliver=deliver,
        signature_headers=("Authorization",), unknown_topic="WEATHER_CHANGE",
    )  # fmt: skip
