"""Money back, exactly once by its key, and never more than came in.

The rule of the spread: gift cards first, then the other tenders in the order in which they were paid. So nobody turns
a gift card into cash by returning what it paid for. `gift_cards="last"` turns it round.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from django.db import transaction

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words, quantize
from finalmarket.orders.history import add_problem, follow, locked, note
from finalmarket.orders.models import Order, Payment, Refund, Return
from finalmarket.orders.states import refundable, surplus

GIFT_CARD = "gift_card"
EXCHANGE = "exchange"
"""The tender by which a return pays for the order that it is exchanged for, and what the key begins with under which
that money is booked as given back: it stays in the house, and no platform is told."""
GiftCards = Literal["first", "last"]


@transaction.atomic
def refund(
    order_id: int, amount: Decimal, *, key: str, reason: str, actor: str, gift_cards: GiftCards = "first"
) -> Decimal:
    """Give `amount` (in the order's currency) back; return what is booked under `key`, now or before.

    Raises UserError for an amount that is not above zero or more than was paid and not given back yet.
    """
    order = locked(order_id)
    if is_booked(order, key):
        return _booked(order, key)
    whole = quantize(amount, order.currency)
    possible = refundable_of(order)
    if whole <= 0:
        raise UserError(f"order {order.number}: a refund must be above zero, not {amount}")
    if whole > possible:
        left = quantize(possible, order.currency)
        raise UserError(f"order {order.number}: {whole} cannot be refunded; {left} was paid and not given back yet")
    booked = book(order, whole, key=key, reason=reason, actor=actor, gift_cards=gift_cards, surplus_first=True)
    follow(order)
    return booked


def refundable_of(order: Order) -> Decimal:
    """Return what was paid and not given back yet."""
    return refundable(Payment.objects.filter(order=order))


def is_booked(order: Order, key: str) -> bool:
    """Say whether money was given back under this key already. The caller holds the order's row."""
    return Refund.objects.filter(order=order, key=f"{key}/1").exists()


def _booked(order: Order, key: str) -> Decimal:
    rows = Refund.objects.filter(order=order, key__startswith=f"{key}/")
    return sum((row.amount for row in rows if row.key[len(key) + 1 :].isdigit()), Decimal(0))


def book(
    order: Order, amount: Decimal, *, key: str, reason: str, actor: str, return_record: Return | None = None,
    gift_cards: GiftCards = "first", payments: Sequence[Payment] | None = None, surplus_first: bool = False,
) -> Decimal:  # fmt: skip
    """Spread `amount` over the tenders and book it under `key`, unless that was done; return what was booked now.

    The caller holds the order's row, has bounded the amount by what can be given back of these tenders, and calls
    `follow` afterwards. `payments` are the tenders that it is spread over, without them all that the order has: whoever
    paid money out by one of them names it, or another provider would be asked to pay the same out again. With
    `surplus_first` it is no credit for goods that are in the order's total: what came in beyond that goes back first.
    """
    if amount <= 0 or is_booked(order, key):
        return Decimal(0)
    at = clock.now()
    rest = amount
    tenders = list(Payment.objects.filter(order=order)) if payments is None else payments
    captured = [payment for payment in tenders if payment.state == Payment.State.CAPTURED]
    first = gift_cards == "first"
    captured.sort(key=lambda payment: ((payment.tender == GIFT_CARD) != first, payment.at, payment.pk))
    rows: list[Refund] = []
    for payment in captured:
        part = min(rest, payment.amount - payment.refunded)
        if part <= 0:
            continue
        payment.refunded += part
        payment.save(update_fields=["refunded"])
        rows.append(
            Refund(
                order=order, payment=payment, return_record=return_record, key=f"{key}/{len(rows) + 1}", amount=part,
                reason=reason[:300], at=at,
            )
        )  # fmt: skip
        rest -= part
    Refund.objects.bulk_create(rows)
    booked = amount - rest
    if booked:
        if surplus_first:
            order.surplus_refunded += min(booked, surplus(order, Payment.objects.filter(order=order)))
        order.refunded += booked
        _say_what_nobody_sends(order, rows, key)
        note(order, "refunded", f"{money_words(booked, order.currency)}: {reason}", actor=actor)
    return booked


def _say_what_nobody_sends(order: Order, rows: Sequence[Refund], key: str) -> None:
    """What a return had paid came in by no provider that could send it back, unless it pays for goods once more."""
    amount = sum((row.amount for row in rows if row.payment and row.payment.tender == EXCHANGE), Decimal(0))
    if amount and not key.startswith(f"{EXCHANGE}:"):
        add_problem(order, f"{quantize(amount, order.currency)} that an exchange had paid is to be given back by hand")
