"""Buyers who press "buy": plain HTTP over kept connections, the same for every system.

A buyer comes with a cart that is ready to be paid (that was done before the clock starts) and presses once: the one or
two requests by which this system takes the goods from stock and makes an order of the cart.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE_SECONDS = 60.0
END_OF_HEAD = b"\r\n\r\n"
MOST_BYTES = 1 << 24
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Buyer:
    """Presses by sending these requests, one after the other."""

    steps: tuple[bytes, ...]


@dataclass
class Pressed:
    """How it went: seconds from the first press to the last answer, buyers who pressed, answers to their last requests
    by status (0: the connection was lost), the first bodies of each, and how long each press took."""

    seconds: float = 0.0
    presses: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    samples: dict[int, list[str]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def note(self, status: int, body: bytes, seconds: float) -> None:
        """Note the answer to one press."""
        self.presses += 1
        self.statuses[status] += 1
        self.waits.append(seconds)
        kept = self.samples.setdefault(status, [])
        if len(kept) < SAMPLES:
            kept.append(body[:600].decode("utf-8", "replace"))


def request(method: str, path: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The bytes of a request; a body is JSON unless a header says otherwise."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        lines.append("Content-Type: application/json")
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


def press(port: int, buyers: deque[Buyer], *, callers: int, seconds: float) -> Pressed:
    """Let buyers press, `callers` at a time, for `seconds` or until none is left; who pressed is taken off `buyers`."""
    return asyncio.run(_press(port, buyers, callers, seconds))


def race(port: int, buyers: Sequence[Buyer]) -> Pressed:
    """Let all buyers press at once, each over a connection that stands already."""
    return asyncio.run(_press(port, deque(buyers), len(buyers), PATIENCE_SECONDS))


def ask(port: int, wanted: bytes) -> tuple[int, bytes]:
    """Send one request and return status and body of the answer."""
    buyers = deque([Buyer((wanted,))])
    told = press(port, buyers, callers=1, seconds=PATIENCE_SECONDS)
    (status,) = told.statuses
    return status, told.samples[status][0].encode()


async def _press(port: int, buyers: deque[Buyer], callers: int, seconds: float) -> Pressed:
    told = Pressed()
    lines = [await asyncio.open_connection("127.0.0.1", port, limit=MOST_BYTES) for _ in range(callers)]
    began = time.perf_counter()
    try:
        await asyncio.gather(*[_serve(line, buyers, began + seconds, told) for line in lines])
        told.seconds = time.perf_counter() - began
    finally:
        for _, writer in lines:
            writer.close()
    return told


async def _serve(
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter], buyers: deque[Buyer], until: float, told: Pressed
) -> None:
    while buyers and time.perf_counter() < until:
        buyer = buyers.popleft()
        began = time.perf_counter()
        status, body = 0, b""
        try:
            for step in buyer.steps:
                line[1].write(step)
                status, body = await asyncio.wait_for(_answer(line[0]), PATIENCE_SECONDS)
        except (OSError, EOFError, TimeoutError) as error:
            told.note(0, repr(error).encode(), time.perf_counter() - began)
            return
        told.note(status, body, time.perf_counter() - began)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(END_OF_HEAD)
    status = int(head[9:12])
    headers = dict(_fields(head))
    if "chunked" in headers.get("transfer-encoding", ""):
        return status, await _chunks(reader)
    return status, await reader.readexactly(int(headers.get("content-length", "0")))


def _fields(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return [(name.strip().lower(), value.strip().lower()) for name, _, value in pairs]


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
