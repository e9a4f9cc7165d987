"""What agents are told of an order: plain lines, the same for the same standing of it, so that a change shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from finalmarket.kernel.money import money_words, quantize
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Return

MOST_LINES = 40


def contexts(order_ids: Collection[int]) -> Mapping[int, str]:
    """The context of each of these orders, by four queries."""
    wanted = set(order_ids)
    orders = Order.objects.filter(pk__in=wanted).select_related("sales_channel").defer("raw")
    lines, parcels, returns = (
        _by_order(OrderLine.objects.filter(order__in=wanted, kind="goods").order_by("order", "position")),
        _by_order(Fulfilment.objects.filter(order__in=wanted).exclude(state="cancelled").order_by("id")),
        _by_order(Return.objects.filter(order__in=wanted).order_by("id")),
    )
    return {
        order.pk: "\n".join(
            [
                *_head(order),
                *_cut([_line(one) for one in lines[order.pk]]),
                *_cut([_parcel(one) for one in parcels[order.pk]]),
                *_cut([f"Return: {one.get_state_display().lower()} {one.reason}".strip() for one in returns[order.pk]]),
            ]
        )
        for order in orders
    }


def _by_order(rows: Iterable[OrderLine | Fulfilment | Return]) -> defaultdict[int, list]:  # type: ignore[type-arg]
    found: defaultdict[int, list] = defaultdict(list)  # type: ignore[type-arg]
    for row in rows:
        found[row.order_id or 0].append(row)
    return found


def _head(order: Order) -> list[str]:
    total = money_words(order.total, order.currency)
    back = f", {quantize(order.refunded, order.currency)} given back" if order.refunded else ""
    head = [
        f"Order {order.number} on {order.sales_channel.name}, placed {order.placed_at:%Y-%m-%d %H:%M} UTC",
        f"{order.get_state_display()}, {order.get_payment_state_display().lower()}: {total}{back}",
    ]
    return [*head, f"Needs a person: {order.problem}"] if order.problem else head


def _line(line: OrderLine) -> str:
    counts = (
        ("shipped", line.fulfilled_quantity), ("cancelled", line.cancelled_quantity),
        ("returned", line.returned_quantity), ("missing", line.short_quantity),
    )  # fmt: skip
    said = ", ".join(f"{units} {word}" for word, units in counts if units) or "waiting"
    return f"{line.quantity} x {line.title or line.sku} ({line.sku}): {said}"


def _parcel(parcel: Fulfilment) -> str:
    when = f" {parcel.delivered_at or parcel.shipped_at:%Y-%m-%d}" if parcel.delivered_at or parcel.shipped_at else ""
    tracking = " ".join(part for part in (parcel.carrier, parcel.tracking_number, parcel.tracking_url) if part)
    return f"Parcel {parcel.pk}: {parcel.get_state_display().lower()}{when} {tracking}".strip()


def _cut(lines: list[str]) -> list[str]:
    rest = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"and {rest} more"] if rest > 0 else lines
