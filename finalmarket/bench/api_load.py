"""Those who call in `bench api`: connections that each ask again as soon as they are answered, in a process of their
own, which takes as little of the machine from the house as Python can."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connections

Make = Callable[[], bytes]
"""Gives the bytes of the next request of a connection."""
PATIENCE_SECONDS = 120.0
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """How it went: seconds from the first request to the last answer, answers by status (0: none came), and how long
    each took, sorted."""

    seconds: float
    statuses: Counter[int]
    waits: list[float]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.waits) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """The wait that `percent` of all answers stayed below, in milliseconds."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * percent / 100))] * 1000


def ask(port: int, makers: Sequence[Make], seconds: float) -> Asked:
    """Ask for so long over one connection for each maker. Raises RuntimeError where the house does not answer."""
    connections.close_all()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs, port, makers, seconds))
    process.start()
    if not ours.poll(seconds + PATIENCE_SECONDS):
        process.kill()
        raise RuntimeError("those who call are not answered")
    found, statuses, waits = ours.recv()
    process.join()
    return Asked(found, statuses, sorted(waits))


def request(method: str, path: str, key: str, body: bytes = b"", token: str = "") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
    if token:
        lines.append(f"Idempotency-Key: {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines)).encode() + END_OF_HEAD + body


def _work(pipe: Any, port: int, makers: Sequence[Make], seconds: float) -> None:
    pipe.send(asyncio.run(_ask_all(port, makers, seconds)))


async def _ask_all(port: int, makers: Sequence[Make], seconds: float) -> tuple[float, Counter[int], list[float]]:
    loop = asyncio.get_running_loop()
    statuses: Counter[int] = Counter()
    waits: list[float] = []
    began = time.perf_counter()
    ends = []
    for make in makers:
        end = loop.create_future()
        ends.append(end)
        opened = partial(_Connection, make, began + seconds, end, statuses, waits)
        await loop.create_connection(opened, "127.0.0.1", port)
    await asyncio.gather(*ends)
    return time.perf_counter() - began, statuses, waits


class _Connection(asyncio.Protocol):
    """Asks, reads the answer to its end, and asks again."""

    def __init__(
        self, make: Make, until: float, end: asyncio.Future[None], statuses: Counter[int], waits: list[float]
    ) -> None:
        self._make, self._until, self._end = make, until, end
        self._statuses, self._waits = statuses, waits
        self._told, self._began = b"", 0.0

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._told += data
        head, found, body = self._told.partition(END_OF_HEAD)
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        self._waits.append(now - self._began)
        self._statuses[int(head[9:12])] += 1
        self._told = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody answers any more."""
        if error is not None or time.perf_counter() < self._until:
            self._statuses[0] += 1
        if not self._end.done():
            self._end.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._make())


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
