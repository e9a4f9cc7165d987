"""A stage for one connector: its stand-in served over HTTP, the clocks of both standing still, every exchange watched.

Waiting costs nothing: where the connector would have to wait for its budget, both clocks are moved on instead.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import (
    Account,
    Connector,
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsPayments,
)
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Page
from finalmarket.connectors.talk import PullsConversations, PullsInteractions
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.wire import Wire
from finalmarket.sandbox.world import World
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, WatchedTransport
from tests.doses import some_of

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOST_PAGES = 200
MOST_CALLS = 300
Handler = Callable[[httpx2.Request], httpx2.Response]


@dataclass(frozen=True)
class Check:
    """One thing that connectors keep, and the capabilities that it is about."""

    name: str
    needs: tuple[type, ...]
    run: Callable[[Case], None]

    def applies_to(self, connector: type[Connector]) -> bool:
        """Whether the connector declares what the check is about."""
        return all(issubclass(connector, need) for need in self.needs)


CHECKS: list[Check] = []


def check(*needs: type, name: str = "") -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Make a function of a Case one of the suite's checks."""

    def register(run: Callable[[Case], None]) -> Callable[[Case], None]:
        CHECKS.append(Check(name or run.__name__, needs, run))
        return run

    return register


class PassingTime:
    """A budget that moves the clocks on instead of waiting."""

    def __init__(self, world: World, ours: clock.Steered) -> None:
        self._world, self._ours = world, ours

    def take(self, bucket: str, rate: Rate, cost: float) -> None:
        """Let so much time pass that the call is within the rate."""
        self.advance(timedelta(seconds=cost / rate.per_second))

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None:
        """What is learned does not matter: the declared rate is kept."""

    def advance(self, by: timedelta) -> None:
        """Move both clocks on, to the same moment."""
        self._world.clock.advance(by)
        self._ours.set(self._world.clock.now())


class NthCall(Faults):
    """Lets the nth fitting request meet one fault, and no other. One that `waits` counts from `begin` on."""

    def __init__(self, fault: Fault, nth: int, *, writes: bool, waits: bool = False) -> None:
        super().__init__()
        self._fault, self._left, self._writes, self._waits = fault, nth, writes, waits

    def begin(self) -> None:
        """Count from here on."""
        self._waits = False

    def draw(self, *, is_write: bool) -> Fault | None:
        """The fault, when it is the turn of it."""
        if self._waits or is_write is not self._writes:
            return None
        self._left -= 1
        if self._left:
            return None
        self.met += 1
        return self._fault


IS_PROOF = int(os.environ.get("FINALMARKET_FAULTS", "0")) >= 50
"""The faults of one call after the other in every place; a small dose takes turns."""
TRIED_WHOLE = ("fake", "practice_office")
"""On these the suite itself is tried: a connector that breaks the contract has to be found out."""


def in_this_dose(faults: Sequence[Fault], case: Case, what: str) -> list[Fault]:
    """The faults that this connector meets in what is tried: all in the proof, else every fifth."""
    slug = case.stand_in.slug
    return list(faults) if IS_PROOF or slug in TRIED_WHOLE else some_of(faults, f"{slug} {what}", one_in=5)


@dataclass
class Stage:
    """One connector and its platform."""

    case: Case
    world: World
    stand_in: Any
    address: str
    connector: Any
    watched: WatchedTransport
    time: PassingTime

    def with_account(self, account: Account) -> Any:
        """The connector again, for another account."""
        return self.case.connector(account, budget=self.time, transport=self.watched)

    def effects(self) -> Counter[str]:
        """What really changed on the platform, counted by name."""
        return Counter(entry.name for entry in self.world.journal.entries(what="effect"))


@cache
def _wire() -> Wire:
    """One server for all stages of this process; it goes with it."""
    wire = Wire(most_seconds_silent=0.02)
    wire.start()
    return wire


@contextmanager
def staged(case: Case, *, faults: Faults | None = None) -> Iterator[Stage]:
    """A stage; at its end, nothing that was sent or answered may be against the published description."""
    world = World()
    world.clock.stand_still(START)
    stand_in = case.stand_in(world, faults=faults)
    address = _wire().add(stand_in)
    with clock.steered(START) as ours:
        time = PassingTime(world, ours)
        watched = WatchedTransport(
            described(case), strip=address, ignore=case.ignore, answers_may_break=faults is not None
        )
        connector = case.connector(case.account(address), budget=time, transport=watched)
        try:
            yield Stage(case, world, stand_in, address, connector, watched, time)
        finally:
            connector.close()
            watched.close()
            stand_in.sender.stop()
    assert watched.faults == [], "\n".join(watched.faults)


