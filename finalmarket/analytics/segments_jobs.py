"""Values and segments keep up by themselves: orders within a minute, everything every night."""

from finalmarket.analytics import segments
from finalmarket.kernel.jobs import job


@job("analytics.refresh_segments", cron="* * * * *")
def refresh_segments() -> None:
    """Value and sort the persons anew whose orders something happened to."""
    segments.refresh()


@job("analytics.look_at_segments", cron="7,22,37,52 * * * *")
def look_at_segments() -> None:
    """Sort everybody anew: days have passed, people were seen, agreed or refused."""
    segments.resort()


@job("analytics.value_customers", cron="40 2 * * *")
def value_customers() -> None:
    """Every night, learn from all orders what customers are worth, and sort everybody."""
    segments.restate()


@job("segments.follow_persons", cron="* * * * *")
def follow_persons() -> None:
    """Value and sort persons anew whose profiles were joined or parted; woken by it."""
    while segments.follow():
        continue
