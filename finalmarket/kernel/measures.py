"""What this process counts of its own work, for whoever watches the house (Prometheus).

Counting is cheap and never fails: a few numbers in memory. What stands in the database is not counted here but asked
for when somebody looks (operations/books.py), so that it is right however many processes there are. Where
PROMETHEUS_MULTIPROC_DIR is set before this is imported, several processes count into the files of that folder.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

MOST_CHILDREN = 4_096
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG_SECONDS = (0.01, 0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BATCHES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)

REQUESTS = Counter("finalmarket_http_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("finalmarket_http_request_seconds", "Time to answer, by route.", ["route"], buckets=SECONDS)
UNDER_WAY = Gauge("finalmarket_http_requests_under_way", "Requests under way.", multiprocess_mode="livesum")

RESERVATIONS = Counter("finalmarket_reservations", "Verdicts on wishes for stock.", ["outcome", "reason"])
DESK_BATCH = Histogram("finalmarket_desk_batch_requests", "Requests that one call settled.", buckets=BATCHES)
DESK_WAIT = Histogram("finalmarket_desk_wait_seconds", "Wait of a batch's first at the desk.", buckets=SECONDS)
DESK_QUEUE = Gauge("finalmarket_desk_queue", "Requests waiting at the desk.", multiprocess_mode="livesum")

EVENTS = Counter("finalmarket_ingest_events", "Events that tracking clients told.", ["outcome"])

PLATFORM_CALLS = Counter("finalmarket_platform_calls", "Calls to platforms, by status.", ["platform", "status"])
PUSHED = Counter("finalmarket_pushed_listings", "Listings that platforms were told.", ["integration", "outcome"])
SYNC_RUNS = Counter("finalmarket_sync_runs", "Runs of streams, by outcome.", ["integration", "stream", "outcome"])

JOBS = Counter("finalmarket_jobs", "Jobs carried out.", ["job", "outcome"])
JOB_SECONDS = Histogram("finalmarket_job_seconds", "How long jobs took.", ["job"], buckets=LONG_SECONDS)

POOL = Gauge("finalmarket_database_pool_connections", "Pooled connections.", ["state"], multiprocess_mode="livesum")

NONE_LEFT, NOT_ENOUGH = "none left", "not enough"


@lru_cache(maxsize=MOST_CHILDREN)
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=MOST_CHILDREN)
def _request_seconds(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered."""
    _requests(method, route, status).inc()
    _request_seconds(route).observe(seconds)


def count_verdicts(settled: Iterable[tuple[str, int | None]]) -> None:
    """Wishes for stock got these final outcomes; beside each stands how many units could be had."""
    tally = Tally((outcome, _why(available) if outcome == "refused" else "") for outcome, available in settled)
    for (outcome, reason), number in tally.items():
        RESERVATIONS.labels(outcome, reason).inc(number)


def count_events(accepted: int, set_aside: int) -> None:
    """Events of tracking clients were written, or set aside with their reasons."""
    EVENTS.labels("accepted").inc(accepted)
    EVENTS.labels("set aside").inc(set_aside)


def count_batch(requests: int, waiting: int, waited_seconds: float) -> None:
    """The desk took so many requests to the database, whose first had waited so long; the others wait still."""
    DESK_BATCH.observe(requests)
    DESK_WAIT.observe(waited_seconds)
    DESK_QUEUE.set(waiting)


def count_pushed(integration: str, told: int, refused: int, put_off: int) -> None:
    """A run told a platform so many listings."""
    for outcome, number in (("told", told), ("refused", refused), ("put off", put_off)):
        if number:
            PUSHED.labels(integration, outcome).inc(number)


def _why(available: int | None) -> str:
    return NOT_ENOUGH if available else NONE_LEFT
