"""Payments come in from a payment provider, and are applied to the order that they name: each once, whether a callback,
a webhook or a pull brings the news, and whichever comes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.records import PaymentRecord
from finalmarket.integrations import refund_echo
from finalmarket.integrations.desk import disputes, page_book, payment_parts
from finalmarket.integrations.desk.asking import tender_of
from finalmarket.integrations.desk.failed_refunds import follow_failed_refunds
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ExternalId
from finalmarket.integrations.notice_queries import happened, hear
from finalmarket.integrations.storing import Stored, each_alone
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders import aftersales, payments, refunds
from finalmarket.orders.drafts import plain
from finalmarket.orders.history import add_problem, follow, locked
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.states import refundable
from finalmarket.orders.versions import is_older

KIND = "payment"
ACTOR = "integration"
WAITS = "waits for order"
TENDER = "card"


class OrderNotThereYet(UserError):
    """The payment names an order that has not come in: it is tried again by itself."""


def take_payments(integration: ChannelIntegration, records: Sequence[PaymentRecord]) -> list[Stored]:
    """Apply these payments; the caller is within `storing.intake`.

    An older version changes nothing. A payment that names no order is none of ours and left alone; one whose order is
    not there yet is set aside and tried again by itself.
    """
    rows = ExternalId.objects.filter(
        integration=integration, kind=KIND, external_id__in=[one.external_id for one in records]
    )
    known = {row.external_id: row for row in rows}
    stored = each_alone(integration, "payments", records, partial(_take, integration, known))
    page_book.note_unfit(integration, stored)
    return stored


def _take(integration: ChannelIntegration, known: dict[str, ExternalId], record: PaymentRecord) -> str:
    row = known.get(record.external_id)
    if row is not None and not is_older(row.version, record.version):
        return "unchanged"
    payment = Payment.objects.filter(pk=row.local_id).first() if row else None
    page = page_book.page_of(integration, record)
    order_id = payment.order_id if payment else page.order_id if page else _order_id(record)
    if order_id is None:
        return "unchanged"
    order = locked(order_id)
    if order.currency != record.currency.strip().upper():
        raise UserError(f"order {order.number} is in {order.currency}, the payment in {record.currency}")
    before, heard = _standing(order), happened([order.pk])
    payment = payment or _known_in(order, record)
    was_open = payment is not None and payment.state == Payment.State.AUTHORISED
    payment = _apply(integration, order, payment, record, tender=tender_of(integration) if page else TENDER)
    if page is not None:
        page.refresh_from_db()
        page_book.follow_payment(page, record, payment)
    if payment is not None:
        row = row or ExternalId(integration=integration, kind=KIND, external_id=record.external_id)
        row.local_id, row.version = payment.pk, record.version
        row.save()
        known[record.external_id] = row
    _refund(integration, order.pk, record, payment)
    follow_failed_refunds(integration, locked(order.pk), record)
    disputes.follow_dispute(locked(order.pk), record, payment, actor=ACTOR)
    hear(integration, [order.pk], heard)
    if payment is not None and was_open and payment.state == Payment.State.CAPTURED:
        aftersales.refund_surplus(order.pk, key=str(payment.pk), actor=ACTOR)  # no news: the provider is told
    return "unchanged" if _standing(order) == before else "updated"


def _order_id(record: PaymentRecord) -> int | None:
    """The order that the payment names, by its number or by what its channel calls it; None where it names none.

    Raises OrderNotThereYet, or UserError where two orders could be meant.
    """
    name = plain(record.order_id, 200)
    if not name:
        return None
    found = _called([name]).get(name, set())
    if len(found) > 1:
        raise UserError(f"two orders are called {name!r}; say which one payment {record.external_id} is for")
    if not found:
        raise OrderNotThereYet(f"{WAITS} {name}")
    return found.pop()


def _called(names: Collection[str]) -> Mapping[str, set[int]]:
    """For each name the orders of that number, else those that a channel or an account calls so; five queries, however
    many names there are, each through an index."""
    found: dict[str, set[int]] = defaultdict(set)
    for name, pk in Order.objects.filter(number__in=names).values_list("number", "pk"):
        found[name].add(pk)
    rest = [name for name in names if name not in found]
    channels = list(SalesChannel.objects.values_list("pk", flat=True))
    own = Order.objects.filter(sales_channel__in=channels, source="channel", external_id__in=rest)
    accounts = list(ChannelIntegration.objects.values_list("pk", flat=True))
    others = ExternalId.objects.filter(integration__in=accounts, kind="order", external_id__in=rest)
    for name, pk in (*own.values_list("external_id", "pk"), *others.values_list("external_id", "local_id")):
        found[name].add(pk)
    return found


def _known_in(order: Order, record: PaymentRecord) -> Payment | None:
    """The payment as our own checkout noted it, under whatever tender."""
    return order.payments.filter(external_id=record.external_id).order_by("pk").first()


def _apply(
    integration: ChannelIntegration, order: Order, payment: Payment | None, record: PaymentRecord, *, tender: str
) -> Payment | None:
    """Bring the order's payment to the state that the provider reports; a state that was passed is not gone back to."""
    wanted = "captured" if record.state in ("refunded", "disputed") else record.state
    if payment is None:
        return _note_new(order, tender, record, wanted)
    if payment.state == Payment.State.PENDING and wanted in ("authorised", "captured"):
        payment = _enter(order, payment.tender, record, wanted)
    if payment.state == Payment.State.AUTHORISED and wanted == "captured":
        return _capture(integration, payment, record)
    if payment.state in payments.OPEN and wanted == "voided":
        return payments.void(payment.pk, actor=ACTOR)
    if payment.state in payments.OPEN and wanted == "failed":
        return payments.fail(payment.pk, reason="the provider says so", actor=ACTOR)
    return payment


