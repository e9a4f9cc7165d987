"""The same figures in plain Python over the ORM: slow, and easy to believe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.orders.models import Order

FINE = Decimal("0.0001")


def rounded(amount: Decimal, step: Decimal = FINE) -> Decimal:
    return amount.quantize(step, rounding=ROUND_HALF_UP)


def person(order: Order) -> int | None:
    return None if order.customer is None else order.customer.merged_into_id or order.customer.pk


def valid_orders() -> list[Order]:
    orders = Order.objects.exclude(state="cancelled").select_related("customer").prefetch_related("lines")
    return sorted(orders, key=lambda order: (order.placed_at, order.pk))


def revenue(order: Order) -> Decimal:
    sales = order.goods - order.discount
    if not order.tax_included:
        return rounded(sales)
    lines = list(order.lines.all())
    if sum(line.tax for line in lines):
        return rounded(sales - (order.tax - sum(line.tax for line in lines if line.kind not in ("goods", "discount"))))
    everything = sales + order.shipping + order.fees
    return rounded(sales - (order.tax * sales / everything if everything else 0))


def refund(order: Order) -> Decimal:
    return rounded(order.refunded * revenue(order) / order.total) if order.total else Decimal(0)


def figures(channel: SalesChannel, first: date, last: date) -> dict[tuple[date, str], dict[str, Any]]:
    """The rows of channel_analytics as they should be, by day and currency."""
    zone = ZoneInfo(channel.time_zone)
    everywhere = valid_orders()
    first_orders: dict[int | None, int] = {}
    for order in everywhere:
        first_orders.setdefault(person(order), order.pk)
    here = [order for order in everywhere if order.sales_channel_id == channel.pk]
    by_day: dict[date, list[Order]] = defaultdict(list)
    for order in here:
        by_day[order.placed_at.astimezone(zone).date()].append(order)
    rows = {}
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        started = [
            journey
            for journey in CrossChannelJourney.objects.filter(start_channel=channel)
            if journey.started_at.astimezone(zone).date() == day
        ]
        to_date = {person(o) for o in here if o.placed_at.astimezone(zone).date() <= day} - {None}
        for currency in {channel.currency} | {order.currency for order in by_day[day]}:
            orders = [order for order in by_day[day] if order.currency == currency]
            sessions = started if currency == channel.currency else []
            rows[day, currency] = sheet(orders, sessions, first_orders) | {"customer_count": len(to_date)}
    return rows


def sheet(
    orders: list[Order], sessions: Iterable[CrossChannelJourney], first_orders: dict[int | None, int]
) -> dict[str, Any]:
    sessions = list(sessions)
    total = sum((revenue(order) for order in orders), Decimal(0))
    refunds = sum((refund(order) for order in orders), Decimal(0))
    goods = [line for order in orders for line in order.lines.all() if line.kind == "goods"]
    sold = sum(line.quantity - line.cancelled_quantity for line in goods)
    returned = sum(line.returned_quantity for line in goods)
    unique = {person(order) for order in orders} - {None}
    new = {person(o) for o in orders if person(o) is not None and first_orders[person(o)] == o.pk}
    shopping = ("browse", "research", "purchase")  # a case is about an order, it does not lead to it
    ordering = sum(1 for journey in sessions if journey.order_id and journey.intent in shopping)
    six = Decimal("0.000001")
    return {
        "orders_count": len(orders),
        "revenue": total,
        "refunds": refunds,
        "net_revenue": total - refunds,
        "average_order_value": rounded(total / len(orders)) if orders else None,
        "unique_customers": len(unique),
        "new_customers": len(new),
        "returning_customers": len(unique) - len(new),
        "sessions": len(sessions),
        "ordering_sessions": ordering,
        "conversion_rate": rounded(Decimal(ordering) / len(sessions), six) if sessions else None,
        "units_sold": sold,
        "units_returned": returned,
        "return_rate": rounded(Decimal(returned) / sold, six) if sold else None,
    }
