"""Parcels that left without us (the platform's own warehouse, a till): our books follow, unit by unit.

The platform's parcels are counted against what has left here: a parcel that we told it of comes back as an echo and
changes nothing, whatever id it got there. So the same news may come any number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction

from finalmarket.connectors.records import FulfilmentRecord, OrderRecord
from finalmarket.integrations.intake_map import parcel_lines
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.history import add_problem, follow
from finalmarket.orders.known import Known
from finalmarket.orders.models import Order, OrderLine
from finalmarket.orders.parcels import pack_where_promised
from finalmarket.orders.promises import lock_stock
from finalmarket.orders.standing import Need, Standing
from finalmarket.stock import ledger

LocationOf = Callable[[str], "int | None"]


@dataclass(frozen=True, slots=True)
class Left:
    """Units by order line that left in one parcel of the platform's and are not counted here yet."""

    parcel: FulfilmentRecord
    units: Mapping[int, int]


def follow_parcels(known: Known, record: OrderRecord, location_of: LocationOf, *, actor: str) -> bool:
    """Let leave what has left according to the platform, and return whether anything did. The caller has locked the
    order.

    What our stock does not have cannot leave it: the order then has a problem that says so.
    """
    if not record.fulfilments and not record.handed_over:
        return False
    if known.order.state in (Order.State.CANCELLED, Order.State.FULFILLED):
        return False
    parcels = record.fulfilments or (FulfilmentRecord(external_id="", location=record.location),)
    moved = False
    for left in _not_counted(record, parcels, known.goods):
        moved = _let_leave(known, left, location_of(left.parcel.location), record.handed_over, actor) or moved
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


def _let_leave(known: Known, left: Left, location_id: int | None, handed_over: bool, actor: str) -> bool:
    lock_stock(known.order)
    standing, contents = known.standing, known.standing.contents
    needs: dict[Need, int] = {
        (line_id, variant_id): units * per_unit
        for line_id, units in left.units.items()
        for variant_id, per_unit in contents.get(line_id, {}).items()
    }
    if location_id is not None:
        _bring_to(standing, needs, location_id, actor)
    pack_where_promised(standing, reason="shipped by the platform", actor=actor)
    missing = dict(needs)
    shipped = [
        parcel_id
        for parcel_id in _waiting(standing, location_id)
        if _ship(known, parcel_id, missing, left.parcel, actor)
    ]
    if handed_over:
        for parcel_id in shipped:
            fulfilment.deliver(parcel_id, actor=actor)
    if any(missing.values()):
        _complain(known, missing)
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


def _waiting(standing: Standing, location_id: int | None) -> list[int]:
    """Parcels that wait here, those at the platform's own location first."""
    places = {packed.parcel_id: packed.location_id for packed in standing.waiting}
    return sorted(places, key=lambda parcel_id: (places[parcel_id] != location_id, parcel_id))


def _ship(known: Known, parcel_id: int, missing: dict[Need, int], told: FulfilmentRecord, actor: str) -> bool:
    """Let those units of a waiting parcel leave that are still missing."""
    quantities, leaving = {}, {}
    for packed in known.standing.waiting:
        units = min(packed.quantity, missing.get(packed.need, 0)) if packed.parcel_id == parcel_id else 0
        if units:
            quantities[packed.id] = leaving[packed.need] = units
    if not quantities:
        return False
    sent = fulfilment.Sent(told.carrier, told.tracking_number, told.tracking_url, told.shipped_at)
    try:
        with transaction.atomic():
            fulfilment.send(known, parcel_id, sent, quantities, actor=actor)
    except UserError:
        known.forget()
        return False  # its units are not promised there any more: they stay missing, and the order says so
    for need, units in leaving.items():
        missing[need] -= units
    return True


def _complain(known: Known, missing: Mapping[Need, int]) -> None:
    skus = {line.pk: line.sku for line in known.goods}
    names = sorted({skus.get(line_id, "?") for (line_id, _), units in missing.items() if units > 0})
    add_problem(known.order, f"the platform shipped what is not in stock here: {', '.join(names)}")
    follow(known.order, lines=known.lines, payments=known.payments)
