"""Webhooks that a stand-in sends: signed by the platform's own rule, from one thread, doubled or late when told to."""

from __future__ import annotations

import queue
import random
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx2

from finalmarket.sandbox.world import World

TRIES = 4
SECONDS = 5.0
NOWHERE = (".example", ".invalid", ".test")
"""Names that nobody has (RFC 2606). They are not asked for: a name server may take seconds to say so."""


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that stand-ins trust, read once for the whole process: it takes longer than most calls."""
    return httpx2.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery: where it goes, its headers and its body, signed already."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    name: str = ""


@dataclass
class Sender:
    """Sends letters in the background until it is stopped. `copies` sends each that often at most, `shuffled` holds
    back up to that many to send them in another order."""

    world: World
    platform: str
    copies: int = 1
    shuffled: int = 0
    _letters: queue.SimpleQueue[Letter | None] = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None
    _is_muted: bool = False
    _is_stopping: bool = False
    _open: int = 0
    _idle: threading.Condition = field(default_factory=threading.Condition)

    def send(self, letter: Letter) -> None:
        """Have it sent, soon."""
        if self._is_muted:
            return
        with self._idle:
            self._open += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"{self.platform} webhooks", daemon=True)
                self._thread.start()
        self._letters.put(letter)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Within it nothing is sent."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until all letters are sent or given up; whether they are."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout)

    def stop(self) -> None:
        """Send what waits, each once at most, then stop."""
        thread = self._thread
        if thread is not None:
            self._is_stopping = True
            self._letters.put(None)
            thread.join(SECONDS)
            self._thread, self._is_stopping = None, False

    def _work(self) -> None:
        dice = random.Random(self.world.seed)  # noqa: S311
        held: list[Letter] = []
        with httpx2.Client(verify=trusted(), timeout=SECONDS, trust_env=False) as client:
            while True:
                letter = self._letters.get()
                if letter is not None:
                    held += [letter] * dice.randint(1, self.copies)
                    if len(held) <= self.shuffled and not self._letters.empty():
                        self._done()
                        continue
                dice.shuffle(held) if self.shuffled else None
                for one in held:
                    self._deliver(client, one)
                held = []
                if letter is None:
                    return
                self._done()

    def _done(self) -> None:
        with self._idle:
            self._open -= 1
            self._idle.notify_all()

    def _deliver(self, client: httpx2.Client, letter: Letter) -> None:
        status = 0
        for _ in range(0 if httpx2.URL(letter.url).host.endswith(NOWHERE) else TRIES):
            try:
                status = client.post(letter.url, content=letter.body, headers=dict(letter.headers)).status_code
            except httpx2.HTTPError:
                pass
            if 0 < status < 500 or self._is_stopping:
                break
        self.world.journal.write(self.platform, "webhook", letter.name, url=letter.url, status=status)
