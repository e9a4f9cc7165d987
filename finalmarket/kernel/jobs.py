"""The seam to the job queue: rooms say which jobs exist and put them off by name; the worker carries them out.

A room declares its jobs in its `jobs.py`, which is imported when the house starts:

    @job("stock.sweep", cron="* * * * *")
    def sweep() -> None: ...

Jobs are rows of the database (Procrastinate): `enqueue` writes within the caller's transaction, so a job exists exactly
when what it is about exists. One job per batch, never one per event: the queue carries some 350 jobs a second.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from django.db import transaction

from finalmarket.kernel import failpoints, trail

RunsJob = TypeVar("RunsJob", bound=Callable[..., None])


class UnknownJob(LookupError):
    """No room declared a job of this name."""


@dataclass(frozen=True)
class Job:
    """A declared job: `cron` (UTC) makes it periodic; it is tried `attempts` times, ever more seconds apart. An urgent
    one is taken before all others that wait."""

    name: str
    run: Callable[..., None]
    cron: str | None
    attempts: int
    queue: str
    is_urgent: bool

    @property
    def priority(self) -> int:
        """The queue takes the highest first."""
        return URGENT if self.is_urgent else 0


URGENT = 10

_declared: dict[str, Job] = {}


def job(
    name: str, *, cron: str | None = None, attempts: int = 1, queue: str = "default", is_urgent: bool = False
) -> Callable[[RunsJob], RunsJob]:
    """Declare the function as the job `name`. Its arguments travel as JSON. Raises ValueError for a name in use."""

    def declare(run: RunsJob) -> RunsJob:
        if name in _declared:
            raise ValueError(f"two jobs are named {name}")
        _declared[name] = Job(name, run, cron, attempts, queue, is_urgent)
        return run

    return declare


def declared() -> Mapping[str, Job]:
    """All declared jobs by name."""
    return MappingProxyType(_declared)


def enqueue(
    name: str, *, queueing_lock: str | None = None, at: datetime | None = None, **arguments: object
) -> int | None:
    """Put off the job `name`, from moment `at` on if given, within the caller's transaction; returns its id.

    While a job with the same `queueing_lock` waits, a second one is not wanted and None is returned; the caller's
    transaction goes on unharmed. Raises UnknownJob.
    """
    from procrastinate.contrib.django.django_connector import DjangoConnector
    from procrastinate.exceptions import AlreadyEnqueued
    from procrastinate.manager import JobManager
    from procrastinate.tasks import configure_task

    if name not in _declared:
        raise UnknownJob(f"no room declares a job named {name}")
    brought = trail.carried()
    if brought:
        arguments[trail.CARRIED] = brought
    # Not through the app: in a worker that one has connections of its own, outside the caller's transaction.
    deferrer = configure_task(
        name=name, job_manager=JobManager(DjangoConnector()), queue=_declared[name].queue,
        priority=_declared[name].priority, queueing_lock=queueing_lock, schedule_at=at,
    )  # fmt: skip
    try:
        # A refused lock would poison the caller's transaction: it gets a savepoint.
        with failpoints.around("jobs.enqueue"), transaction.atomic():
            return deferrer.defer(**arguments)  # type: ignore[arg-type]  # JSON values, checked when written
    except AlreadyEnqueued:
        return None
