"""The web server's process: granian with threads, started by `serve` as
`python -m finalmarket.cli.web HOST PORT THREADS [PROCESSES]`."""

import os
import sys

from finalmarket.cli.children import follow_parent


def main() -> None:
    """Serve until told to stop. Each process has its own threads, and its own connections to the database."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    host, (port, threads, *processes) = sys.argv[1], map(int, sys.argv[2:])
    os.environ["FINALMARKET_POOL"] = str(threads)
    follow_parent()
    Server(
        "finalmarket.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes[0] if processes else 1,
        blocking_threads=threads,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    main()
