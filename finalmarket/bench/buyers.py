"""Buyers who ask again as soon as they are answered: tasks of one event loop, at one desk, in one or more processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections

from finalmarket.stock.desk import Desk
from finalmarket.stock.reserve import Request

# What buyer `buyer` asks for at its `n`th visit.
Wish = Callable[[int, int], Request]

WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Trade:
    """What a crowd of buyers got: answers a second, and how long an answer took (seconds, sorted)."""

    per_second: float
    waits: list[float]

    def percentile_ms(self, percent: float) -> float:
        """The wait that `percent` of all answers stayed below, in milliseconds."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * percent / 100))] * 1000


def trade(callers: int, seconds: float, wish: Wish) -> Trade:
    """Let `callers` buy at a desk for `seconds` after a warm-up; every request must be granted."""
    desk = Desk()
    waits: list[float] = []
    clock = time.perf_counter

    async def buyer(number: int, warm: float, end: float) -> None:
        visit = 0
        while (asked := clock()) < end:
            verdict = await desk.reserve_async(wish(number, visit))
            answered = clock()
            if verdict.outcome != "granted":
                raise RuntimeError(f"a buyer of the bench was not served: {verdict}")
            if warm <= answered <= end:
                waits.append(answered - asked)
            visit += 1

    async def market() -> None:
        warm = clock() + WARM_UP_SECONDS
        await asyncio.gather(*[buyer(number, warm, warm + seconds) for number in range(callers)])

    try:
        asyncio.run(market())
    finally:
        desk.close()
    return Trade(len(waits) / seconds, sorted(waits))


def trade_in_processes(processes: int, callers: int, seconds: float, wish: Wish) -> list[float]:
    """Let that many processes, each with its own desk and `callers`, buy at once; return what each got a second."""
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(processes)
    results = fork.SimpleQueue()

    def process(number: int) -> None:
        start.wait()
        results.put(trade(callers, seconds, lambda buyer, n: wish(number * callers + buyer, n)).per_second)

    connections.close_all()
    rivals = [fork.Process(target=process, args=(number,)) for number in range(processes)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    if any(rival.exitcode for rival in rivals):
        raise RuntimeError("a process of the bench failed; its error stands above")
    return [results.get() for _ in rivals]
