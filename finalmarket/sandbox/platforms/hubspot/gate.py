"""The gate of the stand-in: who is let in (private app, OAuth, developer key), limits and their headers, errors, and
the app with its webhooks.

Webhooks are signed by version 3: base64 of HMAC-SHA256, keyed with the client secret, over method, address, body and
timestamp.
"""

from __future__ import annotations

import hmac
import json
import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

PORTAL = 8675309
PRIVATE_TOKEN = "pat-of-the-sandbox-main"  # noqa: S105  opens nothing but the sandbox
CLIENT_ID = "client-id-of-the-sandbox"
CLIENT_SECRET = "client-secret-of-the-sandbox"  # noqa: S105
DEVELOPER_KEY = "developer-key-of-the-sandbox"
REFRESH_TOKEN = "refresh-token-of-the-sandbox"  # noqa: S105
APP_ID = "4711"
TOKEN_LIFE = timedelta(minutes=30)
MOST_A_WINDOW, WINDOW_SECONDS, MOST_SEARCHES = 100, 10, 5
Fields = dict[str, Any]


def refusal(status: int, category: str, words: str, **details: Any) -> Refused:
    """An error as HubSpot writes it."""
    return Refused(error(status, category, words, **details))


def error(status: int, category: str, words: str, **details: Any) -> Reply:
    """An error answer."""
    told = {"message": words, "correlationId": str(uuid.UUID(int=0)), "category": category, **details}
    return Reply(status, told)


