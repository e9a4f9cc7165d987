"""Pulling: page after page from where the last pull ended; a page's records and its cursor are one transaction.

So a pull may be killed anywhere and goes on as if nothing had been. One bad record is set aside and stops nothing; a
platform that fails ends its own run only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import NOT_ASKED, ConnectorError, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.records import Page
from finalmarket.integrations import breaker, runs
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, StreamCursor, SyncRun
from finalmarket.integrations.storing import CHANGED, FAILED, Stored, intake, patiently, set_unreadable_aside
from finalmarket.integrations.streams import STREAMS, Stream
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError

OVERLAP = timedelta(hours=1)
FRESH_FOR = timedelta(seconds=5)
LOOK_BACK = timedelta(hours=6)
"""What changed within that time is asked for once more every hour: a platform may leave a record out of a page and show
it later, when the cursor has passed it."""
MOST_PAGES = 500
BACKFILL = "backfill"
HOURLY = "backfill hourly"
"""The second look of every hour goes by cursors of its own: it does not undo how far a person's backfill has come."""
FINISHED = ("done", "partly")
LATER = "later"
"""A run that had to stop because this account's calls are used up for now: no fault of the platform's."""
UNDER_WAY = timedelta(minutes=30)


@dataclass(slots=True)
class Pull:
    """One run of one stream. A quiet one leaves no record when there was nothing to see."""

    integration: ChannelIntegration
    stream: Stream
    row: StreamCursor
    run: SyncRun
    held: Lane
    is_quiet: bool = False
    started_at: datetime | None = None
    pages: int = 0
    is_done: bool = False


def pull(integration_id: int, stream: str, *, is_quiet: bool = False) -> SyncRun | None:
    """Pull what is new of a stream, in its lane; return the run, a failed one too.

    None when there is nothing to be done now: the account is not active, the platform does not offer the stream, its
    breaker is open, or somebody else pulls at this moment. A very long stream is left after 500 pages (the run's
    outcome is "more") and goes on with the next call.
    """
    integration = ChannelIntegration.objects.select_related("sales_channel").get(pk=integration_id)
    return _pull(integration, STREAMS[stream], stream, is_quiet=is_quiet)


def backfill(
    integration: ChannelIntegration, since: datetime, stream: str = "orders", *, cursor: str = BACKFILL
) -> SyncRun | None:
    """Pull what changed since that moment once more, beside the stream and with a cursor of its own: one that was
    broken off goes on where it ended when it is asked for with the same moment. Returns as `pull` does."""
    name = cursor if stream == "orders" else f"{cursor} {stream}"
    found = ChannelIntegration.objects.select_related("sales_channel").get(pk=integration.pk)
    return _pull(found, STREAMS[stream], name, since=since)


def catch_up_orders(
    integration: ChannelIntegration,
    *,
    pause: Callable[[float], None] = time.sleep,
    patience_seconds: float = 2.0,
    is_strict: bool = False,
) -> bool:
    """Bring in what the platform sold up to now, as far as it can be known; return whether that is all there is.

    Called before numbers are told. Waiting order webhooks are worked, and orders pulled when the last pull is older
    than five seconds; a pull that runs elsewhere is waited for. Failures of the platform are counted, not raised. Where
    the platform lets orders be asked for too seldom for that (Amazon: once in three minutes), what was pulled last is
    all that can be known, and numbers are told all the same; where it is strict, that is not enough.
    """
    from finalmarket.integrations import inbox

    connector = connector_class(integration)
    if integration.status != ChannelIntegration.Status.ACTIVE or not issubclass(
        connector, STREAMS["orders"].capability
    ):
        return True
    if inbox.is_waiting(integration.pk):
        inbox.work(integration.pk)
    waited = 0.0
    while not is_fresh(integration.pk):
        run = pull(integration.pk, "orders", is_quiet=True)
        if run is not None:
            return run.outcome in FINISHED or (run.outcome == LATER and not is_strict)
        if waited >= patience_seconds or breaker.open_until(integration.pk) is not None:
            return False
        pause(0.05)
        waited += 0.05
    return True


def is_fresh(integration_id: int) -> bool:
    """Whether orders were pulled to their end within the last five seconds."""
    known = orders_known_until(integration_id)
    return known is not None and known > clock.now() - FRESH_FOR


def orders_known_until(integration_id: int) -> datetime | None:
    """When the last pull of orders that came to its end began: whatever was sold before then has come in."""
    rows = StreamCursor.objects.filter(integration=integration_id, stream="orders")
    found: datetime | None = rows.values_list("pulled_at", flat=True).first()
    return found


