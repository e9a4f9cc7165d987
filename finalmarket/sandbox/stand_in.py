"""A stand-in of one account on one platform: routes, limits, letting in, faults, webhooks.

A platform's file subclasses StandIn, keeps everything that can change in `self.state`, marks its calls with @route and
says who is let in. Handlers run one at a time.
"""

from __future__ import annotations

import json
import pickle
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from finalmarket.sandbox.faults import READS_ONLY, Fault, Faults
from finalmarket.sandbox.webhooks import Sender
from finalmarket.sandbox.world import Bucket, World

SKEW = timedelta(minutes=7)


@dataclass(slots=True)
class Request:
    """What a client asked, with the fault that it meets."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    queries: dict[str, list[str]] = field(default_factory=dict)
    fault: Fault | None = None
    is_harmed: bool = False  # whether the fault made a difference

    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body or b"null")

    def form(self) -> list[tuple[str, str]]:
        """The fields of a form body, in order."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass(slots=True)
class Reply:
    """What is answered: `body` is written as JSON unless it is bytes; `sabotage` is left to the wire."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    sabotage: Fault | None = None


class Refused(Exception):
    """Raised by a handler to answer with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Route:
    """One call: `bucket` names the limit it counts against, `is_write` says whether it may change something."""

    method: str
    pattern: re.Pattern[str]
    is_write: bool
    bucket: str
    is_open: bool


Handler = Callable[..., Reply]


