"""What is to be forgotten in time."""

from django.contrib.sessions.models import Session

from finalmarket.access import idempotency
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import job


@job("access.tidy", cron="23 * * * *")
def tidy() -> None:
    """Every hour: forget what was answered more than two days ago, and sessions that are over."""
    idempotency.tidy()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
