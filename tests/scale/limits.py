"""What the machine can do at most, measured in the same run: writes that are safe on the disk, rows by COPY, answers of
a server that does nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

from finalmarket.kernel.database import as_owner

BLOCK = b"\0" * 8192
COPIED_ROWS = 100_000
FOLDERS = "fm-scale-"
"""How the names of folders begin that a part makes within the data folder, and removes."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def safe_writes_per_second(folder: Path, seconds: float = 1.0) -> float:
    """How often a second a block of 8 kB can be written and be safe on the disk, one after the other."""
    flush = getattr(os, "fdatasync", os.fsync)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        file.write(BLOCK * 2048)
        flush(file.fileno())
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            os.pwrite(file.fileno(), BLOCK, (count % 2048) * len(BLOCK))
            flush(file.fileno())
            count += 1
        return count / (time.perf_counter() - began)


def copied_rows_per_second() -> float:
    """How many rows of six numbers a second COPY puts into a bare table, committed."""
    rows = "".join(f"{n}\t{n % 997}\t1\t0\t0\t{n}\n" for n in range(COPIED_ROWS)).encode()
    with as_owner(), connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS scale_copied")
        cursor.execute("CREATE TABLE scale_copied (a bigint, b bigint, c int, d int, e int, f bigint)")
        began = time.perf_counter()
        with cursor.copy("COPY scale_copied FROM STDIN") as copy:
            copy.write(rows)
        return COPIED_ROWS / (time.perf_counter() - began)


@contextmanager
def nothing_server() -> Iterator[int]:
    """Within it a server of one process on a port of the loopback address answers each request with nothing."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Any) -> None:
    asyncio.run(_answer(pipe))


async def _answer(pipe: Any) -> None:
    server = await asyncio.get_running_loop().create_server(_Nothing, "127.0.0.1", 0, backlog=2048)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Nothing(asyncio.Protocol):
    """Answers when the end of a head, or a body behind it, was read: requests here come in one piece."""

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(ANSWER)
