"""The desk: reservations of many concurrent callers, settled together.

While one call is at the database, new requests queue; the next call takes them all, and each caller gets its own
verdict. That is what makes one hot SKU fast: its lock is taken once per batch instead of once per buyer. One thread
and one connection per process do the work; threads and asyncio tasks may call alike.

    verdict = desk().reserve(request)                   # from a thread
    verdict = await desk().reserve_async(request)       # from a task

The desk commits on its own connection, so it refuses to run inside a transaction; there, call `stock.reserve.reserve`.
See docs/decisions for what was measured and why it is built so.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.transaction import TransactionManagementError

from finalmarket.kernel import measures, tracing
from finalmarket.stock import ledger
from finalmarket.stock.bells import Bell, LoopBell, ThreadBell, ring_all
from finalmarket.stock.clerk import (
    Clerk,
    DeskDown,
    Errand,
    Ticket,
    carry_confirmations,
    carry_releases,
    carry_reservations,
    spell,
)
from finalmarket.stock.reserve import MOST_SUBMISSIONS, Request, Verdict, reserve

__all__ = ["Desk", "DeskClosed", "DeskDown", "DeskFull", "DeskTimeout", "desk", "settle", "settle_for_each"]

MOST_PER_CALL = 1_000
MOST_LINES_PER_CALL = 2_000
MOST_WAITING = 20_000
CROWD = 64
TIMEOUT_SECONDS = 30.0
ACTOR = "desk"


class DeskFull(RuntimeError):
    """Too many requests wait already; this one was not taken. Try again later."""


class DeskClosed(RuntimeError):
    """The desk has been closed; this request was not taken."""


class DeskTimeout(TimeoutError):
    """No verdict in time. The message says whether the request was withdrawn or may still be settled."""


class Desk:
    """A queue, a thread that empties it, and the clerk who goes to the database. Survives a fork: the child's desk
    starts empty, with a connection of its own."""

    def __init__(self, *, most_per_call: int = MOST_PER_CALL, most_waiting: int = MOST_WAITING) -> None:
        self.most_per_call = most_per_call
        self.most_waiting = most_waiting
        self._start_over()
        _desks.add(self)

    def _start_over(self) -> None:
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._queues: dict[Errand, deque[Ticket]] = {}
        self._waiting = 0
        self._is_idle = False
        self._is_closing = False
        self._measure = self.most_per_call
        self._thread: threading.Thread | None = None
        self._clerk = Clerk()

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn; those at the database are not among them."""
        return self._waiting

    # Callers' side.

    def reserve(self, request: Request, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR) -> Verdict:
        """Settle one request and return its verdict; blocks this thread, at most `timeout` seconds.

        Raises TransactionManagementError inside a transaction, DeskFull, DeskClosed, DeskTimeout, DeskDown, or what
        the database has against this very request. After DeskDown, or a DeskTimeout that says so, ask again under the
        same key: it is never held twice.
        """
        verdict: Verdict = self._wait(_reserving(actor), [request], timeout)[0]
        return verdict

    def reserve_many(
        self, requests: Sequence[Request], *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR
    ) -> list[Verdict]:
        """Settle several requests, each on its own, in their order; raises as `reserve` does, `timeout` per thousand.

        They share batches with other callers. An error of one is raised once all are settled.
        """
        answers: list[Verdict] = []
        for first in range(0, len(requests), self.most_per_call):
            answers += self._wait(_reserving(actor), requests[first : first + self.most_per_call], timeout)
        return answers

    def reserve_for_each(
        self, wishes: Sequence[tuple[str, Request]], *, timeout: float | None = TIMEOUT_SECONDS
    ) -> list[Verdict | Exception]:
        """Settle requests of several actors, each on its own; an error of one stands in its place. Raises as `reserve`
        does for what concerns all."""
        if not wishes:
            return []
        tickets = self._settled([(_reserving(actor), request) for actor, request in wishes], timeout)
        return [ticket.error or ticket.answer for ticket in tickets]

    async def reserve_async(
        self, request: Request, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR
    ) -> Verdict:
        """As `reserve`, for a task of any event loop, which runs on while the desk works.

        A task has no transaction that could be refused: Django does not open one inside an event loop.
        """
        verdict: Verdict = (await self._await(_reserving(actor), [request], timeout))[0]
        return verdict

    async def reserve_many_async(
        self, requests: Sequence[Request], *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR
    ) -> list[Verdict]:
        """As `reserve_many`, for a task of any event loop."""
        answers: list[Verdict] = []
        for first in range(0, len(requests), self.most_per_call):
            answers += await self._await(_reserving(actor), requests[first : first + self.most_per_call], timeout)
        return answers

    def confirm(self, reservation_id: int, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR) -> str:
        """Turn a hold into a promise; return "confirmed" or "refused: why", as `ledger.confirm` does.

        Raises as `reserve` does. A hold that lost its units is taken anew, in a transaction of its own.
        """
        if self._wait(Errand(carry_confirmations, actor), [reservation_id], timeout)[0]:
            return "confirmed"
        return ledger.confirm([reservation_id], actor=actor)[reservation_id]

    async def confirm_async(
        self, reservation_id: int, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR
    ) -> str:
        """As `confirm`, for a task of any event loop."""
        if (await self._await(Errand(carry_confirmations, actor), [reservation_id], timeout))[0]:
            return "confirmed"
        return await asyncio.to_thread(_confirm_apart, reservation_id, actor)

    def release(self, reservation_id: int, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR) -> bool:
        """Give back a hold; return whether its units are back, now or before (False: it is a promise, or unknown).

        Raises as `reserve` does.
        """
        return bool(self._wait(Errand(carry_releases, actor), [reservation_id], timeout)[0])

    async def release_async(
        self, reservation_id: int, *, timeout: float | None = TIMEOUT_SECONDS, actor: str = ACTOR
    ) -> bool:
        """As `release`, for a task of any event loop."""
        return bool((await self._await(Errand(carry_releases, actor), [reservation_id], timeout))[0])

    def close(self, *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Settle what waits, then let the thread and the connection go; what comes later is refused with DeskClosed."""
        with self._lock:
            self._is_closing = True
            self._work.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _wait(self, errand: Errand, wishes: Sequence[Any], timeout: float | None) -> list[Any]:
        if not wishes:
            return []
        return _answers(self._settled([(errand, wish) for wish in wishes], timeout))

    def _settled(self, wishes: Sequence[tuple[Errand, Any]], timeout: float | None) -> list[Ticket]:
        _refuse_in_transaction()
        bell = ThreadBell(len(wishes))
        tickets = self._submit(wishes, bell)
        if not bell.wait(timeout):
            raise self._give_up(tickets, timeout)
        return tickets

    async def _await(self, errand: Errand, wishes: Sequence[Any], timeout: float | None) -> list[Any]:
        if not wishes:
            return []
        bell = LoopBell(len(wishes), asyncio.get_running_loop())
        tickets = self._submit([(errand, wish) for wish in wishes], bell)
        try:
            in_time = await bell.wait(timeout)
        except asyncio.CancelledError:
            self._give_up(tickets, timeout)
            raise
        if not in_time:
            raise self._give_up(tickets, timeout)
        return _answers(tickets)

    def _submit(self, wishes: Sequence[tuple[Errand, Any]], bell: Bell) -> list[Ticket]:
        tickets = [
            Ticket(wish, bell, len(wish.lines), spell(wish))
            if errand.carry_out is carry_reservations
            else Ticket(wish, bell)
            for errand, wish in wishes
        ]
        with self._lock:
            if self._is_closing:
                raise DeskClosed("the stock desk has been closed; this request was not taken")
            if self._waiting + len(tickets) > self.most_waiting:
                raise DeskFull(f"{self._waiting} requests wait at the stock desk already; try again later")
            self._waiting += len(tickets)
            for (errand, _), ticket in zip(wishes, tickets, strict=True):
                self._queues.setdefault(errand, deque()).append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="stock desk", daemon=True)
                self._thread.start()
            elif self._is_idle:
                self._is_idle = False
                self._work.notify()
        return tickets

    def _give_up(self, tickets: Sequence[Ticket], timeout: float | None) -> DeskTimeout:
        """Take back what has not been sent yet; return the error that says what is known."""
        with self._lock:
            for ticket in tickets:
                if not ticket.taken and not ticket.withdrawn:
                    ticket.withdrawn = True
                    self._waiting -= 1
        if any(ticket.taken for ticket in tickets):
            return DeskTimeout(f"no verdict in {timeout} s; the request may still be settled: ask again under its key")
        return DeskTimeout(f"no verdict in {timeout} s; the request was withdrawn before it was sent")

    # The thread's side.

    def _serve(self) -> None:
        answered: list[Bell] = []

        def ring() -> None:
            ring_all(answered)
            answered.clear()

        try:
            while True:
                # A crowd is rung for once the next call is out: those who wake would keep it from the database. A few
                # are waked first, so that they come along with those who wait.
                if self._waiting < CROWD:
                    ring()
                errand, batch = self._next_batch()
                if errand is None:
                    return
                waited = time.monotonic() - batch[0].since
                with tracing.span("desk", requests=len(batch)):
                    self._clerk.settle(errand, batch, once_sent=ring)
                answered += self._answered(errand, batch)
                measures.count_batch(len(batch), self._waiting, waited)
                # Of a crowd that comes again at once, half goes with a call, so that always one half is at the database
                # while the other is answered and asks anew.
                self._measure = min(self.most_per_call, max(CROWD, (len(batch) + self._waiting + 1) // 2))
        finally:
            ring()
            self._clerk.close()
            with self._lock:
                self._thread = None

    def _next_batch(self) -> tuple[Errand | None, list[Ticket]]:
        """Wait for work and take it: all that waits for the errand whose turn it is, at most `most_per_call`.

        Returns (None, []) once the desk is closing and nothing waits.
        """
        with self._lock:
            while True:
                while not self._queues:
                    if self._is_closing:
                        return None, []
                    self._is_idle = True
                    self._work.wait()
                self._is_idle = False
                errand = next(iter(self._queues))
                queue = self._queues.pop(errand)
                batch = self._take(queue)
                if queue:
                    self._queues[errand] = queue  # behind the others: no errand starves another
                if batch:
                    return errand, batch

    def _take(self, queue: deque[Ticket]) -> list[Ticket]:
        """What goes with the next call: no more requests than its measure, and one request or no more lines than it."""
        batch: list[Ticket] = []
        lines = 0
        while queue and len(batch) < self._measure:
            lines += queue[0].lines
            if batch and lines > MOST_LINES_PER_CALL:
                break
            ticket = queue.popleft()
            if not ticket.withdrawn:
                ticket.taken = True
                batch.append(ticket)
        self._waiting -= len(batch)
        return batch

    def _answered(self, errand: Errand, batch: Sequence[Ticket]) -> list[Bell]:
        """The bells of those who have their answer; the others are sent again, before all who wait."""
        again: list[Ticket] = []
        done: list[Bell] = []
        final: list[tuple[str, int | None]] = []
        for ticket in batch:
            if ticket.answer is not None and _wants_again(ticket):
                ticket.taken = False
                again.append(ticket)
                continue
            if isinstance(ticket.answer, Verdict):
                final.append((ticket.answer.outcome, ticket.answer.available))
            ticket.bell.left -= 1
            if not ticket.bell.left:
                done.append(ticket.bell)
        measures.count_verdicts(final)
        if again:
            with self._lock:
                self._waiting += len(again)
                self._queues.setdefault(errand, deque()).extendleft(reversed(again))
        return done


def _reserving(actor: str) -> Errand:
    return Errand(carry_reservations, actor)


def _wants_again(ticket: Ticket) -> bool:
    """Whether the verdict is `again` and the patience with it is not exhausted."""
    if not isinstance(ticket.answer, Verdict) or ticket.answer.outcome != "again":
        return False
    ticket.submissions += 1
    return ticket.submissions < MOST_SUBMISSIONS


def _answers(tickets: Sequence[Ticket]) -> list[Any]:
    for ticket in tickets:
        if ticket.error is not None:
            raise ticket.error
    return [ticket.answer for ticket in tickets]


def _refuse_in_transaction() -> None:
    """Refuse a thread that has a transaction open. A task cannot have one: Django opens none in an event loop."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            raise TransactionManagementError(
                "the stock desk commits on its own connection and would not be undone with this transaction; "
                "call finalmarket.stock.reserve.reserve within it"
            )


