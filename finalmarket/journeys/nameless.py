"""Journeys of people who were erased. What they said is gone, so nothing of it is told anew: their journeys stay as
they were told, and what comes late joins none. They go on in what is known without words: one whose time has passed is
given up as any other, and one that led to an order is worth what the order book says of it now.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from finalmarket.journeys import stitch_rows
from finalmarket.journeys.drafts import (
    ABANDONED,
    OPEN,
    SCORE_OF_A_LEFT_CART,
    given_up_as,
    leaves_cart,
    left_cart,
    outcome_of,
    value_of,
)
from finalmarket.journeys.facts import JourneyRow, Placed


def go_on(profiles: Collection[int], now: datetime) -> int:
    """Have the recognised journeys of these erased profiles as they stand at `now`; return how many changed."""
    told = stitch_rows.read_told(sorted(profiles)) if profiles else []
    orders = stitch_rows.read_orders([row.order_id for row in told if row.order_id is not None])
    stand = [as_it_stands(row, orders.get(row.order_id or 0), now) for row in told]
    changed = [row for row, before in zip(stand, told, strict=True) if row != before]
    carts = [row for row in changed if leaves_cart(row.state, row.outcome)]
    channels = stitch_rows.last_channels([row.id for row in carts])
    left = [
        left_cart(row.id, channels.get(row.id, row.start_channel_id), row.last_touch_at, row.visits) for row in carts
    ]
    stitch_rows.write_on(sorted(changed), sorted(left))
    return len(changed)


def as_it_stands(row: JourneyRow, order: Placed | None, now: datetime) -> JourneyRow:
    """The journey as it stands at `now`; `order` is the one that it led to."""
    if order is not None:
        return row._replace(outcome=outcome_of(order), value=value_of(order), currency=order.currency)
    if row.state != OPEN or now <= row.closes_at:
        return row
    outcome = given_up_as(row.step)
    score = row.score + (SCORE_OF_A_LEFT_CART if leaves_cart(ABANDONED, outcome) else 0)
    return row._replace(state=ABANDONED, outcome=outcome, score=score, ended_at=row.last_touch_at)
