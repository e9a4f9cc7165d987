"""How a door's story ends, whichever door it is: one sale, seen alike by stock, order book, customer, journey, figures.

before = stand(channel, "TEA", 40)      # the day begins
...                                     # somebody buys two of it, through the door
order = assert_one_sale(channel, "TEA", 2, before=before, customer="ann@example.com")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import Coalesce

from finalmarket.analytics import incremental
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import today
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import persons
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.journeys import stitching
from finalmarket.journeys.drafts import ORDERED
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.orders import fulfilment
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.stock import atp
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockItem


@dataclass(frozen=True, slots=True)
class Books:
    """How things stand at a moment: of one SKU on one channel the stock, all orders, the channel's figures of today."""

    on_hand: int
    promised: int
    available: int
    orders: frozenset[int]
    orders_today: int
    units_today: int
    revenue_today: Decimal


def stand(channel: SalesChannel, sku: str) -> Books:
    """Say how things stand, after all that waits to be worked on was: to be called before the story begins."""
    _work_off()
    variant = Variant.objects.get(sku=sku)
    shelf = StockItem.objects.filter(variant=variant).aggregate(
        on_hand=Coalesce(Sum("on_hand"), 0), promised=Coalesce(Sum("allocated"), 0)
    )
    figures = ChannelAnalytics.objects.filter(sales_channel=channel, date=today(channel)).aggregate(
        orders=Coalesce(Sum("orders_count"), 0), units=Coalesce(Sum("units_sold"), 0),
        revenue=Coalesce(Sum("revenue"), Decimal(0)),
    )  # fmt: skip
    return Books(
        **shelf, available=atp.level(variant.pk, channel.pk).available,
        orders=frozenset(Order.objects.values_list("pk", flat=True)), orders_today=figures["orders"],
        units_today=figures["units"], revenue_today=figures["revenue"],
    )  # fmt: skip


def assert_one_sale(
    channel: SalesChannel, sku: str, units: int, *, before: Books, customer: OmnichannelCustomer | str,
    others: Mapping[str, int] | None = None, handed_over: bool = False,
) -> Order:  # fmt: skip
    """Check that since `before` exactly one sale was made, in every room of the house; return its order.

    `customer` is a profile of who bought, or their e-mail address; `others` are further lines, units by SKU.
    `handed_over` says that the goods have left already; else their parcels are shipped here, and then have.
    """
    after = stand(channel, sku)
    order = _the_order(after, before, channel)
    _check_lines(order, {sku: units, **(others or {})})
    _check_stock(channel, sku, units, before, after, order, handed_over)
    profiles = _person(customer, order)
    _check_journey(order, profiles)
    _check_figures(after, before, order)
    return order


def _work_off() -> None:
    """What the worker does within a second: who is one person, journeys, figures."""
    persons.settle()
    stitching.run()
    incremental.restate_marked()


def _the_order(after: Books, before: Books, channel: SalesChannel) -> Order:
    new = after.orders - before.orders
    assert len(new) == 1, f"{len(new)} orders came in, not one"
    (number,) = new
    order: Order = Order.objects.get(pk=number)
    assert order.sales_channel_id == channel.pk, f"the order is of {order.sales_channel}, not of {channel}"
    assert order.state != Order.State.CANCELLED
    assert order.problem == ""
    return order


def _check_lines(order: Order, wanted: Mapping[str, int]) -> None:
    lines: Counter[str] = Counter()
    for line in order.lines.filter(kind="goods"):
        assert line.variant is not None, f"nobody knows what {line.sku} is"
        assert (line.short_quantity, line.cancelled_quantity) == (0, 0)
        lines[line.variant.sku] += line.quantity
    assert dict(lines) == dict(wanted)


def _check_stock(
    channel: SalesChannel, sku: str, units: int, before: Books, after: Books, order: Order, handed_over: bool
) -> None:
    """Nobody else can buy the units from the moment of the sale on; the shelf has them until they leave."""
    assert before.available - after.available == units
    left = units if handed_over else 0
    assert (before.on_hand - after.on_hand, after.promised - before.promised) == (left, units - left)
    for parcel in order.fulfilments.filter(state=Fulfilment.State.PENDING):
        fulfilment.ship(parcel.pk, actor="story")
    gone = stand(channel, sku)
    assert (before.on_hand - gone.on_hand, gone.promised) == (units, before.promised)
    assert gone.available == after.available
    order.refresh_from_db()
    assert order.state == Order.State.FULFILLED
    assert differences() == []


def _person(customer: OmnichannelCustomer | str, order: Order) -> list[int]:
    """The profiles of the one person who bought: the order, and their address, belong to it and to nobody else."""
    assert order.customer is not None, "nobody knows whose order it is"
    bought = order.customer.merged_into_id or order.customer.pk
    if isinstance(customer, str):
        known = CustomerIdentity.objects.filter(kind=CustomerIdentity.Kind.EMAIL, value=customer.lower())
        owners = list(known.values_list("customer", flat=True))
        assert owners, f"nobody is known by {customer}"
    else:
        owners = [customer.pk]
    profiles = OmnichannelCustomer.objects.filter(pk__in=owners)
    one = {merged_into or pk for pk, merged_into in profiles.values_list("pk", "merged_into_id")}
    assert one == {bought}, f"the order is of customer {bought}, {customer} is {sorted(one)}"
    return persons.members(bought)


def _check_journey(order: Order, profiles: list[int]) -> None:
    found = CrossChannelJourney.objects.filter(order=order)
    assert len(found) == 1, f"{len(found)} journeys led to the order, not one"
    (journey,) = found
    assert (journey.intent, journey.state, journey.outcome) == ("purchase", "completed", ORDERED)
    assert journey.customer_id in profiles
    left = CrossChannelJourney.objects.filter(customer__in=profiles, intent="purchase", state="open")
    assert not left.exists(), "a journey of purchase is open still"


def _check_figures(after: Books, before: Books, order: Order) -> None:
    units = sum(line.quantity for line in order.lines.filter(kind="goods"))
    assert after.orders_today - before.orders_today == 1
    assert after.units_today - before.units_today == units
    assert after.revenue_today - before.revenue_today == _revenue(order)


def _revenue(order: Order) -> Decimal:
    """Goods after discount, without tax and shipping. What rounding the order's tax leaves is theirs."""
    goods: Decimal = order.goods - order.discount
    of_services = sum((line.tax for line in order.lines.exclude(kind__in=("goods", "discount"))), Decimal(0))
    return goods - (order.tax - of_services) if order.tax_included else goods
