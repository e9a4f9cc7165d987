"""Guessing passwords is slow: whoever fails too often waits.

The counts are in the memory of the web process, as those of API keys are (rates.py): with N of them somebody may guess
N times as often, which is still hopeless, and no failed guess costs a write. A person is not locked out by strangers:
their name is counted together with the address that the guesses come from (callers.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from finalmarket.kernel import clock

MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `failures` within `seconds`."""

    failures: int
    seconds: int


OF_NAME_AND_ADDRESS = Limit(8, 15 * 60)
OF_ADDRESS = Limit(60, 15 * 60)

_failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()  # those that failed last stand last
_mutex = threading.Lock()


def wait_seconds(name: str, address: str) -> int:
    """Return how long this address has to wait before it may try this name again; 0: it may try now."""
    with _mutex:
        return max(_wait(key, limit) for key, limit in _keys(name, address))


def note_failure(name: str, address: str) -> None:
    """Remember a wrong password."""
    with _mutex:
        for key, limit in _keys(name, address):
            _failures.setdefault(key, deque(maxlen=limit.failures)).append(clock.ticks())
            _failures.move_to_end(key)
        while len(_failures) > MOST_REMEMBERED:
            _failures.popitem(last=False)  # who attacks from everywhere frees nobody but who failed longest ago


def note_success(name: str, address: str) -> None:
    """Forget the failures of this name from this address."""
    with _mutex:
        _failures.pop(_keys(name, address)[0][0], None)


def forget() -> None:
    """Forget all failures."""
    with _mutex:
        _failures.clear()


def _keys(name: str, address: str) -> list[tuple[tuple[str, ...], Limit]]:
    return [((name.casefold()[:150], address), OF_NAME_AND_ADDRESS), ((address,), OF_ADDRESS)]


def _wait(key: tuple[str, ...], limit: Limit) -> int:
    failed = _failures.get(key)
    if failed is None or len(failed) < limit.failures:
        return 0
    left = limit.seconds - (clock.ticks() - failed[0])
    return max(0, int(left) + 1) if left > 0 else 0
