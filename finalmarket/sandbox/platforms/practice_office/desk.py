"""What all rooms of the practice office share: who is let in, how errors are written, lists that are read on from a
number, writes under an idempotency key, and webhooks.

Every change of a record gets the next number of one count. Money is text, moments are ISO 8601 in UTC. Webhooks are
signed: base64 of HMAC-SHA256 over `<unix seconds>.<body>`.
"""

from __future__ import annotations

import functools
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route
from finalmarket.sandbox.webhooks import Letter

TOKEN = "practice-office-token"  # noqa: S105  opens nothing but the sandbox
PAGE = 50
MAIN = "main"
Fields = dict[str, Any]
Act = TypeVar("Act", bound=Callable[..., Any])


def refusal(status: int, code: str, words: str) -> Refused:
    """An error as the office writes it."""
    return Refused(Reply(status, {"code": code, "message": words}))


def outside(act: Act) -> Act:
    """Mark what the outside world does: it takes its turn between the calls."""

    @functools.wraps(act)
    def in_turn(desk: StandIn, *arguments: Any, **named: Any) -> Any:
        with desk.lock:
            return act(desk, *arguments, **named)

    return cast(Act, in_turn)


class Desk(StandIn):
    """The front desk."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (200.0, 400.0), "events": (50.0, 100.0)}

    def fresh_state(self) -> Fields:
        return {
            "count": 0, "locations": [MAIN], "items": {}, "orders": {}, "movements": {}, "customers": {},
            "conversations": {}, "messages": {}, "interactions": {}, "events": {}, "labels": {}, "parcels": {},
            "payments": {}, "answers": {}, "hooks": [],
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {"token": TOKEN}

    def let_in(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise refusal(401, "not_let_in", "the token is not valid")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        headers = {"Retry-After": f"{max(0.1, wait_seconds):.1f}"} if says_when else {}
        return Reply(429, {"code": "too_many", "message": "slow down"}, headers)

    def broken(self) -> Reply:
        return Reply(500, {"code": "broken", "message": "something is wrong here"})

    def token_expired(self) -> Reply:
        return Reply(401, {"code": "token_expired", "message": "the token has ended"})

    def cursor_expired(self) -> Reply:
        return Reply(410, {"code": "cursor_expired", "message": "ask again"})

    def not_found(self, request: Request) -> Reply:
        return Reply(404, {"code": "no_call", "message": f"there is no {request.method} {request.path}"})

    @route("GET", "/v1/account")
    def account_name(self, request: Request) -> Reply:
        return Reply(200, {"name": f"Practice office {self.account}", "locations": self.state["locations"]})

    @route("POST", "/v1/webhooks")
    def subscribe(self, request: Request) -> Reply:
        url = request.json()["url"]
        known = next((hook for hook in self.state["hooks"] if hook["url"] == url), None)
        if known is None:
            known = {"url": url, "secret": f"practice-office-webhook-secret-{self._next()}"}
            self.state["hooks"].append(known)
            self.effect("subscription", url=url)
        return Reply(200, known)

    # What the rooms use.

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    def _one(self, stream: str, number: str) -> Fields:
        found: Fields | None = self.state[stream].get(number)
        if found is None:
            raise refusal(404, "not_found", f"there is no {number}")
        return found

    def _found(self, stream: str, **facts: Any) -> Fields | None:
        """The first record that fits; an empty fact fits none."""
        for record in self.state[stream].values():
            if all(value not in ("", None) and record.get(name) == value for name, value in facts.items()):
                return cast(Fields, record)
        return None

    def _list(self, request: Request, stream: str) -> Reply:
        """Records in the order of their last change, after the number `after`, changed since the moment `since`."""
        if request.fault is Fault.CURSOR_EXPIRED and request.query.get("after"):
            return self.cursor_expired()
        after, since = int(request.query.get("after") or 0), request.query.get("since", "")
        records = sorted(self.state[stream].values(), key=lambda record: record["changed"])
        begun = [record for record in records if record["changed"] > after and record["changed_at"] >= since]
        page = begun[:PAGE]
        if request.fault is Fault.MISSING_PAGE and page:
            page = page[:-1]
        following = page[-1]["changed"] if page else after
        is_last = len(page) == len(begun) or not page
        if request.fault is Fault.DUPLICATE_PAGE:
            page = [record for record in records if record["changed"] <= after][-1:] + page
        return Reply(200, {stream: page, "next": str(following), "is_last": is_last})

    def _each(self, told: Sequence[Fields], most: int, take: Callable[[Fields], None]) -> Reply:
        """Take each record of a batch for itself; those that are refused are answered with their reasons."""
        if len(told) > most:
            raise refusal(413, "too_many_records", f"at most {most} records are taken at once, not {len(told)}")
        refused = []
        for record in told:
            try:
                take(record)
            except Refused as error:
                refused.append({"key": record["key"], **error.reply.body})
        return Reply(200, {"refused": refused})

    def _once(self, request: Request, act: Callable[[], Reply]) -> Reply:
        """Act once under an Idempotency-Key, and answer alike when it comes again."""
        key = f"{request.path} {request.headers.get('idempotency-key', '')}"
        if key in self.state["answers"]:
            status, body = self.state["answers"][key]
            return Reply(status, json.loads(body))
        reply = act()
        if not key.endswith(" "):
            self.state["answers"][key] = (reply.status, json.dumps(reply.body))
        return reply

    def _changed(self, topic: str, record: Fields, *, brings: bool = False) -> None:
        """Number a change, and tell those who subscribed (`topic` "": nobody), with the record where it `brings` it."""
        record["changed"], record["changed_at"] = self._next(), self.now().isoformat()
        if topic:
            self._call(topic, record["id"], record if brings else None)

    def _call(self, topic: str, number: str, record: Fields | None) -> None:
        event: Fields = {"event": f"E{self._next()}", "topic": topic, "id": number, "at": self.now().isoformat()}
        if record is not None:
            event["record"] = record
        body, seconds = json.dumps(event).encode(), str(int(self.now().timestamp()))
        for hook in self.state["hooks"]:
            signed = hmac.digest(hook["secret"].encode(), f"{seconds}.".encode() + body, "sha256")
            headers = {
                "Content-Type": "application/json", "Office-Time": seconds,
                "Office-Signature": b64encode(signed).decode(),
            }  # fmt: skip
            self.sender.send(Letter(hook["url"], headers, body, topic))
