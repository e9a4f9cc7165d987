"""From promises to parcels: the facts that routing needs, in one query, and what its plan does to stock and parcels.

The caller holds the order's row and the pools of its variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from finalmarket.orders.history import note, routed_words
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine, PostcodePoint
from finalmarket.orders.promises import count_short, cover, give_back
from finalmarket.orders.routing import POLICIES, Case, Parcel, Place, Policy, route
from finalmarket.orders.standing import Need, Packed, Promise, Standing
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from finalmarket.stock.reserve import Mode

At = tuple[Need, int]
"""Units of an order line's variant at a location."""
Moved = tuple[Need, int, int, int]
"""Units of a need that moved: from which location, to which, how many."""


@dataclass(slots=True)
class Offer:
    """A location, and what lies free there by variant."""

    place: Place
    free: dict[int, int]

    def count_orders(self, more: int) -> None:
        """So many more orders of the day ship from there."""
        if self.place.orders_left is not None:
            self.place = replace(self.place, orders_left=self.place.orders_left - more)


Points = Mapping[tuple[str, str], tuple[float, float]]
"""The operator's postcode table, as far as it is needed: by country and prefix."""


def destination_of(order: Order, points: Points | None = None) -> tuple[float, float] | None:
    """Return where the order goes, in degrees: the address's own coordinates, else the operator's postcode table (the
    longest prefix counts), else None. `points` are those of `points_for`, read now if not given."""
    address: dict[str, Any] = order.shipping_address
    latitude, longitude = address.get("latitude"), address.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return (float(latitude), float(longitude))
    names = _prefixes(address)
    known = points_for([order]) if points is None and names else points or {}
    return next((known[name] for name in reversed(names) if name in known), None)


def points_for(orders: Iterable[Order]) -> Points:
    """Return the entries of the postcode table that the addresses of these orders could mean; one query."""
    names = {name for order in orders for name in _prefixes(order.shipping_address)}
    countries, prefixes = {country for country, _ in names}, {prefix for _, prefix in names}
    rows = PostcodePoint.objects.filter(country__in=countries, prefix__in=prefixes)
    found = rows.values_list("country", "prefix", "latitude", "longitude")
    return {(country, prefix): (latitude, longitude) for country, prefix, latitude, longitude in found}


