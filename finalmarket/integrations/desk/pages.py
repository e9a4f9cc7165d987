"""A buyer pays on a platform's own page: it is opened for what an order still costs, the buyer says yes there and comes
back, and what they agreed to becomes a payment of the order.

The way back, the platform's webhook and a worker that asks may all find out that the buyer has agreed. Each finishes
the payment under the same key, and takes what the platform then shows of it as every payment is taken: by its version,
with the order's row held. So it takes effect once.
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.db import connection

from finalmarket.connectors.contract import StartsPayments, TakesPayments
from finalmarket.connectors.errors import ConnectorError, NeedsAttention
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.records import PaymentRecord, PaymentRequest
from finalmarket.integrations import breaker
from finalmarket.integrations.connect import PUBLIC_URL, is_reached_from, public_address
from finalmarket.integrations.desk import page_book
from finalmarket.integrations.desk.asking import is_refusal, opened_for, said_no, stand_alone
from finalmarket.integrations.models import ChannelIntegration, PaymentPage
from finalmarket.integrations.storing import Stored, intake, patiently
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders.models import Order

State = PaymentPage.State
MOST_AT_ONCE = 100
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
WAITED_FOR = timedelta(days=3)
"""So long a buyer may take; most platforms let a page end sooner."""
# A page is asked about a minute after it was opened, and then whenever a quarter more of its age has passed.
DUE = """
    SELECT id FROM payment_pages
    WHERE state = 'started' AND created_at > %(oldest)s
      AND coalesce(asked_at, created_at) <= %(now)s - greatest(interval '1 minute', (%(now)s - created_at) / 4)
    ORDER BY coalesce(asked_at, created_at) LIMIT %(most)s"""


def start_payment(order_id: int, integration: ChannelIntegration, back_url: str = "", *, actor: str) -> PaymentPage:
    """Open a page on which a buyer pays what an order still costs; `approve_url` is where to send them, and they are
    led on to `back_url` afterwards. While one is open for that amount, it is the one.

    While goods have yet to leave, the money is only reserved, and taken when they do. Raises UserError where there is
    nothing to pay, the platform does not take it, or its answer got lost: asked for again, it is the same payment.
    """
    stand_alone("opening a payment page")
    _check(integration, back_url)
    with opened_for(integration, StartsPayments) as there:
        page = page_book.write_down(integration, order_id, back_url, actor)
        if page.state == State.STARTED:
            return page
        try:
            failpoints.hit("pages.before_send")
            given = there.start_payment(_request(page, can_wait=isinstance(there, TakesPayments)))
            failpoints.hit("pages.after_send")
        except (ConnectorError, *READING_ERRORS) as error:
            surely_nothing = is_refusal(error) or isinstance(error, NeedsAttention)
            page_book.not_started(page.pk, str(error), for_good=surely_nothing)
            raise said_no(integration, error) from error
    page = page_book.started(page.pk, given)
    breaker.note_success(integration.pk)
    return page


def _check(integration: ChannelIntegration, back_url: str) -> None:
    """Refuse an address that a buyer could not, or should not, be led on to; and a house that they cannot come back to
    from the platform."""
    parts = urlsplit(back_url)
    if back_url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        raise UserError("the address to go on to must be one such as https://shop.example/thanks")
    if len(back_url) > 1000 or not back_url.isprintable() or " " in back_url or "\\" in back_url:
        raise UserError("the address to go on to is too long, or holds what no address does")
    if not is_reached_from(integration):
        raise UserError(f"a buyer could not come back: set {PUBLIC_URL} to where this house is reached from outside")


def _request(page: PaymentPage, *, can_wait: bool) -> PaymentRequest:
    order: Order = page.order
    has_goods_to_send = order.state in (Order.State.OPEN, Order.State.PARTLY_FULFILLED)
    return PaymentRequest(
        key=page.key, order_number=order.number, amount=quantize(page.amount, page.currency), currency=page.currency,
        return_url=public_address(f"/pay/{page.token}/return"), cancel_url=public_address(f"/pay/{page.token}/cancel"),
        is_authorise_only=can_wait and has_goods_to_send, description=f"Order {order.number}", email=order.email,
    )  # fmt: skip


def come_back(token: str, *, has_given_up: bool = False) -> str | None:
    """The buyer comes back from the platform: what they agreed to is finished, as far as the platform answers now; a
    worker does the rest. Returns where to lead them on to ("" for nowhere), None for a token of nobody. Raises
    nothing that the platform did."""
    page = PaymentPage.objects.filter(token=token).first() if TOKEN.fullmatch(token) else None
    if page is None:
        return None
    if has_given_up:
        page_book.given_up(page.pk, "the buyer gave up")
        return page.back_url
    try:
        finish(page.pk)
    except UserError as error:
        structlog.get_logger(__name__).info("a payment is finished later", page=page.pk, reason=str(error))
        page_book.finish_later(page.pk, in_=page_book.PATIENCE)
    return page.back_url


def finish(page_id: int) -> str:
    """Finish a payment if its buyer has agreed to it, and take it; return what became of it, in words. Nothing is asked
    about a page that is closed, that was asked about a moment ago, or whose amount is not due any more.

    Raises UserError where the platform cannot be asked now.
    """
    stand_alone("finishing a payment")
    integration = ChannelIntegration.objects.get(payment_pages=page_id)
    with opened_for(integration, StartsPayments) as there:
        page = page_book.claim(page_id)
        if page is None:
            return "nothing to ask"
        try:
            failpoints.hit("pages.before_finish_sent")
            record = there.finish_payment(page.external_id, key_of(integration, "page done", page.token))
            failpoints.hit("pages.after_finish_sent")
        except (ConnectorError, *READING_ERRORS) as error:
            page_book.note_trouble(page.pk, str(error))
            said = said_no(integration, error)
            if is_refusal(error):
                return str(said)  # the buyer has not said yes, or the payment is no more
            raise said from error
    breaker.note_success(integration.pk)
    (stored,) = patiently(lambda: _store(integration, record))
    failpoints.hit("pages.after_take")
    return stored.reason or stored.outcome


def _store(integration: ChannelIntegration, record: PaymentRecord) -> list[Stored]:
    from finalmarket.integrations.payments_in import take_payments  # which tells pages of what it took

    with intake(integration, "payments"):
        stored = take_payments(integration, [record])
        failpoints.hit("pages.before_take")
    return stored


def look() -> int:
    """Ask about pages whose buyers may have agreed without anybody telling us, and give those up whose buyers did not
    come; return how many were asked about."""
    now = clock.now()
    old = PaymentPage.objects.filter(state__in=page_book.OPEN, created_at__lte=now - WAITED_FOR)
    for page_id in old.values_list("pk", flat=True)[:MOST_AT_ONCE]:
        page_book.given_up(page_id, "the buyer did not come")
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "oldest": now - WAITED_FOR, "most": MOST_AT_ONCE})
        due = [row[0] for row in cursor.fetchall()]
    for page_id in due:
        page_book.finish_later(page_id)
    return len(due)
