"""The wake-up calls of the books; the truth is in the rows."""

from finalmarket.integrations import breaker
from finalmarket.integrations.books import events, finding, records
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import enqueue, job

ROWS_AT_ONCE = 10_000


@job("integrations.records")
def tell_records(integration: int) -> None:
    """Tell one account our orders and customers, as they stand."""
    try:
        records.tell(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.events")
def tell_events(integration: int) -> None:
    """Tell one account what moved, and what customers did and bought."""
    try:
        events.tell(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.find_books", cron="* * * * *")
def find_books() -> None:
    """Every minute: find what the books have yet to be told though nobody watched, or it was committed late."""
    finding.find(finding.EACH_MINUTE)


@job("integrations.find_late_books", cron="29 * * * *")
def find_late_books() -> None:
    """Every hour: look further back, and put off a look at whether accounts have what they were told."""
    finding.find(finding.EACH_HOUR)
    active = ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE, push_from__lte=clock.now())
    for integration_id in active.values_list("pk", flat=True):
        lock = f"integrations.verify_books:{integration_id}"
        enqueue("integrations.verify_books", queueing_lock=lock, integration=integration_id)


@job("integrations.verify_books")
def verify_books(integration: int) -> None:
    """Ask one account whether it has what it was told a while ago, or tell it once more to be sure."""
    try:
        records.verify(integration)
        events.verify(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.find_old_books", cron="7 3 * * *")
def find_old_books() -> None:
    """Every night: find what happened while no worker ran for long, or what left no entry in an order's history."""
    finding.find(finding.EACH_NIGHT, is_thorough=True)


@job("integrations.tidy_events", cron="41 * * * *")
def tidy_events() -> None:
    """Every hour: forget events that were told long ago, at most 100,000 a run."""
    for _ in range(10):
        if events.forget(clock.days_ago(events.KEPT_DAYS), most=ROWS_AT_ONCE) < ROWS_AT_ONCE:
            return