def _capture(integration: ChannelIntegration, payment: Payment, record: PaymentRecord) -> Payment:
    """Take in what the provider took and we do not know of yet: the whole payment, or a part of it where what is left
    stays authorised there."""
    taken = _captured(record) - payments.taken_in_parts(payment)
    if taken > 0 and payment_parts.has_parts(integration):
        payment_parts.take(integration, payment, taken, actor=ACTOR)
    elif taken > 0:
        return payments.capture(payment.pk, amount=min(taken, payment.amount), happened=True, actor=ACTOR)
    return payment


def _note_new(order: Order, tender: str, record: PaymentRecord, wanted: str) -> Payment | None:
    """A payment that only the provider knew of. One that is pending, or came to nothing, is waited for."""
    return _enter(order, tender, record, wanted) if wanted in ("authorised", "captured") else None


def _enter(order: Order, tender: str, record: PaymentRecord, wanted: str) -> Payment:
    act = payments.receive if wanted == "captured" else payments.authorise
    amount = _captured(record) if wanted == "captured" else record.amount
    return act(order.pk, tender=tender, amount=amount, external_id=record.external_id, actor=ACTOR)


def _captured(record: PaymentRecord) -> Decimal:
    return record.captured or record.amount


def _refund(
    integration: ChannelIntegration, order_id: int, record: PaymentRecord, payment: Payment | None
) -> None:  # fmt: skip
    """Book what the provider gave back of its payment, unless we asked it to. More than came in by that payment is
    complained of, not booked: no other payment of the order was touched."""
    ours = refund_echo.echoes(integration, {record.external_id: order_id}, [record]).get(record.external_id, set())
    for number, refund in enumerate(record.refunds, start=1):
        key = refund.external_id or f"{record.external_id}-refund-{number}"
        order = locked(order_id)
        if refund.external_id in ours or refund.amount <= 0 or refunds.is_booked(order, key):
            continue
        whole = payments.whole_of(payment) if payment else []
        possible = refundable(whole)
        if refund.amount > possible:
            add_problem(order, f"the provider gave back {refund.amount}, {possible} was left to give back")
        amount = quantize(min(refund.amount, possible), order.currency)
        refunds.book(
            order, amount, key=key, reason=refund.reason, actor=ACTOR, payments=whole, surplus_first=True
        )  # fmt: skip
        follow(order)


def _standing(order: Order) -> list[tuple[object, ...]]:
    return sorted(order.payments.values_list("pk", "state", "amount", "refunded"))


def letters_to_retry(*, days: int = 14, limit: int = 100) -> list[int]:
    """Dead letters of payments that waited for an order which is there now, at most `limit`; those of the last `days`
    only. What was tried least often comes first, so that what fails again and again crowds out nobody."""
    waiting = DeadLetter.objects.filter(
        stream="payments", settled_at=None, reason__startswith=f"{WAITS} ", at__gt=clock.days_ago(days)
    )
    rows = waiting.order_by("attempts", "id").values_list("pk", "reason")
    names = {pk: reason.removeprefix(f"{WAITS} ") for pk, reason in rows}
    there = _called(set(names.values()))
    return [pk for pk, name in names.items() if name in there][:limit]
