"""Taking orders: exactly once, however the news arrives, with stock, payments and customer in one transaction.

Lock order: the order's row, then the customer's identities, then the pools of stock in variant order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.resolve import resolve_many
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment, revising
from finalmarket.orders.composing import Composed, Variants, compose, has_happened
from finalmarket.orders.drafts import InvalidDraft, OrderDraft, OutOfStock, check, plain, plain_data
from finalmarket.orders.history import add_problem, follow, goods_of, locked, note, taken_words
from finalmarket.orders.known import Known
from finalmarket.orders.models import Order, OrderLine, OrderPromise, Payment
from finalmarket.orders.numbers import is_written, next_row
from finalmarket.orders.parcels import pack, pack_where_promised, settle
from finalmarket.orders.promises import attach, count_short, lock_pools, lock_stock, serving_lines
from finalmarket.orders.standing import Standing, contents
from finalmarket.orders.versions import is_older
from finalmarket.stock import ledger, shortfall
from finalmarket.stock.models import Reservation, ReservationLine
from finalmarket.stock.reserve import Mode

MOST_TRIES = 5
Outcome = Literal["created", "updated", "unchanged", "cancelled"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a draft. `problem` says why the order needs a person, "" if it does not."""

    order: Order
    outcome: Outcome
    problem: str


@transaction.atomic
def take(
    draft: OrderDraft, *, actor: str = "system", channel: SalesChannel | None = None, variants: Variants | None = None
) -> Taken:
    """Take an order, or bring one that is known up to date; the same draft may come any number of times. `channel` and
    `variants` are those that the draft names, where the caller has read them.

    Our own doors are refused when stock does not fit; a sale that already happened is taken with what is there, the
    rest is short, and `problem` says so. An older version never overwrites a newer one. Raises InvalidDraft or
    OutOfStock (both UserError), and then nothing is stored.
    """
    check(draft)
    channel = channel or SalesChannel.objects.filter(pk=draft.channel_id).first()
    if channel is None:
        raise InvalidDraft(f"{draft}: there is no sales channel with id {draft.channel_id}")
    order, is_new = _row_of(draft, channel)
    if is_new:
        return _create(order, draft, channel, actor, variants)
    order.sales_channel = channel
    return bring_up_to_date(Known(order), draft, actor=actor, variants=variants)


def bring_up_to_date(known: Known, draft: OrderDraft, *, actor: str, variants: Variants | None = None) -> Taken:
    """`take` for a draft that is sound, of an order that the caller has locked and knows; `variants` are those that the
    draft names, where the caller has read them. The caller is in a transaction, and undoes it when this raises."""
    order = known.order
    if _is_stub(known):
        return _fill(known, draft, actor)
    if draft.is_cancelled:
        return _cancel_as_drafted(known, draft, actor, variants)
    if is_older(draft.external_version, order.external_version):
        return Taken(order, "unchanged", order.problem)
    return _revise(known, draft, actor, variants)


@transaction.atomic
def cancel_external(
    channel: SalesChannel, external_id: str, *, source: str = "channel", external_version: str = "", reason: str = "",
    actor: str = "system",
) -> Taken:  # fmt: skip
    """Cancel the order that a channel names; if it is not known yet, remember that, so that its later arrival neither
    takes stock nor opens it. Money that came in is given back in the books."""
    draft = OrderDraft(
        channel_id=channel.pk, external_id=external_id, currency=channel.currency, placed_at=clock.now(), lines=(),
        source=source, external_version=external_version, is_cancelled=True,
    )  # fmt: skip
    check(draft)
    order, is_new = _row_of(draft, channel)
    if is_new:
        return _create(order, draft, channel, actor)
    return _cancel(Known(order), external_version, reason or "cancelled by the channel", actor)


@transaction.atomic
def retry(order_id: int, *, actor: str) -> Taken:
    """Look again at an order that has a problem: match unknown SKUs, promise what is lacking, route what waits."""
    order = locked(order_id)
    if order.state == Order.State.CANCELLED:
        return Taken(order, "unchanged", order.problem)
    before = order.problem
    lines = goods_of(order)
    revising.match_unknown(lines)
    lock_stock(order, [line.variant_id for line in lines if line.variant_id is not None])
    standing = Standing(order, lines)
    settle(standing, actor=actor, reason="looked at again")
    unrouted = pack(standing, actor=actor)
    follow(order, unrouted=unrouted)
    if order.problem != before:
        note(order, "problem", order.problem or "solved", actor=actor)
    return Taken(order, "unchanged" if order.problem == before else "updated", order.problem)


