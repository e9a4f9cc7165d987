"""A small market to test in: channels, shelves, goods, and the laws that must hold whatever happens there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, connections
from django.db.models import Sum

from finalmarket.catalog.models import BundleComponent, Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Payment, Refund, Return
from finalmarket.orders.states import order_state
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockItem, StockLocation, StockMovement

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


def broken_laws() -> list[str]:
    """What is wrong with the books of the whole market: stock, units and money; empty when all agree."""
    return [*map(str, differences()), *_unit_laws(), *_return_laws(), *_money_laws()]


def _unit_laws() -> list[str]:
    """Per order: what left the shelf is what the lines say was fulfilled; what came back is what was restocked; what
    is promised is what is still open and there."""
    wrong = []
    for order in Order.objects.prefetch_related("lines__promises", "fulfilments__lines"):
        lines = [one for one in order.lines.all() if one.kind == "goods"]
        left = StockMovement.objects.filter(kind="fulfil", reference=f"order:{order.pk}")
        shipped = sum(
            part.quantity for parcel in order.fulfilments.all() if parcel.state in ("shipped", "delivered")
            for part in parcel.lines.all()
        )  # fmt: skip
        if -(left.aggregate(units=Sum("on_hand_delta"))["units"] or 0) != shipped:
            wrong.append(f"{order}: the ledger and the parcels disagree about what left")
        expected = Order.State.CANCELLED if order.cancelled_at else order_state(lines)
        if order.state != expected:
            wrong.append(f"{order}: is {order.state}, its lines say {expected}")
        wrong += _line_laws(order, lines)
    return wrong


def _line_laws(order: Order, lines: list[OrderLine]) -> list[str]:
    wrong = []
    with connection.cursor() as cursor:
        for one in lines:
            open_units = one.quantity - one.cancelled_quantity - one.fulfilled_quantity
            cursor.execute(
                """SELECT promise.variant_id, promise.per_unit, coalesce(sum(held.quantity), 0), coalesce(sum(held.short), 0)
                   FROM order_promises promise JOIN reservation_line held
                        ON held.reservation_id = promise.reservation_id AND held.line = promise.line
                        AND held.variant_id = promise.variant_id AND held.state = 'confirmed'
                   WHERE promise.order_line_id = %s GROUP BY 1, 2""",
                [one.pk],
            )
            for variant_id, per_unit, held, short in cursor.fetchall():
                travelling = sum(
                    part.quantity for parcel in order.fulfilments.all() if parcel.state in ("shipped", "delivered")
                    for part in parcel.lines.all() if (part.order_line_id, part.variant_id) == (one.pk, variant_id)
                )  # fmt: skip
                needed = (one.quantity - one.cancelled_quantity) * per_unit - travelling
                if held + short != needed:
                    wrong.append(f"{order} {one}: {needed} needed, {held} promised and {short} short")
            if open_units < 0:
                wrong.append(f"{order} {one}: {open_units} units open")
            packed = sum(
                part.quantity for parcel in order.fulfilments.all() if parcel.state == "pending"
                for part in parcel.lines.all() if part.order_line_id == one.pk and part.variant_id == one.variant_id
            )  # fmt: skip
            if packed > open_units:
                wrong.append(f"{order} {one}: {packed} units wait in parcels, {open_units} are open")
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
    for one in OrderLine.objects.filter(kind="goods"):
        received = one.return_lines.filter(return_record__state="received").aggregate(units=Sum("quantity"))["units"]
        if one.returned_quantity != (received or 0) or one.returned_quantity > one.fulfilled_quantity:
            wrong.append(f"{one}: {one.returned_quantity} returned, {received} received, {one.fulfilled_quantity} left")
    return wrong


def _money_laws() -> list[str]:
    wrong = []
    for order in Order.objects.all():
        given_back = Refund.objects.filter(order=order).aggregate(whole=Sum("amount"))["whole"] or Decimal(0)
        paid = Payment.objects.filter(order=order, state="captured")
        came_in = paid.aggregate(whole=Sum("amount"))["whole"] or Decimal(0)
        on_payments = paid.aggregate(whole=Sum("refunded"))["whole"] or Decimal(0)
        if not order.refunded == given_back == on_payments:
            wrong.append(f"{order}: refunded {order.refunded}, refunds {given_back}, on payments {on_payments}")
        if given_back > came_in:
            wrong.append(f"{order}: {given_back} given back, {came_in} came in")
        if order.state == Order.State.CANCELLED and came_in != given_back:
            wrong.append(f"{order}: cancelled, and {came_in - given_back} were kept")
    return wrong
