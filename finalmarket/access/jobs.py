"""What is to be forgotten in time."""

from finalmarket.access import idempotency
from finalmarket.kernel.jobs import job


@job("access.tidy", cron="23 * * * *")
def tidy() -> None:
    """Every hour: forget what was answered more than two days ago."""
    idempotency.tidy()