def described(case: Case) -> Description | None:
    """The published description; None where there is none, or none at hand (which one check says loudly)."""
    try:
        return _read_once(case.describe) if case.describe else None
    except pytest.skip.Exception:
        return None


@cache
def _read_once(describe: Callable[[], Description]) -> Description:
    """A description remembers nothing of what it judges: one serves all stages of this process."""
    return describe()


def on_a_double(case: Case, answer: Handler, *, account: Account | None = None) -> Any:
    """The connector on a wire that answers everything by `answer`, except for tokens, which are always given."""
    asked = Counter[str]()

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked["calls"] += 1
        assert asked["calls"] < MOST_CALLS, "the connector calls on and on"
        if request.method == "POST" and any(_fits(pattern, request.url.path) for pattern in case.ignore):
            return httpx2.Response(
                200, json={"access_token": "a-new-token", "token_type": "bearer", "expires_in": 3600}
            )
        return answer(request)

    chosen = account or case.account(DOUBLE)
    return case.connector(chosen, transport=httpx2.MockTransport(handle))


DOUBLE = "http://platform.invalid/double/main"


def _fits(pattern: str, path: str) -> bool:
    return re.match(pattern, path.removeprefix("/double/main")) is not None


def always(status: int, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Handler:
    """Answer everything the same."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return lambda request: httpx2.Response(status, headers=told, content=body)


def failing(error: type[httpx2.TransportError]) -> Handler:
    """Fail on everything the same."""

    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error("the wire broke", request=request)

    return fail


def needed(thing: Any, what: str) -> Any:
    """Something that a case has to hold, because its connector declares what it is for."""
    assert thing is not None, f"the case leaves out `{what}`, which the connector's class statement asks for"
    return thing


def another_name(name: str) -> str:
    """A name of the same making that the platform has given to nothing: the last digits are nines; "" for ""."""
    other = name[:-6] + re.sub(r"\d", "9", name[-6:])
    return other if other != name else name[:-1] + chr(ord(name[-1]) ^ 1) if name else ""


# What comes in.


@dataclass(frozen=True)
class Stream:
    """One kind of records that come in page by page."""

    name: str
    capability: type
    pull: str
    is_changing: bool  # whether a later pull from the last cursor brings what is new

    def seed(self, stage: Stage, count: int) -> list[str]:
        """Put records there; their ids."""
        sow = needed(getattr(stage.case, f"seed_{self.name}"), f"seed_{self.name}")
        sown = [getattr(each, "key", each) for each in sow(stage.stand_in, count)]
        assert len(set(sown)) == count, f"seed_{self.name}(..., {count}) is to make {count} different ones"
        return sown

    def seed_pages(self, stage: Stage) -> list[str]:
        """Put two pages and a bit there; their ids."""
        size = needed(stage.case.page_sizes.get(self.name), f"page_sizes[{self.name!r}]")
        return self.seed(stage, 2 * size + 2)

    def pages(self, connector: Any, cursor: str = "", since: datetime | None = None) -> Iterator[Page[Any]]:
        """Pull, page by page."""
        verb = getattr(connector, self.pull)
        pages = verb(cursor) if self.capability is PullsListings else verb(cursor, since)
        for number, page in enumerate(pages):
            assert number < MOST_PAGES, f"{self.pull} goes on and on"
            yield page

    def ids(self, pages: Sequence[Page[Any]] | Iterator[Page[Any]]) -> list[str]:
        """The ids on these pages, each once, in the order they came first."""
        records = [record for page in pages for record in page.records]
        named = [record.ref.key if self.capability is PullsListings else record.external_id for record in records]
        return list(dict.fromkeys(named))


TALK = (
    Stream("conversations", PullsConversations, "pull_conversations", True),
    Stream("interactions", PullsInteractions, "pull_interactions", True),
)
STREAMS = (
    Stream("orders", PullsOrders, "pull_orders", True),
    Stream("customers", PullsCustomers, "pull_customers", True),
    Stream("payments", PullsPayments, "pull_payments", True),
    Stream("listings", PullsListings, "pull_listings", False),
    *TALK,
)


def check_each_stream(run: Callable[..., None]) -> Callable[..., None]:
    """Make a function of a Case and a Stream a check of every stream."""
    return check_streams(*STREAMS)(run)


def check_streams(*streams: Stream) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function of a Case and a Stream a check of these streams."""

    def register(run: Callable[..., None]) -> Callable[..., None]:
        for stream in streams:
            CHECKS.append(Check(f"{run.__name__}-{stream.name}", (stream.capability,), partial(run, stream=stream)))
        return run

    return register


def changed(account: Account, **secrets: str) -> Account:
    """The account with other secrets."""
    return replace(account, secrets={**account.secrets, **secrets})
