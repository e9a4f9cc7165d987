"""`finalmarket bench api`: the REST API over HTTP, as `finalmarket serve` starts it, with those who call on the same
machine.

Reservations of one hot SKU, and of ten thousand, beside an address of the same server that does nothing, in the same
run; then lists, one call after the other, over as many orders as `orders` says. Every reservation that was answered is
there afterwards, and the stock agrees with its ledger, or there is no figure.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from django.db import connections

from finalmarket.access import keys
from finalmarket.bench.api_load import Asked, Make, ask, request
from finalmarket.bench.ingest_house import THREADS, House
from finalmarket.bench.market import Market, lay_out
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.sql import Queries
from finalmarket.stock.check import differences
from finalmarket.stock.models import Reservation

STEPS = Queries(Path(__file__).with_name("api.sql"))
ORDERS = 1_000_000
ORDERS_A_STATEMENT = 250_000
ORDERS_A_CUSTOMER = 5
SKUS = 10_000
CALLERS = 32
WARM_UP_SECONDS = 1.0
SETTINGS = {"DJANGO_SETTINGS_MODULE": "finalmarket.config.bench_settings"}
NOTHING, NOTHING_FIRST, RESERVE = "/bench/nothing", "/bench/nothing-first", "/api/v1/stock/reservations"
NOTHING_WORDS = "an address of the same server that does nothing"
FIRST_WORDS = "one that does nothing and is answered before all middleware"
LISTS = {
    "orders_list": "/api/v1/orders",
    "orders_of_channel": "/api/v1/orders?channel={channel}&state=open",
    "orders_of_customer": "/api/v1/orders?customer={customer}",
    "orders_of_variant": "/api/v1/orders?variant={variant}",
    "order_by_number": "/api/v1/orders?number=B-{number}",
    "orders_deep": "/api/v1/orders?until=2025-02-01T00:00:00Z",
    "levels_list": "/api/v1/stock/levels",
    "listings_list": "/api/v1/listings?channel={channel}",
}
"""Lists by the name of their figure; each call is about another channel, customer, variant and order."""


@dataclass
class Runs:
    """What the runs measured, in order."""

    nothing: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    hot: list[float] = field(default_factory=list)
    hot_p99_ms: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    lists: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in LISTS})


class _Callers:
    """Programs with a key each: a key alone may not call as fast as is measured."""

    def __init__(self, market: Market, seed: int) -> None:
        self.market = market
        self.chance = random.Random(seed)  # noqa: S311  no secret
        scopes = ["stock:read", "stock:write", "orders:read", "listings:read"]
        self.keys = [
            keys.create("bench", scopes, calls_per_minute=keys.MOST_CALLS_PER_MINUTE)[1] for _ in range(CALLERS)
        ]
        self.serial: Iterator[int] = count()

    def doing_nothing(self, path: str) -> list[Make]:
        """Those who send a body of the same size as the others to an address that does nothing."""
        body = _wish(self.market.channels[0], self.market.variants[0])
        return [_always(request("POST", path, key, body, "nothing-0000000000")) for key in self.keys]

    def reserving(self, variants: Sequence[int]) -> list[Make]:
        """Those who reserve a unit of one of these, each time under a new Idempotency-Key."""
        return [self._reserving(number, key, variants) for number, key in enumerate(self.keys)]

    def _reserving(self, number: int, key: str, variants: Sequence[int]) -> Make:
        channel = self.market.channels[number % len(self.market.channels)]
        chance, turn = random.Random(number), next(self.serial)  # noqa: S311  no secret
        visits = count()

        def make() -> bytes:
            body = _wish(channel, variants[0] if len(variants) == 1 else chance.choice(variants))
            return request("POST", RESERVE, key, body, f"bench-{turn}-{next(visits)}")

        return make

    def listing(self, path: str, orders: int, customers: tuple[int, int]) -> list[Make]:
        """One who reads a list, about something else each time."""

        def make() -> bytes:
            words = {
                "channel": self.chance.choice(self.market.channels), "customer": self.chance.randint(*customers),
                "variant": self.chance.choice(self.market.variants), "number": self.chance.randint(1, orders),
            }  # fmt: skip
            return request("GET", path.format(**words), self.keys[0])

        return [make]


def measure(
    database: str, pace: Pace, say: Callable[[str], None], *, orders: int = ORDERS, skus: int = SKUS,
    threads: int = THREADS,
) -> list[Figure]:  # fmt: skip
    """Run the bench in the scratch database `database`; `say` hears of its progress. A million orders take about two
    minutes to fill in."""
    say(f"laying out {skus:,} SKUs on 8 channels")
    market = lay_out(skus)
    callers = _Callers(market, pace.seed)
    customers = _fill(orders, skus, say)
    with _open(database, threads) as port:
        runs, held = Runs(), 0
        for number in range(pace.runs):
            say(f"run {number + 1} of {pace.runs}")
            held += _run(runs, port, callers, market.variants[number], pace.seconds)
            for name, path in LISTS.items():
                told = _ask(port, callers.listing(path, orders, customers), pace.seconds / 2, 200)
                runs.lists[name].append(told.percentile_ms(95))
    say("proving that the books agree")
    if Reservation.objects.count() != held:
        raise RuntimeError(f"{held} reservations were answered and {Reservation.objects.count()} are there")
    if found := differences():
        raise RuntimeError(f"after the bench the stock differs from its ledger: {found[0]}")
    return _figures(runs, orders)


@contextmanager
def _open(database: str, threads: int) -> Iterator[int]:
    """Within it the house answers on a port, so many requests at once."""
    house = House(database, CALLERS, settings=SETTINGS, threads=threads)
    house.open()
    try:
        yield house.port
    finally:
        house.close()


def _run(runs: Runs, port: int, callers: _Callers, hot: int, seconds: float) -> int:
    """Measure once; return how many reservations were granted."""
    runs.nothing.append(_ask(port, callers.doing_nothing(NOTHING), seconds, 200).per_second)
    runs.first.append(_ask(port, callers.doing_nothing(NOTHING_FIRST), seconds, 200).per_second)
    warm = _ask(port, callers.reserving([hot]), WARM_UP_SECONDS, 201)
    one_sku = _ask(port, callers.reserving([hot]), seconds, 201)
    all_skus = _ask(port, callers.reserving(callers.market.variants), seconds, 201)
    runs.hot.append(one_sku.per_second)
    runs.hot_p99_ms.append(one_sku.percentile_ms(99))
    runs.spread.append(all_skus.per_second)
    return len(warm.waits) + len(one_sku.waits) + len(all_skus.waits)


def _ask(port: int, makers: Sequence[Make], seconds: float, status: int) -> Asked:
    told = ask(port, makers, seconds)
    if set(told.statuses) != {status}:
        raise RuntimeError(f"the house answered with {dict(told.statuses)} where {status} was expected")
    return told


def _wish(channel: int, variant: int) -> bytes:
    return json.dumps({"channel": channel, "lines": [{"variant": variant, "quantity": 1}]}).encode()


def _always(told: bytes) -> Make:
    return lambda: told


def _fill(orders: int, skus: int, say: Callable[[str], None]) -> tuple[int, int]:
    """Fill in orders of a year, set-based; return the first and the last number of their customers."""
    sizes = {"orders": orders, "customers": max(1, orders // ORDERS_A_CUSTOMER), "variants": skus}
    with as_owner(), connections["default"].cursor() as cursor:
        for table in ("orders", "order_lines"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # nobody hears of what never happened
        cursor.execute(STEPS["fill_customers"], sizes)
        for first in range(1, orders + 1, ORDERS_A_STATEMENT):
            last = min(orders, first + ORDERS_A_STATEMENT - 1)
            cursor.execute(STEPS["fill_orders"], {**sizes, "first": first, "last": last})
            say(f"{last:,} of {orders:,} orders")
        cursor.execute(STEPS["fill_lines"], sizes)
        for table in ("orders", "order_lines"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SELECT min(id), max(id) FROM omnichannel_customers")
        first, last = cursor.fetchone()
        say("statistics")
        cursor.execute("VACUUM ANALYZE")
    return int(first), int(last)


def _figures(runs: Runs, orders: int) -> list[Figure]:
    answers = "answers/s"
    lists = [
        figure(f"http_{name}_p95_ms", f"ms, at {orders:,} orders, one call at a time", found)
        for name, found in runs.lists.items()
    ]
    return [
        figure("http_noop", answers, runs.nothing),
        figure("http_noop_first", answers, runs.first),
        figure("http_hot_sku", "reservations/s", runs.hot, baseline_name=NOTHING_WORDS, baselines=runs.nothing),
        figure("http_hot_sku_to_first", "reservations/s", runs.hot, baseline_name=FIRST_WORDS, baselines=runs.first),
        figure("http_hot_sku_p99_ms", f"ms, {CALLERS} callers", runs.hot_p99_ms),
        figure("http_spread", "reservations/s", runs.spread, baseline_name=NOTHING_WORDS, baselines=runs.nothing),
        *lists,
    ]
