"""Parcels on their way: shipped, delivered, handed over, or rejected by the location that should have shipped them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.history import follow, locked, note, unit_words, write_units
from finalmarket.orders.known import Known
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order
from finalmarket.orders.parcels import pack, settle
from finalmarket.orders.promises import lock_stock
from finalmarket.orders.standing import Standing
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem

MOST_URL_LETTERS = 500
NOT_THERE = ("not_found", "damaged")
REJECTIONS = {
    "not_found": "not found on the shelf",
    "damaged": "found damaged",
    "closed": "the location is closed",
    "too_busy": "the location cannot pick it in time",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """How a parcel goes on its way; `at` is when it left (None: now)."""

    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    at: datetime | None = None


@transaction.atomic
def ship(
    fulfilment_id: int, *, actor: str, carrier: str = "", tracking_number: str = "", tracking_url: str = "",
    quantities: Mapping[int, int] | None = None, at: datetime | None = None,
) -> Fulfilment:  # fmt: skip
    """Send a parcel: its units leave the stock of its location, the order's state follows.

    `quantities` (units by fulfilment line id) sends a part; the rest waits in a new parcel at the same location. A
    parcel that was sent already is returned as it is. Raises UserError for one that was rejected or cancelled, and
    when fewer units are promised there than it holds.
    """
    parcel, order = _locked_parcel(fulfilment_id)
    if parcel.state in (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED):
        return parcel
    _refuse_unless_pending(parcel, "shipped")
    sent = _as_labelled(parcel, Sent(carrier, tracking_number, tracking_url, at))
    send(Known(order), parcel.pk, sent, quantities, actor=actor)
    return Fulfilment.objects.select_related("location").get(pk=parcel.pk)


@transaction.atomic
def label(fulfilment_id: int, *, actor: str, carrier: str, tracking_number: str, tracking_url: str = "") -> Fulfilment:
    """Note how a waiting parcel will travel: its label is there. With "" for all three it has none any more.

    Raises UserError for a parcel that does not wait.
    """
    parcel, order = _locked_parcel(fulfilment_id)
    _refuse_unless_pending(parcel, "labelled")
    parcel.carrier, parcel.tracking_number = carrier[:60], tracking_number[:100]
    parcel.tracking_url = tracking_url if len(tracking_url) <= MOST_URL_LETTERS else ""
    parcel.save(update_fields=["carrier", "tracking_number", "tracking_url"])
    words = f"will travel by {parcel.carrier} {parcel.tracking_number}" if tracking_number else "has no label any more"
    note(order, "updated", f"parcel {parcel.pk} {words}", actor=actor)
    return parcel


def _as_labelled(parcel: Fulfilment, sent: Sent) -> Sent:
    """How a parcel goes on its way: as is said now and, where nothing else is said, as its label says."""
    if sent.tracking_number not in ("", parcel.tracking_number):
        return sent
    return Sent(
        sent.carrier or parcel.carrier, parcel.tracking_number, sent.tracking_url or parcel.tracking_url, sent.at
    )


def send(known: Known, parcel_id: int, sent: Sent, quantities: Mapping[int, int] | None = None, *, actor: str) -> None:
    """`ship` a waiting parcel of an order that the caller has locked and knows."""
    order, standing = known.order, known.standing
    lock_stock(order)
    _split(standing, parcel_id, quantities)
    units, place = _let_go(standing, parcel_id, Fulfilment.State.SHIPPED, sent, actor)
    words = f"{unit_words(units)} from {place}"
    if sent.carrier:
        words = f"{words} by {sent.carrier} {sent.tracking_number}".strip()
    note(order, "shipped", words, actor=actor)
    settle(standing, actor=actor, reason="shipped")
    follow(order, lines=known.lines, payments=known.payments)


@transaction.atomic
def deliver(fulfilment_id: int, *, actor: str, at: datetime | None = None) -> Fulfilment:
    """Note that a shipped parcel arrived; one that arrived already is returned as it is."""
    parcel, order = _locked_parcel(fulfilment_id)
    if parcel.state == Fulfilment.State.DELIVERED:
        return parcel
    if parcel.state != Fulfilment.State.SHIPPED:
        raise UserError(f"parcel {parcel.pk} is {parcel.state} and cannot be delivered; ship it first")
    parcel.state, parcel.delivered_at = Fulfilment.State.DELIVERED, at or clock.now()
    parcel.save()
    note(order, "delivered", f"parcel {parcel.pk}", actor=actor)
    return parcel


@transaction.atomic
def reject(fulfilment_id: int, *, reason: str, actor: str, missing: Mapping[int, int] | None = None) -> Fulfilment:
    """A location says that it will not ship a parcel; the units are routed to another one, or wait as unrouted.

    `reason` is one of REJECTIONS. For "not_found" and "damaged" the stock there is corrected: `missing` units by
    variant id, by default all units of the parcel. Raises UserError for another reason, for more missing units than
    are on hand there, and for a parcel that is not waiting. A rejected parcel is returned as it is.
    """
    if reason not in REJECTIONS:
        raise UserError(f"{reason!r} is no reason to reject a parcel; use one of {', '.join(REJECTIONS)}")
    parcel, order = _locked_parcel(fulfilment_id)
    if parcel.state == Fulfilment.State.REJECTED:
        return parcel
    _refuse_unless_pending(parcel, "rejected")
    lock_stock(order)
    lost = _missing(parcel, reason, missing)
    parcel.state = Fulfilment.State.REJECTED
    parcel.reason = f"rejected: {REJECTIONS[reason]}; it was {parcel.reason}"[:300]
    parcel.save()
    note(order, "rejected", f"{parcel.location.name}: {REJECTIONS[reason]}", actor=actor)
    standing = Standing(order)
    unrouted = pack(standing, actor=actor, avoid=[parcel.location_id])
    for variant_id, units in sorted(lost.items()):
        ledger.adjust(
            variant_id, parcel.location_id, -units, reason=REJECTIONS[reason], actor=actor,
            reference=f"order:{order.pk}",
        )  # fmt: skip
    standing.forget()
    settle(standing, actor=actor, reason=REJECTIONS[reason])
    if lost:  # what the correction took from this very order is short now, and no longer unrouted
        unrouted = pack(standing, actor=actor, avoid=[parcel.location_id])
    follow(order, unrouted=unrouted)
    return parcel


def hand_over(standing: Standing, *, actor: str) -> None:
    """Let every waiting parcel of the order leave and arrive at once: goods that the customer took along.

    The caller holds the order's row and the pools, and calls `follow` afterwards.
    """
    for parcel_id in sorted({packed.parcel_id for packed in standing.waiting}):
        units, place = _let_go(standing, parcel_id, Fulfilment.State.DELIVERED, Sent(), actor)
        note(standing.order, "delivered", f"{unit_words(units)} handed over at {place}", actor=actor)


def _locked_parcel(fulfilment_id: int) -> tuple[Fulfilment, Order]:
    found = Fulfilment.objects.filter(pk=fulfilment_id).values_list("order_id", flat=True).first()
    if found is None:
        raise UserError(f"there is no parcel with id {fulfilment_id}")
    order = locked(found)
    return Fulfilment.objects.select_related("location").get(pk=fulfilment_id), order


def _refuse_unless_pending(parcel: Fulfilment, done: str) -> None:
    if parcel.state != Fulfilment.State.PENDING:
        raise UserError(f"parcel {parcel.pk} is {parcel.state} and cannot be {done}")


def _split(standing: Standing, parcel_id: int, quantities: Mapping[int, int] | None) -> None:
    """Keep so many units per line in the parcel and put the rest into a new one at the same location."""
    if quantities is None:
        return
    lines = [packed for packed in standing.waiting if packed.parcel_id == parcel_id]
    unknown = set(quantities) - {line.id for line in lines}
    if unknown:
        raise UserError(f"parcel {parcel_id} has no line {min(unknown)}")
    for line in lines:
        if not 0 <= quantities.get(line.id, 0) <= line.quantity:
            sku = Variant.objects.values_list("sku", flat=True).get(pk=line.need[1])
            raise UserError(f"parcel {parcel_id} holds {unit_words(line.quantity)} of {sku}, not {quantities[line.id]}")
    if not any(quantities.values()):
        raise UserError(f"parcel {parcel_id}: say which units leave")
    if all(quantities.get(line.id, 0) == line.quantity for line in lines):
        return
    # The pending parcel of a place is found by order, place and state: this one leaves, so the rest gets its own.
    waiting = Fulfilment.objects.create(
        order=standing.order, location_id=lines[0].location_id, reason=f"the rest of parcel {parcel_id}"
    )
    for line in lines:
        units = line.quantity - quantities.get(line.id, 0)
        if units == line.quantity:
            FulfilmentLine.objects.filter(pk=line.id).update(fulfilment=waiting)
        elif units:
            FulfilmentLine.objects.create(
                fulfilment=waiting, order_line_id=line.need[0], variant_id=line.need[1], quantity=units
            )
            FulfilmentLine.objects.filter(pk=line.id).update(quantity=line.quantity - units)
    standing.forget_parcels()


def _let_go(standing: Standing, parcel_id: int, state: Fulfilment.State, sent: Sent, actor: str) -> tuple[int, str]:
    """Take the parcel's units off the shelf and off their promises; return them, and the name of the location."""
    packed = [one for one in standing.waiting if one.parcel_id == parcel_id]
    if not packed:
        raise UserError(f"parcel {parcel_id} is empty")
    closing: list[tuple[int, int, int]] = []
    missing = {one.need: one.quantity for one in packed}
    for promise in standing.promises:
        units = min(promise.quantity, missing.get(promise.need, 0))
        if units and promise.location_id == packed[0].location_id and not promise.is_backorder:
            missing[promise.need] -= units
            closing.append((promise.reservation_id, promise.position, units))
    lacking = sum(missing.values())
    reference = f"order:{standing.order.pk}"
    ended = 0 if lacking else sum(ledger.close("fulfil", closing, actor=actor, reference=reference))
    if ended != sum(one.quantity for one in packed):
        raise UserError(
            f"parcel {parcel_id}: {lacking} of its units are not promised at {packed[0].location_name} any more; "
            "look at the order again, then ship what is there"
        )
    standing.let_leave(closing, parcel_id)
    _write_sent(parcel_id, state, sent)
    _count_fulfilled(standing)
    return ended, packed[0].location_name


