"""The gate of the stand-in: who is let in, limits, errors, searches, and webhooks.

Searches match moments by the day (of a workspace in UTC), and sort by the second. Webhooks are signed: `sha1=` and the
HMAC-SHA1 of the body, keyed with the app's client secret.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route
from finalmarket.sandbox.webhooks import Letter

TOKEN = "access-token-of-the-sandbox"  # noqa: S105  opens nothing but the sandbox
CLIENT_ID = "client-id-of-the-sandbox"
CLIENT_SECRET = "client-secret-of-the-sandbox"  # noqa: S105
VERSION = "2.15"
APP = "sandbox1"
DAY = 24 * 3600
MOST_A_PAGE, USUAL_PAGE = 150, 20
MOST_A_WINDOW, WINDOW_SECONDS = 1666, 10
Fields = dict[str, Any]


def error(status: int, code: str, words: str) -> Reply:
    """An error answer."""
    return Reply(status, {"type": "error.list", "errors": [{"code": code, "message": words}]})


def refusal(status: int, code: str, words: str) -> Refused:
    """An error as Intercom writes it."""
    return Refused(error(status, code, words))


class Gate(StandIn):
    """Who is let in."""

    slug = "intercom"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (MOST_A_WINDOW / WINDOW_SECONDS, float(MOST_A_WINDOW)), "tokens": (10.0, 100.0),
    }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {"access_token": TOKEN, "client_secret": CLIENT_SECRET, "client_id": CLIENT_ID}

    def let_in(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != TOKEN and token not in self.state["tokens"]:
            raise refusal(401, "unauthorized", "Access Token Invalid")
        if request.headers.get("intercom-version") != VERSION:
            raise refusal(400, "intercom_version_invalid", "The requested version could not be found")

    def answer(self, request: Request) -> Reply:
        """With what is left of this window."""
        reply = super().answer(request)
        resets = (int(self.now().timestamp()) // WINDOW_SECONDS + 1) * WINDOW_SECONDS
        reply.headers |= {
            "X-RateLimit-Limit": str(MOST_A_WINDOW), "X-RateLimit-Remaining": str(max(0, int(self._buckets[""].left))),
            "X-RateLimit-Reset": str(resets),
        }  # fmt: skip
        return reply

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        return error(429, "rate_limit_exceeded", "Exceeded rate limit of 1666 in 10_seconds")

    def broken(self) -> Reply:
        return error(500, "server_error", "Server error")

    def token_expired(self) -> Reply:
        return error(401, "unauthorized", "Access Token Invalid")

    def cursor_expired(self) -> Reply:
        return error(400, "client_error", "starting_after is not valid")

    def not_found(self, request: Request) -> Reply:
        return error(404, "not_found", "Resource Not Found")

    def _next(self) -> int:
        """A number that nothing else has."""
        self.state["count"] += 1
        return int(self.state["count"])

    def _seconds(self) -> int:
        return int(self.now().timestamp())

    # Connecting.

    @route("GET", "/me")
    def show_me(self, request: Request) -> Reply:
        app = {"type": "app", "id_code": APP, "name": f"Sandbox {self.account}", "region": "US", "timezone": "UTC",
               "created_at": 1577836800, "identity_verification": False}  # fmt: skip
        body = {
            "type": "admin", "id": "7", "name": "Agent", "email": "agent@example.com", "email_verified": True,
            "away_mode_enabled": False, "away_mode_reassign": False, "has_inbox_seat": True, "team_ids": [], "app": app,
        }  # fmt: skip
        return Reply(200, body)

    @route("GET", "/oauth", is_open=True)
    def consent_page(self, request: Request) -> Reply:
        """The page on which the account's owner says yes."""
        if request.query.get("client_id") != CLIENT_ID:
            return error(400, "bad_request", "client_id is not known")
        code, back = f"code-{self._next()}", request.query["redirect_uri"]
        self.state["codes"].append(code)
        query = urlencode({"code": code, "state": request.query.get("state", "")})
        return Reply(302, None, {"Location": f"{back}?{query}"})

    @route("POST", "/auth/eagle/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        told = request.json()
        is_ours = (told.get("client_id"), told.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not is_ours or told.get("code") not in self.state["codes"]:
            return error(400, "bad_request", "the code or the client is not valid")
        self.state["codes"].remove(told["code"])
        token = f"oauth-token-{self._next()}"
        self.state["tokens"].append(token)
        return Reply(200, {"token_type": "Bearer", "token": token, "access_token": token})

    # Searches.

    def _search(self, request: Request, field: str, kind: str, records: Sequence[Fields]) -> Reply:
        """One page of the records that fit a single filter."""
        told = request.json()
        query, paging = told["query"], told.get("pagination") or {}
        place = paging.get("starting_after")
        if request.fault is Fault.CURSOR_EXPIRED and place:
            return self.cursor_expired()
        found = [one for one in records if _fits(one, query)]
        sort = told.get("sort") or {"field": "updated_at", "order": "descending"}
        # Within a second the order is one that nobody could tell beforehand: by the ids, read backwards.
        found.sort(key=lambda one: (one[sort["field"]], one["id"][::-1]), reverse=sort["order"] == "descending")
        size = min(MOST_A_PAGE, int(paging.get("per_page") or USUAL_PAGE))
        page, following = part_of(found, int(place or 0), size, request.fault)
        pages: Fields = {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(found) // size)}
        if following is not None:
            pages["next"] = {"per_page": size, "starting_after": str(following)}
        return Reply(200, {"type": kind, field: page, "total_count": len(found), "pages": pages})

    # Webhooks.

    def listen(self, url: str) -> None:
        """The merchant enters an address in the Developer Hub, and chooses all topics."""
        self.state["hooks"].append(url)

    def _tell(self, topic: str, item: Fields) -> None:
        for url in self.state["hooks"]:
            told = notification(topic, item, self._next(), self.now())
            self.sender.send(letter(url, told, CLIENT_SECRET))


def _fits(record: Fields, query: Fields) -> bool:
    """Whether a record fits; moments are matched by their day."""
    field, operator, value = query["field"], query["operator"], query["value"]
    if field == "updated_at":
        if operator not in (">", "<", "="):
            raise refusal(400, "invalid_operator", f"{operator} is not supported")
        mine, day = record["updated_at"] // DAY, int(value) // DAY
        return bool({">": mine > day, "<": mine < day, "=": mine == day}[operator])
    if field.startswith("ticket_attribute."):
        return bool(record["_by_id"].get(field.partition(".")[2]) == value)
    return bool(record.get(field) == value)


def notification(topic: str, item: Fields, number: int, at: datetime) -> Fields:
    """A notification as Intercom writes it."""
    return {
        "type": "notification_event", "app_id": APP, "id": f"notif_{number:012d}", "topic": topic,
        "created_at": int(at.timestamp()), "delivery_attempts": 1, "first_sent_at": int(at.timestamp()),
        "data": {"type": "notification_event_data", "item": item},
    }  # fmt: skip


def letter(url: str, told: Fields, secret: str) -> Letter:
    """A delivery, signed."""
    body = json.dumps(told).encode()
    signed = hmac.digest(secret.encode(), body, "sha1").hex()
    headers = {"Content-Type": "application/json", "X-Hub-Signature": f"sha1={signed}"}
    return Letter(url, headers, body, str(told["topic"]))
