"""Notices in a connector's words: how each kind is told, and how the platform is asked whether it was told before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from django.db import connection, transaction
from django.db.models import Q

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.contract import (
    Connector,
    PullsOrders,
    PushesCancellations,
    PushesFulfilments,
    PushesRefunds,
    TakesPayments,
    TakesPaymentsInParts,
)
from finalmarket.connectors.errors import ONE_RECORD, Rejected, RetryLater
from finalmarket.connectors.records import FulfilmentNotice, FulfilmentRecord, OrderRecord, PaymentRecord, RefundNotice
from finalmarket.integrations.desk import payment_parts, takings
from finalmarket.integrations.models import ChannelIntegration, DueNotice, DueRecord, ExternalId, PlaceMapping
from finalmarket.integrations.notice_queries import HEARD, QUERIES
from finalmarket.integrations.refund_echo import Refunded
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock
from finalmarket.kernel.money import quantize
from finalmarket.orders import aftersales, payments
from finalmarket.orders.models import Fulfilment, Order, OrderEvent, Payment, Refund
from finalmarket.orders.states import captured

ACTOR = "integration"
KEYS_HOLD = timedelta(hours=12)
"""So long every platform remembers the key of a refund; most do for a day."""
NOT_THERE, NEW_FOR, LATER_SECONDS = 404, timedelta(minutes=10), 60.0
"""What a platform says of what it does not show; so long what is new may not show, and is tried again soon."""
NOTHING = "-"
"""The id of what the platform does not have to hear of after all, or gives no id to."""
WITHHELD = ""
"""What stands for an id where a person was to be told something and may not be: nothing went out."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A due notice of an account, with its key."""

    integration: ChannelIntegration
    row: DueNotice

    @property
    def key(self) -> str:
        """The same for every try, until the platform has surely refused it: some answer a key for good as at first."""
        turn = (self.row.refusals,) if self.row.refusals else ()
        return key_of(self.integration, self.row.kind, self.row.local_id, *turn)


class Kind(Protocol):
    """One kind of notices."""

    capability: ClassVar[type]

    def find(self, connector: Any, notice: Notice) -> str | None:
        """The platform's id of what it was told before ("-" where it has none); None when it does not know of it.

        Only asked where telling may have happened. None, too, where it cannot be asked: then the key keeps it single.
        """

    def tell(self, connector: Any, notice: Notice) -> str:
        """Tell the platform; return its id of it, "-" where it gives none, "" where it is withheld: nobody is told.
        Raises Rejected when the platform does not take it."""

    def shows(self, connector: Any, notice: Notice) -> bool | None:
        """Whether the platform shows what it said it took. True, too, where that cannot be asked without doubt; None
        where it was told once more instead."""


class Parcels:
    """Parcels that left."""

    capability: ClassVar[type] = PushesFulfilments

    def find(self, connector: Any, notice: Notice) -> str | None:
        parcel = Fulfilment.objects.select_related("order").get(pk=notice.row.local_id)
        names = _names(notice.integration, parcel.order)
        record = _order_there(connector, parcel.order, names)
        if record is None:
            return None
        known = set(
            ExternalId.objects.filter(integration=notice.integration, kind=DueNotice.Kind.FULFILMENT).filter(
                external_id__in=[one.external_id for one in record.fulfilments]
            ).values_list("external_id", flat=True)
        )  # fmt: skip
        lines = _units(parcel, names)
        strangers = [one for one in record.fulfilments if one.external_id not in known]
        return next((one.external_id or NOTHING for one in strangers if _is_same(one, parcel, lines)), None)

    def tell(self, connector: Any, notice: Notice) -> str:
        parcel = Fulfilment.objects.select_related("order__sales_channel").get(pk=notice.row.local_id)
        names = _names(notice.integration, parcel.order)
        lines = _units(parcel, names)
        if not lines:
            return NOTHING  # parts of a bundle whose other parts are still here
        if any(not name for name, _ in lines):
            raise Rejected("the platform did not say what it calls a line of this order", key=notice.key)
        place = PlaceMapping.objects.filter(
            integration=notice.integration, stock_location=parcel.location_id
        ).exclude(place="").order_by("pk").first()  # fmt: skip
        told = FulfilmentNotice(
            key=notice.key, order_id=names.external_id if names else parcel.order.external_id,
            lines=lines,
            shipped_at=parcel.shipped_at or parcel.created_at, carrier=parcel.carrier,
            tracking_number=parcel.tracking_number, tracking_url=parcel.tracking_url,
            location=place.place if place else "", alike=len(_alike(notice, parcel, lines, names)),
            time_zone=parcel.order.sales_channel.time_zone,
        )  # fmt: skip
        try:
            return str(connector.push_fulfilment(told)) or NOTHING
        except Rejected as error:
            if error.status == NOT_THERE and names and _is_new_there(notice.integration, parcel.order):
                raise _later(f"the order may not show there yet: {error}", LATER_SECONDS) from None
            raise

    def shows(self, connector: Any, notice: Notice) -> bool | None:
        """Books that cannot be asked are told once more, under the key with which it counts once."""
        parcel = Fulfilment.objects.select_related("order").get(pk=notice.row.local_id)
        names = _names(notice.integration, parcel.order)
        if not isinstance(connector, PullsOrders):
            self.tell(connector, notice)
            return None
        record, lines = _order_there(connector, parcel.order, names), _units(parcel, names)
        if record is None or not lines:
            return True
        alike = _alike(notice, parcel, lines, names)
        if sum(_is_same(one, parcel, lines) for one in record.fulfilments) > len(alike):
            return True
        name = notice.row.external_id
        return name not in alike and any(one.external_id == name for one in record.fulfilments)


