"""The bridge between order lines and the stock room: what stands promised behind a line, what is lacking, what is too
much. Quantities are brought to what the lines need now, whatever happened before; so doing it twice changes nothing.

Every function here expects the caller to hold the order's row, and (through `lock_stock`) the pools of its variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from finalmarket.catalog.models import BundleComponent
from finalmarket.orders import held
from finalmarket.orders.history import goods_of
from finalmarket.orders.models import FulfilmentLine, Order, OrderLine, OrderPromise
from finalmarket.stock import ledger, shortfall
from finalmarket.stock.models import ReservationLine
from finalmarket.stock.reserve import Mode, Request, reserve

MOST_REQUEST_LINES = 1_000
LEFT = ("shipped", "delivered")

Need = tuple[int, int]
"""An order line and a variant of it (its own, or a bundle's component), by id."""


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


def lock_stock(order: Order, variant_ids: Iterable[int] = ()) -> None:
    """Lock the pools of every variant that this order has, or is about to have, in one go and in variant order."""
    lock_stock_of([order.pk], variant_ids)


def lock_stock_of(order_ids: Sequence[int], variant_ids: Iterable[int] = ()) -> set[int]:
    """Lock the pools of every variant that these orders have, or are about to have, in one go and in variant order;
    return them. Nothing is done where a page holds them all (see held.py)."""
    more = set(variant_ids)
    if held.is_stock_locked(order_ids, more):
        return more
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT variant_id FROM order_lines WHERE order_id = ANY (%(orders)s) AND variant_id IS NOT NULL
               UNION SELECT promise.variant_id FROM order_promises promise
                     JOIN order_lines line ON line.id = promise.order_line_id WHERE line.order_id = ANY (%(orders)s)
               UNION SELECT part.component_id FROM order_lines line
                     JOIN bundle_components part ON part.bundle_id = line.variant_id
                     WHERE line.order_id = ANY (%(orders)s)
               UNION SELECT unnest(%(more)s::bigint[])
               UNION SELECT component_id FROM bundle_components WHERE bundle_id = ANY (%(more)s::bigint[])""",
            {"orders": list(order_ids), "more": list(more)},
        )
        variants = {variant_id for (variant_id,) in cursor.fetchall()}
    lock_pools(variants)
    return variants


def lock_pools(variant_ids: Iterable[int]) -> None:
    """Lock the pools of these variants, then the due rows of their listings and of the bundles that they are part of.

    Two orders without a common variant may share a bundle's listing: locked in steps, verb by verb, its due rows would
    make them wait for each other.
    """
    variants = sorted(set(variant_ids))
    if held.are_locked(variants):
        return
    ledger.lock(variants)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT FROM due_changes due JOIN channel_products listing ON listing.id = due.listing_id
               WHERE due.what = 'stock' AND listing.variant_id = ANY (%(variants)s::bigint[] || ARRAY(
                   SELECT bundle_id FROM bundle_components WHERE component_id = ANY (%(variants)s)))
               ORDER BY due.listing_id FOR UPDATE OF due""",
            {"variants": variants},
        )


def open_promises(order: Order) -> list[Promise]:
    """Return what is promised to the order and has not left, line by line."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT promise.order_line_id, promise.variant_id, held.reservation_id, held.position, held.location_id,
                      held.quantity, held.is_backorder, held.short
               FROM order_lines line JOIN order_promises promise ON promise.order_line_id = line.id
               JOIN reservation_line held ON held.reservation_id = promise.reservation_id
                    AND held.line = promise.line AND held.variant_id = promise.variant_id
               WHERE line.order_id = %s AND held.state = 'confirmed' AND (held.quantity > 0 OR held.short > 0)
               ORDER BY line.position, promise.variant_id, held.reservation_id, held.position""",
            [order.pk],
        )
        return [Promise((row[0], row[1]), *row[2:]) for row in cursor.fetchall()]