@transaction.atomic
def settle_problem(order_id: int, *, actor: str, reason: str) -> Order:
    """Mark the problem of an order as dealt with by a person, who says how. What is still short stays said."""
    if not reason.strip():
        raise UserError("say how the problem was solved")
    order = locked(order_id)
    order.problem = ""
    note(order, "problem", f"settled: {reason}", actor=actor)
    count_short(Standing(order))
    return follow(order)


def waiting_orders(*, days: int = 7, limit: int = 100) -> list[int]:
    """Return open orders to which the stock room gave or took units in the last `days` (goods that arrived met what was
    short, a count took a promise away) and whose parcels do not know it yet: `retry` brings them in step.

    At most `limit` ids. Those that no place could ship when they were last looked at come last, so that they crowd out
    nobody; among equals the one that was looked at longest ago comes first, so that each has its turn.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITING_SQL, {"days": days, "limit": limit})
        return [order_id for (order_id,) in cursor.fetchall()]


WAITING_SQL = """
    WITH touched AS (
        SELECT DISTINCT reservation_id FROM stock_movement
        WHERE kind IN ('backfill', 'short') AND at > now() - make_interval(days => %(days)s)
    ), concerned AS (
        SELECT DISTINCT line.order_id
        FROM touched JOIN order_promises promise ON promise.reservation_id = touched.reservation_id
        JOIN order_lines line ON line.id = promise.order_line_id
        JOIN orders o ON o.id = line.order_id AND o.state <> 'cancelled'
    ), promised AS (
        SELECT line.order_id, line.id AS line_id, held.variant_id, held.location_id, sum(held.quantity) AS units
        FROM concerned JOIN order_lines line ON line.order_id = concerned.order_id
        JOIN order_promises promise ON promise.order_line_id = line.id
        JOIN reservation_line held ON held.reservation_id = promise.reservation_id AND held.line = promise.line
             AND held.variant_id = promise.variant_id
        WHERE held.state = 'confirmed' AND NOT held.is_backorder AND held.quantity > 0 GROUP BY 1, 2, 3, 4
    ), packed AS (
        SELECT parcel.order_id, packed.order_line_id AS line_id, packed.variant_id, parcel.location_id,
               sum(packed.quantity) AS units
        FROM concerned JOIN fulfilments parcel ON parcel.order_id = concerned.order_id AND parcel.state = 'pending'
        JOIN fulfilment_lines packed ON packed.fulfilment_id = parcel.id GROUP BY 1, 2, 3, 4
    )
    SELECT o.id FROM orders o WHERE o.id IN (
        SELECT order_id FROM promised FULL JOIN packed USING (order_id, line_id, variant_id, location_id)
        WHERE promised.units IS DISTINCT FROM packed.units)
    ORDER BY o.problem LIKE '%%unrouted: %%', o.updated_at, o.id LIMIT %(limit)s"""


def _row_of(draft: OrderDraft, channel: SalesChannel) -> tuple[Order, bool]:
    """Return the order's row, locked, and whether this transaction made it. The unique constraint decides."""
    known = Order.objects.select_for_update(of=("self",)).filter(
        sales_channel=channel, source=draft.source, external_id=draft.external_id
    )
    found = known.first()
    if found is not None:
        return found, False
    for _ in range(MOST_TRIES):
        pk, fresh = next_row(channel)
        number = plain(draft.number, 60) or fresh
        order = Order(
            pk=pk, number=number, sales_channel=channel, source=draft.source, external_id=draft.external_id,
            currency=draft.currency, placed_at=draft.placed_at or clock.now(),
        )  # fmt: skip
        Order.objects.bulk_create([order], ignore_conflicts=True)
        if is_written(order):
            return order, True
        found = known.first()
        if found is not None:
            return found, False
        if draft.number:
            raise InvalidDraft(f"{draft}: the number {number} belongs to another order; leave it out to get a new one")
    raise UserError(f"{draft}: no free order number was found; look at the sequence order_number_seq")


def _is_stub(known: Known) -> bool:
    """Whether the order was only heard of by its cancellation."""
    return known.order.state == Order.State.CANCELLED and not known.lines


def _create(
    order: Order, draft: OrderDraft, channel: SalesChannel, actor: str, variants: Variants | None = None
) -> Taken:
    composed = compose(draft, channel, variants)
    known = _write(order, draft, channel, composed)
    if draft.is_cancelled:
        order.state = Order.State.CANCELLED
        order.cancelled_at = clock.now()
        note(order, "cancelled", "came in cancelled", actor=actor)
        return _finish(known, draft, "cancelled", actor)
    lines = [line for line in composed.lines if line.kind == OrderLine.Kind.GOODS]
    _lock_fresh(draft, lines)
    standing = Standing(order, lines, is_new=True)
    _allocate(standing, draft, channel, actor)
    if draft.handed_over:
        unrouted = pack_where_promised(standing, reason="handed over", actor=actor)
        fulfilment.hand_over(standing, actor=actor)
    elif draft.location_id is not None:  # the door said who serves it: nothing is routed elsewhere
        unrouted = pack_where_promised(standing, reason="as the channel said", actor=actor)
    else:
        unrouted = pack(standing, actor=actor)
    note(order, "taken", taken_words(order, len(lines)), actor=actor)
    return _finish(known, draft, "created", actor, unrouted)


