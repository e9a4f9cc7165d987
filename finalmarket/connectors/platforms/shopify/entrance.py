"""Shopify: who we are, how we are let in, and what its errors mean.

Published sources: shopify.dev (GraphQL Admin API 2026-07; rate limits; access tokens; response codes).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx2

from finalmarket.connectors.auth import HeaderAuth, TokenAuth, TokenRequest
from finalmarket.connectors.code_exchange import kept_of
from finalmarket.connectors.contract import Checked, Connector, Setting
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.shopify.documents import DOCUMENTS
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Raw
from finalmarket.kernel import clock

VERSION = "2026-07"
TOKEN_HEADER = "X-Shopify-Access-Token"  # noqa: S105  the header's name
SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
SCOPES = (
    "read_orders", "write_orders", "read_products", "write_products", "read_inventory", "write_inventory",
    "read_locations", "read_customers", "write_customers", "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)  # fmt: skip
OLDEST_REDIRECT = timedelta(hours=1)
MUTATION_POINTS = 10.0
# What a first call of a document is taken to cost, until an answer told what Shopify counts.
FIRST_POINTS: Mapping[str, float] = {
    "Orders": 920.0, "Order": 140.0, "Variants": 210.0, "Stock": 300.0, "Customers": 210.0, "FulfillmentOrders": 460.0,
}  # fmt: skip
A_MOMENT = 1.0
CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"


class Entrance(Connector):
    """Shopify's door: everything goes through `ask`."""

    # Who we are.

    slug = "shopify"
    name = "Shopify"
    kind = "pos"
    docs = "https://shopify.dev/docs/api/admin-graphql/2026-07"
    api_version = VERSION
    base_url = "https://{shop}"
    rate = Rate(calls=100, burst=2000)  # points: a shop on the Standard plan; answers tell of better ones
    secrets = ("client_id", "client_secret")
    optional_secrets = ("access_token", "refresh_token", "access_token_ends_at")
    settings = (
        Setting("shop", "Shop", "The shop's own address, such as my-shop.myshopify.com."),
        Setting(
            "location", "Stock location", is_required=False,
            help="The id of the location whose stock we tell; may stay empty where the shop has only one.",
        ),
        Setting(
            "publications", "Sales channels for new products", is_required=False,
            help="Names parted by commas, such as Online Store, Point of Sale; empty: as the shop does by itself.",
        ),
        Setting(
            "notify_customers", "Shopify writes to customers about parcels", is_required=False, default="yes",
            choices=(("yes", "Yes"), ("no", "No")),
        ),
    )  # fmt: skip
    former_names = ("Shopify POS", "Shopify Plus")
    described_in = ("shopify",)
    checked_against = Checked("the published schema admin_2026-07", on="2026-11-25")

    def shop(self) -> str:
        """The shop's domain. Raises NeedsAttention where it is none: the token is sent there and nowhere else."""
        given = self.account.settings.get("shop", "").strip().lower().removeprefix("https://").rstrip("/")
        domain = given if "." in given else f"{given}.myshopify.com"
        if not SHOP.fullmatch(domain):
            raise NeedsAttention(f"{given[:60]!r} is no Shopify address: enter one such as my-shop.myshopify.com")
        return domain

    def address(self, url: str) -> str:
        """The shop's own address, or the stand-in's."""
        return super().address(url.replace("{shop}", self.shop()))

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """The token of a custom app; one that is renewed (OAuth); or one asked for with the app's own credentials."""
        secrets = self.account.secrets
        token, renewal = secrets.get("access_token", ""), secrets.get("refresh_token", "")
        if token and not renewal and not secrets.get("access_token_ends_at"):
            return HeaderAuth(TOKEN_HEADER, token)
        fields = {"client_id": secrets["client_id"], "client_secret": secrets["client_secret"]}
        if renewal:
            fields |= {"grant_type": "refresh_token", "refresh_token": renewal}
        else:
            fields |= {"grant_type": "client_credentials"}
        request = TokenRequest(self.address(f"{self.base_url}/admin/oauth/access_token"), fields)
        return TokenAuth.of(request, self.account, _place_token)

    def check(self) -> str:
        """See Connector. Raises NeedsAttention also where the app lacks rights that we need."""
        return read_one(self.ask("Check"), _whose)

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes. Shopify has no PKCE."""
        asked = {
            "client_id": self.account.secrets["client_id"], "scope": ",".join(SCOPES), "redirect_uri": redirect_uri,
            "state": state,
        }  # fmt: skip
        return self.address(f"{self.base_url}/admin/oauth/authorize?{urlencode(asked)}")

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes. The caller has compared `state`; here Shopify's signature of the whole query is proved."""
        self._prove(query)
        fields = {
            "client_id": self.account.secrets["client_id"], "client_secret": self.account.secrets["client_secret"],
            "code": query["code"], "expiring": "1",
        }  # fmt: skip
        try:
            given = self.http.call("POST", "/admin/oauth/access_token", form=fields, is_authorized=False).data
        except (Rejected, OutcomeUnknown) as error:
            raise NeedsAttention(f"Shopify gave no access token: {error.reason}", code=error.code) from None
        if not isinstance(given, dict) or not isinstance(given.get("access_token"), str):
            raise Unintelligible("Shopify's token answer holds no access token")
        return kept_of(given)

    def _prove(self, query: Mapping[str, str]) -> None:
        """Raise NeedsAttention unless Shopify signed this query, for this shop and of late."""
        secret = self.account.secrets.get("client_secret", "")
        signed = urlencode(sorted((name, value) for name, value in query.items() if name not in ("hmac", "signature")))
        expected = hmac.digest(secret.encode(), signed.encode(), "sha256").hex()
        if not secret or not hmac.compare_digest(expected.encode(), query.get("hmac", "").encode()):
            raise NeedsAttention("the redirect is not signed by Shopify: begin to connect anew")
        if query.get("shop", "").lower() != self.shop():
            raise NeedsAttention("the redirect is for another shop than the one entered: begin to connect anew")
        stamp = query.get("timestamp", "")
        if not stamp.isdecimal() or abs(clock.now().timestamp() - int(stamp)) > OLDEST_REDIRECT.total_seconds():
            raise NeedsAttention("the redirect is too old: begin to connect anew")
        if not query.get("code"):
            raise NeedsAttention("the redirect holds no code: begin to connect anew")

    def ask(self, name: str, variables: Mapping[str, Any] | None = None, *, repeatable: bool | None = None) -> Raw:
        """Send the document of that name; return its `data`. Queries are repeatable, mutations where it is said."""
        document = DOCUMENTS[name]
        is_repeatable = not document.is_mutation if repeatable is None else repeatable
        answer = self.http.call(
            "POST", f"/admin/api/{VERSION}/graphql.json",
            json={"query": document.text, "operationName": name, "variables": dict(variables or {})},
            cost=self._points.get(name, MUTATION_POINTS), repeatable=is_repeatable,
        )  # fmt: skip
        requested = _dig(answer.data, "extensions", "cost", "requestedQueryCost")
        if requested is not None:
            self._points[name] = float(requested)
        data = _dig(answer.data, "data")
        if not isinstance(data, dict) or any(root not in data for root in document.roots):
            reason = f"Shopify's answer does not hold what {name} asked for"
            raise (Unintelligible if is_repeatable else OutcomeUnknown)(reason, status=answer.status)
        return data

    def change(self, name: str, variables: Mapping[str, Any], *, repeatable: bool = False) -> Raw:
        """Send the mutation of that name; return its payload. `repeatable`: done twice, it does no harm."""
        (payload,) = (self.ask(name, variables, repeatable=repeatable)[root] for root in DOCUMENTS[name].roots)
        if not isinstance(payload, dict):
            raise (Unintelligible if repeatable else OutcomeUnknown)(f"Shopify does not say what came of {name}")
        return payload

    @cached_property
    def _points(self) -> dict[str, float]:
        """What each document cost the last time, as Shopify counted before it ran it."""
        return dict(FIRST_POINTS)

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """Take over the points that are left; a throttled call waits until there are enough for it."""
        cost = _dig(answer.data, "extensions", "cost")
        throttle = _dig(cost, "throttleStatus")
        try:
            most, left, rate = (float(throttle[k]) for k in ("maximumAvailable", "currentlyAvailable", "restoreRate"))
            requested = float(_dig(cost, "requestedQueryCost") or 0)
        except (TypeError, KeyError, ValueError):
            return retry_after(answer.headers)
        if rate <= 0 or most <= 0:
            return retry_after(answer.headers)
        self._budget.learn(bucket, per_second=rate, capacity=most, left=max(0.0, left))
        if self.error_code(answer)[0] != "THROTTLED":
            return retry_after(answer.headers)
        return max((requested - left) / rate, 0.1)

    # What its errors mean.

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "THROTTLED": RetryLater,
        "429": RetryLater,
        "430": RetryLater,  # taken for an attack; passes
        "SERVICE_UNAVAILABLE": RetryLater,
        "INTERNAL_SERVER_ERROR": OutcomeUnknown,
        "TIMEOUT": OutcomeUnknown,
        "ACCESS_DENIED": NeedsAttention,
        "SHOP_INACTIVE": NeedsAttention,
        "402": NeedsAttention,  # the shop's bill is open
        "404": NeedsAttention,  # there is no such shop
        "423": NeedsAttention,  # the shop is locked
    }

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: `errors` of GraphQL (also under status 200), or the plain words of the door before it."""
        told = answer.data if isinstance(answer.data, dict) else {}
        errors = told.get("errors")
        if isinstance(errors, list) and errors:
            codes = [str(_dig(error, "extensions", "code") or "ERROR") for error in errors]
            words = "; ".join(str(_dig(error, "message") or error) for error in errors)
            return next((code for code in codes if code in self.consequences), codes[0]), words
        if errors:
            return str(answer.status), str(errors)
        if told.get("error"):
            return str(told["error"]), str(told.get("error_description") or "")
        return ("", "") if answer.is_success else (str(answer.status), "")


def _whose(data: Raw) -> str:
    """Whose shop it is. Raises NeedsAttention where the app lacks rights that we need."""
    granted = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
    granted |= {f"read_{scope.removeprefix('write_')}" for scope in granted if scope.startswith("write_")}
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        raise NeedsAttention(f"the Shopify app lacks these access scopes: {', '.join(missing)}")
    return f"{data['shop']['name']} ({data['shop']['myshopifyDomain']})"


def _place_token(request: httpx2.Request, token: str) -> None:
    request.headers[TOKEN_HEADER] = token


def _dig(value: Any, *names: str) -> Any:
    """What lies under these names; None where one of them is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def user_errors(payload: Raw, key: str, field: str = "userErrors") -> list[Rejected]:
    """What a mutation did not take, in its own words; `code` where this mutation gives codes."""
    return [
        Rejected(
            f"{error['message']} ({'.'.join(error.get('field') or ()) or 'no field'})", key=key,
            code=str(error.get("code") or ""),
        )
        for error in payload.get(field) or ()
    ]  # fmt: skip


def refuse(payload: Raw, key: str, field: str = "userErrors") -> Raw:
    """The payload of a mutation that was taken. Raises Rejected with its errors; RetryLater while the same key is
    still being worked on elsewhere."""
    raise_if_busy(payload)
    errors = user_errors(payload, key, field)
    if errors:
        raise Rejected("; ".join(error.reason for error in errors), key=key, code=errors[0].code or "USER_ERROR")
    return payload


def raise_if_busy(payload: Raw) -> None:
    """Raise RetryLater while Shopify still works on the same idempotency key; some mutations say so in words only."""
    for error in payload.get("userErrors") or ():
        if error.get("code") == CONCURRENT or "request is currently in progress" in error["message"]:
            raise RetryLater(error["message"], retry_after=A_MOMENT, code=CONCURRENT)