class Standing:
    """How an order stands: its goods and what is behind them, read once and anew after each change (`forget`).

    `is_new` says that nothing can stand behind the lines yet, so that nothing needs to be read.
    """

    def __init__(self, order: Order, lines: Sequence[OrderLine] | None = None, *, is_new: bool = False) -> None:
        self.order = order
        self.is_new = is_new
        self.lines = goods_of(order) if lines is None else lines
        self._promises: list[Promise] | None = [] if is_new else None
        self._recipes: dict[int, dict[int, int]] | None = {} if is_new else None
        self._left: dict[Need, int] | None = {} if is_new else None

    @property
    def promises(self) -> list[Promise]:
        """What is promised and has not left."""
        if self._promises is None:
            self._promises = open_promises(self.order)
        return self._promises

    @property
    def recipes(self) -> dict[int, dict[int, int]]:
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

    def forget(self, *, recipes_too: bool = False) -> None:
        """Read the promises anew when they are next asked for."""
        self._promises = None
        if recipes_too:
            self._recipes = None

    def stand_on(self, promises: list[Promise], recipes: dict[int, dict[int, int]]) -> None:
        """Know what is behind the lines without reading it: the caller has just put it there."""
        self._promises, self._recipes, self.is_new = promises, recipes, False

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


def recipes(lines: Iterable[OrderLine]) -> dict[int, dict[int, int]]:
    """Return for each line the variants that its units consist of and how many of each: itself, or the components as
    they were when it was promised. Lines that were never promised and lines without a variant are left out."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    rows = OrderPromise.objects.filter(order_line__in=[line.pk for line in lines])
    for line_id, variant_id, per_unit in rows.values_list("order_line_id", "variant_id", "per_unit"):
        found[line_id][variant_id] = max(per_unit, found[line_id].get(variant_id, 0))
    return dict(found)


def contents(lines: Sequence[OrderLine]) -> dict[int, dict[int, int]]:
    """Return `recipes`, and for lines that were never promised (imported history) what the catalogue says today."""
    known = recipes(lines)
    missing = {line.pk: line.variant_id for line in lines if line.pk not in known and line.variant_id is not None}
    parts: dict[int, dict[int, int]] = defaultdict(dict)
    rows = BundleComponent.objects.filter(bundle_id__in=set(missing.values()))
    for bundle_id, component_id, quantity in rows.values_list("bundle_id", "component_id", "quantity"):
        parts[bundle_id][component_id] = quantity
    return known | {line_id: parts.get(variant_id) or {variant_id: 1} for line_id, variant_id in missing.items()}


def left_units(lines: Iterable[OrderLine]) -> dict[Need, int]:
    """Return the units that left in parcels, by order line and variant."""
    rows = FulfilmentLine.objects.filter(order_line__in=[line.pk for line in lines], fulfilment__state__in=LEFT)
    left: dict[Need, int] = defaultdict(int)
    for line_id, variant_id, quantity in rows.values_list("order_line_id", "variant_id", "quantity"):
        left[line_id, variant_id] += quantity
    return left


def started_units(lines: Sequence[OrderLine]) -> dict[int, int]:
    """Return the units of each line of which at least a part has left: a bundle's parts may travel apart."""
    left = left_units(lines)
    known = contents(lines)
    started = {}
    for line in lines:
        parts = known.get(line.pk, {})
        begun = [-(-left.get((line.pk, variant_id), 0) // per_unit) for variant_id, per_unit in parts.items()]
        started[line.pk] = max([line.fulfilled_quantity, *begun])
    return started


def give_back(standing: Standing, *, actor: str, reason: str) -> int:
    """Give back what is promised beyond what the lines need; return the units.

    Claims on what is not there go first, then backorders, then what was promised last.
    """
    surplus: dict[Need, int] = defaultdict(int)
    for promise in standing.promises:
        surplus[promise.need] += promise.quantity + promise.short
    for need, units in standing.needs().items():
        surplus[need] -= units
    claims: list[tuple[int, int, int]] = []
    closing: list[tuple[int, int, int]] = []
    for promise in standing.promises:
        _take(surplus, promise, promise.short, claims)
    for promise in sorted(standing.promises, key=lambda p: (not p.is_backorder, -p.reservation_id, -p.position)):
        _take(surplus, promise, promise.quantity, closing)
    shortfall.give_up(claims)  # before units come free, or they would meet the claim that nobody has any more
    if closing:
        reference = f"order:{standing.order.pk}"
        ledger.close("deallocate", closing, actor=actor, reference=reference, reason=reason[:200])
    if claims or closing:
        standing.forget()
    return sum(units for _, _, units in closing)


def _take(surplus: dict[Need, int], promise: Promise, most: int, into: list[tuple[int, int, int]]) -> None:
    units = min(most, max(0, surplus[promise.need]))
    if units:
        surplus[promise.need] -= units
        into.append((promise.reservation_id, promise.position, units))


def cover(standing: Standing, *, mode: Mode, location_id: int | None, actor: str) -> str:
    """Promise what is lacking, all or nothing; returns "" or why it was refused.

    Mode.SALE is never refused: what is not there stays lacking.
    """
    missing = sorted(standing.lacking().items())
    for start in range(0, len(missing), MOST_REQUEST_LINES):
        refusal = _promise(standing, missing[start : start + MOST_REQUEST_LINES], mode, location_id, actor)
        if refusal:
            return refusal
    return ""


def _promise(
    standing: Standing, wants: Sequence[tuple[Need, int]], mode: Mode, location_id: int | None, actor: str
) -> str:
    order = standing.order
    earlier = 0
    if standing.recipes:
        rows = OrderPromise.objects.filter(order_line__order=order)
        earlier = rows.values("reservation_id").distinct().count()
    request = Request(
        key=f"order:{order.pk}:{earlier + 1}",
        channel_id=order.sales_channel_id,
        lines=tuple((variant_id, units) for (_, variant_id), units in wants),
        mode=mode,
        location_id=location_id,
    )
    verdict = reserve([request], actor=actor)[0]
    if verdict.outcome != "granted" or verdict.reservation_id is None:
        return _refusal(verdict.reason or verdict.outcome, wants, standing.lines)
    attach(standing, verdict.reservation_id, wants, standing.recipes)
    return ""


def _refusal(reason: str, wants: Sequence[tuple[Need, int]], lines: Sequence[OrderLine]) -> str:
    """Put the SKU where the stock room says `line 3`."""
    head, colon, rest = reason.partition(":")
    number = head.removeprefix("line ")
    if colon and number.isdigit() and int(number) < len(wants):
        (line_id, _), _ = wants[int(number)]
        sku = next((line.sku for line in lines if line.pk == line_id), "")
        return f"{sku}:{rest}"
    return reason


def attach(
    standing: Standing,
    reservation_id: int,
    wants: Sequence[tuple[Need, int]],
    known: Mapping[int, Mapping[int, int]],
) -> None:
    """Note which line of the reservation stands behind which order line. `wants` are the request's lines in order."""
    rows = ReservationLine.objects.filter(reservation_id=reservation_id)
    taken = rows.values_list("line", "variant_id", "promised", "short")
    OrderPromise.objects.bulk_create(promises_of(reservation_id, wants, taken, known))
    if standing.order.reservation_id is None:
        standing.order.reservation_id = reservation_id
    standing.forget(recipes_too=True)
    standing.is_new = False


def promises_of(
    reservation_id: int,
    wants: Sequence[tuple[Need, int]],
    taken: Iterable[tuple[int, int, int, int]],
    known: Mapping[int, Mapping[int, int]],
) -> list[OrderPromise]:
    """Return which line of a reservation stands behind which order line. `wants` are the request's lines in order,
    `taken` those of the reservation: line, variant, units promised, units short; `known` the recipes of lines."""
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for line, variant_id, promised, short in taken:
        totals[line, variant_id] += promised + short
    return [
        OrderPromise(
            order_line_id=wants[line][0][0],
            reservation_id=reservation_id,
            line=line,
            variant_id=variant_id,
            per_unit=known.get(wants[line][0][0], {}).get(variant_id) or max(1, units // wants[line][1]),
        )
        for (line, variant_id), units in sorted(totals.items())
    ]


def count_short(standing: Standing) -> None:
    """Write on each line how many of its units are not there; a bundle is short when one of its components is."""
    changed = note_short(standing)
    if changed:
        OrderLine.objects.bulk_update(changed, ["short_quantity"])


def note_short(standing: Standing) -> list[OrderLine]:
    """Say on each line how many of its units are not there; return the lines on which that is news."""
    missing = defaultdict(int, standing.lacking())
    for promise in standing.promises:
        missing[promise.need] += promise.short
    changed = []
    for line in standing.lines:
        per_unit = standing.recipes.get(line.pk, {})
        short = [-(-units // per_unit.get(need[1], 1)) for need, units in missing.items() if need[0] == line.pk]
        if line.short_quantity != max(short, default=0):
            line.short_quantity = max(short, default=0)
            changed.append(line)
    return changed
