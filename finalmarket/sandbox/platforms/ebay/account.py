"""Who is let in: tokens of sellers and of the application, the consent page, and in what words eBay refuses."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105  opens nothing but the sandbox
REFRESH_TOKEN = "v^1.1#sandbox-refresh-token"  # noqa: S105
RU_NAME = "The_Final_Market-sandbox"
SELLER = "sandbox_seller"
MARKETPLACE, CURRENCY = "EBAY_DE", "EUR"
LOCATION_KEY = "warehouse-1"
POLICIES = {
    "fulfillmentPolicyId": "6000000001", "paymentPolicyId": "6000000002", "returnPolicyId": "6000000003",
}  # fmt: skip
CATEGORY_ID = "11450"
APPLICATION_SCOPE = "https://api.ebay.com/oauth/api_scope"
TOKEN_SECONDS = 7200
DAY_SECONDS = 86_400.0
# What belongs to the application; subscriptions belong to whoever asks for them.
APPLICATIONS_OWN = tuple(
    f"/commerce/notification/v1/{name}" for name in ("config", "destination", "topic", "public_key")
)
EITHERS = "/commerce/notification/v1/subscription"
DOMAINS: Mapping[str, str] = {
    "/sell/inventory": "API_INVENTORY", "/sell/fulfillment": "API_FULFILLMENT",
    "/commerce/notification": "API_NOTIFICATION", "/commerce/identity": "API_IDENTITY",
}  # fmt: skip


def error(number: int, message: str, category: str = "REQUEST", domain: str = "ACCESS", **parameters: str) -> Any:
    """One error as eBay writes it."""
    told = [{"name": name, "value": value} for name, value in parameters.items()]
    return {
        "errorId": number, "domain": domain, "category": category, "message": message, "longMessage": message,
        "parameters": told,
    }  # fmt: skip


def refusal(status: int, number: int, message: str, domain: str = "ACCESS", **parameters: str) -> Refused:
    """An answer that is one error."""
    return Refused(Reply(status, {"errors": [error(number, message, domain=domain, **parameters)]}))


def written(at: datetime) -> str:
    """A moment as eBay writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body_of(request: Request, domain: str) -> dict[str, Any]:
    """The JSON object of a request. Refuses another body."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise refusal(415, 2004, "Content-Type is not application/json", domain)
    try:
        told = request.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise refusal(400, 2004, "Could not serialize the request body", domain)
    return told


def money(value: object) -> dict[str, str]:
    """An Amount."""
    return {"value": str(value), "currency": CURRENCY}


class Account(StandIn):
    """What all operations share."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (100_000 / DAY_SECONDS, 1_000.0), "inventory": (2_000_000 / DAY_SECONDS, 200.0),
        "notification": (10_000 / DAY_SECONDS, 100.0), "token": (50_000 / DAY_SECONDS, 200.0),
    }  # fmt: skip

    def fresh_state(self) -> dict[str, Any]:
        """See StandIn."""
        return {
            "count": 0, "tokens": {}, "codes": {}, "refresh_tokens": [REFRESH_TOKEN], "items": {}, "offers": {},
            "revisions": {}, "orders": {}, "parcels": {}, "config": {}, "destinations": {}, "subscriptions": {},
            "given_back": {}, "is_signed": False,
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN,
            "marketplace": MARKETPLACE, "seller": SELLER, "ru_name": RU_NAME, "merchant_location_key": LOCATION_KEY,
            "fulfillment_policy_id": POLICIES["fulfillmentPolicyId"], "payment_policy_id": POLICIES["paymentPolicyId"],
            "return_policy_id": POLICIES["returnPolicyId"], "category_id": CATEGORY_ID,
            "alert_email": "alerts@example.com",
        }  # fmt: skip

    def next_number(self) -> int:
        """One number after the other."""
        self.state["count"] += 1
        return int(self.state["count"])

    # Letting in.

    def let_in(self, request: Request) -> None:
        """See StandIn: a token of the seller, at the application's own calls one of the application."""
        if not request.headers.get("user-agent"):
            raise refusal(400, 2004, "the User-Agent header is missing")
        token = self.state["tokens"].get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None or token["ends_at"] <= self.now():
            raise refusal(401, 1001, "Invalid access token. Check the value of the Authorization HTTP request header.")
        wanted = "application" if request.path.startswith(APPLICATIONS_OWN) else "seller"
        if token["who"] != wanted and not request.path.startswith(EITHERS):
            raise refusal(403, 1100, "Insufficient permissions to fulfill the request.")

    @route("POST", "/identity/v1/oauth2/token", is_open=True, is_write=False, bucket="token")
    def login(self, request: Request) -> Reply:
        """The token endpoint: the three grants."""
        expected = "Basic " + b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return _no_token(401, "invalid_client", "client authentication failed")
        form = dict(request.form())
        grants = {
            "refresh_token": self._refreshed, "authorization_code": self._coded, "client_credentials": self._for_itself,
        }  # fmt: skip
        grant = grants.get(form.get("grant_type", ""))
        return grant(form) if grant else _no_token(400, "unsupported_grant_type", "the grant is not supported")

    def _refreshed(self, form: Mapping[str, str]) -> Reply:
        if form.get("refresh_token") not in self.state["refresh_tokens"]:
            return _no_token(400, "invalid_grant", "the provided authorization refresh token is invalid")
        return self._token("seller")

    def _coded(self, form: Mapping[str, str]) -> Reply:
        name = self.state["codes"].pop(form.get("code", ""), None)
        if name is None or name != form.get("redirect_uri"):
            return _no_token(400, "invalid_grant", "the provided authorization grant code is invalid")
        refresh_token = f"v^1.1#sandbox-refresh-token-{self.next_number()}"
        self.state["refresh_tokens"].append(refresh_token)
        return self._token("seller", refresh_token=refresh_token, refresh_token_expires_in=47_304_000)

    def _for_itself(self, form: Mapping[str, str]) -> Reply:
        if form.get("scope") != APPLICATION_SCOPE:
            return _no_token(400, "invalid_scope", "the requested scope is invalid")
        return self._token("application")

    def _token(self, who: str, **more: Any) -> Reply:
        token = f"v^1.1#sandbox-access-token-{self.next_number()}"
        self.state["tokens"][token] = {"ends_at": self.now() + timedelta(seconds=TOKEN_SECONDS), "who": who}
        kind = "User Access Token" if who == "seller" else "Application Access Token"
        return Reply(200, {"access_token": token, "token_type": kind, "expires_in": TOKEN_SECONDS, **more})

    @route("GET", "/oauth2/authorize", is_open=True)
    def consent(self, request: Request) -> Reply:
        """eBay's consent page, with a seller who always agrees. It sends them to the address behind the RuName; here
        that is the address itself, where one was entered instead of a name."""
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code" or not asked.get("scope"):
            return Reply(400, {"error": "invalid_request", "error_description": "the client or the scope is wrong"})
        code, name = f"v^1.1#sandbox-code-{self.next_number()}", asked.get("redirect_uri", "")
        self.state["codes"][code] = name
        back = name if name.startswith("http") else f"https://hub.example.org/{name}"
        told = {"state": asked.get("state", ""), "code": code, "expires_in": "299"}
        return Reply(302, None, {"Location": f"{back}?{urlencode(told)}"})

    @route("GET", "/commerce/identity/v1/user")
    def user(self, request: Request) -> Reply:
        """Who the seller is."""
        return Reply(
            200,
            {
                "userId": "sandbox-user-id", "username": SELLER, "accountType": "BUSINESS", "status": "CONFIRMED",
                "registrationMarketplaceId": MARKETPLACE,
                "businessAccount": {"name": "Sandbox store", "email": "seller@example.com"},
            },
        )  # fmt: skip

    # Refusing.

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn: eBay never says when."""
        return Reply(429, {"errors": [error(2001, "Too many requests.", "REQUEST")]})

    def broken(self) -> Reply:
        """See StandIn."""
        return Reply(500, {"errors": [error(25001, "A system error has occurred.", "APPLICATION", "API_INVENTORY")]})

    def token_expired(self) -> Reply:
        """See StandIn."""
        return refusal(401, 1001, "Invalid access token. It has expired.").reply

    def cursor_expired(self) -> Reply:
        """See StandIn: pages are counted, so this never happens."""
        return Reply(400, {"errors": [error(25706, "You have provided invalid pagination values.")]})

    def not_found(self, request: Request) -> Reply:
        """See StandIn."""
        return Reply(404, {"errors": [error(2002, f"there is no {request.method} {request.path}")]})


def _no_token(status: int, name: str, description: str) -> Reply:
    return Reply(status, {"error": name, "error_description": description})


def compact(told: Mapping[str, Any]) -> bytes:
    """JSON without any space, as eBay sends and signs it."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
