"""The figures keep up by themselves: within a second while a worker watches (integrations/watch.py), else a minute."""

import finalmarket.analytics.lake.jobs  # noqa: F401 (declares its job)
from finalmarket.analytics import segments_jobs  # noqa: F401  # its jobs are this room's
from finalmarket.analytics.incremental import keep_days, restate_marked
from finalmarket.analytics.rollup import restate_all
from finalmarket.kernel.jobs import job

SETTLING_DAYS = 400


@job("analytics.restate", cron="* * * * *")
def restate() -> None:
    """Tell the days anew that something changed; woken by whoever watches."""
    restate_marked()


@job("analytics.refresh", cron="*/5 * * * *")
def refresh() -> None:
    """Begin a new day where one has begun."""
    restate_marked()
    keep_days()


@job("analytics.settle", cron="20 2 * * *")
def settle() -> None:
    """Every night, compute the last days anew as a whole: nothing should change by it."""
    restate_all(SETTLING_DAYS)


@job("analytics.follow_persons", cron="* * * * *")
def follow_persons() -> None:
    """Tell the figures anew that a merge or an unmerge of customers has changed; woken by it."""
    restate_marked()
