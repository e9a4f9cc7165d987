"""The numbers of our own orders: the channel's prefix and the next of one sequence, such as WEB-100001."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel
    from finalmarket.orders.models import Order

MOST_PREFIX_CHARACTERS = 20


def prefix_of(channel: SalesChannel) -> str:
    """Return the prefix that the channel's configuration names (`order_prefix`), else one made from its slug."""
    own = channel.configuration.get("order_prefix")
    if own is not None:
        return str(own)[:MOST_PREFIX_CHARACTERS]
    words = re.split(r"[-_]+", channel.slug)
    short = "".join(word[0] for word in words if word) if len(words) > 1 else channel.slug[:3]
    return f"{short.upper()}-"


def next_row(channel: SalesChannel) -> tuple[int, str]:
    """Return the id and the number of an order of `channel` that is about to be written. Nothing else will get them:
    whoever finds a row with this id knows that they wrote it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('orders', 'id')), nextval('order_number_seq')")
        pk, number = cursor.fetchone()
    return pk, f"{prefix_of(channel)}{number}"


def is_written(order: Order) -> bool:
    """Say whether the row of an order with an id of `next_row` is there: it is not where an order of the same channel
    and id of the door, or with the same number, was there before. The order knows when it was made, then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM orders WHERE id = %s", [order.pk])
        row = cursor.fetchone()
    if row is not None:
        (order.created_at,) = row
    return row is not None


def next_numbers(channel: SalesChannel, count: int = 1) -> list[str]:
    """Return `count` fresh order numbers of `channel`. Numbers are never used twice; gaps are possible."""
    prefix = prefix_of(channel)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('order_number_seq') FROM generate_series(1, %s)", [count])
        return [f"{prefix}{number}" for (number,) in cursor.fetchall()]
