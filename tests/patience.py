"""Waiting for something to become so, as long as patience lasts: no test sleeps for a time that somebody guessed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.01


def until(
    is_so: Callable[[], object], what: str, most_seconds: float = PATIENCE_SECONDS, *,
    passing: tuple[type[Exception], ...] = (),
) -> float:  # fmt: skip
    """Look again until it is so; return how many seconds that took. An error that is `passing` means: not yet. Raises
    AssertionError once patience is at its end."""
    began, pause = time.monotonic(), threading.Event()
    while True:
        try:
            if is_so():
                return time.monotonic() - began
        except passing:
            pass
        assert time.monotonic() - began < most_seconds, f"waited in vain for {most_seconds:g} s until {what}"
        pause.wait(LOOK_SECONDS)
