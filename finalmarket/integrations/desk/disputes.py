"""A buyer's bank wants money back: that is put before a person, and so is how it ended, each once."""

from __future__ import annotations

from finalmarket.connectors.records import PaymentRecord
from finalmarket.orders import refunds
from finalmarket.orders.history import add_problem, follow, note
from finalmarket.orders.models import Order, OrderEvent, Payment
from finalmarket.orders.payments import whole_of
from finalmarket.orders.states import refundable


def follow_dispute(order: Order, record: PaymentRecord, payment: Payment | None, *, actor: str) -> None:
    """Note that a payment is disputed, or that a dispute of it is over. The caller holds the order's row.

    Money that was lost is booked as given back. A platform that says nothing of a lost dispute shows it as disputed for
    good, and so do we.
    """
    name = f"dispute:{record.external_id}:"[:150]
    keys = OrderEvent.objects.filter(order=order, key__startswith=name).values_list("key", flat=True)
    opened = sum(key.endswith(":open") for key in keys)
    is_open = opened > sum(key.endswith(":end") for key in keys)
    if record.state == "disputed" and not is_open:
        note(order, "problem", _open_words(record), actor=actor, key=f"{name}{opened + 1}:open")
        add_problem(order, _open_words(record))
        order.save(update_fields=["problem", "updated_at"])
    elif is_open and record.state in ("captured", "refunded"):
        _close(order, record, payment, key=f"{name}{opened}:end", actor=actor)


def _close(order: Order, record: PaymentRecord, payment: Payment | None, *, key: str, actor: str) -> None:
    said = order.problem.split("; ") if order.problem else []
    order.problem = "; ".join(words for words in said if words != _open_words(record))
    words = f"the dispute of the payment {record.external_id} is over: the money stays"
    if record.state == "refunded":
        words = f"the dispute of the payment {record.external_id} is over: the money is gone"
        add_problem(order, words)
        _book_loss(order, payment, key=key, actor=actor)
    note(order, "problem", words, actor=actor, key=key)
    follow(order)


def _book_loss(order: Order, payment: Payment | None, *, key: str, actor: str) -> None:
    """What is not given back of the payment is gone; what was is booked as every refund is."""
    if payment is None:
        return
    whole = whole_of(payment)
    reason = "the dispute was lost"
    refunds.book(order, refundable(whole), key=key, reason=reason, actor=actor, payments=whole)


def _open_words(record: PaymentRecord) -> str:
    return f"the payment {record.external_id} is disputed"
