"""What open consoles cost those who reserve: `python -m tests.bench.watched [ROUNDS] [SECONDS]`.

Rounds of one SKU on which 256 buyers trade at a desk, by turns while nobody watches, while the live stream watches as
it does (console/live/attention.py), and while every commit is asked for its word, which is what that is there to avoid.
Not measured is what the pages cost that fetch themselves anew, at most once a second each.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import django
from django.conf import settings
from django.db import connections

BUYERS = 256


def main() -> None:
    """Measure, and print the medians and their ratios."""
    rounds, seconds = (int(word) for word in (sys.argv[1:] + ["5", "2"][len(sys.argv) - 1 :]))
    from finalmarket.bench.buyers import trade
    from finalmarket.bench.market import lay_out
    from finalmarket.bench.scratch import scratch_database
    from finalmarket.cli.migrate import apply_migrations
    from finalmarket.kernel.database import database_ready
    from finalmarket.stock.reserve import Request

    database_ready()
    found: dict[str, list[float]] = {"nobody": [], "watched": [], "every commit asked": []}
    with scratch_database(lambda: apply_migrations(verbosity=0)):
        market = lay_out(rounds * len(found))
        variants = iter(market.variants)
        for _ in range(rounds):
            for name, rates in found.items():
                variant = next(variants)

                def wish(buyer: int, visit: int, variant: int = variant) -> Request:
                    channel = market.channels[buyer % len(market.channels)]
                    return Request(f"{variant}-{buyer}-{visit}", channel, ((variant, 1),))

                with WATCHED[name]():
                    rates.append(trade(BUYERS, seconds, wish).per_second)
    alone = statistics.median(found["nobody"])
    for name, rates in found.items():
        told = ", ".join(f"{rate:,.0f}" for rate in rates)
        print(f"{name}: {statistics.median(rates):,.0f}/s, {statistics.median(rates) / alone:.2f} ({told})")  # noqa: T201


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _child(work: Any) -> Iterator[None]:
    """Within it another process works, once it has said that it does."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    child = fork.Process(target=lambda: asyncio.run(work(ready)), daemon=True)
    child.start()
    assert ready.wait(60), "the watcher did not begin"
    try:
        yield
    finally:
        child.terminate()
        child.join()


async def _stream(ready: Any) -> None:
    from finalmarket.console.live.audience import Audience
    from finalmarket.console.live.listening import listen
    from finalmarket.console.live.words import TOPICS

    audience = Audience()
    page = audience.enter(1, frozenset(TOPICS))
    listening = asyncio.create_task(listen(audience))
    await audience.can_hear.wait()
    ready.set()
    while not listening.done():
        await page.wait()
        page.take()


async def _every_commit(ready: Any) -> None:
    from finalmarket.console.live.attention import QUERIES
    from finalmarket.console.live.words import CHANNEL
    from finalmarket.kernel.sql import open_connection

    with open_connection() as asking, open_connection() as ear:
        asking.execute(QUERIES["ask"], [["stock"]])
        ear.execute(f"LISTEN {CHANNEL}")
        ready.set()
        for _ in ear.notifies():
            pass


WATCHED: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "nobody": _nobody, "watched": lambda: _child(_stream), "every commit asked": lambda: _child(_every_commit),
}  # fmt: skip


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()
    assert settings.configured
    main()
