"""Journeys keep up by themselves: within a second while a worker watches (integrations/watch.py), else a minute."""

from finalmarket.journeys import set_aside, stitching, storage, sweep
from finalmarket.kernel.jobs import job


@job("journeys.stitch", cron="* * * * *")
def stitch_marked() -> None:
    """Give up what nobody went on with, and tell the journeys of everybody who is marked."""
    sweep.mark_passed()
    stitching.run()


@job("journeys.tidy", cron="53 3 * * *")
def tidy() -> None:
    """Every night: forget marks of profiles that are gone."""
    sweep.forget_strangers()
    set_aside.tidy()


@job("journeys.months", cron="11 */6 * * *")
def make_months() -> None:
    """Have the partitions of this month and the two that follow; a month that is asked for sooner is made then."""
    storage.make_months_ahead()
