"""Where parcels are, from whichever account tells it: the newest word stands, and our books follow what it proves.

A parcel that the carrier has seen has left; one that it delivered has arrived; one that comes back, or is lost, is put
before a person. What an older word says changes nothing. The versions of different accounts cannot be compared: a word
from an account that did not sell the label counts where the parcel is further on its way than we know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from finalmarket.connectors.shipping import TrackingRecord
from finalmarket.integrations.desk.label_book import address, complain
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.integrations.storing import FAILED, Stored, each_alone, intake, patiently
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import plain
from finalmarket.orders.history import locked
from finalmarket.orders.models import Fulfilment
from finalmarket.orders.versions import is_older

STREAM = "tracking"
ACTOR = "integration"
MOST_STEPS = 50
STEPS = ("", "unknown", "label_made", "under_way", "out_for_delivery", "waiting_for_pickup", "failed")
ENDS = ("returned", "delivered")
SEEN = ("under_way", "out_for_delivery", "waiting_for_pickup", "failed", *ENDS)
FOR_A_PERSON = {"returned": "comes back", "failed": "is lost or cannot be delivered"}
NEXT_LOOK = {
    "label_made": timedelta(hours=6), "under_way": timedelta(hours=3), "out_for_delivery": timedelta(hours=1),
    "waiting_for_pickup": timedelta(hours=12), "failed": timedelta(days=1),
}  # fmt: skip
OTHERWISE = timedelta(hours=6)
LOOKED_FOR = timedelta(days=60)
"""So long after it was bought a label's parcel is asked after."""
Known = ShippingLabel.State
GONE = (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Told:
    """A word on a parcel, under the name by which it is set aside where it cannot be taken."""

    record: TrackingRecord

    @property
    def external_id(self) -> str:
        """The label's name at the platform, else the parcel's number."""
        return self.record.label_id or self.record.tracking_number

    @property
    def raw(self) -> Mapping[str, Any]:
        """The platform's own words."""
        return self.record.raw


def take_tracking(integration: ChannelIntegration, records: Sequence[TrackingRecord]) -> list[Stored]:
    """Take these words on parcels; the caller is within `storing.intake`. Of parcels that are none of ours nothing is
    kept."""
    return each_alone(integration, STREAM, [Told(one) for one in records], partial(_take, integration))


def take_alone(integration: ChannelIntegration, record: TrackingRecord) -> str:
    """Take one word on a parcel, in a transaction of its own; return what became of it, in words."""
    (stored,) = patiently(partial(_store, integration, record))
    return f"set aside: {stored.reason}" if stored.outcome == FAILED else stored.outcome


def _store(integration: ChannelIntegration, record: TrackingRecord) -> list[Stored]:
    with intake(integration, STREAM):
        stored = take_tracking(integration, [record])
        failpoints.hit("tracking.before_take")
    failpoints.hit("tracking.after_take")
    return stored


def take_hint(integration: ChannelIntegration, record: TrackingRecord | None, external_id: str) -> str:
    """What a webhook said of a parcel: taken where it brought its word along, else the parcel is asked after next."""
    if record is not None:
        return f"parcel {record.tracking_number}: {take_alone(integration, record)}"
    with failpoints.around("tracking.look_soon"):
        found = look_soon(integration, external_id)
    return f"parcel {external_id}: {'is asked after' if found else 'none of ours'}"


def look_soon(integration: ChannelIntegration, name: str) -> int:
    """Have the parcel of that label or number asked after next; return how many there are."""
    if not name:
        return 0
    mine = ShippingLabel.objects.filter(integration=integration, state=Known.BOUGHT)
    now = clock.now()
    return mine.filter(label_id=name).update(next_look_at=now) or mine.filter(tracking_number=name).update(
        next_look_at=now
    )


def next_look(label: ShippingLabel, now: datetime) -> datetime | None:
    """When a parcel is asked after next: never again once it has arrived, or after two months."""
    if label.tracking_state in ENDS or (label.bought_at and now - label.bought_at > LOOKED_FOR):
        return None
    return now + NEXT_LOOK.get(label.tracking_state, OTHERWISE)


def _take(integration: ChannelIntegration, told: Told) -> str:
    record = told.record
    label_id = _label_of(integration, record)
    if label_id is None:
        return _take_of_typed_number(record)
    parcel_id = ShippingLabel.objects.values_list("fulfilment_id", flat=True).get(pk=label_id)
    order = locked(Fulfilment.objects.values_list("order_id", flat=True).get(pk=parcel_id))
    label = ShippingLabel.objects.get(pk=label_id)
    if not _is_news(label, integration, record):
        return "unchanged"
    _note(label, integration, record)
    if label.state == Known.VOIDED:
        if record.state in SEEN:
            words = f"a parcel travels under the label {label.tracking_number}, which was given back"
            complain(order, words, key=f"label:{label.pk}:used")
        return "updated"
    parcel = Fulfilment.objects.get(pk=parcel_id)
    sent = fulfilment.Sent(label.carrier, label.tracking_number, label.tracking_url, _left_at(record))
    _follow(parcel, record, sent)
    return "updated"


def _label_of(integration: ChannelIntegration, record: TrackingRecord) -> int | None:
    """The label that a word is about: by its name at this account, else by the parcel's number at whichever account;
    carriers use numbers again, so the newest one counts."""
    labels = ShippingLabel.objects.exclude(state__in=(Known.FAILED, Known.BUYING))
    found = None
    if record.label_id:
        found = labels.filter(integration=integration, label_id=record.label_id).order_by("-pk").first()
    if found is None and record.tracking_number:
        numbered = list(labels.filter(tracking_number=record.tracking_number))
        numbered.sort(key=lambda one: (one.state == Known.VOIDED, one.integration_id != integration.pk, -one.pk))
        found = numbered[0] if numbered else None
    return found.pk if found else None


def _is_news(label: ShippingLabel, integration: ChannelIntegration, record: TrackingRecord) -> bool:
    if label.integration_id == integration.pk:
        return is_older(label.tracking_version, record.version) or not (label.tracking_version or record.version)
    return label.tracking_state not in ENDS and (
        record.state in ENDS or _step(record.state) > _step(label.tracking_state)
    )


def _step(state: str) -> int:
    return STEPS.index(state) if state in STEPS else 0


def _note(label: ShippingLabel, integration: ChannelIntegration, record: TrackingRecord) -> None:
    if record.state != "unknown" or not label.tracking_state:
        label.tracking_state = record.state[:20]
    if label.integration_id == integration.pk:
        label.tracking_version = plain(record.version, 60)
    steps = sorted(record.steps, key=lambda step: step.at)[-MOST_STEPS:]
    label.tracking_steps = [
        {"at": step.at.isoformat(), "words": plain(step.words, 300), "place": plain(step.place, 200)} for step in steps
    ]
    label.tracking_url = label.tracking_url or address(record.tracking_url, 500)
    if label.state == Known.BOUGHT:
        label.next_look_at = next_look(label, clock.now())
    label.save(update_fields=["tracking_state", "tracking_version", "tracking_steps", "tracking_url", "next_look_at"])


def _left_at(record: TrackingRecord) -> datetime:
    """When the carrier first saw it, as far as it says; never in the future."""
    seen = record.shipped_at or min((step.at for step in record.steps), default=None) or record.delivered_at
    return min(seen or clock.now(), clock.now())


def _take_of_typed_number(record: TrackingRecord) -> str:
    """A parcel that left with a number that a person typed: its label was bought elsewhere."""
    if record.state not in (*ENDS, *FOR_A_PERSON) or not record.tracking_number:
        return "unchanged"
    sent = Fulfilment.objects.filter(tracking_number=record.tracking_number, state=Fulfilment.State.SHIPPED)
    found = sent.order_by("-pk").values_list("pk", "order_id").first()
    if found is None:
        return "unchanged"
    locked(found[1])
    _follow(Fulfilment.objects.get(pk=found[0]), record, fulfilment.Sent())
    return "updated"


def _follow(parcel: Fulfilment, record: TrackingRecord, sent: fulfilment.Sent) -> None:
    """Let our books follow what the carrier saw. The caller holds the order's row."""
    if record.state not in SEEN:
        return
    if parcel.state == Fulfilment.State.PENDING:
        _let_leave(parcel, sent)
        parcel.refresh_from_db()
    order = locked(parcel.order_id)
    if parcel.state not in GONE:
        words = f"the carrier has parcel {parcel.pk}, which is {parcel.get_state_display().lower()} here"
        complain(order, words, key=f"tracking:{parcel.pk}:seen")
        return
    if record.state == "delivered":
        fulfilment.deliver(parcel.pk, actor=ACTOR, at=min(record.delivered_at or clock.now(), clock.now()))
    if record.state in FOR_A_PERSON:
        words = f"parcel {parcel.pk} {FOR_A_PERSON[record.state]}: {parcel.carrier} {parcel.tracking_number}".strip()
        complain(order, words, key=f"tracking:{parcel.pk}:{record.state}")


def _let_leave(parcel: Fulfilment, sent: fulfilment.Sent) -> None:
    """What the carrier has seen has left. Where our books do not let it go, a person is told by whoever called."""
    try:
        with transaction.atomic():
            fulfilment.ship(
                parcel.pk, actor=ACTOR, carrier=sent.carrier, tracking_number=sent.tracking_number,
                tracking_url=sent.tracking_url, at=sent.at,
            )  # fmt: skip
    except UserError:
        return
