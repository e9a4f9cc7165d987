"""Payments: authorised, captured, voided, failed. The order's payment state follows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words, quantize
from finalmarket.orders.history import follow, locked, note
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.states import payment_state, still_due

OPEN = (Payment.State.PENDING, Payment.State.AUTHORISED)
PART = "#part-"
"""What stands between the provider's name of a payment and the number of a part of it."""


def authorise(order_id: int, *, tender: str, amount: Decimal, external_id: str, actor: str) -> Payment:
    """Note that a tender is good for `amount` (the order's currency); `external_id` makes it happen exactly once.

    Raises UserError for an amount that is not above zero or, with the other tenders, above the order's total.
    """
    return _pay(order_id, tender, amount, external_id, Payment.State.AUTHORISED, actor)


def receive(order_id: int, *, tender: str, amount: Decimal, external_id: str, actor: str) -> Payment:
    """Note that money came in at once: cash, a transfer. Raises UserError as `authorise` does."""
    return _pay(order_id, tender, amount, external_id, Payment.State.CAPTURED, actor)


def receive_first(order: Order, *, tender: str, amount: Decimal, external_id: str, actor: str) -> Payment:
    """`receive` for an order that the caller's transaction has just made, without a payment yet: nothing has to be read
    or locked. The order is saved."""
    payment = _added(order, [], Payment(order=order), tender, amount, external_id, Payment.State.CAPTURED, actor)
    order.payment_state = payment_state(order.total, [payment])
    order.save(update_fields=["payment_state", "updated_at"])
    return payment


@transaction.atomic
def _pay(order_id: int, tender: str, amount: Decimal, external_id: str, state: Payment.State, actor: str) -> Payment:
    order = locked(order_id)
    found = {(payment.tender, payment.external_id): payment for payment in order.payments.all()}
    known = found.pop((tender, external_id), None)
    if known is not None and known.state != Payment.State.PENDING:
        return known
    payment = _added(order, found.values(), known or Payment(order=order), tender, amount, external_id, state, actor)
    follow(order)
    return payment


def _added(
    order: Order, others: Iterable[Payment], payment: Payment, tender: str, amount: Decimal, external_id: str,
    state: Payment.State, actor: str,
) -> Payment:  # fmt: skip
    """Write the payment down beside the `others` of its order, and in the order's history."""
    whole = quantize(amount, order.currency)
    due = still_due(order, others)
    if order.state == Order.State.CANCELLED:
        raise UserError(f"order {order.number} is cancelled and takes no payment")
    if not 0 < whole <= due:
        owed = quantize(due, order.currency)
        raise UserError(f"order {order.number}: a payment of {whole} does not fit; {owed} is due")
    if not 1 <= len(tender) <= 30 or not 1 <= len(external_id) <= 200:
        raise UserError("a payment needs a tender of 1 to 30 characters and an external id of 1 to 200")
    payment.tender, payment.external_id, payment.currency = tender, external_id, order.currency
    payment.amount, payment.state, payment.at = whole, state, clock.now()
    payment.save()
    note(order, "paid", f"{state.label.lower()}: {money_words(whole, order.currency)} by {tender}", actor=actor)
    return payment


@transaction.atomic
def capture(payment_id: int, *, amount: Decimal | None = None, happened: bool = False, actor: str) -> Payment:
    """Take the money of an authorised payment: what the order still costs, or `amount`; the rest is let go.

    `happened` says that a provider took it already: then more than is due is no reason to refuse, and is given back by
    `aftersales.refund_surplus`. A captured payment is returned as it is. Raises UserError for one that failed or was
    voided, or for more than was authorised or is due.
    """
    payment, order = _locked_payment(payment_id)
    if payment.state == Payment.State.CAPTURED:
        return payment
    _refuse_unless_open(payment, order, "captured")
    others = sum((other.amount for other in order.payments.filter(state=Payment.State.CAPTURED)), Decimal(0))
    most = payment.amount if happened else min(payment.amount, order.total - others)
    taken = most if amount is None else quantize(amount, order.currency)
    if not 0 < taken <= most:
        raise UserError(
            f"order {order.number}: {taken} cannot be captured; {max(most, Decimal(0))} is authorised and due"
        )
    payment.amount = taken
    return _move(payment, order, Payment.State.CAPTURED, actor)


