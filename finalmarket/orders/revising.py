"""What a newer draft changes on an order that is known. The caller holds the order's row and the pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Variant
from finalmarket.customers.resolve import Contact
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders import aftersales, refunds
from finalmarket.orders.amounts import PARTS, line_total, lowered
from finalmarket.orders.composing import Composed
from finalmarket.orders.drafts import OrderDraft, TenderDraft, plain
from finalmarket.orders.history import add_problem
from finalmarket.orders.known import Known
from finalmarket.orders.models import Order, OrderLine, Payment
from finalmarket.orders.payments import PART, name_at_provider
from finalmarket.orders.states import captured, refundable, surplus

LINE_FIELDS = ("title", "external_id", "unit_price", "discount", "tax", "tax_rate", "total")
SETTLED = (Payment.State.FAILED, Payment.State.VOIDED)
CAPTURED = Payment.State.CAPTURED


def write_header(order: Order, draft: OrderDraft, composed: Composed, taken_off: Decimal = Decimal(0)) -> bool:
    """Put the draft's own words on the order (amounts less what is `taken_off`, addresses, contact); say whether
    anything changed."""
    parts = composed.parts
    if taken_off:
        parts = lowered(
            parts, composed.lines, taken_off, tax_included=draft.tax_included, currency=draft.currency
        )  # fmt: skip
    values: dict[str, Any] = {part: getattr(parts, part) for part in PARTS}
    values |= {
        "taken_off": taken_off,
        "currency": draft.currency,
        "placed_at": draft.placed_at or order.placed_at,
        "tax_included": draft.tax_included,
    }
    if not order.external_version:
        order.external_version = draft.external_version
    changed = _put(order, values)
    return write_contact(order, draft) or changed


def write_contact(order: Order, draft: OrderDraft) -> bool:
    """Put the draft's contact and addresses on the order, as far as it names any; say whether anything changed."""
    return _put(
        order,
        {
            "email": plain(draft.email, 320) or order.email,
            "phone": plain(draft.phone, 40) or order.phone,
            "shipping_address": draft.shipping_address.stored() or order.shipping_address,
            "billing_address": draft.billing_address.stored() or order.billing_address,
        },
    )


def contact_of(draft: OrderDraft) -> Contact:
    """Return what the draft says of the person who ordered."""
    return Contact(
        name=draft.name or draft.shipping_address.name or draft.billing_address.name,
        email=draft.email,
        phone=draft.phone,
        country=draft.billing_address.country or draft.shipping_address.country,
        language=draft.language,
        account=draft.account,
        loyalty=draft.loyalty,
        payment=draft.payment_fingerprint,
        device=draft.device,
        at=draft.placed_at or clock.now(),
    )


def _put(order: Order, values: dict[str, Any]) -> bool:
    changed = [name for name, value in values.items() if getattr(order, name) != value]
    for name in changed:
        setattr(order, name, values[name])
    return bool(changed)


@dataclass(frozen=True, slots=True)
class Revised:
    """What a newer draft changed: anything at all, and the order's goods."""

    anything: bool
    goods: bool


def revise(known: Known, draft: OrderDraft, composed: Composed) -> Revised:
    """Bring header, lines and payments to what the draft says; say what changed. The caller saves the order's row."""
    order = known.order
    if draft.currency != order.currency:
        raise UserError(f"{draft}: the currency of a taken order cannot change from {order.currency}")
    credited = aftersales.credited_units(known.goods)
    before = _net(known.goods, credited)
    goods = _revise_goods(known, composed.lines)
    others = _revise_others(known, composed.lines)
    taken_off, total = order.taken_off, order.total
    if taken_off and (goods or composed.parts.total != order.total + taken_off):  # else it says what it said before
        taken_off = _still_off(known, composed.lines, credited, before)
    changed = write_header(order, draft, composed, taken_off)
    changed = _revise_payments(known, draft) or goods or others or changed
    _settle_credit(known, total - order.total)
    for text in composed.problems:
        add_problem(order, text)
    return Revised(changed, goods)


def _settle_credit(known: Known, less: Decimal) -> None:
    """What was refunded for goods that the order's total is `less` by now was paid for nothing that is in it."""
    order = known.order
    if less > 0:
        credit = order.refunded - order.surplus_refunded
        order.surplus_refunded += min(less, credit, surplus(order, known.payments))


