"""How fast a key may call: a bucket of calls that fills evenly, one for each family of keys.

The buckets are in the memory of the web process. One in the database would be exact over many processes, and cost every
call, reads too, a write and a flush of the disk; the limit protects the house from one program, it is no price list.
With N web processes a key may make up to N times its calls.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from finalmarket.kernel import clock

MOST_BUCKETS = 10_000
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What a key has left: `remaining` of `limit` calls; all of them after `full_in_seconds`. A call that came too soon
    may be made again after `wait_seconds` (0: it was in time)."""

    limit: int
    remaining: int
    full_in_seconds: int
    wait_seconds: int


_buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()  # those that were used last stand last
_mutex = threading.Lock()


def take(family: UUID, calls_per_minute: int) -> Left:
    """Count one call of this family."""
    now = clock.ticks()
    per_second = calls_per_minute / SECONDS
    with _mutex:
        calls, at = _buckets.get(family, (float(calls_per_minute), now))
        calls = min(calls_per_minute, calls + max(0.0, now - at) * per_second)
        is_in_time = calls >= 1
        calls -= 1 if is_in_time else 0
        _buckets[family] = (calls, now)
        _buckets.move_to_end(family)
        if len(_buckets) > MOST_BUCKETS:
            _buckets.popitem(last=False)  # the one that was not used for longest, and is full again first
    wait = 0 if is_in_time else max(1, math.ceil((1 - calls) / per_second))
    return Left(calls_per_minute, int(calls), math.ceil((calls_per_minute - calls) / per_second), wait)


def forget() -> None:
    """Fill all buckets."""
    with _mutex:
        _buckets.clear()
