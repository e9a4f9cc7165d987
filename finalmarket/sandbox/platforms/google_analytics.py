"""A Google Analytics 4 property with one web data stream: takes events in, drops bad ones without a word, and reports
on what it counted (https://developers.google.com/analytics).

Kept as Google keeps it: the Measurement Protocol answers 204 whatever comes, a purchase counts once by its transaction
id, and reports are for those who hold a token of a service account.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

SECRET = "sandbox-secret-of-the-data-stream"  # noqa: S105  made up
STREAM, PROPERTY = "G-SANDBOX001", "123456789"
EMAIL, KEY_ID = "reader@sandbox.iam.gserviceaccount.invalid", "sandbox-key-of-the-service-account"
TOKENS = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
DIRECT = "(direct) / (none)"
OLDEST = timedelta(hours=72)
MOST_EVENTS, MOST_PARAMS, MOST_BYTES = 25, 25, 130_000
NAME = re.compile(r"(?!ga_|google_|firebase_)[A-Za-z][A-Za-z0-9_]{0,39}")
METRICS = {
    "sessions": "TYPE_INTEGER", "totalUsers": "TYPE_INTEGER", "ecommercePurchases": "TYPE_INTEGER",
    "purchaseRevenue": "TYPE_CURRENCY",
}  # fmt: skip
DIMENSIONS = ("date", "sessionSourceMedium")
Object = dict[str, Any]


@cache
def new_key() -> bytes:
    """The private key of the service account, in PEM: one for each process, kept with what the account holds."""
    return generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def service_account(key: bytes) -> str:
    """The file that Google gives for a service account."""
    return json.dumps(
        {"type": "service_account", "project_id": "sandbox", "private_key_id": KEY_ID, "private_key": key.decode(),
         "client_email": EMAIL, "client_id": "100000000000000000001", "token_uri": TOKENS}
    )  # fmt: skip


def refusal(code: int, status: str, message: str) -> Refused:
    """An error as Google's APIs word it."""
    return Refused(Reply(code, {"error": {"code": code, "message": message, "status": status}}))


