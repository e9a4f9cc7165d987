"""Whether this process is about to stop: it still answers, and says so, that nobody sends it anything new.

A web process is told by SIGUSR1 (from the one that keeps it, cli/web.py), some seconds before it is told to stop.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_DRAIN_SECONDS"
MOST_SECONDS = 600.0

_begun = threading.Event()


def is_draining() -> bool:
    """Whether this process is about to stop."""
    return _begun.is_set()


def begin() -> None:
    """From now on this process says that it is about to stop."""
    _begun.set()


def listen() -> None:
    """Begin when SIGUSR1 comes; to be called by the main thread of a process that answers requests."""

    def told(number: int, frame: FrameType | None) -> None:
        begin()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, told)


def seconds() -> float:
    """How long a process says so before it takes nothing new: FINALMARKET_DRAIN_SECONDS, none by default."""
    given = os.environ.get(VARIABLE, "0")
    try:
        wanted = float(given)
    except ValueError:
        wanted = -1.0
    if not 0 <= wanted <= MOST_SECONDS:
        raise UserError(f"{VARIABLE} is {given!r}; give seconds between 0 and {MOST_SECONDS:g}")
    return wanted
