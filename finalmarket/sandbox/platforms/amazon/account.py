"""Who is let in, how often each operation may be called, and in what words Amazon refuses.

Login with Amazon answers under the same address as the Selling Partner API; limits are those of the published models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Handler, Refused, Reply, Request, Route, StandIn, route

CLIENT_ID = "amzn1.application-oa2-client.sandbox"
CLIENT_SECRET = "amzn1.oa2-cs.v1.sandbox-client-secret"  # noqa: S105  opens nothing but the sandbox
REFRESH_TOKEN = "Atzr|sandbox-refresh-token"  # noqa: S105
WEBHOOK_SECRET = "sandbox-event-bus-secret"  # noqa: S105
APPLICATION_ID = "amzn1.sp.solution.sandbox"
SELLER_ID = "A2SANDBOXSELLER"
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"
TOKEN_SECONDS = 3600
# Calls a second, and at once, of each operation.
LIMITS: Mapping[str, tuple[float, float]] = {
    "": (1000.0, 1000.0),
    "searchOrders": (0.0056, 20.0), "getOrder": (0.5, 30.0), "confirmShipment": (2.0, 10.0),
    "searchListingsItems": (5.0, 5.0), "getListingsItem": (5.0, 10.0), "patchListingsItem": (5.0, 5.0),
    "putListingsItem": (5.0, 10.0), "getInventorySummaries": (2.0, 2.0), "createFeedDocument": (0.5, 15.0),
    "createFeed": (0.0083, 15.0), "getFeed": (2.0, 15.0), "cancelFeed": (2.0, 15.0), "getFeedDocument": (0.0222, 10.0),
    "getMarketplaceParticipations": (0.016, 15.0), "getDestinations": (1.0, 5.0), "createDestination": (1.0, 5.0),
    "getSubscription": (1.0, 5.0), "createSubscription": (1.0, 5.0),
}  # fmt: skip
MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Shop:
    """A marketplace that the seller takes part in."""

    name: str
    country: str
    currency: str
    language: str
    domain: str


SHOPS: Mapping[str, Shop] = {
    "A1PA6795UKMFR9": Shop("Amazon.de", "DE", "EUR", "de_DE", "www.amazon.de"),
    "A13V1IB3VIYZZH": Shop("Amazon.fr", "FR", "EUR", "fr_FR", "www.amazon.fr"),
    "A1F83G8C2ARO7P": Shop("Amazon.co.uk", "GB", "GBP", "en_GB", "www.amazon.co.uk"),
}
MAIN_SHOP = "A1PA6795UKMFR9"
AMAZONS_CHANNEL = "AMAZON_EU"


def refusal(status: int, code: str, message: str, details: str = "") -> Refused:
    """An error as Amazon writes it."""
    return Refused(Reply(status, errors(code, message, details)))


def errors(code: str, message: str, details: str = "") -> dict[str, Any]:
    """The body of an error."""
    return {"errors": [{"code": code, "message": message, "details": details}]}


def invalid(message: str) -> Refused:
    """A request that is not as it has to be."""
    return refusal(400, "InvalidInput", message[:MOST_WORDS])


def written(at: datetime) -> str:
    """A moment as Amazon writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """A moment that a client wrote; refuses what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text!r} is no ISO 8601 date-time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request, its numbers exact; refuses another body."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise refusal(415, "InvalidInput", "the content type is not application/json")
    try:
        told = json.loads(request.body, parse_float=Decimal)
    except ValueError:
        raise invalid("the body is not JSON") from None
    if not isinstance(told, dict):
        raise invalid("the body is no object")
    return told


def listed(request: Request, name: str, *, most: int = 0, is_required: bool = False) -> list[str]:
    """A list of the query, its values divided by commas."""
    values = [value for value in request.query.get(name, "").split(",") if value]
    if is_required and not values:
        raise invalid(f"{name} is missing")
    if most and len(values) > most:
        raise invalid(f"{name} holds more than {most} values")
    return values


def count_of(request: Request, name: str, usual: int, *, most: int) -> int:
    """A count of the query, from one to `most`."""
    told = request.query.get(name, str(usual))
    if not told.isdecimal() or not 1 <= int(told) <= most:
        raise invalid(f"{name} is not between 1 and {most}")
    return int(told)


class Account(StandIn):
    """What all operations share."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = LIMITS

    def fresh_state(self) -> dict[str, Any]:
        """See StandIn."""
        return {
            "count": 0, "tokens": {}, "codes": {}, "refresh_tokens": [REFRESH_TOKEN], "last_change": None,
            "listings": {}, "fba": {}, "orders": {}, "documents": {}, "feeds": {}, "destinations": [],
            "subscriptions": {}, "hook": None,
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN,
            "webhook_secret": WEBHOOK_SECRET, "region": "eu", "seller_id": SELLER_ID, "marketplace_ids": MAIN_SHOP,
            "application_id": APPLICATION_ID, "aws_account_id": "123456789012", "aws_region": "eu-central-1",
            "sqs_queue_arn": "arn:aws:sqs:eu-central-1:123456789012:amazon",
        }  # fmt: skip

    def next_number(self) -> int:
        """One number after the other."""
        self.state["count"] += 1
        return int(self.state["count"])

    # Letting in.

    def let_in(self, request: Request) -> None:
        """See StandIn: a token of Login with Amazon, for a seller or, at destinations, for the application."""
        if not request.headers.get("user-agent"):
            raise invalid("the User-Agent header is missing")
        token = self.state["tokens"].get(request.headers.get("x-amz-access-token", ""))
        if token is None:
            raise self._unauthorized("The access token you provided is revoked, malformed or invalid.")
        if token["ends_at"] <= self.now():
            raise self._unauthorized("The access token you provided has expired.")
        if token["scope"] != ("application" if request.path.startswith("/notifications/v1/destinations") else "seller"):
            raise self._unauthorized("")

    def _unauthorized(self, details: str) -> Refused:
        return refusal(403, "Unauthorized", "Access to requested resource is denied.", details)

    @route("POST", "/auth/o2/token", is_open=True)
    def login(self, request: Request) -> Reply:
        """Login with Amazon: the three grants."""
        form = dict(request.form())
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _no_token(401, "invalid_client", "Client authentication failed")
        grants = {
            "refresh_token": self._refreshed, "authorization_code": self._coded, "client_credentials": self._for_itself,
        }  # fmt: skip
        grant = grants.get(form.get("grant_type", ""))
        return grant(form) if grant else _no_token(400, "unsupported_grant_type", "The grant is not supported")

    def _refreshed(self, form: Mapping[str, str]) -> Reply:
        if form.get("refresh_token") not in self.state["refresh_tokens"]:
            return _no_token(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
        return self._token("seller", refresh_token=form["refresh_token"])

    def _coded(self, form: Mapping[str, str]) -> Reply:
        redirect_uri = self.state["codes"].pop(form.get("code", ""), None)
        if redirect_uri is None or redirect_uri != form.get("redirect_uri"):
            return _no_token(400, "invalid_grant", "The request has an invalid grant parameter : code")
        refresh_token = f"Atzr|sandbox-refresh-token-{self.next_number()}"
        self.state["refresh_tokens"].append(refresh_token)
        return self._token("seller", refresh_token=refresh_token)

    def _for_itself(self, form: Mapping[str, str]) -> Reply:
        if form.get("scope") != NOTIFICATIONS_SCOPE:
            return _no_token(400, "invalid_scope", "The requested scope is invalid")
        return self._token("application")

    def _token(self, scope: str, **more: str) -> Reply:
        token = f"Atza|sandbox-access-token-{self.next_number()}"
        ends_at = self.now() + timedelta(seconds=TOKEN_SECONDS)
        self.state["tokens"][token] = {"ends_at": ends_at, "scope": scope}
        return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS, **more})

    @route("GET", "/apps/authorize/consent", is_open=True)
    def consent(self, request: Request) -> Reply:
        """Seller Central's page, with a merchant who always agrees."""
        if request.query.get("application_id") != APPLICATION_ID:
            return Reply(400, {"error": "MD5100", "error_description": "there is no such application"})
        code = f"sandbox-code-{self.next_number()}"
        redirect_uri = request.query.get("redirect_uri", "")
        self.state["codes"][code] = redirect_uri
        told = {
            "state": request.query.get("state", ""), "selling_partner_id": SELLER_ID, "spapi_oauth_code": code,
        }  # fmt: skip
        return Reply(302, None, {"Location": f"{redirect_uri}?{urlencode(told)}"})

    # Refusing.

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn: Amazon never says when."""
        return Reply(429, errors("QuotaExceeded", "You exceeded your quota for the requested resource."))

    def broken(self) -> Reply:
        """See StandIn."""
        return Reply(500, errors("InternalFailure", "We encountered an internal error. Please try again."))

    def token_expired(self) -> Reply:
        """See StandIn: 403, not 401."""
        return self._unauthorized("The access token you provided has expired.").reply

    def cursor_expired(self) -> Reply:
        """See StandIn."""
        return Reply(400, errors("InvalidInput", "The page token has expired."))

    def not_found(self, request: Request) -> Reply:
        """See StandIn."""
        return Reply(404, errors("NotFound", f"there is no {request.method} {request.path}"))

    def _handled(self, request: Request, found: Route, handler: Handler, arguments: dict[str, str]) -> Reply:
        """Every answer but a refusal for its number tells the pace of its operation."""
        reply = super()._handled(request, found, handler, arguments)
        if not found.is_open:
            reply.headers["x-amzn-RequestId"] = f"{self.world.chance.getrandbits(64):016x}"
            if found.bucket and reply.status not in (403, 429):
                reply.headers["x-amzn-RateLimit-Limit"] = str(self.limits[found.bucket][0])
        return reply

    # The seller.

    @route("GET", "/sellers/v1/marketplaceParticipations", bucket="getMarketplaceParticipations")
    def participations(self, request: Request) -> Reply:
        """Where the seller sells."""
        return Reply(200, {"payload": [self._participation(place, shop) for place, shop in SHOPS.items()]})

    def _participation(self, place: str, shop: Shop) -> dict[str, Any]:
        return {
            "marketplace": {
                "id": place, "name": shop.name, "countryCode": shop.country, "defaultCurrencyCode": shop.currency,
                "defaultLanguageCode": shop.language, "domainName": shop.domain,
            },
            "participation": {"isParticipating": True, "hasSuspendedListings": False},
            "storeName": f"Sandbox store {self.account}",
        }  # fmt: skip

    def require_seller(self, seller_id: str) -> None:
        """Refuse another seller's id."""
        if seller_id != SELLER_ID:
            raise refusal(403, "Unauthorized", "Access to requested resource is denied.", "another seller")

    def require_shops(self, request: Request, *, most: int = 0) -> list[str]:
        """The marketplaces of a request, which the seller has to take part in."""
        places = listed(request, "marketplaceIds", most=most, is_required=True)
        for place in places:
            if place not in SHOPS:
                raise refusal(400, "BAD_REQUEST", "Invalid input", f"marketplaceIds: {place[:MOST_WORDS]}")
        return places


def _no_token(status: int, error: str, description: str) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
