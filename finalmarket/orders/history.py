"""The history of an order, and the keys that make a verb happen exactly once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Sum

from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order, OrderEvent, OrderLine, Payment, Refund
from finalmarket.orders.states import order_state, payment_state

FOUND_ANEW = ("short: ", "unknown SKU: ", "unrouted: ")
MOST_PROBLEM_CHARACTERS = 500


def locked(order_id: int) -> Order:
    """Return the order with its row locked: the first thing that every verb does. Raises UserError if it is unknown."""
    orders = Order.objects.select_for_update(of=("self",)).select_related("sales_channel")
    order: Order | None = orders.filter(pk=order_id).first()
    if order is None:
        raise UserError(f"there is no order with id {order_id}")
    return order


def note(order: Order, kind: str, text: str, *, actor: str, key: str = "") -> None:
    """Write one entry of the order's history. `text` names no person."""
    event_of(order, kind, text, actor=actor, key=key).save()


def event_of(order: Order, kind: str, text: str, *, actor: str, key: str = "") -> OrderEvent:
    """Return an entry of the order's history that is yet to be written."""
    return OrderEvent(order=order, kind=kind, text=text[:500], key=key[:200], actor=actor[:100])


def done(order: Order, key: str) -> bool:
    """Say whether the verb with this key was carried out on this order already. The caller holds the order's row."""
    return bool(key) and OrderEvent.objects.filter(order=order, key=key).exists()


def goods_of(order: Order) -> list[OrderLine]:
    """Return the goods lines of the order, by position."""
    return list(order.lines.filter(kind=OrderLine.Kind.GOODS).order_by("position"))


def follow(order: Order, *, unrouted: str | None = None) -> Order:
    """Bring the order's states, its refunded amount and its problem in line with its lines and payments, and save it.

    `unrouted` says which units no location can ship ("" when all have one); None leaves that part as it was.
    """
    lines = list(order.lines.select_related(None).order_by("position"))
    payments = list(Payment.objects.filter(order=order))
    if order.state != Order.State.CANCELLED:
        order.state = order_state(lines)
    order.payment_state = payment_state(order.total, payments)
    order.refunded = Refund.objects.filter(order=order).aggregate(whole=Sum("amount"))["whole"] or 0
    order.problem = problem_of(order, lines, unrouted)
    order.save()
    return order


def add_problem(order: Order, text: str) -> None:
    """Put one more sentence into the order's problem, unless it stands there already. The caller saves."""
    sentences = order.problem.split("; ") if order.problem else []
    if text and text not in sentences:
        order.problem = "; ".join([*sentences, text])[:MOST_PROBLEM_CHARACTERS]


def problem_of(order: Order, lines: Sequence[OrderLine], unrouted: str | None) -> str:
    """Return what the order's problem is now: what a person has to settle, and what is found anew; see `follow`."""
    said = order.problem.split("; ") if order.problem else []
    kept = [text for text in said if not text.startswith(FOUND_ANEW)]
    if order.state == Order.State.CANCELLED:
        return "; ".join(kept)
    if unrouted is None:
        kept += [text for text in said if text.startswith("unrouted: ")]
    elif unrouted:
        kept.append(f"unrouted: {unrouted}")
    short = [f"{line.short_quantity} x {line.sku}" for line in lines if line.short_quantity]
    unknown = [
        line.sku
        for line in lines
        if line.kind == "goods" and line.variant_id is None and line.quantity > line.cancelled_quantity
    ]
    kept += [f"short: {', '.join(short)}"] if short else []
    kept += [f"unknown SKU: {', '.join(unknown)}"] if unknown else []
    return "; ".join(kept)[:MOST_PROBLEM_CHARACTERS]
