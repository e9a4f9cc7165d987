"""Goods that come back: requested, received with what becomes of them, and exchanged for others.

A return happens exactly once by its key within the channel. What is fit for sale goes back on the shelf in the same
transaction in which its money is given back; damaged and scrapped goods do not, and are noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words, quantize
from finalmarket.orders import aftersales, refunds
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft
from finalmarket.orders.history import follow, goods_of, locked, note, unit_words
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine, Payment, Return, ReturnLine
from finalmarket.orders.promises import lock_stock
from finalmarket.orders.refunds import EXCHANGE
from finalmarket.orders.standing import contents
from finalmarket.orders.states import captured
from finalmarket.stock import ledger

RESTOCK = ReturnLine.Disposition.RESTOCK


@dataclass(frozen=True, slots=True)
class Back:
    """Units of an order line that come back, what becomes of them, and where. `location_id` None: where they were
    shipped from last."""

    order_line_id: int
    quantity: int
    disposition: str = "restock"
    location_id: int | None = None


@transaction.atomic
def request_return(order_id: int, wishes: Sequence[Back], *, key: str, reason: str, actor: str) -> Return:
    """Note that units are to come back, exactly once by `key`; nothing moves until they are received.

    Raises UserError for units that have not left, came back already, or are requested already.
    """
    order = locked(order_id)
    known = Return.objects.filter(sales_channel=order.sales_channel_id, key=key).first()
    if known is not None:
        return _of_order(known, order)
    _refuse_impossible(order, wishes)
    if not 1 <= len(key) <= 200:
        raise UserError("a return needs a key of 1 to 200 characters")
    record = Return.objects.create(
        order=order, sales_channel=order.sales_channel, customer_id=order.customer_id, key=key,
        state=Return.State.REQUESTED, reason=reason[:300], at=clock.now(),
    )  # fmt: skip
    lines = {line.pk: line for line in goods_of(order)}
    ReturnLine.objects.bulk_create(
        [
            ReturnLine(
                return_record=record, position=position, order_line_id=wish.order_line_id,
                variant_id=lines[wish.order_line_id].variant_id, sku=lines[wish.order_line_id].sku,
                quantity=wish.quantity, disposition=wish.disposition, location_id=wish.location_id,
            )
            for position, wish in enumerate(wishes)
        ]
    )  # fmt: skip
    note(order, "returned", f"{unit_words(sum(wish.quantity for wish in wishes))} announced: {reason}", actor=actor)
    return record


@transaction.atomic
def receive_return(
    return_id: int, *, actor: str, arrived: Mapping[int, Back] | None = None, refund: Decimal | None = None
) -> Return:
    """Take returned goods in: what is fit goes back on the shelf, their worth is given back; only once.

    `arrived` says by return line id what really came; by default what was requested. `refund` overrides the worth of
    the goods, between nothing and what the order costs, rounded as every refund is. Raises UserError for more units
    than were requested and for a location that nobody named.
    """
    record, order = _locked_return(return_id)
    if record.state == Return.State.RECEIVED:
        return record
    if record.state != Return.State.REQUESTED:
        raise UserError(f"return {record.key} is {record.state} and cannot be received")
    lock_stock(order)
    rows = list(record.lines.order_by("position"))
    _apply_arrived(record, rows, arrived or {})
    lines = {line.pk: line for line in goods_of(order)}
    value = _count_returned(order, rows, lines)
    _restock(order, record, rows, lines, actor)
    record.state, record.at = Return.State.RECEIVED, clock.now()
    record.save()
    _give_credit(order, record, value if refund is None else _agreed(order, record, refund), actor)
    note(order, "returned", f"{unit_words(sum(row.quantity for row in rows))} received", actor=actor)
    follow(order)
    return record


def _agreed(order: Order, record: Return, refund: Decimal) -> Decimal:
    """What is given back for a return instead of its worth, in whole coins."""
    whole, most = quantize(refund, order.currency), Decimal(order.total)
    if refund < 0:
        raise UserError(f"return {record.key}: a refund cannot be {refund}")
    return min(whole, most)


def take_return(order_id: int, goods: Sequence[Back], *, key: str, reason: str, actor: str) -> Return:
    """Take goods back that stand on the counter: requested and received in one transaction, exactly once by `key`."""
    with transaction.atomic():
        record = request_return(order_id, goods, key=key, reason=reason, actor=actor)
        return receive_return(record.pk, actor=actor)


@transaction.atomic
def cancel_return(return_id: int, *, actor: str) -> Return:
    """Give a requested return up; one that was received cannot be. Doing it again changes nothing."""
    record, order = _locked_return(return_id)
    if record.state == Return.State.RECEIVED:
        raise UserError(f"return {record.key} was received and cannot be cancelled")
    if record.state == Return.State.REQUESTED:
        record.state = Return.State.CANCELLED
        record.save()
        note(order, "returned", f"return {record.pk} was given up", actor=actor)
    return record


@transaction.atomic
def exchange(
    order_id: int, goods: Sequence[Back], instead: Sequence[LineDraft], *, key: str, reason: str, actor: str,
    received: bool = False,
) -> Return:  # fmt: skip
    """Take goods back and send others: a return and a new order, linked, exactly once by `key`.

    The worth of what comes back pays for the new order as far as it goes, when it is received (at once with
    `received`); the rest is refunded, or due. Raises OutOfStock when the new goods are not there, and then nothing
    of the exchange is stored.
    """
    order = locked(order_id)
    known = Return.objects.filter(sales_channel=order.sales_channel_id, key=key).first()
    if known is not None:
        return _of_order(known, order)
    record = request_return(order_id, goods, key=key, reason=reason, actor=actor)
    _link_customer(order)
    skus = [line.sku for line in instead if line.variant_id is None]
    named = set(Variant.objects.filter(sku__in=skus).values_list("id", flat=True))
    lock_stock(order, named | {line.variant_id for line in instead if line.variant_id is not None})
    record.exchange_order = take(
        OrderDraft(
            channel_id=order.sales_channel_id, external_id=f"exchange:{order.pk}:{record.pk}", currency=order.currency,
            placed_at=clock.now(), lines=tuple(instead), customer_id=order.customer_id, email=order.email,
            phone=order.phone, tax_included=order.tax_included, shipping_address=Address(**order.shipping_address),
            billing_address=Address(**order.billing_address),
        ),
        actor=actor,
    ).order  # fmt: skip
    record.save()
    return receive_return(record.pk, actor=actor) if received else record


def _link_customer(order: Order) -> None:
    """Find the customer before any pool is locked: identities are locked before stock, here as everywhere."""
    if order.customer_id is None:
        contact = Contact(email=order.email, phone=order.phone)
        order.customer_id = resolve_many([contact], country=order.sales_channel.country)[0]


def _of_order(record: Return, order: Order) -> Return:
    if record.order_id != order.pk:
        raise UserError(f"return {record.key} belongs to another order of the channel; use another key")
    return record


def _locked_return(return_id: int) -> tuple[Return, Order]:
    """Lock the order of a return, and the order that it is exchanged for, in the order of their ids."""
    found = Return.objects.filter(pk=return_id).values_list("order_id", "exchange_order_id").first()
    if found is None:
        raise UserError(f"there is no return with id {return_id}")
    order_id, exchange_id = found
    if order_id is None:
        raise UserError("this return is a credit without a known order; nothing is left to do with it")
    held = {number: locked(number) for number in sorted(filter(None, (order_id, exchange_id)))}
    return Return.objects.get(pk=return_id), held[order_id]


def _refuse_impossible(order: Order, wishes: Sequence[Back]) -> None:
    if not wishes:
        raise UserError(f"order {order.number}: say which goods come back")
    lines = {line.pk: line for line in goods_of(order)}
    announced = ReturnLine.objects.filter(
        order_line__order=order, return_record__state=Return.State.REQUESTED
    ).values_list("order_line_id", "quantity")
    asked: dict[int, int] = {}
    for line_id, quantity in announced:
        asked[line_id or 0] = asked.get(line_id or 0, 0) + quantity
    for wish in wishes:
        line = lines.get(wish.order_line_id)
        if line is None:
            raise UserError(f"order {order.number} has no line of goods with id {wish.order_line_id}")
        if wish.disposition not in ReturnLine.Disposition.values:
            known = ", ".join(ReturnLine.Disposition.values)
            raise UserError(f"{wish.disposition!r} is nothing that becomes of a return; use one of {known}")
        possible = line.fulfilled_quantity - line.returned_quantity - asked.get(line.pk, 0)
        if not 1 <= wish.quantity <= possible:
            raise UserError(f"order {order.number}: {wish.quantity} of {line.sku} cannot come back; {possible} can")
        asked[line.pk] = asked.get(line.pk, 0) + wish.quantity


def _apply_arrived(record: Return, rows: Sequence[ReturnLine], arrived: Mapping[int, Back]) -> None:
    for row in rows:
        back = arrived.get(row.pk)
        if back is None:
            continue
        if not 0 <= back.quantity <= row.quantity:
            raise UserError(f"return {record.key}: {back.quantity} of {row.sku} arrived, {row.quantity} were requested")
        row.quantity, row.disposition = back.quantity, ReturnLine.Disposition(back.disposition)
        row.location_id = back.location_id or row.location_id


def _count_returned(order: Order, rows: Sequence[ReturnLine], lines: Mapping[int, OrderLine]) -> Decimal:
    """Add the units to the order's lines and say what each row is worth; return the worth of all."""
    measure = aftersales.worth(order)
    before = aftersales.credited_units(list(lines.values()))
    whole = Decimal(0)
    for row in rows:
        line = lines[row.order_line_id or 0]
        row.refund = measure.added(before, {line.pk: row.quantity})
        whole += row.refund
        before[line.pk] += row.quantity
        line.returned_quantity += row.quantity
        line.save(update_fields=["returned_quantity"])
    return whole


