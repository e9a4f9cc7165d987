"""What is written down of labels: each step in one transaction that holds the order's row, so that a person, a worker
and the carrier's news of one parcel take turns."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from finalmarket.connectors.shipping import Label, ShippingRate
from finalmarket.integrations.desk.parcels import key_of_label
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import plain
from finalmarket.orders.history import add_problem, done, locked, note
from finalmarket.orders.models import Fulfilment, Order

State = ShippingLabel.State
COUNTS = (State.BUYING, State.BOUGHT, State.VOIDING)
CLAIM = timedelta(minutes=3)
"""So long a call to a platform may take; who did not come back by then was killed."""
SOON = timedelta(minutes=1)
ONCE_MORE = timedelta(minutes=30)
"""A label that was not there when it was asked for is asked for once more: carriers' computers can be slow."""
FIRST_LOOK = timedelta(hours=1)
WAITS = Fulfilment.State.PENDING
GONE = (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)


@failpoints.around("labels.write_down")
@transaction.atomic
def write_down(
    integration: ChannelIntegration, fulfilment_id: int, rate: ShippingRate, actor: str
) -> tuple[ShippingLabel, bool]:
    """Note that a label is about to be bought. Returns it, and whether it may have been bought before: then the
    platform is asked first. One that is there already is returned as it is.

    Raises UserError where the parcel needs none, or one is being bought or given back elsewhere.
    """
    _, parcel = _locked_parcel(fulfilment_id)
    label = ShippingLabel.objects.filter(fulfilment=parcel, state__in=COUNTS).first()
    if label is not None and label.state == State.BOUGHT:
        return label, False
    if label is not None and (label.state == State.VOIDING or label.integration_id != integration.pk):
        raise UserError(f"parcel {parcel.pk}: a label of it is {label.get_state_display().lower()} just now")
    if parcel.state != WAITS:
        raise UserError(f"parcel {parcel.pk} is {parcel.state}: no label can be bought for it")
    key = key_of_label(integration, parcel)
    label = label or ShippingLabel.objects.filter(integration=integration, key=key).first()
    is_doubtful = label is not None
    label = label or ShippingLabel(integration=integration, fulfilment=parcel, key=key, created_at=clock.now())
    label.state, label.actor, label.rate_id = State.BUYING, actor[:100], rate.rate_id[:200]
    label.carrier, label.service = plain(rate.carrier, 60), plain(rate.service, 100)
    label.amount, label.currency, label.last_error = rate.amount, rate.currency[:3], ""
    label.next_look_at = clock.now() + CLAIM
    label.save()
    return label, is_doubtful


def bought(label_id: int, given: Label, *, actor: str) -> ShippingLabel:
    """A label is there: the parcel gets its number. One that was given back meanwhile is noted as such; one of a parcel
    that waits no more, or has another label, is put before a person."""
    with transaction.atomic():
        label, order, parcel = _locked_label(label_id)
        if label.state in (State.BUYING, State.FAILED):
            _take_over(label, given)
            other = ShippingLabel.objects.filter(fulfilment=parcel, state__in=COUNTS).exclude(pk=label.pk).first()
            if label.state == State.VOIDED:
                label.save()
            elif other is not None:
                label.state, label.next_look_at = State.FAILED, None
                label.last_error = "bought after all, but the parcel has another label by now: give it back there"
                label.save()
                complain(order, f"two labels were bought for parcel {parcel.pk}", key=f"label:{label.pk}:second")
            else:
                label.save()
                _put_on(order, parcel, label, actor)
        failpoints.hit("labels.within_bought")
    failpoints.hit("labels.after_bought")
    return label


def _take_over(label: ShippingLabel, given: Label) -> None:
    label.state = State.VOIDED if given.state in ("voided", "voiding") else State.BOUGHT
    label.label_id = given.label_id[:200]
    label.carrier = plain(given.carrier, 60) or label.carrier
    label.service = plain(given.service, 100) or label.service
    label.tracking_number = plain(given.tracking_number, 100)
    label.tracking_url, label.label_url = address(given.tracking_url, 500), address(given.label_url, 1000)
    if given.currency:
        label.amount, label.currency = given.amount, given.currency[:3]
    label.bought_at, label.last_error = clock.now(), ""
    label.next_look_at = clock.now() + FIRST_LOOK if label.state == State.BOUGHT else None


def _put_on(order: Order, parcel: Fulfilment, label: ShippingLabel, actor: str) -> None:
    price = f"{label.amount.normalize():f} {label.currency}"
    note(order, "updated", f"label for parcel {parcel.pk}: {label.carrier} {label.service}, {price}", actor=actor)
    if parcel.state == WAITS:
        fulfilment.label(
            parcel.pk, carrier=label.carrier, tracking_number=label.tracking_number, tracking_url=label.tracking_url,
            actor=actor,
        )  # fmt: skip
    else:
        complain(order, f"parcel {parcel.pk} is {parcel.state}, but a label was bought", key=f"label:{label.pk}:late")


def not_bought(label_id: int, reason: str, *, ask_again: bool = False) -> None:
    """Nothing was bought, and why; `ask_again`: it was asked for and is not there, but may yet come."""
    with failpoints.around("labels.not_bought"):
        ShippingLabel.objects.filter(pk=label_id, state=State.BUYING).update(
            state=State.FAILED, last_error=reason[:500], next_look_at=clock.now() + ONCE_MORE if ask_again else None
        )


