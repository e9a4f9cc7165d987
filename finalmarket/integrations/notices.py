"""Telling a platform, once, what happened here to its orders and payments: a parcel left, money goes back, an order is
cancelled, an authorisation is used or let go.

Notices are found by looking at the records themselves, so none is forgotten. One is doubtful from the moment it is sent
until its answer is written down: whoever finds it so, because a worker was killed or an answer got lost, asks the
platform before telling it again, and tells it under the same key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import (
    ONE_RECORD,
    ConnectorError,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.integrations import breaker, dead_letters
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice, ExternalId
from finalmarket.integrations.notice_queries import QUERIES, refuse
from finalmarket.integrations.notice_words import KINDS, NOTHING, WITHHELD, Notice, is_early, kinds_of
from finalmarket.integrations.privacy.elsewhere import Erasures
from finalmarket.integrations.push import Pushed, opened, reason_not_to_push
from finalmarket.integrations.talk import finding
from finalmarket.integrations.talk.kinds import TALK
from finalmarket.integrations.told_again import AGAIN_AFTER, SHOWN_AFTER, YOUNG_FOR
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError

LANE = "notices"
CLAIM_SECONDS = 180.0
FIRST_PAUSE_SECONDS = 2.0
MOST_PAUSE_SECONDS = 900.0
MOST_NOTICES = 500
ALL_KINDS = {**KINDS, **TALK, DueNotice.Kind.ERASURE: Erasures()}
KNOWN = (ChannelIntegration.Status.ACTIVE, ChannelIntegration.Status.PAUSED, ChannelIntegration.Status.NEEDS_ATTENTION)


def find(within: timedelta = timedelta(minutes=15)) -> int:
    """Find what platforms and people have yet to hear of what happened within that time, for all accounts; return how
    much."""
    return _find_of_orders(within) + finding.find(within)


def _find_of_orders(within: timedelta) -> int:
    accounts: dict[str, list[int]] = {str(kind): [] for kind in KINDS}
    for integration in ChannelIntegration.objects.filter(status__in=KNOWN):
        for kind in _kinds(integration):
            accounts[kind].append(integration.pk)
    every = sorted({number for numbers in accounts.values() for number in numbers})
    if not every:
        return 0
    with failpoints.around("notices.find"), connection.cursor() as cursor:
        values = {"since": clock.now() - within, "now": clock.held(), "accounts": every, **accounts}
        cursor.execute(QUERIES["find"], values)
        return int(cursor.rowcount)


def _kinds(integration: ChannelIntegration) -> list[str]:
    try:
        return kinds_of(connector_class(integration))
    except NotSupported:
        return []  # its health says so


def tell(integration_id: int) -> Pushed:
    """Tell the platform its notices, the oldest first, if nobody else is doing so. What it does not take is set aside
    with its reason; a failure of the platform ends the run. Raises nothing that a platform did."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    reason = reason_not_to_push(integration)
    if reason:
        return Pushed(reason=reason)
    with lane(integration_id, LANE) as held:
        if held is None:
            return Pushed(reason="somebody else is at it")
        if not breaker.may_call(integration_id):
            return Pushed(reason="the platform is left alone for a while")
        with opened(integration) as connector:
            if connector is None:
                return Pushed(reason=integration.status_reason)
            return _tell_all(integration, connector, held)


def verify(integration_id: int) -> int:
    """Ask the platform whether it shows what it was told a while ago; what it does not show is told again under the
    same key, and looked for again while it is young. Return how many were. Some platforms say yes and do nothing, some
    of them twice."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    if reason_not_to_push(integration):
        return 0
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return 0
        with opened(integration) as connector:
            if connector is None:
                return 0
            try:
                return _verify_all(integration, connector)
            except ConnectorError as error:
                breaker.note_failure(integration, error)
                return 0


def _verify_all(integration: ChannelIntegration, connector: Connector) -> int:
    again = 0
    for row in list(_unverified(integration).order_by("sent_at")[:MOST_NOTICES]):
        kind = ALL_KINDS[row.kind]
        try:
            is_shown = not isinstance(connector, kind.capability) or kind.shows(connector, Notice(integration, row))
        except (Rejected, NotSupported, *READING_ERRORS):
            is_shown = True  # this one cannot be asked for
        with failpoints.around("notices.verify"):
            _note_look(row, is_shown)
        again += is_shown is False
    breaker.note_success(integration.pk)
    return again


def _note_look(row: DueNotice, is_shown: bool | None) -> None:
    """Have what is not shown told again; what is young is looked for again, unless it was seen."""
    now = clock.now()
    is_settled = is_shown or row.found_at < now - YOUNG_FOR
    DueNotice.objects.filter(pk=row.pk).update(
        state=DueNotice.State.DUE if is_shown is False else DueNotice.State.SENT, next_try_at=now,
        verified_at=now if is_settled else None, sent_at=now if is_shown is None else row.sent_at,
        attempts=row.attempts + (is_shown is None),
    )  # fmt: skip


def _unverified(integration: ChannelIntegration) -> QuerySet[DueNotice]:
    """What was told so long ago that the platform should show it, and was not seen there."""
    now = clock.now()
    is_shown_by_now = Q(sent_at__lt=now - SHOWN_AFTER, attempts__lte=1) | Q(sent_at__lt=now - AGAIN_AFTER)
    sent = DueNotice.objects.filter(integration=integration, state=DueNotice.State.SENT, verified_at=None)
    return sent.filter(is_shown_by_now)


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Have a refused notice told again. Raises UserError when there is none behind the letter."""
    rows = DueNotice.objects.filter(integration=integration, pk=letter.payload.get("notice") or 0)
    with failpoints.around("notices.replay"):
        found = rows.update(state=DueNotice.State.DUE, next_try_at=clock.now(), attempts=0)
    if not found:
        raise UserError("there is no notice behind this letter any more; settle it by hand")


