"""What analytics platforms counted, day by day and by source of traffic, to be held against our own figures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta

from django.db import transaction

from finalmarket.connectors.errors import ConnectorError, NotSupported
from finalmarket.connectors.talk import FigureRecord, PullsFigures
from finalmarket.integrations import breaker, runs
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.duties import does
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, OutsideFigure, SyncRun
from finalmarket.kernel import clock, failpoints

LANE = STREAM = "figures"
DAYS_RESTATED = 3
"""Platforms correct their figures of the last days; these are fetched anew each time."""
FIRST_DAYS = 30


def fetch(integration_id: int) -> SyncRun | None:
    """Fetch the last days anew, the last month at first; return the run, None where the account has no such duty, may
    not be asked, or somebody else is at it."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    if integration.status != ChannelIntegration.Status.ACTIVE or not does(integration, "figures"):
        return None
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return None
        run = runs.begin(integration, STREAM)
        outcome, words = "failed", "our own fault"
        try:
            with closing(open_connector(integration)) as there:
                _fetch(integration, there, run)
            outcome, words = "done", ""
            breaker.note_success(integration.pk, stream="pull")
        except NotSupported as error:  # the account lacks what figures need; its other duties go on
            words = str(error)
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            words = str(error)
        finally:
            runs.end(run, outcome, words)
        return run


def _fetch(integration: ChannelIntegration, there: object, run: SyncRun) -> None:
    if not isinstance(there, PullsFigures):
        raise NotSupported("the platform cannot be asked for figures")
    last = clock.now().date()
    known = OutsideFigure.objects.filter(integration=integration).exists()
    first = last - timedelta(days=DAYS_RESTATED if known else FIRST_DAYS)
    with failpoints.around("figures.ask"):
        found = there.pull_figures(first, last)
    with failpoints.around("figures.take"), transaction.atomic():
        _write(integration, first, last, found)
    run.seen_count = run.changed_count = len(found)


def _write(integration: ChannelIntegration, first: date, last: date, found: Sequence[FigureRecord]) -> None:
    """In the place of what was known of these days; a source that is gone is gone."""
    OutsideFigure.objects.filter(integration=integration, day__range=(first, last)).delete()
    OutsideFigure.objects.bulk_create(
        OutsideFigure(
            integration=integration, day=one.day, source=one.source[:200], sessions=one.sessions, users=one.users,
            purchases=one.purchases, revenue=one.revenue, currency=one.currency[:3],
        )
        for one in found
        if first <= one.day <= last
    )  # fmt: skip