def _write_sent(parcel_id: int, state: Fulfilment.State, sent: Sent) -> None:
    at = sent.at or clock.now()
    way = {
        "carrier": sent.carrier[:60], "tracking_number": sent.tracking_number[:100],
        "tracking_url": sent.tracking_url[:MOST_URL_LETTERS],
    }  # fmt: skip
    Fulfilment.objects.filter(pk=parcel_id).update(
        state=state, shipped_at=at, delivered_at=at if state == Fulfilment.State.DELIVERED else None,
        **(way if any(way.values()) else {}),
    )  # fmt: skip


def _count_fulfilled(standing: Standing) -> None:
    """Write how many units of each line have left; a unit of a bundle has left when all of its parts have."""
    known, left = standing.contents, standing.left
    changed = []
    for line in standing.lines:
        parts = known.get(line.pk, {})
        if not any((line.pk, variant_id) in left for variant_id in parts):
            continue
        units = min(left.get((line.pk, variant_id), 0) // per_unit for variant_id, per_unit in parts.items())
        if units != line.fulfilled_quantity:
            line.fulfilled_quantity = units
            changed.append(line)
    if changed:
        write_units(changed, "fulfilled_quantity")


def _missing(parcel: Fulfilment, reason: str, given: Mapping[int, int] | None) -> dict[int, int]:
    """Return the units that are to be taken off the books there, by variant; never more than are on hand."""
    held: dict[int, int] = defaultdict(int)
    for line in parcel.lines.all():
        held[line.variant_id] += line.quantity
    if reason not in NOT_THERE:
        if given:
            raise UserError(f"missing units go with {' or '.join(NOT_THERE)}, not with {reason}")
        return {}
    lost = dict(held if given is None else given)
    if not set(lost) <= set(held):
        raise UserError(f"parcel {parcel.pk} does not hold variant {min(set(lost) - set(held))}")
    return _on_hand_at(parcel, lost, strict=given is not None)


def _on_hand_at(parcel: Fulfilment, lost: Mapping[int, int], *, strict: bool) -> dict[int, int]:
    rows = StockItem.objects.filter(location_id=parcel.location_id, variant__in=lost)
    there = dict(rows.values_list("variant_id", "on_hand"))
    for variant_id, units in lost.items():
        if strict and not 0 <= units <= there.get(variant_id, 0):
            raise UserError(f"{units} units cannot be missing: {there.get(variant_id, 0)} are on hand there")
    return {
        variant_id: min(units, there[variant_id])
        for variant_id, units in lost.items()
        if there.get(variant_id) and units
    }


def pending_parcels(order_ids: Sequence[int]) -> list[Fulfilment]:
    """Return the parcels of these orders that wait to be picked, with their lines; two queries."""
    rows = Fulfilment.objects.filter(order__in=order_ids, state=Fulfilment.State.PENDING)
    return list(rows.select_related("location").prefetch_related("lines__variant").order_by("id"))
