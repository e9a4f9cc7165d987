"""The web server's process: granian with threads, started by `serve` as `python -m finalmarket.cli.web HOST PORT N`."""

import os
import sys

from finalmarket.cli.children import follow_parent


def main() -> None:
    """Serve until told to stop. One process suffices for a laptop; production starts as many as it has cores."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    host, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ["FINALMARKET_POOL"] = str(threads)
    follow_parent()
    Server(
        "finalmarket.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    main()