def not_there(label_id: int) -> None:
    """The platform sold a label, and knows nothing of it: the parcel has none, and a person is told to get another."""
    with transaction.atomic():
        label, order, parcel = _locked_label(label_id)
        if label.state == State.BOUGHT and parcel.state == WAITS:
            label.state, label.last_error, label.next_look_at = State.FAILED, "the platform does not know it", None
            label.save(update_fields=["state", "last_error", "next_look_at"])
            if parcel.tracking_number == label.tracking_number:
                fulfilment.label(parcel.pk, carrier="", tracking_number="", actor="integration")
            words = f"the platform does not know the label {label.tracking_number} of parcel {parcel.pk}: buy another"
            complain(order, words, key=f"label:{label.pk}:{label.label_id}"[:100])
        failpoints.hit("labels.within_not_there")
    failpoints.hit("labels.after_not_there")


def in_doubt(label_id: int, reason: str) -> None:
    """Nobody knows what became of it: the platform is asked soon."""
    with failpoints.around("labels.in_doubt"):
        ShippingLabel.objects.filter(pk=label_id).update(last_error=reason[:500], next_look_at=clock.now() + SOON)


@failpoints.around("labels.begin_void")
@transaction.atomic
def begin_void(label_id: int) -> ShippingLabel:
    """Note that a label is about to be given back. One that was is returned as it is.

    Raises UserError where the parcel has left, or the label is not there.
    """
    label, _, parcel = _locked_label(label_id)
    if label.state == State.VOIDED:
        return label
    if label.state not in (State.BOUGHT, State.VOIDING):
        raise UserError(f"a label that is {label.get_state_display().lower()} cannot be given back")
    if parcel.state in GONE:
        raise UserError(f"parcel {parcel.pk} has left: its label is used")
    label.state, label.next_look_at = State.VOIDING, clock.now() + CLAIM
    label.save(update_fields=["state", "next_look_at"])
    return label


def given_back(label_id: int, given: Label, *, actor: str) -> ShippingLabel:
    """The platform took the label back, at once or by and by: the parcel has none any more and may get another."""
    with transaction.atomic():
        label, order, parcel = _locked_label(label_id)
        is_news = label.state == State.VOIDING
        label.state, label.last_error = State.VOIDED, ""
        # Some platforms say yes and do nothing: it is given back once more, which changes nothing where it was.
        label.next_look_at = clock.now() + ONCE_MORE if is_news else None
        if given.state == "voiding":
            label.last_error = "the carrier has yet to confirm that it takes the label back"
            label.next_look_at = label.next_look_at or clock.now() + timedelta(days=1)
        label.save(update_fields=["state", "last_error", "next_look_at"])
        if is_news:
            note(order, "updated", f"label for parcel {parcel.pk} given back", actor=actor)
        if is_news and parcel.state == WAITS and parcel.tracking_number == label.tracking_number:
            fulfilment.label(parcel.pk, carrier="", tracking_number="", actor=actor)
        failpoints.hit("labels.within_void")
    failpoints.hit("labels.after_void")
    return label


def not_given_back(label_id: int, reason: str) -> None:
    """The carrier does not take it back. One that was taken off its parcel already is put before a person: it is paid
    for nothing."""
    with transaction.atomic():
        label, order, parcel = _locked_label(label_id)
        label.last_error = reason[:500]
        if label.state == State.VOIDING:
            label.state, label.next_look_at = State.BOUGHT, clock.now() + FIRST_LOOK
        elif label.state == State.VOIDED:
            label.next_look_at = None
            words = f"the carrier does not take the label {label.tracking_number} of parcel {parcel.pk} back"
            complain(order, words, key=f"label:{label.pk}:kept")
        label.save(update_fields=["state", "last_error", "next_look_at"])
        failpoints.hit("labels.within_refused_void")
    failpoints.hit("labels.after_refused_void")


def complain(order: Order, words: str, *, key: str) -> None:
    """Put something before a person, once by its key: in the order's history and as its problem. The caller holds the
    order's row."""
    if done(order, key):
        return
    note(order, "problem", words, actor="integration", key=key)
    add_problem(order, words)
    order.save(update_fields=["problem", "updated_at"])


def address(url: str, most_letters: int) -> str:
    """The address as it can be stored and followed; "" for one that is none, or is too long to be whole."""
    is_one = url.startswith(("https://", "http://")) and len(url) <= most_letters
    return plain(url, most_letters) if is_one else ""


def _locked_parcel(fulfilment_id: int) -> tuple[Order, Fulfilment]:
    order_id = Fulfilment.objects.filter(pk=fulfilment_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise UserError(f"there is no parcel with id {fulfilment_id}")
    order = locked(order_id)
    return order, Fulfilment.objects.get(pk=fulfilment_id)


def _locked_label(label_id: int) -> tuple[ShippingLabel, Order, Fulfilment]:
    parcel_id = ShippingLabel.objects.filter(pk=label_id).values_list("fulfilment_id", flat=True).first()
    if parcel_id is None:
        raise UserError(f"there is no label with id {label_id}")
    order, parcel = _locked_parcel(parcel_id)
    return ShippingLabel.objects.select_related("integration").get(pk=label_id), order, parcel
