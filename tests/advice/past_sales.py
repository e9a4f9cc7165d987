"""Sales of past days, written straight into the books: what was sold, where from, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine
from finalmarket.stock.models import StockLocation

_numbers = count(1)


def sell(
    channel: SalesChannel, variant: Variant, place: StockLocation | None, per_day: Sequence[int], price: str = "10.00"
) -> None:
    """Write an order a day, the last one yesterday, of as many units as `per_day` says (0: none that day).

    They were sent from `place`; None: they were never packed. The stock is not touched.
    """
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    sold = [(noon - timedelta(days=len(per_day) - day), units) for day, units in enumerate(per_day) if units]
    numbers = [f"PAST-{next(_numbers)}" for _ in sold]
    orders = Order.objects.bulk_create(
        [
            Order(number=number, sales_channel=channel, external_id=number, currency="EUR", placed_at=at,
                  goods=Decimal(price) * units, total=Decimal(price) * units)
            for number, (at, units) in zip(numbers, sold, strict=True)
        ]
    )  # fmt: skip
    lines = OrderLine.objects.bulk_create(
        [
            OrderLine(order=order, position=1, variant=variant, sku=variant.sku, quantity=units,
                      unit_price=Decimal(price), total=Decimal(price) * units)
            for order, (_, units) in zip(orders, sold, strict=True)
        ]
    )  # fmt: skip
    if place is None:
        return
    parcels = Fulfilment.objects.bulk_create(
        [Fulfilment(order=order, location=place, state="shipped") for order in orders]
    )
    FulfilmentLine.objects.bulk_create(
        [
            FulfilmentLine(fulfilment=parcel, order_line=line, variant=variant, quantity=line.quantity)
            for parcel, line in zip(parcels, lines, strict=True)
        ]
    )
