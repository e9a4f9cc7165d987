"""A lake of a history that never was, written straight to Parquet: as many interactions as asked for, in seconds.

Each interaction is a touch of a journey; one journey in eight leads to an order, one profile in twenty is part of
another one. The same seed gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finalmarket.analytics.lake.layout import Head, Lake, Part
from finalmarket.analytics.lake.tables import (
    CHANNELS,
    INTERACTIONS,
    JOURNEYS,
    ORDER_LINES,
    ORDERS,
    PERSONS,
    TOUCHPOINTS,
    LakeTable,
)

FIRST_DAY = date(2025, 1, 1)
DAYS, FEW_DAYS = 365, 25  # the few are for a history of fewer than `MANY_ROWS`: files would be all it is made of
MANY_ROWS = 100_000
STEPS_A_JOURNEY = 5
SECOND = 1_000_000
DAY = 86_400 * SECOND
CHANNEL_TYPES = ("web", "mobile", "marketplace", "social", "store", "phone", "email", "chat")
EAST = 4  # channels from this number on are two hours east of UTC
ACTIONS = np.array(
    ["page_view", "product_view", "product_view", "search", "add_to_cart", "checkout_start", "checkout_complete"]
)
INTENTS = np.array(["browse", "research", "purchase", "purchase", "support"])
Columns = dict[str, Any]


def fill(folder: Path, rows: int, seed: int) -> Lake:
    """Write a lake of `rows` interactions to an empty folder."""
    rng = np.random.default_rng(seed)
    lake = Lake(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "days").mkdir()
    manifests: dict[date, dict[str, Part]] = {}
    journeys, touches = _journeys_and_touches(rng, rows)
    orders, lines = _orders_and_lines(rng, journeys)
    for table, columns in ((JOURNEYS, journeys), (ORDERS, orders), (ORDER_LINES, lines)):
        _write(lake, table, columns, manifests)
    names = ("id", "journey", "channel", "action", "occurred_at", "visit")
    _write(lake, TOUCHPOINTS, {name: touches[name] for name in names}, manifests)
    _write(lake, INTERACTIONS, _interactions(touches), manifests)
    for day, parts in manifests.items():
        lake.write_day(day, parts)
    customers = max(40, len(journeys["id"]) // 8)
    whole = {table.name: _write_whole(lake, table, rows) for table, rows in _whole(customers).items()}
    zones = {str(number): _zone(number) for number in range(1, len(CHANNEL_TYPES) + 1)}
    lake.write_head(Head(["made up"], zones, whole))
    return lake


def _zone(channel: int) -> str:
    return "UTC" if channel < EAST else "Etc/GMT-2"


def _local_date(at: Any, channel: Any) -> Any:
    """The days where the channels are, of moments in microseconds."""
    return ((at + np.where(channel < EAST, 0, 7_200 * SECOND)) // DAY).astype("int32")


def _journeys_and_touches(rng: Any, rows: int) -> tuple[Columns, Columns]:
    count = max(80, rows // STEPS_A_JOURNEY + rows // 50)
    sizes = rng.integers(1, 2 * STEPS_A_JOURNEY, count)
    count = int(np.searchsorted(np.cumsum(sizes), rows)) + 1
    sizes = sizes[:count]
    begin = (FIRST_DAY - date(1970, 1, 1)).days * DAY
    started = begin + np.sort(rng.integers(0, ((DAYS if rows >= MANY_ROWS else FEW_DAYS) - 5) * 86_400, count)) * SECOND
    channel = rng.integers(1, 9, count)
    number = np.arange(1, count + 1)
    journey = np.repeat(number, sizes)[:rows]
    at = started[journey - 1] + rng.integers(0, 40_000, len(journey)) * SECOND
    at = at[np.lexsort((at, journey))]
    strayed = rng.random(len(journey)) >= 0.6
    there = np.where(strayed, 1 + np.floor(rng.random(len(journey)) ** 2 * 8).astype("int64"), channel[journey - 1])
    last = np.cumsum(np.bincount(journey, minlength=count + 1)[1:]) - 1
    customer = rng.integers(1, max(40, count // 8) + 1, count)
    leads = number % 8 == 0
    state = np.where(leads, "completed", np.where(number % 31 == 0, "open", "abandoned"))
    journeys = {
        "id": number, "channel": channel, "customer": customer, "intent": INTENTS[rng.integers(0, 5, count)],
        "state": state, "order_id": np.where(leads, number // 8, 0), "started_at": started,
        "ended_at": np.where(state == "open", 0, at[last]), "local_date": _local_date(started, channel),
        "visits": np.ones(count, "int64"), "score": sizes, "last_touch_at": at[last],
    }  # fmt: skip
    touches = {
        "id": np.arange(1, len(journey) + 1), "journey": journey, "channel": there,
        "action": ACTIONS[np.floor(rng.random(len(journey)) ** 1.3 * 7).astype("int64")], "occurred_at": at,
        "visit": np.ones(len(journey), "int64"), "customer": customer[journey - 1],
    }  # fmt: skip
    return journeys, touches


def _interactions(touches: Columns) -> Columns:
    at = touches["occurred_at"]
    return {
        "id": touches["id"], "channel": touches["channel"], "customer": touches["customer"],
        "interaction_type": touches["action"], "value_score": np.ones(len(at), "int16"), "occurred_at": at,
        "received_at": at + SECOND, "local_date": _local_date(at, touches["channel"]),
    }  # fmt: skip


def _orders_and_lines(rng: Any, journeys: Columns) -> tuple[Columns, Columns]:
    """Amounts are in ten-thousandths here. Prices hold 19 % tax; some orders came back as a whole."""
    led = journeys["order_id"] > 0
    number, channel = journeys["order_id"][led], journeys["channel"][led]
    count, placed = len(number), journeys["last_touch_at"][led]
    sizes = rng.integers(1, 5, count)
    order = np.repeat(number, sizes)
    position = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    units, price = rng.integers(1, 4, len(order)), rng.integers(100, 20_000, len(order)) * 100
    total, tax = units * price, units * price * 19 // 11_900 * 100
    back = rng.random(count) < 0.05
    returned = np.where(back[order - 1], units, 0)
    goods, taxes = _sum(order, total, count), _sum(order, tax, count)
    cancelled, shipping = rng.random(count) < 0.02, np.where(rng.random(count) < 0.5, 49_000, 0)
    everything, revenue = goods + shipping, goods - taxes
    none = np.zeros(count, "int64")
    orders = {
        "id": number, "channel": channel, "customer": journeys["customer"][led],
        "state": np.where(cancelled, "cancelled", "fulfilled"), "payment_state": np.full(count, "paid"),
        "currency": np.where(channel == 8, "USD", "EUR"), "placed_at": placed,
        "local_date": _local_date(placed, channel), "goods": goods, "discount": none, "shipping": shipping,
        "fees": none, "tip": none, "tax": taxes, "tax_included": np.ones(count, "bool"), "total": everything,
        "refunded": np.where(back, everything, 0), "revenue": revenue, "refunds": np.where(back, revenue, 0),
        "units_sold": _sum(order, units, count), "units_returned": _sum(order, returned, count),
    }  # fmt: skip
    nothing = np.zeros(len(order), "int64")
    lines = {
        "id": np.arange(1, len(order) + 1), "order_id": order, "position": position,
        "kind": np.full(len(order), "goods"), "variant": nothing, "sku": np.char.add("SKU-", (price % 997).astype("U")),
        "quantity": units, "unit_price": price, "discount": nothing, "tax": tax, "total": total,
        "cancelled_quantity": nothing, "returned_quantity": returned, "placed_at": placed[order - 1],
    }  # fmt: skip
    return orders, lines


def _sum(order: Any, values: Any, count: int) -> Any:
    """The sum of an order's lines, for the orders 1 to `count`."""
    return np.bincount(order, weights=values, minlength=count + 1)[1:].astype("int64")


