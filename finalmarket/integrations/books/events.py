"""Telling platforms what happened here, once, in batches: stock that moved, what customers did and bought.

Due events are claimed by their state, read for many calls at once, sent in the platform's batch size, and each call is
settled for itself. An event keeps its key: one whose answer got lost is told again under it, and counts once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.db import connection, transaction

from finalmarket.connectors.books import PushesMovements
from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import (
    ConnectorError,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.talk import SendsEvents
from finalmarket.integrations import breaker, dead_letters
from finalmarket.integrations.books import happenings, movements
from finalmarket.integrations.books.finding import Books, books_of
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueEvent
from finalmarket.integrations.push import Pushed, opened, reason_not_to_push
from finalmarket.integrations.told_again import AGAIN_AFTER, SHOWN_AFTER, YOUNG_FOR
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError

LANE = "events"
CLAIM_SECONDS = 180.0
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 2.0, 900.0
MOST_GROUPS, MOST_CALLS_TOGETHER, MOST_VERIFIED = 200, 20, 1_000
SECONDS_TOGETHER = 1.0
"""As many calls as went out in so short a time are claimed and read together: what is told is no older than that."""
KEPT_DAYS = 90
NOT_TOLD = "the account is not told this any more"
NOTHING_MOVED = "nothing moved at a place that the account knows"
Kind, State = DueEvent.Kind, DueEvent.State


@dataclass(frozen=True, slots=True)
class Claimed:
    """A due event that we work on."""

    pk: int
    kind: str
    local_id: int
    key: str
    was_doubtful: bool


@dataclass(slots=True)
class Parcel:
    """Claimed events as they are told, by the id of the due event; `withheld` says which are not, and why."""

    said: Mapping[int, Any]
    withheld: Mapping[int, str] = field(default_factory=dict)


class Errand(Protocol):
    """One way of telling events: which kinds, how many at once, in what words."""

    kinds: ClassVar[tuple[str, ...]]
    capability: ClassVar[type]

    def is_on(self, books: Books) -> bool:
        """Whether the account is told this."""

    def most(self, connector: Any) -> int:
        """How many go into one call."""

    def read(self, integration: ChannelIntegration, connector: Any, claimed: Sequence[Claimed]) -> Parcel:
        """What these events are to say, now."""

    def send(self, connector: Any, said: Sequence[Any]) -> Sequence[Rejected]:
        """Tell the platform; return what it refused, each with its key."""


class Moves:
    """Movements of stock."""

    kinds: ClassVar[tuple[str, ...]] = (Kind.MOVEMENT,)
    capability: ClassVar[type] = PushesMovements

    def is_on(self, books: Books) -> bool:
        return books.movements is not None

    def most(self, connector: Any) -> int:
        return int(connector.movement_batch_limit)

    def read(self, integration: ChannelIntegration, connector: Any, claimed: Sequence[Claimed]) -> Parcel:
        said = movements.notices_of(integration, {one.pk: one.local_id for one in claimed})
        return Parcel(said, {one.pk: NOTHING_MOVED for one in claimed if one.pk not in said})

    def send(self, connector: Any, said: Sequence[Any]) -> Sequence[Rejected]:
        refused: Sequence[Rejected] = connector.push_movements(said)
        return refused


class Deeds:
    """What customers did and bought."""

    kinds: ClassVar[tuple[str, ...]] = (Kind.INTERACTION, Kind.PURCHASE, Kind.REFUND)
    capability: ClassVar[type] = SendsEvents

    def is_on(self, books: Books) -> bool:
        return books.events is not None

    def most(self, connector: Any) -> int:
        return int(connector.event_batch_limit)

    def read(self, integration: ChannelIntegration, connector: Any, claimed: Sequence[Claimed]) -> Parcel:
        due = [(one.pk, one.kind, one.local_id) for one in claimed]
        found = happenings.read(integration, due, connector.most_event_age)
        return Parcel(found.events, found.withheld)

    def send(self, connector: Any, said: Sequence[Any]) -> Sequence[Rejected]:
        refused: Sequence[Rejected] = connector.send_events(said)
        return refused


ERRANDS: Sequence[Errand] = (Moves(), Deeds())


def tell(integration_id: int) -> Pushed:
    """Tell the account what happened, the oldest first, if nobody else is doing so. What it does not take is set aside
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
            return _Drain(books_of(integration), connector, held).run()


