"""How a change gets told within a fraction of a second: every worker process looks, five times a second, which accounts
have something due, and puts the jobs off that tell it.

So no verb that sells or counts has to think of a wake-up, and one that gets lost costs nothing: the rows say what is
due. What stands in the way of telling (another worker in the lane, an open breaker, a job that waits) is part of the
question, so that a platform that is down costs the others nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import connections

from finalmarket.analytics import incremental
from finalmarket.channels.due import mark_due
from finalmarket.integrations import notices, push
from finalmarket.integrations.books import events, finding, records
from finalmarket.integrations.lanes import number_of
from finalmarket.integrations.telling import rows
from finalmarket.journeys import stitching
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

SECONDS_BETWEEN_LOOKS = 0.2
LOOKS_BETWEEN_FINDS = 5
"""Events that platforms have to hear of are looked for once a second."""
SECONDS_AFTER_FAILURE = 2.0
STITCH = "journeys.stitch"
RESTATE = "analytics.restate"
JOBS = {"push": push.LANE, "notices": notices.LANE, "records": records.LANE, "events": events.LANE}


def wake() -> int:
    """Put off a job for every account that has something to be told and nobody who tells it; return how many."""
    found = rows("wake", names=list(JOBS), lanes=[number_of(lane) for lane in JOBS.values()])
    for integration_id, name in found:
        enqueue(
            f"integrations.{name}", queueing_lock=f"integrations.{name}:{integration_id}", integration=integration_id
        )
    return len(found)


def open_and_close() -> int:
    """Mark listings whose time to be shown has begun or ended as due; return the rows marked."""
    passed = [listing_id for (listing_id,) in rows("open_and_close")]
    if not passed:
        return 0
    with failpoints.around("watch.mark"):
        return mark_due("listings", passed, "content", "stock")


def wake_stitcher() -> bool:
    """Put off the job that tells journeys, if there is anybody to tell of; return whether."""
    if not stitching.is_marked():
        return False
    return enqueue(STITCH, queueing_lock=STITCH) is not None


def wake_restater() -> bool:
    """Put off the job that tells daily figures anew, if anything changed on which they depend; return whether."""
    if not incremental.is_marked():
        return False
    return enqueue(RESTATE, queueing_lock=RESTATE) is not None


class Watcher:
    """A thread that looks until it is stopped. `pause` waits so many seconds, or less when it is stopped."""

    def __init__(self, pause: Callable[[float], object] | None = None) -> None:
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(5)

    def _watch(self) -> None:
        looks = 0
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                if looks % LOOKS_BETWEEN_FINDS == 0:
                    notices.find()
                    finding.find()
                    wake_stitcher()
                    wake_restater()
                wake()
                looks += 1
                self._pause(max(0.0, SECONDS_BETWEEN_LOOKS - (time.monotonic() - begun)))
            except (DatabaseError, UserError) as error:  # the server is restarted: look again when it is back
                structlog.get_logger(__name__).warning("cannot look for what is due", reason=str(error).strip())
                connections.close_all()
                self._pause(SECONDS_AFTER_FAILURE)
        connections.close_all()
