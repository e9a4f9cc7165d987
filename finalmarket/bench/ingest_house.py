"""The web processes of `bench ingest` and those who tell it: real HTTP on the loopback address."""

from __future__ import annotations

import base64
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from finalmarket.kernel.database import is_embedded, owner_database

THREADS = 32
OPEN_SECONDS = 60.0
ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.05
STOP_SECONDS = 15.0


@dataclass
class Told:
    """How long it took until all was answered, and with what."""

    seconds: float
    statuses: Counter[int]


@dataclass
class House:
    """The web processes as `finalmarket serve` starts them, on the scratch database; `settings` go into their
    environment."""

    database: str
    senders: int
    settings: Mapping[str, str] = field(default_factory=dict)
    threads: int = THREADS
    processes: int = 1
    port: int = 0
    peak: float = 0.0
    _web: subprocess.Popen[bytes] | None = None
    _watching: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError where it does not."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _start(self) -> None:
        """It reads the end of its standard input when we are gone, and ends too (cli/children.py)."""
        numbers = map(str, (self.port, self.threads, self.processes))
        command = [sys.executable, "-m", "finalmarket.cli.web", "127.0.0.1", *numbers]
        own = {**_environment(self.database), **self.settings}
        environment = {**os.environ, **own, "FINALMARKET_FOLLOWS": "1"}
        self._web = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, process_group=0, bufsize=0)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + OPEN_SECONDS
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(LOOK_SECONDS)
        raise RuntimeError("the web process does not answer")

    def kill(self) -> None:
        """Kill it as a power cut would, and start it again."""
        for one in self._processes():
            os.kill(one.pid, signal.SIGKILL)
        if self._web is not None:
            self._web.wait()
        self._start()

    def peak_mb(self) -> float:
        """The most memory that they were seen with, in MB."""
        return self.peak

    def close(self) -> None:
        """Stop it."""
        self._watching.set()
        if self._web is None:
            return
        self._web.terminate()
        try:
            self._web.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._web.kill()
            self._web.wait()

    def _processes(self) -> list[psutil.Process]:
        if self._web is None or self._web.poll() is not None:
            return []
        first = psutil.Process(self._web.pid)
        return [*first.children(recursive=True), first]

    def _watch(self) -> None:
        while not self._watching.wait(0.2):
            try:
                self.peak = max(self.peak, sum(one.memory_info().rss for one in self._processes()) / 2**20)
            except psutil.Error:
                continue  # it was killed while we looked

    @staticmethod
    def request(body: bytes, key: str) -> bytes:
        """A request to /v1/batch by its bytes."""
        basic = base64.b64encode(f"{key}:".encode()).decode()
        head = (
            "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Basic {basic}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _environment(database: str) -> dict[str, str]:
    """What makes a process work on the scratch database, in the roles that it would have."""
    environment = {"DATABASE_URL": _address(connection.settings_dict, database)}
    if is_embedded() or os.environ.get("DATABASE_MIGRATE_URL"):
        environment["DATABASE_MIGRATE_URL"] = _address(owner_database(), database)
    return environment


def _address(settings: dict[str, Any], database: str) -> str:
    names = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return make_conninfo(
        dbname=database, **{ours: settings[theirs] for ours, theirs in names.items() if settings[theirs]}
    )


def tell(
    house: House, requests: Sequence[bytes], *, kill_after: float | None = None, until_taken: bool = False
) -> Told:
    """Tell all of it over as many connections as there are senders, in a process of its own.

    With `kill_after` the house is killed so many seconds after the first request; with `until_taken` a request that was
    not answered with yes is told again.
    """
    connections.close_all()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_send_all, args=(theirs, house.port, list(requests), house.senders, until_taken)
    )
    process.start()
    if kill_after is not None:
        time.sleep(kill_after)
        house.kill()
    if not ours.poll(ANSWER_SECONDS * 10):
        process.kill()
        raise RuntimeError("those who tell are not answered")
    seconds, statuses = ours.recv()
    process.join()
    return Told(seconds, statuses)


def _send_all(pipe: Any, port: int, requests: list[bytes], senders: int, until_taken: bool) -> None:
    queue = deque(requests)
    statuses: Counter[int] = Counter()
    mutex = threading.Lock()

    def send() -> None:
        found: Counter[int] = Counter()
        sender = _Sender(port)
        while True:
            try:
                request = queue.popleft()
            except IndexError:
                break
            status = sender.send(request)
            while until_taken and status != 200:
                time.sleep(LOOK_SECONDS)
                status = sender.send(request)
            found[status] += 1
        with mutex:
            statuses.update(found)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send((time.perf_counter() - began, statuses))


class _Sender:
    """A connection that is kept, and opened anew when it dies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> int:
        """The status of the answer; 0 where there is none."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(request)
            return self._read(self._socket)
        except OSError:
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            return 0

    @staticmethod
    def _read(stream: socket.socket) -> int:
        told = b""
        while b"\r\n\r\n" not in told:
            more = stream.recv(65536)
            if not more:
                raise ConnectionError("closed in the middle of an answer")
            told += more
        head, _, body = told.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            more = stream.recv(65536)
            if not more:
                raise ConnectionError("closed in the middle of an answer")
            body += more
        return int(head[9:12])