def _restock(
    order: Order, record: Return, rows: Sequence[ReturnLine], lines: Mapping[int, OrderLine], actor: str
) -> None:
    known = contents(list(lines.values()))
    shipped_from = _shipped_from(order)
    back = []
    for row in rows:
        if row.disposition == RESTOCK and row.quantity:
            row.location_id = row.location_id or shipped_from.get(row.order_line_id or 0)
            if row.location_id is None:
                raise UserError(f"return {record.key}: say at which location {row.sku} came back")
            back += [
                ledger.TakeBack(
                    variant_id, row.location_id, row.quantity * per_unit, order.sales_channel_id,
                    reason="returned", reference=f"return:{record.pk}",
                )
                for variant_id, per_unit in known.get(row.order_line_id or 0, {}).items()
            ]  # fmt: skip
        row.save()
    if back:
        ledger.take_back(back, actor=actor)


def _shipped_from(order: Order) -> dict[int, int]:
    """Return for each order line the location from which its units were shipped last."""
    rows = FulfilmentLine.objects.filter(
        fulfilment__order=order, fulfilment__state__in=(Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)
    ).order_by("fulfilment__shipped_at", "id")
    return dict(rows.values_list("order_line_id", "fulfilment__location_id"))


def _give_credit(order: Order, record: Return, worth: Decimal, actor: str) -> None:
    """Let what was paid for the returned goods pay for the order that they are exchanged for, as far as that costs
    anything still; the rest is refunded. The caller holds the rows of both orders and calls `follow` afterwards."""
    back = aftersales.take_off_unpaid(order, worth)
    instead = Order.objects.filter(pk=record.exchange_order_id or 0).first()
    carried = min(back, _still_costs(instead)) if instead else Decimal(0)
    # What leaves the house is booked before what stays in it: gift cards get their money back first.
    refunds.book(
        order, back - carried, key=f"return:{record.pk}", reason=record.reason or "returned", actor=actor,
        return_record=record,
    )  # fmt: skip
    if instead and carried > 0:
        refunds.book(
            order, carried, key=f"{EXCHANGE}:{record.pk}", reason=f"pays for order {instead.number}", actor=actor,
            return_record=record,
        )  # fmt: skip
        _pay_exchange(instead, record, carried, actor)


def _still_costs(instead: Order) -> Decimal:
    """What an exchange may pay of the order that is sent instead."""
    if instead.state == Order.State.CANCELLED:
        return Decimal(0)
    due: Decimal = instead.total - captured(instead.payments.all())
    return max(Decimal(0), due)


def _pay_exchange(instead: Order, record: Return, amount: Decimal, actor: str) -> None:
    Payment.objects.create(
        order=instead, tender=EXCHANGE, state=Payment.State.CAPTURED, amount=amount, currency=instead.currency,
        external_id=f"return:{record.pk}", at=clock.now(),
    )  # fmt: skip
    note(instead, "paid", f"{money_words(amount, instead.currency)} from an exchange", actor=actor)
    follow(instead)
