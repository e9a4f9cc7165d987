"""Asking what became of labels: of those of which nobody knows whether they were bought or given back, and of those
whose parcels are under way. A row says when it is to be asked after next; a worker takes those whose time has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection, transaction

from finalmarket.connectors.errors import ConnectorError, NotSupported, Rejected, Unintelligible
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.shipping import Ships
from finalmarket.integrations import breaker
from finalmarket.integrations.dead_letters import Replay
from finalmarket.integrations.desk import label_book, tracking_in
from finalmarket.integrations.desk.labels import lane_of
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ShippingLabel
from finalmarket.integrations.push import opened
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.history import locked
from finalmarket.orders.models import Fulfilment

LANE = "labels"
MOST_AT_ONCE = 100
State = ShippingLabel.State
UNSENT = (Fulfilment.State.REJECTED, Fulfilment.State.CANCELLED)
CLAIM = """
    UPDATE shipping_labels SET next_look_at = %(until)s
    WHERE id = ANY (ARRAY(  -- looked for once; IN may look anew for each row, and claim more
        SELECT id FROM shipping_labels WHERE integration_id = %(integration)s AND next_look_at <= %(now)s
        ORDER BY next_look_at LIMIT %(most)s FOR UPDATE SKIP LOCKED))
    RETURNING id"""


def accounts_to_look_at() -> list[int]:
    """The active accounts of which a label is to be asked after now."""
    due = ShippingLabel.objects.filter(
        next_look_at__lte=clock.now(), integration__status=ChannelIntegration.Status.ACTIVE
    )
    return sorted(due.order_by().values_list("integration_id", flat=True).distinct())


def look(integration_id: int) -> int:
    """Ask one account after the labels whose time has come, if nobody else is doing so; return how many were. A label
    that cannot be asked after does not keep the others from it; a platform that fails ends the run."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    if integration.status != ChannelIntegration.Status.ACTIVE:
        return 0
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return 0
        with opened(integration) as connector:
            there: Any = connector
            return _look_at_all(integration, there, held) if isinstance(there, Ships) else 0


def _look_at_all(integration: ChannelIntegration, there: Ships, held: Lane) -> int:
    done = troubles = 0
    for label in _claim(integration):
        if not held.is_held() or troubles == breaker.FAILURES_TO_OPEN:
            break
        try:
            troubles += not _look_at(integration, there, label)
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            break
        done += 1
    return done


def _claim(integration: ChannelIntegration) -> list[ShippingLabel]:
    now = clock.now()
    values: dict[str, Any] = {
        "integration": integration.pk,
        "now": now,
        "until": now + label_book.CLAIM,
        "most": MOST_AT_ONCE,
    }
    with failpoints.around("labels.claim"), connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        ids = [row[0] for row in cursor.fetchall()]
    return list(ShippingLabel.objects.filter(pk__in=ids).select_related("integration", "fulfilment").order_by("pk"))


def _look_at(integration: ChannelIntegration, there: Ships, label: ShippingLabel) -> bool:
    """Ask after one label; False where that cannot be done for this one. Raises what says something of the platform."""
    try:
        ASKS[State(label.state)](integration, there, label)
    except (Rejected, NotSupported, Unintelligible) as error:
        _note_trouble(label, error.reason)
        return False
    except READING_ERRORS as error:
        _note_trouble(label, f"the answer cannot be read: {type(error).__name__}")
        return False
    breaker.note_success(integration.pk)
    return True


def _note_trouble(label: ShippingLabel, reason: str) -> None:
    is_there = label.state == State.BOUGHT
    later = tracking_in.next_look(label, clock.now()) if is_there else clock.now() + label_book.ONCE_MORE
    with failpoints.around("labels.trouble"):
        ShippingLabel.objects.filter(pk=label.pk).update(last_error=reason[:500], next_look_at=later)


def _was_it_bought(integration: ChannelIntegration, there: Ships, label: ShippingLabel) -> None:
    with lane(integration.pk, lane_of(label.fulfilment_id)) as held:
        if held is None:
            return  # somebody is at it, and writes down how it ends
        label = ShippingLabel.objects.get(pk=label.pk)
        if label.state not in (State.BUYING, State.FAILED):
            return
        failpoints.hit("labels.before_find")
        found = there.find_label(label.key)
        failpoints.hit("labels.after_find")
        if found is not None:
            label_book.bought(label.pk, found, actor=label.actor or "integration")
        elif label.state == State.BUYING:
            label_book.not_bought(label.pk, label.last_error or "it was not bought", ask_again=True)
        else:
            with failpoints.around("labels.forget"):
                ShippingLabel.objects.filter(pk=label.pk, state=State.FAILED).update(next_look_at=None)


def _was_it_given_back(integration: ChannelIntegration, there: Ships, label: ShippingLabel) -> None:
    """Give it back once more: one that is given back stays so."""
    with lane(integration.pk, lane_of(label.fulfilment_id)) as held:
        if held is None:
            return
        try:
            failpoints.hit("labels.before_void_sent")
            given = there.void_label(label.label_id)
            failpoints.hit("labels.after_void_sent")
        except Rejected as error:
            label_book.not_given_back(label.pk, error.reason)
            return
        if given.state in ("voided", "voiding"):
            label_book.given_back(label.pk, given, actor=label.actor or "integration")
        else:
            label_book.not_given_back(label.pk, f"the platform still shows it as {given.state}")


def _where_is_it(integration: ChannelIntegration, there: Ships, label: ShippingLabel) -> None:
    _ask_for_unsent(label)
    record = there.track(label.label_id, label.tracking_number, label.carrier)
    if record is not None:
        tracking_in.take_alone(integration, record)
    elif not label.tracking_state and _is_unknown(there, label):
        label_book.not_there(label.pk)
        return
    label.refresh_from_db()
    with failpoints.around("labels.looked"):
        ShippingLabel.objects.filter(pk=label.pk, state=State.BOUGHT).update(
            next_look_at=tracking_in.next_look(label, clock.now()), last_error=""
        )


def _is_unknown(there: Ships, label: ShippingLabel) -> bool:
    """Whether the platform knows nothing of a label that it sold, by its key either."""
    failpoints.hit("labels.before_find")
    found = there.find_label(label.key)
    failpoints.hit("labels.after_find")
    return found is None


def _ask_for_unsent(label: ShippingLabel) -> None:
    """A label of a parcel that will not be sent is paid for nothing: a person is told, once."""
    if label.fulfilment.state not in UNSENT or label.tracking_state in tracking_in.SEEN:
        return
    words = f"parcel {label.fulfilment_id} is not sent: its label {label.tracking_number} can be given back"
    with failpoints.around("labels.unsent"), transaction.atomic():
        label_book.complain(locked(label.fulfilment.order_id), words, key=f"label:{label.pk}:unsent")


Ask = Callable[[ChannelIntegration, Ships, ShippingLabel], None]
ASKS: Mapping[State, Ask] = {
    State.BUYING: _was_it_bought,
    State.FAILED: _was_it_bought,
    State.VOIDING: _was_it_given_back,
    State.VOIDED: _was_it_given_back,
    State.BOUGHT: _where_is_it,
}


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Have the parcel of a word that could not be taken asked after anew. Raises UserError where it is none of ours."""
    if not tracking_in.look_soon(integration, letter.external_id):
        raise UserError("no label of this account has that name; settle it by hand")


REPLAYS: Mapping[str, Replay] = {tracking_in.STREAM: replay}
"""How words on parcels are tried again, by the stream of their dead letters."""
