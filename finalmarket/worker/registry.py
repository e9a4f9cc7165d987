"""Every declared job becomes a task of the queue; the periodic ones get their hours."""

import functools
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.db import connections
from procrastinate import App, JobContext, RetryStrategy

from finalmarket.kernel import jobs, measures, tracing, trail

log = structlog.get_logger(__name__)


def register(app: App) -> None:
    """Called by Procrastinate when Django is ready and every room's `jobs.py` was imported."""
    for declared in jobs.declared().values():
        retry = RetryStrategy(max_attempts=declared.attempts, exponential_wait=3) if declared.attempts > 1 else False
        lock = declared.name if declared.cron else None
        # A periodic job is never queued twice: one that is late is not wanted a second time.
        task = app.task(
            name=declared.name, queue=declared.queue, priority=declared.priority, retry=retry, queueing_lock=lock,
            pass_context=True,
        )(_carried_out(declared))  # fmt: skip
        if declared.cron:
            app.periodic(cron=declared.cron)(task)


def _carried_out(declared: jobs.Job) -> Callable[..., None]:
    """The job's function as the worker calls it: in a thread, whose database connection goes back afterwards. Its lines
    carry the number of the job, and the id of the request that put it off."""

    @functools.wraps(declared.run)
    def carry_out(context: JobContext, timestamp: int | None = None, **arguments: Any) -> None:
        brought = arguments.pop(trail.CARRIED, None) or {}
        began, outcome = time.monotonic(), "failed"
        try:
            with (
                trail.bound(job=declared.name, job_id=context.job.id, **trail.origin(brought)),
                tracing.resumed(brought, f"job {declared.name}", "consumer", job=declared.name),
            ):
                log.info("job begins")
                declared.run(**arguments)
                log.info("job ends", seconds=round(time.monotonic() - began, 3))
            outcome = "succeeded"
        finally:
            measures.JOBS.labels(declared.name, outcome).inc()
            measures.JOB_SECONDS.labels(declared.name).observe(time.monotonic() - began)
            connections.close_all()

    return carry_out