def route(
    method: str, path: str, *, is_write: bool | None = None, bucket: str = "", is_open: bool = False
) -> Callable[[Handler], Handler]:
    """Answer `method path` by the decorated method; `{name}` in the path becomes an argument. `is_open` calls need no
    credentials (token endpoints)."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")
    writes = method not in ("GET", "HEAD") if is_write is None else is_write

    def mark(handler: Handler) -> Handler:
        handler.route = Route(method, pattern, writes, bucket, is_open)  # type: ignore[attr-defined]
        return handler

    return mark


class StandIn:
    """One account. Platforms override the class attributes and the methods under "A platform says"."""

    slug: ClassVar[str]
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (1000.0, 1000.0)}  # bucket: (per second, at once)

    def __init__(self, world: World, *, account: str = "main", faults: Faults | None = None) -> None:
        self.world = world
        self.account = account
        self.faults = faults or Faults()
        self.sender = Sender(world, self.slug)
        self._skew = timedelta(0)
        self.state: Any = self.fresh_state()
        self.lock = threading.RLock()
        self._older: bytes | None = None
        self._journal_muted = False
        self._buckets = {
            name: Bucket(per_second, capacity, world.clock.now) for name, (per_second, capacity) in self.limits.items()
        }
        self._routes = [
            (handler.route, handler)
            for handler in (getattr(self, name) for name in dir(type(self)) if not name.startswith("__"))
            if hasattr(handler, "route")
        ]
        # A path that is spelled out wins over one with a name in the same place.
        self._routes.sort(key=lambda pair: pair[0].pattern.groups)

    # A platform says:

    def fresh_state(self) -> Any:
        """What the account holds at first; only what is in here can be stale or left unapplied."""
        return {}

    def credentials(self) -> dict[str, str]:
        """The secrets and settings that let a hub in, as its connect form names them."""
        return {}

    def let_in(self, request: Request) -> None:
        """Raise Refused for a request without the right credentials or headers."""

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """The platform's answer to one call too many."""
        headers = {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return Reply(429, {"error": "too many requests"}, headers)

    def broken(self) -> Reply:
        """The platform's answer when something is wrong on its side."""
        return Reply(500, {"error": "internal error"})

    def token_expired(self) -> Reply:
        """The platform's answer to an access token that has ended."""
        return Reply(401, {"error": "invalid token"})

    def cursor_expired(self) -> Reply:
        """The platform's answer to a page token that has ended."""
        return Reply(400, {"error": "invalid cursor"})

    def not_found(self, request: Request) -> Reply:
        """The platform's answer to a path it does not know."""
        return Reply(404, {"error": f"no such call: {request.method} {request.path}"})

    def cost(self, request: Request, found: Route) -> float:
        """What a call costs of its bucket."""
        return 1.0

    def writes(self, request: Request, found: Route) -> bool:
        """Whether a call may change something; for platforms with one path for everything, the request tells."""
        return found.is_write

    # The house does:

    def now(self) -> datetime:
        """The platform's own time."""
        return self.world.clock.now() + self._skew

    def effect(self, name: str, **facts: Any) -> None:
        """Write down that something really changed."""
        if not self._journal_muted:
            self.world.journal.write(self.slug, "effect", name, account=self.account, **facts)

    def effects(self, name: str) -> list[dict[str, Any]]:
        """What really changed under that name, by the journal, in order."""
        entries = self.world.journal.entries(platform=self.slug, what="effect", name=name)
        return [entry.facts for entry in entries if entry.facts.get("account") == self.account]

    def answer(self, request: Request) -> Reply:
        """Answer a request as the platform would, faults included."""
        for found, handler in self._routes:
            match = found.pattern.fullmatch(request.path) if found.method == request.method else None
            if match is not None:
                request.fault = None if found.is_open else self.faults.draw(is_write=self.writes(request, found))
                with self.lock:
                    reply = self._handled(request, found, handler, match.groupdict())
                if request.fault is not None and not request.is_harmed:
                    self.faults.take_back(request.fault)
                    request.fault = None
                self._note(request, reply)
                return reply
        reply = self.not_found(request)
        self._note(request, reply)
        return reply

    def _note(self, request: Request, reply: Reply) -> None:
        self.world.journal.write(
            self.slug, "request", f"{request.method} {request.path}", account=self.account, status=reply.status,
            fault=request.fault.name if request.fault else "",
        )  # fmt: skip

    def _handled(self, request: Request, found: Route, handler: Handler, arguments: dict[str, str]) -> Reply:
        early = self._refused_early(request, found)
        if early is not None:
            return early
        fault = request.fault
        if fault is Fault.NOT_APPLIED:
            return self._unapplied(request, handler, arguments)
        if fault in READS_ONLY:
            return self._misread(request, handler, arguments)
        self._skew = SKEW if fault is Fault.CLOCK_SKEW else timedelta(0)
        try:
            reply = handler(request, **arguments)
            if fault is Fault.CLOCK_SKEW:
                reply.headers["Date"] = self.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        except Refused as refused:
            return refused.reply
        finally:
            self._skew = timedelta(0)
        request.is_harmed = fault not in NEED_A_BODY or reply.body not in (None, b"")
        if fault is Fault.ERROR_AFTER:
            return self.broken()
        if fault in ON_THE_WIRE and request.is_harmed:
            reply.sabotage = fault
        return reply

    def _refused_early(self, request: Request, found: Route) -> Reply | None:
        fault = request.fault
        request.is_harmed = fault in BEFORE_ANYTHING
        if fault is Fault.RESET_BEFORE:
            return Reply(0, sabotage=fault)
        if fault in (Fault.TOO_MANY, Fault.TOO_MANY_WAIT):
            return self.too_many(1.0, says_when=fault is Fault.TOO_MANY_WAIT)
        if fault is Fault.ERROR_BEFORE:
            return self.broken()
        if not found.is_open:
            try:
                self.let_in(request)
            except Refused as refused:
                return refused.reply
        if fault is Fault.TOKEN_EXPIRED:
            request.is_harmed = True
            return self.token_expired()
        bucket = self._buckets.get(found.bucket) or self._buckets.get("")
        wait = bucket.take(self.cost(request, found)) if bucket is not None else 0.0
        if wait:
            return self.too_many(wait, says_when=True)
        return None

    def _unapplied(self, request: Request, handler: Handler, arguments: dict[str, str]) -> Reply:
        """Answer as if, and change nothing."""
        with self._set_aside(_copied(self.state)) as kept:
            reply = _answered(request, handler, arguments)
            request.is_harmed = self.state != kept
            _use_up_numbers(self.state, kept)
        return reply

    def _misread(self, request: Request, handler: Handler, arguments: dict[str, str]) -> Reply:
        """Answer a read wrongly: from the state that `remember` kept, or as the handler sees to. It is harmed where the
        answer is another one than it would be."""
        fault, request.fault = request.fault, None
        left = {name: bucket.left for name, bucket in self._buckets.items()}
        with self._set_aside(_copied(self.state)):
            plain = _answered(request, handler, arguments)
        request.fault = fault
        for name, bucket in self._buckets.items():
            bucket.left = left[name]
        if fault is Fault.STALE_READ:
            older = self.state if self._older is None else pickle.loads(self._older)  # noqa: S301  our own
            with self._set_aside(older):
                reply = _answered(request, handler, arguments)
        else:
            reply = _answered(request, handler, arguments)
        request.is_harmed = (reply.status, reply.body) != (plain.status, plain.body)
        return reply

    @contextmanager
    def _set_aside(self, instead: Any) -> Iterator[Any]:
        """Within it `instead` is the state, and nothing that is done leaves a trace; yields the state proper."""
        kept, self.state = self.state, instead
        self._journal_muted = True
        try:
            with self.sender.muted():
                yield kept
        finally:
            self.state, self._journal_muted = kept, False

    def remember(self) -> None:
        """Keep the present state as the one that stale reads show."""
        with self.lock:
            self._older = pickle.dumps(self.state)


BEFORE_ANYTHING = frozenset({Fault.RESET_BEFORE, Fault.TOO_MANY, Fault.TOO_MANY_WAIT, Fault.ERROR_BEFORE})
ON_THE_WIRE = frozenset({Fault.TIME_OUT, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.MALFORMED, Fault.SLOW_DRIP})
COUNTS = ("count", "number")  # what stand-ins call the number that they gave last
NEED_A_BODY = frozenset({Fault.TRUNCATED, Fault.MALFORMED, Fault.SLOW_DRIP})


def _answered(request: Request, handler: Handler, arguments: dict[str, str]) -> Reply:
    """What the handler answers, refusals included."""
    try:
        return handler(request, **arguments)
    except Refused as refused:
        return refused.reply


def _use_up_numbers(gone: Any, kept: Any) -> None:
    """A platform gives no number twice, not even that of something which it forgot at once."""
    if isinstance(kept, dict):
        kept |= {name: gone[name] for name in COUNTS if isinstance(gone.get(name), int)}


def _copied(state: Any) -> Any:
    return pickle.loads(pickle.dumps(state))  # noqa: S301  our own


def part_of(items: list[Any], start: int, limit: int, fault: Fault | None) -> tuple[list[Any], int | None]:
    """The items of one page from index `start`, and where the next one starts (None: nowhere), under the two faults of
    pages: a duplicate page brings the item before again; a missing page leaves its last item out, for now."""
    page = items[start : start + limit]
    following = start + limit if start + limit < len(items) else None
    if fault is Fault.DUPLICATE_PAGE and start > 0:
        page = items[start - 1 : start + limit - 1]
        following = start + limit - 1 if start + limit - 1 < len(items) else None
    if fault is Fault.MISSING_PAGE:
        page = page[:-1]
    return page, following
