"""The records of runs: begun, ended, and closed by the next one where the worker was killed in between."""

from __future__ import annotations

from django.db import transaction

from finalmarket.integrations.models import ChannelIntegration, SyncRun
from finalmarket.kernel import clock, failpoints

BROKEN_OFF = "broken off"


@failpoints.around("runs.begin")
@transaction.atomic
def begin(integration: ChannelIntegration, stream: str) -> SyncRun:
    """Write down that a run of the stream begins. The caller holds the stream's lane: whoever left one open was killed,
    and it is closed as failed."""
    left = SyncRun.objects.filter(integration=integration, stream=stream, outcome="")
    left.update(outcome="failed", error=BROKEN_OFF, ended_at=clock.now())
    run: SyncRun = SyncRun.objects.create(integration=integration, stream=stream, started_at=clock.now())
    return run


@failpoints.around("runs.end")
def end(run: SyncRun, outcome: str, error: str = "") -> None:
    """Write down how a run ended, with its counts; one that was not written down at its beginning is now."""
    run.outcome, run.error, run.ended_at = outcome, error, clock.now()
    run.save()
