"""What all stand-ins share: one clock that a test may steer, one source of chance, one journal of what happened."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


class WorldClock:
    """The time in the outside world: the machine's, or standing still until it is moved on."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    def now(self) -> datetime:
        """The present moment there, in UTC."""
        return self._at or datetime.now(UTC)

    def stand_still(self, at: datetime | None = None) -> None:
        """Stop the clock, at `at` if given."""
        self._at = at or self.now()

    def advance(self, by: timedelta) -> None:
        """Move a clock that stands still on."""
        self._at = self.now() + by


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: `what` is "request", "effect" (something really changed) or "webhook"."""

    number: int
    at: datetime
    platform: str
    what: str
    name: str
    facts: dict[str, Any]


class Journal:
    """What really happened, in order: the truth that a hub's books are compared with."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def write(self, platform: str, what: str, name: str, **facts: Any) -> None:
        """Add a line."""
        with self._lock:
            self._entries.append(Entry(len(self._entries), self._clock.now(), platform, what, name, facts))

    def entries(self, *, platform: str = "", what: str = "", name: str = "") -> list[Entry]:
        """The lines that fit; "" fits all."""
        with self._lock:
            found = list(self._entries)
        return [
            entry
            for entry in found
            if platform in ("", entry.platform) and what in ("", entry.what) and name in ("", entry.name)
        ]


@dataclass
class World:
    """The clock, the dice and the journal."""

    seed: int = 1
    clock: WorldClock = field(default_factory=WorldClock)
    journal: Journal = field(init=False)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.clock)
        self.chance = random.Random(self.seed)  # noqa: S311  dice, no secrets


@dataclass
class Bucket:
    """A token bucket as platforms keep it: `capacity` at once, refilled at `per_second`."""

    per_second: float
    capacity: float
    now: Callable[[], datetime]
    left: float = field(init=False)
    _at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.left, self._at = self.capacity, self.now()

    def take(self, cost: float = 1.0) -> float:
        """Spend `cost` if there is so much; return 0, or the seconds until there will be."""
        moment = self.now()
        elapsed = max(0.0, (moment - self._at).total_seconds())
        self.left, self._at = min(self.capacity, self.left + elapsed * self.per_second), moment
        if self.left + 1e-9 >= cost:
            self.left -= cost
            return 0.0
        return (cost - self.left) / self.per_second
