"""What the account on Square holds, and the forms that all its answers share."""

from __future__ import annotations

import hmac
import json
from base64 import b32encode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of
from finalmarket.sandbox.webhooks import Letter

Raw = dict[str, Any]
CURRENCY = "EUR"
COUNTRY = "IE"
TAX = Decimal("0.23")  # included in every price
CURSOR_LIVES = timedelta(hours=1)
MOST_ANSWERS = 5_000  # that are kept under idempotency keys
MOST_LETTERS = 128  # of an idempotency key


@dataclass
class Count:
    """What is in stock of one variation at one location: the last physical count, and what moved since."""

    counted: int = 0
    at: str = ""
    moves: list[tuple[str, int]] = field(default_factory=list)
    changed_at: str = ""

    @property
    def units(self) -> int:
        """The units in stock."""
        return self.counted + sum(delta for _, delta in self.moves)

    def count(self, units: int, at: str) -> None:
        """Somebody counted, and saw all that moved until then. A count older than the last one changes nothing."""
        if at >= self.at:
            self.counted, self.at = units, at
            self.moves = [move for move in self.moves if move[0] > at]

    def move(self, delta: int, at: str) -> None:
        """Units came or went."""
        self.moves.append((at, delta))


@dataclass
class Books:
    """Everything that can change."""

    number: int = 0
    catalogue_version: int = 1
    catalogue_changed_at: str = ""
    locations: dict[str, Raw] = field(default_factory=dict)
    items: dict[str, Raw] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # item by variation
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)  # by variation and location
    changes: list[Raw] = field(default_factory=list)
    orders: dict[str, Raw] = field(default_factory=dict)
    payments: dict[str, Raw] = field(default_factory=dict)
    refunds: dict[str, Raw] = field(default_factory=dict)
    customers: dict[str, Raw] = field(default_factory=dict)
    subscriptions: dict[str, Raw] = field(default_factory=dict)
    tokens: dict[str, Raw] = field(default_factory=dict)  # access tokens: when they end, whose they are
    refreshing: dict[str, Raw] = field(default_factory=dict)
    codes: dict[str, Raw] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # by call and idempotency key


def stamp(at: datetime) -> str:
    """A moment as Square writes it, to the millisecond."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def read_moment(text: Any, where: str) -> str:
    """A moment of a request, as a stamp. Raises Refused."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise refusal(400, "INVALID_TIME", f"{text} is no RFC 3339 moment", where) from None
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def euros(cents: int) -> Raw:
    """An amount of money."""
    return {"amount": cents, "currency": CURRENCY}


def cents(price: Decimal) -> int:
    """An amount in cents; raises ValueError where digits would be lost."""
    whole = int(price * 100)
    if price * 100 != whole:
        raise ValueError(f"{price} is finer than a cent")
    return whole


def tax_in(amount: int) -> int:
    """The tax that is included in an amount of cents."""
    return int((amount * TAX / (1 + TAX)).to_integral_value())


