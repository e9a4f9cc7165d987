"""Processes of the house as production starts them, on the database of a test."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from django.db import connections

from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import connection_options
from tests.doors.house import free_port
from tests.patience import PATIENCE_SECONDS, until


def environment(database: str, **told: str) -> dict[str, str]:
    """What a process has to be told to work on this database of the test server."""
    ours = {**connections["default"].settings_dict, "NAME": database}
    theirs = {**owner_database(), "NAME": database}
    return {
        **os.environ,
        "DATABASE_URL": psycopg.conninfo.make_conninfo(**connection_options(ours)),
        "DATABASE_MIGRATE_URL": psycopg.conninfo.make_conninfo(**connection_options(theirs)),
        "PYTHONDONTWRITEBYTECODE": "1",
        **told,
    }


@dataclass
class Running:
    """A process, what it has said so far, and where it answers."""

    process: subprocess.Popen[str]
    address: str = ""
    metrics: str = ""
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Keep what it says."""
        assert self.process.stderr is not None
        self.said.extend(iter(self.process.stderr.readline, ""))

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Tell it to stop and wait until it has."""
        self.process.terminate()
        return self.process.wait(seconds)


@contextmanager
def started(arguments: list[str], told: dict[str, str], *, address: str = "", metrics: str = "") -> Iterator[Running]:
    """Within it this module of Python runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=told, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    running = Running(process, address, metrics)
    listener = threading.Thread(target=running.listen)
    listener.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        listener.join()


@contextmanager
def web(database: str, told: Mapping[str, str], *, threads: int = 4, processes: int = 1) -> Iterator[Running]:
    """Within it a web server answers, and its metrics can be asked for."""
    port, metrics = free_port(), free_port()
    surroundings = environment(database, FINALMARKET_METRICS_PORT=str(metrics), **told)
    arguments = ["finalmarket.cli.web", "127.0.0.1", str(port), str(threads), str(processes)]
    address, asked = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}/metrics"
    with started(arguments, surroundings, address=address, metrics=asked) as running:
        until(
            lambda: running.process.poll() is not None or status_of(f"{running.address}/healthz") == 200,
            "the web server answers",
        )
        assert running.process.poll() is None, "".join(running.said)
        yield running


def status_of(address: str, seconds: float = 10.0) -> int | None:
    """The status with which this address answers, None where nobody does."""
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def text_of(address: str) -> str:
    """What this address answers."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())
