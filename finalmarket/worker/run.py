"""A worker process."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
from django.conf import settings
from procrastinate import App
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import sql

from finalmarket.integrations.watch import Watcher

STOP_SECONDS = 10
CONCURRENCY = 16
"""Jobs at once unless told otherwise: most of them wait for a platform, and one that is down must not take the threads
of the others."""
MOST_QUEUE_CONNECTIONS = 8


def run_worker(*, concurrency: int, queues: Sequence[str] = ()) -> None:
    """Carry out jobs until SIGINT or SIGTERM; those begun get 10 s to finish, the next worker takes up the rest."""
    with app.replace_connector(_connector(concurrency)) as connected, _watching(queues):
        asyncio.run(_work(connected, concurrency, queues))


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


async def _work(connected: App, concurrency: int, queues: Sequence[str]) -> None:
    # The loop's own pool has a thread or two more than the machine has cores; jobs wait more than they work.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
    options = WorkerOptions(
        concurrency=concurrency, shutdown_graceful_timeout=STOP_SECONDS, fetch_job_polling_interval=2
    )
    if queues:
        options["queues"] = list(queues)
    async with connected.open_async():
        await connected.run_worker_async(**options)


def _connector(concurrency: int) -> PsycopgConnector:
    """The worker's own connections, in the same role as Django's."""
    role = settings.DATABASES["default"]["OPTIONS"].get("assume_role")

    async def take_role(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        if role:
            await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            await connection.commit()

    most = min(concurrency + 2, MOST_QUEUE_CONNECTIONS)
    return PsycopgConnector(kwargs=connector_params(), configure=take_role, min_size=1, max_size=most)
