"""The web server's process: granian with threads, started by `serve` as
`python -m finalmarket.cli.web HOST PORT THREADS [PROCESSES]`."""

import os
import signal
import sys
import threading
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from finalmarket.cli.children import follow_parent
from finalmarket.operations import draining, metrics_door

STOP_SECONDS = 10
"""So long requests under way have to be answered once nothing new is taken."""


class _Server(Server):  # type: ignore[misc, valid-type]  # one of two classes, by the interpreter
    """A server that says for a while that it is about to stop, before it stops: who sends it requests can look
    elsewhere meanwhile. Told a second time it stops at once."""

    _is_told = False
    _draining: threading.Timer | None = None

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Begin to stop."""
        wait, self._is_told = (0.0 if self._is_told else draining.seconds()), True
        if self._draining is not None:
            self._draining.cancel()
        if not wait:
            # The worker is told to stop at once by another signal. A second one beside it could reach a thread of the
            # worker that handles none, and the worker would stay until it is killed.
            super().signal_handler_interrupt()
            return
        for one in self.wrks:
            os.kill(one.inner.pid, signal.SIGUSR1)
        self._draining = threading.Timer(wait, super().signal_handler_interrupt)
        self._draining.start()


def main() -> None:
    """Serve until told to stop. Each process has its own threads, and its own connections to the database."""
    host, (port, threads, *more) = sys.argv[1], map(int, sys.argv[2:])
    processes = more[0] if more else 1
    os.environ |= {"FINALMARKET_POOL": str(threads), "FINALMARKET_WEB_PROCESSES": str(processes)}
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # what is being loaded still is not ended by it
    follow_parent()
    _tell_metrics()
    _Server(
        "finalmarket.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=STOP_SECONDS,
    ).serve()


def _tell_metrics() -> None:
    """Answer for all processes of this server, if anybody is to ask. The first thing to be counted comes after this."""
    if metrics_door.port() is None:
        return
    from finalmarket.kernel.database import database_ready, is_embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    metrics_door.count_together()
    if not is_embedded():
        database_ready()  # as whom the books are asked
    metrics_door.open_door()


if __name__ == "__main__":
    main()