def _prefixes(address: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The country and each beginning of the postcode, the shortest first; nothing without a country."""
    country = str(address.get("country", "")).upper()
    postcode = str(address.get("postcode", "")).upper().replace(" ", "")
    return [(country, postcode[:length]) for length in range(min(len(postcode), 20) + 1)] if country else []


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
    units = promised_at(standing.promises)
    for packed in standing.waiting:
        units[packed.need, packed.location_id] -= packed.quantity
    return {key: count for key, count in units.items() if count}


def promised_at(promises: Iterable[Promise]) -> dict[At, int]:
    """Return the promised units by where they lie."""
    units: dict[At, int] = defaultdict(int)
    for promise in promises:
        if promise.location_id is not None and not promise.is_backorder:
            units[promise.need, promise.location_id] += promise.quantity
    return units


def trim(standing: Standing) -> dict[At, int]:
    """Take out of pending parcels what is not promised there any more; a parcel that becomes empty is cancelled.

    Returns what is promised and stands in no parcel yet.
    """
    open_units = unparcelled(standing)
    excess = {key: -count for key, count in open_units.items() if count < 0}
    if excess:
        _take_out(standing, excess)
    return {key: count for key, count in open_units.items() if count > 0}


def _take_out(standing: Standing, excess: dict[At, int]) -> None:
    """Take so many units out of waiting parcels, those put in last before the others."""
    empty: list[Packed] = []
    fewer: list[Packed] = []
    for packed in sorted(standing.waiting, key=lambda one: -one.id):
        units = min(packed.quantity, excess.get((packed.need, packed.location_id), 0))
        if not units:
            continue
        excess[packed.need, packed.location_id] -= units
        packed.quantity -= units
        (fewer if packed.quantity else empty).append(packed)
    with connection.cursor() as cursor:
        if fewer:
            cursor.execute(
                """UPDATE fulfilment_lines line SET quantity = counted.units
                   FROM unnest(%s::bigint[], %s::int[]) AS counted(id, units) WHERE line.id = counted.id""",
                [[packed.id for packed in fewer], [packed.quantity for packed in fewer]],
            )
        if empty:
            cursor.execute("DELETE FROM fulfilment_lines WHERE id = ANY (%s)", [[packed.id for packed in empty]])
            cursor.execute(
                """UPDATE fulfilments parcel SET state = 'cancelled', reason = 'nothing left to ship'
                   WHERE id = ANY (%s) AND NOT EXISTS (
                       SELECT FROM fulfilment_lines line WHERE line.fulfilment_id = parcel.id)""",
                [[packed.parcel_id for packed in empty]],
            )
    standing.forget_parcels()


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
    is_on_map = any(place.latitude is not None for place in places)
    plan = route(Case(needs, tuple(places), destination_of(order) if is_on_map else None), policies)
    moves = move(waiting, plan.parcels, standing.promises, actor)
    if moves:
        standing.forget()
    at_hand = after(waiting, moves)
    for parcel in plan.parcels:
        _write(standing, parcel, at_hand, actor)
    return unplaced(standing.lines, at_hand)


def pack_where_promised(standing: Standing, *, reason: str, actor: str) -> str:
    """Make parcels where the units are promised, without routing: goods that were handed over there, or
    are to leave from there and nowhere else."""
    at_hand = trim(standing)
    for parcel in where_promised(at_hand, reason):
        _write(standing, parcel, at_hand, actor)
    return unplaced(standing.lines, at_hand)


def where_promised(at_hand: Mapping[At, int], reason: str) -> list[Parcel]:
    """Return one parcel for each location where units are promised."""
    by_place: dict[int, dict[Need, int]] = defaultdict(dict)
    for (need, location_id), units in at_hand.items():
        by_place[location_id][need] = units
    return [Parcel(location_id, units_of, reason) for location_id, units_of in sorted(by_place.items())]


def load_places(order: Order, waiting: Mapping[At, int]) -> list[Place]:
    """Return the locations that may ship for this order, with what each can give: free units and those promised to
    this very order there. One query; locations with a daily limit are locked, so that two orders count each other."""
    variants = sorted({need[1] for need, _ in waiting})
    return places_for(waiting, load_offers(order.sales_channel_id, variants, except_for=order.pk))


def load_offers(channel_id: int, variants: Sequence[int], *, except_for: int = 0) -> list[Offer]:
    """Return what lies free of these variants where the channel may ship from. `except_for` is the order whose parcels
    do not count against the daily limit of a location. Locations with such a limit are locked."""
    offers = _read_offers(channel_id, variants, except_for)
    limited = [offer.place.id for offer in offers if offer.place.orders_left is not None]
    if not limited:
        return offers
    list(StockLocation.objects.filter(pk__in=limited).order_by("id").select_for_update(no_key=True).values_list("id"))
    return _read_offers(channel_id, variants, except_for)  # others may have shipped from there until it was locked


def lock_limited(variants: Iterable[int]) -> None:
    """Lock the locations with a daily limit where these variants lie, for whoever goes on channel by channel."""
    places = StockLocation.objects.filter(items__variant__in=sorted(variants), orders_per_day__isnull=False)
    list(StockLocation.objects.filter(pk__in=places).order_by("id").select_for_update(no_key=True).values_list("id"))


def _read_offers(channel_id: int, variants: Sequence[int], except_for: int) -> list[Offer]:
    offers: dict[int, Offer] = {}
    with connection.cursor() as cursor:
        cursor.execute(PLACES_SQL, {"channel": channel_id, "variants": list(variants), "order": except_for})
        for place_id, name, latitude, longitude, rank, left, variant_id, free in cursor.fetchall():
            place = Place(place_id, name, {}, latitude, longitude, rank, left)
            offers.setdefault(place_id, Offer(place, {})).free[variant_id] = free
    return list(offers.values())


def places_for(waiting: Mapping[At, int], offers: Iterable[Offer]) -> list[Place]:
    """Return the locations as the routing of one order sees them: what is free, and what is promised to it there."""
    own: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (need, location_id), units in waiting.items():
        own[location_id][need[1]] += units
    variants = {need[1] for need, _ in waiting}
    places = []
    for offer in offers:
        here = {variant_id: free + own[offer.place.id].get(variant_id, 0) for variant_id, free in offer.free.items()}
        if variants & offer.free.keys():
            free = {variant_id: units for variant_id, units in here.items() if variant_id in variants and units > 0}
            places.append(replace(offer.place, free=free))
    return places


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


def move(waiting: Mapping[At, int], parcels: Sequence[Parcel], promised: Sequence[Promise], actor: str) -> list[Moved]:
    """Bring promises to where the plan ships from: from where there are more than the plan wants to where fewer are.

    Returns what was moved.
    """
    moves: list[Moved] = []
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
                if moved:
                    moves.append((need, promise.location_id, place_id, moved))
    return moves


def after(waiting: Mapping[At, int], moves: Iterable[Moved]) -> dict[At, int]:
    """Return what waits where, once these units have moved."""
    units = defaultdict(int, waiting)
    for need, source, target, count in moves:
        units[need, source] -= count
        units[need, target] += count
    return {key: count for key, count in units.items() if count > 0}


def _write(standing: Standing, parcel: Parcel, at_hand: dict[At, int], actor: str) -> None:
    """Put the units of a parcel, as far as they are promised there, into the order's pending parcel at that place."""
    units_of = take_from(at_hand, parcel)
    if not units_of:
        return
    order = standing.order
    there = [packed for packed in standing.waiting if packed.location_id == parcel.place_id]
    # The caller holds the order's row: nobody else makes a parcel meanwhile.
    pending = max((packed.parcel_id for packed in there), default=None)
    known = {packed.need: packed for packed in there if packed.parcel_id == pending}
    if pending is None:
        pending = Fulfilment.objects.create(order=order, location_id=parcel.place_id, reason=parcel.reason).pk
    fresh = []
    for (line_id, variant_id), units in units_of.items():
        packed = known.get((line_id, variant_id))
        if packed is None:
            fresh.append(
                FulfilmentLine(fulfilment_id=pending, order_line_id=line_id, variant_id=variant_id, quantity=units)
            )
        else:
            FulfilmentLine.objects.filter(pk=packed.id).update(quantity=packed.quantity + units)
    FulfilmentLine.objects.bulk_create(fresh)
    standing.forget_parcels()
    note(order, "routed", routed_words(sum(units_of.values()), parcel.reason), actor=actor)


def take_from(at_hand: dict[At, int], parcel: Parcel) -> dict[Need, int]:
    """Return the units of a parcel, as far as they are promised there, and count them off."""
    units_of = {}
    for need, units in parcel.units.items():
        count = min(units, at_hand.get((need, parcel.place_id), 0))
        if count > 0:
            units_of[need] = count
            at_hand[need, parcel.place_id] -= count
    return units_of


def unplaced(lines: Sequence[OrderLine], waiting: Mapping[At, int]) -> str:
    """Say what waits without a parcel, by SKU."""
    skus = {line.pk: line.sku for line in lines}
    units: dict[str, int] = defaultdict(int)
    for ((line_id, _), _), count in waiting.items():
        if count:
            units[skus.get(line_id, "?")] += count
    return ", ".join(f"{count} x {sku}" for sku, count in sorted(units.items()))