def _pull(
    integration: ChannelIntegration, stream: Stream, name: str, *, is_quiet: bool = False, since: datetime | None = None
) -> SyncRun | None:
    if integration.status != ChannelIntegration.Status.ACTIVE:
        return None
    if not issubclass(connector_class(integration), stream.capability):
        return None
    with lane(integration.pk, f"pull {name}") as held:
        if held is None or not breaker.may_call(integration.pk):
            return None
        row = _begin(integration, stream, name) if since is None else _begin_look(integration, name, since)
        if is_quiet:
            run = SyncRun(integration=integration, stream=name, started_at=clock.now())
        else:
            run = runs.begin(integration, name)
        return _run(Pull(integration, stream, row, run, held, is_quiet))


@failpoints.around("pull.begin")
def _begin(integration: ChannelIntegration, stream: Stream, name: str) -> StreamCursor:
    first = _first_moment(integration, stream)
    row, _ = StreamCursor.objects.get_or_create(integration=integration, stream=name, defaults={"since": first})
    return row


@failpoints.around("pull.look_back")
@transaction.atomic
def _begin_look(integration: ChannelIntegration, name: str, since: datetime) -> StreamCursor:
    """Begin anew from that moment, unless the last look began there. The caller holds the lane: the cursor of a look
    that is under way is nobody else's to reset."""
    row, _ = StreamCursor.objects.get_or_create(integration=integration, stream=name, defaults={"since": since})
    if row.since != since:
        row.since, row.cursor, row.pulled_at = since, "", None
        row.save()
    return row


def _first_moment(integration: ChannelIntegration, stream: Stream) -> datetime | None:
    if stream.look_back is None:
        return None
    return (integration.connected_at or clock.now()) - stream.look_back


def _run(work: Pull) -> SyncRun:
    """Carry a run out and write down how it ended; a failure of the platform ends here."""
    try:
        with closing(open_connector(work.integration)) as there:
            _walk(work, there)
    except ConnectorError as error:
        breaker.note_failure(work.integration, error)
        return _end(work, LATER if error.code == NOT_ASKED else "failed", str(error))
    except UserError as error:  # a secret that cannot be read any more
        return _end(work, "failed", str(error))
    breaker.note_success(work.integration.pk, stream="pull")
    if not work.is_done:
        return _end(work, "more", "")
    return _end(work, "partly" if work.run.failed_count else "done", "")


def _end(work: Pull, outcome: str, error: str) -> SyncRun:
    work.run.outcome, work.run.error, work.run.ended_at = outcome, error, clock.now()
    is_worth_a_record = error and outcome != LATER
    if work.run.pk or is_worth_a_record or work.run.seen_count:
        runs.end(work.run, outcome, error)
    return work.run


def _walk(work: Pull, there: Connector) -> None:
    """Go through the pages. A cursor that the platform does not take any more is given up, once, for the time since the
    last complete pull, with an hour's overlap."""
    try:
        _go_on(work, there)
    except (Rejected, Unintelligible) as error:
        is_cursors_fault = isinstance(error, Rejected) or (error.status is None and not work.pages)
        if not work.row.cursor or not is_cursors_fault:
            raise
        work.row.cursor = ""
        work.row.since = (work.row.pulled_at - OVERLAP) if work.row.pulled_at else work.row.since
        _go_on(work, there)


def _go_on(work: Pull, there: Connector) -> None:
    work.started_at = clock.now()
    failpoints.hit("pull.before_page")
    for page in work.stream.pages(there, work.row.cursor, work.row.since):
        failpoints.hit("pull.after_page")
        patiently(partial(_store, work, page))
        failpoints.hit("pull.after_commit")
        work.pages += 1
        if page.is_last:
            work.is_done = True
            return
        if work.pages >= MOST_PAGES:
            return
        failpoints.hit("pull.before_page")
    work.is_done = True
    with failpoints.around("pull.end"):
        StreamCursor.objects.filter(pk=work.row.pk).update(pulled_at=work.started_at)


def _store(work: Pull, page: Page[Any]) -> None:
    """The records of a page, its cursor and the counts: together or not at all."""
    run = work.run
    before = (run.seen_count, run.changed_count, run.failed_count, run.pk)
    try:
        _store_whole(work, page)
    except BaseException:
        run.seen_count, run.changed_count, run.failed_count, run.pk = before
        raise


def _store_whole(work: Pull, page: Page[Any]) -> None:
    with intake(work.integration, work.stream.name):
        stored = work.stream.take(work.integration, page.records)
        stored += set_unreadable_aside(work.integration, work.stream.name, page.unreadable)
        _count(work, stored)
        work.row.cursor = page.cursor
        if page.is_last:
            work.row.pulled_at = work.started_at
        work.row.save()
        failpoints.hit("pull.before_commit")
        if not work.held.is_held():
            raise RetryLater("the database was restarted, and with it ended our turn; the next pull goes on from here")


def _count(work: Pull, stored: list[Stored]) -> None:
    run = work.run
    run.seen_count += len(stored)
    run.changed_count += sum(one.outcome in CHANGED for one in stored)
    run.failed_count += sum(one.outcome == FAILED for one in stored)
    if run.pk or stored:
        run.save()