def _confirm_apart(reservation_id: int, actor: str) -> str:
    """Confirm in a thread lent for it, whose connection goes with it."""
    try:
        return ledger.confirm([reservation_id], actor=actor)[reservation_id]
    finally:
        connections.close_all()


# One desk per process. A forked child has copies of its parent's desks, whose threads did not come along and whose
# connections are the parent's: they are set aside unclosed, lest the parent's server be told good-bye.
_desks: weakref.WeakSet[Desk] = weakref.WeakSet()
_set_aside: list[object] = []
_desk: Desk | None = None
_desk_lock = threading.Lock()


def desk() -> Desk:
    """The desk of this process, opened at the first call and closed when the process ends."""
    global _desk
    if _desk is None:
        with _desk_lock:
            if _desk is None:
                _desk = Desk()
                atexit.register(_desk.close)
    return _desk


def settle(requests: Sequence[Request], *, actor: str) -> list[Verdict]:
    """Settle requests, each on its own: at the desk, or within the caller's transaction where there is one, so that a
    door needs not know. Raises as `Desk.reserve_many` does."""
    if connections["default"].in_atomic_block:
        return reserve(requests, actor=actor)
    return desk().reserve_many(requests, actor=actor)


def settle_for_each(wishes: Sequence[tuple[str, Request]]) -> list[Verdict | Exception]:
    """As `settle`, for requests of several actors; an error of one stands in its place."""
    if connections["default"].in_atomic_block:
        return [reserve([request], actor=actor)[0] for actor, request in wishes]
    return desk().reserve_for_each(wishes)


def _forget_parent() -> None:
    global _desk_lock
    _desk_lock = threading.Lock()
    for inherited in list(_desks):
        _set_aside.append(inherited._clerk)
        inherited._start_over()


os.register_at_fork(after_in_child=_forget_parent)
