"""What follows an order: cancelled, in part or whole, returned, refunded. Stock and money go back exactly once.

Every verb locks the order's row first and then the pools of all its variants; a key that was carried out before
changes nothing. What a customer paid too much is refunded (gift cards first, see refunds.py); what was not paid yet
is taken off the total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import payments, refunds
from finalmarket.orders.amounts import PARTS, Parts, Worth, lowered, worth_of
from finalmarket.orders.history import done, follow, locked, note, unit_words, write_units
from finalmarket.orders.known import Known
from finalmarket.orders.models import Order, OrderLine, Payment, Return
from finalmarket.orders.parcels import settle
from finalmarket.orders.promises import lock_stock
from finalmarket.orders.refunds import refund
from finalmarket.orders.states import captured, refundable, surplus

__all__ = [
    "cancel", "cancel_known", "cancel_units", "close_cancelled", "credit", "credited_units", "refund", "refund_surplus",
    "take_off_unpaid", "worth", "worth_of_what_left",
]  # fmt: skip
"""How the keys of refunds begin that give back what was taken beyond what an order costs."""


@transaction.atomic
def cancel(order_id: int, *, reason: str, actor: str) -> Order:
    """Cancel what has not left: its promises go back to stock, waiting parcels are dropped, money is given back.

    Where nothing has left the whole order is cancelled, shipping and fees included. Doing it again changes nothing.
    """
    return cancel_known(Known(locked(order_id)), reason=reason, actor=actor)


def cancel_known(known: Known, *, reason: str, actor: str) -> Order:
    """`cancel` for an order that the caller has locked and knows."""
    if known.order.state == Order.State.CANCELLED:
        return known.order
    started = known.standing.started
    units = {
        line.pk: line.quantity - line.cancelled_quantity - started[line.pk]
        for line in known.goods
        if line.quantity - line.cancelled_quantity > started[line.pk]
    }
    whole = not any(started.values())
    return _cancel(known, units, whole, key="", reason=reason, actor=actor)


@transaction.atomic
def cancel_units(order_id: int, units: Mapping[int, int], *, key: str, reason: str, actor: str) -> Order:
    """Cancel so many units of each order line (by id), exactly once by `key`; the last units cancel the order.

    Raises UserError for units that have left, are cancelled already, or are not in the order.
    """
    known = Known(locked(order_id))
    order = known.order
    if done(order, f"cancel:{key}"):
        return order
    started = known.standing.started
    lines = {line.pk: line for line in known.goods}
    for line_id, count in units.items():
        line = lines.get(line_id)
        if line is None:
            raise UserError(f"order {order.number} has no line of goods with id {line_id}")
        possible = line.quantity - line.cancelled_quantity - started[line_id]
        if not 1 <= count <= possible:
            raise UserError(f"order {order.number}: {count} of {line.sku} cannot be cancelled; {possible} can")
    if not units:
        raise UserError(f"order {order.number}: say which units are to be cancelled")
    open_units = sum(line.quantity - line.cancelled_quantity for line in known.goods)
    whole = not any(started.values()) and sum(units.values()) == open_units
    return _cancel(known, units, whole, key=key, reason=reason, actor=actor)


def _cancel(known: Known, units: Mapping[int, int], whole: bool, *, key: str, reason: str, actor: str) -> Order:
    order = known.order
    before = credited_units(known.goods)
    fewer = [line for line in known.goods if units.get(line.pk)]
    for line in fewer:
        line.cancelled_quantity += units[line.pk]
    if fewer:
        write_units(fewer, "cancelled_quantity")
    lock_stock(order)
    settle(known.standing, actor=actor, reason="cancelled")  # why is the order's: it may name somebody
    words = "the whole order" if whole else unit_words(sum(units.values()))
    note(order, "cancelled", f"{words}: {reason}", actor=actor, key=f"cancel:{key}" if key else "")
    if whole:
        order.state, order.cancelled_at = Order.State.CANCELLED, clock.now()
        close_cancelled(order, actor=actor, reason=reason, tenders=known.payments)
        return follow(order, lines=known.lines, payments=known.payments)
    if units:
        value = worth(order).added(before, units)
        mark = f"cancel:{key}" if key else f"cancel:{order.events.count()}"
        credit(order, value, key=mark, reason=reason, actor=actor)
    known.forget()
    return follow(order)


def close_cancelled(order: Order, *, actor: str, reason: str, tenders: Sequence[Payment] | None = None) -> None:
    """Give back all the money of a cancelled order and let its authorisations go. The caller holds its row and calls
    `follow` afterwards. `tenders` are all its payments, where the caller has them."""
    if order.cancelled_at is None:
        order.cancelled_at = clock.now()
        order.save(update_fields=["cancelled_at"])
    paid = list(order.payments.order_by("pk")) if tenders is None else tenders
    payments.void_open(order, actor=actor, payments=paid)
    refunds.book(order, refundable(paid), key=f"cancelled:{len(paid)}", reason=reason, actor=actor, payments=paid)


def credit(
    order: Order, value: Decimal, *, key: str, reason: str, actor: str, return_record: Return | None = None
) -> Decimal:
    """Give a customer credit for goods worth `value`: what was paid is refunded, what was not is taken off the total.

    Returns what was refunded. The caller holds the order's row and calls `follow` afterwards.
    """
    back = take_off_unpaid(order, value)
    return refunds.book(order, back, key=key, reason=reason, actor=actor, return_record=return_record)


def take_off_unpaid(order: Order, value: Decimal) -> Decimal:
    """Take of goods worth `value` what was not paid off the total; return what was paid of them and can be refunded.

    The caller holds the order's row and calls `follow` afterwards.
    """
    paid = captured(Payment.objects.filter(order=order))
    unpaid: Decimal = min(value, max(Decimal(0), order.total - paid))
    if unpaid > 0:
        _lower(order, unpaid)
    return min(value - unpaid, refunds.refundable_of(order))


@transaction.atomic
def refund_surplus(order_id: int, *, key: str, actor: str) -> Decimal:
    """Give back, exactly once by `key` within the order, what came in beyond what the order costs and has not gone back
    as such: a provider took an amount that had become too much meanwhile. Returns what is given back."""
    order = locked(order_id)
    tenders = list(Payment.objects.filter(order=order))
    amount = min(surplus(order, tenders), refundable(tenders))
    reason = "more was taken than the order costs"
    booked = refunds.book(
        order, amount, key=f"surplus:{key}", reason=reason, actor=actor, payments=tenders, surplus_first=True
    )
    follow(order)
    return booked


def _lower(order: Order, amount: Decimal) -> None:
    """Take `amount` off the order, and keep in mind that it is off: whoever says the order again says it in full."""
    lines = list(order.lines.all())
    less = lowered(_parts(order), lines, amount, tax_included=order.tax_included, currency=order.currency)
    order.goods, order.tax, order.total = less.goods, less.tax, less.total
    order.taken_off += amount
    order.save(update_fields=["tax", "goods", "total", "taken_off", "updated_at"])


def _parts(order: Order) -> Parts:
    return Parts(**{part: getattr(order, part) for part in PARTS})


def worth_of_what_left(order: Order) -> Decimal:
    """Return what is owed for what has left and was not returned: its goods, and from the first parcel on the order's
    shipping, fees and tip; all of the total once nothing is open any more."""
    total: Decimal = order.total
    if order.state == Order.State.FULFILLED:
        return total
    lines = order.lines.filter(kind=OrderLine.Kind.GOODS, fulfilled_quantity__gt=0)
    left = {line.pk: line.fulfilled_quantity - line.returned_quantity for line in lines}
    besides: Decimal = order.shipping + order.fees + order.tip if left else Decimal(0)
    return min(total, worth(order).of(left) + besides)


def worth(order: Order) -> Worth:
    """Say what the units of the order's goods are worth; see `amounts.worth_of`."""
    lines = list(order.lines.all())
    return worth_of(lines, _parts(order), tax_included=order.tax_included, currency=order.currency)


def credited_units(lines: Sequence[OrderLine]) -> dict[int, int]:
    """Return the units of each line for which credit was given: cancelled and returned."""
    return {line.pk: line.cancelled_quantity + line.returned_quantity for line in lines}
