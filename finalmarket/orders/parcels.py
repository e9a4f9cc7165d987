"""From promises to parcels: the facts that routing needs, in one query, and what its plan does to stock and parcels.

The caller holds the order's row and the pools of its variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from finalmarket.orders.history import note
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine, PostcodePoint
from finalmarket.orders.promises import Need, Promise, Standing, count_short, cover, give_back
from finalmarket.orders.routing import POLICIES, Case, Parcel, Place, Policy, route
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem, StockLocation
from finalmarket.stock.reserve import Mode

At = tuple[Need, int]
"""Units of an order line's variant at a location."""


def destination_of(order: Order) -> tuple[float, float] | None:
    """Return where the order goes, in degrees: the address's own coordinates, else the operator's postcode table (the
    longest prefix counts), else None."""
    address: dict[str, Any] = order.shipping_address
    latitude, longitude = address.get("latitude"), address.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return (float(latitude), float(longitude))
    country = str(address.get("country", "")).upper()
    postcode = str(address.get("postcode", "")).upper().replace(" ", "")
    if not country:
        return None
    prefixes = [postcode[:length] for length in range(min(len(postcode), 20) + 1)]
    points = PostcodePoint.objects.filter(country=country, prefix__in=prefixes)
    point = max(points, key=lambda found: len(found.prefix), default=None)
    return (point.latitude, point.longitude) if point else None


def settle(
    standing: Standing, *, actor: str, reason: str, mode: Mode = Mode.SALE, location_id: int | None = None
) -> str:
    """Bring the promises of the order to what its lines need now: too much is given back, what is lacking promised.

    Returns "" or, for Mode.ALLOCATE, why it does not fit. With Mode.SALE what is not there waits as short.
    """
    if not standing.is_new:
        give_back(standing, actor=actor, reason=reason)
        trim(standing)  # whether or not something was given back: a count may have taken promises away before
    refusal = cover(standing, mode=mode, location_id=location_id, actor=actor)
    count_short(standing)
    return refusal


def unparcelled(standing: Standing) -> dict[At, int]:
    """Return the promised units that stand in no parcel yet, by location; below zero: a parcel holds more than that."""
    units: dict[At, int] = defaultdict(int)
    for promise in standing.promises:
        if promise.location_id is not None and not promise.is_backorder:
            units[promise.need, promise.location_id] += promise.quantity
    pending = FulfilmentLine.objects.filter(
        fulfilment__order=standing.order, fulfilment__state=Fulfilment.State.PENDING
    )
    rows = pending.values_list("order_line_id", "variant_id", "fulfilment__location_id", "quantity")
    for line_id, variant_id, location_id, quantity in rows:
        units[(line_id, variant_id), location_id] -= quantity
    return {key: count for key, count in units.items() if count}


def trim(standing: Standing) -> dict[At, int]:
    """Take out of pending parcels what is not promised there any more; a parcel that becomes empty is cancelled.

    Returns what is promised and stands in no parcel yet.
    """
    open_units = unparcelled(standing)
    excess = {key: -count for key, count in open_units.items() if count < 0}
    if excess:
        _take_out(standing.order, excess)
    return {key: count for key, count in open_units.items() if count > 0}


def _take_out(order: Order, excess: dict[At, int]) -> None:
    lines = FulfilmentLine.objects.filter(fulfilment__order=order, fulfilment__state=Fulfilment.State.PENDING)
    for line in lines.select_related("fulfilment").order_by("-id"):
        key = ((line.order_line_id, line.variant_id), line.fulfilment.location_id)
        units = min(line.quantity, excess.get(key, 0))
        if not units:
            continue
        excess[key] -= units
        if units == line.quantity:
            line.delete()
        else:
            line.quantity -= units
            line.save(update_fields=["quantity"])
    empty = Fulfilment.objects.filter(order=order, state=Fulfilment.State.PENDING, lines=None)
    empty.update(state=Fulfilment.State.CANCELLED, reason="nothing left to ship")


def pack(standing: Standing, *, actor: str, avoid: Iterable[int] = (), policies: Sequence[Policy] = POLICIES) -> str:
    """Route what is promised and in no parcel; move promises to where the plan wants them; write the parcels.

    Returns the units that could not be placed, in words ("" when all are). `avoid` are locations that said no.
    """
    waiting = trim(standing)
    if not waiting:
        return ""
    order = standing.order
    needs: dict[Need, int] = defaultdict(int)
    for (need, _), units in waiting.items():
        needs[need] += units
    refused = set(avoid)
    places = [place for place in load_places(order, waiting) if place.id not in refused]
    plan = route(Case(needs, tuple(places), destination_of(order)), policies)
    at_hand = waiting
    if _move(waiting, plan.parcels, standing.promises, actor):
        standing.forget()
        at_hand = {key: units for key, units in unparcelled(standing).items() if units > 0}
    for parcel in plan.parcels:
        _write(order, parcel, at_hand, actor)
    return _unplaced(standing.lines, at_hand)


def pack_where_promised(standing: Standing, *, reason: str, actor: str) -> str:
    """Make parcels where the units are promised, without routing: goods that were handed over there."""
    at_hand = trim(standing)
    by_place: dict[int, dict[Need, int]] = defaultdict(dict)
    for (need, location_id), units in at_hand.items():
        by_place[location_id][need] = units
    for location_id, units_of in sorted(by_place.items()):
        _write(standing.order, Parcel(location_id, units_of, reason), at_hand, actor)
    return _unplaced(standing.lines, at_hand)


