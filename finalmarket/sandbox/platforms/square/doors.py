"""Square's doors: tokens, the seller and the locations, webhook subscriptions."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlencode

from finalmarket.sandbox.platforms.square.books import COUNTRY, CURRENCY, Counter, Raw, refusal, stamp, wanted
from finalmarket.sandbox.stand_in import Reply, Request, route

APPLICATION_ID = "sandbox-sq0idb-final-market"
APPLICATION_SECRET = "sandbox-sq0csb-application-secret"  # noqa: S105  opens nothing but the sandbox
APPLICATION_TOKEN = "EAAAsandbox-token-of-the-application"  # noqa: S105
PERSONAL_TOKEN = "EAAAsandbox-personal-access-token"  # noqa: S105
ACCESS_TOKEN = "EAAAsandbox-oauth-access-token"  # noqa: S105
REFRESH_TOKEN = "EQAAsandbox-oauth-refresh-token"  # noqa: S105
TOKEN_LIVES = timedelta(days=30)
CODE_LIVES = timedelta(minutes=5)
EVENT_TYPES = (
    "order.created", "order.updated", "order.fulfillment.updated", "payment.created", "payment.updated",
    "refund.created", "refund.updated", "inventory.count.updated", "catalog.version.updated", "customer.created",
    "customer.updated", "customer.deleted", "oauth.authorization.revoked",
)  # fmt: skip


class Doors(Counter):
    """Who is let in, and who is told."""

    # Tokens.

    def grant(self, *, refresh: str = "", is_pkce: bool = False) -> Raw:
        """Give tokens to the application; those of PKCE are refreshed by a new refresh token each time."""
        access = f"EAAA{self.new_id()}"
        refresh = refresh or f"EQAA{self.new_id()}"
        ends_at = stamp(self.now() + TOKEN_LIVES)
        self.state.tokens[access] = {"ends_at": ends_at, "kind": "seller"}
        self.state.refreshing[refresh] = {"is_pkce": is_pkce}
        told = {
            "access_token": access, "token_type": "bearer", "expires_at": ends_at, "merchant_id": self.merchant_id,
            "refresh_token": refresh, "short_lived": False,
        }  # fmt: skip
        return {**told, "refresh_token_expires_at": stamp(self.now() + timedelta(days=90))} if is_pkce else told

    @route("GET", "/oauth2/authorize", is_open=True)
    def authorize(self, request: Request) -> Reply:
        """The page of consent, on which the seller agrees at once."""
        if request.query.get("client_id") != APPLICATION_ID or not request.query.get("redirect_uri"):
            raise refusal(400, "BAD_REQUEST", "client_id or redirect_uri is not the application's")
        code = self.new_code(challenge=request.query.get("code_challenge", ""))
        told = urlencode({"code": code, "response_type": "code", "state": request.query.get("state", "")})
        return Reply(302, b"", {"Location": f"{request.query['redirect_uri']}?{told}"})

    def new_code(self, *, challenge: str = "") -> str:
        """A code that the seller's consent gave."""
        code = f"sq0cgp-{self.new_id()}"
        self.state.codes[code] = {"challenge": challenge, "ends_at": stamp(self.now() + CODE_LIVES)}
        return code

    @route("POST", "/oauth2/token", is_open=True)
    def obtain_token(self, request: Request) -> Reply:
        body = self.body(request)
        if wanted(body, "client_id") != APPLICATION_ID:
            raise refusal(401, "UNAUTHORIZED", "there is no such application", "client_id")
        kind = wanted(body, "grant_type")
        if kind == "authorization_code":
            return Reply(200, self._by_code(body))
        if kind == "refresh_token":
            return Reply(200, self._by_refresh(body))
        raise refusal(400, "INVALID_VALUE", f"{kind} is no grant", "grant_type")

    def _by_code(self, body: Raw) -> Raw:
        found = self.state.codes.pop(wanted(body, "code"), None)
        if found is None or found["ends_at"] < self.stamped():
            raise refusal(401, "UNAUTHORIZED", "the authorization code is not valid any more", "code")
        if not found["challenge"]:
            self._with_secret(body)
        elif challenge_of(str(body.get("code_verifier") or "")) != found["challenge"]:
            raise refusal(401, "UNAUTHORIZED", "the code verifier does not fit", "code_verifier")
        return self.grant(is_pkce=bool(found["challenge"]))

    def _by_refresh(self, body: Raw) -> Raw:
        token = wanted(body, "refresh_token")
        known = self.state.refreshing.get(token)
        if known is None:
            raise refusal(401, "UNAUTHORIZED", "the refresh token is not valid", "refresh_token")
        if known["is_pkce"]:
            del self.state.refreshing[token]
            return self.grant(is_pkce=True)
        self._with_secret(body)
        return self.grant(refresh=token)

    def _with_secret(self, body: Raw) -> None:
        if body.get("client_secret") != APPLICATION_SECRET:
            raise refusal(401, "UNAUTHORIZED", "the application's secret is not right", "client_secret")

    def let_in(self, request: Request) -> None:
        """A token that has not ended, and a version; subscriptions are the application's alone."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        known = self.state.tokens.get(token)
        if known is None:
            raise refusal(401, "UNAUTHORIZED", "this request could not be authorized")
        if known["ends_at"] and known["ends_at"] <= self.stamped():
            raise refusal(401, "ACCESS_TOKEN_EXPIRED", "the access token has expired")
        version = request.headers.get("square-version", "")
        if len(version) != 10 or version[4] + version[7] != "--":
            raise refusal(400, "INVALID_SQUARE_VERSION_FORMAT", "Square-Version is to be a date, such as 2025-08-20")
        if request.path.startswith("/v2/webhooks") and known["kind"] == "seller":
            raise refusal(403, "FORBIDDEN", "webhook subscriptions belong to the application: use its own token")
        if request.body and "json" not in request.headers.get("content-type", ""):
            raise refusal(415, "UNSUPPORTED_MEDIA_TYPE", "the body is to be application/json")

    # The seller.

    @route("GET", "/v2/merchants/{merchant_id}")
    def merchant(self, request: Request, merchant_id: str) -> Reply:
        if merchant_id not in ("me", self.merchant_id):
            raise refusal(404, "NOT_FOUND", "there is no such merchant")
        told = {
            "id": self.merchant_id, "business_name": f"Sandbox shop {self.account}", "country": COUNTRY,
            "language_code": "en-IE", "currency": CURRENCY, "status": "ACTIVE",
            "main_location_id": next(iter(self.state.locations)),
        }  # fmt: skip
        return Reply(200, {"merchant": told})

    @route("GET", "/v2/locations")
    def list_locations(self, request: Request) -> Reply:
        return Reply(200, {"locations": sorted(self.state.locations.values(), key=lambda one: str(one["name"]))})

    # Subscriptions.

    @route("GET", "/v2/webhooks/subscriptions", is_write=False)
    def list_subscriptions(self, request: Request) -> Reply:
        shown = request.query.get("include_disabled") == "true"
        found = [hook for hook in self.state.subscriptions.values() if shown or hook["enabled"]]
        return Reply(200, {"subscriptions": found} if found else {})

    @route("POST", "/v2/webhooks/subscriptions")
    def subscribe(self, request: Request) -> Reply:
        return self.once(request, self._subscribe, most_letters=45)

    def _subscribe(self, body: Raw) -> Reply:
        told = wanted(body, "subscription")
        for topic in wanted(told, "event_types"):
            self._known(topic)
        hook = {
            "id": f"wbhk_{self.new_id().lower()}", "name": told.get("name", ""), "enabled": told.get("enabled", True),
            "event_types": list(told["event_types"]), "notification_url": wanted(told, "notification_url"),
            "api_version": told.get("api_version", ""), "signature_key": f"key-{self.new_id()}",
            "created_at": self.stamped(), "updated_at": self.stamped(),
        }  # fmt: skip
        self.state.subscriptions[hook["id"]] = hook
        self.effect("subscription", id=hook["id"], url=hook["notification_url"])
        return Reply(200, {"subscription": hook})

    def _known(self, topic: str) -> None:
        if topic not in EVENT_TYPES:
            raise refusal(400, "INVALID_VALUE", f"{topic} is no event", "subscription.event_types")

    @route("GET", "/v2/webhooks/subscriptions/{hook_id}")
    def read_subscription(self, request: Request, hook_id: str) -> Reply:
        return Reply(200, {"subscription": self._hook(hook_id)})

    @route("PUT", "/v2/webhooks/subscriptions/{hook_id}")
    def change_subscription(self, request: Request, hook_id: str) -> Reply:
        told, hook = wanted(self.body(request), "subscription"), self._hook(hook_id)
        for topic in told.get("event_types") or ():
            self._known(topic)
        hook |= {name: told[name] for name in ("name", "enabled", "event_types", "notification_url") if name in told}
        hook["updated_at"] = self.stamped()
        self.effect("subscription", id=hook_id, url=hook["notification_url"])
        return Reply(200, {"subscription": {name: value for name, value in hook.items() if name != "signature_key"}})

    def _hook(self, hook_id: str) -> Raw:
        if hook_id not in self.state.subscriptions:
            raise refusal(404, "NOT_FOUND", "there is no such subscription")
        return self.state.subscriptions[hook_id]


def challenge_of(verifier: str) -> str:
    """The half of PKCE that Square was told before (RFC 7636, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
