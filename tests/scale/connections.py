"""Callers grow: reservations over HTTP by one connection up to as many as the dose says, each asking again as soon as
it is answered.

The house is served as `finalmarket serve` does; beside it an address of the same server that does nothing, and a server
of a few lines that does nothing either, on the same loopback address.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from finalmarket.access import keys
from finalmarket.bench.api import NOTHING, NOTHING_WORDS, RESERVE, SETTINGS
from finalmarket.bench.api_load import Asked, Make, ask, request
from finalmarket.bench.ingest_house import House
from finalmarket.bench.market import Market, lay_out
from finalmarket.bench.scratch import scratch_database
from finalmarket.cli.migrate import apply_migrations
from finalmarket.stock.check import differences
from finalmarket.stock.models import Reservation
from tests.scale import limits
from tests.scale.curve import Plot, Point, Series

SKUS = 10_000
SECONDS, RUNS = 3.0, 3
KEYS = 64
"""A key alone may not call as fast as is measured."""
Say = Callable[[str], None]


@dataclass
class _Found:
    """What was measured at each number of connections, by the name of what was asked for."""

    rates: dict[str, list[Point]] = field(default_factory=dict)
    waits: dict[str, list[Point]] = field(default_factory=dict)

    def add(self, name: str, connections: int, asked: Sequence[Asked]) -> None:
        """Write down what came of the runs."""
        self.rates.setdefault(name, []).append(Point(connections, [one.per_second for one in asked]))
        self.waits.setdefault(name, []).append(Point(connections, [one.percentile_ms(99) for one in asked]))


def measure(dose: int, data: Path, say: Say) -> list[Plot]:
    """Serve the house and call it. Raises RuntimeError where an answer is another than expected, a reservation is not
    there, or the books do not agree."""
    sizes = [size for size in (1, 10, 100, 1_000) if size <= dose]
    found, writes = _Found(), []
    with scratch_database(lambda: apply_migrations(verbosity=0)) as database:
        say(f"laying out {SKUS:,} SKUs")
        callers = _Callers(lay_out(SKUS))
        house = House(database, max(sizes), settings=SETTINGS)
        house.open()
        try:
            for size in sizes:
                say(f"{size:,} connections")
                _measure(found, callers, house.port, size)
                writes.append(Point(size, [limits.safe_writes_per_second(data, 0.5) for _ in range(RUNS)]))
        finally:
            house.close()
        _prove(callers)
    return _plots(found, writes)


class _Callers:
    """Programs that reserve, each time under a new Idempotency-Key."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.keys = [
            keys.create("scale", ["stock:write"], calls_per_minute=keys.MOST_CALLS_PER_MINUTE)[1] for _ in range(KEYS)
        ]
        self.turns = count()
        self.granted = 0

    def reserving(self, connections: int, variants: Sequence[int]) -> list[Make]:
        """So many connections that each reserve units of one of these."""
        turn = next(self.turns)
        return [self._reserving(f"scale-{turn}-{number}", number, variants) for number in range(connections)]

    def _reserving(self, name: str, number: int, variants: Sequence[int]) -> Make:
        channel, key = self.market.channels[number % len(self.market.channels)], self.keys[number % KEYS]
        dice, visits = random.Random(number), count()

        def make() -> bytes:
            return request("POST", RESERVE, key, _wish(channel, dice.choice(variants)), f"{name}-{next(visits):08}")

        return make

    def doing_nothing(self, connections: int) -> list[Make]:
        """So many that send as much to an address that does nothing."""
        body = _wish(self.market.channels[0], self.market.variants[0])
        told = request("POST", NOTHING, self.keys[0], body, "scale-0-0-00000000")
        return [lambda: told] * connections


def _wish(channel: int, variant: int) -> bytes:
    return json.dumps({"channel": channel, "lines": [{"variant": variant, "quantity": 1}]}).encode()


def _measure(found: _Found, callers: _Callers, port: int, size: int) -> None:
    hot, spread = callers.market.variants[:1], callers.market.variants
    for name, variants in (("one SKU", hot), ("10,000 SKUs", spread)):
        runs = [_ask(port, callers.reserving(size, variants), 201) for _ in range(RUNS)]
        callers.granted += sum(len(one.waits) for one in runs)
        found.add(name, size, runs)
    found.add("nothing, by our server", size, [_ask(port, callers.doing_nothing(size), 200) for _ in range(RUNS)])
    with limits.nothing_server() as empty:
        found.add("nothing at all", size, [_ask(empty, callers.doing_nothing(size), 200) for _ in range(RUNS)])


def _ask(port: int, makers: Sequence[Make], status: int) -> Asked:
    told = ask(port, makers, SECONDS)
    if set(told.statuses) != {status}:
        raise RuntimeError(f"{dict(told.statuses)} was answered, where {status} was expected")
    return told


def _prove(callers: _Callers) -> None:
    there = Reservation.objects.count()
    if there != callers.granted:
        raise RuntimeError(f"{callers.granted} reservations were answered and {there} are there")
    if wrong := differences():
        raise RuntimeError(f"the stock differs from its ledger: {wrong[0]}")


def _plots(found: _Found, writes: Sequence[Point]) -> list[Plot]:
    def series(of: dict[str, list[Point]]) -> list[Series]:
        return [Series(name, points, name.startswith("nothing")) for name, points in of.items()]

    says = f"Beside it {NOTHING_WORDS}, and a bare server that does nothing."
    return [
        Plot("connections_rate", "Reservations a second over HTTP", says, "connections", "answers/s",
             [*series(found.rates), Series("safe writes/s", writes, True)]),
        Plot("connections_wait", "How long the slowest hundredth waits", says, "connections", "ms, 99th percentile",
             series(found.waits)),
    ]  # fmt: skip
