"""Which sale a cancellation takes back: the latest earlier one of the same customer and SKU with open quantity.

A line that takes back more than that sale has left goes on to the next one before it; what no sale covers is a credit
without a known sale. Units of one sale are never taken back twice, by whatever number of lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db import connection

from finalmarket.kernel.sql import Queries

SQL = Queries(Path(__file__).with_name("orders.sql"))
MOST_PARTS = 90  # sales that one line may take back


class Cancellation(NamedTuple):
    """A line that takes back: whose, what, how many units, and when. `variant_id` None: no goods, known by its SKU."""

    customer_id: int | None
    variant_id: int | None
    sku: str
    currency: str
    quantity: int
    at: datetime


class Part(NamedTuple):
    """Units of one order line that a cancellation takes back."""

    order_id: int
    external_id: str
    channel_id: int
    line_id: int
    quantity: int


@dataclass(slots=True)
class _Sale:
    order_id: int
    external_id: str
    channel_id: int
    line_id: int
    placed_at: datetime
    open_units: int


@dataclass(slots=True)
class Match:
    """The sales that a cancellation takes back, and the units that are left without one."""

    parts: list[Part] = field(default_factory=list)
    rest: int = 0


_Wanted = tuple[int, int | None, str, str]


def match(cancellations: Sequence[Cancellation]) -> list[Match]:
    """Match cancellations in their order; one query for all of them."""
    sales = _sales_of(cancellations)
    return [_take(cancelled, sales.get(_wanted(cancelled) or (0, None, "", ""), ())) for cancelled in cancellations]


def _wanted(cancelled: Cancellation) -> _Wanted | None:
    if cancelled.customer_id is None:
        return None
    sku = "" if cancelled.variant_id is not None else cancelled.sku
    return cancelled.customer_id, cancelled.variant_id, sku, cancelled.currency


def _sales_of(cancellations: Sequence[Cancellation]) -> dict[_Wanted, list[_Sale]]:
    """The open sales of every customer and SKU asked for, the latest first."""
    latest: dict[_Wanted, datetime] = {}
    for cancelled in cancellations:
        wanted = _wanted(cancelled)
        if wanted is not None:
            latest[wanted] = max(cancelled.at, latest.get(wanted, cancelled.at))
    if not latest:
        return {}
    asked = list(latest)
    columns = [list(column) for column in zip(*asked, strict=True)]
    found: dict[_Wanted, list[_Sale]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SQL["open_sales"], [*columns, list(latest.values())])
        for number, *sale in cursor.fetchall():
            found[asked[number - 1]].append(_Sale(*sale))
    return found


def _take(cancelled: Cancellation, sales: Sequence[_Sale]) -> Match:
    result = Match(rest=cancelled.quantity)
    for sale in sales:
        if result.rest == 0 or len(result.parts) == MOST_PARTS:
            break
        units = min(result.rest, sale.open_units)
        if units > 0 and sale.placed_at < cancelled.at:
            sale.open_units -= units
            result.rest -= units
            result.parts.append(Part(sale.order_id, sale.external_id, sale.channel_id, sale.line_id, units))
    return result
