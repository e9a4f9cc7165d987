"""How an order stands: its goods, and what is behind them. Read once, and anew after each change.

Everything here expects the caller to hold the order's row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from finalmarket.catalog.models import BundleComponent
from finalmarket.orders.history import goods_of
from finalmarket.orders.models import Order, OrderLine

Need = tuple[int, int]
"""An order line and a variant of it (its own, or a bundle's component), by id."""
Recipes = dict[int, dict[int, int]]
"""What units consist of: how many of which variant, by order line or by variant."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Units promised to an order line at one location; a backorder lies nowhere yet.

    `short` units were promised and are not there: they wait for goods to arrive.
    """

    need: Need
    reservation_id: int
    position: int
    location_id: int | None
    quantity: int
    is_backorder: bool
    short: int


@dataclass(slots=True)
class Packed:
    """Units of a need in a parcel that waits to be picked; `id` is the line of the parcel."""

    id: int
    parcel_id: int
    location_id: int
    location_name: str
    need: Need
    quantity: int


class Standing:
    """How an order stands: its goods and what is behind them, read once and anew after each change (`forget`).

    `is_new` says that nothing can stand behind the lines yet, so that nothing needs to be read.
    """

    def __init__(self, order: Order, lines: Sequence[OrderLine] | None = None, *, is_new: bool = False) -> None:
        self.order = order
        self.is_new = is_new
        self.lines = goods_of(order) if lines is None else lines
        self._promises: list[Promise] | None = [] if is_new else None
        self._recipes: Recipes | None = {} if is_new else None
        self._left: dict[Need, int] | None = {} if is_new else None
        self._waiting: list[Packed] | None = [] if is_new else None

    @property
    def promises(self) -> list[Promise]:
        """What is promised and has not left."""
        if self._promises is None:
            self._promises = _read(PROMISES_SQL, [self.order.pk], _promise)[self.order.pk]
        return self._promises

    @property
    def recipes(self) -> Recipes:
        """What each line's units consist of; see `recipes`."""
        if self._recipes is None:
            self._recipes = recipes(self.lines)
        return self._recipes

    @property
    def left(self) -> dict[Need, int]:
        """What left in parcels; see `left_units`."""
        if self._left is None:
            self._left = left_units(self.lines)
        return self._left

    @property
    def waiting(self) -> list[Packed]:
        """What is in parcels that wait to be picked, the oldest line first."""
        if self._waiting is None:
            self._waiting = _read(WAITING_SQL, [self.order.pk], _packed)[self.order.pk]
        return self._waiting

    @property
    def contents(self) -> Recipes:
        """`recipes`, and for lines that were never promised what the catalogue says today."""
        return with_catalogue(self.recipes, self.lines)

    @property
    def started(self) -> dict[int, int]:
        """The units of each line of which at least a part has left."""
        return _started(self.lines, self.left, self.contents)

    def forget(self, *, recipes_too: bool = False) -> None:
        """Read the promises anew when they are next asked for."""
        self._promises = None
        if recipes_too:
            self._recipes = None

    def forget_parcels(self) -> None:
        """Read what waits in parcels anew when it is next asked for."""
        self._waiting = None

    def stand_on(self, promises: list[Promise], recipes: Recipes) -> None:
        """Know what is behind the lines without reading it: the caller has just put it there."""
        self._promises, self._recipes, self.is_new = promises, recipes, False

    def let_leave(self, closed: Iterable[tuple[int, int, int]], parcel_id: int) -> None:
        """Know that a waiting parcel has left, with these units of promises (reservation, position, units), as is
        about to be written down: what was read before follows, the rest is read when it is asked for."""
        ended = {(reservation_id, position): units for reservation_id, position, units in closed}
        gone = [packed for packed in self.waiting if packed.parcel_id == parcel_id]
        self._waiting = [packed for packed in self.waiting if packed.parcel_id != parcel_id]
        if self._promises is not None:
            rest = [
                replace(one, quantity=one.quantity - ended.get((one.reservation_id, one.position), 0))
                for one in self._promises
            ]
            self._promises = [one for one in rest if one.quantity or one.short]
        if self._left is not None:
            for packed in gone:
                self._left[packed.need] = self._left.get(packed.need, 0) + packed.quantity

    def needs(self) -> dict[Need, int]:
        """Return the units that the lines still have to get, by variant: ordered, not cancelled, not left."""
        wanted: dict[Need, int] = {}
        for line in self.lines:
            for variant_id, per_unit in self.recipes.get(line.pk, {}).items():
                units = per_unit * (line.quantity - line.cancelled_quantity) - self.left.get((line.pk, variant_id), 0)
                wanted[line.pk, variant_id] = max(0, units)
            if line.pk not in self.recipes and line.variant_id is not None:
                open_units = line.quantity - line.cancelled_quantity - line.fulfilled_quantity
                wanted[line.pk, line.variant_id] = max(0, open_units)
        return wanted

    def lacking(self) -> dict[Need, int]:
        """Return what the lines need and neither a promise nor a claim stands behind."""
        missing = self.needs()
        for promise in self.promises:
            missing[promise.need] = missing.get(promise.need, 0) - promise.quantity - promise.short
        return {need: units for need, units in missing.items() if units > 0}

    @classmethod
    def read_all(cls, standings: Sequence[Standing]) -> None:
        """Read at once what stands behind the goods of many orders: four queries, however many there are."""
        orders = [one.order.pk for one in standings]
        promises, waiting = _read(PROMISES_SQL, orders, _promise), _read(WAITING_SQL, orders, _packed)
        lines = [line for one in standings for line in one.lines]
        known, left = recipes(lines), left_units(lines)
        for one in standings:
            mine = {line.pk for line in one.lines}
            one._promises, one._waiting = promises[one.order.pk], waiting[one.order.pk]
            one._recipes = {line_id: known[line_id] for line_id in mine & known.keys()}
            one._left = {need: units for need, units in left.items() if need[0] in mine}


def recipes(lines: Iterable[OrderLine]) -> Recipes:
    """Return for each line the variants that its units consist of and how many of each: itself, or the components as
    they were when it was promised. Lines that were never promised and lines without a variant are left out."""
    found: Recipes = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT order_line_id, variant_id, max(per_unit) FROM order_promises
               WHERE order_line_id = ANY (%s) GROUP BY 1, 2""",
            [[line.pk for line in lines]],
        )
        for line_id, variant_id, per_unit in cursor.fetchall():
            found[line_id][variant_id] = per_unit
    return dict(found)


def contents(lines: Sequence[OrderLine]) -> Recipes:
    """Return `recipes`, and for lines that were never promised (imported history) what the catalogue says today."""
    return with_catalogue(recipes(lines), lines)


def with_catalogue(known: Recipes, lines: Iterable[OrderLine]) -> Recipes:
    """Return these recipes, and for lines without one what the catalogue says today."""
    missing = {line.pk: line.variant_id for line in lines if line.pk not in known and line.variant_id is not None}
    if not missing:
        return known
    parts = consists_of(missing.values())
    return known | {line_id: parts[variant_id] for line_id, variant_id in missing.items()}


def consists_of(variant_ids: Iterable[int]) -> Recipes:
    """Say what a unit of each of these variants consists of today, by variant: a bundle's components, else itself."""
    parts: Recipes = {variant_id: {} for variant_id in variant_ids}
    rows = BundleComponent.objects.filter(bundle_id__in=list(parts))
    for bundle_id, component_id, quantity in rows.values_list("bundle_id", "component_id", "quantity"):
        parts[bundle_id][component_id] = quantity
    return {variant_id: own or {variant_id: 1} for variant_id, own in parts.items()}


def left_units(lines: Iterable[OrderLine]) -> dict[Need, int]:
    """Return the units that left in parcels, by order line and variant."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT packed.order_line_id, packed.variant_id, sum(packed.quantity)::int
               FROM fulfilment_lines packed JOIN fulfilments parcel ON parcel.id = packed.fulfilment_id
               WHERE packed.order_line_id = ANY (%s) AND parcel.state IN ('shipped', 'delivered') GROUP BY 1, 2""",
            [[line.pk for line in lines]],
        )
        return {(line_id, variant_id): units for line_id, variant_id, units in cursor.fetchall()}


