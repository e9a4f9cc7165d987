"""What is written down of payment pages, each step in one transaction that holds the order's row; and what a payment
that comes in says of the page it was made on."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from finalmarket.connectors.records import PaymentRecord, PaymentStart
from finalmarket.integrations.desk.label_book import address, complain
from finalmarket.integrations.models import ChannelIntegration, PaymentPage
from finalmarket.integrations.storing import FAILED, Stored
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue
from finalmarket.kernel.money import quantize
from finalmarket.orders.history import locked, note
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.states import still_due

State = PaymentPage.State
OPEN = (State.STARTING, State.STARTED)
PATIENCE = timedelta(seconds=5)
"""However often a page is asked for, its platform is asked about it once in so long a time."""


@failpoints.around("pages.write_down")
@transaction.atomic
def write_down(integration: ChannelIntegration, order_id: int, back_url: str, actor: str) -> PaymentPage:
    """Note that a payment of what is still due is about to be opened. While one of that amount is open at this account
    it is returned; one of another amount is closed, and nothing is taken by it any more.

    Raises UserError where there is nothing to pay.
    """
    order = locked(order_id)
    amount = _due(order)
    if amount <= 0:
        raise UserError(f"order {order.number} is {order.get_state_display().lower()}, and nothing is to be paid")
    page = PaymentPage.objects.filter(integration=integration, order=order, state__in=OPEN).first()
    if page is not None and page.amount == amount:
        if page.back_url != back_url:
            page.back_url = back_url
            page.save(update_fields=["back_url"])
        return page
    if page is not None:
        _end(page, State.CANCELLED, "another amount is due by now")
    token = secrets.token_urlsafe(32)
    words = f"asked for a payment of {amount} {order.currency} at {integration}"
    note(order, "updated", words, actor=actor)
    return PaymentPage.objects.create(
        integration=integration, order=order, key=key_of(integration, "page", token), token=token, amount=amount,
        currency=order.currency, back_url=back_url, created_at=clock.now(),
    )  # fmt: skip


def started(page_id: int, given: PaymentStart) -> PaymentPage:
    """The payment waits for the buyer. Raises UserError where the platform names no address to send them to."""
    with transaction.atomic():
        page, _ = locked_page(page_id)
        if page.state == State.STARTING:
            page.external_id, page.approve_url = given.external_id[:200], address(given.approve_url, 1000)
            page.state, page.last_error = State.STARTED, ""
            if not page.approve_url:
                page.state, page.last_error = (
                    State.FAILED,
                    "the platform names no address to send a buyer to",
                )
            page.save()
        failpoints.hit("pages.within_start")
    failpoints.hit("pages.after_start")
    if page.state == State.FAILED:
        raise UserError(f"{page.integration}: {page.last_error}")
    return page


def not_started(page_id: int, reason: str, *, for_good: bool) -> None:
    """There is no page, and why; or nobody knows (then the next try asks under the same key)."""
    with failpoints.around("pages.not_started"), transaction.atomic():
        page, _ = locked_page(page_id)
        if page.state != State.STARTING:
            return
        if for_good:
            _end(page, State.FAILED, reason)
        else:
            page.last_error = reason[:500]
            page.save(update_fields=["last_error"])


@failpoints.around("pages.claim")
@transaction.atomic
def claim(page_id: int) -> PaymentPage | None:
    """The page, if its platform may be asked about it now: not a moment after it was asked, and only while its amount
    is still due, so that nothing is taken that nobody owes any more. One that is not due any more is closed."""
    page, order = locked_page(page_id)
    now = clock.now()
    if page.state not in (State.STARTED, State.CANCELLED) or not page.external_id:
        return None
    if page.asked_at is not None and now - page.asked_at < PATIENCE:
        finish_later(page.pk, in_=PATIENCE)
        return None
    if page.amount > _due(order):
        _end(page, State.CANCELLED, "so much is not to be paid any more")
        return None
    page.asked_at = now
    page.save(update_fields=["asked_at"])
    return page


def finish_later(page_id: int, *, in_: timedelta | None = None) -> None:
    """Have a worker ask about a page, unless one is about to."""
    lock = f"integrations.finish_page:{page_id}"
    enqueue("integrations.finish_page", queueing_lock=lock, at=clock.now() + in_ if in_ else None, page=page_id)


@failpoints.around("pages.trouble")
def note_trouble(page_id: int, reason: str) -> None:
    """Say why a page is not finished yet."""
    PaymentPage.objects.filter(pk=page_id).update(last_error=reason[:500])


@failpoints.around("pages.give_up")
def given_up(page_id: int, reason: str) -> None:
    """The buyer has given up, or never came. Should they come all the same, the payment still counts."""
    PaymentPage.objects.filter(pk=page_id, state__in=OPEN).update(
        state=State.CANCELLED, last_error=reason[:500], ended_at=clock.now()
    )


# Payments that come in.


def page_of(integration: ChannelIntegration, record: PaymentRecord) -> PaymentPage | None:
    """The page that a payment was made on; None for one that came about otherwise."""
    pages = PaymentPage.objects.filter(integration=integration, external_id=record.external_id)
    return pages.exclude(external_id="").first()


def follow_payment(page: PaymentPage, record: PaymentRecord, payment: Payment | None) -> None:
    """Let a page follow the payment that was made on it; one that the buyer may have agreed to is finished. The caller
    holds the order's row."""
    if page.state == State.DONE:
        return
    if payment is not None and payment.state in (Payment.State.AUTHORISED, Payment.State.CAPTURED):
        _end(page, State.DONE, "")
    elif record.state == "failed":
        _end(page, State.FAILED, "the platform says that the payment failed")
    elif record.state == "voided":
        _end(page, State.CANCELLED, "the platform says that the payment was let go")
    elif record.state == "pending":
        finish_later(page.pk)


def note_unfit(integration: ChannelIntegration, stored: Sequence[Stored]) -> None:
    """A payment that was made on a page and cannot be taken is put before a person, once, at the order it was for."""
    failed = {one.external_id: one.reason for one in stored if one.outcome == FAILED and one.external_id}
    if not failed:
        return
    for page in PaymentPage.objects.filter(integration=integration, external_id__in=failed):
        reason = failed[page.external_id]
        note_trouble(page.pk, reason)
        words = f"the payment {page.external_id} at {integration} was made, but does not fit: {reason}"
        complain(locked(page.order_id), words, key=f"page:{page.pk}:unfit")


def locked_page(page_id: int) -> tuple[PaymentPage, Order]:
    """A page, and its order with its row locked. Raises UserError where there is none."""
    order_id = PaymentPage.objects.filter(pk=page_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise UserError(f"there is no payment page with id {page_id}")
    order = locked(order_id)
    return PaymentPage.objects.select_related("integration").get(pk=page_id), order


def _due(order: Order) -> Decimal:
    if order.state == Order.State.CANCELLED:
        return Decimal(0)
    return quantize(still_due(order, Payment.objects.filter(order=order)), order.currency)


def _end(page: PaymentPage, state: PaymentPage.State, reason: str) -> None:
    page.state, page.last_error, page.ended_at = state, reason[:500], clock.now()
    page.save(update_fields=["state", "last_error", "ended_at"])
