"""A small platform to try the chassis with: notes that can be read, page by page, and written."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route
from finalmarket.sandbox.webhooks import Letter

KEY = "booth-key-1234"


class Booth(StandIn):
    """Notes in the order they came."""

    slug = "booth"
    limits = {"": (1000.0, 1000.0), "slow": (1.0, 2.0)}

    def fresh_state(self) -> list[str]:
        return []

    def credentials(self) -> dict[str, str]:
        return {"key": KEY}

    def let_in(self, request: Request) -> None:
        if request.headers.get("booth-key") != KEY:
            raise Refused(Reply(401, {"error": "who are you?"}))

    def cost(self, request: Request, found: Any) -> float:
        return float(request.query.get("cost", "1"))

    @route("GET", "/notes")
    def read(self, request: Request) -> Reply:
        page, following = part_of(self.state, int(request.query.get("from", "0")), 3, request.fault)
        return Reply(200, {"notes": page, "next": following, "fault": request.fault.name if request.fault else ""})

    @route("POST", "/notes")
    def write(self, request: Request) -> Reply:
        self.state.append(str(request.json()["note"]))
        self.effect("noted", note=self.state[-1])
        self.sender.send(Letter("http://127.0.0.1:9/nobody", {}, b"{}"))
        return Reply(201, {"notes": len(self.state)})

    @route("POST", "/search", is_write=False)
    def search(self, request: Request) -> Reply:
        return Reply(200, {"found": [note for note in self.state if request.json()["word"] in note]})

    @route("GET", "/notes/latest")
    def latest(self, request: Request) -> Reply:
        return Reply(200, {"note": self.state[-1]})

    @route("GET", "/notes/{number}")
    def one(self, request: Request, number: str) -> Reply:
        return Reply(200, {"note": self.state[int(number)], "number": number})

    @route("GET", "/slow", bucket="slow")
    def slowly(self, request: Request) -> Reply:
        return Reply(200, {"ok": True})

    @route("POST", "/token", is_open=True)
    def token(self, request: Request) -> Reply:
        return Reply(200, {"access_token": "booth-token", "asked": request.form()})

    @route("GET", "/time")
    def time(self, request: Request) -> Reply:
        return Reply(200, {"at": self.now().isoformat()})

    @route("PUT", "/notes/latest")
    def write_latest(self, request: Request) -> Reply:
        self.state[-1:] = [str(request.json()["note"])]
        return Reply(204)

    @route("GET", "/raw")
    def raw(self, request: Request) -> Reply:
        return Reply(200, b"as it is", {"Content-Type": "text/plain"})


@dataclass
class Mailbox:
    """Takes webhooks in; `refusals` is how many of the first are answered with 503."""

    url: str = ""
    refusals: int = 0
    came: list[bytes] = field(default_factory=list)
    tries: int = 0
    lock: Lock = field(default_factory=Lock)


@contextmanager
def mailbox(*, refusals: int = 0) -> Iterator[Mailbox]:
    """Within it, a receiver of webhooks listens."""
    box = Mailbox(refusals=refusals)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with box.lock:
                box.tries += 1
                is_refused = box.tries <= box.refusals
                if not is_refused:
                    box.came.append(body)
            self.send_response(503 if is_refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
