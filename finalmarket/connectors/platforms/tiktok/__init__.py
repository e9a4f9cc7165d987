"""TikTok: orders, stock, prices, parcels and cancellations of one TikTok Shop, and events told to a pixel.

The sections lie in files beside this one: doors (signatures, tokens, errors), orders (with parcels), goods, events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlencode

import httpx2

from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesCancellations,
    PushesFulfilments,
    PushesPrices,
    PushesStock,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.deliveries import name_of_body, read_delivery
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import from_seconds
from finalmarket.connectors.platforms.tiktok import events as pixel_events
from finalmarket.connectors.platforms.tiktok import goods, orders
from finalmarket.connectors.platforms.tiktok.doors import (
    CONSEQUENCES,
    TOKEN,
    TOKEN_HEADER,
    SignedAuth,
    data_of,
    given_in,
    rows_in,
    signature,
    told_error,
)
from finalmarket.connectors.platforms.tiktok.orders import Shop
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Delivery,
    Event,
    FulfilmentNotice,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.signing import hmac_hex, require_signature
from finalmarket.connectors.talk import AnalyticsEvent, SendsEvents

__all__ = ["TOKEN_HEADER", "TikTok", "signature"]

CONSENT = "https://services.tiktokshop.com/open/authorize"
PIXEL = "https://business-api.tiktok.com/open_api/v1.3/pixel/batch/"
HOOKS = "/event/202309/webhooks"
SHOPS = "/authorization/202309/shops"
# What is subscribed to, by the number that deliveries carry: its name, the stream, the field with the id.
TOPICS: Mapping[int, tuple[str, str, str]] = {
    1: ("ORDER_STATUS_CHANGE", "orders", "order_id"),
    3: ("RECIPIENT_ADDRESS_UPDATE", "orders", "order_id"),
    4: ("PACKAGE_UPDATE", "orders", ""),
    11: ("CANCELLATION_STATUS_CHANGE", "orders", "order_id"),
    12: ("RETURN_STATUS_CHANGE", "orders", "order_id"),
    5: ("PRODUCT_STATUS_CHANGE", "listings", ""),
    6: ("SELLER_DEAUTHORIZATION", "uninstalled", ""),
}
OUT_OF_STOCK = "seller_cancel_reason_out_of_stock"


class TikTok(
    Connector, PullsOrders, PullsListings, PullsStock, PushesStock, PushesPrices, PushesFulfilments,
    PushesCancellations, SendsEvents, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One shop, and a pixel."""

    # Who we are.

    slug = "tiktok"
    name = "TikTok"
    kind = "social_commerce"
    docs = "https://partner.tiktokshop.com/docv2"
    api_version = "Shop 202309 to 202507, Business v1.3"
    base_url = "https://open-api.tiktokglobalshop.com"
    rate = Rate(calls=20)  # TikTok counts 50 a second for each call
    rates: ClassVar[Mapping[str, Rate]] = {"pixel": Rate(calls=10)}
    secrets = ("app_key", "app_secret", "refresh_token")
    optional_secrets = ("events_token",)
    settings = (
        Setting("shop_id", "Shop id", "Where the account has several shops; else the only one is taken", False),
        Setting("cancel_reason", "Reason of cancellations", "In TikTok's words", False, OUT_OF_STOCK),
        Setting("pixel_code", "Pixel code", "Of TikTok Ads Manager, Events: to tell events of customers", False),
    )
    former_names = ("TikTok Shop",)
    described_in = ("tiktok",)
    checked_against = Checked("published description", on="2026-11-25")

    stock_read_limit: ClassVar[int] = goods.BATCH
    stock_batch_limit: ClassVar[int] = goods.BATCH
    price_batch_limit: ClassVar[int] = goods.BATCH
    event_batch_limit: ClassVar[int] = pixel_events.BATCH
    most_event_age = None

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See doors.py."""
        return SignedAuth(self.account, self.address(f"{TOKEN}/refresh"))

    @cached_property
    def shop(self) -> Shop:
        """The shop, by the cipher that calls name it with."""
        own = self._own_shop()
        named = {"shop_cipher": str(own["cipher"])}
        return Shop(self.http.call, named, is_cross_border=own.get("seller_type") == "CROSS_BORDER")

    def _own_shop(self) -> Raw:
        """The shop of the settings, or the only one. Raises NeedsAttention where it is not clear which."""
        shops = rows_in(data_of(self.http.call("GET", SHOPS)), "shops")
        wanted = self.account.settings.get("shop_id", "")
        found = [one for one in shops if one.get("cipher") and wanted in ("", one.get("id"))]
        if len(found) != 1:
            names = ", ".join(f"{one.get('id')} ({one.get('name')})" for one in shops) or "none"
            raise NeedsAttention(f"enter the id of one of the account's shops: {names}")
        return found[0]

    def check(self) -> str:
        """See Connector."""
        told = self._own_shop()
        return f"{told.get('name') or told.get('id')} ({told.get('region') or 'no region'})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes: where to come back to stands in the app, whose service the merchant agrees to."""
        query = {"app_key": self.account.secrets.get("app_key", ""), "state": state}
        return f"{self.address(CONSENT)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        if not query.get("code"):
            raise NeedsAttention("TikTok sent no authorization code back: connect the account anew")
        asked = {
            "app_key": self.account.secrets.get("app_key", ""), "auth_code": query["code"],
            "app_secret": self.account.secrets.get("app_secret", ""), "grant_type": "authorized_code",
        }  # fmt: skip
        try:
            answer = self.http.call("GET", self.address(f"{TOKEN}/get"), params=asked, is_authorized=False)
        except Rejected as error:
            raise NeedsAttention(f"TikTok gives no token for the code: {error.reason}", code=error.code) from None
        given = given_in(answer.data, answer.status)
        if not isinstance(given.get("refresh_token"), str) or not given["refresh_token"]:
            raise NeedsAttention("TikTok gave no refresh token: connect the account anew")
        return {"refresh_token": given["refresh_token"]}

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders."""
        yield from orders.pull_orders(self.shop, cursor, since)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        return orders.pull_order(self.shop, external_id)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings: one record for each SKU."""
        yield from goods.pull_listings(self.shop, cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock."""
        return goods.pull_stock(self.shop, refs, location) if refs else []

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock."""
        return goods.push_stock(self.shop, levels) if levels else []

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices."""
        return goods.push_prices(self.shop, levels) if levels else []

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments: of orders that the merchant ships."""
        return orders.push_fulfilment(self.shop, notice)

    def push_cancellation(self, order_id: str, reason: str, key: str) -> None:
        """See PushesCancellations: TikTok takes its own reasons only, ours is not among them."""
        orders.push_cancellation(self.shop, order_id, self.setting("cancel_reason"))

    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        """See SendsEvents: of those who agreed to advertising alone."""
        if not events:
            return []
        token, pixel = self.account.secrets.get("events_token", ""), self.account.settings.get("pixel_code", "")
        if not token or not pixel:
            raise NotSupported("enter the pixel code and its token to tell events of customers")
        return pixel_events.send(self.http.call, self.address(PIXEL), token, pixel, events)

    # Webhooks.

    webhook_topics = tuple(name for name, _, _ in TOPICS.values())
    webhook_secrets = ("app_secret",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks: each topic has one address."""
        there = {one.get("event_type"): one.get("address") for one in rows_in(self.shop.get(HOOKS), "webhooks")}
        for topic in self.webhook_topics:
            if there.get(topic) != url:
                told = {"address": url, "event_type": topic}
                data_of(self.http.call("PUT", HOOKS, params=dict(self.shop.named), json=told, repeatable=True))
        return {}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks: HMAC-SHA256 over the app key and the body, in hexadecimal digits."""
        message = self.account.secrets.get("app_key", "").encode() + delivery.body
        require_signature([delivery.header("Authorization")], self.webhook_secret(), message, hmac_hex)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. What concerns another shop of the app is none of ours: its kind is unknown."""
        return read_delivery(delivery, lambda told: self._events(told, name_of_body(delivery)))

    def _events(self, told: Raw, body_name: str) -> list[Event]:
        number, data, shop_id = told["type"], told.get("data") or {}, str(told.get("shop_id") or "")
        topic, kind, field = TOPICS.get(number, (str(number), "unknown", ""))
        wanted, name = self.setting("shop_id"), str(told.get("tts_notification_id") or body_name)
        at = from_seconds(told["timestamp"]) if told.get("timestamp") else None
        kind = kind if not wanted or shop_id in ("", wanted) else "unknown"
        # One delivery about parcels may name several orders.
        packed = [order for parcel in data.get("package_list") or [] for order in parcel["order_id_list"]]
        about = list(dict.fromkeys(map(str, packed))) or [str(data.get(field) or "") if field else ""]
        return [
            Event(
                event_id=f"{name}-{each}" if packed else name, topic=topic, kind=kind, external_id=each, occurred_at=at
            )
            for each in about
        ]

    # What its errors mean.

    consequences = CONSEQUENCES

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector."""
        return told_error(answer)
