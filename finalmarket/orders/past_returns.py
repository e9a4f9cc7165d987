"""Returns that already happened, written many at once: goods that came back, and credits whose sale is not known.

Exactly once by (channel, key) and by the line's position within the return. What is fit for sale goes back on the
shelf through the ledger; money is given back as far as it came in: gift cards first, then as it was paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.kernel.sql import Queries, copy_rows
from finalmarket.orders.history import unit_words
from finalmarket.orders.past_records import NOTHING, HistoricReturns, PastReturn, PastReturnLine, WrittenReturns
from finalmarket.stock import ledger

__all__ = ["HistoricReturns", "PastReturn", "PastReturnLine", "WrittenReturns", "write_returns"]

SQL = Queries(Path(__file__).with_name("past.sql"))
ACTOR = "history"
LINE_COLUMNS = {
    "return_record_id": "int8", "position": "int4", "order_line_id": "int8", "variant_id": "int8", "sku": "text",
    "quantity": "int4", "disposition": "text", "location_id": "int8", "refund": "numeric",
}  # fmt: skip


@dataclass(slots=True)
class _Batch:
    """Returns on their way into the tables."""

    returns: Sequence[PastReturn]
    lines: Sequence[PastReturnLine]
    actor: str
    currencies: dict[int, str] = field(default_factory=dict)  # by order
    return_ids: list[int] = field(default_factory=list)
    is_new: list[bool] = field(default_factory=list)
    fresh: list[PastReturnLine] = field(default_factory=list)
    credited: dict[int, Decimal] = field(default_factory=dict)  # by return: what its older lines credit


@transaction.atomic
def write_returns(history: HistoricReturns, *, actor: str = ACTOR) -> WrittenReturns:
    """Write returns that already happened, exactly once; one transaction, or part of the caller's.

    `refund` of a line is what is credited for all of it, in the order's currency; the money of a return is rounded
    once. What goes beyond the money that came in with the order is credited on the line and not paid back; it is
    returned as `uncovered`. Raises UserError for a line without units or with a negative refund, for more units than
    had left, and for a key that a return of another order bears.
    """
    batch = _Batch(history.returns, history.lines, actor)
    _refuse_wrong(batch)
    with connection.cursor() as cursor:
        _open(cursor, batch)
        _refuse_beyond(cursor, batch)
        _copy_lines(cursor, batch)
        restocked = _restock(cursor, batch)
        refunded, uncovered = _give_back(cursor, batch)
        _tell(cursor, batch)
    return WrittenReturns(sum(batch.is_new), len(batch.fresh), restocked, refunded, uncovered)


def _refuse_wrong(batch: _Batch) -> None:
    for line in batch.lines:
        if not 0 <= line.record < len(batch.returns):
            raise UserError(f"line {line.position} of {line.sku} belongs to no return of the batch ({line.record})")
        if line.quantity < 1 or line.refund < 0:
            raise UserError(
                f"return {batch.returns[line.record].key}, line {line.position}: {line.quantity} units of {line.sku}"
                f" with a refund of {line.refund} are no return"
            )


def _open(cursor: Any, batch: _Batch) -> None:
    """Lock the orders, write the returns that are not there yet, and say which lines are new."""
    cursor.execute(SQL["lock_orders"], [[record.order_id for record in batch.returns if record.order_id is not None]])
    batch.currencies = dict(cursor.fetchall())
    cursor.execute(
        SQL["open_returns"],
        [
            [record.order_id for record in batch.returns],
            [record.channel_id for record in batch.returns],
            [record.customer_id for record in batch.returns],
            [record.key for record in batch.returns],
            [record.reason[:300] for record in batch.returns],
            [record.at for record in batch.returns],
        ],
    )
    new = {return_id for (return_id,) in cursor.fetchall()}
    cursor.execute(
        SQL["find_returns"],
        [[record.channel_id for record in batch.returns], [record.key for record in batch.returns]],
    )
    found = {ordinal: (return_id, order_id) for ordinal, return_id, order_id in cursor.fetchall()}
    for ordinal, record in enumerate(batch.returns):
        return_id, order_id = found[ordinal]
        if order_id != record.order_id:
            raise UserError(f"the key {record.key} is borne by a return of another order; give it another one")
        batch.return_ids.append(return_id)
        batch.is_new.append(return_id in new)
    cursor.execute(SQL["positions_of"], [[number for number in batch.return_ids if number not in new]])
    known = set()
    for return_id, position, refund in cursor.fetchall():
        known.add((return_id, position))
        batch.credited[return_id] = batch.credited.get(return_id, NOTHING) + refund
    for line in batch.lines:
        place = batch.return_ids[line.record], line.position
        if place not in known:
            known.add(place)
            batch.fresh.append(line)


def _refuse_beyond(cursor: Any, batch: _Batch) -> None:
    linked = [(line.order_line_id, line.quantity) for line in batch.fresh if line.order_line_id is not None]
    columns = [[line_id for line_id, _ in linked], [units for _, units in linked]]
    cursor.execute(SQL["beyond"], columns)
    if beyond := cursor.fetchone():
        number, sku, left, back = beyond
        raise UserError(f"order {number}: {back} units of {sku} cannot have come back, {left} had left")
    cursor.execute(SQL["count_back"], columns)


def _copy_lines(cursor: Any, batch: _Batch) -> None:
    def rows() -> Iterator[Sequence[object]]:
        for line in batch.fresh:
            yield (
                batch.return_ids[line.record], line.position, line.order_line_id, line.variant_id, line.sku,
                line.quantity, line.disposition, line.location_id, line.refund,
            )  # fmt: skip

    copy_rows(cursor, "return_lines", list(LINE_COLUMNS), rows(), list(LINE_COLUMNS.values()))


def _restock(cursor: Any, batch: _Batch) -> int:
    """Put what is fit for sale back on the shelf, bundles by component; return the units."""
    fit: list[tuple[PastReturnLine, int, int]] = []
    for line in batch.fresh:
        if line.disposition == "restock" and line.variant_id is not None and line.location_id is not None:
            fit.append((line, line.variant_id, line.location_id))
    recipes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    cursor.execute(SQL["recipes"], [sorted({variant for _, variant, _ in fit})])
    for bundle, component, quantity in cursor.fetchall():
        recipes[bundle].append((component, quantity))
    backs = [
        ledger.TakeBack(
            component,
            location,
            each * line.quantity,
            channel_id=batch.returns[line.record].channel_id,
            reason="returned",
            reference=f"return:{batch.return_ids[line.record]}",
        )
        for line, variant, location in fit
        for component, each in recipes.get(variant) or ((variant, 1),)
    ]
    if backs:
        ledger.take_back(backs, actor=batch.actor)
    return sum(back.quantity for back in backs)


def _give_back(cursor: Any, batch: _Batch) -> tuple[Decimal, Decimal]:
    """Book the refunds of linked returns; return what was given back and what no tender covers."""
    owed = _owed(batch)
    if not owed:
        return NOTHING, NOTHING
    tenders: dict[int, list[list[Any]]] = defaultdict(list)
    cursor.execute(SQL["tenders_of"], [list({batch.returns[ordinal].order_id for ordinal in owed})])
    for order_id, payment_id, left in cursor.fetchall():
        tenders[order_id].append([payment_id, left])
    cursor.execute(SQL["refunds_of"], [[batch.return_ids[ordinal] for ordinal in owed]])
    count: dict[int, int] = dict(cursor.fetchall())
    rows: list[tuple[Any, ...]] = []
    uncovered = NOTHING
    for ordinal, amount in owed.items():
        record, return_id, rest = batch.returns[ordinal], batch.return_ids[ordinal], amount
        for tender in tenders[record.order_id or 0]:
            part = min(rest, tender[1])
            if part > 0:
                count[return_id] = count.get(return_id, 0) + 1
                key = f"return:{return_id}/{count[return_id]}"
                rows.append((record.order_id, tender[0], return_id, key, part, record.reason[:300], record.at))
                tender[1] -= part
                rest -= part
        uncovered += rest
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(SQL["refund"], columns)
        cursor.execute(SQL["count_refunds"], [columns[0], columns[1], columns[4]])
    return sum((row[4] for row in rows), NOTHING), uncovered


def _owed(batch: _Batch) -> dict[int, Decimal]:
    """Return what the new lines add to the refund of each linked return, rounded over the whole return."""
    added: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    for line in batch.fresh:
        added[line.record] += line.refund
    owed = {}
    for ordinal, amount in added.items():
        order_id = batch.returns[ordinal].order_id
        if order_id is not None:
            before = batch.credited.get(batch.return_ids[ordinal], NOTHING)
            currency = batch.currencies[order_id]
            owed[ordinal] = quantize(before + amount, currency) - quantize(before, currency)
    return {ordinal: amount for ordinal, amount in owed.items() if amount > 0}


def _tell(cursor: Any, batch: _Batch) -> None:
    """Write into the histories of the orders what came back."""
    units: dict[int, int] = defaultdict(int)
    for line in batch.fresh:
        units[line.record] += line.quantity
    told = [
        (batch.returns[ordinal].order_id, f"{unit_words(count)} came back", batch.returns[ordinal].at)
        for ordinal, count in units.items()
        if batch.returns[ordinal].order_id is not None
    ]
    if told:
        cursor.execute(SQL["tell_back"], [batch.actor, *(list(column) for column in zip(*told, strict=True))])