def _still_off(known: Known, drafted: Sequence[OrderLine], credited: Mapping[int, int], before: Decimal) -> Decimal:
    """Return what stays off the total though the draft says it in full. Units of which the draft says less than before
    are not in its amounts any more; where they cost more or less by now, so does what is taken off. `credited` are the
    units that were cancelled or had come back, `before` is what they cost."""
    order = known.order
    pairs = _pair(known.goods, [line for line in drafted if line.kind == OrderLine.Kind.GOODS])
    said = [old for old, _ in pairs]
    standing = aftersales.credited_units(said)
    now = _net(said, {line_id: min(units, credited.get(line_id, 0)) for line_id, units in standing.items()})
    taken_off: Decimal = order.taken_off
    if now == before:
        return taken_off
    return quantize(taken_off * now / before, order.currency) if before > 0 else Decimal(0)


def _net(lines: Iterable[OrderLine], units: Mapping[int, int]) -> Decimal:
    """What so many units of each of these lines cost, by the lines alone."""
    return sum((line_total(line) * units[line.pk] / line.quantity for line in lines), Decimal(0))


def _revise_goods(known: Known, drafted: Sequence[OrderLine]) -> bool:
    goods = [line for line in drafted if line.kind == OrderLine.Kind.GOODS]
    pairs = _pair(known.goods, goods)
    kept = {old.pk for old, _ in pairs}
    gone = [old for old in known.goods if old.pk not in kept]
    paired = {id(new) for _, new in pairs}
    added = [line for line in goods if id(line) not in paired]
    if not gone and not added and all(_is_as_it_was(old, new) for old, new in pairs):
        return False
    started, changed = known.standing.started, False
    for old, new in pairs:
        changed = _revise_line(known.order, old, new, started[old.pk]) or changed
    for old in gone:
        changed = _take_off(known.order, old, started[old.pk]) or changed
    changed = _add(known.order, added) or changed
    known.forget()
    return changed


def _is_as_it_was(old: OrderLine, new: OrderLine) -> bool:
    """Whether a drafted line changes nothing, whatever has left of it."""
    same_units = old.quantity == new.quantity and new.cancelled_quantity <= old.cancelled_quantity
    same_words = all(getattr(old, name) == getattr(new, name) for name in LINE_FIELDS)
    return same_units and same_words and (old.variant_id is not None or new.variant_id is None)


def _pair(known: Sequence[OrderLine], drafted: Sequence[OrderLine]) -> list[tuple[OrderLine, OrderLine]]:
    """Find each drafted line's own: by the channel's name of it, else by position, else by SKU; always the same SKU."""
    pairs: list[tuple[OrderLine, OrderLine]] = []
    free, waiting = list(known), list(drafted)
    for same in (_same_name, _same_position, _nameless):
        for new in list(waiting):
            old = next((line for line in free if line.sku == new.sku and same(line, new)), None)
            if old is not None:
                pairs.append((old, new))
                free.remove(old)
                waiting.remove(new)
    return pairs


def _same_name(old: OrderLine, new: OrderLine) -> bool:
    return bool(new.external_id) and old.external_id == new.external_id


def _same_position(old: OrderLine, new: OrderLine) -> bool:
    return old.position == new.position and _nameless(old, new)


def _nameless(old: OrderLine, new: OrderLine) -> bool:
    return not (new.external_id and old.external_id)


def _revise_line(order: Order, old: OrderLine, new: OrderLine, started: int) -> bool:
    """Bring a line to the drafted one.

    Where the channel lowers a quantity after we cancelled units, it is taken as the echo of that cancellation: the
    units are not taken off twice. What has left, in whole or part (`started`), cannot be taken off; the order gets a
    problem.
    """
    quantity = max(new.quantity, started, 1)
    echoed = max(0, old.quantity - quantity)
    cancelled = max(old.cancelled_quantity - echoed, new.cancelled_quantity)
    if new.quantity - new.cancelled_quantity < started:
        add_problem(order, f"the channel took units off that had left: {old.sku}")
    before = {name: getattr(old, name) for name in (*LINE_FIELDS, "quantity", "cancelled_quantity", "variant_id")}
    for name in LINE_FIELDS:
        setattr(old, name, getattr(new, name))
    old.quantity, old.cancelled_quantity = quantity, min(cancelled, quantity - started)
    if old.variant_id is None:
        old.variant = new.variant
    changed = any(getattr(old, name) != value for name, value in before.items())
    if changed:
        old.save()
    return changed