class Refunds:
    """Money that goes back. Asked twice under one key, it happens once."""

    capability: ClassVar[type] = PushesRefunds

    def find(self, connector: Any, notice: Notice) -> str | None:
        return None

    def tell(self, connector: Any, notice: Notice) -> str:
        refund = Refund.objects.select_related("order", "payment").get(pk=notice.row.local_id)
        order = refund.order
        told = RefundNotice(
            key=notice.key, order_id=order.external_id,
            payment_id=payments.name_at_provider(refund.payment) if refund.payment else "",
            amount=quantize(refund.amount, order.currency), currency=order.currency, reason=refund.reason,
            others=_other_refunds(notice, refund),
        )  # fmt: skip
        return str(connector.push_refund(told)) or NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        """One that is not shown is asked for again under the same key, with which it happens once; so a platform that
        shows no refunds is asked in vain, and none is asked when the key may be forgotten."""
        row = notice.row
        if row.external_id in ("", NOTHING) or row.sent_at is None or clock.now() - row.sent_at > KEYS_HOLD:
            return True
        refund = Refund.objects.select_related("order", "payment").get(pk=row.local_id)
        there: Refunded | None = takings.payment_there(connector, refund.payment) if refund.payment else None
        there = there or _order_there(connector, refund.order)
        return there is None or row.external_id in {one.external_id for one in there.refunds}


def is_early(notice: Notice) -> bool:
    """Whether money is to go back of a payment that the platform said to have taken, and does not show yet: what it
    refuses now it may take once that is settled."""
    if notice.row.kind != DueNotice.Kind.REFUND:
        return False
    order = Refund.objects.values("order").filter(pk=notice.row.local_id)
    taken = Q(kind=DueNotice.Kind.CAPTURE, local_id__in=Payment.objects.filter(order__in=order).values("pk"))
    taken |= Q(kind=DueNotice.Kind.PART, local_id__in=Fulfilment.objects.filter(order__in=order).values("pk"))
    waits = Q(state__in=(DueNotice.State.DUE, DueNotice.State.DOUBTFUL))
    unsettled = waits | Q(state=DueNotice.State.SENT, verified_at=None)
    return DueNotice.objects.filter(taken, unsettled, integration=notice.integration).exists()


def _other_refunds(notice: Notice, refund: Refund) -> tuple[str, ...]:
    """The platform's ids of the order's other refunds: those that it was told of, and those that it told us of."""
    booked = dict(Refund.objects.filter(order=refund.order_id).exclude(pk=refund.pk).values_list("pk", "key"))
    told = DueNotice.objects.filter(
        integration=notice.integration, kind=DueNotice.Kind.REFUND, local_id__in=booked
    ).exclude(external_id__in=["", NOTHING, HEARD])  # fmt: skip
    names = {*told.values_list("external_id", flat=True)}
    names |= {key.removesuffix("/1") for key in booked.values() if key.endswith("/1")}
    return tuple(sorted(names))


class Cancellations:
    """Orders that will not be served."""

    capability: ClassVar[type] = PushesCancellations

    def find(self, connector: Any, notice: Notice) -> str | None:
        order = Order.objects.get(pk=notice.row.local_id)
        record = _order_there(connector, order)
        return NOTHING if record is not None and record.is_cancelled else None

    def tell(self, connector: Any, notice: Notice) -> str:
        order = Order.objects.get(pk=notice.row.local_id)
        said = OrderEvent.objects.filter(order=order, kind=OrderEvent.Kind.CANCELLED).order_by("-pk").first()
        connector.push_cancellation(order.external_id, said.text if said else "", notice.key)
        return NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        record = _order_there(connector, Order.objects.get(pk=notice.row.local_id))
        return record is None or record.is_cancelled


