"""Orders that already happened, written many at once: what an import and the demo bring in.

They are fulfilled and paid history: orders, lines, tenders and parcels are written, and the goods leave the stock
through the ledger. The constraints make it exactly once: an order that exists gets only those lines whose position is
new, so writing a batch again changes nothing. What the stock does not hold is `short_quantity` on the line and an
alert; no balance goes below zero. Totals are rounded at the order, never at the line.

    written = write(HistoricOrders(
        [PastOrder(channel.pk, "4711", placed_at, "EUR", customer_id=customer.pk, location_id=store.pk)],
        [PastLine(0, 0, 2, Decimal("9.90"), variant_id=variant.pk, sku=variant.sku)],
    ))

Returns of such orders are written by `past_returns.write_returns`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import check_currency, quantize
from finalmarket.kernel.sql import Queries, copy_rows
from finalmarket.orders import past_stock
from finalmarket.orders.amounts import NOTHING, Parts, line_total, parts_of
from finalmarket.orders.numbers import next_numbers
from finalmarket.orders.past_records import Batch, HistoricOrders, PastLine, PastOrder, Tender, Written
from finalmarket.orders.states import payment_state

__all__ = ["HistoricOrders", "PastLine", "PastOrder", "Tender", "Written", "write"]

SQL = Queries(Path(__file__).with_name("past.sql"))
ACTOR = "history"

LINE_COLUMNS = {
    "ordinal": "int4", "order_ordinal": "int4", "position": "int4", "quantity": "int4", "unit_price": "numeric",
    "kind": "text", "variant_id": "int8", "sku": "text", "title": "text", "external_id": "text", "discount": "numeric",
    "tax": "numeric", "tax_rate": "numeric", "total": "numeric",
}  # fmt: skip
ORDER_COLUMNS = {
    "ordinal": "int4", "number": "text", "sales_channel_id": "int8", "source": "text", "external_id": "text",
    "customer_id": "int8", "location_id": "int8", "payment_state": "text", "currency": "text",
    "placed_at": "timestamptz", "email": "text", "phone": "text", "shipping_address": "jsonb",
    "billing_address": "jsonb", "goods": "numeric", "discount": "numeric", "shipping": "numeric", "fees": "numeric",
    "tip": "numeric", "tax": "numeric", "tax_included": "bool", "total": "numeric", "raw": "jsonb",
}  # fmt: skip


@transaction.atomic
def write(history: HistoricOrders, *, actor: str = ACTOR) -> Written:
    """Write orders that already happened, exactly once; one transaction, or part of the caller's.

    Amounts are in the order's currency, quantities in units. Many processes may do it at once. Raises UserError for a
    goods line without units, a line of no order, an unknown currency, or a number that another order bears.
    """
    _refuse_wrong(history)
    batch = Batch(history.orders, history.lines)
    with connection.cursor() as cursor:
        _place_orders(cursor, batch)
        extended = _place_lines(cursor, batch)
        short_units = past_stock.take(cursor, actor)
        cursor.execute(SQL["write_lines"])
        _resum(cursor, batch, extended)
        past_stock.pack(cursor)
        _pay(cursor, batch, extended)
        cursor.execute(SQL["tell"], ["brought in when it was over", actor])
        cursor.execute(SQL["first_seen"])
    return Written(sum(batch.is_new), len(batch.fresh), short_units, batch.order_ids, batch.line_ids)


def _refuse_wrong(history: HistoricOrders) -> None:
    for currency in {order.currency for order in history.orders}:
        check_currency(currency)
    seen: set[tuple[int, str, str]] = set()
    for order in history.orders:
        if (order.channel_id, order.source, order.external_id) in seen:
            raise UserError(f"order {order.external_id} stands twice in one batch; put its lines together")
        seen.add((order.channel_id, order.source, order.external_id))
    places: set[tuple[int, int]] = set()
    for line in history.lines:
        if not 0 <= line.order < len(history.orders):
            raise UserError(f"line {line.position} of {line.sku} belongs to no order of the batch ({line.order})")
        if line.quantity < 1 and line.kind == "goods":
            place = f"order {history.orders[line.order].external_id}, line {line.position}"
            raise UserError(f"{place}: {line.quantity} units of {line.sku} are no sale")
        places.add((line.order, line.position))
    if len(places) < len(history.lines):
        raise UserError("two lines of one order have the same position; a position is a line's identity")


def _place_orders(cursor: Any, batch: Batch) -> None:
    """Write the orders that are not there yet; find and lock all of them."""
    cursor.execute(SQL["make_tables"])
    copy_rows(cursor, "past_orders", list(ORDER_COLUMNS), _order_rows(batch), list(ORDER_COLUMNS.values()))
    _number(cursor, batch)
    cursor.execute(SQL["place"])
    new = {order_id for (order_id,) in cursor.fetchall()}
    cursor.execute(SQL["find"])
    found = {ordinal: (order_id, currency) for ordinal, order_id, currency in cursor.fetchall()}
    for ordinal, order in enumerate(batch.orders):
        order_id, currency = found[ordinal]
        if currency != order.currency:
            raise UserError(f"order {order.external_id} is in {currency}; lines in {order.currency} cannot join it")
        batch.order_ids.append(order_id)
        batch.is_new.append(order_id in new)
    cursor.execute(
        SQL["mark"],
        [list(found), [found[ordinal][0] for ordinal in found], [batch.is_new[ordinal] for ordinal in found]],
    )


def _order_rows(batch: Batch) -> Iterator[Sequence[object]]:
    lines: dict[int, list[PastLine]] = defaultdict(list)
    for line in batch.lines:
        lines[line.order].append(line)
    nothing = Jsonb({})
    for ordinal, order in enumerate(batch.orders):
        parts = parts_of(
            lines[ordinal], tip=order.tip, tax=order.tax, tax_included=order.tax_included, currency=order.currency
        )
        ship, bill, raw = (
            Jsonb(dict(given)) if given else nothing
            for given in (order.shipping_address, order.billing_address, order.raw)
        )
        yield (
            ordinal, order.number, order.channel_id, order.source, order.external_id, order.customer_id,
            order.location_id, _paid_state(order, parts), order.currency, order.placed_at, order.email, order.phone,
            ship, bill, parts.goods, parts.discount, parts.shipping, parts.fees, parts.tip, parts.tax,
            order.tax_included, parts.total, raw,
        )  # fmt: skip


def _number(cursor: Any, batch: Batch) -> None:
    """Give new orders without a number the next of their channels; refuse a number that is taken."""
    cursor.execute(SQL["known"])
    known = {ordinal for (ordinal,) in cursor.fetchall()}
    waiting: dict[int, list[int]] = defaultdict(list)
    for ordinal, order in enumerate(batch.orders):
        if not order.number and ordinal not in known:
            waiting[order.channel_id].append(ordinal)
    channels = SalesChannel.objects.in_bulk(list(waiting))
    ordinals: list[int] = []
    numbers: list[str] = []
    for channel_id, unnumbered in waiting.items():
        ordinals += unnumbered
        numbers += next_numbers(channels[channel_id], len(unnumbered))
    if ordinals:
        cursor.execute(SQL["number"], [ordinals, numbers])
    cursor.execute(SQL["taken_numbers"])
    if taken := cursor.fetchone():
        raise UserError(f"order {taken[1]}: the number {taken[0]} is borne by another order; give it another one")


def _place_lines(cursor: Any, batch: Batch) -> dict[int, list[PastLine]]:
    """Bring the lines in and drop those that are there; return the old lines of known orders that get new ones."""
    copy_rows(cursor, "past_lines", list(LINE_COLUMNS), _line_rows(batch), list(LINE_COLUMNS.values()))
    known: dict[tuple[int, int], int] = {}
    old_lines: dict[int, list[PastLine]] = defaultdict(list)
    old = [order_id for order_id, is_new in zip(batch.order_ids, batch.is_new, strict=True) if not is_new]
    if old:
        cursor.execute(SQL["lines_of"], [old])
        for order_id, position, line_id, kind, quantity, price, discount, tax in cursor.fetchall():
            known[order_id, position] = line_id
            old_lines[order_id].append(PastLine(0, position, quantity, price, kind, discount=discount, tax=tax))
        cursor.execute(SQL["drop_known"])
    cursor.execute(SQL["line_ids"])
    fresh = dict(cursor.fetchall())
    batch.fresh = sorted(fresh)
    batch.line_ids = [
        fresh.get(ordinal) or known[batch.order_ids[line.order], line.position]
        for ordinal, line in enumerate(batch.lines)
    ]
    extended = {batch.order_ids[batch.lines[ordinal].order] for ordinal in batch.fresh} & set(old) if old else set()
    return {order_id: old_lines[order_id] for order_id in extended}


def _line_rows(batch: Batch) -> Iterator[Sequence[object]]:
    for ordinal, line in enumerate(batch.lines):
        yield (ordinal, *line, line_total(line))


def _resum(cursor: Any, batch: Batch, extended: Mapping[int, list[PastLine]]) -> None:
    """Sum orders anew that existed and got lines; a tax that was given for the whole order stays."""
    if not extended:
        return
    late: dict[int, list[PastLine]] = defaultdict(list)
    for index in batch.fresh:
        line = batch.lines[index]
        late[batch.order_ids[line.order]].append(line)
    orders = dict(zip(batch.order_ids, batch.orders, strict=True))
    cursor.execute(SQL["heads_of"], [sorted(extended)])
    rows = []
    for order_id, tip, tax, tax_included, currency in cursor.fetchall():
        old = extended[order_id]
        of_lines = tax == quantize(sum((line.tax for line in old), NOTHING), currency)
        parts = parts_of(
            [*old, *late[order_id]],
            tip=tip,
            tax=None if of_lines else tax,
            tax_included=tax_included,
            currency=currency,
        )
        state = _paid_state(orders[order_id], parts)
        rows.append((order_id, parts.goods, parts.discount, parts.shipping, parts.fees, parts.tax, parts.total, state))
    cursor.execute(SQL["resum"], [list(column) for column in zip(*rows, strict=True)])


@dataclass(slots=True)
class _Paid:
    amount: Decimal
    state: str = "captured"
    refunded: Decimal = NOTHING


def _amounts(order: PastOrder, total: Decimal) -> list[tuple[Tender, Decimal]]:
    """The tenders with their amounts: one without an amount of its own takes what is left of the total, once."""
    rest = total - sum((tender.amount for tender in order.tenders if tender.amount is not None), NOTHING)
    amounts = []
    for tender in order.tenders:
        amount = tender.amount if tender.amount is not None else max(rest, NOTHING)
        if tender.amount is None:
            rest = NOTHING
        if amount > 0:
            amounts.append((tender, amount))
    return amounts


def _paid_state(order: PastOrder, parts: Parts) -> str:
    return str(payment_state(parts.total, [_Paid(amount) for _, amount in _amounts(order, parts.total)]))


def _pay(cursor: Any, batch: Batch, extended: Mapping[int, list[PastLine]]) -> None:
    """Book the tenders of new orders, and what late lines add to those of known ones."""
    written = [
        ordinal
        for ordinal, order_id in enumerate(batch.order_ids)
        if batch.is_new[ordinal] or order_id in extended
    ]  # fmt: skip
    cursor.execute("SELECT id, total FROM orders WHERE id = ANY (%s)", [[batch.order_ids[i] for i in written]])
    totals = dict(cursor.fetchall())
    rows = {}
    for ordinal in written:
        order, order_id = batch.orders[ordinal], batch.order_ids[ordinal]
        for tender, amount in _amounts(order, totals[order_id]):
            key = (order_id, tender.tender, tender.external_id)
            rows[key] = (order_id, tender.tender, amount, order.currency, tender.external_id, order.placed_at)
    if rows:
        cursor.execute(SQL["pay"], [list(column) for column in zip(*rows.values(), strict=True)])
