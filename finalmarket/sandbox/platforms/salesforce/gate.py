"""The gate of the org: who is let in, tokens, the calls of a day, errors."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

VERSION = "v64.0"
ROOT = f"/services/data/{VERSION}"
HOST = "finalmarket.my.salesforce.com"
CLIENT_ID = "consumer-key-of-the-sandbox"
CLIENT_SECRET = "consumer-secret-of-the-sandbox"  # noqa: S105  opens nothing but the sandbox
REFRESH_TOKEN = "refresh-token-of-the-sandbox"  # noqa: S105
ORGANIZATION, ACCOUNT, PRICEBOOK = "00D000000000001AAA", "001000000000001AAA", "01s000000000001AAA"
OTHER_PRODUCT = "OTHER"
TOKEN_LIFE = timedelta(hours=2)
MOST_A_DAY = 15_000
Fields = dict[str, Any]


def refusal(status: int, code: str, words: str, *fields: str) -> Refused:
    """An error as Salesforce writes it."""
    return Refused(error(status, code, words, *fields))


def error(status: int, code: str, words: str, *fields: str) -> Reply:
    """An error answer: a list of errors."""
    return Reply(status, [{"message": words, "errorCode": code, **({"fields": list(fields)} if fields else {})}])


def written(moment: datetime) -> str:
    """A moment in Salesforce's words: whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class Gate(StandIn):
    """Who is let in."""

    slug = "salesforce"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (25.0, 100.0), "tokens": (10.0, 100.0)}

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "host": HOST, "account": ACCOUNT,
            "pricebook": PRICEBOOK, "other_product": OTHER_PRODUCT, "currency": "EUR",
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        ends_at = self.state["tokens"].get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if ends_at is None or self.now() >= ends_at:
            raise Refused(self.token_expired())
        self.state["used"] += 1

    def answer(self, request: Request) -> Reply:
        """With the day's calls."""
        reply = super().answer(request)
        if reply.status and request.path.startswith("/services/data/"):
            reply.headers["Sforce-Limit-Info"] = f"api-usage={self.state['used']}/{MOST_A_DAY}"
        return reply

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def broken(self) -> Reply:
        return error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")

    def token_expired(self) -> Reply:
        return error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def cursor_expired(self) -> Reply:
        """Questions are read on from a record, which does not end; what ends is the patience with one of them."""
        return error(400, "QUERY_TIMEOUT", "Your query request was running for too long.")

    def not_found(self, request: Request) -> Reply:
        return error(404, "NOT_FOUND", "The requested resource does not exist")

    # Tokens.

    @route("GET", "/services/oauth2/authorize", is_open=True)
    def consent_page(self, request: Request) -> Reply:
        """The page on which the org's owner says yes; codes are good for one app, address and proof (PKCE)."""
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            return Reply(400, {"error": "invalid_client_id", "error_description": "client identifier invalid"})
        code = f"code-{self._next()}"
        self.state["codes"][code] = (asked["redirect_uri"], asked.get("code_challenge", ""))
        query = urlencode({"code": code, "state": asked.get("state", "")})
        return Reply(302, None, {"Location": f"{asked['redirect_uri']}?{query}"})

    @route("POST", "/services/oauth2/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        form = dict(request.form())
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        kind = form.get("grant_type")
        if kind == "authorization_code":
            back, proof = self.state["codes"].pop(form.get("code", ""), (None, ""))
            if back is None or back != form.get("redirect_uri") or not _proves(form.get("code_verifier", ""), proof):
                return Reply(400, {"error": "invalid_grant", "error_description": "expired authorization code"})
        elif kind == "refresh_token":
            if form.get("refresh_token") != REFRESH_TOKEN:
                return Reply(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        elif kind != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        token = f"salesforce-token-{self._next()}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        body = {
            "access_token": token, "instance_url": f"https://{HOST}", "token_type": "Bearer", "signature": "c2lnbmVk",
            "id": f"https://login.salesforce.com/id/{ORGANIZATION}/005000000000001AAA",
            "issued_at": str(int(self.now().timestamp() * 1000)),
        }  # fmt: skip
        return Reply(200, {**body, "refresh_token": REFRESH_TOKEN} if kind == "authorization_code" else body)

    def _next(self) -> int:
        """A number that nothing else has."""
        self.state["count"] += 1
        return int(self.state["count"])


def _proves(verifier: str, proof: str) -> bool:
    """Whether a verifier is the one that was promised (RFC 7636); nothing was promised where there is no proof."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return not proof or urlsafe_b64encode(digest).rstrip(b"=").decode() == proof
