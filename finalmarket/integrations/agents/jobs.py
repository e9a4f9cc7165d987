"""What agents left is gone on with."""

from finalmarket.integrations.agents import completing, sessions
from finalmarket.kernel.jobs import job


@job("agents.go_on", cron="* * * * *")
def go_on() -> None:
    """Complete checkouts that were left while they were being paid."""
    completing.go_on()


@job("agents.tidy", cron="29 3 * * *")
def tidy() -> None:
    """Forget what agents left and never ordered."""
    sessions.tidy()
