"""The gate: what concurrent requests bring is written (or looked up) together, and each goes on once its own is.

While one batch is being written, those who come wait; the next batch takes all of them. There is no thread for it: the
first who finds a free lane writes for all that wait, and the last thing it does is to hand the lane to one of those who
came meanwhile. Two lanes let one batch be written while the other is being flushed.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

LANES = 2
MOST_TOGETHER = 5_000
MOST_WAITING = 50_000

Parcel = TypeVar("Parcel")


class Crowded(RuntimeError):
    """Too much waits already; this was not taken. To be told again later."""


class Ticket(Generic[Parcel]):
    """What one caller brings, and what became of it."""

    __slots__ = ("error", "is_done", "parcel", "weight", "_bell")

    def __init__(self, parcel: Parcel, weight: int) -> None:
        self.parcel = parcel
        self.weight = weight
        self.is_done = False
        self.error: Exception | None = None
        self._bell = threading.Lock()
        self._bell.acquire()

    def wait(self) -> None:
        """Block until the ticket is done, or its holder is to write."""
        self._bell.acquire()

    def ring(self) -> None:
        """Wake the holder."""
        self._bell.release()


class Gate(Generic[Parcel]):
    """A queue and a few lanes. `write` stores parcels as a whole or raises; it is called by one thread per lane."""

    def __init__(
        self, write: Callable[[Sequence[Parcel]], None], *, lanes: int = LANES, most_together: int = MOST_TOGETHER,
        most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._write = write
        self._lanes = lanes
        self._most_together = most_together
        self._most_waiting = most_waiting
        self.start_over()
        _gates.add(self)

    def start_over(self) -> None:
        """Begin empty, as in a process that was forked."""
        self._mutex = threading.Lock()
        self._queue: deque[Ticket[Parcel]] = deque()
        self._waiting = 0
        self._free = self._lanes

    def pass_through(self, parcel: Parcel, weight: int) -> None:
        """Have the parcel written, alone or with others; return once it is. `weight` is the number of its events.

        Raises Crowded where too many wait, or what `write` raised.
        """
        ticket = Ticket(parcel, weight)
        with self._mutex:
            if self._waiting and self._waiting + weight > self._most_waiting:
                raise Crowded(f"{self._waiting} events wait already")
            may_write = self._free > 0
            if may_write:
                self._free -= 1
            else:
                self._queue.append(ticket)
                self._waiting += weight
        if not may_write:
            ticket.wait()
        if not ticket.is_done:
            self._write_with(ticket)
        if ticket.error is not None:
            raise ticket.error

    def _write_with(self, own: Ticket[Parcel]) -> None:
        """Write the own parcel and all that wait, wake those whose it was, then hand the lane over."""
        batch = self._take(own)
        error: Exception = RuntimeError("whoever was writing was stopped; what became of it is not known")
        is_written = False
        try:
            self._write([ticket.parcel for ticket in batch])
            is_written = True
        except Exception as raised:
            error = raised
        finally:
            for ticket in batch:
                ticket.error, ticket.is_done = None if is_written else error, True
                if ticket is not own:
                    ticket.ring()
            self._hand_over()

    def _take(self, own: Ticket[Parcel]) -> list[Ticket[Parcel]]:
        """The own ticket and those that wait, as far as they go into one batch. A ticket has left the queue once it has
        a writer: nobody else takes it."""
        batch, weight = [own], own.weight
        with self._mutex:
            while self._queue and weight + self._queue[0].weight <= self._most_together:
                ticket = self._queue.popleft()
                self._waiting -= ticket.weight
                weight += ticket.weight
                batch.append(ticket)
        return batch

    def _hand_over(self) -> None:
        """Wake the next who waits, to write; with nobody there the lane is free."""
        with self._mutex:
            if not self._queue:
                self._free += 1
                return
            following = self._queue.popleft()
            self._waiting -= following.weight
        following.ring()


_gates: weakref.WeakSet[Gate[Any]] = weakref.WeakSet()


def _forget_parent() -> None:
    for inherited in list(_gates):
        inherited.start_over()


os.register_at_fork(after_in_child=_forget_parent)
