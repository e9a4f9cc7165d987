"""An address on this machine that takes in what stand-ins send to it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from finalmarket.connectors.records import Delivery
from finalmarket.kernel import clock


@contextmanager
def mailbox() -> Iterator[tuple[str, list[Delivery]]]:
    """Within it an address is open; yields it, and the deliveries that came, in their order."""
    letters: list[Delivery] = []

    class Box(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            letters.append(Delivery(self.path, dict(self.headers), body, clock.now()))
            self.do_GET()

        def do_GET(self) -> None:
            """Be there: some platforms look first."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Box)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hooks", letters
    finally:
        server.shutdown()
        server.server_close()
