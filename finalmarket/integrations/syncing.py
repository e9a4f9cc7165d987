"""Everything at once, now: what the console's button and `integration.sync()` do."""

from __future__ import annotations

from finalmarket.integrations import inbox, notices, push, runs
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.books import events, finding, records
from finalmarket.integrations.models import ChannelIntegration, SyncRun
from finalmarket.integrations.pull import pull
from finalmarket.integrations.streams import streams_of
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

PUSH = "push"


def sync(integration: ChannelIntegration) -> list[SyncRun]:
    """Work waiting webhooks, pull every stream of the platform, then tell it what is due; return the runs.

    A stream that somebody else pulls at this moment is left to them. Raises UserError unless the account is active.
    """
    refuse_unless_active(integration)
    while inbox.is_waiting(integration.pk) and inbox.work(integration.pk):
        continue
    runs = [pull(integration.pk, stream.name) for stream in streams_of(connector_class(integration))]
    told = _push(integration)
    integration.refresh_from_db()
    return [run for run in (*runs, told) if run is not None]


def sync_later(integration: ChannelIntegration) -> None:
    """Put `sync` off to a worker. Raises UserError unless the account is active."""
    refuse_unless_active(integration)
    enqueue("integrations.sync", queueing_lock=f"integrations.sync:{integration.pk}", integration=integration.pk)


def refuse_unless_active(integration: ChannelIntegration) -> None:
    """Raise UserError that says why nothing can be synced now, unless the account is active."""
    if integration.status != ChannelIntegration.Status.ACTIVE:
        reason = f": {integration.status_reason}" if integration.status_reason else ""
        raise UserError(f"{integration} cannot be synced, it is {integration.get_status_display().lower()}{reason}")


def _push(integration: ChannelIntegration) -> SyncRun | None:
    """Tell what is due and keep a record of it; None before pushing has begun."""
    if push.reason_not_to_push(integration):
        return None
    run = SyncRun(integration=integration, stream=PUSH, started_at=clock.now())
    done = push.push(integration.pk)
    notices.find()
    finding.find()
    for tell in (notices.tell, records.tell, events.tell):
        more = tell(integration.pk)
        done = push.Pushed(
            done.told + more.told, done.refused + more.refused, done.put_off + more.put_off, done.reason or more.reason
        )
    run.seen_count, run.changed_count = done.told + done.refused + done.put_off, done.told
    run.failed_count = done.refused
    runs.end(run, "failed" if done.reason else "partly" if done.refused or done.put_off else "done", done.reason)
    return run
