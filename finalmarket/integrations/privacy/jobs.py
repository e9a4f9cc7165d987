"""What the worker does for privacy; the truth is in the requests."""

from finalmarket.customers import erased
from finalmarket.integrations.privacy import elsewhere, erase
from finalmarket.kernel.jobs import job


@job("integrations.privacy", cron="* * * * *")
def carry_out() -> None:
    """Every minute: erase whom it was asked for and who is not erased yet."""
    erase.go_on()


@job("integrations.tidy_erased", cron="17 4 * * *")
def tidy_erased() -> None:
    """Every night: forget digests that are older than three years, and names that nobody has to be told any more."""
    erased.tidy()
    elsewhere.tidy()
