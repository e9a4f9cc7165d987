"""Orders keep up with the stock room by themselves."""

import structlog
from django.db import DatabaseError, connection

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import job
from finalmarket.orders.calls import end_forgotten
from finalmarket.orders.intake import retry, waiting_orders

ORDERS_PER_RUN = 200


@job("orders.bring_in_step", cron="* * * * *")
def bring_in_step() -> None:
    """Route what arrived for orders that were short, and take out of parcels what a count took away."""
    for order_id in waiting_orders(limit=ORDERS_PER_RUN):
        try:
            retry(order_id, actor="system")
        except (UserError, DatabaseError) as error:
            if not connection.is_usable():
                raise  # the database is away: the next run looks at them all
            said = str(error) if isinstance(error, UserError) else type(error.__cause__ or error).__name__
            structlog.get_logger(__name__).warning("order not brought in step", order=order_id, reason=said)


@job("orders.end_calls", cron="17 * * * *")
def end_calls() -> None:
    """End calls that a clerk forgot to end: what they were about belongs to the customer's history all the same."""
    end_forgotten()