class Captures:
    """Money that was authorised and is to be taken: because all goods have left, or because a person said so. What is
    not due of it is let go."""

    capability: ClassVar[type] = TakesPayments

    def find(self, connector: Any, notice: Notice) -> str | None:
        payment = Payment.objects.get(pk=notice.row.local_id)
        record = takings.payment_there(connector, payment)
        if record is None or not takings.is_taken(payment, record):
            return None
        return self._taken(connector, notice, payment, record)

    def tell(self, connector: Any, notice: Notice) -> str:
        payment = Payment.objects.select_related("order").get(pk=notice.row.local_id)
        if payment.state == Payment.State.AUTHORISED and isinstance(connector, TakesPaymentsInParts):
            payment_parts.catch_up(connector, notice.integration, payment)
        if payment.state not in (Payment.State.AUTHORISED, Payment.State.CAPTURED):
            return NOTHING
        there = takings.payment_there(connector, payment) if payment.state == Payment.State.CAPTURED else None
        if there is not None and takings.is_taken(payment, there):
            return self._taken(connector, notice, payment, there)
        amount = takings.to_take(payment)
        if amount <= 0:
            takings.void_what_is_not_due(payment, actor=ACTOR)
            return NOTHING
        name = payments.name_at_provider(payment)
        try:
            record = connector.capture_payment(name, amount, payment.currency, notice.key)
        except Rejected as error:
            if error.status == NOT_THERE and notice.row.found_at > clock.now() - NEW_FOR:
                raise _later(f"the payment may not show there yet: {error}", LATER_SECONDS) from None
            raise
        return self._taken(connector, notice, payment, record)

    def shows(self, connector: Any, notice: Notice) -> bool:
        return _is_settled_there(connector, notice)

    def _taken(self, connector: Any, notice: Notice, payment: Payment, record: PaymentRecord) -> str:
        """Write what the platform took into our books, and have it let the rest go. Raises RetryLater where it has yet
        to do either, though it said yes; Rejected where it took nothing and never will."""
        if record.state in ("authorised", "pending"):
            raise _later(f"the payment {payment.external_id} is {record.state} there still, nothing was taken")
        if record.state not in ("captured", "refunded", "disputed"):
            raise Rejected(f"the payment {payment.external_id} is {record.state} there, nothing was taken")
        if payment.state == Payment.State.AUTHORISED:
            taken = (record.captured or payment.amount) - payments.taken_in_parts(payment)
            amount = min(taken, payment.amount)
            with transaction.atomic():  # what is taken and not due is given back, also when we are killed here
                payments.capture(payment.pk, amount=amount, happened=True, actor=ACTOR)
                aftersales.refund_surplus(payment.order_id, key=str(payment.pk), actor=ACTOR)
        name = payments.name_at_provider(payment)
        if record.is_held and connector.cancel_payment(name, f"{notice.key}:rest").is_held:
            raise _later(f"the rest of the payment {name} is held there still")
        return record.external_id or NOTHING


class PartCaptures:
    """What a parcel holds, taken when it leaves: of an authorised payment of which the rest stays authorised."""

    capability: ClassVar[type] = TakesPaymentsInParts

    def find(self, connector: Any, notice: Notice) -> str | None:
        payment = self._payment(notice)
        return NOTHING if payment is None or payment_parts.catch_up(connector, notice.integration, payment) else None

    def tell(self, connector: Any, notice: Notice) -> str:
        payment = self._payment(notice)
        if payment is None:
            return NOTHING
        payment_parts.catch_up(connector, notice.integration, payment)
        order = Order.objects.get(pk=payment.order_id)
        owed = aftersales.worth_of_what_left(order) - captured(Payment.objects.filter(order=order))
        amount = quantize(min(payment.amount, owed), payment.currency)
        if payment.state == Payment.State.AUTHORISED and amount > 0:
            record = connector.capture_payment(payment.external_id, amount, payment.currency, notice.key)
            payment_parts.book(notice.integration, payment, record)
        return NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        return True

    def _payment(self, notice: Notice) -> Payment | None:
        """The authorised payment at this account of the order that the parcel belongs to; None where all is taken."""
        known = ExternalId.objects.filter(integration=notice.integration, kind="payment")
        order_id = Fulfilment.objects.values_list("order_id", flat=True).get(pk=notice.row.local_id)
        waiting = Payment.objects.filter(order=order_id, state=Payment.State.AUTHORISED).order_by("pk")
        return next((one for one in waiting if known.filter(local_id=one.pk).exists()), None)


