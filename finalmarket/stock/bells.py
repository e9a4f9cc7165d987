"""How the desk (stock/desk.py) wakes who waits for tickets: tasks once per event loop, threads in a relay."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import TypeAlias

# So many threads are woken at once; each wakes the next. Hundreds at once would fight for the interpreter's lock.
RELAYS = 4


class ThreadBell:
    """Wakes one thread once all its tickets are answered. A bare lock is the cheapest way to wait."""

    __slots__ = ("_has_left", "_lock", "following", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.following: ThreadBell | None = None
        self._has_left = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, timeout: float | None) -> bool:
        """Block this thread until the bell is rung, or for `timeout` seconds; whether it was rung."""
        try:
            rung = self._lock.acquire(timeout=-1 if timeout is None else timeout)
        except BaseException:
            self._leave()
            raise
        if rung:
            ring(self.following)
            return True
        return self._leave()

    def _leave(self) -> bool:
        """Wait no longer. If the bell was rung in this very moment, pass the ring on."""
        self._has_left = True
        rung = self._lock.acquire(blocking=False)
        if rung:
            ring(self.following)
        return rung

    def ring(self) -> bool:
        """Wake the thread; whether it is there to wake the next one. Of it and us, exactly one gets the lock."""
        self._lock.release()
        return not (self._has_left and self._lock.acquire(blocking=False))


class LoopBell:
    """Wakes one task once all its tickets are answered."""

    __slots__ = ("future", "left", "loop")

    def __init__(self, left: int, loop: asyncio.AbstractEventLoop) -> None:
        self.left = left
        self.loop = loop
        self.future: asyncio.Future[bool] = loop.create_future()

    async def wait(self, timeout: float | None) -> bool:
        """Wait until the bell is rung, or for `timeout` seconds; whether it was rung."""
        if timeout is None:
            return await self.future
        alarm = self.loop.call_later(timeout, _end, self.future, False)
        try:
            return await self.future
        finally:
            alarm.cancel()


Bell: TypeAlias = ThreadBell | LoopBell


def ring_all(bells: Iterable[Bell]) -> None:
    """Wake all who wait: tasks by one call into each event loop, threads by a few relays."""
    threads: list[ThreadBell] = []
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[bool]]] = {}
    for bell in bells:
        if isinstance(bell, ThreadBell):
            threads.append(bell)
        else:
            loops.setdefault(bell.loop, []).append(bell.future)
    for loop, futures in loops.items():
        try:
            loop.call_soon_threadsafe(wake, futures)
        except RuntimeError:
            continue  # the loop was closed: nobody waits there any more
    for bell, following in zip(threads, threads[RELAYS:], strict=False):
        bell.following = following
    for bell in threads[:RELAYS]:
        ring(bell)


def ring(bell: ThreadBell | None) -> None:
    """Wake a thread, or in place of one that has left the next in its relay."""
    while bell is not None:
        following = bell.following
        if bell.ring():
            return
        bell = following


def wake(futures: Sequence[asyncio.Future[bool]]) -> None:
    """Wake tasks of one event loop, from within it."""
    for future in futures:
        _end(future, True)


def _end(future: asyncio.Future[bool], in_time: bool) -> None:
    if not future.done():
        future.set_result(in_time)
