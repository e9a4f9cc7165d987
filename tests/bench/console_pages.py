"""How long the console's pages take at 100,000 SKUs on ten channels and 500,000 orders.

    python -m tests.bench.console_pages [--skus N] [--orders N] [--interactions N] [--requests N]
                                         [--database NAME] [--only WORD]

lays the merchant out in a scratch database, asks for each page as Django's test client does (everything but the network
and the web server), and prints one JSON object: the median of each page in milliseconds beside the frame alone (a page
with sidebar and header and nothing to look up), asked for in turn, and how many queries the page made. With --database
the merchant is kept under that name and found again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings

SEED = 1
WARM_UP = 3


def main() -> None:
    """Lay out, measure, print."""
    asked = _arguments()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    from finalmarket.bench.report import as_json, machine
    from finalmarket.cli.migrate import apply_migrations
    from finalmarket.kernel.database import database_ready
    from tests.bench.merchant import lay_out, tidy_up

    database_ready()
    with _database(asked.database, lambda: apply_migrations(verbosity=0)) as is_new:
        if is_new:
            lay_out(asked.skus, asked.orders, asked.interactions, told=lambda step: _say(step, sys.stderr))
            tidy_up()
        where = machine() | {"skus": asked.skus, "channels": 10, "orders": asked.orders}
        where |= {"interactions": asked.interactions}
        _say(as_json("console_pages", where, SEED, _figures(asked.requests, asked.only)), sys.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the pages of the console.")
    parser.add_argument("--skus", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=500_000)
    parser.add_argument("--interactions", type=int, default=0)
    parser.add_argument("--requests", type=int, default=30, help="how often each page is asked for")
    parser.add_argument("--database", help="a database of this server to keep the merchant in")
    parser.add_argument("--only", default="", help="measure pages whose name contains this")
    return parser.parse_args()


def _say(text: str, where: Any) -> None:
    where.write(f"{text}\n")
    where.flush()


@contextmanager
def _database(name: str | None, migrate: Callable[[], object]) -> Iterator[bool]:
    """A scratch database, or the named one; says whether it is new."""
    from psycopg import sql

    from finalmarket.bench.scratch import scratch_database, work_on
    from finalmarket.kernel.database import is_embedded, owner_database
    from finalmarket.kernel.sql import open_connection

    if name is None:
        with scratch_database(migrate):
            yield True
        return
    owner = owner_database()
    with open_connection({**owner, "NAME": "postgres" if is_embedded() else owner["NAME"]}) as server:
        known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    work_on(name)
    migrate()
    yield known is None


def _figures(requests: int, only: str) -> list[Any]:
    from django.contrib.auth.models import User
    from django.test import Client

    from finalmarket.bench.report import figure
    from tests.bench.addresses import addresses

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    known = addresses()
    frame = known.pop("frame")
    found = []
    for name, address in known.items():
        if only in name:
            times, frames = _times(client, address, frame, requests)
            found.append(figure(f"page_{name}_ms", "ms", times, baseline_name="frame", baselines=frames))
            found.append(figure(f"page_{name}_queries", "queries", [_queries(client, address)]))
    return found


def _times(client: Any, address: str, frame: str, requests: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the page and of the frame, asked for in turn; the first times do not count."""
    took: dict[str, list[float]] = {address: [], frame: []}
    for count in range(WARM_UP + requests):
        for asked, times in took.items():
            before = time.perf_counter()
            answer = client.get(asked)
            if answer.status_code != 200:
                raise SystemExit(f"{asked} answers {answer.status_code}")
            if count >= WARM_UP:
                times.append((time.perf_counter() - before) * 1000)
    return took[address], took[frame]


def _queries(client: Any, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


if __name__ == "__main__":
    main()