@transaction.atomic
def take_part(payment_id: int, amount: Decimal, *, actor: str) -> Payment:
    """Note that a part of an authorised amount came in: it is a payment of its own from now on, and the rest stays
    authorised. All of it, or more, is captured as a whole. Returns what came in.

    Raises UserError for an amount that is not above zero, and for a payment that is not open.
    """
    payment, order = _locked_payment(payment_id)
    _refuse_unless_open(payment, order, "captured")
    taken = quantize(amount, order.currency)
    if taken <= 0:
        raise UserError(f"order {order.number}: a part of a payment must be above zero, not {amount}")
    if taken >= payment.amount:
        return capture(payment_id, amount=payment.amount, happened=True, actor=actor)
    number = order.payments.filter(external_id__startswith=f"{payment.external_id}{PART}").count() + 1
    part = Payment(
        order=order, tender=payment.tender, currency=order.currency, amount=taken,
        external_id=f"{payment.external_id}{PART}{number}",
    )  # fmt: skip
    payment.amount -= taken
    payment.save(update_fields=["amount"])
    return _move(part, order, Payment.State.CAPTURED, actor)


def name_at_provider(payment: Payment) -> str:
    """What the provider calls a payment; one that came in by parts has one name there."""
    return payment.external_id.partition(PART)[0]


def whole_of(payment: Payment) -> list[Payment]:
    """Return a payment with all parts that it came in by: what its provider knows under one name."""
    name = name_at_provider(payment)
    tenders = Payment.objects.filter(order=payment.order_id, tender=payment.tender).order_by("pk")
    return [one for one in tenders if name_at_provider(one) == name]


def taken_in_parts(payment: Payment) -> Decimal:
    """What came in of a payment by parts, itself not counted."""
    parts = Payment.objects.filter(
        order=payment.order_id, external_id__startswith=f"{name_at_provider(payment)}{PART}",
        state=Payment.State.CAPTURED,
    ).exclude(pk=payment.pk)  # fmt: skip
    return sum((part.amount for part in parts), Decimal(0))


@transaction.atomic
def void(payment_id: int, *, actor: str) -> Payment:
    """Let an authorisation go; a voided payment is returned as it is. Captured money is refunded, not voided."""
    payment, order = _locked_payment(payment_id)
    if payment.state == Payment.State.VOIDED:
        return payment
    _refuse_unless_open(payment, order, "voided")
    return _move(payment, order, Payment.State.VOIDED, actor)


@transaction.atomic
def fail(payment_id: int, *, reason: str, actor: str) -> Payment:
    """Note that a payment that was under way did not succeed; a failed one is returned as it is."""
    payment, order = _locked_payment(payment_id)
    if payment.state == Payment.State.FAILED:
        return payment
    _refuse_unless_open(payment, order, "failed")
    return _move(payment, order, Payment.State.FAILED, actor, reason)


def void_open(order: Order, *, actor: str, payments: Iterable[Payment] | None = None) -> None:
    """Let every authorisation of the order go. The caller holds its row and calls `follow` afterwards. `payments` are
    all tenders of the order, where the caller has them."""
    tenders = order.payments.filter(state__in=OPEN) if payments is None else payments
    for payment in tenders:
        if payment.state not in OPEN:
            continue
        payment.state = Payment.State.VOIDED
        payment.save(update_fields=["state"])
        note(order, "paid", f"voided: {_words(payment)}", actor=actor)


def _locked_payment(payment_id: int) -> tuple[Payment, Order]:
    found = Payment.objects.filter(pk=payment_id).values_list("order_id", flat=True).first()
    if found is None:
        raise UserError(f"there is no payment with id {payment_id}")
    order = locked(found)
    return Payment.objects.get(pk=payment_id), order


def _refuse_unless_open(payment: Payment, order: Order, done: str) -> None:
    if payment.state not in OPEN:
        raise UserError(
            f"order {order.number}: the payment of {_words(payment)} is {payment.state} and cannot be {done}"
        )


def _words(payment: Payment) -> str:
    return f"{money_words(payment.amount, payment.currency)} by {payment.tender}"


def _move(payment: Payment, order: Order, state: Payment.State, actor: str, reason: str = "") -> Payment:
    payment.state = state
    payment.at = clock.now()
    payment.save()
    words = f"{state.label.lower()}: {_words(payment)}"
    note(order, "paid", f"{words} ({reason})" if reason else words, actor=actor)
    follow(order)
    return payment
