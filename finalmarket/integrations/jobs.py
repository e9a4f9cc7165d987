"""Wake-up calls of the border post; the truth is in the rows. What comes in stands first, then what goes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations import (
    breaker,
    dead_letters,
    drift,
    inbox,
    notices,
    operators_told,  # noqa: F401  registers what this room tells operators
    payments_in,
    price_look,
    syncing,
    watch,
)
from finalmarket.integrations import pull as pulling
from finalmarket.integrations import push as pushing
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.agents import jobs as agents  # noqa: F401  the jobs of shopping agents
from finalmarket.integrations.books import jobs as books  # noqa: F401  the jobs of those who keep books
from finalmarket.integrations.chat import jobs as chat  # noqa: F401  the jobs of conversations
from finalmarket.integrations.desk import jobs as desk  # noqa: F401  the jobs of labels and payment pages
from finalmarket.integrations.master import jobs as master  # noqa: F401  the jobs of items, counts and figures
from finalmarket.integrations.models import ChannelIntegration, StreamCursor, SyncRun
from finalmarket.integrations.outgoing import jobs as outgoing  # noqa: F401  the jobs of our own webhooks
from finalmarket.integrations.privacy import jobs as privacy  # noqa: F401  the jobs of erasing people
from finalmarket.integrations.streams import streams_of
from finalmarket.integrations.talk.finding import look_at_wishes
from finalmarket.integrations.voice import jobs as voice  # noqa: F401  the jobs of linking accounts
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue, job

RUNS_KEPT_DAYS = 90
ROWS_AT_ONCE = 10_000
PUSHES_KEPT_DAYS = 30
GOES_ON_AFTER = {"more": None, pulling.LATER: timedelta(seconds=20), "failed": timedelta(minutes=2)}
"""How long after a second look that was broken off it goes on, by its outcome."""


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
    with _our_faults_counted(integration):
        run = pulling.pull(integration, stream)
    if run is not None and run.outcome == "more":
        pull_later(integration, stream)


@job("integrations.backfill")
def backfill(integration: int, since: str, stream: str = "orders", is_hourly: bool = False) -> None:
    """Pull what changed since a moment (ISO 8601) once more. A very long one goes on in another job; one that was
    broken off goes on a little later where it ended: a platform may grant so few calls that all of it takes long."""
    account = ChannelIntegration.objects.get(pk=integration)
    cursor = pulling.HOURLY if is_hourly else pulling.BACKFILL
    with _our_faults_counted(integration):
        run = pulling.backfill(account, datetime.fromisoformat(since), stream, cursor=cursor)
    if run is not None and run.outcome in GOES_ON_AFTER:
        _backfill_later(integration, since, stream, is_hourly=is_hourly, wait=GOES_ON_AFTER[run.outcome])


def _backfill_later(
    integration_id: int, since: str, stream: str, *, is_hourly: bool, wait: timedelta | None = None
) -> None:
    """Put off a look, or that it goes on, unless one of its kind waits: the hourly one and a person's know nothing of
    each other."""
    lock = f"integrations.backfill:{integration_id}:{stream}{':hourly' if is_hourly else ''}"
    enqueue(
        "integrations.backfill", queueing_lock=lock, at=clock.now() + wait if wait else None,
        integration=integration_id, since=since, stream=stream, is_hourly=is_hourly,
    )  # fmt: skip


@job("integrations.look_back", cron="13 * * * *")
def look_back() -> None:
    """Every hour: put off a second look at what changed on each active account within the last hours."""
    since = (clock.now() - pulling.LOOK_BACK).isoformat()
    for integration in ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE):
        try:
            streams = streams_of(connector_class(integration))
        except NotSupported:
            continue  # its health says so
        for stream in streams:
            _backfill_later(integration.pk, since, stream.name, is_hourly=True)


@job("integrations.sync")
def sync(integration: int) -> None:
    """Pull and push everything of one account; one that was paused meanwhile is left alone."""
    account = ChannelIntegration.objects.select_related("sales_channel").get(pk=integration)
    if account.status == ChannelIntegration.Status.ACTIVE:
        syncing.sync(account)


@job("integrations.inbox", is_urgent=True)
def work_inbox(integration: int) -> None:
    """Work on the waiting webhooks of one account; many are left to another job."""
    with _our_faults_counted(integration):
        is_more_waiting = inbox.work(integration)
    if is_more_waiting:
        inbox.wake(integration)


@contextmanager
def _our_faults_counted(integration_id: int) -> Iterator[None]:
    """What goes wrong on our own side counts like a failure of the platform: it is tried less and less often."""
    try:
        yield
    except Exception as error:
        breaker.note_fault(integration_id, error)
        raise


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


# What goes out.


@job("integrations.push", is_urgent=True)
def push(integration: int) -> None:
    """Tell one platform what changed here."""
    try:
        pushing.push(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.notices", is_urgent=True)
def tell_notices(integration: int) -> None:
    """Tell one platform what happened here to its orders and payments."""
    try:
        notices.tell(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.wake", cron="* * * * *")
def wake() -> None:
    """Every minute: find what is due though nobody watched, or a watcher was stopped between looking and telling."""
    look_at_wishes()
    notices.find(timedelta(days=2))
    watch.wake()


@job("integrations.open_and_close", cron="* * * * *")
def open_and_close() -> None:
    """Every minute: listings whose time to be shown has begun or ended are told."""
    watch.open_and_close()


@job("integrations.find_old_notices", cron="37 2 * * *")
def find_old_notices() -> None:
    """Every night: find what happened while no worker ran for long."""
    notices.find(timedelta(days=60))


@job("integrations.sweep_drift", cron="23 * * * *")
def sweep_drift() -> None:
    """Every hour: put off a sweep of each active account."""
    active = ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE, push_from__lte=clock.now())
    for integration_id in active.values_list("pk", flat=True):
        enqueue("integrations.drift", queueing_lock=f"integrations.drift:{integration_id}", integration=integration_id)


@job("integrations.drift")
def look_for_drift(integration: int) -> None:
    """Compare what one platform shows with what it should show, and mend it."""
    try:
        notices.verify(integration)
        drift.sweep(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.look_for_prices", cron="41 */6 * * *")
def look_for_prices() -> None:
    """Every six hours: put off a look for the prices that each active account was told meanwhile."""
    active = ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE, push_from__lte=clock.now())
    for integration_id in active.values_list("pk", flat=True):
        enqueue(
            "integrations.prices", queueing_lock=f"integrations.prices:{integration_id}", integration=integration_id
        )


@job("integrations.prices")
def look_at_prices(integration: int) -> None:
    """Have prices told once more that one platform took and does not show."""
    with _our_faults_counted(integration):
        price_look.look(integration)


@job("integrations.tidy_pushes", cron="53 * * * *")
def tidy_pushes() -> None:
    """Every hour: forget what platforms were told a month ago, at most 100,000 records a run."""
    for _ in range(10):
        if pushing.forget(clock.days_ago(PUSHES_KEPT_DAYS), most=ROWS_AT_ONCE) < ROWS_AT_ONCE:
            return