def _whole(customers: int) -> Mapping[LakeTable, Columns]:
    number = np.arange(1, len(CHANNEL_TYPES) + 1)
    merged = np.arange(20, customers + 1, 20)
    kinds = np.array(CHANNEL_TYPES)
    return {
        CHANNELS: {
            "id": number, "name": kinds, "slug": kinds, "channel_type": kinds,
            "currency": np.where(number == 8, "USD", "EUR"), "time_zone": np.array([_zone(int(n)) for n in number]),
        },
        PERSONS: {"customer": merged, "person": merged - 19},
    }  # fmt: skip


def _write(lake: Lake, table: LakeTable, columns: Columns, manifests: dict[date, dict[str, Part]]) -> None:
    """Write a table's rows by day."""
    days = columns[table.moment] // DAY
    in_order = np.argsort(days, kind="stable")
    rows = pa.table([_array(columns[field.name][in_order], field) for field in table.schema], schema=table.schema)
    days = days[in_order]
    found, begins = np.unique(days, return_index=True)
    for day, begin, end in zip(found, begins, [*begins[1:], len(days)], strict=True):
        when = date(1970, 1, 1) + timedelta(days=int(day))
        path = lake.new_file(table.name, when)
        pq.write_table(rows.slice(begin, end - begin), path, compression="zstd")
        part = Part(str(path.relative_to(lake.folder)), int(end - begin), path.stat().st_size)
        manifests.setdefault(when, {})[table.name] = part


def _write_whole(lake: Lake, table: LakeTable, columns: Columns) -> Part:
    path = lake.new_file(table.name, None)
    rows = pa.table([_array(columns[field.name], field) for field in table.schema], schema=table.schema)
    pq.write_table(rows, path)
    return Part(str(path.relative_to(lake.folder)), rows.num_rows, path.stat().st_size)


def _array(values: Any, field: pa.Field) -> pa.Array:
    """A column; amounts come in ten-thousandths, and 0 is no order, no variant and no end."""
    if pa.types.is_decimal(field.type):
        halves = np.stack([values, values >> 63], axis=1).astype("int64")
        return pa.Decimal128Array.from_buffers(field.type, len(values), [None, pa.py_buffer(halves)])
    if field.name in {"order_id", "variant", "ended_at"}:
        return pa.array(values, field.type, mask=values == 0)
    return pa.array(values, field.type)