def started_units(lines: Sequence[OrderLine]) -> dict[int, int]:
    """Return the units of each line of which at least a part has left: a bundle's parts may travel apart."""
    return _started(lines, left_units(lines), contents(lines))


def _started(lines: Iterable[OrderLine], left: Mapping[Need, int], known: Recipes) -> dict[int, int]:
    started = {}
    for line in lines:
        parts = known.get(line.pk, {})
        begun = [-(-left.get((line.pk, variant_id), 0) // per_unit) for variant_id, per_unit in parts.items()]
        started[line.pk] = max([line.fulfilled_quantity, *begun])
    return started


PROMISES_SQL = """
    SELECT line.order_id, promise.order_line_id, promise.variant_id, held.reservation_id, held.position,
           held.location_id, held.quantity, held.is_backorder, held.short
    FROM order_lines line JOIN order_promises promise ON promise.order_line_id = line.id
    JOIN reservation_line held ON held.reservation_id = promise.reservation_id
         AND held.line = promise.line AND held.variant_id = promise.variant_id
    WHERE line.order_id = ANY (%s) AND held.state = 'confirmed' AND (held.quantity > 0 OR held.short > 0)
    ORDER BY line.position, promise.variant_id, held.reservation_id, held.position"""

WAITING_SQL = """
    SELECT parcel.order_id, packed.id, parcel.id, parcel.location_id, place.name, packed.order_line_id,
           packed.variant_id, packed.quantity
    FROM fulfilments parcel JOIN fulfilment_lines packed ON packed.fulfilment_id = parcel.id
    JOIN stock_locations place ON place.id = parcel.location_id
    WHERE parcel.order_id = ANY (%s) AND parcel.state = 'pending' ORDER BY packed.id"""


def _read(query: str, order_ids: Collection[int], make: Any) -> dict[int, list[Any]]:
    """What a query finds of these orders, by order."""
    found: dict[int, list[Any]] = {order_id: [] for order_id in order_ids}
    with connection.cursor() as cursor:
        cursor.execute(query, [list(order_ids)])
        for order_id, *row in cursor.fetchall():
            found[order_id].append(make(row))
    return found


def _promise(row: Sequence[Any]) -> Promise:
    return Promise((row[0], row[1]), *row[2:])


def _packed(row: Sequence[Any]) -> Packed:
    number, parcel_id, location_id, location_name, line_id, variant_id, quantity = row
    return Packed(number, parcel_id, location_id, location_name, (line_id, variant_id), quantity)
