"""Wake-up calls of the border post; the truth is in the rows. What comes in stands first, then what goes out."""

from datetime import datetime

import structlog

from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations import dead_letters, inbox, payments_in, syncing
from finalmarket.integrations import pull as pulling
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.models import ChannelIntegration, StreamCursor, SyncRun
from finalmarket.integrations.outgoing import jobs as outgoing  # noqa: F401  the jobs of our own webhooks
from finalmarket.integrations.streams import streams_of
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue, job

RUNS_KEPT_DAYS = 90
ROWS_AT_ONCE = 10_000


@job("integrations.pull_due", cron="* * * * *")
def pull_due() -> None:
    """Every minute: put off a pull of each stream of each active account whose time has come."""
    pulled = {
        (integration_id, stream): at
        for integration_id, stream, at in StreamCursor.objects.values_list("integration_id", "stream", "pulled_at")
    }
    for integration in ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE):
        try:
            streams = streams_of(connector_class(integration))
        except NotSupported:
            continue  # its health says so
        for stream in streams:
            last = pulled.get((integration.pk, stream.name))
            if last is None or clock.now() - last >= stream.every:
                pull_later(integration.pk, stream.name)


def pull_later(integration_id: int, stream: str) -> None:
    """Put off a pull, unless one waits already."""
    lock = f"integrations.pull:{integration_id}:{stream}"
    enqueue("integrations.pull", queueing_lock=lock, integration=integration_id, stream=stream)


@job("integrations.pull")
def pull(integration: int, stream: str) -> None:
    """Pull one stream of one account; a very long one goes on in another job."""
    run = pulling.pull(integration, stream)
    if run is not None and run.outcome == "more":
        pull_later(integration, stream)


@job("integrations.backfill")
def backfill(integration: int, since: str) -> None:
    """Pull the orders changed since a moment (ISO 8601) once more; a very long one goes on in another job."""
    run = pulling.backfill(ChannelIntegration.objects.get(pk=integration), datetime.fromisoformat(since))
    if run is not None and run.outcome == "more":
        lock = f"integrations.backfill:{integration}"
        enqueue("integrations.backfill", queueing_lock=lock, integration=integration, since=since)


@job("integrations.sync")
def sync(integration: int) -> None:
    """Pull and push everything of one account; one that was paused meanwhile is left alone."""
    account = ChannelIntegration.objects.select_related("sales_channel").get(pk=integration)
    if account.status == ChannelIntegration.Status.ACTIVE:
        syncing.sync(account)


@job("integrations.inbox")
def work_inbox(integration: int) -> None:
    """Work on the waiting webhooks of one account; many are left to another job."""
    if inbox.work(integration):
        inbox.wake(integration)


@job("integrations.wake_inbox", cron="* * * * *")
def wake_inbox() -> None:
    """Every minute: find the webhooks that a lost wake-up left, or whose time to be tried again has come."""
    for integration_id in inbox.due().order_by().values_list("integration_id", flat=True).distinct():
        inbox.wake(integration_id)


@job("integrations.retry_waiting", cron="*/5 * * * *")
def retry_waiting() -> None:
    """Every five minutes: payments whose order has come in meanwhile are applied."""
    for letter_id in payments_in.letters_to_retry():
        try:
            dead_letters.replay(letter_id, actor="system")
        except UserError as error:
            structlog.get_logger(__name__).warning("payment not applied", letter=letter_id, reason=str(error))


@job("integrations.tidy", cron="47 3 * * *")
def tidy() -> None:
    """Every night: forget webhooks that were handled a month ago, and runs of the quarter before."""
    inbox.tidy()
    old = SyncRun.objects.filter(started_at__lt=clock.days_ago(RUNS_KEPT_DAYS)).order_by("id")
    SyncRun.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:ROWS_AT_ONCE])).delete()
