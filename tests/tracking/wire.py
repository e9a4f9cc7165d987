"""The tracking API over real HTTP, and a wire to it that loses things."""

from __future__ import annotations

import http.client
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application
from django.db import connections

FATES = ("lose_answer", "twice", "lose", "later")
ONWARD = ("Content-Type", "Content-Encoding", "Authorization", "User-Agent", "X-Write-Key", "Idempotency-Key")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Closing it waits for every answer under way: none may reach the database of the next test."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 64


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


_made: list[Any] = []


def _serve(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer as production does; the thread that answered gives its database connection back."""
    if not _made:
        _made.append(get_wsgi_application())
    try:
        # An answer that nobody closes is closed by the collector of garbage, in the midst of another thread's request,
        # and Django then closes the connection of that thread.
        with closing(_made[0](environ, start_response)) as answer:
            return list(answer)
    finally:
        connections.close_all()


@contextmanager
def served() -> Iterator[int]:
    """Within it the house answers on a port of the loopback address."""
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        server.set_app(_serve)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def bad_wire(port: int, every: int = 4) -> Iterator[tuple[str, Counter[str]]]:
    """Within it a wire to `port` listens that fails at every so manyth request, in turn: it loses the answer, carries
    the request twice, loses it, or answers "later" itself. Yields its address and a count of what it did."""
    did, mutex = Counter[str](), threading.Lock()

    class Wire(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._carry(b"")

        def do_POST(self) -> None:
            self._carry(self._read())

        def _read(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _carry(self, body: bytes) -> None:
            with mutex:
                number = did.total()
                fate = "carry" if number % every else FATES[number // every % len(FATES)]
                did[fate] += 1
            if fate == "lose":
                self.close_connection = True
                return
            if fate == "later":
                self._answer(503, b"{}", "application/json")
                return
            status, told, content_type = self._forward(body)
            if fate == "twice":
                status, told, content_type = self._forward(body)
            if fate == "lose_answer":
                self.close_connection = True
                return
            self._answer(status, told, content_type)

        def _forward(self, body: bytes) -> tuple[int, bytes, str]:
            house = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                head = {word: self.headers[word] for word in ONWARD if word in self.headers}
                house.request(self.command, self.path, body or None, head)
                answer = house.getresponse()
                return answer.status, answer.read(), answer.headers.get("Content-Type", "")
            finally:
                house.close()

        def _answer(self, status: int, told: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *words: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Wire) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", did
        finally:
            server.shutdown()
            thread.join()