def verify(integration_id: int) -> int:
    """Tell again, under its key, what moved and was told a while ago, as long as it is young: posted twice it counts
    once, and some platforms say yes and do nothing. Return how many were told. Raises nothing that a platform did."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    if reason_not_to_push(integration) or books_of(integration).movements is None:
        return 0
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return 0
        with opened(integration) as connector:
            if connector is None or not isinstance(connector, PushesMovements):
                return 0
            try:
                return _verify_all(integration, connector, held)
            except ConnectorError as error:
                breaker.note_failure(integration, error)
                return 0


def _verify_all(integration: ChannelIntegration, connector: Connector, held: Lane) -> int:
    errand = Moves()
    before = clock.now() - SHOWN_AFTER
    found = [Claimed(*row) for row in rows("unverified", integration=integration.pk, before=before, most=MOST_VERIFIED)]
    said = errand.read(integration, connector, found).said
    for part in _parts([(one.pk, said.get(one.pk)) for one in found], errand.most(connector)):
        if not held.is_held():
            break
        telling = [notice for _, notice in part if notice is not None]
        failpoints.hit("events.before_verify_send")
        try:
            answer = errand.send(connector, telling) if telling else []
        except (Rejected, NotSupported, *READING_ERRORS):
            answer = []  # these cannot be told together any more
        failpoints.hit("events.after_verify_send")
        _settle_verified(integration, [one for one in found if one.pk in dict(part)], said, answer)
    breaker.note_success(integration.pk)
    return len(found)


def _settle_verified(
    integration: ChannelIntegration, told: Sequence[Claimed], said: Mapping[int, Any], answer: Sequence[Rejected]
) -> None:
    """What is refused now was not posted before: it is set aside like any other."""
    reasons = {error.key: str(error) for error in answer}
    refused = [one for one in told if one.pk in said and said[one.pk].key in reasons]
    with failpoints.around("events.verify"), transaction.atomic():
        for one in refused:
            payload = {"event": one.pk, "kind": one.kind, "local_id": one.local_id}
            reason = reasons[said[one.pk].key] or "it gave no reason"
            dead_letters.set_aside(integration, f"event_{one.kind}", one.key, reason, payload)
        rows(
            "verify", events=[one.pk for one in told], refused=[one.pk for one in refused],
            young=clock.now() - YOUNG_FOR, again_after=AGAIN_AFTER,
        )  # fmt: skip


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Have a refused event told again. Raises UserError when there is none behind the letter."""
    with failpoints.around("events.replay"), connection.cursor() as cursor:
        values = {"event": letter.payload.get("event") or 0, "integration": integration.pk, "now": clock.held()}
        cursor.execute(happenings.QUERIES["again"], values)
        found = cursor.rowcount
    if not found:
        raise UserError("there is no refused event behind this letter any more; settle it by hand")


def forget(before: datetime, *, most: int) -> int:
    """Remove the oldest events found before that moment that need nobody any more, at most so many; return how many."""
    with failpoints.around("events.forget"), connection.cursor() as cursor:
        cursor.execute(happenings.QUERIES["tidy"], {"before": before, "most": most})
        return int(cursor.rowcount)


REPLAYS = {f"event_{kind}": replay for kind in Kind.values}
"""How refused events are tried again, by the stream of their dead letters."""


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run a query of events.sql; return its rows, none where it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(happenings.QUERIES[query], {"now": clock.held(), **values})
        return list(cursor.fetchall()) if cursor.description else []


class _Drain:
    """One run for one account."""

    def __init__(self, books: Books, connector: Connector, held: Lane) -> None:
        self._connector, self._lane, self._integration = connector, held, books.integration
        self._done = Pushed()
        self._errands = [one for one in ERRANDS if one.is_on(books) and isinstance(connector, one.capability)]

    def run(self) -> Pushed:
        told = [kind for errand in self._errands for kind in errand.kinds]
        with failpoints.around("events.drop"):
            rows("withhold_kinds", integration=self._integration.pk, told=told, reason=NOT_TOLD)
        try:
            for errand in self._errands:
                self._drain(errand)
        except ConnectorError as error:
            breaker.note_failure(self._integration, error)
            self._done.reason = str(error)
        except _LaneLost:
            self._done.reason = "the lane was lost"
        return self._done

    def _drain(self, errand: Errand) -> None:
        calls_together = 1
        for _ in range(MOST_GROUPS):
            if not self._lane.is_held():
                raise _LaneLost
            with failpoints.around("events.claim"):
                claimed = self._claim(errand, errand.most(self._connector) * calls_together)
            if not claimed:
                return
            began = time.monotonic()
            _Group(self._integration, self._connector, self._lane, errand, claimed, self._done).tell()
            in_time = calls_together * SECONDS_TOGETHER / max(time.monotonic() - began, 1e-6)
            calls_together = max(1, min(MOST_CALLS_TOGETHER, int(in_time)))

    def _claim(self, errand: Errand, limit: int) -> list[Claimed]:
        found = rows(
            "claim", integration=self._integration.pk, kinds=list(errand.kinds), limit=limit, seconds=CLAIM_SECONDS
        )
        return [Claimed(*row) for row in sorted(found)]


class _LaneLost(Exception):
    """The database forgot that we hold the lane: somebody else may be sending."""


