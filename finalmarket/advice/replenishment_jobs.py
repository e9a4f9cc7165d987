"""Stock advice, lost journeys and notices keep up by themselves: the advice every night, the notices all day long."""

from finalmarket.advice import lost_paths, replenishment_keep
from finalmarket.kernel.jobs import job


@job("advice.stock", cron="40 2 * * *")
def advise_on_stock() -> None:
    """Compute demand and all advice about stock anew."""
    replenishment_keep.refresh()


@job("advice.lost_paths", cron="10 3 * * *")
def find_lost_paths() -> None:
    """Compute anew where journeys are lost, and what that costs."""
    lost_paths.refresh()