def load_places(order: Order, waiting: Mapping[At, int]) -> list[Place]:
    """Return the locations that may ship for this order, with what each can give: free units and those promised to
    this very order there. One query; locations with a daily limit are locked, so that two orders count each other."""
    variants = sorted({need[1] for need, _ in waiting})
    own: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (need, location_id), units in waiting.items():
        own[location_id][need[1]] += units
    limited = StockLocation.objects.filter(orders_per_day__isnull=False, is_active=True)
    stocked = limited.filter(pk__in=StockItem.objects.filter(variant__in=variants).values("location"))
    list(stocked.order_by("id").select_for_update(no_key=True).values_list("id"))
    places: dict[int, Place] = {}
    with connection.cursor() as cursor:
        cursor.execute(PLACES_SQL, {"channel": order.sales_channel_id, "variants": variants, "order": order.pk})
        for place_id, name, latitude, longitude, rank, left, variant_id, free in cursor.fetchall():
            place = places.setdefault(place_id, Place(place_id, name, {}, latitude, longitude, rank, left))
            here = own[place_id].get(variant_id, 0)
            if isinstance(place.free, dict) and free + here > 0:
                place.free[variant_id] = max(0, free) + here
    return list(places.values())


PLACES_SQL = """
    SELECT place.id, place.name, place.latitude, place.longitude, coalesce(source.rank, place.priority),
           place.orders_per_day - (
               SELECT count(DISTINCT parcel.order_id) FROM fulfilments parcel
               WHERE parcel.location_id = place.id AND parcel.state NOT IN ('rejected', 'cancelled')
                 AND parcel.order_id <> %(order)s
                 AND parcel.created_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')
               AS orders_left,
           item.variant_id, greatest(0, item.on_hand - item.reserved - item.allocated - item.safety)
    FROM stock_item item JOIN stock_locations place ON place.id = item.location_id
    LEFT JOIN channel_sources source ON source.location_id = place.id AND source.sales_channel_id = %(channel)s
    WHERE item.variant_id = ANY (%(variants)s) AND place.is_active AND place.can_ship
      AND (source.id IS NOT NULL OR NOT EXISTS (
          SELECT FROM channel_sources own WHERE own.sales_channel_id = %(channel)s))
    ORDER BY place.id, item.variant_id"""


def _move(waiting: Mapping[At, int], parcels: Sequence[Parcel], promised: Sequence[Promise], actor: str) -> int:
    """Bring promises to where the plan ships from: from where there are more than the plan wants to where fewer are.

    Returns the units that were moved.
    """
    total = 0
    surplus = defaultdict(int, waiting)
    wanted: dict[At, int] = {}
    for parcel in parcels:
        for need, units in parcel.units.items():
            here = min(units, surplus[need, parcel.place_id])
            surplus[need, parcel.place_id] -= here
            if units > here:
                wanted[need, parcel.place_id] = units - here
    reasons = {parcel.place_id: parcel.reason for parcel in parcels}
    open_lines = [promise for promise in promised if promise.location_id is not None and not promise.is_backorder]
    for (need, place_id), units in wanted.items():
        missing = units
        for promise in open_lines:
            if promise.need != need or promise.location_id is None or promise.location_id == place_id:
                continue
            count = min(missing, promise.quantity, surplus[need, promise.location_id])
            if count > 0:
                moved = ledger.move_promise(
                    promise.reservation_id, promise.position, place_id, count, actor=actor,
                    reason=f"routed: {reasons[place_id]}"[:200],
                )  # fmt: skip
                surplus[need, promise.location_id] -= moved
                missing -= moved
                total += moved
    return total


def _write(order: Order, parcel: Parcel, at_hand: dict[At, int], actor: str) -> None:
    """Put the units of a parcel, as far as they are promised there, into the order's pending parcel at that place."""
    units_of = {}
    for need, units in parcel.units.items():
        count = min(units, at_hand.get((need, parcel.place_id), 0))
        if count > 0:
            units_of[need] = count
            at_hand[need, parcel.place_id] -= count
    if not units_of:
        return
    pending = Fulfilment.objects.filter(order=order, location_id=parcel.place_id, state=Fulfilment.State.PENDING)
    fulfilment = pending.first()  # the caller holds the order's row: nobody else makes one meanwhile
    known = {(line.order_line_id, line.variant_id): line for line in fulfilment.lines.all()} if fulfilment else {}
    if fulfilment is None:
        fulfilment = Fulfilment.objects.create(order=order, location_id=parcel.place_id, reason=parcel.reason)
    fresh = []
    for (line_id, variant_id), units in units_of.items():
        line = known.get((line_id, variant_id))
        if line is None:
            fresh.append(
                FulfilmentLine(fulfilment=fulfilment, order_line_id=line_id, variant_id=variant_id, quantity=units)
            )
        else:
            line.quantity += units
            line.save(update_fields=["quantity"])
    FulfilmentLine.objects.bulk_create(fresh)
    note(order, "routed", f"{sum(units_of.values())} units: {parcel.reason}", actor=actor)


def _unplaced(lines: Sequence[OrderLine], waiting: Mapping[At, int]) -> str:
    """Say what waits without a parcel, by SKU."""
    skus = {line.pk: line.sku for line in lines}
    units: dict[str, int] = defaultdict(int)
    for ((line_id, _), _), count in waiting.items():
        if count:
            units[skus.get(line_id, "?")] += count
    return ", ".join(f"{count} x {sku}" for sku, count in sorted(units.items()))