@dataclass
class _Group:
    """Claimed events on their way, and what became of them so far. `waiting` are those of which nothing is known yet,
    `trying` those of the call under way."""

    integration: ChannelIntegration
    connector: Connector
    lane: Lane
    errand: Errand
    claimed: Sequence[Claimed]
    done: Pushed
    waiting: dict[int, Claimed] = field(default_factory=dict)
    trying: set[int] = field(default_factory=set)

    def tell(self) -> None:
        """Send all of them and settle each call. What the platform did not answer is put off, and the failure goes on
        upwards."""
        self.waiting = {one.pk: one for one in self.claimed}
        parcel = self.errand.read(self.integration, self.connector, self.claimed)
        self._end(dict(parcel.withheld), State.WITHHELD)
        saying = [(pk, parcel.said[pk]) for pk in self.waiting]
        try:
            for part in _parts(saying, self.errand.most(self.connector)):
                if not self.lane.is_held():
                    raise _LaneLost
                self._send(part)
                breaker.note_success(self.integration.pk, stream="push")
        except ConnectorError as error:
            self._put_off(error)
            raise

    def _send(self, part: Sequence[tuple[int, Any]]) -> None:
        """Send a part in one call. Where the platform refuses it as a whole, its halves are sent for themselves, until
        the one that is refused stands alone."""
        self.trying = {pk for pk, _ in part}
        try:
            failpoints.hit("events.before_send")
            answer = self.errand.send(self.connector, [said for _, said in part])
            failpoints.hit("events.after_send")
        except (Rejected, NotSupported) as error:
            self._halve(part, error)
            return
        except READING_ERRORS as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
        reasons = {error.key: str(error) for error in answer}
        self._settle([(pk, said.key) for pk, said in part], reasons)

    def _halve(self, part: Sequence[tuple[int, Any]], error: ConnectorError) -> None:
        if len(part) == 1:
            ((pk, said),) = part
            self._settle([(pk, said.key)], {said.key: str(error)})
            return
        middle = len(part) // 2
        self._send(part[:middle])
        self._send(part[middle:])

    def _settle(self, part: Sequence[tuple[int, str]], reasons: Mapping[str, str]) -> None:
        """Write down what the platform took and, with its reason, what it refused (by key)."""
        refused = {pk: reasons[key] or "it gave no reason" for pk, key in part if key in reasons}
        taken = [self.waiting[pk] for pk, _ in part if pk not in refused]
        with transaction.atomic():
            for stream, keys in _by_stream(taken):
                dead_letters.settle(self.integration, stream, keys, by="push")
            for pk, reason in refused.items():
                one = self.waiting[pk]
                payload = {"event": pk, "kind": one.kind, "local_id": one.local_id}
                dead_letters.set_aside(self.integration, f"event_{one.kind}", one.key, reason, payload)
            self._write(dict.fromkeys((one.pk for one in taken), ""), State.SENT)
            self._write(refused, State.REFUSED)
            failpoints.hit("events.within_settle")
        failpoints.hit("events.after_settle")
        self.done.told += len(taken)
        self.done.refused += len(refused)
        self._forget([pk for pk, _ in part])

    def _end(self, reasons: Mapping[int, str], state: DueEvent.State) -> None:
        if reasons:
            with failpoints.around("events.withhold"):
                self._write(reasons, state)
            self._forget(list(reasons))

    def _write(self, reasons: Mapping[int, str], state: DueEvent.State) -> None:
        if reasons:
            rows(
                "end", events=list(reasons), states=[state] * len(reasons),
                reasons=[reason[:500] for reason in reasons.values()],
            )  # fmt: skip

    def _forget(self, settled: Sequence[int]) -> None:
        for pk in settled:
            del self.waiting[pk]

    def _put_off(self, error: ConnectorError) -> None:
        """What the failed call was about may have arrived; what was not reached certainly did not."""
        is_lost = isinstance(error, (OutcomeUnknown, Unintelligible))
        wait = error.retry_after if isinstance(error, RetryLater) else None
        tried = [pk in self.trying for pk in self.waiting]
        states = [
            State.DOUBTFUL if one.was_doubtful or (is_lost and was_tried) else State.DUE
            for one, was_tried in zip(self.waiting.values(), tried, strict=True)
        ]
        with failpoints.around("events.put_off"):
            rows(
                "put_off", events=list(self.waiting), states=states, tried=tried, reason=str(error)[:500],
                wait=wait or 0.0, first=FIRST_PAUSE_SECONDS, most=MOST_PAUSE_SECONDS,
            )  # fmt: skip
        self.done.put_off += len(self.waiting)


def _parts(saying: Sequence[tuple[int, Any]], most: int) -> Iterator[Sequence[tuple[int, Any]]]:
    return (saying[start : start + most] for start in range(0, len(saying), most))


def _by_stream(taken: Sequence[Claimed]) -> Iterator[tuple[str, list[str]]]:
    """The keys by the stream of their letters."""
    for kind in sorted({one.kind for one in taken}):
        yield f"event_{kind}", [one.key for one in taken if one.kind == kind]