REPLAYS = {f"notice_{kind}": replay for kind in ALL_KINDS}
"""How refused notices are tried again, by the stream of their dead letters."""


def _tell_all(integration: ChannelIntegration, connector: Connector, held: Lane) -> Pushed:
    done = Pushed()
    for _ in range(MOST_NOTICES):
        with failpoints.around("notices.claim"):
            found = _claim(integration)
        if found is None:
            break
        notice, was_doubtful = found
        if not held.is_held():
            done.reason = "the lane was lost"
            break
        try:
            _tell_one(connector, notice, was_doubtful, done)
        except ConnectorError as error:
            _put_off(notice, error, was_doubtful)
            breaker.note_failure(integration, error)
            done.put_off, done.reason = done.put_off + 1, str(error)
            if error.code == ONE_RECORD:
                continue
            break
        breaker.note_success(integration.pk, stream="push")
    return done


def _tell_one(connector: Connector, notice: Notice, was_doubtful: bool, done: Pushed) -> None:
    kind = ALL_KINDS[notice.row.kind]
    if not isinstance(connector, kind.capability):
        raise NotSupported(f"{connector.name} cannot be told this")
    try:
        known = kind.find(connector, notice) if was_doubtful else None
        failpoints.hit("notices.before_send")
        given = known if known is not None else kind.tell(connector, notice)
        failpoints.hit("notices.after_send")
    except (Rejected, NotSupported, UserError) as error:
        if isinstance(error, Rejected) and is_early(notice):
            wait = RetryLater(str(error), retry_after=SHOWN_AFTER.total_seconds())
            _put_off(notice, wait, was_doubtful=False, is_refused=True)
            done.put_off += 1
            return
        _refuse(notice, str(error))
        done.refused += 1
        return
    except READING_ERRORS as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
    _settle(notice, given)
    done.told += given != WITHHELD


def _claim(integration: ChannelIntegration) -> tuple[Notice, bool] | None:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"integration": integration.pk, "now": clock.held(), "seconds": CLAIM_SECONDS}
        cursor.execute(QUERIES["claim"], values)
        row = cursor.fetchone()
    if row is None:
        return None
    return Notice(integration, DueNotice.objects.get(pk=row[0])), bool(row[1])


def _settle(notice: Notice, external_id: str) -> None:
    """Write down that the platform was told, and what it calls it; or that it was not, and never will be."""
    row, is_told = notice.row, external_id != WITHHELD
    with transaction.atomic():
        DueNotice.objects.filter(pk=row.pk).update(
            state=DueNotice.State.SENT if is_told else DueNotice.State.WITHHELD, external_id=external_id[:200],
            sent_at=clock.now() if is_told else None, last_error="",
        )  # fmt: skip
        if external_id not in (NOTHING, WITHHELD):
            ExternalId.objects.bulk_create(
                [
                    ExternalId(
                        integration=notice.integration, kind=row.kind, external_id=external_id[:200],
                        local_id=row.local_id,
                    )
                ],
                ignore_conflicts=True,
            )  # fmt: skip
        dead_letters.settle(notice.integration, f"notice_{row.kind}", [row.key], by="push")
        failpoints.hit("notices.within_settle")
    failpoints.hit("notices.after_settle")


def _refuse(notice: Notice, reason: str) -> None:
    """Set the notice aside with its reason."""
    with transaction.atomic():
        refuse(notice.integration, notice.row, reason)
        failpoints.hit("notices.within_refuse")
    failpoints.hit("notices.after_refuse")


def _put_off(notice: Notice, error: ConnectorError, was_doubtful: bool, *, is_refused: bool = False) -> None:
    """Tell it later: in doubt where it may have arrived, under another key where it was surely refused, else as if
    nothing had been."""
    is_doubtful = was_doubtful or isinstance(error, (OutcomeUnknown, Unintelligible))
    wait = error.retry_after if isinstance(error, RetryLater) else None
    with failpoints.around("notices.put_off"), connection.cursor() as cursor:
        cursor.execute(
            QUERIES["put_off"],
            {
                "notice": notice.row.pk, "reason": str(error)[:500], "wait": wait or 0.0, "now": clock.held(),
                "state": DueNotice.State.DOUBTFUL if is_doubtful else DueNotice.State.DUE,
                "first": FIRST_PAUSE_SECONDS, "most": MOST_PAUSE_SECONDS, "refusals": int(is_refused),
            },
        )  # fmt: skip
