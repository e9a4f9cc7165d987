"""The gate of the stand-in: who is let in (API token, OAuth), limits, errors, and webhooks.

Webhooks are signed: base64 of HMAC-SHA256 over the timestamp and the body.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

EMAIL = "admin@example.com"
API_TOKEN = "api-token-of-the-sandbox"  # noqa: S105  opens nothing but the sandbox
CLIENT_ID = "finalmarket_sandbox"
CLIENT_SECRET = "client-secret-of-the-sandbox"  # noqa: S105
TOKEN_LIFE = timedelta(hours=2)
CALLS_A_MINUTE = 200
ADMIN = 1  # the user who is let in
Fields = dict[str, Any]


def refusal(status: int, code: str, words: str, **more: Any) -> Refused:
    """An error as Support writes it."""
    return Refused(Reply(status, {"error": code, "description": words, **more}))


def missing() -> Refused:
    """The error of a record that is not there."""
    return refusal(404, "RecordNotFound", "Not found")


def written(moment: datetime) -> str:
    """A moment in Zendesk's words."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Gate(StandIn):
    """Who is let in."""

    slug = "zendesk"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (CALLS_A_MINUTE / 60, float(CALLS_A_MINUTE)), "export": (10 / 60, 10.0), "tokens": (10.0, 100.0),
    }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {
            "api_token": API_TOKEN, "email": EMAIL, "subdomain": "sandbox", "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        basic = "Basic " + b64encode(f"{EMAIL}/token:{API_TOKEN}".encode()).decode()
        if given == basic:
            return
        if given.startswith("Bearer "):
            ends_at = self.state["tokens"].get(given.removeprefix("Bearer "))
            if ends_at is not None and self.now() < ends_at:
                return
            raise Refused(self.token_expired())
        raise Refused(Reply(401, {"error": "Couldn't authenticate you"}))

    def answer(self, request: Request) -> Reply:
        """With what is left of the plan's calls."""
        reply = super().answer(request)
        left = max(0, int(self._buckets[""].left))
        reply.headers |= {"X-Rate-Limit": str(CALLS_A_MINUTE), "X-Rate-Limit-Remaining": str(left)}
        return reply

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        headers = {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        words = "Number of allowed API requests per minute exceeded"
        return Reply(429, {"error": "APIRateLimitExceeded", "description": words}, headers)

    def broken(self) -> Reply:
        return Reply(500, {"error": "InternalServerError", "description": "something went wrong"})

    def token_expired(self) -> Reply:
        words = "The access token provided is expired, revoked, malformed or invalid for other reasons."
        return Reply(401, {"error": "invalid_token", "error_description": words})

    def cursor_expired(self) -> Reply:
        return Reply(400, {"error": "InvalidPaginationParameter", "description": "cursor is invalid"})

    def not_found(self, request: Request) -> Reply:
        return Reply(404, {"error": "InvalidEndpoint", "description": "Not found"})

    def _next(self) -> int:
        """A number that nothing else has."""
        self.state["count"] += 1
        return int(self.state["count"])

    # OAuth.

    @route("GET", "/oauth/authorizations/new", is_open=True)
    def consent_page(self, request: Request) -> Reply:
        """The page on which the account's owner says yes."""
        if request.query.get("client_id") != CLIENT_ID or request.query.get("response_type") != "code":
            return Reply(400, {"error": "invalid_request", "error_description": "Invalid client or response type"})
        code, back = f"code-{self._next()}", request.query["redirect_uri"]
        self.state["codes"][code] = back
        query = urlencode({"code": code, "state": request.query.get("state", "")})
        return Reply(302, None, {"Location": f"{back}?{query}"})

    @route("POST", "/oauth/tokens", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        told = request.json()
        if (told.get("client_id"), told.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        kind = told.get("grant_type")
        if kind == "authorization_code":
            back = self.state["codes"].pop(told.get("code"), None)
            is_good = back is not None and back == told.get("redirect_uri")
        else:
            is_good = kind == "refresh_token" and self.state["refresh"] == told.get("refresh_token")
        if not is_good:
            return Reply(400, {"error": "invalid_grant", "error_description": "The grant is invalid or used up"})
        token, self.state["refresh"] = f"oauth-token-{self._next()}", f"refresh-token-{self._next()}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        body = {
            "access_token": token, "refresh_token": self.state["refresh"], "token_type": "bearer",
            "scope": "read write", "expires_in": int(TOKEN_LIFE.total_seconds()),
        }  # fmt: skip
        return Reply(200, body)

    # Webhooks.

    @route("GET", "/api/v2/webhooks")
    def list_webhooks(self, request: Request) -> Reply:
        return Reply(200, {"webhooks": list(self.state["webhooks"].values()), "meta": {"has_more": False}})

    @route("POST", "/api/v2/webhooks")
    def make_webhook(self, request: Request) -> Reply:
        told = request.json()["webhook"]
        lacks = [name for name in ("name", "endpoint", "http_method", "request_format") if not told.get(name)]
        if lacks or (told.get("subscriptions") and told["http_method"] != "POST"):
            error = {"code": "InvalidInput", "title": "Invalid input", "detail": f"{', '.join(lacks)} is invalid"}
            raise Refused(Reply(400, {"errors": [error]}))
        number = f"01HOOK{self._next():020d}"
        made = {**told, "id": number, "created_at": written(self.now()), "created_by": str(ADMIN)}
        self.state["webhooks"][number] = made
        self.effect("webhook", url=told["endpoint"])
        return Reply(201, {"webhook": made})

    @route("PATCH", "/api/v2/webhooks/{number}")
    def change_webhook(self, request: Request, number: str) -> Reply:
        self._webhook(number).update(request.json()["webhook"])
        return Reply(204)

    @route("GET", "/api/v2/webhooks/{number}/signing_secret")
    def show_secret(self, request: Request, number: str) -> Reply:
        self._webhook(number)
        return Reply(200, {"signing_secret": {"algorithm": "SHA256", "secret": secret_of(number)}})

    def _webhook(self, number: str) -> Fields:
        known: Fields | None = self.state["webhooks"].get(number)
        if known is None:
            raise Refused(Reply(404, {"errors": [{"code": "NotFound", "title": "Not found", "detail": "no webhook"}]}))
        return known

    def _tell(self, topic: str, subject: int, **event: Any) -> None:
        """Have an event sent to all webhooks that are subscribed to it."""
        told = event_of(f"zen:event-type:{topic}", self._next(), subject, self.now(), **event)
        for number, hook in self.state["webhooks"].items():
            if hook["status"] == "active" and told["type"] in (hook.get("subscriptions") or ()):
                self.sender.send(letter(hook["endpoint"], told, self.now(), secret_of(number)))


def secret_of(number: str) -> str:
    """The secret of a webhook."""
    return b64encode(f"signing-secret-of-{number}".encode()).decode()


def event_of(topic: str, number: int, subject: int, at: datetime, **event: Any) -> Fields:
    """An event as Zendesk writes it."""
    what = topic.rpartition(":")[2].partition(".")[0]
    return {
        "type": topic, "account_id": 4711, "id": f"01EVENT{number:019d}", "time": written(at),
        "zendesk_event_version": "2022-11-06", "subject": f"zen:{what}:{subject}",
        "detail": {"id": str(subject), "updated_at": written(at)}, "event": event,
    }  # fmt: skip


def letter(url: str, told: Fields, sent_at: datetime, secret: str) -> Letter:
    """A delivery, signed for that moment."""
    body, sent = json.dumps(told).encode(), written(sent_at)
    signed = hmac.digest(secret.encode(), sent.encode() + body, "sha256")
    headers = {
        "Content-Type": "application/json", "X-Zendesk-Webhook-Signature": b64encode(signed).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": sent,
    }  # fmt: skip
    return Letter(url, headers, body, str(told["type"]))
