"""The bridge between order lines and the stock room: what is promised to a line, given back, and noted as short.
Quantities are brought to what the lines need now, whatever happened before; so doing it twice changes nothing.

Every function here expects the caller to hold the order's row, and (through `lock_stock`) the pools of its variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from finalmarket.orders import held
from finalmarket.orders.history import write_units
from finalmarket.orders.models import Order, OrderLine, OrderPromise
from finalmarket.orders.standing import Need, Promise, Standing
from finalmarket.stock import ledger, shortfall
from finalmarket.stock.models import Reservation, ReservationLine
from finalmarket.stock.reserve import Mode, Request, reserve

MOST_REQUEST_LINES = 1_000


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
    """Lock the pools of these variants and the due rows of their listings, unless a page of orders holds them."""
    variants = sorted(set(variant_ids))
    if not held.are_locked(variants):
        ledger.lock_with_listings(variants)


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
    if claims:
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
    attach(standing, verdict.reservation_id, dict(enumerate(wants)), standing.recipes)
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
    wants: Mapping[int, tuple[Need, int]],
    known: Mapping[int, Mapping[int, int]],
) -> None:
    """Note which line of the reservation stands behind which order line. `wants` are those lines by their number; one
    that is not among them was given back."""
    rows = ReservationLine.objects.filter(reservation_id=reservation_id, line__in=list(wants))
    taken = list(rows.order_by("position"))
    if standing.order.reservation_id is None:
        standing.order.reservation_id = reservation_id
    if standing.is_new:
        promises = stand_on(standing, wants, taken, known)
    else:
        promises = promises_of(reservation_id, wants, taken, known)
        standing.forget(recipes_too=True)
    OrderPromise.objects.bulk_create(promises)


def stand_on(
    standing: Standing,
    wants: Mapping[int, tuple[Need, int]],
    taken: Sequence[ReservationLine],
    known: Mapping[int, Mapping[int, int]],
) -> list[OrderPromise]:
    """Let a new order, which nothing stands behind yet, stand on the lines `taken` of its first reservation without
    reading them again. Return which of them stands behind which order line: yet to be written down."""
    promises = promises_of(taken[0].reservation_id, wants, taken, known) if taken else []
    recipes: dict[int, dict[int, int]] = defaultdict(dict)
    for promise in promises:
        parts = recipes[promise.order_line_id]
        parts[promise.variant_id] = max(promise.per_unit, parts.get(promise.variant_id, 0))
    standing.stand_on([_promise_of(wants, one) for one in taken if _is_open(one)], dict(recipes))
    return promises


def _is_open(line: ReservationLine) -> bool:
    return line.state == Reservation.State.CONFIRMED and (line.quantity > 0 or line.short > 0)


def _promise_of(wants: Mapping[int, tuple[Need, int]], line: ReservationLine) -> Promise:
    need = (wants[line.line][0][0], line.variant_id)
    return Promise(
        need, line.reservation_id, line.position, line.location_id, line.quantity, line.is_backorder, line.short
    )


def promises_of(
    reservation_id: int,
    wants: Mapping[int, tuple[Need, int]],
    taken: Iterable[ReservationLine],
    known: Mapping[int, Mapping[int, int]],
) -> list[OrderPromise]:
    """Return which line of a reservation stands behind which order line. `wants` are the request's lines by number,
    `taken` those of the reservation, `known` the recipes of lines."""
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for one in taken:
        totals[one.line, one.variant_id] += one.promised + one.short
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


def serving_lines(hold: Reservation, goods: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """Say which line of a hold serves which of these goods, both by their number; each of them is given by what its
    units consist of. A line that serves none is left out: it was given back, or holds other goods."""
    held: dict[int, set[int]] = defaultdict(set)
    for line, variant_id in hold.lines.exclude(state="released").values_list("line", "variant_id"):
        held[line].add(variant_id)
    waiting, found = dict(enumerate(goods)), {}
    for line, variants in sorted(held.items()):
        number = next((number for number, parts in waiting.items() if parts.keys() == variants), None)
        if number is not None:
            found[line] = number
            del waiting[number]
    return found


def count_short(standing: Standing) -> None:
    """Write on each line how many of its units are not there; a bundle is short when one of its components is."""
    changed = note_short(standing)
    if changed:
        write_units(changed, "short_quantity")


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
