"""Amazon: orders, listings, stock and parcels through the Selling Partner API.

The sections lie in files beside this one: calls, incoming, outgoing, feeds, notifications; and, as pure functions from
its words to ours, orders, listings, marketplaces.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlencode

import httpx2

from finalmarket.connectors.auth import TokenAuth, TokenRequest
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
from finalmarket.connectors.errors import NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.platforms.amazon import calls, incoming, notifications, outgoing
from finalmarket.connectors.platforms.amazon.calls import Limits, Seller
from finalmarket.connectors.platforms.amazon.marketplaces import HOSTS, MARKETPLACES, marketplace
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
    StockLevel,
    StockRecord,
)

LOGIN = "https://api.amazon.com/auth/o2/token"
TOKEN_HEADER = "x-amz-access-token"  # noqa: S105  a header's name
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"
YES_OR_NO = (("yes", "Yes"), ("no", "No"))

__all__ = ["Amazon"]


class LoginWithAmazon(TokenAuth):
    """Tokens of Login with Amazon. The Selling Partner API says 403, not 401, to one that is no longer good."""

    def is_refused(self, response: httpx2.Response) -> bool:
        """See TokenAuth."""
        return response.status_code == 401 or (response.status_code == 403 and b"access token" in response.read())


class Amazon(
    Connector, PullsOrders, PullsListings, PullsStock, PushesStock, PushesPrices, PushesListings, PushesFulfilments,
    ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One seller's account in one selling region. Refunds of orders that the merchant sends, and cancellations, exist
    in no operation of the published models."""

    # Who we are.

    slug = "amazon"
    name = "Amazon"
    kind = "marketplace"
    former_names = ("Amazon MWS", "Amazon Marketplace", "Amazon Seller Central")
    docs = "https://developer-docs.amazon.com/sp-api"
    api_version = "orders 2026-01-01, listings items 2021-08-01, feeds 2021-06-30"
    base_url = HOSTS["na"]
    rate = Rate(1, burst=5)
    rates = calls.RATES
    secrets = ("client_id", "client_secret", "refresh_token")
    optional_secrets = ("webhook_secret",)
    settings = (
        Setting("region", "Selling region", choices=(("na", "North America"), ("eu", "Europe"), ("fe", "Far East"))),
        Setting("seller_id", "Merchant token", "Seller Central: Settings, Account Info, Your Merchant Token"),
        Setting("marketplace_ids", "Marketplace ids", "The main one first, divided by commas: A1PA6795UKMFR9"),
        Setting("product_type", "Default product type", "For listings that name none", False, "PRODUCT"),
        Setting("buyer_data", "Buyer data", "Names and addresses: needs restricted roles", False, "yes", YES_OR_NO),
        Setting("application_id", "Application id", "amzn1.sp.solution..., for connecting in the browser", False),
        Setting("is_draft", "Application is a draft", "", False, "no", YES_OR_NO),
        Setting("aws_account_id", "AWS account", "Where notifications about listings go, by EventBridge", False),
        Setting("aws_region", "AWS region of the event bus", "Such as eu-central-1", False),
        Setting("sqs_queue_arn", "ARN of the SQS queue", "Where notifications about orders and FBA stock go", False),
    )  # fmt: skip
    described_in = ("amazon",)
    checked_against = Checked("published models 34dc93f of amzn/selling-partner-api-models", on="2026-11-25")

    stock_read_limit: ClassVar[int] = incoming.LISTINGS_A_PAGE
    stock_batch_limit: ClassVar[int] = outgoing.MOST_MESSAGES_A_BATCH
    price_batch_limit: ClassVar[int] = outgoing.MOST_MESSAGES_A_BATCH
    listing_batch_limit: ClassVar[int] = outgoing.MOST_LISTINGS_A_BATCH

    # How we are let in.

    @cached_property
    def seller(self) -> Seller:
        """The account as the sections call it. Raises NeedsAttention where a setting is missing or wrong."""
        told, places = self.account.settings, self._marketplace_ids
        if not places or not told.get("seller_id"):
            raise NeedsAttention("the merchant token or the marketplace ids are missing: enter them in the settings")
        for place in places:
            if place in MARKETPLACES and marketplace(place).region != self.region:
                raise NeedsAttention(f"marketplace {place} is not in the selling region {self.region!r}")
        product_type = told.get("product_type") or "PRODUCT"
        return Seller(self.http, told["seller_id"], places, product_type)

    @property
    def _marketplace_ids(self) -> tuple[str, ...]:
        told = self.account.settings.get("marketplace_ids", "")
        return tuple(place for text in told.split(",") if (place := text.strip()))

    @cached_property
    def _limits(self) -> Limits:
        return Limits(self._budget)

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: the header x-amzn-RateLimit-Limit."""
        return self._limits.heed(answer, bucket)

    @property
    def region(self) -> str:
        """The selling region of the settings."""
        return self.account.settings.get("region") or "na"

    def address(self, url: str) -> str:
        """See Connector: a region has a host of its own."""
        own = HOSTS.get(self.region, self.base_url)
        return super().address(own + url.removeprefix(self.base_url) if url.startswith(self.base_url) else url)

    def auth(self) -> httpx2.Auth:
        """See Connector: Login with Amazon, refresh_token grant."""
        kept = self.account.secrets
        fields = {"grant_type": "refresh_token", "refresh_token": kept.get("refresh_token", ""), **self._client()}
        return LoginWithAmazon.of(TokenRequest(self.address(LOGIN), fields), self.account, _put_token)

    def _client(self) -> dict[str, str]:
        return {name: self.account.secrets.get(name, "") for name in ("client_id", "client_secret")}

    def check(self) -> str:
        """See Connector."""
        answer = self.seller.call(calls.PARTICIPATIONS)
        try:
            shops = [shop for shop in answer.data["payload"] if shop["participation"]["isParticipating"]]
            names = {shop["marketplace"]["id"]: shop["marketplace"]["name"] for shop in shops}
            stores = [shop["storeName"] for shop in shops]
        except READING_ERRORS:
            raise Unintelligible("the answer names no marketplaces", status=answer.status) from None
        missing = [place for place in self.seller.marketplace_ids if place not in names]
        if missing:
            raise NeedsAttention(f"the account does not sell on {', '.join(missing)}")
        return f"{stores[0]} ({', '.join(names[place] for place in self.seller.marketplace_ids)})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes: the consent page of Seller Central, on the host of the main marketplace."""
        told = self.account.settings
        if not told.get("application_id") or not self._marketplace_ids:
            raise NeedsAttention("the application id or the marketplace ids are missing: enter them in the settings")
        query = {"application_id": told["application_id"], "state": state, "redirect_uri": redirect_uri}
        if told.get("is_draft") == "yes":
            query["version"] = "beta"
        page = f"https://{marketplace(self._marketplace_ids[0]).central}/apps/authorize/consent"
        return f"{self.address(page)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes. Amazon names the seller who agreed: the merchant token need not be entered."""
        code, partner = query.get("spapi_oauth_code", ""), query.get("selling_partner_id", "")
        expected = self.account.settings.get("seller_id") or partner
        if not code or not partner:
            raise NeedsAttention("Amazon sent no authorization code back: connect the account anew")
        if partner != expected:
            raise NeedsAttention(f"it was seller {partner} who agreed, not the seller of the settings")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **self._client()}
        given = self.http.call("POST", self.address(LOGIN), form=form, is_authorized=False).data
        if not isinstance(given, dict) or not given.get("refresh_token"):
            raise NeedsAttention("Amazon gave no refresh token: connect the account anew")
        return {"refresh_token": str(given["refresh_token"]), "seller_id": partner}

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders."""
        yield from incoming.pull_orders(self.seller, cursor, since, has_buyer_data=self._has_buyer_data)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        return incoming.pull_order(self.seller, external_id, has_buyer_data=self._has_buyer_data)

    @property
    def _has_buyer_data(self) -> bool:
        return self.account.settings.get("buyer_data") != "no"

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings."""
        yield from incoming.pull_listings(self.seller, cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock: "" is the merchant's own stock, "FBA" or "AMAZON_..." that which Amazon keeps."""
        return incoming.pull_stock(self.seller, refs, location)

    # What goes out.

    def pause(self, seconds: float) -> None:
        """Wait while Amazon works on a feed."""
        time.sleep(seconds)

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock."""
        changes = outgoing.stock_changes(self.seller, levels)
        return outgoing.make_changes(self.seller, changes, self.address, self.pause)

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices."""
        changes = outgoing.price_changes(self.seller, levels)
        return outgoing.make_changes(self.seller, changes, self.address, self.pause)

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings."""
        return [outgoing.push_listing(self.seller, content) for content in contents]

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments."""
        return outgoing.push_fulfilment(self.seller, notice)

    # Webhooks.

    webhook_topics = (*notifications.BUS_TOPICS, *notifications.QUEUE_TOPICS)
    webhook_secrets = ("webhook_secret",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. `url` is for the merchant's API destination in AWS: Amazon itself is not told."""
        form = {"grant_type": "client_credentials", "scope": NOTIFICATIONS_SCOPE, **self._client()}
        given = self.http.call("POST", self.address(LOGIN), form=form, repeatable=True, is_authorized=False).data
        grantless = {TOKEN_HEADER: str((given or {}).get("access_token", ""))}
        notifications.subscribe(self.seller, grantless, self.account.settings)
        return {}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks."""
        notifications.verify(delivery, self.webhook_secret())

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks."""
        return notifications.read(delivery, self.account.settings.get("seller_id", ""))

    # What its errors mean.

    consequences = {
        "QuotaExceeded": RetryLater,
        "Unauthorized": NeedsAttention,
        "MissingAuthToken": NeedsAttention,
        "InvalidAccessToken": NeedsAttention,
        # Login with Amazon answers these with 400 (RFC 6749, section 5.2).
        "invalid_grant": NeedsAttention,
        "invalid_client": NeedsAttention,
        "unauthorized_client": NeedsAttention,
        "invalid_scope": NeedsAttention,
    }

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the first of the `errors`, or the error of Login with Amazon."""
        told = answer.data if isinstance(answer.data, dict) else {}
        errors = told.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            words = [str(errors[0].get(name) or "") for name in ("message", "details")]
            return str(errors[0].get("code") or "error"), " ".join(word for word in words if word)
        if isinstance(told.get("error"), str):
            return told["error"], str(told.get("error_description") or "")
        return "", ""


def _put_token(request: httpx2.Request, token: str) -> None:
    request.headers[TOKEN_HEADER] = token
