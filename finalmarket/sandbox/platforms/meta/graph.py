"""The Graph API as both accounts know it: errors with their codes, who is let in, pages by cursors, signed webhooks."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from typing import Any

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of
from finalmarket.sandbox.webhooks import Letter

V = "/v25.0"
Object = dict[str, Any]


def refusal(status: int, code: int, words: str, subcode: int = 0) -> Refused:
    """An error as the Graph API words it."""
    kind = "OAuthException" if code in (190, 4, 10, 200) else "GraphMethodException"
    told: Object = {"message": words, "type": kind, "code": code, "fbtrace_id": "Asandbox"}
    return Refused(Reply(status, {"error": {**told, **({"error_subcode": subcode} if subcode else {})}}))


def not_there(name: str) -> Refused:
    """Nobody has that id."""
    return refusal(400, 100, f"Unsupported request. Object with ID '{name}' does not exist", 33)


def told(request: Request) -> Object:
    """The JSON object of a request."""
    try:
        sent = request.json()
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise refusal(400, 100, "(#100) the parameters are not JSON")
    return sent


def moment(at: Any) -> str:
    """A moment as the Graph API writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}+0000"


class GraphStandIn(StandIn):
    """One account behind the Graph API."""

    token: str
    app_secret: str

    def let_in(self, request: Request) -> None:
        """A bearer token, and where the platform asks for it the proof of it."""
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {self.token}"):
            raise refusal(401, 190, "Invalid OAuth access token")

    def require_proof(self, request: Request, token: str) -> None:
        """Raise Refused for a proof that is not the token's HMAC under the app secret."""
        proof = hmac.digest(self.app_secret.encode(), token.encode(), "sha256").hex()
        if not hmac.compare_digest(request.query.get("appsecret_proof", ""), proof):
            raise refusal(400, 100, "Invalid appsecret_proof provided in the API argument")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(400, 4, "(#4) Application request limit reached").reply
        minutes = max(1, round(wait_seconds / 60))
        usage = {"1": [{"type": "catalog", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
        reply.headers |= {"X-Business-Use-Case-Usage": json.dumps(usage)} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return refusal(500, 2, "Service temporarily unavailable").reply

    def token_expired(self) -> Reply:
        return refusal(401, 190, "Error validating access token: Session has expired", 463).reply

    def cursor_expired(self) -> Reply:
        return refusal(400, 100, "(#100) the cursor is no longer valid").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(400, 2500, f"Unknown path components: {request.path}").reply

    def page(self, request: Request, rows: list[Object], most: int) -> Reply:
        """A page of rows, by cursors that name a place."""
        after = request.query.get("after", "")
        if request.fault is Fault.CURSOR_EXPIRED and after:
            return self.cursor_expired()
        limit = min(most, int(request.query.get("limit") or 25))
        start = int(b64decode(after)) if after else 0
        part, following = part_of(rows, start, limit, request.fault)
        paging: Object = {"cursors": {"before": _cursor(start), "after": _cursor(following or start + len(part))}}
        if following is not None:
            paging["next"] = f"https://graph.example.com{request.path}?after={_cursor(following)}"
        return Reply(200, {"data": part, "paging": paging} if part else {"data": []})

    def tell(self, kind: str, entry: Object) -> None:
        """Send a webhook where somebody asked for it."""
        url = self.state["hook"]
        if url:
            body = json.dumps({"object": kind, "entry": [entry]}).encode()
            signed = hmac.digest(self.app_secret.encode(), body, "sha256").hex()
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signed}"}
            self.sender.send(Letter(url, headers, body, kind))


def _cursor(place: int) -> str:
    return b64encode(str(place).encode()).decode()
