"""How a stand-in misbehaves: which fault meets which request, by a schedule that a seed decides."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """What may go wrong. Those under `wire` are the server's own doing, the others change what the handler sees."""

    # Refused before anything happens.
    TOO_MANY = "429 without Retry-After"
    TOO_MANY_WAIT = "429 with Retry-After"
    ERROR_BEFORE = "5xx before the effect"
    TOKEN_EXPIRED = "the token is refused once"  # noqa: S105  no password
    CURSOR_EXPIRED = "the page token is refused once"
    # The effect happens, the news of it does not arrive whole.
    ERROR_AFTER = "applied, but answered 5xx"
    TIME_OUT = "applied, but no answer in time"
    RESET_AFTER = "applied, then the connection is reset"
    TRUNCATED = "the answer breaks off"
    MALFORMED = "the answer is not JSON"
    SLOW_DRIP = "the answer drips"
    # The news is wrong.
    NOT_APPLIED = "200, but nothing was applied"
    STALE_READ = "a read shows an older state"
    DUPLICATE_PAGE = "records of the last page come again"
    MISSING_PAGE = "records of a page are left out for now"
    CLOCK_SKEW = "the platform's clock is off by minutes"
    # Before anything happens, on the wire.
    RESET_BEFORE = "the connection is reset before the effect"


WRITES_ONLY = frozenset({Fault.ERROR_AFTER, Fault.NOT_APPLIED, Fault.RESET_AFTER})
PAGES_ONLY = frozenset({Fault.DUPLICATE_PAGE, Fault.MISSING_PAGE, Fault.CURSOR_EXPIRED})
READS_ONLY = PAGES_ONLY | {Fault.STALE_READ}


@dataclass
class Faults:
    """A schedule: each request meets a fault with `share` probability, chosen from `kinds`, until `most` were met.

    Those of `then` are met first, in their order, by the requests that they can meet. `met` and `counts` (by kind)
    count those that did harm: one that was drawn for a request which it could not harm is taken back, and counted as
    `vain`.
    """

    seed: int = 0
    share: float = 0.0
    kinds: Sequence[Fault] = tuple(Fault)
    most: int = 0
    met: int = 0
    counts: Counter[Fault] = field(default_factory=Counter)
    vain: Counter[Fault] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311
        self._next: list[Fault] = []
        self._lock = threading.Lock()

    def then(self, *faults: Fault) -> None:
        """Let the next fitting requests meet these faults."""
        with self._lock:
            self._next += faults

    def stop(self) -> None:
        """No more faults."""
        with self._lock:
            self.share, self._next = 0.0, []

    def draw(self, *, is_write: bool) -> Fault | None:
        """The fault that this request meets, if any."""
        with self._lock:
            for index, fault in enumerate(self._next):
                if _fits(fault, is_write):
                    del self._next[index]
                    return self._counted(fault)
            if not self.share or (self.most and self.met >= self.most) or self._dice.random() >= self.share:
                return None
            fitting = [fault for fault in self.kinds if _fits(fault, is_write)]
            if not fitting:
                return None
            return self._counted(self._dice.choice(fitting))

    def take_back(self, fault: Fault) -> None:
        """That fault did no harm to the request that it was drawn for: it is not counted."""
        with self._lock:
            self.met -= 1
            self.counts[fault] -= 1
            self.vain[fault] += 1

    def _counted(self, fault: Fault) -> Fault:
        self.met += 1
        self.counts[fault] += 1
        return fault


def _fits(fault: Fault, is_write: bool) -> bool:
    return fault not in (READS_ONLY if is_write else WRITES_ONLY)
