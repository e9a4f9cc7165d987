"""The wake-up calls of the desk; the truth is in the rows."""

import structlog

from finalmarket.integrations import breaker
from finalmarket.integrations.desk import looking, pages
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue, job


@job("integrations.look_at_labels", cron="* * * * *")
def look_at_labels() -> None:
    """Every minute: put off a look at the labels of each account of which one's time has come."""
    for integration_id in looking.accounts_to_look_at():
        lock = f"integrations.labels:{integration_id}"
        enqueue("integrations.labels", queueing_lock=lock, integration=integration_id)


@job("integrations.labels")
def look(integration: int) -> None:
    """Ask one account after its labels; many are left to the next minute."""
    try:
        looking.look(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.look_at_pages", cron="* * * * *")
def look_at_pages() -> None:
    """Every minute: put off a question about each payment page whose buyer may have agreed meanwhile."""
    pages.look()


@job("integrations.finish_page")
def finish_page(page: int) -> None:
    """Finish one payment, if its buyer has agreed to it. What cannot be asked now is asked about again by itself."""
    try:
        pages.finish(page)
    except UserError as error:
        structlog.get_logger(__name__).info("a payment is finished later", page=page, reason=str(error))
