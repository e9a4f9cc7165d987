"""A worker process."""

import asyncio
from collections.abc import Sequence

import psycopg
from django.conf import settings
from procrastinate import App
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import sql

STOP_SECONDS = 10


def run_worker(*, concurrency: int, queues: Sequence[str] = ()) -> None:
    """Carry out jobs until SIGINT or SIGTERM; those begun get 10 s to finish, the next worker takes up the rest."""
    with app.replace_connector(_connector(concurrency)) as connected:
        asyncio.run(_work(connected, concurrency, queues))


async def _work(connected: App, concurrency: int, queues: Sequence[str]) -> None:
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

    return PsycopgConnector(kwargs=connector_params(), configure=take_role, min_size=1, max_size=concurrency + 2)
