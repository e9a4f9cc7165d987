"""Stock advice, lost journeys and notices keep up by themselves: the advice every night, the notices all day long."""

from finalmarket.advice import (
    lost_paths,
    notices,
    notices_mail,
    notices_sources,  # noqa: F401  registers what this room finds itself
    replenishment_keep,
)
from finalmarket.kernel.jobs import job


@job("advice.stock", cron="40 2 * * *")
def advise_on_stock() -> None:
    """Compute demand and all advice about stock anew."""
    replenishment_keep.refresh()


@job("advice.lost_paths", cron="10 3 * * *")
def find_lost_paths() -> None:
    """Compute anew where journeys are lost, and what that costs."""
    lost_paths.refresh()


@job("advice.gather_notices", cron="*/5 * * * *")
def gather_notices() -> None:
    """Look at what operators should know, write the mails that cannot wait, and send what is due."""
    notices.gather()
    notices_mail.write_urgent()
    notices_mail.deliver()


@job("advice.digest", cron="0 6 * * *")
def write_digests() -> None:
    """Write the daily mails; the next look sends them."""
    notices_mail.write_digests()
    notices_mail.deliver()
