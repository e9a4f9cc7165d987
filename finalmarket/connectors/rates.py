"""How often a platform may be asked: what a connector declares, and the budget that all its callers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` (or points) every `per_seconds`, and `burst` at once (default: as many as `calls`)."""

    calls: float
    per_seconds: float = 1.0
    burst: float | None = None

    @property
    def per_second(self) -> float:
        """Calls a second, in the long run."""
        return self.calls / self.per_seconds

    @property
    def capacity(self) -> float:
        """Calls that may follow each other at once."""
        return max(1.0, self.calls if self.burst is None else self.burst)


class Budget(Protocol):
    """The calls that an account has left; all workers share it.

    `take` spends `cost` of the bucket, waiting a little if it must; it raises RetryLater with the seconds to wait
    where that would be long. `learn` takes over what an answer tells: a new pace, or how much is left at this moment.
    """

    def take(self, bucket: str, rate: Rate, cost: float) -> None: ...

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None: ...


class Unlimited:
    """A budget without an end: for platforms without limits, and for single calls such as a connection test."""

    def take(self, bucket: str, rate: Rate, cost: float) -> None:
        """Spend nothing."""

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None:
        """Learn nothing."""
