"""Where Prometheus asks: a port of its own, on this machine alone unless told otherwise, so that no proxy in front of
the house leads there, no busy request thread keeps it from answering, and no token has to be kept.

A web server of several processes counts into files of one folder (the library's multi-process mode), which the process
that keeps them reads out; a worker is one process and counts in its memory. Both add what the books say.
"""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from finalmarket.kernel import places
from finalmarket.kernel.errors import UserError

if TYPE_CHECKING:  # the library decides where it counts when it is loaded: not before `count_together`
    from prometheus_client import CollectorRegistry

PORT, HOST = "FINALMARKET_METRICS_PORT", "FINALMARKET_METRICS_HOST"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_opened: list[tuple[WSGIServer, threading.Thread]] = []


def port() -> int | None:
    """Where the metrics of this process are asked for: FINALMARKET_METRICS_PORT, None where nobody asks."""
    given = os.environ.get(PORT, "")
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        raise UserError(f"{PORT} is {given!r}; give the number of a port")
    return int(given)


def count_together() -> None:
    """Have this process and those that it will fork count into one folder, an empty one. To be called before anything
    counts."""
    wanted = port()
    if wanted is None:
        return
    folder = places.make_data_folder() / f"metrics-{wanted}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ[SHARED] = str(folder)


def open_door() -> int | None:
    """Answer on the port of the metrics, in a thread, until this process ends; returns the port, None without one.

    Raises UserError where it is taken.
    """
    wanted = port()
    if wanted is None:
        return None
    from prometheus_client import start_http_server

    host = os.environ.get(HOST, "127.0.0.1")
    try:
        _opened.append(start_http_server(wanted, addr=host, registry=_registry()))
    except OSError as error:
        raise UserError(f"cannot answer for metrics on {host} port {wanted}: {error.strerror}") from error
    return wanted


def _registry() -> CollectorRegistry:
    """What is told: what was counted, and what the books say."""
    from prometheus_client import REGISTRY, CollectorRegistry

    from finalmarket.operations.books import Books

    if os.environ.get(SHARED):
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = REGISTRY
    registry.register(Books())
    return registry
