"""What all of a PayPal account rests on: names, who is let in, refusals, keys, events and PayPal's certificate."""

from __future__ import annotations

import copy
import hmac
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

Object = dict[str, Any]
CLIENT_ID, CLIENT_SECRET = "practice-client-id-of-the-sandbox", "practice-client-secret-of-the-sandbox"
LET_IN = "Basic " + b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
TOKEN_SECONDS = 32_400
KEY_KEPT = {"/v2/checkout": timedelta(hours=6), "/v2/payments": timedelta(days=45)}
CERTIFICATE_OWNER = "messageverificationcerts.paypal.com"
# The names and sentences that PayPal's errors have by their status.
ERRORS = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error has occurred."),
}


def error(status: int, issue: str = "", field: str = "") -> Reply:
    """An error as PayPal writes it."""
    name, message = ERRORS[status]
    body: Object = {"name": name, "message": message, "debug_id": "practice0debug"}
    if issue:
        body["details"] = [{"issue": issue, **({"field": field} if field else {})}]
    return Reply(status, body)


def refusal(status: int, issue: str = "", field: str = "") -> Refused:
    """An error, to be raised."""
    return Refused(error(status, issue, field))


def told(body: Any, status: int = 200) -> Reply:
    """An answer that shows objects as they stand now, whatever becomes of them while it is written."""
    return Reply(status, copy.deepcopy(body))


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """PayPal's private key, as long as this process lives."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(owner: str = CERTIFICATE_OWNER) -> bytes:
    """PayPal's certificate in PEM, valid for some decades; it signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signing_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .sign(signing_key(), SHA256())
    )
    return made.public_bytes(Encoding.PEM)


@cache
def certificate_path() -> str:
    """Where the certificate is: another certificate has another address."""
    fingerprint = x509.load_pem_x509_certificate(certificate()).fingerprint(SHA256()).hex()
    return f"/v1/notifications/certs/CERT-{fingerprint[:8]}-{fingerprint[8:16]}-{fingerprint[16:24]}"


def signed_headers(body: bytes, webhook_id: str, transmission: str, at: datetime) -> dict[str, str]:
    """The headers of a delivery for a webhook."""
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = f"{transmission}|{moment}|{webhook_id}|{zlib.crc32(body)}".encode()
    return {
        "Content-Type": "application/json", "PAYPAL-TRANSMISSION-ID": transmission,
        "PAYPAL-TRANSMISSION-TIME": moment, "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": f"https://api.paypal.com{certificate_path()}",
        "PAYPAL-TRANSMISSION-SIG": b64encode(signing_key().sign(text, PKCS1v15(), SHA256())).decode(),
    }  # fmt: skip


class Account(StandIn):
    """The ground floor of the stand-in."""

    slug = "paypal"
    limits: ClassVar = {"": (50.0, 50.0)}

    def fresh_state(self) -> Any:
        """See StandIn: orders and disputes by id, `owners` names the order of a part, `rows` is the report."""
        return {
            "count": 0, "orders": {}, "owners": {}, "disputes": {}, "rows": [], "events": [], "webhooks": {},
            "tokens": {}, "answers": {}, "behind_seconds": 0,
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    @route("POST", "/v1/oauth2/token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), LET_IN.encode()):
            return Reply(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
        if dict(request.form()).get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type", "error_description": "unsupported grant_type"})
        token = f"A21AApractice{self.next():012d}"
        self.state["tokens"][token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": ""})

    def let_in(self, request: Request) -> None:
        """See StandIn: a token that was given and has not ended."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends_at = self.state["tokens"].get(token)
        if kind != "Bearer" or ends_at is None or ends_at <= self.now():
            raise refusal(401)

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn."""
        reply = error(429)
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        """See StandIn."""
        return error(500)

    def token_expired(self) -> Reply:
        """See StandIn."""
        return error(401)

    def cursor_expired(self) -> Reply:
        """See StandIn."""
        return error(400, "INVALID_PARAMETER_VALUE")

    def not_found(self, request: Request) -> Reply:
        """See StandIn."""
        return error(404)

    # Names, moments, keys.

    def next(self) -> int:
        """Another number."""
        self.state["count"] += 1
        return int(self.state["count"])

    def new_id(self) -> str:
        """A name of 17 letters and digits."""
        return f"8PR{self.next():014d}"

    def text(self, at: datetime | None = None) -> str:
        """A moment, the present one by default, as PayPal writes it."""
        return f"{(at or self.now()).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def once(self, request: Request, act: Callable[[], Object]) -> Reply:
        """Act once under a PayPal-Request-Id, and show the same again with 200; the key with another body is refused.
        What was refused may be tried again."""
        key = request.headers.get("paypal-request-id", "")
        if len(key) > 108:
            raise refusal(400, "INVALID_STRING_LENGTH", "PayPal-Request-Id")
        name, asked = f"{request.path} {key}", request.body
        known = self.state["answers"].get(name) if key else None
        kept_for = next(kept for path, kept in KEY_KEPT.items() if request.path.startswith(path))
        if known and self.now() - known["at"] < kept_for:
            if known["asked"] != asked:
                raise refusal(422, "DUPLICATE_REQUEST_ID")
            return told(known["body"], 200 if request.path.startswith("/v2/checkout") else 201)
        body = act()
        if "return=representation" not in request.headers.get("prefer", ""):
            body = {name: body[name] for name in ("id", "status", "links") if name in body}
        if key:
            self.state["answers"][name] = {"at": self.now(), "asked": asked, "body": copy.deepcopy(body)}
        return told(body, 201)

    # Events.

    def tell(self, topic: str, kind: str, resource: Object, at: datetime | None = None) -> None:
        """Note an event for those who subscribed to it, and send it."""
        wanted = [one for one in self.state["webhooks"].values() if _wants(one, topic)]
        if not wanted:
            return
        event = {
            "id": f"WH-{self.next():08d}-PRACTICE", "event_version": "1.0", "create_time": self.text(at),
            "resource_type": kind, "resource_version": "2.0", "event_type": topic, "summary": topic.title(),
            "resource": copy.deepcopy(resource), "links": [],
        }  # fmt: skip
        self.state["events"].append(event)
        for webhook in wanted:
            body = json.dumps(event).encode()
            headers = signed_headers(body, webhook["id"], f"practice-{self.next()}-{event['id']}", self.now())
            self.sender.send(Letter(webhook["url"], headers, body, topic))


def _wants(webhook: Object, topic: str) -> bool:
    return any(one["name"] in ("*", topic) for one in webhook["event_types"])
