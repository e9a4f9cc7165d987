"""A worker process."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from procrastinate import App, signals
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.worker import Worker
from psycopg import sql

from finalmarket.integrations.watch import Watcher
from finalmarket.kernel.errors import UserError

STOP_SECONDS = 10
CONCURRENCY = 16
"""Jobs at once unless told otherwise: most of them wait for a platform, and one that is down must not take the threads
of the others."""
MOST_QUEUE_CONNECTIONS = 8


def run_worker(*, concurrency: int, queues: Sequence[str] = ()) -> None:
    """Carry out jobs until SIGINT or SIGTERM; those begun get 10 s to finish, the next worker takes up the rest.

    Raises UserError when it has ended though nobody told it to, such as after the database was away for a moment: the
    process then ends with a code that has it started again.
    """
    with app.replace_connector(_connector(concurrency)) as connected, _watching(queues):
        was_told = asyncio.run(_work(connected, concurrency, queues))
    if not was_told:
        raise UserError(
            "the worker has ended by itself: a part of it failed, such as its line to the database (its last lines say "
            "which); start it again"
        )


@contextmanager
def _watching(queues: Sequence[str]) -> Iterator[None]:
    """Within it somebody looks for what platforms have to be told; not in a worker of other queues only."""
    if queues and "default" not in queues:
        yield
        return
    watcher = Watcher()
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()


async def _work(connected: App, concurrency: int, queues: Sequence[str]) -> bool:
    """Work until the worker ends; whether a signal told it to. A worker of which a part has failed ends alike."""
    # The loop's own pool has a thread or two more than the machine has cores; jobs wait more than they work.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
    was_told = False
    connected.perform_import_paths()  # type: ignore[no-untyped-call]  # says nothing of what it takes: nothing
    worker: Any = Worker(
        connected, queues=list(queues) or None, concurrency=concurrency, shutdown_graceful_timeout=STOP_SECONDS,
        fetch_job_polling_interval=2, install_signal_handlers=False,
    )  # fmt: skip

    def tell() -> None:
        nonlocal was_told
        was_told = True
        worker.stop()

    async with connected.open_async():
        with signals.on_stop(tell):
            await worker.run()
    return was_told


def _connector(concurrency: int) -> PsycopgConnector:
    """The worker's own connections, in the same role as Django's."""
    role = settings.DATABASES["default"]["OPTIONS"].get("assume_role")

    async def take_role(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        if role:
            await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            await connection.commit()

    most = min(concurrency + 2, MOST_QUEUE_CONNECTIONS)
    return PsycopgConnector(kwargs=connector_params(), configure=take_role, min_size=1, max_size=most)
