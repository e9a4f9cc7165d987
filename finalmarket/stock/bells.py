"""How the desk (stock/desk.py) wakes who waits for tickets: tasks once per event loop, threads in a relay."""

from __future__ import annotations

import asyncio
import threading
import weakref
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
        alarm = _alarm_of(self.loop)
        alarm.watch(self.future, self.loop, timeout)
        try:
            return await self.future
        finally:
            alarm.forget(self.future)


class LoopAlarm:
    """Ends the waiting of tasks of one event loop whose time is up. One timer for all of them: a timer each would be a
    fifth of what a wait costs, and almost none of them ever goes off."""

    __slots__ = ("_at", "_deadlines", "_timer")

    def __init__(self) -> None:
        self._deadlines: dict[asyncio.Future[bool], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    def watch(self, future: asyncio.Future[bool], loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        """End `future` in `timeout` seconds, with False."""
        self._deadlines[future] = deadline = loop.time() + timeout
        if self._timer is None or deadline < self._at:
            self._set(loop, deadline)

    def forget(self, future: asyncio.Future[bool]) -> None:
        """Nobody waits for `future` any more. Without anybody who waits, nothing of the loop is kept."""
        self._deadlines.pop(future, None)
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._at = deadline
        self._timer = loop.call_at(deadline, self._go_off, loop)

    def _go_off(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        late = [future for future, deadline in self._deadlines.items() if deadline <= now]
        for future in late:
            del self._deadlines[future]
            _end(future, False)
        if self._deadlines:
            self._set(loop, min(self._deadlines.values()))


_alarms: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopAlarm] = weakref.WeakKeyDictionary()


def _alarm_of(loop: asyncio.AbstractEventLoop) -> LoopAlarm:
    alarm = _alarms.get(loop)
    if alarm is None:
        alarm = _alarms[loop] = LoopAlarm()
    return alarm


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
