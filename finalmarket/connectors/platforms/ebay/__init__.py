"""eBay: orders, listings, stock, parcels and refunds through the Sell APIs, and notifications.

The sections lie in files beside this one: windows (orders come in), listings, offers, after_sale, notifications; and,
as pure functions from its words to ours, orders and marketplaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, basic_header
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
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    Rejected,
    RetryLater,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.ebay import after_sale, listings, notifications, offers, windows
from finalmarket.connectors.platforms.ebay.calls import (
    APPLICATION_SCOPE,
    BATCH,
    CONSENT,
    HOST,
    IDENTITY_HOST,
    NOTIFICATION,
    ORDERS_RATE,
    RATES,
    SCOPES,
    TOKEN,
    Shop,
    first_error,
)
from finalmarket.connectors.platforms.ebay.marketplaces import MARKETPLACES
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
    RefundNotice,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.signing import hmac_hex

__all__ = ["Ebay"]

SANDBOX = "https://api.sandbox.ebay.com"


class Ebay(
    Connector, PullsOrders, PullsListings, PullsStock, PushesStock, PushesPrices, PushesListings, PushesFulfilments,
    PushesRefunds, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One seller's account. Cancelling an order exists in no operation of the published descriptions."""

    # Who we are.

    slug = "ebay"
    name = "eBay"
    kind = "marketplace"
    docs = "https://developer.ebay.com/develop/api/sell"
    api_version = "inventory 1.18.0, fulfillment 1.20.7, notification 1.2.0"
    base_url = HOST
    rate = ORDERS_RATE
    rates = RATES
    secrets = ("client_id", "client_secret", "refresh_token")
    optional_secrets = ("verification_token", "notification_key", "signing_key_jwe", "signing_private_key")
    settings = (
        Setting("marketplace", "Marketplace", choices=tuple((one, one) for one in MARKETPLACES), default="EBAY_US"),
        Setting("ru_name", "RuName", "The name of your redirect URL, for connecting in the browser", False),
        Setting("seller", "eBay user name", "Filled in by connecting in the browser", False),
        Setting("merchant_location_key", "Inventory location", "Where new listings are sent from", False),
        Setting("fulfillment_policy_id", "Fulfillment policy", "Of new listings", False),
        Setting("payment_policy_id", "Payment policy", "Of new listings", False),
        Setting("return_policy_id", "Return policy", "Of new listings", False),
        Setting("category_id", "Category", "Of new listings that name none", False),
        Setting("condition", "Condition", "Of new listings that name none", False, "NEW"),
        Setting("alert_email", "E-mail for alerts", "eBay wants one before it sends notifications", False),
    )  # fmt: skip
    described_in = ("ebay",)
    checked_against = Checked("published description", on="2026-11-25")

    stock_read_limit: ClassVar[int] = BATCH
    stock_batch_limit: ClassVar[int] = BATCH
    price_batch_limit: ClassVar[int] = BATCH
    listing_batch_limit: ClassVar[int] = BATCH

    # How we are let in.

    @cached_property
    def shop(self) -> Shop:
        """The account as the sections call it."""
        told = self.account.settings
        marketplace = self.setting("marketplace")
        return Shop(self.http, marketplace, MARKETPLACES.get(marketplace, "en-US"), told)

    def address(self, url: str) -> str:
        """See Connector. eBay's own sandbox has the same three hosts as its production."""
        if self.account.base_url.rstrip("/") == SANDBOX:
            return url.replace(".ebay.com", ".sandbox.ebay.com", 1)
        return super().address(url)

    def auth(self) -> httpx2.Auth:
        """See Connector: user tokens, by the refresh token grant."""
        kept = self.account.secrets
        form = {"grant_type": "refresh_token", "refresh_token": kept.get("refresh_token", "")}
        return TokenAuth.of(TokenRequest(self.address(TOKEN), form, self._client), self.account)

    @property
    def _client(self) -> dict[str, str]:
        kept = self.account.secrets
        return {"Authorization": basic_header(kept.get("client_id", ""), kept.get("client_secret", ""))}

    @cached_property
    def _application(self) -> Mapping[str, str]:
        """Headers of calls on the application's own behalf: notifications belong to it."""
        form = {"grant_type": "client_credentials", "scope": APPLICATION_SCOPE}
        answer = self.http.call(
            "POST", self.address(TOKEN), form=form, headers=self._client, bucket="token", repeatable=True,
            is_authorized=False,
        )  # fmt: skip
        token = str(fields_in(answer, "access_token")["access_token"])
        self._scrub.learn([token])
        return {"Authorization": f"Bearer {token}"}

    def check(self) -> str:
        """See Connector."""
        told = fields_in(self.http.call("GET", self.address(f"{IDENTITY_HOST}/commerce/identity/v1/user/")))
        if not told.get("username") and not told.get("userId"):
            raise Unintelligible("eBay does not say whose account it is")
        return f"{told.get('username') or told['userId']} on {self.shop.marketplace}"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes. eBay knows addresses to come back to by a name, the RuName; ours is entered there."""
        query = {
            "client_id": self.account.secrets.get("client_id", ""), "redirect_uri": self.needed_setting("ru_name"),
            "response_type": "code", "scope": " ".join(SCOPES), "state": state,
        }  # fmt: skip
        return f"{self.address(CONSENT)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        form = {"grant_type": "authorization_code", "redirect_uri": self.needed_setting("ru_name")}
        given = tokens_for_code(
            self.http, query, self.address(TOKEN), form, headers=self._client, bucket="token"
        )  # fmt: skip
        if not given.get("refresh_token"):
            raise NeedsAttention("eBay gave no refresh token: connect the account anew")
        who = self.http.call(
            "GET", self.address(f"{IDENTITY_HOST}/commerce/identity/v1/user/"), is_authorized=False,
            headers={"Authorization": f"Bearer {given['access_token']}"},
        )  # fmt: skip
        return {"refresh_token": str(given["refresh_token"]), "seller": str(fields_in(who).get("username") or "")}

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders."""
        yield from windows.pull_orders(self.http, cursor, since)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        return windows.pull_order(self.http, external_id)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings."""
        yield from listings.pull_listings(self.shop, cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock: eBay shows one number of each SKU."""
        return listings.pull_stock(self.shop, refs)

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock."""
        return listings.push_stock(self.shop, levels)

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices."""
        return listings.push_prices(self.shop, levels)

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings."""
        return offers.push_listings(self.shop, contents)

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments."""
        return after_sale.push_fulfilment(self.http, notice)

    def push_refund(self, notice: RefundNotice) -> str:
        """See PushesRefunds."""
        kept = self.account.secrets
        jwe, private_key = kept.get("signing_key_jwe", ""), kept.get("signing_private_key", "")
        signer = after_sale.Signer(jwe, private_key) if jwe and private_key else None
        return after_sale.push_refund(self.http, notice, signer, self.address(HOST))

    # Webhooks.

    webhook_topics = notifications.TOPICS
    webhook_secrets = ("notification_key",)

    @property
    def _verification_token(self) -> str:
        """What was entered, else what follows from the client secret: eBay asks for it before it could be kept."""
        kept = self.account.secrets
        follows = hmac_hex(kept.get("client_secret", "").encode(), b"verification token of the webhooks").decode()
        return kept.get("verification_token") or follows

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. The key that signs is eBay's and comes with the first delivery."""
        desk = notifications.Desk(self.http, self._application)
        notifications.subscribe(desk, url, self._verification_token, self.account.settings.get("alert_email", ""))
        return {}

    def answer_challenge(self, url: str, query: Mapping[str, str]) -> tuple[str, str] | None:
        """See ReceivesWebhooks."""
        code = query.get("challenge_code", "")
        return notifications.challenge_answer(url, code, self._verification_token) if code else None

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks."""
        notifications.verify(delivery, self.webhook_secret(), self._fetch_key)

    def _fetch_key(self, name: str) -> str:
        """Ask eBay for a public key, and keep it for the deliveries to come."""
        path = f"{NOTIFICATION}/public_key/{quote(name, safe='')}"
        try:
            answer = self.http.call("GET", path, headers=self._application, bucket="notification", is_authorized=False)
            key = notifications.kept_key(name, fields_in(answer))
        except WebhookRefused:
            raise
        except ConnectorError as error:
            raise WebhookRefused(f"the public key of the signature cannot be had: {error.reason}") from None
        former = self.account.secrets.get("notification_key", "")
        self.account.keep({"notification_key": key, **({"notification_key_previous": former} if former else {})})
        return key

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks."""
        return notifications.read(delivery, self.account.settings.get("seller", ""))

    # What its errors mean. The published descriptions list them by operation.

    consequences = {
        "1001": NeedsAttention, "1002": NeedsAttention, "1100": NeedsAttention,  # the token, missing, its rights
        "2001": RetryLater,  # too many calls
        "25025": RetryLater,  # somebody else works on the same item
        "34922": RetryLater, "34929": RetryLater,  # another refund, or the payment, is still on its way
        "195011": Rejected,  # the topic is not for this application
        # The token endpoint answers these with 400 (RFC 6749, section 5.2).
        "invalid_grant": NeedsAttention, "invalid_client": NeedsAttention, "unauthorized_client": NeedsAttention,
        "invalid_scope": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the first of the `errors`, or the error of the token endpoint."""
        told = answer.data if isinstance(answer.data, dict) else {}
        code, words = first_error(told.get("errors"))
        if code:
            return code, words
        if isinstance(told.get("error"), str):
            return told["error"], str(told.get("error_description") or "")
        return "", ""
