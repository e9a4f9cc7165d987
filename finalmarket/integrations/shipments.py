"""Parcels that left without us (the platform's own warehouse, a till): our books follow, unit by unit.

The platform's parcels are counted against what has left here: a parcel that we told it of comes back as an echo and
changes nothing, whatever id it got there. So the same news may come any number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from finalmarket.connectors.records import FulfilmentRecord, OrderRecord
from finalmarket.integrations.intake_map import parcel_lines
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.history import add_problem, follow, goods_of, locked
from finalmarket.orders.models import Fulfilment, Order, OrderLine
from finalmarket.orders.parcels import pack_where_promised
from finalmarket.orders.promises import Need, Standing, contents, lock_stock
from finalmarket.stock import ledger

LocationOf = Callable[[str], "int | None"]


@dataclass(frozen=True, slots=True)
class Left:
    """Units by order line that left in one parcel of the platform's and are not counted here yet."""

    parcel: FulfilmentRecord
    units: Mapping[int, int]


def follow_parcels(order_id: int, record: OrderRecord, location_of: LocationOf, *, actor: str) -> bool:
    """Let leave what has left according to the platform, and return whether anything did.

    What our stock does not have cannot leave it: the order then has a problem that says so.
    """
    if not record.fulfilments and not record.handed_over:
        return False
    order = locked(order_id)
    if order.state in (Order.State.CANCELLED, Order.State.FULFILLED):
        return False
    lines = goods_of(order)
    parcels = record.fulfilments or (FulfilmentRecord(external_id="", location=record.location),)
    moved = False
    for left in _not_counted(record, parcels, lines):
        moved = _let_leave(order.pk, left, location_of(left.parcel.location), record.handed_over, actor) or moved
    return moved


def _not_counted(record: OrderRecord, parcels: tuple[FulfilmentRecord, ...], lines: list[OrderLine]) -> list[Left]:
    by_name = {line.external_id: line for line in lines if line.external_id}
    counted = {line.pk: line.fulfilled_quantity for line in lines}
    possible = {line.pk: line.quantity - line.cancelled_quantity - line.fulfilled_quantity for line in lines}
    found = []
    for parcel in parcels:
        units: dict[int, int] = {}
        for name, quantity in parcel_lines(record, parcel):
            line = by_name.get(name)
            if line is None:
                continue
            echo = min(quantity, counted[line.pk])
            counted[line.pk] -= echo
            new = min(quantity - echo, possible[line.pk])
            possible[line.pk] -= new
            if new > 0:
                units[line.pk] = units.get(line.pk, 0) + new
        if units:
            found.append(Left(parcel, units))
    return found


def _let_leave(order_id: int, left: Left, location_id: int | None, handed_over: bool, actor: str) -> bool:
    order = locked(order_id)
    lock_stock(order)
    standing = Standing(order)
    known = contents(standing.lines)
    needs: dict[Need, int] = {
        (line_id, variant_id): units * per_unit
        for line_id, units in left.units.items()
        for variant_id, per_unit in known.get(line_id, {}).items()
    }
    if location_id is not None:
        _bring_to(standing, needs, location_id, actor)
    pack_where_promised(standing, reason="shipped by the platform", actor=actor)
    missing = dict(needs)
    shipped = [parcel for parcel in _pending(order, location_id) if _ship(parcel, missing, left.parcel, actor)]
    if handed_over:
        for parcel in shipped:
            fulfilment.deliver(parcel.pk, actor=actor)
    if any(missing.values()):
        _complain(order.pk, standing, missing)
    return bool(shipped)


def _bring_to(standing: Standing, needs: Mapping[Need, int], location_id: int, actor: str) -> None:
    """Promise there what left there, as far as it is free."""
    there: dict[Need, int] = defaultdict(int)
    for promise in standing.promises:
        if promise.location_id == location_id and not promise.is_backorder:
            there[promise.need] += promise.quantity
    lacking = {need: units - there[need] for need, units in needs.items() if units > there[need]}
    for promise in standing.promises:
        wanted = min(promise.quantity, lacking.get(promise.need, 0))
        if wanted <= 0 or promise.is_backorder or promise.location_id in (None, location_id):
            continue
        lacking[promise.need] -= ledger.move_promise(
            promise.reservation_id, promise.position, location_id, wanted, actor=actor, reason="shipped by the platform"
        )
    standing.forget()


def _pending(order: Order, location_id: int | None) -> list[Fulfilment]:
    """Parcels that wait here, those at the platform's own location first."""
    waiting = Fulfilment.objects.filter(order=order, state=Fulfilment.State.PENDING).prefetch_related("lines")
    return sorted(waiting, key=lambda parcel: (parcel.location_id != location_id, parcel.pk))


def _ship(parcel: Fulfilment, missing: dict[Need, int], told: FulfilmentRecord, actor: str) -> bool:
    """Let those units of a waiting parcel leave that are still missing."""
    quantities = {}
    for line in parcel.lines.all():
        need = (line.order_line_id, line.variant_id)
        units = min(line.quantity, missing.get(need, 0))
        if units:
            quantities[line.pk] = units
    if not quantities:
        return False
    try:
        fulfilment.ship(
            parcel.pk, actor=actor, carrier=told.carrier, tracking_number=told.tracking_number,
            tracking_url=told.tracking_url, quantities=quantities, at=_moment(told.shipped_at),
        )  # fmt: skip
    except UserError:
        return False  # its units are not promised there any more: they stay missing, and the order says so
    for line in parcel.lines.all():
        missing[line.order_line_id, line.variant_id] = missing.get(
            (line.order_line_id, line.variant_id), 0
        ) - quantities.get(line.pk, 0)
    return True


def _moment(shipped_at: datetime | None) -> datetime:
    return shipped_at or clock.now()


def _complain(order_id: int, standing: Standing, missing: Mapping[Need, int]) -> None:
    skus = {line.pk: line.sku for line in standing.lines}
    names = sorted({skus.get(line_id, "?") for (line_id, _), units in missing.items() if units > 0})
    order = locked(order_id)
    add_problem(order, f"the platform shipped what is not in stock here: {', '.join(names)}")
    order.save(update_fields=["problem", "updated_at"])
    follow(order)