class GoogleAnalytics(StandIn):
    """One property."""

    slug = "google_analytics"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (100.0, 100.0), "reports": (5.0, 20.0)}

    # Google says.

    def fresh_state(self) -> Any:
        return {"count": 0, "events": [], "tokens": {}, "key": new_key(), "currency": "EUR", "sources": {}}

    def credentials(self) -> dict[str, str]:
        return {
            "api_secret": SECRET, "service_account": service_account(self.state["key"]), "measurement_id": STREAM,
            "property_id": PROPERTY,
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        if request.path.startswith(("/mp/", "/debug/")):
            return  # whoever comes: a wrong secret is not told
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends_at = self.state["tokens"].get(token)
        if ends_at is None or self.now() >= ends_at:
            raise refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(429, "RESOURCE_EXHAUSTED", "Exhausted property tokens. Try again later.").reply
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return refusal(500, "INTERNAL", "Internal error encountered.").reply

    def token_expired(self) -> Reply:
        return refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(404, "NOT_FOUND", f"There is no {request.path}.").reply

    # Tokens.

    @route("POST", "/token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        fields = dict(request.form())
        claims = self._claims(fields.get("assertion", ""))
        if fields.get("grant_type") != GRANT or claims is None:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        token = f"sandbox-token-{self._next()}"
        self.state["tokens"][token] = self.now() + timedelta(hours=1)
        return Reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _claims(self, assertion: str) -> Object | None:
        """What an assertion says; None where it is not the service account's own, too old, or for somebody else."""
        signed, _, signature = assertion.rpartition(".")
        key = cast(RSAPrivateKey, load_pem_private_key(self.state["key"], None))
        try:
            key.public_key().verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
            claims: Object = json.loads(_decoded(signed.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return None
        now = self.now().timestamp()
        is_good = claims["iss"] == EMAIL and claims["aud"] == TOKENS and claims["scope"] == SCOPE
        return claims if is_good and claims["iat"] - 600 <= now < claims["exp"] <= claims["iat"] + 3600 else None

    # The Measurement Protocol.

    @route("POST", "/mp/collect")
    def collect(self, request: Request) -> Reply:
        is_ours = (request.query.get("api_secret"), request.query.get("measurement_id")) == (SECRET, STREAM)
        told = _told(request)
        if is_ours and not _faults(told):
            for event in told["events"]:
                self._count(told, event)
        return Reply(204)

    @route("POST", "/debug/mp/collect", is_write=False)
    def debug(self, request: Request) -> Reply:
        messages = [
            {"fieldPath": path, "description": words, "validationCode": "VALUE_INVALID"}
            for path, words in _faults(_told(request))
        ]
        return Reply(200, {"validationMessages": messages})

    def _count(self, told: Object, event: Object) -> None:
        """Count an event, unless it is too old, or a purchase that was counted before."""
        at = datetime.fromtimestamp(int(event["timestamp_micros"]) / 1e6, UTC) if "timestamp_micros" in event else None
        at = at or self.now()
        params = event["params"]
        sale = params.get("transaction_id") if event["name"] == "purchase" else None
        if at < self.now() - OLDEST or (sale and any(one["sale"] == sale for one in self.state["events"])):
            return
        self.state["events"].append(
            {"at": at, "name": event["name"], "client": told["client_id"], "sale": sale,
             "session": params.get("session_id") or told["client_id"], "params": params,
             "consent": told.get("consent"), "value": Decimal(str(params.get("value", 0))) if sale else Decimal(0)}
        )  # fmt: skip
        self.effect("event", kind=event["name"], key=params.get("event_id", ""))

    # The Data API.

    @route("POST", "/v1beta/properties/{name}", is_write=False, bucket="reports")
    def report(self, request: Request, name: str) -> Reply:
        number, _, verb = name.partition(":")
        if verb != "runReport":
            return self.not_found(request)
        if number != PROPERTY:
            raise refusal(403, "PERMISSION_DENIED", "User does not have sufficient permissions for this property.")
        told = _told(request)
        dimensions = [one["name"] for one in told.get("dimensions", ())]
        metrics = [one["name"] for one in told.get("metrics", ())]
        if not set(dimensions) <= set(DIMENSIONS) or not set(metrics) <= set(METRICS):
            raise refusal(400, "INVALID_ARGUMENT", "A field is not a valid dimension or metric.")
        rows = self._rows(told["dateRanges"][0], dimensions, metrics)
        start = int(told.get("offset", 0))
        return Reply(200, {
            "dimensionHeaders": [{"name": one} for one in dimensions],
            "metricHeaders": [{"name": one, "type": METRICS[one]} for one in metrics],
            "rows": rows[start : start + int(told.get("limit", 10_000))], "rowCount": len(rows),
            "metadata": {"currencyCode": self.state["currency"], "timeZone": "UTC"},
            "kind": "analyticsData#runReport",
        })  # fmt: skip

    def _rows(self, days: Object, dimensions: list[str], metrics: list[str]) -> list[Object]:
        groups: dict[tuple[str, ...], list[Object]] = {}
        for event in self.state["events"]:
            day = f"{event['at']:%Y-%m-%d}"
            if days["startDate"] <= day <= days["endDate"]:
                source = self.state["sources"].get(event["client"], DIRECT)
                where = {"date": day.replace("-", ""), "sessionSourceMedium": source}
                groups.setdefault(tuple(where[one] for one in dimensions), []).append(event)
        rows = []
        for where_, events in sorted(groups.items()):
            counted = {
                "sessions": len({event["session"] for event in events}),
                "totalUsers": len({event["client"] for event in events}),
                "ecommercePurchases": sum(1 for event in events if event["sale"]),
                "purchaseRevenue": sum((event["value"] for event in events), Decimal(0)),
            }  # fmt: skip
            rows.append(
                {"dimensionValues": [{"value": one} for one in where_],
                 "metricValues": [{"value": str(counted[one])} for one in metrics]}
            )  # fmt: skip
        return rows

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    # What a test arranges.

    def counted_events(self) -> list[str]:
        """See CountsEvents."""
        return [one["key"] for one in self.effects("event")]

    def comes_from(self, client: str, source: str) -> None:
        """A visitor came by way of a source, such as "google / organic"."""
        self.state["sources"][client] = source


def _told(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        return None


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _faults(told: Any) -> list[tuple[str, str]]:
    """What is wrong with a payload, by the limits that Google publishes."""
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list) or not isinstance(told.get("client_id"), str) or not told["client_id"]:
        return [("client_id", "client_id and events are required.")]
    if not 1 <= len(events) <= MOST_EVENTS or len(json.dumps(told)) > MOST_BYTES:
        return [("events", f"A request holds 1 to {MOST_EVENTS} events and {MOST_BYTES} bytes.")]
    found = []
    for number, event in enumerate(events):
        params = event.get("params", {})
        names = [event.get("name", ""), *params]
        found += [(f"events[{number}]", f"The name {name} is invalid.") for name in names if not NAME.fullmatch(name)]
        if len(params) > MOST_PARAMS:
            found.append((f"events[{number}].params", f"An event has {MOST_PARAMS} parameters at most."))
        if ("value" in params) is not ("currency" in params):
            found.append((f"events[{number}].params", "value and currency go together."))
    return found
