"""The HTTP server of the sandbox: loopback only, every account under its own path, with the faults of a real wire."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from finalmarket.sandbox import control
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Reply, Request, StandIn

MOST_BYTES = 64 * 1024 * 1024
DRIPS = 20

Pause = Callable[[float], object]
"""Lets so many seconds pass."""


class Wire:
    """Serves stand-ins at http://127.0.0.1:<port>/<slug>/<account>/... until it is closed.

    A request that meets TIME_OUT is held for `most_seconds_silent`; an answer that meets SLOW_DRIP comes in `drips`
    pieces within `drip_seconds`. `pause` lets that time pass; by default it waits, and not longer than until the end.
    """

    def __init__(
        self, *, port: int = 0, most_seconds_silent: float = 60.0, drip_seconds: float = 0.1, drips: int = DRIPS,
        pause: Pause | None = None,
    ) -> None:  # fmt: skip
        self._stand_ins: dict[tuple[str, str], StandIn] = {}
        self.most_seconds_silent = most_seconds_silent
        self.drip_seconds, self.drips = drip_seconds, drips
        self.closing = threading.Event()
        self.pause = pause or self.closing.wait
        wire = self

        class Handler(_Handler):
            house = wire

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def add(self, stand_in: StandIn) -> str:
        """Serve a stand-in; return the address that takes the place of the platform's host."""
        self._stand_ins[(stand_in.slug, stand_in.account)] = stand_in
        return self.address(stand_in)

    def address(self, stand_in: StandIn) -> str:
        """Where a stand-in is served."""
        return f"http://127.0.0.1:{self.port}/{stand_in.slug}/{stand_in.account}"

    def all(self) -> list[tuple[str, StandIn]]:
        """All stand-ins with their addresses."""
        return [(self.address(stand_in), stand_in) for stand_in in self._stand_ins.values()]

    def find(self, slug: str, account: str) -> StandIn | None:
        """The stand-in of an account."""
        return self._stand_ins.get((slug, account))

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and stop sending webhooks."""
        self.closing.set()
        for stand_in in self._stand_ins.values():
            stand_in.sender.stop()
        self._server.stop()


@contextlib.contextmanager
def served(
    *stand_ins: StandIn, most_seconds_silent: float = 60.0, drip_seconds: float = 0.1, drips: int = DRIPS,
    pause: Pause | None = None,
) -> Iterator[tuple[str, ...]]:  # fmt: skip
    """Within it these stand-ins are served, as Wire does it; yields their addresses."""
    wire = Wire(most_seconds_silent=most_seconds_silent, drip_seconds=drip_seconds, drips=drips, pause=pause)
    addresses = tuple(wire.add(stand_in) for stand_in in stand_ins)
    wire.start()
    try:
        yield addresses
    finally:
        wire.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def stop(self) -> None:
        """Stop at once: whoever waits for callers is woken, and does not have to look round for it."""
        ending = threading.Thread(target=self.shutdown)
        ending.start()
        with contextlib.suppress(OSError):  # it never listened
            self.socket.shutdown(socket.SHUT_RDWR)
        ending.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up, or was killed, is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    house: Wire
    wbufsize = -1  # one packet a reply
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """The journal tells more."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        if parts.path.startswith(control.PREFIX):
            self._write(control.answer(self.house, self._asked(parts.path, parts.query, body)))
            return
        slug, _, rest = parts.path.lstrip("/").partition("/")
        account, _, path = rest.partition("/")
        stand_in = self.house.find(slug, account)
        if stand_in is None:
            self._write(Reply(404, {"error": "no such account in this sandbox"}))
            return
        self._write(stand_in.answer(self._asked(f"/{path}", parts.query, body)))

    def _asked(self, path: str, query: str, body: bytes) -> Request:
        queries = parse_qs(query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        last = {name: values[-1] for name, values in queries.items()}
        return Request(self.command, path, last, headers, body, queries)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _write(self, reply: Reply) -> None:
        if reply.sabotage in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
            self._reset()
            return
        if reply.sabotage is Fault.TIME_OUT:
            self.house.pause(self.house.most_seconds_silent)
            self._reset()
            return
        body = reply.body if isinstance(reply.body, bytes) else _json(reply.body)
        if reply.sabotage is Fault.MALFORMED:
            body = b'{"oops": ' + body[: len(body) // 2] + b"<html>"
        with contextlib.suppress(ConnectionError):
            self._head(reply, len(body))
            self._body(body, reply.sabotage)

    def _head(self, reply: Reply, length: int) -> None:
        self.send_response_only(reply.status)
        headers = {"Content-Type": "application/json", "Date": self.date_time_string(), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _body(self, body: bytes, sabotage: Fault | None) -> None:
        if self.command == "HEAD":
            return
        if sabotage is Fault.TRUNCATED:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self._reset()
        elif sabotage is Fault.SLOW_DRIP:
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        """Write in equal pieces, with a pause before each but the first."""
        size = max(1, -(-len(body) // self.house.drips))
        for start in range(0, len(body), size):
            if start:
                self.house.pause(self.house.drip_seconds / max(1, self.house.drips - 1))
            self.wfile.write(body[start : start + size])
            self.wfile.flush()

    def _reset(self) -> None:
        """End the connection with an RST, as a broken wire does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body, ensure_ascii=False, default=str).encode()