class Voids:
    """Authorisations that are let go."""

    capability: ClassVar[type] = TakesPayments

    def find(self, connector: Any, notice: Notice) -> str | None:
        record = takings.payment_there(connector, Payment.objects.get(pk=notice.row.local_id))
        return record.external_id if record is not None and record.state in ("voided", "failed") else None

    def tell(self, connector: Any, notice: Notice) -> str:
        payment = Payment.objects.get(pk=notice.row.local_id)
        record = connector.cancel_payment(payments.name_at_provider(payment), notice.key)
        return str(record.external_id) or NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        return _is_settled_there(connector, notice)


KINDS: Mapping[str, Kind] = {
    DueNotice.Kind.FULFILMENT: Parcels(),
    DueNotice.Kind.REFUND: Refunds(),
    DueNotice.Kind.CANCELLATION: Cancellations(),
    DueNotice.Kind.CAPTURE: Captures(),
    DueNotice.Kind.PART: PartCaptures(),
    DueNotice.Kind.VOID: Voids(),
}


def kinds_of(connector: type[Connector]) -> list[str]:
    """The kinds of notices that a platform can be told."""
    return [str(name) for name, kind in KINDS.items() if issubclass(connector, kind.capability)]


def _names(integration: ChannelIntegration, order: Order) -> OrderNames | None:
    """What the account calls an order of ours that it keeps in its books, and its lines; None for one that came from
    there and has brought its names along."""
    kept = DueRecord.objects.filter(integration=integration, what=DueRecord.What.ORDER, local_id=order.pk)
    told = kept.exclude(external_id="").first()
    return OrderNames(external_id=told.external_id, lines=told.line_ids) if told else None


def _is_new_there(integration: ChannelIntegration, order: Order) -> bool:
    """Whether the account was told of the order so lately that it may not show there."""
    kept = DueRecord.objects.filter(integration=integration, what=DueRecord.What.ORDER, local_id=order.pk)
    return kept.filter(told_at__gt=clock.now() - NEW_FOR).exists()


def _units(parcel: Fulfilment, names: OrderNames | None) -> tuple[tuple[str, int], ...]:
    """The units of order lines that left with this parcel, by the platform's names of the lines."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["parcel_units"], {"order": parcel.order_id, "parcel": parcel.pk})
        found = cursor.fetchall()
    return tuple((names.lines.get(str(line), "") if names else name, units) for line, name, units in found)


def _alike(
    notice: Notice, parcel: Fulfilment, lines: tuple[tuple[str, int], ...], names: OrderNames | None
) -> list[str]:  # fmt: skip
    """The platform's ids of the order's other parcels with the same units and tracking number that it knows of."""
    others = Fulfilment.objects.filter(order=parcel.order_id, tracking_number=parcel.tracking_number).exclude(
        pk=parcel.pk
    )  # fmt: skip
    ours = {"integration": notice.integration, "kind": DueNotice.Kind.FULFILMENT, "local_id__in": others.values("pk")}
    known = dict(ExternalId.objects.filter(**ours).values_list("local_id", "external_id"))
    known |= dict(
        DueNotice.objects.filter(**ours, state=DueNotice.State.SENT).values_list("local_id", "external_id")
    )  # fmt: skip
    return [known[one.pk] for one in others if one.pk in known and sorted(_units(one, names)) == sorted(lines)]


def _is_same(there: FulfilmentRecord, parcel: Fulfilment, lines: tuple[tuple[str, int], ...]) -> bool:
    if parcel.tracking_number or there.tracking_number:
        return there.tracking_number == parcel.tracking_number
    return sorted(there.lines) == sorted(lines)


def _order_there(connector: Any, order: Order, names: OrderNames | None = None) -> OrderRecord | None:
    found: OrderRecord | None = None
    if isinstance(connector, PullsOrders):
        found = connector.pull_order(names.external_id if names else order.external_id)
    return found


def _later(reason: str, seconds: float | None = None) -> RetryLater:
    """This notice has to wait; the others do not."""
    return RetryLater(reason, retry_after=seconds, code=ONE_RECORD)


def _is_settled_there(connector: Any, notice: Notice) -> bool:
    record = takings.payment_there(connector, Payment.objects.get(pk=notice.row.local_id))
    return record is None or takings.is_settled(record)
