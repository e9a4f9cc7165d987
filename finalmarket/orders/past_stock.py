"""The goods of orders that already happened: they leave the stock through the ledger and stand in parcels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from finalmarket.kernel.sql import Queries, copy_rows
from finalmarket.orders.past_records import Batch
from finalmarket.stock import ledger

SQL = Queries(Path(__file__).with_name("past.sql"))
PACKED_COLUMNS = {"fulfilment_id": "int8", "order_line_id": "int8", "variant_id": "int8", "quantity": "int4"}


class _Part(NamedTuple):
    """What one line takes off the stock: its variant, or one component of the bundle that it sold."""

    index: int
    variant_id: int
    location_id: int
    each: int
    quantity: int


def take(cursor: Any, batch: Batch) -> None:
    """Take the goods of the new lines off the stock, as far as they are there; note in the batch what is short."""
    parts = list(_parts(cursor, batch))
    if not parts:
        return
    variants = sorted({part.variant_id for part in parts})
    ledger.lock(variants)
    cursor.execute(SQL["free"], [variants, sorted({part.location_id for part in parts})])
    free = {(variant, location): units for variant, location, units in cursor.fetchall()}
    sales: list[ledger.Sale] = []
    missing: list[tuple[int, int, int]] = []
    for part in parts:
        place = part.variant_id, part.location_id
        there = free.get(place, 0)
        units = min(part.quantity, max(there, 0))
        order = batch.lines[part.index].order
        channel_id = batch.orders[order].channel_id
        if units:
            free[place] = there - units
            reference = f"order:{batch.order_ids[order]}"
            sales.append(ledger.Sale(part.variant_id, part.location_id, units, channel_id, reference))
        if units < part.quantity:
            lacking = part.quantity - units
            missing.append((part.variant_id, channel_id, lacking))
            batch.short[part.index] = max(batch.short.get(part.index, 0), -(-lacking // part.each))
    if sales:
        ledger.sell(sales, actor=batch.actor)
    if missing:
        cursor.execute(SQL["warn"], [list(column) for column in zip(*missing, strict=True)])


def pack(cursor: Any, batch: Batch) -> None:
    """Write the parcels: one for each order and location, with all its goods, whether the books held them or not."""
    parts = list(_parts(cursor, batch))
    if not parts:
        return
    parcels = _parcels(cursor, batch, parts)
    rows: dict[tuple[int, int, int], int] = defaultdict(int)
    for part in parts:
        parcel = parcels[batch.order_ids[batch.lines[part.index].order], part.location_id]
        rows[parcel, batch.line_ids[part.index], part.variant_id] += part.quantity
    packed = ((*key, quantity) for key, quantity in rows.items())
    copy_rows(cursor, "fulfilment_lines", list(PACKED_COLUMNS), packed, list(PACKED_COLUMNS.values()))


def _parcels(cursor: Any, batch: Batch, parts: Iterable[_Part]) -> dict[tuple[int, int], int]:
    """Return the parcel of each order and location; lines that come late join the one that is there."""
    orders = dict.fromkeys((batch.lines[part.index].order, part.location_id) for part in parts)
    known: dict[tuple[int, int], int] = {}
    old = [batch.order_ids[order] for order, _ in orders if not batch.is_new[order]]
    if old:
        cursor.execute(SQL["parcels_of"], [old])
        known = {(order_id, location): parcel for order_id, location, parcel in cursor.fetchall()}
    new = [place for place in orders if (batch.order_ids[place[0]], place[1]) not in known]
    if new:
        ids = [batch.order_ids[order] for order, _ in new]
        times = [batch.orders[order].placed_at for order, _ in new]
        cursor.execute(SQL["parcels"], [ids, [location for _, location in new], times])
        for order_id, location, parcel in cursor.fetchall():
            known[order_id, location] = parcel
    return known


def _parts(cursor: Any, batch: Batch) -> Iterable[_Part]:
    """Yield what the new lines take off the stock; bundles by component."""
    recipes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    goods = []
    for index in batch.fresh:
        line = batch.lines[index]
        if line.kind == "goods" and line.variant_id is not None:
            location_id = batch.orders[line.order].location_id
            if location_id is not None:
                goods.append((index, line.variant_id, location_id, line.quantity))
    cursor.execute(SQL["recipes"], [sorted({variant for _, variant, _, _ in goods})])
    for bundle, component, quantity in cursor.fetchall():
        recipes[bundle].append((component, quantity))
    for index, variant, location, quantity in goods:
        for component, each in recipes.get(variant) or ((variant, 1),):
            yield _Part(index, component, location, each, each * quantity)
