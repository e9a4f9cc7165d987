"""The records of runs: begun, ended, and closed by the next one where the worker was killed in between."""

from __future__ import annotations

import structlog
from django.db import transaction

from finalmarket.integrations.models import ChannelIntegration, SyncRun
from finalmarket.kernel import clock, failpoints, measures, trail

BROKEN_OFF = "broken off"
log = structlog.get_logger(__name__)


@failpoints.around("runs.begin")
@transaction.atomic
def begin(integration: ChannelIntegration, stream: str) -> SyncRun:
    """Write down that a run of the stream begins. The caller holds the stream's lane: whoever left one open was killed,
    and it is closed as failed."""
    left = SyncRun.objects.filter(integration=integration, stream=stream, outcome="")
    left.update(outcome="failed", error=BROKEN_OFF, ended_at=clock.now())
    run: SyncRun = SyncRun.objects.create(integration=integration, stream=stream, started_at=clock.now())
    trail.begin_run(run.pk, integration.pk, stream)
    log.info("sync run begins")
    return run


@failpoints.around("runs.end")
def end(run: SyncRun, outcome: str, error: str = "") -> None:
    """Write down how a run ended, with its counts; one that was not written down at its beginning is now."""
    run.outcome, run.error, run.ended_at = outcome, error, clock.now()
    run.save()
    log.info("sync run ends", outcome=outcome, seen=run.seen_count, changed=run.changed_count, failed=run.failed_count)
    trail.end_run(run.pk)
    measures.SYNC_RUNS.labels(str(run.integration), run.stream, outcome).inc()
