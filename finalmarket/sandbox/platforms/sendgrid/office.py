"""What all of a SendGrid account rests on: who is let in, how errors are written, the lists of those who get no mail.

Its limits are counted as SendGrid tells them: `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the moment from which on
calls are taken again. It sends no `Retry-After`.
"""

from __future__ import annotations

import functools
import hmac
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import unquote

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route

KEY = "SG.practice-key-of-the-sandbox"
SENDER = "shop@sandbox.example.org"
GROUP = 4711  # the unsubscribe group that is there from the first
RIGHTS = ("mail.send", "marketing.read", "marketing.update", "suppression.read", "asm.groups.suppressions.create",
          "user.webhooks.event.settings.update")  # fmt: skip
MOST_ENTRIES = 500
CALLS = 600
Object = dict[str, Any]
Act = TypeVar("Act", bound=Callable[..., Any])


def refusal(status: int, message: str, field: str | None = None) -> Refused:
    """An error as SendGrid writes it."""
    error = {"message": message, **({"field": field} if field else {})}
    return Refused(Reply(status, {"errors": [error]}))


def outside(act: Act) -> Act:
    """Mark what the outside world does: it takes its turn between the calls."""

    @functools.wraps(act)
    def in_turn(office: StandIn, *arguments: Any, **named: Any) -> Any:
        with office.lock:
            return act(office, *arguments, **named)

    return cast(Act, in_turn)


class Office(StandIn):
    """The ground floor of the stand-in."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (20.0, float(CALLS)), "mail": (100.0, 1000.0), "contacts": (1.5, 3.0),
    }  # fmt: skip

    # SendGrid says.

    def fresh_state(self) -> Any:
        return {
            "count": 0, "contacts": {}, "lists": {}, "fields": {}, "jobs": {}, "messages": {}, "hooks": {},
            "groups": {GROUP: "Newsletters"}, "left": {}, "unsubscribes": {}, "bounces": {}, "spam_reports": {},
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {"api_key": KEY, "from_email": SENDER}

    def let_in(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {KEY}".encode()):
            raise refusal(401, "The provided authorization grant is invalid, expired, or revoked")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(429, "too many requests").reply
        if says_when:
            again = math.ceil((self.now() + timedelta(seconds=wait_seconds)).timestamp())
            reply.headers = {
                "X-RateLimit-Limit": str(CALLS), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(again)
            }  # fmt: skip
        return reply

    def broken(self) -> Reply:
        return refusal(500, "internal error").reply

    def token_expired(self) -> Reply:
        return refusal(401, "The provided authorization grant is invalid, expired, or revoked").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(404, f"there is no {request.method} {request.path}").reply

    # What the floors use.

    def seconds(self, at: datetime | None = None) -> int:
        """A moment, the present one by default, in whole seconds since 1970."""
        return int((at or self.now()).timestamp())

    def new_number(self) -> int:
        """Another number of this account."""
        self.state["count"] += 1
        return int(self.state["count"])

    def body_of(self, request: Request) -> Object:
        """The body, which is an object."""
        try:
            told = request.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise refusal(400, "the body is no JSON object")
        return told

    # Rights.

    @route("GET", "/v3/scopes")
    def scopes(self, request: Request) -> Reply:
        return Reply(200, {"scopes": list(RIGHTS)})

    # Who gets no mail.

    @route("GET", "/v3/suppression/unsubscribes")
    def list_unsubscribes(self, request: Request) -> Reply:
        return self._entries(request, "unsubscribes")

    @route("GET", "/v3/suppression/bounces")
    def list_bounces(self, request: Request) -> Reply:
        return self._entries(request, "bounces")

    @route("GET", "/v3/suppression/spam_reports")
    def list_spam_reports(self, request: Request) -> Reply:
        return self._entries(request, "spam_reports")

    def _entries(self, request: Request, name: str) -> Reply:
        """One page of a list, newest first: SendGrid says nothing of the order."""
        first, last = (int(request.query.get(bound) or 0) for bound in ("start_time", "end_time"))
        limit, offset = int(request.query.get("limit") or MOST_ENTRIES), int(request.query.get("offset") or 0)
        if not 1 <= limit <= MOST_ENTRIES:
            raise refusal(400, f"limit is from 1 to {MOST_ENTRIES}", "limit")
        entries = sorted(self.state[name].values(), key=lambda entry: (-entry["created"], entry["email"]))
        found = [one for one in entries if one["created"] >= first and (not last or one["created"] <= last)]
        page, _ = part_of(found, offset, limit, request.fault)
        return Reply(200, page)

    @route("GET", "/v3/asm/suppressions")
    def list_left(self, request: Request) -> Reply:
        found = [
            {"email": email, "group_id": group, "group_name": self.state["groups"][group], "created_at": seconds}
            for (group, email), seconds in self.state["left"].items()
        ]  # fmt: skip
        return Reply(200, found)

    @route("POST", "/v3/asm/suppressions/global")
    def suppress(self, request: Request) -> Reply:
        emails = self._addresses(request)
        for email in emails:
            self.put_on("unsubscribes", email)
        return Reply(201, {"recipient_emails": emails})

    @route("DELETE", "/v3/asm/suppressions/global/{email}")
    def allow(self, request: Request, email: str) -> Reply:
        if self.state["unsubscribes"].pop(unquote(email).lower(), None):
            self.effect("allowed", email=unquote(email).lower())
        return Reply(204)

    @route("POST", "/v3/asm/groups/{group}/suppressions")
    def suppress_in_group(self, request: Request, group: str) -> Reply:
        emails, number = self._addresses(request), self._group(group)
        for email in emails:
            self.put_in_group(number, email)
        return Reply(201, {"recipient_emails": emails})

    @route("DELETE", "/v3/asm/groups/{group}/suppressions/{email}")
    def allow_in_group(self, request: Request, group: str, email: str) -> Reply:
        if self.state["left"].pop((self._group(group), unquote(email).lower()), None):
            self.effect("allowed", email=unquote(email).lower(), group=group)
        return Reply(204)

    def _group(self, group: str) -> int:
        number = int(group) if group.isdigit() else 0
        if number not in self.state["groups"]:
            raise refusal(404, "group does not exist", "group_id")
        return number

    def _addresses(self, request: Request) -> list[str]:
        told = self.body_of(request).get("recipient_emails")
        if not isinstance(told, list) or not told or not all("@" in str(email) for email in told):
            raise refusal(400, "recipient_emails holds no addresses", "recipient_emails")
        return [str(email).lower() for email in told]

    def put_on(self, name: str, email: str, *, at: datetime | None = None, **more: Any) -> None:
        """Put an address on a list, unless it is on it."""
        if email.lower() not in self.state[name]:
            self.state[name][email.lower()] = {"created": self.seconds(at), "email": email.lower(), **more}
            self.effect("suppressed", list=name, email=email.lower())

    def put_in_group(self, group: int, email: str, *, at: datetime | None = None) -> None:
        """Somebody leaves an unsubscribe group, unless they have."""
        if (group, email.lower()) not in self.state["left"]:
            self.state["left"][group, email.lower()] = self.seconds(at)
            self.effect("suppressed", list=str(group), email=email.lower())
