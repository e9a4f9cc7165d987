"""The machine that the house believes to run on: its clock, its wire, its power. One thread, and every choice from one
seed.

- **Time** stands still until it is moved on: the clocks of the database (database.py), the house and the platforms.
- **The wire** ends in stand-ins of platforms in this very process: `httpx2.HTTPTransport` is the seam, so that all of a
  connector runs, its client, limits, errors and retries. Platforms can be down, and misbehave (sandbox/faults.py).
- **Other workers** get their turn at every named failpoint of the house at which no transaction is open, and while a
  platform is asked: there another worker, shopper or clerk may act, on the same thread. That is what concurrency means
  here, and it is the same in every run of a seed.
- **Power** can fail at every failpoint: what was committed stays, all else is gone, no `finally` can write any more.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import httpx2
import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone

from finalmarket.integrations import budget, lanes, pull, push
from finalmarket.kernel import clock, failpoints, randomness
from finalmarket.kernel.sql import open_connection
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Reply, Request, StandIn
from finalmarket.sandbox.webhooks import Letter, Sender
from finalmarket.sandbox.world import World

BEGIN = datetime.fromisoformat("2026-03-01T06:00:00+00:00")
SILENCE_SECONDS = 30.0
HOST = "http://127.0.0.1:9"  # nobody listens there, and nobody is asked
NOT_TRACED = ("budget.", "breaker.", "jobs.", "accounts.", "runs.")


class PowerCut(BaseException):
    """The worker stops here, as by a power cut."""


class Mailbox(Sender):
    """What a platform wrote to us, on its way."""

    def __init__(self, world: World, slug: str) -> None:
        super().__init__(world, slug)
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        """Put it with the others."""
        if not self._is_muted:
            self.letters.append(letter)


class Machine:
    """One run's clock, wire, power and trace."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.world = World(seed)
        self.world.clock.stand_still(BEGIN)
        self.platforms: dict[str, StandIn] = {}
        self.down: set[str] = set()
        self.locked_out: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.otherwise: Callable[[], None] | None = None  # what others do while somebody waits
        self.share_of_turns = 0.0
        self.cut_at: tuple[str, int] | None = None
        self.depth = 0
        self._is_dead = False
        self._is_untold, self._is_at_work = True, False
        self._digest = hashlib.sha256()
        self.lines: list[str] = []
        self.keeps_lines = False
        self._lanes = _Lanes(self)
        self._steered = clock.Steered(BEGIN)

    # Trace.

    def note(self, *words: object) -> None:
        """One line of the trace; the same seed gives the same lines, to the byte."""
        line = f"{self.now().isoformat()} {'  ' * self.depth}{' '.join(map(str, words))}"
        self._digest.update(line.encode() + b"\n")
        if self.keeps_lines:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """What the whole trace comes to."""
        return self._digest.hexdigest()

    # Time.

    def now(self) -> datetime:
        """The moment on all clocks."""
        return self.world.clock.now()

    def pass_time(self, seconds: float) -> None:
        """Move all clocks on."""
        by = timedelta(seconds=seconds)
        self.world.clock.advance(by)
        self._steered.advance(by)
        self._is_untold = True
        if self._is_at_work:
            self.tell_time()

    def tell_time(self) -> None:
        """Tell the database what time it is, if it does not know."""
        if self._is_untold and not self._is_dead and connection.connection is not None:
            self._is_untold = False
            connection.connection.execute("SELECT set_config('virtual.now', %s, false)", [self.now().isoformat()])

    # The wire.

    def add(self, there: StandIn) -> str:
        """Put a platform on the wire; its address."""
        there.sender = Mailbox(self.world, there.slug)
        self.platforms[f"/{there.slug}/{there.account}"] = there
        return f"{HOST}/{there.slug}/{there.account}"

    def call(self, transport: Any, request: httpx2.Request) -> httpx2.Response:
        """Answer as the platform does, by way of what may happen on the wire."""
        if self._is_dead:
            raise PowerCut
        slug, account, path = request.url.path.lstrip("/").split("/", 2)
        there = self.platforms[f"/{slug}/{account}"]
        body = request.read()
        self.give_turns("wire")
        if there.account in self.down:
            self.counts["calls to a platform that is down"] += 1
            self.note("wire", account, request.method, path, "is down")
            raise httpx2.ConnectError("nobody answers", request=request)
        queries = parse_qs(request.url.query.decode(), keep_blank_values=True)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, f"/{path}", {k: v[-1] for k, v in queries.items()}, headers, body, queries)
        reply = there.token_expired() if there.account in self.locked_out else there.answer(asked)
        words = asked.fault.name if asked.fault else "fine"
        self.counts["calls"] += 1
        self.counts["faults"] += words != "fine"
        self.note("wire", account, request.method, path, hashlib.sha256(body).hexdigest()[:8], reply.status, words)
        return self._sent(request, reply)

    def _sent(self, request: httpx2.Request, reply: Reply) -> httpx2.Response:
        fault = reply.sabotage
        if fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
            raise httpx2.ReadError("the connection was reset", request=request)
        if fault is Fault.TIME_OUT:
            self.pass_time(SILENCE_SECONDS)
            raise httpx2.ReadTimeout("no answer in time", request=request)
        if fault is Fault.TRUNCATED:
            raise httpx2.RemoteProtocolError("the answer broke off", request=request)
        body = reply.body if isinstance(reply.body, bytes) else _json(reply.body)
        if fault is Fault.SLOW_DRIP:
            self.pass_time(70.0)
        if fault is Fault.MALFORMED:
            body = b'{"oops": ' + body[: len(body) // 2] + b"<html>"
        headers = {"Content-Type": "application/json", **reply.headers}
        return httpx2.Response(reply.status, headers=headers, content=body, request=request)

    # Turns, and power.

    def point(self, name: str) -> None:
        """A failpoint of the house was passed: power may fail here, and others may have their turn."""
        if self._is_dead:
            raise PowerCut
        if not name.startswith(NOT_TRACED):
            self.note("at", name)
        if self.cut_at is not None and self._is_the_moment(name):
            self.cut_at = None
            self.counts["power cuts"] += 1
            self.note("power is cut at", name)
            self._cut()
        self.give_turns(name)

    def _is_the_moment(self, name: str) -> bool:
        room, left = self.cut_at or ("", 0)
        if not name.startswith(room):
            return False
        self.cut_at = (room, left - 1)
        return left <= 1

    def give_turns(self, name: str) -> None:
        """Let others act here, where nobody's transaction is open."""
        if self.otherwise is None or self.depth >= 2 or connection.in_atomic_block:
            return
        if self.dice.random() < self.share_of_turns:
            self.counts["turns of others"] += 1
            self.depth += 1
            try:
                self.otherwise()
            finally:
                self.depth -= 1

    def _cut(self) -> None:
        self._is_dead = True
        self._lanes.cut(self.depth)
        if connection.connection is not None:
            connection.connection.close()
        raise PowerCut

    @contextmanager
    def process(self) -> Iterator[None]:
        """Within it a process of ours runs; when power is cut, it is gone, and the world goes on."""
        self._is_at_work = True
        self.tell_time()
        try:
            yield
        except PowerCut:
            connection.close()
            self._is_dead = False
            self._lanes.bury()
            connection.ensure_connection()
        finally:
            self._is_at_work = self.depth > 0

    @property
    def is_dead(self) -> bool:
        """Whether the process that runs has lost its power."""
        return self._is_dead

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within it the house runs on this machine."""
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            self._steered = stack.enter_context(clock.steered(BEGIN))
            stack.enter_context(randomness.seeded(self.seed))
            patch.setattr(
                httpx2.HTTPTransport, "handle_request", lambda transport, request: self.call(transport, request)
            )
            patch.setattr(failpoints, "hit", self.point)
            patch.setattr(timezone, "now", clock.now)
            patch.setattr(lanes, "open_connection", self._lanes.open)
            patch.setattr(push, "time", SimpleNamespace(monotonic=clock.ticks))
            for patient in (budget.SharedBudget.__init__, pull.catch_up_orders):
                patch.setitem(patient.__kwdefaults__ or {}, "pause", self.pass_time)
            kind = type(connections["default"])
            whole = kind.connect
            patch.setattr(kind, "connect", lambda one: self._connected(one, whole))
            connection.ensure_connection()
            self.tell_time()
            yield
            self._lanes.close()

    def _connected(self, one: Any, connect: Callable[[Any], None]) -> None:
        if self._is_dead:
            raise PowerCut
        connect(one)
        self._is_untold = True
        self.tell_time()


class _Lanes:
    """Sessions for lanes: opened once and lent again. Each is a session of the database with locks of its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._free: list[psycopg.Connection[tuple[Any, ...]]] = []
        self._lent: list[_Session] = []

    def open(self) -> _Session:
        if self._machine.is_dead:
            raise PowerCut
        session = _Session(self, self._free.pop() if self._free else open_connection(), self._machine.depth)
        self._lent.append(session)
        return session

    def give_back(self, session: _Session) -> None:
        if session in self._lent:
            self._lent.remove(session)
            session.real.execute("SELECT pg_advisory_unlock_all()")
            self._free.append(session.real)

    def cut(self, depth: int) -> None:
        for session in [one for one in self._lent if one.depth >= depth]:
            session.is_cut = True

    def bury(self) -> None:
        for session in [one for one in self._lent if one.is_cut]:
            self.give_back(session)

    def close(self) -> None:
        for one in self._free:
            one.close()
        self._free.clear()


class _Session:
    def __init__(self, lanes: _Lanes, real: psycopg.Connection[tuple[Any, ...]], depth: int) -> None:
        self._lanes, self.real, self.depth, self.is_cut = lanes, real, depth, False

    def execute(self, query: Any, values: Any = None) -> Any:
        if self.is_cut:
            raise psycopg.OperationalError("power is cut")
        return self.real.execute(query, values)

    def close(self) -> None:
        if not self.is_cut:
            self._lanes.give_back(self)


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body, ensure_ascii=False, default=str).encode()