def _take_off(order: Order, line: OrderLine, started: int) -> bool:
    """The channel does not list the line any more: cancel what has not left."""
    cancelled = line.quantity - started
    if started:
        add_problem(order, f"the channel took a line off that had left: {line.sku}")
    if line.cancelled_quantity == cancelled:
        return False
    line.cancelled_quantity = cancelled
    line.save(update_fields=["cancelled_quantity"])
    return True


def _add(order: Order, lines: Sequence[OrderLine]) -> bool:
    if not lines:
        return False
    taken = set(order.lines.values_list("position", flat=True))
    for line in lines:
        line.order = order
        if line.position in taken:
            line.position = max(taken) + 1
        taken.add(line.position)
    OrderLine.objects.bulk_create(lines)
    return True


def _revise_others(known: Known, drafted: Sequence[OrderLine]) -> bool:
    """Shipping, fees, discounts and adjustments are replaced as a whole when they differ."""
    fields = ("kind", "sku", "quantity", *LINE_FIELDS)
    fresh = [line for line in drafted if line.kind != OrderLine.Kind.GOODS]
    there = [line for line in known.lines if line.kind != OrderLine.Kind.GOODS]
    if [[getattr(line, name) for name in fields] for line in there] == [
        [getattr(line, name) for name in fields] for line in fresh
    ]:
        return False
    known.order.lines.exclude(kind=OrderLine.Kind.GOODS).delete()
    _add(known.order, fresh)
    known.forget()
    return True


def _revise_payments(known: Known, draft: OrderDraft) -> bool:
    """Add tenders that are new, and bring known ones to what the draft says; never below what was given back."""
    there = {(payment.tender, payment.external_id): payment for payment in known.payments}
    changed = False
    for tender in draft.tenders:
        payment = there.get((tender.tender, tender.external_id))
        if payment is None:
            payment = Payment(
                order=known.order, tender=tender.tender, external_id=tender.external_id, currency=draft.currency,
                amount=tender.amount, state=tender.state,
            )  # fmt: skip
            known.payments.append(payment)
        elif _is_settled(payment, tender):
            continue
        else:
            amount = max(tender.amount - _came_in_by_parts(known.payments, payment), payment.refunded)
            if (payment.amount, payment.state) == (amount, tender.state):
                continue
            payment.amount, payment.state = amount, Payment.State(tender.state)
        payment.save()
        changed = True
    return changed


def _is_settled(payment: Payment, tender: TenderDraft) -> bool:
    """Whether a draft has no say in a payment any more. What came in is changed by what is said to have come in alone,
    and not by what was once authorised."""
    return payment.state in SETTLED or (payment.state == CAPTURED and tender.state != CAPTURED)


def _came_in_by_parts(payments: Iterable[Payment], whole: Payment) -> Decimal:
    """What came in of a payment by parts, each of which is a payment of its own."""
    return captured(
        one
        for one in payments
        if one.tender == whole.tender and one.external_id.startswith(f"{whole.external_id}{PART}")
    )


def take_refunds(known: Known, draft: OrderDraft, *, actor: str) -> bool:
    """Book the refunds that the channel made, each exactly once, on the payments that it names: what came in elsewhere
    it has not given back. What exceeds the money that came in by them is a problem."""
    changed = False
    order = known.order
    named = {(tender.tender, tender.external_id) for tender in draft.tenders}
    own = [payment for payment in known.payments if (payment.tender, name_at_provider(payment)) in named]
    for refund in draft.refunds:
        possible = refundable(own)
        if refund.amount > possible and not refunds.is_booked(order, refund.external_id):
            left = quantize(possible, order.currency)
            add_problem(order, f"the channel refunded {refund.amount}, {left} was left to refund")
        booked = refunds.book(
            order, min(refund.amount, possible), key=refund.external_id, reason=refund.reason, actor=actor,
            payments=own, surplus_first=True,
        )  # fmt: skip
        changed = changed or booked > Decimal(0)
    return changed


def match_unknown(lines: Sequence[OrderLine]) -> None:
    """Give lines whose SKU was unknown the variant that has it now."""
    waiting = [line for line in lines if line.variant_id is None]
    found = {variant.sku: variant for variant in Variant.objects.filter(sku__in={line.sku for line in waiting})}
    for line in waiting:
        if line.sku in found:
            line.variant = found[line.sku]
            line.save(update_fields=["variant"])
