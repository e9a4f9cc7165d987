"""Who is let in, what is counted, and how Etsy tells of orders: keys, tokens with PKCE, quotas, webhooks.

Etsy has no call for webhooks: an address is entered in its portal, which `enter_webhook` stands for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Handler, Refused, Reply, Request, Route, StandIn, route
from finalmarket.sandbox.webhooks import Letter

KEYSTRING = "sandboxkeystring000000"
SHARED_SECRET = "sandbox-shared"  # noqa: S105  opens nothing but the sandbox
USER_ID, SHOP_ID = 40_000_001, 50_000_001
REFRESH_TOKEN = f"{USER_ID}.sandbox-refresh-token"
WEBHOOK_SECRET = "whsec_" + b64encode(b"the sandbox signs with this").decode()
CURRENCY = "EUR"
TOKEN_SECONDS = 3600
CALLS_A_SECOND, CALLS_A_DAY = 150, 100_000
DAY = timedelta(days=1)


def refusal(status: int, error: str, description: str = "") -> Refused:
    """An error as Etsy writes it: a sentence."""
    return Refused(Reply(status, {"error": error, **({"error_description": description} if description else {})}))


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Refuses another body."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise refusal(400, "The content type is not application/json.")
    try:
        told = request.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise refusal(400, "The body is no object.")
    return told


class Account(StandIn):
    """What all operations share."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (CALLS_A_SECOND, CALLS_A_SECOND)}

    def fresh_state(self) -> dict[str, Any]:
        """See StandIn."""
        return {
            "count": 0, "tokens": {}, "codes": {}, "refresh_tokens": [REFRESH_TOKEN], "asked": {}, "hooks": [],
            "listings": {}, "inventories": {}, "images": {}, "receipts": {},
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {
            "keystring": KEYSTRING, "shared_secret": SHARED_SECRET, "refresh_token": REFRESH_TOKEN,
            "webhook_secret": WEBHOOK_SECRET, "shop_id": str(SHOP_ID), "who_made": "i_did",
            "when_made": "made_to_order", "taxonomy_id": "1633", "shipping_profile_id": "60000001",
            "return_policy_id": "61000001", "readiness_state_id": "62000001",
        }  # fmt: skip

    def next_number(self) -> int:
        """One number after the other."""
        self.state["count"] += 1
        return int(self.state["count"])

    # Letting in.

    def let_in(self, request: Request) -> None:
        """See StandIn: the application's key, and a token of the seller."""
        if request.headers.get("x-api-key") != f"{KEYSTRING}:{SHARED_SECRET}":
            raise refusal(403, "Invalid API key: should be in the format 'keystring:shared_secret'.")
        ends_at = self.state["tokens"].get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if ends_at is None or ends_at <= self.now():
            raise refusal(401, "invalid_token", "access token is expired or unknown")
        if self._asked_today() >= CALLS_A_DAY:
            raise Refused(self.too_many(3600.0, says_when=True))

    def _asked_today(self) -> int:
        return int(self.state["asked"].get(str(self.now().date()), 0))

    @route("POST", "/v3/public/oauth/token", is_open=True, is_write=False)
    def login(self, request: Request) -> Reply:
        """The token endpoint: two grants."""
        form = dict(request.form())
        if form.get("client_id") != KEYSTRING:
            return Reply(401, {"error": "invalid_client", "error_description": "client_id is unknown"})
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self.state["refresh_tokens"]:
                return Reply(400, {"error": "invalid_grant", "error_description": "refresh_token is not valid"})
            return self._tokens()
        told = self.state["codes"].pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        hashed = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if told != {"challenge": hashed, "redirect_uri": form.get("redirect_uri")}:
            return Reply(400, {"error": "invalid_grant", "error_description": "code is not valid"})
        return self._tokens()

    def _tokens(self) -> Reply:
        token, refresh = (f"{USER_ID}.sandbox-{kind}-{self.next_number()}" for kind in ("access", "refresh"))
        self.state["tokens"][token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        self.state["refresh_tokens"].append(refresh)
        return Reply(
            200,
            {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "refresh_token": refresh},
        )

    @route("GET", "/oauth/connect", is_open=True)
    def consent(self, request: Request) -> Reply:
        """Etsy's consent page, with a seller who always agrees."""
        asked = request.query
        if asked.get("client_id") != KEYSTRING or asked.get("code_challenge_method") != "S256":
            return Reply(400, {"error": "invalid_request"})
        code = f"sandbox-code-{self.next_number()}"
        redirect_uri = asked.get("redirect_uri", "")
        self.state["codes"][code] = {"challenge": asked.get("code_challenge"), "redirect_uri": redirect_uri}
        told = urlencode({"code": code, "state": asked.get("state", "")})
        return Reply(302, None, {"Location": f"{redirect_uri}?{told}"})

    @route("GET", "/v3/application/users/me")
    def me(self, request: Request) -> Reply:
        """Who the seller is."""
        return Reply(200, {"user_id": USER_ID, "shop_id": SHOP_ID})

    @route("GET", "/v3/application/shops/{shop_id}")
    def shop_of(self, request: Request, shop_id: str) -> Reply:
        """The shop."""
        self.require_shop(shop_id)
        name = f"Sandbox{self.account.title()}"
        return Reply(
            200, {"shop_id": SHOP_ID, "user_id": USER_ID, "shop_name": name, "currency_code": CURRENCY, "title": name}
        )

    def require_shop(self, shop_id: str) -> None:
        """Refuse another shop than the seller's."""
        if shop_id != str(SHOP_ID):
            raise refusal(404, "Shop not found.")

    # Refusing.

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn."""
        headers = {"retry-after": str(max(1, round(wait_seconds)))} if says_when else {}
        return Reply(429, {"error": "You have exceeded your quota of requests."}, headers)

    def broken(self) -> Reply:
        """See StandIn."""
        return Reply(500, {"error": "The server encountered an internal error."})

    def token_expired(self) -> Reply:
        """See StandIn."""
        return Reply(401, {"error": "invalid_token", "error_description": "access token is expired"})

    def cursor_expired(self) -> Reply:
        """See StandIn: pages are counted, so this never happens."""
        return Reply(400, {"error": "The offset is not valid."})

    def not_found(self, request: Request) -> Reply:
        """See StandIn."""
        return Reply(404, {"error": f"Resource not found: {request.method} {request.path}"})

    def _handled(self, request: Request, found: Route, handler: Handler, arguments: dict[str, str]) -> Reply:
        """Every answer tells what is left."""
        reply = super()._handled(request, found, handler, arguments)
        if not found.is_open:
            today = str(self.now().date())
            self.state["asked"] = {today: self._asked_today() + 1}
            left = int(self._buckets[""].left)
            reply.headers |= {
                "x-limit-per-second": str(CALLS_A_SECOND), "x-remaining-this-second": str(max(0, left)),
                "x-limit-per-day": str(CALLS_A_DAY),
                "x-remaining-today": str(max(0, CALLS_A_DAY - self.state["asked"][today])),
            }  # fmt: skip
        return reply

    # Webhooks.

    def enter_webhook(self, url: str, secret: str = WEBHOOK_SECRET) -> None:
        """Enter an address in the webhook portal."""
        self.state["hooks"].append({"url": url, "secret": secret})

    def tell(self, topic: str, receipt_id: int) -> None:
        """Tell every address of the portal."""
        for hook in self.state["hooks"]:
            body = event(topic, receipt_id)
            name, seconds = f"msg_sandbox{self.next_number()}", int(self.now().timestamp())
            headers = {"Content-Type": "application/json", **signed_headers(hook["secret"], name, seconds, body)}
            self.sender.send(Letter(hook["url"], headers, body, topic))


def event(topic: str, receipt_id: int) -> bytes:
    """The body of a webhook."""
    url = f"https://openapi.etsy.com/v3/application/shops/{SHOP_ID}/receipts/{receipt_id}"
    return json.dumps({"event_type": topic, "resource_url": url, "shop_id": SHOP_ID}).encode()


def signed_headers(secret: str, name: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of a webhook. A secret without its mark is taken as it is."""
    key = b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signature = b64encode(hmac.digest(key, f"{name}.{seconds}.".encode() + body, "sha256")).decode()
    return {"webhook-id": name, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}
