"""`finalmarket bench stock`: how fast stock is reserved, against the barest statement that could do it.

The buyers are asyncio tasks, which serve more than threads do on the same machine (docs/decisions). Everything is
answered after its commit, on a server that keeps its promises (fsync), by eight listed channels with policies.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from finalmarket.bench import pgbench
from finalmarket.bench.buyers import Trade, trade, trade_in_processes
from finalmarket.bench.market import Market, lay_out, tidy_up
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.kernel import garbage
from finalmarket.stock.check import differences
from finalmarket.stock.reserve import Request

SKUS = 10_000
BARE = "barest two-table statement, pgbench, best of 4, 8, 16 clients"
SINGLE = "same function, one request a call, 32 pgbench clients"
PROCESSES, CALLERS_EACH = 4, 64


@dataclass
class Runs:
    """What the runs measured, in order: a second's worth each, milliseconds for waits."""

    bare: list[float] = field(default_factory=list)
    single_hot: list[float] = field(default_factory=list)
    hot_256: list[float] = field(default_factory=list)
    hot_1000: list[Trade] = field(default_factory=list)
    single_spread: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    single_orders: list[float] = field(default_factory=list)
    orders: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    fair: list[float] = field(default_factory=list)


def measure(database: str, pace: Pace, say: Callable[[str], None]) -> list[Figure]:
    """Run the bench in the scratch database `database`; `say` hears of its progress. Takes half a minute a run."""
    say(f"laying out {SKUS} SKUs on 8 channels")
    market = lay_out(SKUS)
    pgbench.make_bare_tables(database)
    tidy_up()
    garbage.keep_what_is_there()  # as a web process does, in which the desk stands
    runs = Runs()
    hot = iter(market.variants)
    for number in range(1, pace.runs + 1):
        say(f"run {number} of {pace.runs}")
        _run(runs, database, market, next(hot), pace, number)
    say("proving that the books agree")
    if found := differences():
        raise RuntimeError(f"after the bench the stock differs from its ledger: {found[0]}")
    return _figures(runs)


def _run(runs: Runs, database: str, market: Market, hot: int, pace: Pace, number: int) -> None:
    one_sku = _Wishes(market, (hot,), f"hot {number}")
    all_skus = _Wishes(market, market.variants, f"spread {number}", random.Random(pace.seed + number))  # noqa: S311
    runs.bare.append(
        max(
            pgbench.per_second(database, pgbench.BARE_STATEMENT, clients=clients, seconds=pace.seconds / 2)
            for clients in (4, 8, 16)
        )
    )
    runs.hot_256.append(trade(256, pace.seconds, one_sku.unit).per_second)
    runs.hot_1000.append(trade(1_000, pace.seconds, one_sku.unit))
    runs.single_hot.append(_singly(database, pgbench.RESERVE_ONE, one_sku, pace))
    runs.single_spread.append(_singly(database, pgbench.RESERVE_ONE, all_skus, pace))
    runs.spread.append(trade(32, pace.seconds, all_skus.unit).per_second)
    runs.single_orders.append(_singly(database, pgbench.RESERVE_HUNDRED_LINES, all_skus, pace))
    runs.orders.append(trade(32, pace.seconds, all_skus.hundred_lines).per_second)
    shares = trade_in_processes(PROCESSES, CALLERS_EACH, pace.seconds, one_sku.unit)
    runs.slowest.append(min(shares))
    runs.fair.append(sum(shares) / len(shares))


class _Wishes:
    """What buyers ask for: units of these variants, under keys that nobody used before."""

    def __init__(
        self, market: Market, variants: tuple[int, ...], name: str, chance: random.Random | None = None
    ) -> None:
        self.channels = market.channels
        self.variants = variants
        self.name = name
        self.chance = chance or random.Random(0)  # noqa: S311
        self.serial: Iterator[int] = count()

    def unit(self, buyer: int, visit: int) -> Request:
        """One unit of one variant."""
        variant = self.variants[0] if len(self.variants) == 1 else self.chance.choice(self.variants)
        return Request(self._key(buyer), self.channels[buyer % len(self.channels)], ((variant, 1),))

    def hundred_lines(self, buyer: int, visit: int) -> Request:
        """One unit each of a hundred variants."""
        lines = tuple((variant, 1) for variant in self.chance.choices(self.variants, k=100))
        return Request(self._key(buyer), self.channels[buyer % len(self.channels)], lines)

    def _key(self, buyer: int) -> str:
        return f"{self.name}: {buyer}.{next(self.serial)}"


def _singly(database: str, script: str, wishes: _Wishes, pace: Pace) -> float:
    """What 32 clients of pgbench get a second when each calls the function for one request."""
    variables = {
        "first_variant": wishes.variants[0],
        "last_variant": wishes.variants[-1],
        "variants": len(wishes.variants),
        "first_channel": wishes.channels[0],
        "last_channel": wishes.channels[-1],
    }
    return pgbench.per_second(database, script, clients=32, seconds=pace.seconds, variables=variables)


def _figures(runs: Runs) -> list[Figure]:
    hot_1000 = [one.per_second for one in runs.hot_1000]
    middle = sorted(runs.hot_1000, key=lambda one: one.per_second)[len(runs.hot_1000) // 2]
    waits = [one.percentile_ms(99) for one in runs.hot_1000]
    p99 = figure("hot_sku_p99_ms", "ms, 1,000 callers, of the median run", [middle.percentile_ms(99)])
    reservations, orders = "reservations/s", "orders of 100 lines/s"
    return [
        figure("hot_sku_256", reservations, runs.hot_256, baseline_name=BARE, baselines=runs.bare),
        figure("hot_sku_1000", reservations, hot_1000, baseline_name=BARE, baselines=runs.bare),
        Figure(p99.name, p99.value, p99.unit, None, None, None, len(waits), round(min(waits), 1), round(max(waits), 1)),
        figure("hot_sku_256_to_single", reservations, runs.hot_256, baseline_name=SINGLE, baselines=runs.single_hot),
        figure("hot_sku_1000_to_single", reservations, hot_1000, baseline_name=SINGLE, baselines=runs.single_hot),
        figure("spread_10k", reservations, runs.spread, baseline_name=SINGLE, baselines=runs.single_spread),
        figure("order_lines_100", orders, runs.orders, baseline_name=SINGLE, baselines=runs.single_orders),
        figure(
            "hot_sku_fairness",
            f"reservations/s, slowest of {PROCESSES} processes",
            runs.slowest,
            baseline_name="fair share",
            baselines=runs.fair,
        ),
    ]
