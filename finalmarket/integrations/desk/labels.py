"""Labels: what sending a waiting parcel costs, buying a label for it, giving the label back.

A label is written down before the platform is asked, under a key that stays the same for every try, so that it is paid
once: who finds it so, because a worker was killed or an answer got lost, asks the platform first (looking.py does so by
itself). The parcel then carries the label's number; it leaves by `fulfilment.ship`, because a person says so or the
carrier saw it, and that is what its selling channel is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from finalmarket.connectors.errors import NOT_ASKED, ConnectorError, NeedsAttention
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.shipping import Label, ParcelSize, Shipment, ShippingRate, Ships
from finalmarket.integrations import breaker
from finalmarket.integrations.desk import label_book
from finalmarket.integrations.desk.asking import is_refusal, opened_for, said_no, stand_alone
from finalmarket.integrations.desk.parcels import key_of_label, read_parcel, shipment_of
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Fulfilment

State = ShippingLabel.State
ASKED_SOON = "its answer got lost; within minutes the platform is asked what became of it"


def get_rates(
    fulfilment_id: int, integration: ChannelIntegration, size: ParcelSize | None = None
) -> Sequence[ShippingRate]:
    """What the services that take this parcel cost, the cheapest first; buys nothing. `size` is that of the packed box
    (None: as the catalogue knows the goods). Raises UserError."""
    parcel = read_parcel(fulfilment_id)
    if parcel.state != Fulfilment.State.PENDING:
        raise UserError(f"parcel {parcel.pk} is {parcel.state}: no label can be bought for it")
    shipment = shipment_of(parcel, key_of_label(integration, parcel), size)
    with opened_for(integration, Ships) as there:
        try:
            rates: Sequence[ShippingRate] = there.get_rates(shipment)
        except (ConnectorError, *READING_ERRORS) as error:
            raise said_no(integration, error) from error
    breaker.note_success(integration.pk)
    return rates


def buy_label(
    fulfilment_id: int, integration: ChannelIntegration, rate: ShippingRate, size: ParcelSize | None = None, *,
    actor: str,
) -> ShippingLabel:  # fmt: skip
    """Buy a label for a waiting parcel at one of the rates that it was offered; one that has a label keeps it.

    The parcel gets the label's carrier and number. Raises UserError where nothing was bought, and where the answer got
    lost: then the label comes by itself, or the person may press again, and it is paid once.
    """
    stand_alone("buying a label")
    with lane(integration.pk, lane_of(fulfilment_id)) as held:
        if held is None:
            raise UserError(f"somebody else is buying a label for parcel {fulfilment_id} just now")
        shipment = shipment_of(read_parcel(fulfilment_id), "", size)
        with opened_for(integration, Ships) as there:
            label, is_doubtful = label_book.write_down(integration, fulfilment_id, rate, actor)
            if label.state == State.BOUGHT:
                return label
            given = _buy(there, label, shipment, rate, is_doubtful)
            label = label_book.bought(label.pk, given, actor=actor)
    breaker.note_success(integration.pk)
    if label.state != State.BOUGHT:
        raise UserError(f"parcel {fulfilment_id}: that label was given back at the platform; ask for rates again")
    return label


def _buy(there: Ships, label: ShippingLabel, shipment: Shipment, rate: ShippingRate, is_doubtful: bool) -> Label:
    try:
        known = there.find_label(label.key) if is_doubtful else None
    except (ConnectorError, *READING_ERRORS) as error:
        label_book.in_doubt(label.pk, str(error))
        raise said_no(label.integration, error) from error
    try:
        failpoints.hit("labels.before_send")
        given = known or there.buy_label(replace(shipment, key=label.key), rate)
        failpoints.hit("labels.after_send")
    except (ConnectorError, *READING_ERRORS) as error:
        raise _failed(label, error) from error
    return given


def _failed(label: ShippingLabel, error: Exception) -> UserError:
    """Write down why there is no label, or that nobody knows whether there is one."""
    surely_nothing = is_refusal(error) or isinstance(error, NeedsAttention)
    surely_nothing = surely_nothing or (isinstance(error, ConnectorError) and error.code == NOT_ASKED)
    if surely_nothing:
        label_book.not_bought(label.pk, str(error))
        return said_no(label.integration, error)
    label_book.in_doubt(label.pk, str(error))
    return UserError(f"{said_no(label.integration, error)}; {ASKED_SOON}")


def void_label(label_id: int, *, actor: str) -> ShippingLabel:
    """Give a label back whose parcel has not left; one that was given back is returned as it is.

    The parcel has no number any more. Raises UserError where the carrier does not take it back, and where the answer
    got lost: then it is asked again by itself.
    """
    stand_alone("giving a label back")
    label = ShippingLabel.objects.select_related("integration").filter(pk=label_id).first()
    if label is None:
        raise UserError(f"there is no label with id {label_id}")
    integration = label.integration
    with lane(integration.pk, lane_of(label.fulfilment_id)) as held:
        if held is None:
            raise UserError(f"somebody else is at the label of parcel {label.fulfilment_id} just now")
        with opened_for(integration, Ships) as there:
            label = label_book.begin_void(label_id)
            if label.state == State.VOIDED:
                return label
            label = _void(there, label, actor)
    breaker.note_success(integration.pk)
    return label


def _void(there: Ships, label: ShippingLabel, actor: str) -> ShippingLabel:
    try:
        failpoints.hit("labels.before_void_sent")
        given = there.void_label(label.label_id)
        failpoints.hit("labels.after_void_sent")
    except (ConnectorError, *READING_ERRORS) as error:
        if is_refusal(error) or isinstance(error, NeedsAttention):
            label_book.not_given_back(label.pk, str(error))
            raise said_no(label.integration, error) from error
        label_book.in_doubt(label.pk, str(error))
        raise UserError(f"{said_no(label.integration, error)}; {ASKED_SOON}") from error
    if given.state not in ("voided", "voiding"):
        label_book.not_given_back(label.pk, f"the platform still shows it as {given.state}")
        raise UserError(f"{label.integration}: the label is still {given.state} there")
    return label_book.given_back(label.pk, given, actor=actor)


def lane_of(fulfilment_id: int) -> str:
    """The lane in which one worker at a time buys or gives back for a parcel."""
    return f"label {fulfilment_id}"
