"""Wake-up calls of the outgoing webhooks; the truth is in the rows."""

from finalmarket.integrations.models import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing import announce
from finalmarket.integrations.outgoing.deliver import deliver
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import enqueue, job

KEPT_DAYS = 30
ROWS_AT_ONCE = 10_000


@job("outgoing.prepare", cron="* * * * *")
def prepare() -> None:
    """Prepare all fresh events, then wake each endpoint that has something due."""
    while announce.prepare() == announce.MOST_AT_ONCE:
        continue
    wake()


@job("outgoing.deliver")
def deliver_to(endpoint: int) -> None:
    """Send one endpoint what is due; it comes again at once while there is more."""
    if deliver(endpoint):
        wake([endpoint])


@job("outgoing.tidy", cron="41 3 * * *")
def tidy() -> None:
    """Forget events that are older than 30 days and wait for nobody, at most 10,000 a run."""
    old = OutgoingEvent.objects.filter(at__lt=clock.days_ago(KEPT_DAYS)).exclude(
        deliveries__state=OutgoingDelivery.State.WAITING
    )
    OutgoingEvent.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:ROWS_AT_ONCE])).delete()


def wake(endpoints: list[int] | None = None) -> None:
    """Put off a delivery for each active endpoint (of these) that has something due, unless one waits already."""
    due = WebhookEndpoint.objects.filter(
        is_active=True,
        deliveries__state=OutgoingDelivery.State.WAITING,
        deliveries__next_try_at__lte=clock.now(),
    )
    if endpoints is not None:
        due = due.filter(pk__in=endpoints)
    for pk in due.values_list("pk", flat=True).distinct():
        enqueue("outgoing.deliver", queueing_lock=f"outgoing.deliver:{pk}", endpoint=pk)
