"""What webhooks ask for: the records that they hint at are fetched as they stand now, and taken as a pull does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import NOT_ASKED, ConnectorError, NeedsAttention, Rejected, RetryLater
from finalmarket.connectors.records import Event
from finalmarket.connectors.talk import InteractionRecord
from finalmarket.integrations import breaker, connect, dead_letters
from finalmarket.integrations.desk import tracking_in
from finalmarket.integrations.inbox import WAITS, as_delivery, read_events, settle
from finalmarket.integrations.models import (
    ChannelIntegration,
    ListingLink,
    PlaceMapping,
    WebhookDelivery,
)
from finalmarket.integrations.privacy import late_news, wishes
from finalmarket.integrations.storing import FAILED, Stored, intake, patiently
from finalmarket.integrations.streams import STREAMS, Stream
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.jobs import enqueue
from finalmarket.orders.drafts import plain
from finalmarket.orders.versions import is_older

MOST_ATTEMPTS = 12
FIRST_PAUSE_SECONDS = 2.0
MOST_PAUSE_SECONDS = 3600.0
UNINSTALLED = "uninstalled"
WISHES = ({"erase"}, {"data_request"})
ERASE = "the platform asks for all copies to be erased, of an account that works"


@dataclass(slots=True)
class Hint:
    """All that a batch of deliveries says of one record: `record` is the newest that came along, if any did.

    `outcome` says what became of it; `retry` is why it has to be tried again, with the seconds that the platform asks
    for.
    """

    kind: str
    external_id: str
    topic: str
    record: Any = None
    deliveries: list[WebhookDelivery] = field(default_factory=list)
    outcome: str = ""
    retry: ConnectorError | None = None


def act_on(integration: ChannelIntegration, there: Connector, claimed: Sequence[WebhookDelivery]) -> None:
    """Carry out what the claimed deliveries ask for, and write down what became of each."""
    hints = collect(there, claimed)
    for name, stream in STREAMS.items():
        _take(integration, there, stream, [hint for hint in hints if hint.kind == name])
        failpoints.hit("inbox.after_take")
    for hint in hints:
        if hint.kind not in STREAMS and hint.kind != UNINSTALLED:
            with failpoints.around("inbox.note"):
                hint.outcome = _note(integration, hint)
    with transaction.atomic():  # what stops the account is settled with it, or it would stop it again later
        for hint in hints:
            if hint.kind == UNINSTALLED:
                hint.outcome = _note(integration, hint)
        _settle(integration, claimed, hints)
    failpoints.hit("inbox.after_settle")


def act_on_wishes(integration: ChannelIntegration, there: Connector, waiting: Sequence[WebhookDelivery]) -> None:
    """Of what waits for an account that does not work, or has ended: carry out what people want. The law does not wait
    until it is connected anew; all else does, and is marked."""
    wanted = [row for row in waiting if {event.kind for event in read_events(there, as_delivery(row))} in WISHES]
    others = [row for row in waiting if row not in wanted]
    for row in others:
        row.outcome = WAITS
    if others:
        settle(others)  # before a wish that empties them
    hints = collect(there, wanted)
    for hint in hints:
        hint.outcome = _note(integration, hint)
    if wanted:
        _settle(integration, wanted, hints)


def collect(there: Connector, claimed: Sequence[WebhookDelivery]) -> list[Hint]:
    """The hints of a batch, one for each record."""
    hints: dict[tuple[str, str], Hint] = {}
    for row in claimed:
        for event in read_events(there, as_delivery(row)):
            name = _name(event)
            key = (event.kind, name or f"event {event.event_id}" if event.kind in STREAMS else event.event_id)
            hint = hints.setdefault(key, Hint(event.kind, name, event.topic))
            hint.deliveries.append(row)
            hint.record = _newer(hint.record, event)
    return list(hints.values())


def _name(event: Event) -> str:
    """What the event is about; an interaction has a name of its own, whatever it was done with."""
    return event.record.external_id if isinstance(event.record, InteractionRecord) else event.external_id


def _newer(known: Any, event: Event) -> Any:
    """The newer of two records that came along; one without a version says nothing about when it was so."""
    brought = event.record
    if isinstance(brought, InteractionRecord):
        return brought  # what happened once has no versions
    if brought is None or not brought.version:
        return known
    return brought if known is None or is_older(known.version, brought.version) else known


def _take(integration: ChannelIntegration, there: Connector, stream: Stream, hints: Sequence[Hint]) -> None:
    """Fetch what did not come along, and take all of it at once."""
    _fetch_all(integration, there, stream, [hint for hint in hints if hint.record is None])
    found = {hint.record.external_id: hint for hint in hints if hint.record is not None}
    if not found:
        return
    for one in patiently(partial(_store, integration, stream, [hint.record for hint in found.values()])):
        words = f"set aside: {one.reason}" if one.outcome == FAILED else one.outcome
        found[one.external_id].outcome = f"{stream.name} {one.external_id}: {words}"


def _store(integration: ChannelIntegration, stream: Stream, records: Sequence[Any]) -> list[Stored]:
    with intake(integration, stream.name):
        stored = stream.take(integration, records)
        failpoints.hit("inbox.before_take")
    return stored


def _fetch_all(integration: ChannelIntegration, there: Connector, stream: Stream, hints: Sequence[Hint]) -> None:
    """Ask for one record after the other, as long as the platform may be asked; those that are left come again."""
    asking = []
    for hint in hints:
        if isinstance(there, stream.capability) and hint.external_id and stream.pull_one:
            asking.append(hint)
        else:
            hint.outcome = f"{there.name} names no {stream.name} record that one could ask for"
    has_answered, stopped = False, _left_alone(integration) if asking else None
    for hint in asking:
        if stopped is not None:
            hint.retry = _not_asked(stopped)
            continue
        hint.retry = _fetch(integration, there, stream, hint)
        if hint.retry is None and not has_answered:
            breaker.note_success(integration.pk)
        has_answered = hint.retry is None
        if isinstance(hint.retry, RetryLater | NeedsAttention):
            stopped = hint.retry
        elif hint.retry is not None:
            stopped = _left_alone(integration)


def _not_asked(stopped: ConnectorError) -> ConnectorError:
    """What becomes of those behind the question that was the last. Rights that are missing are missing for all."""
    if not isinstance(stopped, RetryLater):
        return stopped
    return RetryLater(f"not asked: {stopped}", retry_after=stopped.retry_after, code=NOT_ASKED)


def _left_alone(integration: ChannelIntegration) -> ConnectorError | None:
    """Why the platform is not asked now, and for how much longer; None where it may be."""
    if breaker.may_call(integration.pk):
        return None
    now = clock.now()
    rest = (breaker.open_until(integration.pk) or now) - now
    return RetryLater("the platform is left alone for a while", retry_after=max(0.0, rest.total_seconds()))


def _fetch(integration: ChannelIntegration, there: Connector, stream: Stream, hint: Hint) -> ConnectorError | None:
    """Ask for the record as it stands now. Returns how the platform failed, None if it answered."""
    try:
        hint.record = stream.one(there, hint.external_id)
    except Rejected as error:
        dead_letters.set_aside(integration, stream.name, hint.external_id, error.reason, {"topic": hint.topic})
        hint.outcome = f"set aside: {error.reason}"
        return None
    except ConnectorError as error:
        breaker.note_failure(integration, error)
        return error
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, LookupError) as error:
        reason = f"cannot be read: {type(error).__name__}: {error}"
        dead_letters.set_aside(integration, stream.name, hint.external_id, reason, {"topic": hint.topic})
        hint.outcome = f"set aside: {reason}"
        return None
    if hint.record is None:
        hint.outcome = f"{stream.name} {hint.external_id}: the platform has it no more"
    return None


def _note(integration: ChannelIntegration, hint: Hint) -> str:
    """What is no record to be taken: a number that changed there, a person's request, the end of an account."""
    act = NOTED.get(hint.kind)
    return act(integration, hint) if act else f"unknown topic {hint.topic}: kept, nothing done"