def written(moment: datetime) -> str:
    """A moment in HubSpot's words."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Gate(StandIn):
    """Who is let in."""

    slug = "hubspot"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (MOST_A_WINDOW / WINDOW_SECONDS, float(MOST_A_WINDOW)), "search": (MOST_SEARCHES, MOST_SEARCHES),
        "tokens": (10.0, 100.0),
    }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {
            "access_token": PRIVATE_TOKEN, "client_secret": CLIENT_SECRET, "client_id": CLIENT_ID,
            "developer_api_key": DEVELOPER_KEY, "app_id": APP_ID,
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        if request.path.startswith("/webhooks/"):
            if request.query.get("hapikey") != DEVELOPER_KEY:
                raise refusal(401, "INVALID_AUTHENTICATION", "The API key provided is invalid.")
            return
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token == PRIVATE_TOKEN:
            return
        ends_at = self.state["tokens"].get(token)
        if ends_at is None:
            raise refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if self.now() >= ends_at:
            raise refusal(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")

    def answer(self, request: Request) -> Reply:
        """With what is left of the limit, except for searches, which have one of their own."""
        reply = super().answer(request)
        if reply.status and not request.path.endswith("/search"):
            reply.headers |= {
                "X-HubSpot-RateLimit-Max": str(MOST_A_WINDOW),
                "X-HubSpot-RateLimit-Remaining": str(int(self._buckets[""].left)),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW_SECONDS * 1000),
            }
        return reply

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = error(429, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.")
        if says_when:
            reply.body |= {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
        return reply

    def broken(self) -> Reply:
        return error(500, "INTERNAL_ERROR", "internal error")

    def token_expired(self) -> Reply:
        return error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")

    def cursor_expired(self) -> Reply:
        return error(400, "VALIDATION_ERROR", "The page that was asked for is no longer there.")

    def not_found(self, request: Request) -> Reply:
        return error(404, "OBJECT_NOT_FOUND", f"Unable to find {request.method} {request.path}")

    def _next(self) -> str:
        """A number that nothing else has."""
        self.state["count"] += 1
        return str(self.state["count"])

    # Connecting.

    @route("GET", "/account-info/v3/details")
    def account_details(self, request: Request) -> Reply:
        body = {
            "portalId": PORTAL, "accountType": "STANDARD", "timeZone": "Europe/Berlin", "companyCurrency": "EUR",
            "additionalCurrencies": [], "utcOffset": "+01:00", "utcOffsetMilliseconds": 3600000,
            "uiDomain": "app.hubspot.com", "dataHostingLocation": "eu1",
        }  # fmt: skip
        return Reply(200, body)

    @route("GET", "/oauth/authorize", is_open=True)
    def consent_page(self, request: Request) -> Reply:
        """The page on which the account's owner says yes."""
        if request.query.get("client_id") != CLIENT_ID or not request.query.get("scope"):
            return Reply(400, {"message": "This app is not known, or asks for nothing."})
        code = f"code-{self._next()}"
        back = request.query["redirect_uri"]
        self.state["codes"][code] = back
        query = urlencode({"code": code, "state": request.query.get("state", "")})
        return Reply(302, None, {"Location": f"{back}?{query}"})

    @route("POST", "/oauth/v1/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        form = dict(request.form())
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return error(400, "BAD_CLIENT_ID", "missing or unknown client id")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            back = self.state["codes"].pop(form.get("code", ""), None)
            if back is None or back != form.get("redirect_uri"):
                return error(400, "BAD_AUTH_CODE", "missing or unknown auth code")
        elif kind != "refresh_token" or form.get("refresh_token") != REFRESH_TOKEN:
            return error(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        token = f"oauth-token-{self._next()}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        body = {
            "access_token": token, "refresh_token": REFRESH_TOKEN, "token_type": "bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
        }  # fmt: skip
        return Reply(200, body)

    # The app's webhooks.

    @route("PUT", "/webhooks/v3/{app}/settings")
    def set_target(self, request: Request, app: str) -> Reply:
        told, now = request.json(), written(self.now())
        if self.state["target"] != told["targetUrl"]:
            self.state["target"] = told["targetUrl"]
            self.effect("webhook target", url=told["targetUrl"])
        return Reply(200, {**told, "createdAt": now, "updatedAt": now})

    @route("GET", "/webhooks/v3/{app}/subscriptions")
    def list_subscriptions(self, request: Request, app: str) -> Reply:
        return Reply(200, {"results": list(self.state["subscriptions"].values())})

    @route("POST", "/webhooks/v3/{app}/subscriptions")
    def make_subscription(self, request: Request, app: str) -> Reply:
        told = request.json()
        wanted = (told["eventType"], told.get("propertyName"))
        if wanted[0].endswith("propertyChange") != bool(wanted[1]):
            raise refusal(400, "VALIDATION_ERROR", "propertyChange subscriptions, and no others, name a property")
        if any((one["eventType"], one.get("propertyName")) == wanted for one in self.state["subscriptions"].values()):
            raise refusal(409, "CONFLICT", "A subscription of this kind exists already")
        made = {"id": self._next(), "active": False, "createdAt": written(self.now()), **told}
        self.state["subscriptions"][made["id"]] = made
        self.effect("subscription", topic=told["eventType"], property=told.get("propertyName", ""))
        return Reply(201, made)

    @route("PATCH", "/webhooks/v3/{app}/subscriptions/{number}")
    def change_subscription(self, request: Request, app: str, number: str) -> Reply:
        known = self.state["subscriptions"].get(number)
        if known is None:
            raise refusal(404, "OBJECT_NOT_FOUND", f"There is no subscription {number}")
        known |= request.json()
        return Reply(200, known)

    def _tell(self, topic: str, subject: str, *, changed: Mapping[str, str] | None = None, **more: Any) -> None:
        """Have those events sent that are subscribed to: one for a topic, one for each watched property."""
        events = []
        for one in self.state["subscriptions"].values():
            watched = one.get("propertyName")
            if not one["active"] or one["eventType"] != topic or (watched and watched not in (changed or {})):
                continue
            told = {"propertyName": watched, "propertyValue": (changed or {}).get(watched)} if watched else {}
            events.append(self._event(one["id"], topic, subject) | told | more)
        if events and self.state["target"]:
            self.sender.send(letter(self.state["target"], events, self.now(), CLIENT_SECRET))

    def _event(self, subscription: str, topic: str, subject: str) -> Fields:
        return {
            "eventId": int(self._next()), "subscriptionId": int(subscription), "portalId": PORTAL,
            "appId": int(APP_ID), "occurredAt": int(self.now().timestamp() * 1000), "subscriptionType": topic,
            "attemptNumber": 0, "objectId": int(subject), "changeSource": "CRM",
        }  # fmt: skip


def letter(url: str, events: Sequence[Fields], sent_at: datetime, secret: str) -> Letter:
    """A delivery, signed for that moment."""
    body, sent = json.dumps(list(events)).encode(), str(int(sent_at.timestamp() * 1000))
    signed = hmac.digest(secret.encode(), f"POST{url}".encode() + body + sent.encode(), "sha256")
    headers = {
        "Content-Type": "application/json", "X-HubSpot-Request-Timestamp": sent,
        "X-HubSpot-Signature-v3": b64encode(signed).decode(),
    }  # fmt: skip
    return Letter(url, headers, body, str(events[0].get("subscriptionType", "")))