CATEGORIES = {401: "AUTHENTICATION_ERROR", 403: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR", 500: "API_ERROR"}


def error(status: int, code: str, words: str, where: str = "", category: str = "") -> Raw:
    """An error as Square writes it."""
    told = {"category": category or CATEGORIES.get(status, "INVALID_REQUEST_ERROR"), "code": code, "detail": words}
    return {**told, "field": where} if where else told


def refusal(status: int, code: str, words: str, where: str = "", category: str = "") -> Refused:
    """A refused call."""
    return Refused(Reply(status, {"errors": [error(status, code, words, where, category)]}))


def wanted(body: Raw, name: str) -> Any:
    """A field that a request must have. Raises Refused."""
    if body.get(name) in (None, "", [], {}):
        raise refusal(400, "MISSING_REQUIRED_PARAMETER", f"{name} is missing", name)
    return body[name]


class Counter(StandIn):
    """What all parts of the account lean on: ids, request bodies, idempotency keys, pages, calls to those who
    subscribed."""

    state: Books
    merchant_id = "MLSANDBOX0001"

    def stamped(self) -> str:
        """The present moment."""
        return stamp(self.now())

    def new_id(self) -> str:
        """An id as Square's look."""
        self.state.number += 1
        hashed = sha256(f"{self.account}/{self.state.number}".encode()).digest()
        return b32encode(hashed)[:22].decode()

    def body(self, request: Request) -> Raw:
        """The fields of a request. Raises Refused."""
        try:
            told = request.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise refusal(400, "EXPECTED_JSON_BODY", "the body is no JSON object")
        return told

    def once(self, request: Request, act: Callable[[Raw], Reply], *, most_letters: int = MOST_LETTERS) -> Reply:
        """Act once under an idempotency key: the same key and body get the same answer, another body is refused."""
        body = self.body(request)
        key = wanted(body, "idempotency_key")
        if len(key) > most_letters:
            raise refusal(400, "VALUE_TOO_LONG", f"a key has at most {most_letters} letters", "idempotency_key")
        digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        name = f"{request.method} {request.path} {key}"
        if name in self.state.answers:
            known, status, answer = self.state.answers[name]
            if known != digest:
                raise refusal(400, "IDEMPOTENCY_KEY_REUSED", "the key was used for another request", "idempotency_key")
            return Reply(status, json.loads(answer))
        reply = act(body)
        self.state.answers[name] = (digest, reply.status, json.dumps(reply.body))
        while len(self.state.answers) > MOST_ANSWERS:
            del self.state.answers[next(iter(self.state.answers))]
        return reply

    def page_of(
        self, request: Request, query: Any, things: Iterable[tuple[list[Any], Raw]], cursor: str, limit: int
    ) -> tuple[list[Raw], Raw]:
        """The things of one page and the cursor after it, in the order of their keys. A cursor goes with its query, and
        lives for an hour."""
        if cursor and request.fault is Fault.CURSOR_EXPIRED:
            raise Refused(self.cursor_expired())
        sorted_things = sorted(things, key=lambda pair: pair[0])
        mark = sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:12]
        after = self._after(cursor, mark) if cursor else None
        keys = [key for key, _ in sorted_things]
        start = sum(key <= after for key in keys) if after is not None else 0
        page, following = part_of(sorted_things, start, limit, request.fault)
        page = page or sorted_things[start : start + limit]
        told: Raw = {}
        if following is not None and page:
            named = json.dumps([mark, self.stamped(), page[-1][0]])
            told["cursor"] = urlsafe_b64encode(named.encode()).decode()
        return [thing for _, thing in page], told

    def _after(self, cursor: str, mark: str) -> list[Any]:
        try:
            named, made_at, key = json.loads(urlsafe_b64decode(cursor.encode()))
        except ValueError:
            raise Refused(self.cursor_expired()) from None
        if named != mark or made_at < stamp(self.now() - CURSOR_LIVES):
            raise Refused(self.cursor_expired())
        return list(key)

    def cursor_expired(self) -> Reply:
        """A cursor that is not good any more."""
        return Reply(400, {"errors": [error(400, "INVALID_CURSOR", "the cursor is not valid", "cursor")]})

    def announce(self, topic: str, kind: str, name: str, about: Raw) -> None:
        """Tell those who subscribed."""
        event = {
            "merchant_id": self.merchant_id, "type": topic, "event_id": self.new_id(), "created_at": self.stamped(),
            "data": {"type": kind, "id": name, "object": about},
        }  # fmt: skip
        body = json.dumps(event).encode()
        for hook in self.state.subscriptions.values():
            if hook["enabled"] and topic in hook["event_types"]:
                self.sender.send(letter(hook["notification_url"], hook["signature_key"], body, topic))


def letter(url: str, key: str, body: bytes, topic: str) -> Letter:
    """A delivery, signed over the address and the body."""
    signed = b64encode(hmac.digest(key.encode(), url.encode() + body, "sha256")).decode()
    return Letter(url, {"Content-Type": "application/json", "X-Square-HmacSha256-Signature": signed}, body, topic)