def _fill(known: Known, draft: OrderDraft, actor: str) -> Taken:
    """The order arrives after its cancellation: write it down, take no stock."""
    order = known.order
    if not draft.lines:
        return Taken(order, "unchanged", order.problem)
    newest = order.external_version if is_older(draft.external_version, order.external_version) else ""
    _write(order, draft, order.sales_channel, compose(draft, order.sales_channel))
    order.external_version = newest or draft.external_version
    note(order, "taken", "arrived after its cancellation", actor=actor)
    return _finish(Known(order), draft, "cancelled", actor)  # it may have been paid before it was written down


def _finish(known: Known, draft: OrderDraft, outcome: Outcome, actor: str, unrouted: str = "") -> Taken:
    order = known.order
    revising.take_refunds(known, draft, actor=actor)
    follow(order, unrouted=unrouted, lines=known.lines, payments=known.payments)
    if order.state == Order.State.CANCELLED:
        aftersales.close_cancelled(order, actor=actor, reason="the order is cancelled", tenders=known.payments)
        follow(order, lines=known.lines, payments=known.payments)
    return Taken(order, outcome, order.problem)


def _write(order: Order, draft: OrderDraft, channel: SalesChannel, composed: Composed) -> Known:
    """Write down the lines and tenders of a new order; they are known from then on. The order's own words are on it
    then, and saved with what follows from them (see `_finish`)."""
    revising.write_header(order, draft, composed)
    order.customer_id = customer_of(draft, channel)
    for line in composed.lines:
        line.order = order
        if line.kind == OrderLine.Kind.GOODS and (order.state == Order.State.CANCELLED or draft.is_cancelled):
            line.cancelled_quantity = line.quantity
    lines = OrderLine.objects.bulk_create(composed.lines)
    payments = Payment.objects.bulk_create(
        [
            Payment(
                order=order, tender=tender.tender, amount=tender.amount, state=tender.state, currency=draft.currency,
                external_id=tender.external_id,
            )
            for tender in draft.tenders
        ]
    )  # fmt: skip
    order.raw = plain_data(draft.raw)
    for text in composed.problems:
        add_problem(order, text)
    return Known(order, lines, payments)


def customer_of(draft: OrderDraft, channel: SalesChannel) -> int | None:
    """Return whose order a draft is: the profile that it names, else the one that its contact lands on, made now if
    nothing landed there yet. None where it names nobody."""
    if draft.customer_id is not None:
        return draft.customer_id
    return resolve_many([revising.contact_of(draft)], country=channel.country, source=channel.slug)[0]


def _lock_fresh(draft: OrderDraft, lines: Sequence[OrderLine]) -> None:
    """Lock the pools of a new order's goods, and of what the cart's hold has."""
    variants = {line.variant_id for line in lines if line.variant_id is not None}
    if draft.reservation_id is not None:
        held = ReservationLine.objects.filter(reservation_id=draft.reservation_id)
        variants |= set(held.values_list("variant_id", flat=True))
    lock_pools(variants)


def _allocate(standing: Standing, draft: OrderDraft, channel: SalesChannel, actor: str) -> None:
    """Take the order's stock: a cart's hold if it names one, then whatever is lacking. Raises OutOfStock."""
    mode = Mode.SALE if has_happened(draft, channel) else Mode.ALLOCATE
    if draft.reservation_id is not None:
        _confirm_hold(standing, draft.reservation_id, draft.location_id, actor)
    refusal = settle(standing, actor=actor, reason="taken", mode=mode, location_id=draft.location_id)
    if refusal:
        raise OutOfStock(f"{draft} was not taken: {refusal}")
    if mode is Mode.ALLOCATE and any(promise.short for promise in standing.promises):
        short = ", ".join(line.sku for line in standing.lines if line.short_quantity)
        raise OutOfStock(f"{draft} was not taken: the held units are not there any more: {short}")


