"""Etsy: orders, listings, stock, prices and parcels of one shop, through the Open API v3.

The sections lie in files beside this one: receipts (orders and parcels), inventory (listings come in, numbers go out),
drafts (listings go out), shop.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import httpx2

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, challenge
from finalmarket.connectors.code_exchange import tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesStock,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.deliveries import name_of_body, read_delivery
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected, WebhookRefused
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.platforms.etsy import drafts, inventory, receipts
from finalmarket.connectors.platforms.etsy.shop import PAGE, ROOT, Shop
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Delivery,
    Event,
    FulfilmentNotice,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.signing import hmac_base64, require_sent_recently, require_signature

__all__ = ["Etsy"]

TOKEN = "https://openapi.etsy.com/v3/public/oauth/token"  # noqa: S105  an address
CONSENT = "https://www.etsy.com/oauth/connect"
SCOPES = ("transactions_r", "transactions_w", "listings_r", "listings_w", "shops_r")
TOPICS = ("order.paid", "order.canceled", "order.shipped", "order.delivered")
YES_OR_NO = (("yes", "Yes"), ("no", "No"))
WHO_MADE = (("i_did", "I did"), ("collective", "A member of my shop"), ("someone_else", "Another company or person"))


class Etsy(
    Connector, PullsOrders, PullsListings, PullsStock, PushesStock, PushesPrices, PushesListings, PushesFulfilments,
    ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One shop. Refunds, cancellations and customers exist in no operation of the published description."""

    # Who we are.

    slug = "etsy"
    name = "Etsy"
    kind = "marketplace"
    docs = "https://developers.etsy.com/documentation"
    api_version = "v3 (3.0.0-general-release-2026-03-24)"
    base_url = "https://openapi.etsy.com"
    rate = Rate(calls=10)  # of a new application; what an application has stands in every answer
    secrets = ("keystring", "shared_secret", "refresh_token")
    optional_secrets = ("webhook_secret",)
    settings = (
        Setting("shop_id", "Shop id", "Filled in by connecting in the browser", False),
        Setting("who_made", "Who made it", "Of new listings that do not say", False, "", WHO_MADE),
        Setting("when_made", "When was it made", "Of new listings: made_to_order, 2020_2026, ...", False),
        Setting("taxonomy_id", "Category", "The taxonomy id of new listings that name none", False),
        Setting("shipping_profile_id", "Shipping profile", "Of new listings", False),
        Setting("return_policy_id", "Return policy", "Of new listings", False),
        Setting("readiness_state_id", "Processing profile", "Of new listings", False),
        Setting("renew", "Renew what is sold out", "When stock comes: Etsy takes a fee", False, "yes", YES_OR_NO),
    )  # fmt: skip
    described_in = ("etsy",)
    checked_against = Checked("published description", on="2026-11-25")

    stock_read_limit: ClassVar[int] = PAGE
    stock_batch_limit: ClassVar[int] = inventory.BATCH
    price_batch_limit: ClassVar[int] = inventory.BATCH
    listing_batch_limit: ClassVar[int] = 5

    # How we are let in.

    @cached_property
    def shop(self) -> Shop:
        """The shop; Etsy is asked which one it is where the settings do not say."""
        told = self.account.settings
        return Shop(self.http, told.get("shop_id") or self._own_shop_id(), told)

    def _own_shop_id(self, token: str = "") -> str:
        more: dict[str, Any] = (
            {"headers": {"Authorization": f"Bearer {token}"}, "is_authorized": False} if token else {}
        )
        shop_id = fields_in(self.http.call("GET", f"{ROOT}/users/me", **more)).get("shop_id")
        if not shop_id:
            raise NeedsAttention("the Etsy account has no shop")
        return str(shop_id)

    def headers(self) -> Mapping[str, str]:
        """See Connector."""
        kept = self.account.secrets
        return {"x-api-key": f"{kept.get('keystring', '')}:{kept.get('shared_secret', '')}"}

    def auth(self) -> httpx2.Auth:
        """See Connector. Every refresh token is good once; the next one comes with the access token."""
        kept = self.account.secrets
        form = {
            "grant_type": "refresh_token", "client_id": kept.get("keystring", ""),
            "refresh_token": kept.get("refresh_token", ""),
        }  # fmt: skip
        return TokenAuth.of(TokenRequest(self.address(TOKEN), form), self.account)

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: what the application may do in a second, and what is left of that and of the day."""
        pace = answer.count("x-limit-per-second")
        counts = [answer.count(name) for name in ("x-remaining-this-second", "x-remaining-today")]
        left = [count for count in counts if count is not None]
        if pace and left:
            self._budget.learn(bucket, per_second=pace, capacity=pace, left=min(left))
        return retry_after(answer.headers)

    def check(self) -> str:
        """See Connector."""
        told = fields_in(self.http.call("GET", self.shop.path), "shop_name")
        return f"{told['shop_name']} ({told.get('currency_code') or 'no currency'})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes."""
        query = {
            "response_type": "code", "client_id": self.account.secrets.get("keystring", ""), "state": state,
            "redirect_uri": redirect_uri, "scope": " ".join(SCOPES), "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self.address(CONSENT)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        form = {
            "grant_type": "authorization_code", "client_id": self.account.secrets.get("keystring", ""),
            "redirect_uri": redirect_uri, "code_verifier": verifier,
        }  # fmt: skip
        given = tokens_for_code(self.http, query, self.address(TOKEN), form)
        if not given.get("refresh_token"):
            raise NeedsAttention("Etsy gave no refresh token: connect the account anew")
        shop_id = self._own_shop_id(str(given["access_token"]))
        return {"refresh_token": str(given["refresh_token"]), "shop_id": shop_id}

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders."""
        yield from receipts.pull_orders(self.shop, cursor, since)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        return receipts.pull_order(self.shop, external_id)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings: one record for each variation."""
        yield from inventory.pull_listings(self.shop, cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock."""
        return inventory.pull_stock(self.shop, refs) if refs else []

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock."""
        return inventory.push_stock(self.shop, levels) if levels else []

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices."""
        return inventory.push_prices(self.shop, levels) if levels else []

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings."""
        return drafts.push_listings(self.shop, contents) if contents else []

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments."""
        return receipts.push_fulfilment(self.shop, notice)

    # Webhooks.

    webhook_topics = TOPICS
    webhook_secrets = ("webhook_secret",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Raises NotSupported: a person enters the address in Etsy's webhook portal."""
        raise NotSupported(
            f"Etsy takes no subscription by its API: enter {url} in the webhook portal of your app (commercial apps "
            "have one), and its signing secret here"
        )

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. HMAC-SHA256 over id, timestamp and body, under the secret behind its `whsec_`."""
        name, seconds = delivery.header("webhook-id"), delivery.header("webhook-timestamp")
        given = [part.removeprefix("v1,") for part in delivery.header("webhook-signature").split()]
        if not name or not seconds:
            raise WebhookRefused("the delivery does not say what it is and when it was signed")
        message = f"{name}.{seconds}.".encode() + delivery.body
        require_signature(given, self.webhook_secret(), message, _signed)
        require_sent_recently(seconds, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. What concerns another shop of the same app is none of ours: its kind is unknown."""
        name = delivery.header("webhook-id") or name_of_body(delivery)
        return [read_delivery(delivery, lambda told: self._event(told, name))]

    def _event(self, told: Raw, name: str) -> Event:
        topic, path = str(told["event_type"]), urlsplit(str(told["resource_url"])).path
        ours, shop_id = self.setting("shop_id"), str(told.get("shop_id") or "")
        is_ours = topic in TOPICS and (not ours or not shop_id or shop_id == ours)
        return Event(
            event_id=name, topic=topic, kind="orders" if is_ours else "unknown",
            external_id=path.rstrip("/").rpartition("/")[2] if "/receipts/" in path else "",
        )  # fmt: skip

    # What its errors mean: Etsy says it in sentences, and the status decides. The token endpoint has words for it.

    consequences = {
        "invalid_grant": NeedsAttention, "invalid_client": NeedsAttention, "unauthorized_client": NeedsAttention,
        "invalid_token": NeedsAttention, "insufficient_scope": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector."""
        told = answer.data if isinstance(answer.data, dict) else {}
        error = told.get("error")
        if not isinstance(error, str) or not error:
            return "", ""
        words = str(told.get("error_description") or error)
        return (error, words) if error in self.consequences else ("" if not answer.is_success else "error", words)


def _signed(secret: bytes, message: bytes) -> bytes:
    """The signature under a secret, whose bytes are in base64 behind `whsec_`."""
    if secret.startswith(b"whsec_"):
        try:
            secret = b64decode(secret.removeprefix(b"whsec_"), validate=True)
        except ValueError:
            raise WebhookRefused("the webhook secret is not as Etsy writes it: copy it anew") from None
    return hmac_base64(secret, message)
