"""What agents left is gone on with."""

from finalmarket.integrations.agents import completing
from finalmarket.kernel.jobs import job


@job("agents.go_on", cron="* * * * *")
def go_on() -> None:
    """Complete checkouts that were left while they were being paid."""
    completing.go_on()
