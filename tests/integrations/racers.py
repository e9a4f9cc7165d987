"""Workers in processes of their own, that race for the same work and are killed: at failpoints, and at any moment."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait

from django.db import connections

from finalmarket.kernel import failpoints
from finalmarket.sandbox.webhooks import Letter

AT_ONCE = 40


@dataclass(frozen=True)
class Kind:
    """A kind of worker: what it does, again and again with a little pause, and where it can be killed while it does."""

    name: str
    act: Callable[[], object]
    places: Sequence[str]
    pause_seconds: float = 0.01


class Worker:
    """A process that works until it is killed: at a failpoint where it was told one, else after so many seconds."""

    def __init__(self, kind: Kind, dice: random.Random, most_seconds: float, most_visits: int) -> None:
        self.kind = kind
        self.place = f"{dice.choice(kind.places)}:kill@{dice.randint(1, most_visits)}" if dice.random() < 0.5 else ""
        seconds = 4 * most_seconds if self.place else dice.uniform(0.02, most_seconds)
        self.end = time.monotonic() + seconds
        self.process = fork(self._work)

    def _work(self) -> None:
        parent, gate = os.getppid(), threading.Event()
        with failpoints.armed(self.place):
            while os.getppid() == parent:
                self.kind.act()
                gate.wait(self.kind.pause_seconds)

    def died_of(self) -> str:
        """What it was killed by, "" while it lives. Raises AssertionError for one that ended otherwise."""
        is_over = time.monotonic() > self.end
        process, status = os.waitpid(self.process, os.WNOHANG)
        if not process and not is_over:
            return ""
        if not process:
            self.kill()
            return "the clock"
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"{self.kind.name} broke down"
        return "a failpoint"

    def kill(self) -> None:
        """End it now."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def fork(work: Callable[[], None]) -> int:
    """Do it in a process of its own, with connections of its own; returns the process. What it raises is written on
    its standard error."""
    connections.close_all()
    process = os.fork()
    if process:
        return process
    try:
        work()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(1)


class Post:
    """Brings letters to a door that may be killed: what was not answered is brought again, as platforms do."""

    def __init__(self, receive: Callable[[Letter], int]) -> None:
        self.receive = receive
        self.waiting: deque[Letter] = deque()
        self.unanswered: dict[int, Letter] = {}
        self.count = 0
        self._open()

    def _open(self) -> None:
        self.waiting.extendleft(self.unanswered.values())
        self.unanswered.clear()
        self.out, self.door = Pipe()

    def answer(self) -> None:
        """What the door does: takes one letter in, and says so. Called in its own process."""
        if not self.out.closed:
            self.out.close()  # the door hears when the platform is gone
        number, letter = self.door.recv()
        assert self.receive(letter) == 200
        self.door.send(number)

    def is_busy(self) -> bool:
        """Whether a letter has not been answered yet."""
        return bool(self.waiting or self.unanswered)

    def moved(self) -> None:
        """The door's process was begun anew."""
        self.door.close()

    def reopen(self) -> None:
        """The door's process has died."""
        self.hear()
        self.out.close()
        self._open()

    def bring(self) -> None:
        """Hand over what waits, as far as the door can hold it."""
        self.hear()
        try:
            while self.waiting and len(self.unanswered) < AT_ONCE:
                self.count += 1
                self.unanswered[self.count] = self.waiting.popleft()
                self.out.send((self.count, self.unanswered[self.count]))
        except OSError:
            return  # it died meanwhile

    def hear(self) -> None:
        """Take the answers."""
        try:
            while self.out.poll():
                self.unanswered.pop(self.out.recv(), None)
        except (OSError, EOFError):
            return


class Race:
    """Workers of several kinds, one of them the door that letters are brought to; whoever is killed is replaced at
    once. `deaths` counts them by kind and cause."""

    def __init__(
        self, kinds: Sequence[Kind], post: Post, dice: random.Random, *, most_seconds: float, most_visits: int
    ) -> None:
        self.post, self.dice, self.most_seconds, self.most_visits = post, dice, most_seconds, most_visits
        self.workers = {kind.name: Worker(kind, dice, most_seconds, most_visits) for kind in kinds}
        post.moved()
        self.deaths: Counter[tuple[str, str]] = Counter()

    def tend(self, seconds: float = 0.0) -> None:
        """Bring letters, and replace the dead; wait so long for something to happen."""
        self.post.bring()
        for name, worker in list(self.workers.items()):
            cause = worker.died_of()
            if not cause:
                continue
            self.deaths[name, cause] += 1
            is_door = worker.kind.act == self.post.answer
            if is_door:
                self.post.reopen()
            self.workers[name] = Worker(worker.kind, self.dice, self.most_seconds, self.most_visits)
            if is_door:
                self.post.moved()
        if seconds:
            wait([self.post.out], seconds)

    def stop(self) -> None:
        """End them all."""
        for worker in self.workers.values():
            worker.kill()
        self.post.reopen()