def _stock_changed(integration: ChannelIntegration, hint: Hint) -> str:
    """The next sweep looks at this listing first; what a master of stock counts is taken over at once."""
    if PlaceMapping.objects.filter(integration=integration, is_master=True).exists():
        lock = f"integrations.counts:{integration.pk}"
        enqueue("integrations.counts", queueing_lock=lock, integration=integration.pk)
    ListingLink.objects.filter(integration=integration, external_key=hint.external_id).update(shown_at=None)
    return "will be compared with ours"


def _listing_changed(integration: ChannelIntegration, hint: Hint) -> str:
    ListingLink.objects.filter(integration=integration, external_key=hint.external_id).update(shown_at=None)
    return "will be looked at with the next look at the listings"


def _erase(integration: ChannelIntegration, hint: Hint) -> str:
    """A person is erased; where none is named, all that an ended account showed. An account that works on is not
    emptied by a webhook: that is put before a person."""
    if hint.external_id:
        return wishes.erase(integration, hint.external_id, hint.topic)
    if integration.status != ChannelIntegration.Status.ACTIVE:
        return wishes.clear(integration, [row.pk for row in hint.deliveries])
    letters = {"topic": hint.topic}
    dead_letters.set_aside(integration, "erase", hint.deliveries[0].event_id, ERASE, letters)
    return "before a person"


