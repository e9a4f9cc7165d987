"""The stand-in's door: tokens, the GraphQL address with its points, idempotency keys, and who is told of changes."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.platforms.shopify import letters
from finalmarket.sandbox.platforms.shopify.cost import MOST_POINTS, actual_cost, requested_cost
from finalmarket.sandbox.platforms.shopify.mutations import MUTATIONS, UNDER_A_KEY
from finalmarket.sandbox.platforms.shopify.queries import QUERIES
from finalmarket.sandbox.platforms.shopify.query_language import (
    Field,
    Operation,
    Projector,
    QueryFault,
    read_document,
    settle_variables,
)
from finalmarket.sandbox.platforms.shopify.shop import Shop, Thing
from finalmarket.sandbox.stand_in import Refused, Reply, Request, Route, StandIn, route
from finalmarket.sandbox.webhooks import Letter

CLIENT_ID = "practice-client-id-0001"
CLIENT_SECRET = "practice-client-secret-0001"  # noqa: S105  of a stand-in
ACCESS_TOKEN = "shpat_practice_access_token_0001"  # noqa: S105
REFRESH_TOKEN = "shprt_practice_refresh_token_0001"  # noqa: S105
SCOPES = (
    "write_orders", "write_products", "write_inventory", "read_locations", "write_customers",
    "write_merchant_managed_fulfillment_orders", "write_publications", "read_publications",
)  # fmt: skip
# A shop on the Standard plan: 100 points a second, 2,000 at once.
RESTORE_RATE, MOST_AT_ONCE = 100.0, 2000.0
MOST_ITEMS = 250  # of a list in an input
KEYS_ARE_KEPT = timedelta(hours=24)
TOKENS_LAST = timedelta(hours=1)
PRIVACY_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")


class Server(StandIn):
    """One shop behind its door."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (RESTORE_RATE, MOST_AT_ONCE)}
    state: Shop

    def fresh_state(self) -> Shop:
        """A shop with two locations and two sales channels, and nothing on sale."""
        shop = Shop(scopes=SCOPES, tokens={ACCESS_TOKEN: None}, refresh_tokens={REFRESH_TOKEN})
        for name in ("Main Street", "Outlet"):
            shop.add_location(name)
        for name in ("Online Store", "Point of Sale"):
            publication = shop.new_id("Publication")
            shop.publications[publication] = {"id": publication, "name": name}
        return shop

    def credentials(self) -> dict[str, str]:
        """What lets a hub in."""
        return {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN, "shop": self.state.domain, "location": self.state.main_location,
        }  # fmt: skip

    # Tokens.

    def let_in(self, request: Request) -> None:
        """By an access token that has not ended, in a header."""
        token = request.headers.get("x-shopify-access-token", "")
        if token not in self.state.tokens:
            raise Refused(self.token_expired())
        ends_at = self.state.tokens[token]
        if ends_at is not None and self.now() >= ends_at:
            raise Refused(self.token_expired())

    def token_expired(self) -> Reply:
        """What Shopify says to a token that it does not (or no longer) know."""
        return Reply(401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})

    @route("GET", "/admin/oauth/authorize", is_write=False, is_open=True)
    def authorize(self, request: Request) -> Reply:
        """The merchant agrees, at once: back to the app with a code, all of it signed."""
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or not asked.get("redirect_uri"):
            return Reply(400, {"error": "invalid_request", "error_description": "unknown client or no redirect_uri"})
        self.state.count += 1
        code = f"practice-code-{self.state.count}"
        self.state.codes.add(code)
        told = {
            "code": code, "host": "YWRtaW4", "shop": self.state.domain, "state": asked.get("state", ""),
            "timestamp": str(int(self.now().timestamp())),
        }  # fmt: skip
        signed = hmac.digest(CLIENT_SECRET.encode(), urlencode(sorted(told.items())).encode(), "sha256").hex()
        separator = "&" if "?" in asked["redirect_uri"] else "?"
        location = f"{asked['redirect_uri']}{separator}{urlencode({**told, 'hmac': signed})}"
        return Reply(302, None, {"Location": location})

    @route("POST", "/admin/oauth/access_token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        """A token for a code, for a refresh token, or for the app's own credentials."""
        asked = dict(request.form())
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(400, {"error": "invalid_client", "error_description": "the app is not known"})
        grant = asked.get("grant_type", "")
        if grant == "client_credentials":
            return Reply(200, self._new_token(is_renewable=False))
        if grant == "refresh_token":
            if asked.get("refresh_token") not in self.state.refresh_tokens:
                return Reply(400, {"error": "invalid_grant", "error_description": "This request requires a token"})
            return Reply(200, self._new_token(is_renewable=True))
        if asked.get("code") not in self.state.codes:
            return Reply(400, {"error": "invalid_request", "error_description": "The code was not found or was used"})
        self.state.codes.discard(asked["code"])
        return Reply(200, self._new_token(is_renewable=asked.get("expiring") == "1"))

    def _new_token(self, *, is_renewable: bool) -> dict[str, Any]:
        """A former refresh token stays good, as with Shopify until the new token is used."""
        self.state.count += 1
        token = f"shpat_practice_{self.state.count}"
        self.state.tokens[token] = self.now() + TOKENS_LAST
        given: dict[str, Any] = {
            "access_token": token, "scope": ",".join(SCOPES), "expires_in": int(TOKENS_LAST.total_seconds()),
        }  # fmt: skip
        if is_renewable:
            given["refresh_token"] = f"shprt_practice_{self.state.count}"
            self.state.refresh_tokens.add(given["refresh_token"])
        return given

    # Points.

    def writes(self, request: Request, found: Route) -> bool:
        """Mutations write, queries do not."""
        try:
            return self._read(request)[0].kind == "mutation"
        except QueryFault:
            return found.is_write

    def cost(self, request: Request, found: Route) -> float:
        """The points that the query may cost at most; a single one above the limit is refused without cost."""
        if found.is_open:
            return 0.0
        try:
            requested = requested_cost(*self._read(request))
        except QueryFault:
            return 1.0
        return float(requested) if requested <= MOST_POINTS else 0.0

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """Throttled: with the state of the points, or without a word by the door before."""
        if not says_when:
            return Reply(429, {"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume."})
        left = self._buckets[""].left
        documentation = "https://shopify.dev/api/usage/rate-limits"
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": documentation}}
        told = self._points_told(round(left + wait_seconds * RESTORE_RATE), None)
        return Reply(200, {"errors": [error], "extensions": told})

    def _points_told(self, requested: int, actual: int | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": MOST_AT_ONCE, "currentlyAvailable": int(self._buckets[""].left),
            "restoreRate": RESTORE_RATE,
        }  # fmt: skip
        return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}

    def broken(self) -> Reply:
        """Something is wrong on Shopify's side."""
        return Reply(500, {"errors": "Internal Server Error"})

    def not_found(self, request: Request) -> Reply:
        """Shopify's words for another address."""
        return Reply(404, {"errors": "Not Found"})

    # The GraphQL address.

    @route("POST", "/admin/api/{version}/graphql.json")
    def graphql(self, request: Request, version: str) -> Reply:
        """Answer a document."""
        if version != letters.VERSION:
            return self.not_found(request)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Reply(415, {"errors": "the content type must be application/json"})
        visited: Counter[str] = Counter()
        try:
            operation, projector = self._read(request)
            projector.visited = lambda name: visited.update([name])
            requested = requested_cost(operation, projector)
            if requested > MOST_POINTS:
                message = f"Query cost is {requested}, which exceeds the single query max cost limit ({MOST_POINTS})."
                raise QueryFault(message, "MAX_COST_EXCEEDED")
            data = self._data(operation, projector, request)
        except QueryFault as fault:
            error = {"message": fault.message, "extensions": {"code": fault.code}}
            return Reply(200, {"errors": [error], "extensions": self._points_told(0, 0)})
        actual = min(requested, actual_cost(operation, visited))
        self._buckets[""].left = min(MOST_AT_ONCE, self._buckets[""].left + requested - actual)
        return Reply(200, {"data": data, "extensions": self._points_told(requested, actual)})

    def _read(self, request: Request) -> tuple[Operation, Projector]:
        """The operation that is asked for, with its variables. Raises QueryFault."""
        try:
            sent = request.json()
            text, name, variables = sent["query"], sent.get("operationName"), sent.get("variables") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise QueryFault("Required parameter missing or invalid: query") from None
        document = read_document(text)
        operation = document.operation(name)
        return operation, Projector(document, settle_variables(operation, variables))

    def _data(self, operation: Operation, projector: Projector, request: Request) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for asked in projector.fields(operation.selections, None):
            known: Mapping[str, Any] = MUTATIONS if operation.kind == "mutation" else QUERIES
            if asked.name not in known:
                root = "Mutation" if operation.kind == "mutation" else "QueryRoot"
                raise QueryFault(f"Field '{asked.name}' doesn't exist on type '{root}'", "undefinedField")
            arguments = projector.arguments(asked)
            _check_sizes(arguments)
            if operation.kind == "mutation":
                found = self._changed(asked, arguments, projector)
            else:
                found = QUERIES[asked.name](self.state, arguments, request.fault)
            data[asked.alias] = projector.answer(found, asked)
        return data

    # Idempotency keys.

    def _changed(self, asked: Field, arguments: dict[str, Any], projector: Projector) -> dict[str, Any]:
        """Do it; what has a key, once."""
        if asked.name not in UNDER_A_KEY:
            return MUTATIONS[asked.name](self, arguments)
        key = projector.arguments(Field("", arguments=asked.directives.get("idempotent", {}))).get("key")
        if not key or not str(key).strip():
            raise QueryFault("The @idempotent directive is required for this mutation but was not provided.")
        fingerprint = json.dumps([asked.name, arguments], sort_keys=True)
        made = UNDER_A_KEY[asked.name]
        known = self.state.answers.get(key)
        if known is not None and self.now() - known["at"] < KEYS_ARE_KEPT:
            return self._again(known, fingerprint, made)
        payload = MUTATIONS[asked.name](self, arguments)
        found = payload[made]
        self.state.answers[key] = {"at": self.now(), "fingerprint": fingerprint, "made": found and found["id"]}
        return payload

    def _again(self, known: Thing, fingerprint: str, made: str) -> dict[str, Any]:
        """What is said to a key that was used before."""
        if known["fingerprint"] != fingerprint:
            message = "The same idempotency key cannot be used with different operation parameters."
            code = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        elif known["made"] is None:
            message = "A previous request with this idempotency key failed. Retry with a new idempotency key."
            code = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        else:
            return {made: {"id": known["made"]}, "userErrors": []}
        return {made: None, "userErrors": [{"field": None, "message": message, "code": code}]}

    # Who is told.

    def tell(self, topic: str, body: dict[str, Any]) -> None:
        """Send a webhook to those who subscribed; privacy topics to every address there is."""
        name = topic.upper().replace("/", "_")
        everyone = topic in PRIVACY_TOPICS
        for uri in dict.fromkeys(
            one["uri"] for one in self.state.subscriptions.values() if everyone or one["topic"] == name
        ):
            self.state.count += 1
            headers, written = letters.letter(
                CLIENT_SECRET, self.state.domain, topic, body, self.now(), self.state.count
            )
            self.sender.send(Letter(uri, headers, written, topic))

    def tell_stock(self, item: Thing, location: str) -> None:
        """A level changed."""
        self.tell("inventory_levels/update", letters.level_body(item, location, self.now()))

    def tell_product(self, product: Thing) -> None:
        """A product changed."""
        product["updated"] = self.now()
        self.tell("products/update", letters.product_body(self.state, product))

    def tell_order(self, topic: str, order: Thing) -> None:
        """An order is new, changed or cancelled."""
        order["updated"] = self.now()
        body = letters.order_body(self.state, order)
        self.tell(topic, body)
        if topic == "orders/cancelled":
            self.tell("orders/updated", body)

    def tell_refund(self, order: Thing, refund: Thing) -> None:
        """Money went back, or units were taken off."""
        self.tell("refunds/create", letters.refund_body(order, refund))
        self.tell_order("orders/updated", order)

    def tell_customer(self, topic: str, customer: Thing) -> None:
        """A person is new or changed."""
        self.tell(topic, letters.customer_body(customer))


def _check_sizes(value: Any) -> None:
    """Refuse lists that are longer than Shopify takes them."""
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        message = f"The input array size of {len(value)} is greater than the maximum allowed of {MOST_ITEMS}."
        raise QueryFault(message, "MAX_INPUT_SIZE_EXCEEDED")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_sizes(item)
