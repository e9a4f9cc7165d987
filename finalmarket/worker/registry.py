"""Every declared job becomes a task of the queue; the periodic ones get their hours."""

import functools
from collections.abc import Callable

from django.db import connections
from procrastinate import App, RetryStrategy

from finalmarket.kernel import jobs


def register(app: App) -> None:
    """Called by Procrastinate when Django is ready and every room's `jobs.py` was imported."""
    for declared in jobs.declared().values():
        retry = RetryStrategy(max_attempts=declared.attempts, exponential_wait=3) if declared.attempts > 1 else False
        lock = declared.name if declared.cron else None
        # A periodic job is never queued twice: one that is late is not wanted a second time.
        task = app.task(
            name=declared.name, queue=declared.queue, priority=declared.priority, retry=retry, queueing_lock=lock
        )(_carried_out(declared))
        if declared.cron:
            app.periodic(cron=declared.cron)(task)


def _carried_out(declared: jobs.Job) -> Callable[..., None]:
    """The job's function as the worker calls it: in a thread, whose database connection goes back afterwards."""

    @functools.wraps(declared.run)
    def carry_out(timestamp: int | None = None, **arguments: object) -> None:
        try:
            declared.run(**arguments)
        finally:
            connections.close_all()

    return carry_out
