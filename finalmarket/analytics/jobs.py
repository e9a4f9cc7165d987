"""The figures keep up by themselves: today's and yesterday's every few minutes, older ones every night."""

from finalmarket.analytics import late_persons
from finalmarket.analytics.rollup import restate_all
from finalmarket.kernel.jobs import job

FRESH_DAYS = 2
SETTLING_DAYS = 400  # returns and refunds change the day of the sale; after so long hardly any comes


@job("analytics.refresh", cron="*/5 * * * *")
def refresh() -> None:
    """Compute today's and yesterday's figures of all channels."""
    restate_all(FRESH_DAYS)


@job("analytics.settle", cron="20 2 * * *")
def settle() -> None:
    """Compute the figures of the days whose orders may still be returned or refunded."""
    restate_all(SETTLING_DAYS)


@job("analytics.follow_persons", cron="* * * * *")
def follow_persons() -> None:
    """Compute the figures anew that a merge or an unmerge of customers has changed; woken by it."""
    while late_persons.follow():
        continue
