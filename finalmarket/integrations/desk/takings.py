"""What is to be taken of an authorised payment, whether its platform took it, and what is let go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from finalmarket.connectors.contract import PullsPayments
from finalmarket.connectors.records import PaymentRecord
from finalmarket.kernel import failpoints
from finalmarket.kernel.money import quantize
from finalmarket.orders import payments
from finalmarket.orders.history import locked
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.states import captured


def payment_there(connector: Any, payment: Payment) -> PaymentRecord | None:
    """The payment as its platform shows it; None where it shows none, or cannot be asked."""
    found: PaymentRecord | None = None
    if isinstance(connector, PullsPayments):
        found = connector.pull_payment(payments.name_at_provider(payment))
    return found


def to_take(payment: Payment) -> Decimal:
    """How much is to be taken: what our books say was taken, else what the order still costs."""
    if payment.state == Payment.State.CAPTURED:
        return quantize(payment.amount, payment.currency)
    rest = payment.order.total - captured(Payment.objects.filter(order=payment.order_id).exclude(pk=payment.pk))
    return quantize(min(payment.amount, rest), payment.currency)


def is_taken(payment: Payment, record: PaymentRecord) -> bool:
    """Whether the platform has taken what is to be taken, parts that are known not counted. Where it holds a rest, what
    it took may have been a parcel's part alone."""
    parts = payments.taken_in_parts(payment)
    if not parts and not record.is_held:
        return record.state != "authorised"
    taken = record.captured - parts
    is_whole = payment.state == Payment.State.CAPTURED or record.is_held
    return taken > 0 and (not is_whole or taken >= to_take(payment))


def is_settled(record: PaymentRecord) -> bool:
    """Whether the platform holds nothing of it any more."""
    return not record.is_held and record.state != "authorised"


def void_what_is_not_due(payment: Payment, *, actor: str) -> None:
    """Let an authorisation go of which nothing is due: what left is paid, and the rest was called off. The platform is
    told of it as of every void."""
    with failpoints.around("takings.void"), transaction.atomic():
        order = locked(payment.order_id)
        payment.refresh_from_db()
        is_open = payment.state == Payment.State.AUTHORISED
        if is_open and order.state == Order.State.FULFILLED and to_take(payment) <= 0:
            payments.void(payment.pk, actor=actor)
