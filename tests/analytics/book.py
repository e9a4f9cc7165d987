"""A small order book for the tests of the figures, written row by row."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.orders.models import Order, OrderLine

_numbers = itertools.count(1)


def channel(name: str, **facts: Any) -> SalesChannel:
    """A web shop unless told otherwise."""
    return SalesChannel.objects.create(**{"name": name, "channel_type": "web", "currency": "EUR", **facts})


def customer(name: str, **facts: Any) -> OmnichannelCustomer:
    """A person."""
    return OmnichannelCustomer.objects.create(name=name, **facts)


def order(
    channel: SalesChannel,
    placed_at: datetime,
    *,
    goods: str = "10.00",
    buyer: OmnichannelCustomer | None = None,
    units: int = 1,
    cancelled: int = 0,
    returned: int = 0,
    line_tax: str = "0",
    shipping: str = "0",
    shipping_tax: str = "0",
    **facts: Any,
) -> Order:
    """An order with one line of goods and, where it costs something, one of shipping. Amounts are the order's."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "currency": channel.currency,
        "discount": Decimal(0),
        "tax": Decimal(line_tax) + Decimal(shipping_tax),
    }
    values |= {"tax_included": True, **facts}
    added = Decimal(0) if values["tax_included"] else values["tax"]
    total = Decimal(goods) - values["discount"] + Decimal(shipping) + added
    placed: Order = Order.objects.create(
        number=f"N{number}",
        sales_channel=channel,
        external_id=str(number),
        customer=buyer,
        placed_at=placed_at,
        goods=Decimal(goods),
        shipping=Decimal(shipping),
        total=total,
        **values,
    )
    OrderLine.objects.create(
        order=placed,
        position=1,
        sku="SKU",
        quantity=units,
        unit_price=Decimal(goods) / units,
        tax=Decimal(line_tax),
        cancelled_quantity=cancelled,
        fulfilled_quantity=units - cancelled,
        returned_quantity=returned,
    )
    if Decimal(shipping):
        OrderLine.objects.create(
            order=placed,
            position=2,
            kind="shipping",
            quantity=1,
            unit_price=Decimal(shipping),
            tax=Decimal(shipping_tax),
        )
    return placed


def journey(channel: SalesChannel, at: datetime, buyer: OmnichannelCustomer, led_to: Order | None = None) -> None:
    """A session on the channel, with the order it led to."""
    CrossChannelJourney.objects.create(
        customer=buyer, start_channel=channel, intent="purchase", started_at=at, order=led_to
    )


def fill_at_random(chance: random.Random, channels: list[SalesChannel], first: datetime, days: int) -> None:
    """Persons (some merged), orders in several currencies and states, with and without line taxes, and journeys."""
    people = [customer(f"Person {n}") for n in range(12)]
    people += [customer(f"Double {n}", merged_into=people[n]) for n in range(4)]
    for _ in range(150):
        shop = chance.choice(channels)
        at = first + timedelta(minutes=chance.randrange(days * 24 * 60))
        buyer = chance.choice([*people, None])
        goods = Decimal(chance.randrange(100, 20_000)) / 100
        units = chance.randrange(1, 5)
        placed = order(
            shop,
            at,
            goods=str(goods),
            buyer=buyer,
            units=units,
            returned=chance.randrange(0, units + 1) if chance.random() < 0.3 else 0,
            line_tax=str((goods / 7).quantize(Decimal("0.01"))) if chance.random() < 0.5 else "0",
            shipping=chance.choice(["0", "4.90"]),
            shipping_tax="0.78" if chance.random() < 0.5 else "0",
            currency=chance.choice([shop.currency] * 4 + ["CHF"]),
            discount=Decimal(chance.choice(["0", "0.50"])),
            tax_included=chance.random() < 0.7,
            state=chance.choice(["fulfilled", "fulfilled", "open", "cancelled"]),
        )
        if chance.random() < 0.3:
            Order.objects.filter(pk=placed.pk).update(refunded=(placed.total / 3).quantize(Decimal("0.01")))
        if buyer is not None and chance.random() < 0.4:
            journey(chance.choice(channels), at - timedelta(hours=2), buyer, chance.choice([placed, None]))
