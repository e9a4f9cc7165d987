"""The history of an order, and the keys that make a verb happen exactly once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Sum

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words
from finalmarket.kernel.plural import plural
from finalmarket.orders.models import Order, OrderEvent, OrderLine, Payment, Refund
from finalmarket.orders.states import order_state, payment_state

FOUND_ANEW = ("short: ", "unknown SKU: ", "unrouted: ")
MOST_PROBLEM_CHARACTERS = 500
MOST_ENTRY_CHARACTERS = 500


def locked(order_id: int) -> Order:
    """Return the order with its row locked: the first thing that every verb does. Raises UserError if it is unknown."""
    orders = Order.objects.select_for_update(of=("self",)).select_related("sales_channel")
    order: Order | None = orders.filter(pk=order_id).first()
    if order is None:
        raise UserError(f"there is no order with id {order_id}")
    return order


def note(order: Order, kind: str, text: str, *, actor: str, key: str = "") -> None:
    """Write one entry of the order's history. `text` names no person."""
    entry = event_of(order, kind, text, actor=actor, key=key)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO order_events (order_id, kind, text, key, actor) VALUES (%s, %s, %s, %s, %s)",
            [order.pk, entry.kind, entry.text, entry.key, entry.actor],
        )


def taken_words(order: Order, goods: int) -> str:
    """What the history says of an order with so many lines of goods that was taken."""
    return f"{plural(goods, 'line')} of goods, {money_words(order.total, order.currency)}"


def routed_words(units: int, reason: str) -> str:
    """What the history says of so many units that got a place to leave from."""
    return f"{unit_words(units)}: {reason}"


def unit_words(units: int) -> str:
    """A number of units in words: 1 unit, 2 units."""
    return plural(units, "unit")


def event_of(order: Order, kind: str, text: str, *, actor: str, key: str = "") -> OrderEvent:
    """Return an entry of the order's history that is yet to be written."""
    return OrderEvent(order=order, kind=kind, text=text[:MOST_ENTRY_CHARACTERS], key=key[:200], actor=actor[:100])


def done(order: Order, key: str) -> bool:
    """Say whether the verb with this key was carried out on this order already. The caller holds the order's row."""
    return bool(key) and OrderEvent.objects.filter(order=order, key=key).exists()


def goods_of(order: Order) -> list[OrderLine]:
    """Return the goods lines of the order, by position."""
    return list(order.lines.filter(kind=OrderLine.Kind.GOODS).order_by("position"))


def follow(
    order: Order,
    *,
    unrouted: str | None = None,
    lines: Sequence[OrderLine] | None = None,
    payments: Sequence[Payment] | None = None,
) -> Order:
    """Bring the order's states, its refunded amount and its problem in line with its lines and payments, and save it.

    `unrouted` says which units no location can ship ("" when all have one); None leaves that part as it was. `lines`
    and `payments` are all that the order has, where the caller knows them as they are now; with both of them
    `refunded` stands as it was counted when money was given back.
    """
    is_known = lines is not None and payments is not None
    lines = list(order.lines.select_related(None).order_by("position")) if lines is None else lines
    payments = list(Payment.objects.filter(order=order)) if payments is None else payments
    if order.state != Order.State.CANCELLED:
        order.state = order_state(lines)
    order.payment_state = payment_state(order.total, payments)
    if not is_known:
        order.refunded = Refund.objects.filter(order=order).aggregate(whole=Sum("amount"))["whole"] or 0
    order.problem = problem_of(order, lines, unrouted)
    order.save()
    return order


COUNTS = {
    "cancelled_quantity": "UPDATE order_lines line SET cancelled_quantity = counted.units",
    "fulfilled_quantity": "UPDATE order_lines line SET fulfilled_quantity = counted.units",
    "short_quantity": "UPDATE order_lines line SET short_quantity = counted.units",
}


def write_units(lines: Sequence[OrderLine], column: str) -> None:
    """Write one of the counts of units of these lines (see COUNTS), and nothing else of them."""
    query = COUNTS[column] + " FROM unnest(%s::bigint[], %s::int[]) AS counted(id, units) WHERE line.id = counted.id"
    with connection.cursor() as cursor:
        cursor.execute(query, [[line.pk for line in lines], [getattr(line, column) for line in lines]])


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