def _data_request(integration: ChannelIntegration, hint: Hint) -> str:
    """What is known of somebody is handed out by a person, who sees whose it is."""
    return wishes.show(integration, hint.external_id, hint.topic)


def _uninstalled(integration: ChannelIntegration, hint: Hint) -> str:
    connect.need_attention(integration, "the platform says that we were removed from this account: connect it anew")
    return "needs attention"


def _parcel_moved(integration: ChannelIntegration, hint: Hint) -> str:
    return tracking_in.take_hint(integration, hint.record, hint.external_id)


NOTED = {
    "stock": _stock_changed, "listings": _listing_changed, "erase": _erase, "data_request": _data_request,
    UNINSTALLED: _uninstalled, "tracking": _parcel_moved,
}  # fmt: skip


def _settle(integration: ChannelIntegration, claimed: Sequence[WebhookDelivery], hints: Sequence[Hint]) -> None:
    """A delivery is done when all of its hints are; one of which a hint failed comes again, or is set aside. What only
    has to wait was not tried."""
    by_row: dict[int, list[Hint]] = defaultdict(list)
    for hint in hints:
        for row in hint.deliveries:
            by_row[row.pk].append(hint)
    for row in claimed:
        mine = by_row[row.pk]
        failed = min((hint for hint in mine if hint.retry), key=lambda hint: _is_a_wait(hint.retry), default=None)
        if failed is not None and _is_a_wait(failed.retry):
            row.attempts -= 1
        if failed is not None and failed.retry is not None and row.attempts < MOST_ATTEMPTS:
            row.next_try_at = clock.now() + timedelta(seconds=_pause(row.attempts, failed.retry))
            row.outcome = plain(f"comes again: {failed.retry}", 200)
            continue
        if failed is not None:
            reason = f"given up after {row.attempts} tries: {failed.retry}"
            dead_letters.set_aside(integration, failed.kind, failed.external_id, reason, {"topic": failed.topic})
        words = ["given up" if failed else "", *(hint.outcome for hint in mine)]
        row.outcome = plain("; ".join(word for word in words if word) or "says nothing that we know", 200)
        row.handled_at = clock.now()
    failpoints.hit("inbox.before_settle")
    settle(claimed)
    late_news.keep_nothing_of_the_erased(integration, [row for row in claimed if row.handled_at is not None])


def _is_a_wait(error: ConnectorError | None) -> bool:
    """Whether the platform was not even asked."""
    return error is not None and error.code == NOT_ASKED


def _pause(attempts: int, error: ConnectorError) -> float:
    asked = error.retry_after if isinstance(error, RetryLater) else None
    grown = FIRST_PAUSE_SECONDS if _is_a_wait(error) else FIRST_PAUSE_SECONDS * 2.0 ** (attempts - 1)
    return float(max(asked or 0.0, min(MOST_PAUSE_SECONDS, grown)))
