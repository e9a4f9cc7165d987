"""A small market to test in: channels, shelves, goods, and the laws that must hold whatever happens there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, connections
from django.db.models import Q, Sum

from finalmarket.catalog.models import BundleComponent, Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import waiting_orders
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Payment, Refund, Return
from finalmarket.orders.states import order_state
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockItem, StockLocation, StockMovement
from tests.patience import until
from tests.stock.blocked import waiting

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Result = TypeVar("Result")


@dataclass
class Market:
    """Two of our own doors, a marketplace and a till; a warehouse and two stores."""

    web: SalesChannel
    bazaar: SalesChannel
    till: SalesChannel
    warehouse: StockLocation
    north: StockLocation
    south: StockLocation
    product: Product
    variants: dict[str, Variant] = field(default_factory=dict)

    def goods(self, sku: str, *, price: str = "10.00", **on_hand: int) -> Variant:
        """A variant with a price in euro and so many units at the named locations."""
        variant = Variant.objects.create(product=self.product, sku=sku)
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal(price))
        self.variants[sku] = variant
        for place, units in on_hand.items():
            self.receive(variant, units, getattr(self, place))
        return variant

    def bundle(self, sku: str, **parts: int) -> Variant:
        """A bundle of so many units of each named SKU."""
        bundle = self.goods(sku)
        for part, quantity in parts.items():
            BundleComponent.objects.create(bundle=bundle, component=self.variants[part], quantity=quantity)
        return bundle

    def receive(self, variant: Variant, units: int, place: StockLocation) -> None:
        """Goods arrive."""
        ledger.receive([ledger.Receipt(variant.pk, place.pk, units)], actor="test")


def open_market() -> Market:
    """Set the market up."""
    channel = SalesChannel.objects.create
    place = StockLocation.objects.create
    return Market(
        web=channel(name="Web shop", channel_type="web", country="DE", configuration={"order_prefix": "W-"}),
        bazaar=channel(name="Grand Bazaar", channel_type="marketplace", country="DE"),
        till=channel(name="Till North", channel_type="store", country="DE"),
        warehouse=place(code="warehouse", name="Warehouse", priority=1, latitude=50.1, longitude=8.7, country="DE"),
        north=place(code="north", name="North store", kind="store", priority=2, latitude=53.6, longitude=10.0),
        south=place(code="south", name="South store", kind="store", priority=3, latitude=48.1, longitude=11.6),
        product=Product.objects.create(title="Things", slug="things"),
    )


def draft(channel: SalesChannel, external_id: str, *lines: LineDraft, **given: Any) -> OrderDraft:
    """An order in euro, paid by card in full unless told otherwise."""
    given.setdefault("tenders", (TenderDraft("card", sum_of(lines)),) if sum_of(lines) else ())
    return OrderDraft(
        channel_id=channel.pk, external_id=external_id, currency="EUR", placed_at=NOON, lines=lines, **given
    )


def line(sku: str, quantity: int = 1, price: str = "10.00", **given: Any) -> LineDraft:
    """A line of goods."""
    return LineDraft(sku=sku, quantity=quantity, unit_price=Decimal(price), **given)


def sum_of(lines: tuple[LineDraft, ...]) -> Decimal:
    return sum((one.quantity * one.unit_price - one.discount for one in lines), Decimal(0))


def at(variant: Variant, place: StockLocation) -> tuple[int, int]:
    """What is on hand and what is promised at a location."""
    item = StockItem.objects.filter(variant=variant, location=place).first()
    return (item.on_hand, item.allocated) if item else (0, 0)


def on_hand(variant: Variant) -> int:
    """What is on hand everywhere."""
    return StockItem.objects.filter(variant=variant).aggregate(units=Sum("on_hand"))["units"] or 0


def promised(variant: Variant) -> int:
    """What is promised everywhere."""
    return StockItem.objects.filter(variant=variant).aggregate(units=Sum("allocated"))["units"] or 0


def parcels(order: Order) -> list[Fulfilment]:
    """The parcels that wait to be picked, oldest first."""
    return list(order.fulfilments.filter(state="pending").order_by("id"))


def goods_line(order: Order, position: int = 1) -> OrderLine:
    """A line of the order, as it stands in the database."""
    return OrderLine.objects.get(order=order, position=position)


def together(work: Callable[[int], Result], workers: int) -> list[Result | BaseException]:
    """Let so many threads start the same work at the same moment; what they raise is returned."""
    gate = threading.Barrier(workers)

    def begin(number: int) -> Result | BaseException:
        try:
            gate.wait(timeout=30)
            return work(number)
        except BaseException as error:  # handed to the test, which says what it expects
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(begin, range(workers)))


@contextmanager
def somebody_else() -> Iterator[Callable[[Callable[[], Result]], Future[Result]]]:
    """Somebody who works beside us: what they are given is begun, and they stand before a lock of ours."""

    def alone(work: Callable[[], Result]) -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    def begin(work: Callable[[], Result]) -> Future[Result]:
        begun = pool.submit(alone, work)
        until(waiting, "they wait for us")
        return begun

    with ThreadPoolExecutor(1) as pool:
        yield begin


def broken_laws() -> list[str]:
    """What is wrong with the books of the whole market: stock, units and money; empty when all agree."""
    return [*map(str, differences()), *_unit_laws(), *_return_laws(), *_money_laws()]


LINE_LAWS = """
    WITH part AS (  -- what an order line consists of
        SELECT order_line_id AS line_id, variant_id, max(per_unit) AS each FROM order_promises GROUP BY 1, 2
    ), held AS (
        SELECT promise.order_line_id AS line_id, promise.variant_id, sum(held.quantity) AS promised,
               sum(held.short) AS short
        FROM order_promises promise JOIN reservation_line held ON held.reservation_id = promise.reservation_id
             AND held.line = promise.line AND held.variant_id = promise.variant_id AND held.state = 'confirmed'
        GROUP BY 1, 2
    ), packed AS (
        SELECT packed.order_line_id AS line_id, packed.variant_id,
               sum(packed.quantity) FILTER (WHERE parcel.state IN ('shipped', 'delivered')) AS gone,
               sum(packed.quantity) FILTER (WHERE parcel.state = 'pending') AS waiting
        FROM fulfilment_lines packed JOIN fulfilments parcel ON parcel.id = packed.fulfilment_id GROUP BY 1, 2
    )
    SELECT line.id, part.variant_id,
           (line.quantity - line.cancelled_quantity) * part.each - coalesce(gone, 0) AS needed,
           coalesce(promised, 0), coalesce(short, 0), coalesce(waiting, 0)
    FROM order_lines line JOIN part ON part.line_id = line.id
    LEFT JOIN held ON held.line_id = line.id AND held.variant_id = part.variant_id
    LEFT JOIN packed ON packed.line_id = line.id AND packed.variant_id = part.variant_id
    WHERE (line.quantity - line.cancelled_quantity) * part.each - coalesce(gone, 0)
              <> coalesce(promised, 0) + coalesce(short, 0)
       OR coalesce(waiting, 0) > coalesce(promised, 0) AND line.order_id <> ALL (%s)
       OR line.quantity < line.cancelled_quantity + line.fulfilled_quantity"""

LEFT_LAWS = """
    WITH gone AS (
        SELECT 'order:' || parcel.order_id AS reference, sum(packed.quantity) AS units
        FROM fulfilments parcel JOIN fulfilment_lines packed ON packed.fulfilment_id = parcel.id
        WHERE parcel.state IN ('shipped', 'delivered') GROUP BY 1
    ), booked AS (
        SELECT reference, -sum(on_hand_delta) AS units FROM stock_movement WHERE kind = 'fulfil' GROUP BY 1
    )
    SELECT coalesce(gone.reference, booked.reference), gone.units, booked.units
    FROM gone FULL JOIN booked ON booked.reference = gone.reference WHERE gone.units IS DISTINCT FROM booked.units"""


def _unit_laws() -> list[str]:
    """What left the shelf is what the parcels say; what a line still needs is what is promised or short for it; no more
    than that waits in parcels, unless the order is known to be out of step; its state is what its lines say."""
    wrong = []
    with connection.cursor() as cursor:
        cursor.execute(LINE_LAWS, [waiting_orders(limit=1000)])
        for number, variant, needed, held, short, waiting in cursor.fetchall():
            wrong.append(
                f"line {number}, variant {variant}: {needed} needed, {held} promised, {short} short, {waiting} packed"
            )
        cursor.execute(LEFT_LAWS)
        for reference, gone, booked in cursor.fetchall():
            wrong.append(f"{reference}: {gone} units in parcels that left, {booked} in the ledger")
    for order in Order.objects.prefetch_related("lines"):
        expected = Order.State.CANCELLED if order.cancelled_at else order_state(order.lines.all())
        if order.state != expected:
            wrong.append(f"{order}: is {order.state}, its lines say {expected}")
    return wrong


def _return_laws() -> list[str]:
    """What came back to the shelf is what the returns say, and no line got back more than had left."""
    wrong = []
    for record in Return.objects.prefetch_related("lines__order_line__promises"):
        back = StockMovement.objects.filter(kind="return", reference=f"return:{record.pk}")
        units = back.aggregate(units=Sum("on_hand_delta"))["units"] or 0
        restocked = [row for row in record.lines.all() if row.disposition == "restock" and row.order_line is not None]
        expected = sum(
            row.quantity * promise.per_unit
            for row in restocked if record.state == "received" and row.order_line is not None
            for promise in {one.variant_id: one for one in row.order_line.promises.all()}.values()
        )  # fmt: skip
        if units != expected:
            wrong.append(f"{record}: {units} units went back on the shelf, {expected} were to")
    received = Sum("return_lines__quantity", filter=Q(return_lines__return_record__state="received"), default=0)
    for one in OrderLine.objects.filter(kind="goods").annotate(received=received):
        if one.returned_quantity != one.received or one.returned_quantity > one.fulfilled_quantity:
            wrong.append(
                f"{one}: {one.returned_quantity} returned, {one.received} received, {one.fulfilled_quantity} left"
            )
    return wrong


def _money_laws() -> list[str]:
    """What was given back is the same on the order, its refunds and its payments, never more than came in, and all of
    it where the order was cancelled."""
    wrong = []
    given = dict(Refund.objects.values_list("order").annotate(whole=Sum("amount")))
    paid = Payment.objects.filter(state="captured").values("order").annotate(paid=Sum("amount"), back=Sum("refunded"))
    money = {row["order"]: (row["paid"], row["back"]) for row in paid}
    for order in Order.objects.all():
        came_in, on_payments = money.get(order.pk, (Decimal(0), Decimal(0)))
        given_back = given.get(order.pk, Decimal(0))
        if not order.refunded == given_back == on_payments:
            wrong.append(f"{order}: refunded {order.refunded}, refunds {given_back}, on payments {on_payments}")
        if given_back > came_in:
            wrong.append(f"{order}: {given_back} given back, {came_in} came in")
        if order.state == Order.State.CANCELLED and came_in != given_back:
            wrong.append(f"{order}: cancelled, and {came_in - given_back} were kept")
    return wrong
