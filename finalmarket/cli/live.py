"""The process of the live stream, started by `serve` as `python -m finalmarket.cli.live HOST PORT`."""

import sys

from finalmarket.cli.children import follow_parent


def main() -> None:
    """Serve until told to stop. One process and one thread are enough for hundreds of open pages."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    follow_parent()
    Server(
        "finalmarket.config.live:application",
        address=sys.argv[1],
        port=int(sys.argv[2]),
        interface=Interfaces.ASGI,
        workers=1,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=3,
    ).serve()


if __name__ == "__main__":
    main()
