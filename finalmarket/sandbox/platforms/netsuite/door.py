"""The door of the stand-in: tokens for signed assertions, errors in NetSuite's form, SuiteQL.

NetSuite limits how many requests run at once, not how many a second: here they run one after the other, so a plain pace
stands in for the limit.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.netsuite import analytics
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

ACCOUNT = "1234567_SB1"
CLIENT_ID = "client-id-of-the-sandbox"
CERTIFICATE_ID = "certificate-of-the-sandbox"
# The account's key: always the same one, and good for nothing else.
KEY = ec.derive_private_key(0x5AFE_B00C_5AFE_B00C, ec.SECP256R1())
PRIVATE_KEY = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
AUDIENCE = "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
TOKEN_LIFE = timedelta(hours=1)
MOST_ASSERTION_SECONDS = 3600
MOST_ROWS = 1_000
KIND = "application/vnd.oracle.resource+json; type="


def refusal(status: int, code: str, words: str) -> Refused:
    """An error as NetSuite writes it."""
    return Refused(error(status, code, words))


def error(status: int, code: str, words: str) -> Reply:
    """An error answer (nsError)."""
    body = {
        "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5", "title": words, "status": status,
        "o:errorDetails": [{"detail": words, "o:errorCode": code}],
    }  # fmt: skip
    return Reply(status, body, {"Content-Type": f"{KIND}error"})


class Door(StandIn):
    """Who is let in, and what is asked in SuiteQL."""

    slug = "netsuite"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (15.0, 15.0), "tokens": (5.0, 20.0)}

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": CLIENT_ID, "certificate_id": CERTIFICATE_ID, "private_key": PRIVATE_KEY, "account": ACCOUNT,
            "adjustment_account": "58", "location": "1", "customer": "1", "ship_method": "90", "other_item": "91",
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends_at = self.state["tokens"].get(token)
        if ends_at is None or self.now() >= ends_at:
            raise refusal(401, "INVALID_LOGIN", "Invalid login attempt. For more details, see the Login Audit Trail.")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = error(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked.")
        if says_when:
            reply.headers["Retry-After"] = str(max(1, round(wait_seconds)))
        return reply

    def broken(self) -> Reply:
        return error(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: 0")

    def token_expired(self) -> Reply:
        return error(401, "INVALID_LOGIN", "Invalid login attempt. For more details, see the Login Audit Trail.")

    def not_found(self, request: Request) -> Reply:
        return error(404, "NOT_FOUND", f"Invalid URL: {request.method} {request.path}")

    # Tokens.

    @route("POST", "/services/rest/auth/oauth2/v1/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        form = dict(request.form())
        if form.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return Reply(400, {"error": "invalid_request"})
        if not self._is_ours(form.get("client_assertion", "")):
            return Reply(400, {"error": "invalid_grant"})
        token = f"netsuite-token-{len(self.state['tokens']) + 1}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        return Reply(
            200, {"access_token": token, "expires_in": int(TOKEN_LIFE.total_seconds()), "token_type": "bearer"}
        )

    def _is_ours(self, assertion: str) -> bool:
        """Whether an assertion is signed with the account's key, is for this door, and is young enough."""
        try:
            head, body, signature = (_decoded(part) for part in assertion.split("."))
            header, claims = json.loads(head), json.loads(body)
            halves = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            message = assertion.rpartition(".")[0].encode()
            KEY.public_key().verify(encode_dss_signature(*halves), message, ec.ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        now, life = self.now().timestamp(), claims["exp"] - claims["iat"]
        return bool(
            (header["alg"], header["typ"], header["kid"]) == ("ES256", "JWT", CERTIFICATE_ID)
            and (claims["iss"], claims["aud"], claims["scope"]) == (CLIENT_ID, AUDIENCE, "rest_webservices")
            and 0 < life < MOST_ASSERTION_SECONDS and claims["iat"] - 60 <= now < claims["exp"]
        )  # fmt: skip

    # SuiteQL.

    @route("POST", "/services/rest/query/v1/suiteql", is_write=False)
    def query(self, request: Request) -> Reply:
        if request.headers.get("prefer") != "transient":
            raise refusal(400, "INVALID_HEADER", "Required header Prefer with the value 'transient' is missing.")
        limit, offset = int(request.query.get("limit", MOST_ROWS)), int(request.query.get("offset", 0))
        asked = request.json()
        if not 0 < limit <= MOST_ROWS or not isinstance(asked, dict) or set(asked) != {"q"}:
            raise refusal(400, "INVALID_PARAMETER", "The limit is 1 to 1000, and the body holds the query alone.")
        now = self.now()
        if request.fault is Fault.STALE_READ:
            now = min(now, self.state["changed_at"])
        try:
            rows, has_more = analytics.run(self.state, asked["q"], now, limit, offset)
        except ValueError as wrong:
            raise refusal(400, "INVALID_PARAMETER", f"Invalid search query. Detailed message: {wrong}") from None
        rows, has_more = _spoiled(rows, has_more, request.fault if _is_list(asked["q"]) else None)
        links = [{"rel": "self", "href": f"https://1234567-sb1.suitetalk.api.netsuite.com{request.path}"}]
        body: dict[str, Any] = {
            "links": links, "count": len(rows), "hasMore": has_more, "offset": offset,
            "items": [{"links": [], **row} for row in rows],
        }  # fmt: skip
        return Reply(200, body, {"Content-Type": f"{KIND}collection"})


def _is_list(query: str) -> bool:
    """Whether a query reads a stream, and not what somebody looks up."""
    return "FROM customer c" in query or "i.itemtype" in query


def _spoiled(
    rows: list[dict[str, Any]], has_more: bool, fault: Fault | None
) -> tuple[list[dict[str, Any]], bool]:  # fmt: skip
    """A page with a record twice, or without its last one for now."""
    if fault is Fault.DUPLICATE_PAGE and len(rows) > 1:
        return [rows[0], *rows[:-1]], True
    if fault is Fault.MISSING_PAGE:
        return rows[:-1], has_more
    return rows, has_more


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
