"""All that stands in the books of orders, in a form that two ways to the same end can be compared by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

Books = dict[str, list[tuple[Any, ...]]]
BOOKS = {
    "orders": """
        SELECT o.external_id, o.source, o.sales_channel_id, o.state, o.payment_state, o.problem, o.currency,
               o.placed_at, o.external_version, o.email, o.phone, o.shipping_address, o.billing_address, o.goods,
               o.discount, o.shipping, o.fees, o.tip, o.tax, o.tax_included, o.total, o.refunded, o.raw,
               o.reservation_id IS NULL, o.cancelled_at, left(o.number, 2)
        FROM orders o ORDER BY 1, 2""",
    "lines": """
        SELECT o.external_id, line.position, line.kind, line.variant_id, line.sku, line.title, line.external_id,
               line.quantity, line.unit_price, line.discount, line.tax, line.tax_rate, line.total,
               line.cancelled_quantity, line.fulfilled_quantity, line.short_quantity
        FROM order_lines line JOIN orders o ON o.id = line.order_id ORDER BY 1, 2""",
    "payments": """
        SELECT o.external_id, paid.tender, paid.external_id, paid.state, paid.amount, paid.refunded, paid.currency
        FROM payments paid JOIN orders o ON o.id = paid.order_id ORDER BY 1, 2, 3""",
    "promises": """
        SELECT o.external_id, line.position, promise.line, promise.variant_id, promise.per_unit, held.position,
               held.location_id, held.quantity, held.promised, held.short, held.state, held.is_backorder
        FROM order_promises promise JOIN order_lines line ON line.id = promise.order_line_id
        JOIN orders o ON o.id = line.order_id
        JOIN reservation_line held ON held.reservation_id = promise.reservation_id AND held.line = promise.line
             AND held.variant_id = promise.variant_id ORDER BY 1, 2, 3, 4, 6""",
    "parcels": """
        SELECT o.external_id, parcel.location_id, parcel.state, parcel.reason, line.position, packed.variant_id,
               packed.quantity
        FROM fulfilments parcel JOIN orders o ON o.id = parcel.order_id
        LEFT JOIN fulfilment_lines packed ON packed.fulfilment_id = parcel.id
        LEFT JOIN order_lines line ON line.id = packed.order_line_id ORDER BY 1, 2, 5, 6""",
    "history": """
        SELECT o.external_id, entry.kind, entry.text, entry.actor
        FROM order_events entry JOIN orders o ON o.id = entry.order_id ORDER BY o.external_id, entry.id""",
    "stock": "SELECT variant_id, location_id, on_hand, reserved, allocated FROM stock_item ORDER BY 1, 2",
    "pools": "SELECT variant_id, on_hand, reserved, allocated, backordered FROM stock_pool ORDER BY 1",
    "people": """
        SELECT o.external_id, identity.kind, identity.value FROM orders o
        JOIN customer_identities identity ON identity.customer_id = o.customer_id ORDER BY 1, 2, 3""",
}


def books() -> Books:
    """All that stands in the books, without the numbers that every try uses up."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in BOOKS.items():
            cursor.execute(query)
            found[name] = cursor.fetchall()
    return found


class Undone(Exception):
    """Raised to take everything back."""


def after(act: Callable[[], object]) -> Books:
    """The books as they stand after this; it is taken back."""
    try:
        with transaction.atomic():
            act()
            found = books()
            raise Undone
    except Undone:
        return found
