"""Square: tills and online orders, stock, catalogue, customers, refunds, over the Connect API.

Published source: the OpenAPI file of release 2025-08-20 (github.com/square/connect-api-specification). Its sections lie
in files beside this one, in the order in which they stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlencode

import httpx2

from finalmarket.connectors.answers import part_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, bearer, challenge
from finalmarket.connectors.code_exchange import kept_of, tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesCancellations,
    PushesCustomers,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.square.calls import CONSEQUENCES, errors_of, explain
from finalmarket.connectors.platforms.square.catalogue import BUCKET, Catalogue
from finalmarket.connectors.platforms.square.hooks import Hooks
from finalmarket.connectors.platforms.square.reading import Reading
from finalmarket.connectors.platforms.square.writing import Writing
from finalmarket.connectors.rates import Rate

SCOPES = (
    "MERCHANT_PROFILE_READ", "ORDERS_READ", "ORDERS_WRITE", "ITEMS_READ", "ITEMS_WRITE", "INVENTORY_READ",
    "INVENTORY_WRITE", "CUSTOMERS_READ", "CUSTOMERS_WRITE", "PAYMENTS_READ", "PAYMENTS_WRITE",
)  # fmt: skip


class Square(
    Reading, Writing, Catalogue, Hooks, Connector, PullsOrders, PullsListings, PullsStock, PullsCustomers, PushesStock,
    PushesPrices, PushesListings, PushesFulfilments, PushesRefunds, PushesCancellations, PushesCustomers,
    ErasesCustomers, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One seller's account on Square. Payments come with their orders, so they are no stream of their own."""

    # Who we are.

    slug = "square"
    name = "Square"
    kind = "pos"
    docs = "https://developer.squareup.com/reference/square"
    api_version = "2025-08-20"
    base_url = "https://connect.squareup.com"
    # Square publishes no figures. These stay well under what its developers report; a 429 is waited out.
    rate = Rate(calls=10, per_seconds=1, burst=10)
    rates: ClassVar[Mapping[str, Rate]] = {BUCKET: Rate(calls=2, per_seconds=1, burst=2)}
    secrets = ("access_token",)
    optional_secrets = (
        "refresh_token", "access_token_ends_at", "application_secret", "application_token", "webhook_signature_key",
        "merchant_id",
    )  # fmt: skip
    settings = (
        Setting("application_id", "Application ID", "Of your application in Square's console; for OAuth", False),
        Setting("location_id", "Location", "Where stock is set, if the account has several locations", False),
    )
    former_names = ("Square POS",)
    described_in = ("square",)
    checked_against = Checked("the published description (release 2025-08-20) and the sandbox", on="2026-11-25")

    # How we are let in.

    def headers(self) -> Mapping[str, str]:
        """The version that shapes every answer."""
        return {"Square-Version": self.api_version}

    def auth(self) -> httpx2.Auth:
        """A bearer token: a personal one, which does not end, or one of OAuth, which is renewed (after 30 days)."""
        secrets = self.account.secrets
        if not secrets.get("refresh_token"):
            return bearer(secrets.get("access_token", ""))
        wanted = {"grant_type": "refresh_token", "refresh_token": secrets["refresh_token"], **self._application()}
        asked = TokenRequest(self.address(f"{self.base_url}/oauth2/token"), wanted, self.headers(), as_json=True)
        return TokenAuth.of(asked, self.account)

    def _application(self) -> dict[str, str]:
        """What the application calls itself at the token endpoint; with PKCE it has no secret."""
        secret = self.account.secrets.get("application_secret", "")
        return {"client_id": self.needed_setting("application_id"), **({"client_secret": secret} if secret else {})}

    def check(self) -> str:
        """The seller's business name and country."""
        merchant = part_in(self.http.call("GET", "/v2/merchants/me"), "merchant")
        return f"{merchant.get('business_name') or merchant.get('id')} ({merchant.get('country')})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Square's page of consent. Without an application secret the round trip is proved by PKCE."""
        told = {
            "client_id": self.needed_setting("application_id"), "scope": " ".join(SCOPES), "session": "false",
            "state": state, "redirect_uri": redirect_uri,
        }  # fmt: skip
        if not self.account.secrets.get("application_secret"):
            told["code_challenge"] = challenge(verifier)
        return f"{self.address(f'{self.base_url}/oauth2/authorize')}?{urlencode(told)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """Turn the code into tokens; `merchant_id` tells whose they are."""
        wanted = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, **self._application()}
        if "client_secret" not in wanted:
            wanted["code_verifier"] = verifier
        given = tokens_for_code(self.http, query, "/oauth2/token", wanted, as_json=True)
        merchant = {"merchant_id": str(given["merchant_id"])} if given.get("merchant_id") else {}
        return {**kept_of(given), **merchant}

    # What comes in: reading.py, with rounds.py. What goes out: writing.py, parcels.py, catalogue.py.

    # Webhooks: hooks.py.

    # What its errors mean.

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = CONSEQUENCES

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """The first error that an answer reports. One beside results is a part's, which its caller looks at."""
        errors = errors_of(answer.data)
        if answer.is_success and (not errors or set(answer.data) != {"errors"}):
            return "", ""
        if errors:
            return explain(errors[0])
        if isinstance(answer.data, dict) and answer.data.get("message"):  # the token endpoint's older form
            return str(answer.data.get("type") or ""), str(answer.data["message"])
        return "", ""


# From its words to ours: words.py, returns.py, amounts.py.