def _confirm_hold(standing: Standing, reservation_id: int, location_id: int | None, actor: str) -> None:
    """Turn a cart's hold, or a promise that no order stands on yet, into the order's. One that was let go is passed
    over, one that lies elsewhere than at the location that serves the order is given back: the units are taken anew.
    The caller holds the pools. Raises InvalidDraft for a hold of other goods.
    """
    order, lines = standing.order, standing.lines
    found = Reservation.objects.filter(pk=reservation_id, sales_channel=order.sales_channel_id).first()
    if found is None or not _can_be_taken_over(found):
        return
    known = contents(lines)
    serving = serving_lines(found, [known.get(line.pk, {}) for line in lines])
    if set(found.lines.exclude(state="released").values_list("line", flat=True)) - serving.keys():
        raise InvalidDraft(f"order {order.external_id[:60]!r}: reservation {reservation_id} holds other goods")
    if location_id is not None and found.lines.exclude(location=location_id).filter(quantity__gt=0).exists():
        shortfall.let_go(found, actor=actor, reason="served from elsewhere")
        return
    wants = {line: ((lines[n].pk, lines[n].variant_id or 0), lines[n].quantity) for line, n in serving.items()}
    if ledger.confirm([found.pk], actor=actor, reference=f"order:{order.pk}").get(found.pk) == "confirmed":
        attach(standing, found.pk, wants, known)


def _can_be_taken_over(reservation: Reservation) -> bool:
    if reservation.state == Reservation.State.CONFIRMED:
        return not OrderPromise.objects.filter(reservation=reservation).exists()
    return reservation.state == Reservation.State.HELD


def _cancel(known: Known, version: str, reason: str, actor: str) -> Taken:
    order = known.order
    if version and is_older(version, order.external_version):
        return Taken(order, "unchanged", order.problem)
    order.external_version = version or order.external_version
    if order.state == Order.State.CANCELLED:
        order.save(update_fields=["external_version", "updated_at"])
        return Taken(order, "unchanged", order.problem)
    shipped = [line.sku for line in known.goods if line.fulfilled_quantity]
    if shipped:
        add_problem(order, f"cancelled by the channel after it was shipped: {', '.join(shipped)}")
    aftersales.cancel_known(known, reason=reason, actor=actor)
    return Taken(order, "cancelled", order.problem)


def _cancel_as_drafted(known: Known, draft: OrderDraft, actor: str, variants: Variants | None) -> Taken:
    """Cancel a known order by a draft that says what it was: what changed before the cancellation is not missed."""
    order = known.order
    if draft.lines and not is_older(draft.external_version, order.external_version):
        if order.state != Order.State.CANCELLED:
            _revise(known, replace(draft, is_cancelled=False, happened=True), actor, variants)
        elif revising.write_contact(order, draft):
            order.save()
    return _cancel(known, draft.external_version, "cancelled by the channel", actor)


def _revise(known: Known, draft: OrderDraft, actor: str, variants: Variants | None) -> Taken:
    """Bring a known order to what a newer draft says; quantities change stock by their difference."""
    order, channel = known.order, known.order.sales_channel
    newer = is_older(order.external_version, draft.external_version)
    if order.state == Order.State.CANCELLED:
        if newer:
            order.external_version = draft.external_version
            add_problem(order, "the channel shows it as open again after its cancellation")
            order.save()
        return Taken(order, "unchanged", order.problem)
    composed = compose(draft, channel, variants)
    lock_stock(order, [line.variant_id for line in composed.lines if line.variant_id is not None])
    revised = revising.revise(known, draft, composed)
    changed = revising.take_refunds(known, draft, actor=actor) or revised.anything
    order.external_version = draft.external_version or order.external_version
    if draft.raw and newer:
        order.raw = plain_data(draft.raw)
    if not changed:
        if newer:
            order.save(update_fields=["external_version", "raw", "updated_at"])
        return Taken(order, "unchanged", order.problem)
    unrouted = None
    if revised.goods or order.problem:
        unrouted = _bring_in_step(known.standing, draft, channel, actor)
    note(order, "updated", f"version {draft.external_version}" if draft.external_version else "", actor=actor)
    follow(order, unrouted=unrouted, lines=known.lines, payments=known.payments)
    if order.state == Order.State.CANCELLED:
        aftersales.close_cancelled(order, actor=actor, reason="the channel took every unit off", tenders=known.payments)
        follow(order, lines=known.lines, payments=known.payments)
    return Taken(order, "updated", order.problem)


def _bring_in_step(standing: Standing, draft: OrderDraft, channel: SalesChannel, actor: str) -> str:
    """Let promises and parcels follow the lines; returns what no location can ship. Raises OutOfStock."""
    mode = Mode.SALE if has_happened(draft, channel) else Mode.ALLOCATE
    refusal = settle(standing, actor=actor, reason="the channel changed the order", mode=mode)
    if refusal:
        raise OutOfStock(f"{draft} was not changed: {refusal}")
    return pack(standing, actor=actor)
