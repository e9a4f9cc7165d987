"""What state an order and its payments are in: pure functions of the counts and the amounts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from finalmarket.orders.models import Order


class Counted(Protocol):
    """What the state of an order depends on, per line."""

    kind: str
    quantity: int
    cancelled_quantity: int
    fulfilled_quantity: int


class Tendered(Protocol):
    """What the state of the payments depends on, per tender."""

    state: str
    amount: Decimal
    refunded: Decimal


class Owed(Protocol):
    """What an order costs, and what was given back of what came in for it; `surplus_refunded` is the part of that which
    had come in beyond what it costs."""

    total: Decimal
    refunded: Decimal
    surplus_refunded: Decimal


def order_state(lines: Iterable[Counted]) -> Order.State:
    """Return cancelled when every unit is, fulfilled when no unit is open, partly fulfilled when some have left.

    An order of services alone has nothing to ship: it is fulfilled.
    """
    goods = [line for line in lines if line.kind == "goods"]
    shipped = sum(line.fulfilled_quantity for line in goods)
    open_units = sum(line.quantity - line.cancelled_quantity - line.fulfilled_quantity for line in goods)
    if goods and shipped == 0 and open_units == 0:
        return Order.State.CANCELLED
    if open_units == 0:
        return Order.State.FULFILLED
    return Order.State.PARTLY_FULFILLED if shipped else Order.State.OPEN


def captured(payments: Iterable[Tendered]) -> Decimal:
    """Return the money that came in, before refunds."""
    return sum((payment.amount for payment in payments if payment.state == "captured"), Decimal(0))


def refundable(payments: Iterable[Tendered]) -> Decimal:
    """Return the money that came in and was not given back."""
    return sum((payment.amount - payment.refunded for payment in payments if payment.state == "captured"), Decimal(0))


def still_due(order: Owed, payments: Iterable[Tendered]) -> Decimal:
    """Return what no tender stands for yet: not come in, not authorised, not under way; never below nothing.

    What was refunded for goods is owed no more; what was refunded as surplus was never owed.
    """
    standing = (one.amount - one.refunded for one in payments if one.state not in ("failed", "voided"))
    owed = order.total - (order.refunded - order.surplus_refunded)
    return max(owed - sum(standing, Decimal(0)), Decimal(0))


def surplus(order: Owed, payments: Iterable[Tendered]) -> Decimal:
    """Return what came in beyond what the order costs and has not gone back as such; never below nothing."""
    return max(captured(payments) - order.total - order.surplus_refunded, Decimal(0))


def payment_state(total: Decimal, payments: Iterable[Tendered]) -> Order.PaymentState:
    """Return what the tenders say: refunds first, then what was captured against `total`, then authorisations."""
    tenders = list(payments)
    paid = captured(tenders)
    given_back = sum((tender.refunded for tender in tenders), Decimal(0))
    if given_back > 0:
        return Order.PaymentState.REFUNDED if given_back >= paid else Order.PaymentState.PARTLY_REFUNDED
    if paid >= total:
        return Order.PaymentState.PAID
    if paid > 0:
        return Order.PaymentState.PARTLY_PAID
    if any(tender.state == "authorised" for tender in tenders):
        return Order.PaymentState.AUTHORISED
    return Order.PaymentState.UNPAID
