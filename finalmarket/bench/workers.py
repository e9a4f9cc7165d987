"""A worker of the house, in a process of its own on the scratch database of a bench."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

from finalmarket.bench.scratch import work_on

STOP_SECONDS = 20


@contextmanager
def at_work(database: str, work: Callable[[], None]) -> Iterator[None]:
    """Within it `work`, called in a process of its own, carries out jobs until it is told to stop."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(database, work))
    process.start()
    try:
        yield
    finally:
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGTERM)
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()


def _work(database: str, work: Callable[[], None]) -> None:
    work_on(database)
    work()
