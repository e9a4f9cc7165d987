"""Reading ahead: the next batch is read while the database stores the last one."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
SECONDS_BETWEEN_LOOKS = 0.2


def ahead(source: Iterator[T]) -> Generator[T, None, None]:
    """Yield what `source` yields, one item read ahead in a thread; its errors are raised here, in their turn.

    The thread must not use the caller's database connection. It ends when the generator is closed.
    """
    queue: Queue[tuple[bool, T | BaseException | None]] = Queue(maxsize=1)
    left = threading.Event()

    def put(item: tuple[bool, T | BaseException | None]) -> None:
        while not left.is_set():
            try:
                queue.put(item, timeout=SECONDS_BETWEEN_LOOKS)
                return
            except Full:
                continue

    def read() -> None:
        try:
            for item in source:
                put((True, item))
                if left.is_set():
                    return
            put((False, None))
        except BaseException as error:
            put((False, error))

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            is_item, item = queue.get()
            if is_item:
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        left.set()
        thread.join()


@contextmanager
def calm_collector() -> Iterator[None]:
    """Within it, Python looks for reference cycles a hundred times less often: a batch is thousands of small tuples
    without cycles, and looking through them again and again takes a quarter of the reading."""
    before = gc.get_threshold()
    gc.set_threshold(before[0] * 100, before[1], before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)
