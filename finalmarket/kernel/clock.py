"""The one clock of the house. Code asks it instead of the machine, so that a test can hold it and a run can be
replayed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def days_ago(days: int) -> datetime:
    """The moment so many days before the present one, as in `performance_metrics(start_date=days_ago(30))`."""
    return now() - timedelta(days=days)


def day_in(time_zone: str, at: datetime) -> date:
    """The day of a moment in a time zone (IANA): at 17:00 in Los Angeles it is still the day before that of UTC."""
    return at.astimezone(ZoneInfo(time_zone)).date()


class Steered:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = _aware(at)

    def now(self) -> datetime:
        """The moment it stands at."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move it to a moment."""
        self._at = _aware(at)

    def advance(self, by: timedelta) -> None:
        """Move it on (or back, for a negative span)."""
        self._at += by


_steered: Steered | None = None


def now() -> datetime:
    """The present moment, in UTC and aware of it."""
    return _steered.now() if _steered is not None else datetime.now(UTC)


def held() -> datetime | None:
    """The moment at which the clock was made to stand, None while it runs: for SQL that takes the database's own time
    unless a test steers it, `coalesce(%(now)s, clock_timestamp())`."""
    return _steered.now() if _steered is not None else None


def ticks() -> float:
    """Seconds of a clock that never goes back, to measure spans with; only differences mean something."""
    return _steered.now().timestamp() if _steered is not None else time.monotonic()


@contextmanager
def steered(at: datetime | None = None) -> Iterator[Steered]:
    """Within it the clock of the whole process, all threads of it, stands still at `at` (default: now) and can be
    moved.

    What asks the database for the time is not moved: pass `clock.now()` to it.
    """
    global _steered
    before, _steered = _steered, Steered(at or now())
    try:
        yield _steered
    finally:
        _steered = before


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"a moment needs a time zone, {at.isoformat()} has none")
    return at.astimezone(UTC)
