"""Writing the daily figures from the order book, set-based and repeatable."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from finalmarket.channels.models import SalesChannel

RESTATE_SQL = (Path(__file__).parent / "restate.sql").read_text()


@transaction.atomic
def restate(channel: SalesChannel, first: date, last: date) -> int:
    """Compute the figures of `channel` anew for each day from `first` to `last`, both included; return the rows.

    Days are days of the channel's time zone. Running it again gives the same rows. Returns count on the day of the
    sale, refunds on the day of the order. Customers are counted as persons: merged profiles are one.
    """
    values = {"channel": channel.pk, "zone": channel.time_zone, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM channel_analytics WHERE sales_channel_id = %(channel)s AND date BETWEEN %(first)s AND %(last)s",
            values,
        )
        cursor.execute(RESTATE_SQL, values)
        return cursor.rowcount


def buyers(channel: SalesChannel, first: date, last: date) -> tuple[int, int, int]:
    """Return the persons who bought on `channel` from `first` to `last`, how many of them bought for the first time
    anywhere in that period, and the buyers of the channel up to `last`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH bought AS (
                   SELECT coalesce(customer.merged_into_id, customer.id) person,
                          min(o.placed_at) FILTER (WHERE (o.placed_at AT TIME ZONE %(zone)s)::date >= %(first)s) since
                   FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
                   WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
                     AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
                   GROUP BY 1)
               SELECT count(since),
                      count(*) FILTER (WHERE since IS NOT NULL AND NOT EXISTS (
                          SELECT FROM orders earlier JOIN omnichannel_customers c ON c.id = earlier.customer_id
                          WHERE coalesce(c.merged_into_id, c.id) = bought.person AND earlier.state <> 'cancelled'
                            AND earlier.placed_at < (%(first)s::timestamp AT TIME ZONE %(zone)s))),
                      count(*)
               FROM bought""",
            {"channel": channel.pk, "zone": channel.time_zone, "first": first, "last": last},
        )
        unique, new, to_date = cursor.fetchone()
    return unique, new, to_date
